"""How values travel between Python and Postgres on our connections: binary, no objects between.

An id is its 16 raw bytes and an instant is an integer of microseconds, so a batch of a thousand
rows is packed with a handful of joins instead of thousands of UUID and datetime objects. A plain
`bytes` is still `bytea`, so an id parameter says what it is: `Uuid(id)`, `UuidArray(ids)`.
"""

from __future__ import annotations

import datetime as dt
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final

from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.string import ByteaBinaryLoader

from longmen_server.platform.clock import EPOCH, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.abc import AdaptContext, Buffer

__all__ = [
    "BoolArray",
    "ByteaArray",
    "Instant",
    "InstantArray",
    "Int2Array",
    "Int4Array",
    "Int8Array",
    "TextArray",
    "Uuid",
    "UuidArray",
    "register",
]

POSTGRES_EPOCH_US: Final = to_microseconds(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
"""Postgres counts timestamps from here."""

NULL: Final = struct.pack(">i", -1)
UUID_LENGTH: Final = struct.pack(">i", 16)

_header = struct.Struct(">iiIii").pack
_length = struct.Struct(">i").pack
_int8 = struct.Struct(">q").pack
_bool_item = struct.Struct(">i?").pack
_int2_item = struct.Struct(">ih").pack
_int4_item = struct.Struct(">ii").pack
_int8_item = struct.Struct(">iq").pack
_unpack_int8 = struct.Struct(">q").unpack


class Uuid:
    """One id as a `uuid` parameter."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value


class Instant:
    """One instant, in microseconds since 1970, as a `timestamptz` parameter."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


class UuidArray:
    """Ids as one `uuid[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[bytes | None]) -> None:
        self.values = values


class InstantArray:
    """Instants in microseconds since 1970 as one `timestamptz[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[int | None]) -> None:
        self.values = values


class Int2Array:
    """Integers as one `int2[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[int | None]) -> None:
        self.values = values


class Int4Array:
    """Integers as one `int4[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[int | None]) -> None:
        self.values = values


class Int8Array:
    """Integers as one `int8[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[int | None]) -> None:
        self.values = values


class BoolArray:
    """Truth values as one `bool[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[bool | None]) -> None:
        self.values = values


class TextArray:
    """Texts as one `text[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[str | None]) -> None:
        self.values = values


class ByteaArray:
    """Byte strings as one `bytea[]` parameter; `None` is SQL NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[bytes | None]) -> None:
        self.values = values


def array(item_oid: int, items: Sequence[bytes], *, has_null: bool) -> bytes:
    """The binary form of a one-dimensional array of items that carry their own length."""
    if not items:
        return struct.pack(">iiI", 0, 0, item_oid)
    return _header(1, has_null, item_oid, len(items), 1) + b"".join(items)


CHUNK: Final = 128
"""Items packed by one call. A layout takes 64 bytes an item, so layouts of any length, one for each
size of a batch, would grow to hundreds of megabytes."""


@lru_cache(maxsize=4 * CHUNK)
def layout(count: int, code: str) -> struct.Struct:
    """The layout of at most CHUNK items, each its length and a value of one struct code."""
    return struct.Struct(">" + f"i{code}" * count)


class _BinaryDumper(Dumper):
    """A parameter sent in binary with a known type."""

    format = Format.BINARY


class _UuidDumper(_BinaryDumper):
    oid = 2950

    def dump(self, obj: Uuid) -> Buffer:
        return obj.value


class _InstantDumper(_BinaryDumper):
    oid = 1184

    def dump(self, obj: Instant) -> Buffer:
        return _int8(obj.value - POSTGRES_EPOCH_US)


class _UuidArrayDumper(_BinaryDumper):
    oid = 2951

    def dump(self, obj: UuidArray) -> Buffer:
        values = obj.values
        has_null = None in values
        if values and not has_null:
            joined = UUID_LENGTH.join((b"", *values))  # type: ignore[arg-type]
            return _header(1, False, 2950, len(values), 1) + joined
        if values and not any(values):
            return _header(1, True, 2950, len(values), 1) + NULL * len(values)
        items = [NULL if v is None else UUID_LENGTH + v for v in values]
        return array(2950, items, has_null=has_null)


class _InstantArrayDumper(_BinaryDumper):
    oid = 1185

    def dump(self, obj: InstantArray) -> Buffer:
        values = obj.values
        items = [NULL if v is None else _int8_item(8, v - POSTGRES_EPOCH_US) for v in values]
        return array(1184, items, has_null=None in values)


class _NumberArrayDumper(_BinaryDumper):
    """Items of one fixed width."""

    item_oid: ClassVar[int]
    width: ClassVar[int]
    code: ClassVar[str]
    pack: ClassVar[Callable[..., bytes]]
    pack_one: ClassVar[Callable[..., bytes]]

    def __init_subclass__(cls) -> None:
        """Prepare the form of an array of one item: header, its length, its value."""
        cls.pack_one = staticmethod(struct.Struct(f">iiIiii{cls.code}").pack)

    def dump(self, obj: Int2Array | Int4Array | Int8Array | BoolArray) -> Buffer:
        values, width, pack = obj.values, self.width, self.pack
        if len(values) == 1 and values[0] is not None:
            # Every column of a lone request: one call for header and item.
            return self.pack_one(1, 0, self.item_oid, 1, 1, width, values[0])
        if values and None not in values:
            # Nearly every column of a batch: a few calls for all of it.
            flat: list[object] = [width] * (2 * len(values))
            flat[1::2] = values
            packed = [_header(1, False, self.item_oid, len(values), 1)]
            for start in range(0, len(flat), 2 * CHUNK):
                chunk = flat[start : start + 2 * CHUNK]
                packed.append(layout(len(chunk) // 2, self.code).pack(*chunk))
            return b"".join(packed)
        encoded = [NULL if v is None else pack(width, v) for v in values]
        return array(self.item_oid, encoded, has_null=None in values)


class _Int2ArrayDumper(_NumberArrayDumper):
    oid, item_oid, width, code, pack = 1005, 21, 2, "h", staticmethod(_int2_item)


class _Int4ArrayDumper(_NumberArrayDumper):
    oid, item_oid, width, code, pack = 1007, 23, 4, "i", staticmethod(_int4_item)


class _Int8ArrayDumper(_NumberArrayDumper):
    oid, item_oid, width, code, pack = 1016, 20, 8, "q", staticmethod(_int8_item)


class _BoolArrayDumper(_NumberArrayDumper):
    oid, item_oid, width, code, pack = 1000, 16, 1, "?", staticmethod(_bool_item)


class _TextArrayDumper(_BinaryDumper):
    oid = 1009

    def dump(self, obj: TextArray) -> Buffer:
        items = []
        for text in obj.values:
            if text is None:
                items.append(NULL)
            else:
                encoded = text.encode()
                items.append(_length(len(encoded)) + encoded)
        return array(25, items, has_null=None in obj.values)


class _ByteaArrayDumper(_BinaryDumper):
    oid = 1001

    def dump(self, obj: ByteaArray) -> Buffer:
        items = [NULL if v is None else _length(len(v)) + v for v in obj.values]
        return array(17, items, has_null=None in obj.values)


class _UuidTextLoader(Loader):
    """`uuid` in text format, for statements that ask for it."""

    format = Format.TEXT

    def load(self, data: Buffer) -> bytes:
        return bytes.fromhex(bytes(data).decode().replace("-", ""))


class _InstantBinaryLoader(Loader):
    """`timestamptz` in binary: microseconds since 1970."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        microseconds: int = _unpack_int8(data)[0]
        return microseconds + POSTGRES_EPOCH_US


class _InstantTextLoader(Loader):
    """`timestamptz` in text; the session's zone is UTC, and the text carries its offset anyway."""

    format = Format.TEXT

    def load(self, data: Buffer) -> int:
        text = bytes(data).decode()
        if text[-3] in "+-":
            text += ":00"
        return (dt.datetime.fromisoformat(text) - EPOCH) // dt.timedelta(microseconds=1)


DUMPERS: Final[tuple[tuple[type, type[Dumper]], ...]] = (
    (Uuid, _UuidDumper),
    (Instant, _InstantDumper),
    (UuidArray, _UuidArrayDumper),
    (InstantArray, _InstantArrayDumper),
    (Int2Array, _Int2ArrayDumper),
    (Int4Array, _Int4ArrayDumper),
    (Int8Array, _Int8ArrayDumper),
    (BoolArray, _BoolArrayDumper),
    (TextArray, _TextArrayDumper),
    (ByteaArray, _ByteaArrayDumper),
)


def register(context: AdaptContext | AdaptersMap) -> None:
    """Teach a connection, a cursor or a map of adapters the forms above."""
    adapters = context if isinstance(context, AdaptersMap) else context.adapters
    for python_type, dumper in DUMPERS:
        adapters.register_dumper(python_type, dumper)
    # The C loader of bytea hands out the same 16 bytes, faster than any Python of ours.
    adapters.register_loader("uuid", ByteaBinaryLoader)
    adapters.register_loader("uuid", _UuidTextLoader)
    adapters.register_loader("timestamptz", _InstantBinaryLoader)
    adapters.register_loader("timestamptz", _InstantTextLoader)
