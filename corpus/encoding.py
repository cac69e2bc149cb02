"""Protobuf's wire format by hand, for what no library writes."""

from __future__ import annotations

from typing import Any, Final

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
START_GROUP: Final = 3
END_GROUP: Final = 4
FIXED32: Final = 5

NUMBER_MAX: Final = 2**29 - 1
"""Highest number of a field."""


def varint(value: int) -> bytes:
    """A number in groups of seven bits; negative ones as 64-bit two's complement."""
    value &= 2**64 - 1
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def tag(number: int, wire_type: int) -> bytes:
    """What stands before a value."""
    return varint(number << 3 | wire_type)


def record(number: int, content: bytes | int) -> bytes:
    """A field with a number, or with bytes."""
    if isinstance(content, int):
        return tag(number, VARINT) + varint(content)
    return tag(number, LENGTH) + varint(len(content)) + content


def with_record(message: Any, path: tuple[str, ...], content: bytes | int) -> bytes:
    """The encoding of a message in which one field, somewhere below, is written by hand.

    Args:
        message: what the rest is taken from; it is not changed.
        path: names of the fields that lead there; of lists the first item is taken.
        content: the value's bytes, or its number.
    """
    field = message.DESCRIPTOR.fields_by_name[path[0]]
    rest = type(message)()
    rest.CopyFrom(message)
    if len(path) > 1:
        inner = getattr(message, path[0])
        inner = inner[0] if field.is_repeated else inner
        content = with_record(inner, path[1:], content)
    rest.ClearField(path[0])
    return bytes(rest.SerializeToString(deterministic=True) + record(field.number, content))


def nested(depth: int, number: int) -> bytes:
    """A field in itself in itself: messages within messages."""
    content = b""
    for _ in range(depth):
        content = record(number, content)
    return content


def groups(depth: int, number: int) -> bytes:
    """Groups within groups, which proto3 does not have."""
    return tag(number, START_GROUP) * depth + tag(number, END_GROUP) * depth
