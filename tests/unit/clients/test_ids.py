"""Ids made by callers are those of the server's layout."""

from __future__ import annotations

import re
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_client import (
    book_of,
    new_account_id,
    new_request_id,
    new_transaction_id,
    new_transaction_id_for,
    posting_id,
    request_id_of,
)
from longmen_server.platform import ids as server_ids
from longmen_server.platform.clock import SystemClock

books = st.integers(1, 32767)


@given(books)
def test_an_id_is_a_uuid_of_its_moment_and_its_book(book: int) -> None:
    before_ms = SystemClock().now_us() // 1_000
    text = new_transaction_id(book)

    number = uuid.UUID(text.removeprefix("txn_"))
    assert re.fullmatch(r"txn_[0-9a-f]{32}", text)
    assert (number.version, number.variant) == (7, uuid.RFC_4122)
    assert number.int & 0xFFFF == book == book_of(text)
    assert abs((number.int >> 80) - before_ms) < 10_000


@given(books)
def test_the_server_reads_the_same(book: int) -> None:
    raw = server_ids.TRANSACTION.decode(new_transaction_id(book))
    account = server_ids.ACCOUNT.decode(new_account_id(book))

    assert server_ids.book_of(raw) == server_ids.book_of(account) == book


def test_ids_grow_and_never_repeat_over_threads() -> None:
    made: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(new_transaction_id() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(one == sorted(one) for one in made)
    assert len({text[:20] for one in made for text in one}) == 20_000


def test_a_transaction_goes_into_the_book_of_an_account() -> None:
    assert book_of(new_transaction_id_for(new_account_id(4711))) == 4711


@pytest.mark.parametrize("book", [0, -1, 32768])
def test_a_book_has_a_range(book: int) -> None:
    with pytest.raises(ValueError, match="book"):
        new_transaction_id(book)


@pytest.mark.parametrize("text", ["", "txn_", "txn_12", "TXN_" + "0" * 32, "txn_" + "g" * 32])
def test_what_is_no_id_has_no_book(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        book_of(text)


def test_postings_are_numbered_within_their_transaction() -> None:
    transaction = new_transaction_id(5)

    assert posting_id(transaction) == transaction
    assert posting_id(transaction, 7) == f"{transaction}.7"
    assert book_of(posting_id(transaction, 7)) == 5
    for bad in (-1, 100):
        with pytest.raises(ValueError, match="postings"):
            posting_id(transaction, bad)
    with pytest.raises(ValueError, match="transaction id"):
        posting_id(new_account_id())


def test_request_ids_are_fresh_uuids() -> None:
    made = {new_request_id() for _ in range(1_000)}

    assert len(made) == 1_000
    assert all(uuid.UUID(text).version == 4 for text in made)
    assert request_id_of(next(iter(made)).upper()) in made
    with pytest.raises(ValueError):  # noqa: PT011 - the uuid module's own words
        request_id_of("order-1")
