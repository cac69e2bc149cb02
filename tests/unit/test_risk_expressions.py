"""Conditions of risk rules: what is refused is shown at its place; what is taken cannot loop."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longmen_server.risk.cel import CelError, Environment, names_in
from longmen_server.risk.rules import environment

ENV = Environment({"amount": "int", "night": "bool", "ratio": "double", "names": "list(string)"})


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("amount >", "SYNTAX", (1, 9), "mismatched input"),
        (
            "amout > 1",
            "UNKNOWN_FEATURE",
            (1, 1),
            "no feature or function amout; did you mean amount?",
        ),
        ("night &&\n  nigth", "UNKNOWN_FEATURE", (2, 3), "did you mean night?"),
        ("amount > 'much'", "TYPE", (1, 8), "'_>_' applied to '(int, string)'"),
        ("amount > 1.5", "TYPE", (1, 8), "'(int, double)'"),
        ("amount + 1", "NOT_BOOLEAN", (1, 1), "of type int"),
        ("amount.cents > 1", "TYPE", (1, 7), "operand of a select"),
        ("names.exists(n, n == 'a')", "UNBOUNDED_MACRO", (1, 7), "exists() goes through a list"),
        ("night ||\n names .all(a, names.all(b, a < b))", "UNBOUNDED_MACRO", (2, 9), "all()"),
        ("names.map(n, n).size() > 1", "UNBOUNDED_MACRO", (1, 7), "map()"),
        ("names.filter(n, true) == names", "UNBOUNDED_MACRO", (1, 7), "filter()"),
        ("amount > 1 \u202e&& night", "HIDDEN_CHARACTER", (1, 12), "U+202E"),
        ("night\u200b", "HIDDEN_CHARACTER", (1, 6), "U+200B"),
        ("n\u0456ght", "SYNTAX", (1, 2), "token recognition error"),
        ("now() > 1", "UNKNOWN_FEATURE", (1, 4), "no feature or function now"),
        ("true" + " || true" * 300, "TOO_LONG", (0, 0), "2404 characters, of 2000 at most"),
        ("amount" + " + amount" * 60 + " > 1", "SYNTAX", None, "recursion depth"),
    ],
    ids=lambda value: value[:20].strip() if isinstance(value, str) else None,
)
def test_what_is_wrong_is_shown_at_its_place(
    text: str, code: str, place: tuple[int, int] | None, words: str
) -> None:
    found = ENV.problems(text)[0]
    assert found.code == code
    assert words in found.message
    if place is not None:
        assert (found.line, found.column) == place
    if found.line:
        line, caret = found.excerpt.split("\n")
        assert line.replace("�", "") in text.replace("\u202e", "").replace("\u200b", "")
        assert caret.rstrip() == "." * (found.column - 1) + "^" or caret.endswith("＾")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("amount > 100 && !night", True),
        ("ratio * 2.0 > 3.0", True),
        ("'mules' in names", True),
        ("'sanctions' in names || false", False),
        ("amount % 100 == 50", True),
        ("names.size() == 2", True),
        ("'.all(x, y)' == '.all(x, y)' // .map(", True),
        ('"""a.map(""" != r"\\d" ', True),
    ],
)
def test_what_is_taken(text: str, holds: bool) -> None:  # noqa: FBT001  # a table's column
    assert ENV.problems(text) == []
    values = {"amount": 150, "night": False, "ratio": 2.0, "names": ("mules", "deny")}
    assert ENV.condition(text).holds(ENV.activation(values)) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1000 / amount > 1", "divide by zero"),
        ("9223372036854775807 + ratioed > 0".replace("ratioed", "amount + 1"), "overflow"),
        ("names[3] == 'a'", "Index error"),
        ("night", "night"),
    ],
    ids=["division", "overflow", "index", "missing"],
)
def test_what_cannot_be_evaluated_errs(text: str, words: str) -> None:
    values = {"amount": 0, "names": ()}
    with pytest.raises(CelError, match=words):
        ENV.condition(text).holds(ENV.activation(values))


def test_a_disjunction_is_false_only_if_all_are_and_none_errs() -> None:
    fine = ENV.any_of(["amount > 5 // a comment", "night"])
    broken = ENV.any_of(["amount > 5", "1 / amount > 1"])
    values = {"amount": 0, "night": False}
    assert fine.holds(ENV.activation(values)) is False
    assert fine.holds(ENV.activation({"amount": 9, "night": False})) is True
    with pytest.raises(CelError):
        broken.holds(ENV.activation(values))


WORDS = [
    *("amount", "night", "names", "ratio", "1", "1.5", "'a'", '"', "//"),
    *("(", ")", "[", "]", "&&", "||", "!", "-", ">", "==", "+", "/", "?", ":", ".", "in"),
    *(".all(", "size()"),
]


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=60)
    | st.lists(
        st.sampled_from(WORDS),
        max_size=20,
    ).map(" ".join)
)
def test_whatever_is_written_is_either_taken_or_told_why(text: str) -> None:
    found = ENV.problems(text)
    assert all(one.code and one.message for one in found)
    if found:
        return
    values = {"amount": 1, "night": True, "ratio": 0.5, "names": ("a",)}
    with contextlib.suppress(CelError):
        ENV.condition(text).holds(ENV.activation(values))
    with contextlib.suppress(CelError):
        ENV.any_of([text, "night"]).holds(ENV.activation(values))


def test_names_are_those_that_count() -> None:
    assert names_in("amount > 1 // night\n && 'ratio' != \"names\"") == {"amount"}


def test_rules_speak_of_every_feature() -> None:
    assert environment().problems("payee_payers_1h >= 10 && 'mules' in payee_lists") == []
