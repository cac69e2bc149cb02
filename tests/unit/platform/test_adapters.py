"""Parameters packed by hand are what Postgres reads, and packing them keeps no memory."""

from __future__ import annotations

import struct
import tracemalloc

import pytest

from longmen_server.platform.adapters import DUMPERS, Int2Array, Int8Array, UuidArray

LENGTHS = (0, 1, 2, 127, 128, 129, 255, 256, 257, 1000)


def unpacked(data: bytes) -> tuple[int, list[bytes | None]]:
    """The type and the items of a one-dimensional array in Postgres' binary form."""
    dimensions, has_null, oid = struct.unpack_from(">iiI", data)
    if not dimensions:
        assert len(data) == 12
        return oid, []
    count, bound = struct.unpack_from(">ii", data, 12)
    assert (dimensions, bound) == (1, 1)
    items: list[bytes | None] = []
    at = 20
    for _ in range(count):
        (length,) = struct.unpack_from(">i", data, at)
        at += 4
        items.append(None if length < 0 else data[at : at + length])
        at += max(length, 0)
    assert at == len(data)
    assert has_null == (None in items)
    return oid, items


def dump(value: object) -> bytes:
    return bytes(dict(DUMPERS)[type(value)](type(value)).dump(value) or b"")


@pytest.mark.parametrize("length", LENGTHS)
def test_columns_of_numbers_are_packed_item_by_item(length: int) -> None:
    values = [(-1) ** n * n * 2**40 for n in range(length)]
    oid, items = unpacked(dump(Int8Array(values)))
    assert oid == 20
    assert [int.from_bytes(item or b"", "big", signed=True) for item in items] == values
    oid, items = unpacked(dump(Int2Array(tuple(n % 7 for n in range(length)))))
    assert oid == 21
    assert items == [(n % 7).to_bytes(2, "big") for n in range(length)]


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_columns_may_have_nulls(length: int) -> None:
    numbers = [None if n % 3 == 0 else n for n in range(length)]
    assert unpacked(dump(Int8Array(numbers)))[1] == [
        None if n is None else n.to_bytes(8, "big") for n in numbers
    ]
    ids = [None if n % 3 == 1 else n.to_bytes(16, "big") for n in range(length)]
    assert unpacked(dump(UuidArray(ids)))[1] == ids


def test_packing_columns_of_every_length_keeps_little_memory() -> None:
    dump(Int8Array([1]))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for length in range(1, 2500, 7):
        dump(Int8Array([0] * length))
        dump(Int2Array([0] * length))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 3_000_000
