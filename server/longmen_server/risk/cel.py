"""Conditions in CEL: checked when they are saved, cheap when they are evaluated. Pure.

The one module that knows the engine behind it, Google's own in C++. An expression is a single
boolean over declared variables. It cannot loop: macros over lists are refused, and what is left
costs time in proportion to its length, which is bounded.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from cel_expr_python import cel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "Activation",
    "CelError",
    "Condition",
    "Environment",
    "Problem",
    "Token",
    "compared",
    "names_in",
    "tokens_of",
]

Activation: TypeAlias = cel.Activation
"""Values for many conditions."""

TEXT_MAX: Final = 2_000
"""Characters of an expression. The longest of the shipped rules has less than three hundred."""
PROBLEMS_MAX: Final = 20
"""Of one expression: what comes after follows from what comes before."""

_TYPES: Final = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "list(string)": cel.Type.List(cel.Type.STRING),
}
_LIST: Final = "list(string)"
_MACROS: Final = frozenset(
    {
        "all",
        "bind",
        "exists",
        "exists_one",
        "existsOne",
        "filter",
        "fold",
        "map",
        "reduce",
        "sortBy",
        "transformList",
        "transformMap",
        "transformMapEntry",
    }
)
"""Of the standard and of its extensions, should one ever be switched on."""
_TOKEN: Final = re.compile(
    r"""
    (?P<comment>//[^\n]*)
    |(?P<string>(?:[bB]?[rR]|[rR][bB])(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')
        |[bB]?(?:\"{3}(?:\\[\s\S]|[^\\])*?\"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3}
            |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<space>\s+)
    |(?P<operator>&&|\|\||[=!<>]=)
    |(?P<other>[\s\S])
    """,
    re.VERBOSE,
)
_REPORT: Final = re.compile(
    r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?:\n \| (.*)\n \| (.*))?(?=\nERROR: |\Z)"
)
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_STATUS: Final = re.compile(r" \[[A-Z_]+\]\Z")


class CelError(Exception):
    """The engine could not evaluate an expression; the message says why."""


class Problem(NamedTuple):
    """Why an expression is not taken."""

    code: str
    """TOO_LONG, HIDDEN_CHARACTER, UNBOUNDED_MACRO, UNKNOWN_FEATURE, SYNTAX, TYPE or NOT_BOOLEAN."""
    line: int
    """From 1; 0 where it is about the whole."""
    column: int
    """From 1; 0 where it is about the whole."""
    message: str
    excerpt: str
    """The line and below it a caret, each line on its own; empty where it is about the whole."""


class Token(NamedTuple):
    """What an expression is made of."""

    kind: str
    """string, name, number, operator (of two characters) or other."""
    text: str
    start: int
    """Where it stands, in characters."""


def tokens_of(text: str) -> Iterator[Token]:
    """Cut an expression into what counts: no spaces and no comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind not in {"space", "comment"}:
            yield Token(kind, match.group(), match.start())


def names_in(text: str) -> frozenset[str]:
    """Return the names that an expression uses, those of functions and fields too."""
    return frozenset(token.text for token in tokens_of(text) if token.kind == "name")


def compared(text: str) -> Iterator[tuple[str, str, Problem]]:
    """Yield names that an expression compares with a text in quotes, with the text and its place.

    The problem has the place only: whoever knows what values a name has says what is wrong.
    """
    tokens = list(tokens_of(text))
    for name, operator, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if name.kind == "name" and operator.text == "==" and literal.kind == "string":
            where = _problem("NEVER", text, literal.start, "")
            yield name.text, literal.text.strip("'\""), where


class Environment:
    """What expressions may speak of."""

    def __init__(self, types: Mapping[str, str]) -> None:
        """Declare the variables.

        Args:
            types: names with the names of their types: bool, int, double, string, list(string).
        """
        self._types = {name: _TYPES[kind] for name, kind in types.items()}
        self._lists = frozenset(name for name, kind in types.items() if kind == _LIST)
        self._env = cel.NewEnv(variables=self._types)

    def problems(self, text: str) -> list[Problem]:
        """Return why an expression is not taken, by place; nothing when it is."""
        found = _unreadable(text) or list(_loops(text))
        if found:
            return found
        try:
            compiled = self._env.compile(text)
        except RuntimeError as error:
            told = list(self._told(str(error)))[:PROBLEMS_MAX]
            return told or [_too_deep(error)]
        if compiled.return_type() != cel.Type.BOOL:
            kind = compiled.return_type().name().lower()
            message = f"a condition is true or false, and this is of type {kind}"
            return [Problem("NOT_BOOLEAN", 1, 1, message, _excerpt(text, 0))]
        return []

    def condition(self, text: str) -> Condition:
        """Return an expression ready to be evaluated; :meth:`problems` found none in it."""
        return Condition(self._env.compile(text), names_in(text) & self._types.keys())

    def any_of(self, texts: Iterable[str]) -> Condition:
        """Return whether any of several conditions holds, as one.

        It is false only if every one of them is false and none of them errs.
        """
        # A condition may end with a comment, which ends with its line.
        return self.condition(" || ".join(f"({text}\n)" for text in texts))

    def activation(self, values: Mapping[str, Any]) -> Activation:
        """Return values for many conditions: converting them costs more than a condition."""
        lists = self._lists & values.keys()
        if lists:
            # The engine knows no tuples.
            known = dict(values)
            for name in lists:
                if type(known[name]) is tuple:
                    known[name] = list(known[name])
            values = known
        return self._env.Activation(values)

    def _told(self, report: str) -> Iterator[Problem]:
        """Read the engine's report."""
        report = _STATUS.sub("", report)
        for line, column, message, source, caret in _REPORT.findall(report):
            code = "SYNTAX" if message.startswith(("Syntax error", "Exceeded")) else "TYPE"
            unknown = _UNDECLARED.match(message)
            text = message.removeprefix("Syntax error: ")
            if unknown:
                code = "UNKNOWN_FEATURE"
                text = self._unknown(unknown.group(1))
            excerpt = f"{source}\n{caret}" if source or caret else ""
            yield Problem(code, max(0, int(line)), max(0, int(column)), text, excerpt)

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._types, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"there is no feature or function {name}{hint}"


class Condition:
    """One expression, ready to be evaluated."""

    __slots__ = ("_compiled", "names")

    def __init__(self, compiled: cel.Expression, names: frozenset[str]) -> None:
        self._compiled = compiled
        self.names = names
        """Variables it may read."""

    def holds(self, activation: Activation) -> bool:
        """Whether it is true of the values.

        Raises:
            CelError: the engine stopped: a division by zero, an overflow, a missing value, or a
                budget that was used up.
        """
        try:
            value = self._compiled.eval(activation).value()
        except RuntimeError as error:  # a text that is none, such as half of a surrogate pair
            raise CelError(str(error)) from error
        if value is True or value is False:
            return bool(value)
        raise CelError(_STATUS.sub("", str(value)))


def _unreadable(text: str) -> list[Problem]:
    """What a reader could not see, or would not read to its end."""
    if len(text) > TEXT_MAX:
        return [Problem("TOO_LONG", 0, 0, f"{len(text)} characters, of {TEXT_MAX} at most", "")]
    for place, character in enumerate(text):
        if character not in "\n\t" and unicodedata.category(character)[0] == "C":
            name = f"U+{ord(character):04X}"
            message = f"the character {name} cannot be seen: what is read is not what is run"
            return [_problem("HIDDEN_CHARACTER", text, place, message)]
    return []


def _loops(text: str) -> Iterator[Problem]:
    """Calls of macros, which go through a list."""
    tokens = list(tokens_of(text))
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.text in _MACROS and before.text == "." and after.text == "(":
            message = f"{token.text}() goes through a list: use `in` and the features that count"
            yield _problem("UNBOUNDED_MACRO", text, token.start, message)


def _too_deep(error: RuntimeError) -> Problem:
    """The engine bounds how deep parts of an expression stand within others; it has no place."""
    return Problem("SYNTAX", 0, 0, _STATUS.sub("", str(error)), "")


def _problem(code: str, text: str, place: int, message: str) -> Problem:
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    return Problem(code, line, column, message, _excerpt(text, place))


def _excerpt(text: str, place: int) -> str:
    """Return the line of a place, and a line with a caret below it."""
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    line = text[start : end if end >= 0 else len(text)]
    shown = "".join("�" if unicodedata.category(c)[0] == "C" and c != "\t" else c for c in line)
    return f"{shown}\n{'.' * (place - start)}^"
