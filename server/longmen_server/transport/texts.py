"""What the contract's rules cannot say of texts: normalization form C, and no NUL anywhere.

The rule `plain_text` of the contract keeps out characters that make a text look like another one;
what it cannot say is that one text may be spelled in several ways that look the same. A reference
that is found under one spelling and not under another is as good as lost, so only the composed form
is taken. Refused and not repaired: the caller's copy and ours have to be equal.

NUL is a character that Postgres can neither store nor compare with: no text of a request has it,
whether a rule of the contract says so or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unicodedata import is_normalized

from google.protobuf.descriptor import FieldDescriptor

from buf.validate import validate_pb2
from longmen.type.v1 import rules_pb2
from longmen_server.transport.status import FieldViolation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

__all__ = ["NUL_RULE", "RULE", "unnormalized"]

RULE: Final = "string.nfc"
"""Id told for a text in another form."""

NUL_RULE: Final = "string.nul"
"""Id told for a text with a NUL."""


def unnormalized(message: Message, path: str = "") -> Iterator[FieldViolation]:
    """Yield a violation for every text below a message that cannot be taken as it is spelled."""
    for field, value in message.ListFields():
        place = path + field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue  # requests have no maps of plain texts
        if field.message_type is not None:
            for inside, one in _each(place, value, field):
                yield from unnormalized(one, f"{inside}.")
        elif field.type == FieldDescriptor.TYPE_STRING:
            plain = _is_plain(field)
            for inside, text in _each(place, value, field):
                if "\0" in text:
                    yield FieldViolation(inside, "must not contain NUL", NUL_RULE)
                elif plain and not is_normalized("NFC", text):
                    yield FieldViolation(inside, "must be in Unicode normalization form C", RULE)


def _each(place: str, value: Any, field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    """Yield a field's values with their paths: one, or those of a list."""
    if not field.is_repeated:
        yield place, value
        return
    for number, one in enumerate(value):
        yield f"{place}[{number}]", one


def _is_plain(field: FieldDescriptor) -> bool:
    """Whether the contract demands plain text of a field's values."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    texts = rules.repeated.items.string if field.is_repeated else rules.string
    return bool(texts.Extensions[rules_pb2.plain_text])
