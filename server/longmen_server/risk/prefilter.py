"""Which conditions can be true at all, told from their plainest parts. Pure.

Nearly every movement is far from what a rule looks for: its amount is below one bound, its payer
above another. Such a part, a feature compared with a constant, is decided here by comparing two
numbers, and the expression engine, which wants all features converted first, is asked only about
what is left. Nothing is decided here but that a condition is false: one in which something stays
open goes to the engine, as does every movement with a feature missing.

That is sound because CEL's `&&` is false once one side is false, whatever the other side is or
however it errs (CEL language definition, "Logical Operators"), and comparing a feature with a
constant of its type cannot err, nor can adding two whole numbers whose sum is one of 64 bits.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from longmen_server.risk.cel import Token, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["possible_of"]

_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
DEPTH_MAX: Final = 16
"""Parts within parts that are looked at: Python's own compiler gives up at some hundred."""
_LEAST: Final = -(2**63)
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ")
"""Characters of texts that mean the same in CEL and here."""


def possible_of(
    conditions: Iterable[str], names: Sequence[str]
) -> Callable[[tuple[Any, ...]], bool]:
    """Return what says whether any of several conditions can be true.

    Args:
        conditions: expressions in CEL that have been checked.
        names: of the features, in the order in which their values are given.

    Returns:
        A function of the features' values. When it says no, each condition is false; when it says
        yes, nothing is known.
    """
    places = {name: place for place, name in enumerate(names)}
    tests = [_test(list(tokens_of(text)), places) for text in conditions]
    if None in tests:
        return _always
    lines = [
        "def possible(values):",
        f"    {''.join(f'v{place}, ' for place in range(len(names)))} = values",
        *(f"    if {test}:\n        return True" for test in tests),
        "    return False",
    ]
    made: dict[str, Any] = {}
    exec(compile("\n".join(lines), "<prefilter of rules>", "exec"), made)  # noqa: S102 - own text
    possible: Callable[[tuple[Any, ...]], bool] = made["possible"]
    return possible


def _always(_: tuple[Any, ...]) -> bool:
    return True


def _test(tokens: Sequence[Token], places: dict[str, int], depth: int = 0) -> str | None:
    """Return a test in Python that fails only where an expression is false; None where none is."""
    if depth > DEPTH_MAX:
        return None
    tokens = _bared(tokens)
    if _parts(tokens, "?")[1:]:
        return None
    either = _parts(tokens, "||")
    if either[1:]:
        tests = [_test(part, places, depth + 1) for part in either]
        return None if None in tests else f"({' or '.join(map(str, tests))})"
    every = _parts(tokens, "&&")
    if every[1:]:
        known = [test for part in every if (test := _test(part, places, depth + 1)) is not None]
        return f"({' and '.join(known)})" if known else None
    return _plain_test(tokens, places)


def _plain_test(tokens: Sequence[Token], places: dict[str, int]) -> str | None:
    """Return the test of a feature against a constant, or of a feature that is true or false."""
    texts = [token.text for token in tokens]
    if len(tokens) == 1 and texts[0] in places:
        return f"v{places[texts[0]]} is not False"
    if len(tokens) == 2 and texts[0] == "!" and texts[1] in places:
        return f"v{places[texts[1]]} is not True"
    if len(tokens) == 3 and texts[1] == "in" and texts[2] in places:
        text = _constant(tokens[:1])
        return None if text is None else f"{text} in v{places[texts[2]]}"
    if len(tokens) == 5 and texts[1] == "+" and {texts[0], texts[2]} <= places.keys():
        return _sum_test(tokens, places)
    if len(tokens) in {3, 4} and texts[0] in places and texts[1] in _COMPARISONS:
        constant = _constant(tokens[2:])
        return None if constant is None else f"v{places[texts[0]]} {texts[1]} {constant}"
    return None


def _sum_test(tokens: Sequence[Token], places: dict[str, int]) -> str | None:
    """Return the test of two features that together reach a number, or exceed it."""
    first, _, second, operator, _ = (token.text for token in tokens)
    bound = _constant(tokens[4:])
    below = {">=": "<", ">": "<="}.get(operator)
    if bound is None or below is None or not tokens[4].text.isdigit():
        return None
    # Beyond what the engine adds up it errs, so that such a sum is left to it.
    return f"not {_LEAST} <= v{places[first]} + v{places[second]} {below} {bound}"


def _constant(tokens: Sequence[Token]) -> str | None:
    """Return a number or a text as Python writes it; None for any other token."""
    *signs, token = tokens
    if [sign.text for sign in signs] not in ([], ["-"]):
        return None
    if token.kind == "number":
        value = int(token.text) if token.text.isdigit() else float(token.text)
        return repr(-value if signs else value) if isfinite(value) else None
    if token.kind == "string" and not signs and token.text[0] in "\"'":
        inner = token.text[1:-1]
        return repr(inner) if _PLAIN.issuperset(inner) else None
    return None


def _bared(tokens: Sequence[Token]) -> Sequence[Token]:
    """Take off parentheses around the whole."""
    while len(tokens) > 2 and tokens[0].text == "(" and _closes(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closes(tokens: Sequence[Token]) -> int:
    """Return where the parenthesis closes that an expression begins with."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0:
            return place
    return len(tokens)


def _parts(tokens: Sequence[Token], operator: str) -> list[Sequence[Token]]:
    """Cut an expression at an operator, outside of all parentheses."""
    parts: list[Sequence[Token]] = []
    depth = begin = 0
    for place, token in enumerate(tokens):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0 and token.text == operator:
            parts.append(tokens[begin:place])
            begin = place + 1
    return [*parts, tokens[begin:]]
