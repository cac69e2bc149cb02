from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.platform.ids import (
    ACCOUNT,
    BOOK_MAXIMUM,
    CUSTOMER,
    TRANSACTION,
    AccountId,
    MalformedIdError,
    TransactionId,
    book_of,
    decode_posting,
    derived_id,
    encode_posting,
    milliseconds_of,
    new_id,
)
from tests.support.clock import START_US, SettableClock

books = st.integers(1, BOOK_MAXIMUM)


@given(books, st.integers(0, 2**47))
def test_an_id_is_a_uuid_of_version_7_that_tells_its_book_and_time(book: int, now_ms: int) -> None:
    made = new_id(book, SettableClock(now_ms * 1000))
    parsed = uuid.UUID(bytes=made)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert book_of(made) == book
    assert made.hex()[-4:] == f"{book:04x}"
    # The newest id may be up to ten seconds ahead of a clock that fell behind it.
    assert now_ms <= milliseconds_of(made) < now_ms + 10_000


def test_ids_sort_in_the_order_they_were_made_even_within_a_millisecond() -> None:
    clock = SettableClock(START_US)
    made = [new_id(1, clock) for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_that_slips_back_a_second_keeps_the_order() -> None:
    clock = SettableClock(START_US + 100_000_000)
    first = new_id(1, clock)
    clock.advance(-1)
    assert new_id(1, clock) > first


def test_a_clock_set_far_back_is_followed() -> None:
    clock = SettableClock(START_US + 900_000_000_000)
    new_id(1, clock)
    clock.set_us(START_US)
    assert milliseconds_of(new_id(1, clock)) == START_US // 1000


def test_two_ids_of_one_moment_differ_in_their_random_bits() -> None:
    moment = SettableClock(START_US)
    tails = {new_id(1, moment)[8:14] for _ in range(1000)}
    assert len(tails) == 1000


@pytest.mark.parametrize("book", [-1, 0, BOOK_MAXIMUM + 1, 2**16])
def test_a_book_outside_its_range_is_refused(book: int) -> None:
    with pytest.raises(ValueError, match="book"):
        new_id(book, SettableClock())


@given(books)
def test_text_and_bytes_are_the_same_id(book: int) -> None:
    made = AccountId(new_id(book, SettableClock()))
    text = ACCOUNT.encode(made)
    assert text == f"acct_{made.hex()}"
    assert ACCOUNT.decode(text) == made


GOOD = "acct_0198f2a4111171118111111111110001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acct_",
        GOOD[:-1],
        GOOD + "0",
        GOOD.upper(),
        GOOD.replace("acct_", "cust_"),
        GOOD.replace("acct_", "acct-"),
        GOOD[:-2] + " 1",
        GOOD[:-4] + "0000",
        GOOD[:-4] + "8000",
        GOOD.replace("0198", "٠198"),
        GOOD.replace("0198", "g198"),
        " " + GOOD,
        GOOD + "\n",
    ],
)
def test_what_is_not_exactly_an_id_is_refused(text: str) -> None:
    assert ACCOUNT.encode(ACCOUNT.decode(GOOD)) == GOOD
    with pytest.raises(MalformedIdError):
        ACCOUNT.decode(text)


@given(st.text())
def test_any_text_is_an_id_or_refused_and_nothing_else(text: str) -> None:
    for candidate in (text, "cust_" + text):
        try:
            decoded = CUSTOMER.decode(candidate)
        except MalformedIdError:
            continue
        assert CUSTOMER.encode(decoded) == candidate


@given(books, st.integers(0, 99))
def test_a_postings_address_reads_back(book: int, ordinal: int) -> None:
    transaction = TransactionId(new_id(book, SettableClock()))
    text = encode_posting(transaction, ordinal)
    assert decode_posting(text) == (transaction, ordinal)
    assert ("." in text) == (ordinal > 0)


@pytest.mark.parametrize(
    "tail", [".", ".0", ".00", ".01", ".100", ".-1", ".+1", ".1.2", ".١", ". 1"]
)
def test_a_malformed_posting_address_is_refused(tail: str) -> None:
    transaction = TRANSACTION.encode(TransactionId(new_id(1, SettableClock())))
    with pytest.raises(MalformedIdError):
        decode_posting(transaction + tail)


def test_what_comes_with_something_has_an_id_of_its_own_and_always_the_same() -> None:
    whole = new_id(7, SettableClock(START_US))
    found = {derived_id(whole, what) for what in ("quote", "exchange", "quote")}
    assert len(found | {whole}) == 3
    for one in found:
        assert (uuid.UUID(bytes=one).version, uuid.UUID(bytes=one).variant) == (7, uuid.RFC_4122)
        assert book_of(one) == 7
        assert milliseconds_of(one) == milliseconds_of(whole)
