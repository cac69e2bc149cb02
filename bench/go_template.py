"""The part of Go's text/template that the ghz configurations use, in Python.

ghz fills its request data with Go templates. The tests render the same templates here, so that a
configuration that no longer fits the contract is found without running ghz. Anything beyond the
subset is an error: actions ``{{expression}}``, ``{{if}}``, ``{{range}}`` with ``{{end}}``,
trimming dashes, whole numbers, strings in backquotes, ``$variables``, ``.Fields``, parentheses and
`FUNCTIONS`.
"""

from __future__ import annotations

import random
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACTION: Final = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
WORD: Final = re.compile(r"\s*(\(|\)|`[^`]*`|:=|,|[^\s(),`]+)")

FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "newUUID": lambda: str(uuid.UUID(int=random.getrandbits(128), version=4)),
    "randomInt": random.randrange,
    "printf": lambda text, *values: text % values,
    "until": lambda count: list(range(count)),
    "add": lambda *values: sum(values),
    "mod": lambda value, divisor: value % divisor,
}
"""newUUID and randomInt are ghz's own, printf is Go's, the others are of the sprig library."""


class TemplateError(ValueError):
    """The template is wrong, or uses more than the subset."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of literal text, or the inside of one action."""

    text: str
    action: bool


def render(template: str, fields: Mapping[str, Any]) -> str:
    """Fill a template; `fields` are what ``.Name`` refers to.

    Raises:
        TemplateError: the template is wrong, or uses more than the subset.
    """
    pieces = iter(split(template))
    text, end = _body(pieces, dict(fields), write=True)
    if end is not None:
        raise TemplateError(f"{{{{{end}}}}} ends nothing")
    return text


def split(template: str) -> Iterator[Piece]:
    """Cut a template into text and actions, with the trimming done."""
    position, trim = 0, False
    for match in ACTION.finditer(template):
        text = _literal(template[position : match.start()])
        text = text.lstrip() if trim else text
        yield Piece(text.rstrip() if match[1] else text, action=False)
        yield Piece(match[2].strip(), action=True)
        position, trim = match.end(), match[3] is not None
    rest = _literal(template[position:])
    yield Piece(rest.lstrip() if trim else rest, action=False)


def _literal(text: str) -> str:
    if "{{" in text:
        raise TemplateError("an action is left open")
    return text


def _body(pieces: Iterator[Piece], scope: dict[str, Any], *, write: bool) -> tuple[str, str | None]:
    """Render up to the end of a block: the text, and the action that ended it."""
    out = []
    for piece in pieces:
        if not piece.action:
            out.append(piece.text)
            continue
        keyword = piece.text.split(maxsplit=1)[0] if piece.text else ""
        if keyword in {"end", "else"}:
            return "".join(out), keyword
        if keyword in {"if", "range"}:
            out.append(_block(keyword, piece.text, pieces, scope, write=write))
        elif write:
            out.append(_text_of(evaluate(piece.text, scope)))
    return "".join(out), None


def _block(
    keyword: str, action: str, pieces: Iterator[Piece], scope: dict[str, Any], *, write: bool
) -> str:
    """Render an if or a range with everything up to its end."""
    inside = []
    depth = 1
    for piece in pieces:
        word = piece.text.split(maxsplit=1)[0] if piece.action and piece.text else ""
        depth += {"if": 1, "range": 1, "end": -1}.get(word, 0)
        if depth == 0:
            break
        if word == "else" and depth == 1:
            raise TemplateError("else is not in the subset")
        inside.append(piece)
    else:
        raise TemplateError(f"{{{{{action}}}}} has no end")
    if not write:
        return ""
    expression = action.removeprefix(keyword).strip()
    if keyword == "if":
        return _body(iter(inside), scope, write=True)[0] if evaluate(expression, scope) else ""
    return "".join(_rounds(expression, inside, scope))


def _rounds(expression: str, inside: list[Piece], scope: dict[str, Any]) -> Iterator[str]:
    """Each round of a range; ``range $index, $value := list`` names both, ``range list`` none."""
    names, assigned, source = expression.rpartition(":=")
    declared = [name.strip() for name in names.split(",")] if assigned else []
    for index, value in enumerate(evaluate(source.strip(), scope)):
        values = (index, value) if len(declared) == 2 else (value,)
        inner = scope | dict(zip(declared, values, strict=False))
        yield _body(iter(inside), inner, write=True)[0]


def evaluate(expression: str, scope: Mapping[str, Any]) -> Any:
    """The value of an expression: a value, or a function with its arguments."""
    words = WORD.findall(expression)
    if "".join(words) != re.sub(r"\s+(?=(?:[^`]*`[^`]*`)*[^`]*$)", "", expression):
        raise TemplateError(f"cannot read {expression!r}")
    value, rest = _call(words, scope)
    if rest:
        raise TemplateError(f"{rest[0]!r} is too much in {expression!r}")
    return value


def _call(words: list[str], scope: Mapping[str, Any]) -> tuple[Any, list[str]]:
    if not words:
        raise TemplateError("an action is empty")
    if words[0] not in FUNCTIONS:
        return _value(words, scope)
    function, rest = FUNCTIONS[words[0]], words[1:]
    arguments = []
    while rest and rest[0] != ")":
        argument, rest = _value(rest, scope)
        arguments.append(argument)
    return function(*arguments), rest


def _value(words: list[str], scope: Mapping[str, Any]) -> tuple[Any, list[str]]:
    word, rest = words[0], words[1:]
    if word == "(":
        value, rest = _call(rest, scope)
        if not rest or rest[0] != ")":
            raise TemplateError("a parenthesis is left open")
        return value, rest[1:]
    if word.startswith("`"):
        return word[1:-1], rest
    if word.lstrip("-").isdigit():
        return int(word), rest
    name = word.removeprefix(".") if word.startswith(".") else word
    if word.startswith((".", "$")) and name in scope:
        return scope[name], rest
    if word in FUNCTIONS:
        return FUNCTIONS[word](), rest
    raise TemplateError(f"{word!r} is not in the subset")


def _text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
