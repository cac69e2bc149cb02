"""Cursors open to the positions they were made from, and to nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.platform.refusal import Refusal
from longmen_server.transport.cursor import CURSOR_CHARACTERS_MAX, Cursors

CURSORS = Cursors(bytes(range(32)))
POSITIONS = st.dictionaries(st.integers(1, 32767), st.integers(1, 2**63 - 1), max_size=40)


def refused(cursor: str, *, kind: str = "events", book: int = 1) -> str:
    with pytest.raises(Refusal) as caught:
        CURSORS.open(cursor, kind=kind, book=book)
    assert caught.value.field == "cursor"
    return caught.value.reason


@given(POSITIONS)
def test_cursor_opens_to_its_positions(positions: dict[int, int]) -> None:
    cursor = CURSORS.seal(positions, kind="events", book=1)
    assert CURSORS.open(cursor, kind="events", book=1) == positions


def test_empty_cursor_is_the_beginning() -> None:
    assert CURSORS.open("", kind="events", book=1) == {}


def test_cursor_is_bound_to_kind_and_book() -> None:
    cursor = CURSORS.seal({1: 2}, kind="events", book=1)
    assert refused(cursor, kind="journal") == "INVALID_CURSOR"
    assert refused(cursor, book=2) == "INVALID_CURSOR"


@given(st.data())
def test_changed_cursor_is_refused(data: st.DataObject) -> None:
    cursor = CURSORS.seal({1: 2, 3: 4}, kind="events", book=1)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert refused(base64.urlsafe_b64encode(raw).decode().rstrip("=")) == "INVALID_CURSOR"


@pytest.mark.parametrize("cursor", ["a", "é", "=", "A" * 5000, "-_-_", "AgAAAAAA"])
def test_nonsense_is_refused(cursor: str) -> None:
    assert refused(cursor) == "INVALID_CURSOR"


def test_hundreds_of_busy_writers_fit() -> None:
    positions = {32767 - writer: 2**62 for writer in range(250)}
    assert len(CURSORS.seal(positions, kind="events", book=1)) <= CURSOR_CHARACTERS_MAX
