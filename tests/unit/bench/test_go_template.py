"""The Python renderer does to the subset what Go's text/template does."""

from __future__ import annotations

import uuid

import pytest

from bench.go_template import TemplateError, render


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{{.RequestNumber}}", "7"),
        ("{{ printf `%03x` 10 }}", "00a"),
        ("{{printf `%03x-%d` (add 10 1) (mod 7 4)}}", "00b-3"),
        ("{{printf `a b(c)` }}", "a b(c)"),
        ("[{{range $i, $n := until 3}}{{if $i}},{{end}}{{$n}}{{end}}]", "[0,1,2]"),
        ("{{range until 2}}x{{end}}", "xx"),
        (
            "{{range $i := until 2}}{{range $j := until 2}}{{$i}}{{$j}} {{end}}{{end}}",
            "00 01 10 11 ",
        ),
        ("{{if 0}}a{{if 1}}b{{end}}{{end}}c", "c"),
        ("a {{- 1 -}} b", "a1b"),
    ],
)
def test_the_subset(template: str, expected: str) -> None:
    assert render(template, {"RequestNumber": 7}) == expected


def test_ghz_functions() -> None:
    values = {int(render("{{randomInt 3 6}}", {})) for _ in range(200)}
    assert values == {3, 4, 5}
    first, second = (render("{{newUUID}}", {}) for _ in range(2))
    assert first != second
    assert uuid.UUID(first).version == 4


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "{{nothing}}",
        "{{.Nothing}}",
        "{{end}}",
        "{{if 1}}a",
        "{{if 1}}a{{else}}b{{end}}",
        "{{add 1 (mod 3 2}}",
        "{{1 2}}",
        "{{}}",
    ],
)
def test_anything_else_is_an_error(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, {"RequestNumber": 7})
