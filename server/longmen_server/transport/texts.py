"""Texts that people read stand in Unicode's normalization form C.

The rule `plain_text` of the contract keeps out characters that make a text look like another one;
what it cannot say is that one text may be spelled in several ways that look the same. A reference
that is found under one spelling and not under another is as good as lost, so only the composed form
is taken. Refused and not repaired: the caller's copy and ours have to be equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unicodedata import is_normalized

from buf.validate import validate_pb2
from longmen.type.v1 import rules_pb2
from longmen_server.transport.status import FieldViolation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

__all__ = ["RULE", "unnormalized"]

RULE: Final = "string.nfc"
"""Id told for a text in another form."""


def unnormalized(message: Message, path: str = "") -> Iterator[FieldViolation]:
    """Yield a violation for every plain text below a message that is not in form C."""
    for field, value in message.ListFields():
        place = path + field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue  # requests have no maps of plain texts
        if field.message_type is not None:
            for inside, one in _each(place, value, field):
                yield from unnormalized(one, f"{inside}.")
        elif _is_plain(field):
            for inside, text in _each(place, value, field):
                if not is_normalized("NFC", text):
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
