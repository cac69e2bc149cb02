"""Class P: bytes that are no protobuf, or that say more, or less clearly, than a client means."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from corpus import encoding
from corpus.case import ANY_SOUND, BROKEN_RULE, MALFORMED, Case, Expected, refused
from corpus.encoding import END_GROUP, FIXED32, FIXED64, LENGTH, START_GROUP, VARINT, record, tag
from corpus.world import METHODS, World, is_safe
from tests.support.messages import BOOL, BYTES, MESSAGE, TEXT, good_value
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.transport.method import Method

UNKNOWN_FIELD: Final = refused("UNKNOWN_FIELD")
FREE: Final = 19_999
"""A number that no field of the contract has: the range is reserved for implementations."""

BROKEN: Final[dict[str, bytes]] = {
    "field number zero": b"\x00\x00",
    "text of field zero": b"\x02\x01a",
    "eleven-byte varint": tag(1, VARINT) + b"\x80" * 10 + b"\x01",
    "endless varint": tag(1, VARINT) + b"\x80" * 20,
    "varint cut off": tag(1, VARINT) + b"\x80",
    "tag cut off": b"\x80",
    "tag of eleven bytes": b"\x80" * 10 + b"\x01",
    "field number beyond the last": b"\xf8\xff\xff\xff\x7f\x00",
    "length beyond the end": tag(1, LENGTH) + b"\x7f" + b"abc",
    "negative length": tag(1, LENGTH) + b"\xff" * 9 + b"\x01",
    "length of 2 GiB": tag(1, LENGTH) + b"\x80\x80\x80\x80\x08",
    "length without content": tag(1, LENGTH) + b"\x01",
    "fixed32 cut off": tag(FREE, FIXED32) + b"abc",
    "fixed64 cut off": tag(FREE, FIXED64) + b"abcdefg",
    "group without end": tag(FREE, START_GROUP),
    "group within a group without end": tag(FREE, START_GROUP) * 2 + tag(FREE, END_GROUP),
    "end without a group": tag(FREE, END_GROUP),
    "group ended by another": tag(FREE, START_GROUP) + tag(FREE + 1, END_GROUP),
    "wire type 6": tag(FREE, 6) + b"\x00",
    "wire type 7": tag(FREE, 7) + b"\x00",
    "two thousand groups": encoding.groups(2_000, FREE),
    "all ones": b"\xff" * 64,
    "all zeros": b"\x00" * 64,
    "text of HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "JSON": b'{"request_id":"0190e7a2-6c1f-7c3a-9d1e-0123456789ab"}',
    "gzip magic": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
"""Bytes after which nothing is a message."""

UNKNOWN: Final[dict[str, bytes]] = {
    "unknown varint": record(FREE, 1),
    "unknown text": record(FREE, b"text"),
    "unknown fixed32": tag(FREE, FIXED32) + b"abcd",
    "unknown fixed64": tag(FREE, FIXED64) + b"abcdefgh",
    "unknown group": encoding.groups(1, FREE),
    "groups 50 deep": encoding.groups(50, FREE),
    "unknown messages 1000 deep": encoding.nested(1_000, FREE),
    "last field number": record(encoding.NUMBER_MAX, 1),
    "a thousand unknown fields": b"".join(record(FREE + n, n) for n in range(1_000)),
}
"""Fields that no message of the contract has."""


def cases(world: World) -> Iterator[Case]:
    """Yield the class for every method."""
    for method in METHODS:
        yield from _appended(world, method)
        yield from _wrong_types(world, method)
        yield from _inside(world, method)
        if is_safe(method):
            yield from _repeated(world, method)
            yield from _other_spellings(world, method)
        yield from _cut(world, method)


def _case(method: Method, label: str, expected: Expected, data: bytes) -> Case:
    return Case("P", f"{short(method)}/{label}", method, expected, data)


def _appended(world: World, method: Method) -> Iterator[Case]:
    """What stands after a good message spoils it."""
    good = world.base(method, "P").SerializeToString()
    for label, data in BROKEN.items():
        if not good and _parses(method, data):
            continue  # the runtime skims over what a message without any field holds
        yield _case(method, label, MALFORMED, good + data)
    for label, data in UNKNOWN.items():
        if method.writes:
            yield _case(method, label, UNKNOWN_FIELD, good + data)
        else:
            yield _case(method, label, ANY_SOUND, good + data)


def _wrong_types(world: World, method: Method) -> Iterator[Case]:
    """Each field with every wire type but its own: protobuf takes that for an unknown field."""
    for field in method.request_class.DESCRIPTOR.fields:
        own = LENGTH if field.type in {TEXT, BYTES, MESSAGE} or field.is_repeated else VARINT
        # Numbers in lists may come packed or one by one.
        packable = field.is_repeated and field.type not in {TEXT, BYTES, MESSAGE}
        for wire_type, content in (
            (VARINT, b"\x01"),
            (FIXED64, b"abcdefgh"),
            (LENGTH, b"\x01\x01"),
            (FIXED32, b"abcd"),
            (START_GROUP, tag(field.number, END_GROUP)),
        ):
            if wire_type == own or (packable and wire_type == VARINT):
                continue
            label = f"{field.name} as wire type {wire_type}"
            base = world.base(method, "P", label).SerializeToString()
            expected = UNKNOWN_FIELD if method.writes else ANY_SOUND
            if not method.writes and not is_safe(method):
                continue
            yield _case(method, label, expected, base + tag(field.number, wire_type) + content)


def _inside(world: World, method: Method) -> Iterator[Case]:
    """Unknown fields and broken bytes inside a message of the request."""
    base = world.base(method, "P")
    for field, value in base.ListFields():
        if field.type != MESSAGE:
            continue
        inner = (value[0] if field.is_repeated else value).SerializeToString()
        rest = type(base)()
        rest.CopyFrom(base)
        rest.ClearField(field.name)
        whole = rest.SerializeToString()
        for label, data in (
            ("unknown varint", UNKNOWN["unknown varint"]),
            ("garbage", b"\xff" * 9),
        ):
            expected = MALFORMED
            if label != "garbage":
                expected = UNKNOWN_FIELD if method.writes else ANY_SOUND
            content = whole + record(field.number, inner + data)
            yield _case(method, f"{field.name} with {label}", expected, content)


def _repeated(world: World, method: Method) -> Iterator[Case]:
    """A field twice, where only one can be meant."""
    expected = BROKEN_RULE if method.writes else ANY_SOUND
    base = world.base(method, "P")
    for field, value in base.ListFields():
        if field.is_repeated:
            continue
        label = f"{field.name} twice"
        request = world.base(method, "P", label)
        whole = request.SerializeToString()
        only = type(request)()
        if field.type == MESSAGE:
            getattr(only, field.name).CopyFrom(value)
        else:
            setattr(only, field.name, getattr(request, field.name))
        yield _case(method, label, expected, whole + only.SerializeToString())
        if field.type == MESSAGE:
            yield from _inner_repeated(request, field, value, expected, method)
    for oneof in method.request_class.DESCRIPTOR.oneofs:
        if len(oneof.fields) > 1:
            yield from _both_arms(world, method, oneof.fields, expected)


def _inner_repeated(
    request: Any, field: Any, value: Any, expected: Expected, method: Method
) -> Iterator[Case]:
    """A field of a field twice."""
    rest = type(request)()
    rest.CopyFrom(request)
    rest.ClearField(field.name)
    for inner, _ in value.ListFields():
        if inner.type != MESSAGE and not inner.is_repeated:
            kept = type(value)()
            setattr(kept, inner.name, getattr(value, inner.name))
            content = value.SerializeToString() + kept.SerializeToString()
            data = rest.SerializeToString() + record(field.number, content)
            yield _case(method, f"{field.name}.{inner.name} twice", expected, data)
    for oneof in value.DESCRIPTOR.oneofs:
        if len(oneof.fields) > 1:
            arms = b""
            for arm in oneof.fields:
                arms += _only(type(value), arm).SerializeToString()
            data = rest.SerializeToString() + record(field.number, arms)
            yield _case(method, f"{field.name} with both arms", expected, data)


def _both_arms(world: World, method: Method, arms: Any, expected: Expected) -> Iterator[Case]:
    data = world.base(method, "P", "both arms").SerializeToString()
    for arm in arms:
        data += _only(method.request_class, arm).SerializeToString()
    yield _case(method, "both arms", expected, data)


def _only(message_class: Any, field: Any) -> Any:
    """A message with one field set."""
    made = message_class()
    if field.type == MESSAGE:
        getattr(made, field.name).CopyFrom(good_value(field))
    else:
        setattr(made, field.name, good_value(field))
    return made


def _other_spellings(world: World, method: Method) -> Iterator[Case]:
    """What other libraries may write: the same message in other bytes."""
    for label in ("fields backwards", "defaults written out", "numbers in long form"):
        request = world.base(method, "P", label)
        if label == "fields backwards":
            data = b"".join(
                _alone(request, field, value) for field, value in reversed(request.ListFields())
            )
        elif label == "defaults written out":
            data = request.SerializeToString() + _defaults(request)
        else:
            data = _long_form(request)
        yield _case(method, label, ANY_SOUND, data)


def _alone(request: Any, field: Any, value: Any) -> bytes:
    only = type(request)()
    if field.is_repeated:
        getattr(only, field.name).extend(value)
    elif field.type == MESSAGE:
        getattr(only, field.name).CopyFrom(value)
    else:
        setattr(only, field.name, value)
    return bytes(only.SerializeToString())


def _defaults(request: Any) -> bytes:
    """Fields that are not set, written with the value that they have anyway."""
    return b"".join(
        record(field.number, b"" if field.type == TEXT else 0)
        for field in request.DESCRIPTOR.fields
        if not field.is_repeated
        and field.type != MESSAGE
        and not field.has_presence
        and not getattr(request, field.name)
    )


def _long_form(request: Any) -> bytes:
    """The message with its truth values spelled in two bytes."""
    data = b""
    for field, value in request.ListFields():
        if field.type == BOOL and not field.is_repeated:
            data += tag(field.number, VARINT) + b"\x81\x00"
        else:
            data += _alone(request, field, value)
    return data


def _cut(world: World, method: Method) -> Iterator[Case]:
    """A good message cut anywhere, or with a few bytes changed; what comes out is looked at."""
    good = world.base(method, "P", "cut").SerializeToString()
    chance = random.Random(f"P/{short(method)}")  # noqa: S311 - the same in every run
    for number in range(12):
        data = bytearray(good)
        if number % 2:
            del data[chance.randrange(len(data) + 1) :]
        for _ in range(number // 4 if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        expected = MALFORMED
        if _parses(method, bytes(data)):
            if not is_safe(method):
                continue
            expected = ANY_SOUND
        yield _case(method, f"damaged {number}", expected, bytes(data))


def _parses(method: Method, data: bytes) -> bool:
    try:
        method.request_class.FromString(data)
    except DecodeError:
        return False
    return True
