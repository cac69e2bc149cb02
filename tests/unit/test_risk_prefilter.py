"""The prefilter of rules: it says no only where the engine finds each condition false."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longmen_server.risk import prefilter, shipped
from longmen_server.risk.cel import CelError, Environment
from longmen_server.risk.features import REGISTRY
from longmen_server.risk.prefilter import possible_of

TYPES = {"a": "int", "f": "int", "b": "double", "c": "string", "d": "bool", "e": "list(string)"}
NAMES = ("a", "b", "c", "d", "e", "f")
ENVIRONMENT = Environment(TYPES)

WHOLE = st.integers(-3, 3)
COUNT = WHOLE | st.sampled_from([2**63 - 1, -(2**63)])
VALUES = st.tuples(
    COUNT,
    st.sampled_from([-1.5, 0.0, -0.0, 1.0, 2.5, math.nan, math.inf]),
    st.sampled_from(["", "app", "bank", "x y", '"']),
    st.booleans(),
    st.sampled_from([(), ("app",), ("deny", "app")]),
    COUNT,
)
TEXTS = st.sampled_from(['"app"', "'bank'", '"x y"', r'"\""', '"""app"""', 'r"app"', '""'])
COMPARES = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
PLAIN = st.one_of(
    st.builds("a {} {}".format, COMPARES, WHOLE.map(str) | st.just("007")),
    st.builds("f + a {} {}".format, COMPARES, WHOLE.map(str) | st.just("9223372036854775807")),
    st.builds("b {} {}".format, COMPARES, st.sampled_from(["0.0", "-1.5", "25e-1", "1e3"])),
    st.builds("c {} {}".format, COMPARES, TEXTS),
    st.sampled_from(["d", "!d", "(d)", "!(d)", "!!d", "d == true", "true", "false"]),
    st.builds("{} in e".format, TEXTS),
)
ODD = st.sampled_from(
    [
        "10 / a > 3",
        "a + 9223372036854775807 > 0",
        "a * 2 > a",
        "c.startsWith('a')",
        "c in ['app', 'x']",
        "e == ['app']",
        "size(e) > 0",
        "(d ? a : 2) > 1",
        "d ? a > 1 : b < 0.5",
        "1 < a",
        "a > 1 // && d",
        "c == '&& || ?'",
    ]
)
EXPRESSIONS = st.recursive(
    PLAIN | ODD,
    lambda inner: st.one_of(
        st.builds("({}\n) && ({}\n)".format, inner, inner),
        st.builds("({}\n) || ({}\n)".format, inner, inner),
        st.builds("{}\n && {}".format, PLAIN, inner),
        st.builds("{}\n || {}".format, PLAIN, inner),
        st.builds("!({}\n)".format, inner),
        st.builds("({}\n) ? ({}\n) : ({}\n)".format, inner, PLAIN, inner),
    ),
    max_leaves=8,
)


def holds(expression: str, values: tuple[Any, ...]) -> bool | None:
    """What the engine says; None where it errs."""
    activation = ENVIRONMENT.activation(dict(zip(NAMES, values, strict=True)))
    try:
        return ENVIRONMENT.condition(expression).holds(activation)
    except CelError:
        return None


@settings(max_examples=600)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=3), VALUES)
@example(["a > 1 && 1 / 0 > 1"], (0, 0.0, "", False, (), 0))
@example(["b != 0.0"], (0, math.nan, "", False, (), 0))
@example(["d || 10 / a > 3"], (0, 0.0, "", False, (), 0))
@example(["f + a > 0"], (-1, 0.0, "", False, (), -(2**63)))
@example(["f + a > 0"], (1, 0.0, "", False, (), 2**63 - 1))
def test_what_cannot_be_is_false(expressions: list[str], values: tuple[Any, ...]) -> None:
    assert not [one for each in expressions for one in ENVIRONMENT.problems(each)]
    if not possible_of(expressions, NAMES)(values):
        assert [holds(each, values) for each in expressions] == [False] * len(expressions)


@pytest.mark.parametrize(
    ("expression", "values", "possible"),
    [
        ("a >= 4", (3,), False),
        ("a >= 4", (4,), True),
        ("a > -2", (-2,), False),
        ("a < 007", (7,), False),
        ("b > 0.8 && 10 / a > 3", (0, 0.8), False),
        ("b > 0.8 && 10 / a > 3", (0, 0.9), True),
        ("c == 'app' && !d", (0, 0.0, "app", True), False),
        ("c == 'app' && !d", (0, 0.0, "app", False), True),
        ("d && (a > 1 || b > 1.0)", (1, 1.0, "", True), False),
        ("d && (a > 1 || b > 1.0)", (1, 1.1, "", True), True),
        ("'deny' in e || 'mules' in e", (0, 0.0, "", True, ("vip",)), False),
        ("'deny' in e || 'mules' in e", (0, 0.0, "", True, ("mules",)), True),
        ("a > 4 || size(e) > 9", (0, 0.0, "", True, ()), True),
        ("a > 4 ? d : d", (0, 0.0, "", True, ()), True),
        ("!(a > 4 && d)", (0, 0.0, "", True, ()), True),
        ("a == 5 // && d", (4,), False),
        ("f + a >= 8", (4,), False),
        ("f + a >= 8", (5,), True),
        ("a + f > 8", (5,), False),
        ("a + f < 8", (5,), True),
    ],
)
def test_plain_parts_decide(expression: str, values: tuple[Any, ...], possible: bool) -> None:  # noqa: FBT001 - a table's column
    whole = (*values, *(0, 0.0, "", False, (), 3)[len(values) :])
    assert possible_of([expression], NAMES)(whole) is possible
    assert possible_of(["false && d", expression], NAMES)(whole) is (possible or whole[3])


def test_one_condition_that_is_open_leaves_all_to_the_engine() -> None:
    assert possible_of(["a > 4", "size(e) > 9"], NAMES)((0, 0.0, "", False, (), 3))


@pytest.mark.parametrize("operator", ["&&", "||"])
def test_parts_deep_within_others_are_left_to_the_engine(operator: str) -> None:
    deep = f"(d {operator} " * 20 + "d" + ")" * 20
    assert not ENVIRONMENT.problems(deep)
    values = (0, 0.0, "", False, (), 0)
    assert possible_of([deep], NAMES)(values) is (operator == "||")
    assert holds(deep, values) is False


@pytest.mark.parametrize("depth", [40, 100, 240])
def test_what_is_too_deep_to_be_evaluated_is_not_taken(depth: int) -> None:
    deep = "(d && " * depth + "d" + ")" * depth
    problems = ENVIRONMENT.problems(deep)
    assert [one.code for one in problems] == ["SYNTAX"]
    assert "recursion" in problems[0].message


def test_every_shipped_rule_can_be_told_from_its_plain_parts() -> None:
    """That is what makes them cheap; a rule written another way costs an evaluation each time."""
    names = sorted(REGISTRY)
    for rule in shipped.shipped().rules:
        made = possible_of([rule.expression], names)
        assert made is not prefilter._always, rule.rule_id
