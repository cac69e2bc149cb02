"""Postgres arrays in binary form, built from plain Python lists.

The engine writes a whole batch with one statement per table, each taking one array per column. psycopg's
general list adaptation inspects every element; these wrappers know their element type, so that a column of
a thousand values is one join. Elements may be None.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import chain, repeat
from typing import TYPE_CHECKING, ClassVar

from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

_HEADER = struct.Struct(">iIIii")
_NULL = b"\xff\xff\xff\xff"


class PostgresArray:
    """One column of a batch. Subclasses name the array's and the element's type."""

    __slots__ = ("values",)

    array_oid: ClassVar[int]
    element_oid: ClassVar[int]

    def __init__(self, values: Sequence[object]) -> None:
        self.values = values

    def encode(self) -> bytes:
        """Return the array in Postgres' binary form: a header, then length and bytes of each element."""
        header = _HEADER.pack(1, 1, self.element_oid, len(self.values), 1)
        return header + self.encode_elements()

    def encode_elements(self) -> bytes:
        """Return length and bytes of each element."""
        raise AssertionError("subclasses encode their elements")


@lru_cache(maxsize=4096)
def _fixed_layout(count: int, code: str) -> struct.Struct:
    return struct.Struct(">" + f"i{code}" * count)


class _FixedArray(PostgresArray):
    """Elements of one fixed width, packed in one call when none is None."""

    __slots__ = ()

    width: ClassVar[int]
    code: ClassVar[str]

    def encode_elements(self) -> bytes:
        values = self.values
        if None in values:
            one = struct.Struct(f">i{self.code}")
            return b"".join(_NULL if v is None else one.pack(self.width, v) for v in values)
        layout = _fixed_layout(len(values), self.code)
        return layout.pack(*chain.from_iterable(zip(repeat(self.width), values, strict=False)))


class SmallintArray(_FixedArray):
    """A smallint[] parameter."""

    __slots__ = ()
    array_oid, element_oid, width, code = 1005, 21, 2, "h"


class IntegerArray(_FixedArray):
    """An integer[] parameter."""

    __slots__ = ()
    array_oid, element_oid, width, code = 1007, 23, 4, "i"


class BigintArray(_FixedArray):
    """A bigint[] parameter."""

    __slots__ = ()
    array_oid, element_oid, width, code = 1016, 20, 8, "q"


class UuidArray(PostgresArray):
    """A uuid[] parameter from ids as 16 raw bytes."""

    __slots__ = ()
    array_oid, element_oid = 2951, 2950

    def encode_elements(self) -> bytes:
        """Return length and bytes of each id."""
        values: Sequence[bytes | None] = self.values  # type: ignore[assignment]
        if None in values:
            return b"".join(_NULL if v is None else b"\0\0\0\x10" + v for v in values)
        return b"\0\0\0\x10" + b"\0\0\0\x10".join(values) if values else b""  # type: ignore[arg-type]


class ByteaArray(PostgresArray):
    """A bytea[] parameter."""

    __slots__ = ()
    array_oid, element_oid = 1001, 17

    def encode_elements(self) -> bytes:
        """Return length and bytes of each string."""
        values: Sequence[bytes | None] = self.values  # type: ignore[assignment]
        return b"".join(_NULL if v is None else len(v).to_bytes(4, "big") + v for v in values)


class TextArray(PostgresArray):
    """A text[] parameter."""

    __slots__ = ()
    array_oid, element_oid = 1009, 25

    def encode_elements(self) -> bytes:
        """Return length and UTF-8 bytes of each text."""
        encoded = [None if v is None else str(v).encode() for v in self.values]
        return b"".join(_NULL if v is None else len(v).to_bytes(4, "big") + v for v in encoded)


def _dumper(array_class: type[PostgresArray]) -> type[Dumper]:
    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = array_class.array_oid

        def dump(self, obj: PostgresArray) -> bytes:
            return obj.encode()

    return ArrayDumper


_DUMPERS = [
    (array_class, _dumper(array_class))
    for array_class in (SmallintArray, IntegerArray, BigintArray, UuidArray, ByteaArray, TextArray)
]


def register_arrays(connection: AsyncConnection[object]) -> None:
    """Teach a connection the array parameters of this module."""
    for array_class, dumper in _DUMPERS:
        connection.adapters.register_dumper(array_class, dumper)
