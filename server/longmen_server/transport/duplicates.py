"""Fields that a request gives twice where only one can be meant.

Protobuf takes the last of several values of a field, merges several messages, and of a oneof keeps
the arm that came last. A proxy or a signature check that reads the first one sees another payment
than the server makes, so a request that changes something may not be written like that.

Only requests whose bytes are not their canonical ones are looked at: those of common libraries are,
and can have nothing twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

__all__ = ["repeated_fields"]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}


def repeated_fields(data: bytes, descriptor: Descriptor, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every field below that is given more than once.

    Args:
        data: bytes that have been parsed as the message type without an error, and hold no field
            that it does not know.
        descriptor: the message type.
        path: what stands before the fields' names.
    """
    seen: set[str] = set()
    counts: dict[str, int] = {}
    for number, content in _records(data):
        field = descriptor.fields_by_number.get(number)
        if field is None:
            continue
        place = path + field.name
        if field.is_repeated:
            if _is_map(field):
                key = f"{place}[{next(_values(content, 1), b'').hex()}]"
                if key in seen:
                    yield place
                seen.add(key)
                continue
            place = f"{place}[{counts.get(place, 0)}]"
            counts[path + field.name] = counts.get(path + field.name, 0) + 1
        else:
            group = _choice(field)
            if group in seen:
                yield place
            seen.add(group)
        if field.message_type is not None:
            yield from repeated_fields(content, field.message_type, f"{place}.")


def _choice(field: FieldDescriptor) -> str:
    """What may be given once: a field, or all the arms of its oneof together."""
    oneof = field.containing_oneof
    return field.name if oneof is None else f"oneof {oneof.name}"


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _values(data: bytes, wanted: int) -> Iterator[bytes]:
    return (content for number, content in _records(data) if number == wanted)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each record; a varint's content is its own bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        begin = at
        if wire_type == _VARINT:
            _, at = _varint(data, at)
        elif wire_type == _LENGTH:
            length, begin = _varint(data, at)
            at = begin + length
        elif wire_type in _WIDTHS:
            at += _WIDTHS[wire_type]
        else:
            return  # a group, which no message of the contract has: an unknown field
        yield number, data[begin:at]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Decode the varint that begins at `at`; return it and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
