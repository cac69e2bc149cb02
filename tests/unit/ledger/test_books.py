from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest

from longmen.events.v1 import event_pb2
from longmen_server.ledger.chart import AccountType
from longmen_server.ledger.model import PostingKind
from longmen_server.ledger.posting import EVENT_TYPES
from longmen_server.ledger.verification.books import Books, accounts_of
from longmen_server.ledger.verification.leaves import LEAF, columns_of, postings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.ledger.verification.leaves import Columns

FORM = struct.Struct(">xBBHHQhq16sBBH3s16s16sqqqqqqq")
OPENED = int(event_pb2.EVENT_TYPE_ACCOUNT_OPENED)
POST, PENDING, VOID = PostingKind.POST, PostingKind.PENDING, PostingKind.VOID


def identity(number: int) -> bytes:
    return number.to_bytes(14, "big") + b"\x00\x01"


class Ledger:
    """A few accounts of both sides, and postings among them."""

    def __init__(self) -> None:
        self.types = {n: AccountType.ASSET if n % 3 else AccountType.LIABILITY for n in range(9)}
        self.counters = {n: [0, 0, 0, 0] for n in self.types}
        self.versions = dict.fromkeys(self.types, 0)
        self.leaves: list[bytes] = []

    def post(self, kind: PostingKind, debit: int, credit: int, amount: int) -> None:
        moved = amount if kind == POST else 0
        held = {POST: 0, PENDING: amount}.get(kind, -amount)
        for account, side in ((debit, 0), (credit, 1)):
            self.counters[account][side] += moved
            self.counters[account][2 + side] += held
            self.versions[account] += 1
        now = len(self.leaves) + 1
        pair = (debit, credit)
        self.leaves.append(
            FORM.pack(
                1, EVENT_TYPES[kind], 1, 1, now, 0, now, identity(1000 + now), 1, kind, 0, b"CNY",
                *map(identity, pair), amount, *(self.versions[n] for n in pair),
                *map(self.posted, pair), *map(self.held, pair),
            )
        )  # fmt: skip

    def posted(self, account: int) -> int:
        debits, credits_, _, _ = self.counters[account]
        is_asset = self.types[account] == AccountType.ASSET
        return debits - credits_ if is_asset else credits_ - debits

    def held(self, account: int) -> int:
        return self.counters[account][3 if self.types[account] == AccountType.ASSET else 2]

    def accounts(self) -> Iterator[tuple[object, ...]]:
        for n, type_ in self.types.items():
            yield (
                identity(n), int(type_), b"CNY", self.versions[n], 10**6, 1, *self.counters[n]
            )  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    made, chance = Ledger(), random.Random(7)
    for _ in range(60):
        debit, credit = chance.sample(range(8), 2)
        made.post(POST, debit, credit, chance.randrange(1, 100))
    for kind in (PENDING, VOID):
        made.post(kind, 1, 2, 40)
    return made


def fold(ledger: Ledger, postings: Columns, *, pieces: int = 1) -> set[bytes]:
    accounts = list(ledger.accounts())
    books = Books([accounts_of(accounts[:4]), accounts_of(accounts[4:])])
    size = -(-len(postings) // pieces)
    for first in range(0, len(postings), size):
        books.fold(postings[first : first + size])
    books.close()
    return books.suspects


@pytest.mark.parametrize("pieces", [1, 2, 7, 62])
def test_nobody_is_suspect_who_follows_from_the_postings(ledger: Ledger, pieces: int) -> None:
    assert fold(ledger, columns_of(ledger.leaves), pieces=pieces) == set()


@pytest.mark.parametrize("pieces", [1, 62])
@pytest.mark.parametrize("field", ["amount", "versions", "posted", "held", "booked_at_us"])
def test_a_changed_number_makes_both_accounts_suspect(
    ledger: Ledger, field: str, pieces: int
) -> None:
    postings = columns_of(ledger.leaves).copy()
    postings[field][30] -= 50
    both = {one.astype(">u8").tobytes() for one in postings["accounts"][30]}
    assert fold(ledger, postings, pieces=pieces) >= both


def test_a_posting_in_another_currency_makes_its_accounts_suspect(ledger: Ledger) -> None:
    postings = columns_of(ledger.leaves).copy()
    postings["currency"][30] = b"USD"
    both = {one.astype(">u8").tobytes() for one in postings["accounts"][30]}
    assert fold(ledger, postings) == both


def test_an_account_that_is_not_there_is_suspect(ledger: Ledger) -> None:
    postings = columns_of(ledger.leaves).copy()
    stranger = identity(77)
    postings["accounts"][61][0] = [int.from_bytes(stranger[:8]), int.from_bytes(stranger[8:])]
    assert fold(ledger, postings) == {stranger, identity(1)}


def test_a_lost_posting_makes_its_accounts_suspect(ledger: Ledger) -> None:
    postings = columns_of(ledger.leaves)
    both = {one.tobytes() for one in postings["accounts"][61]}
    assert fold(ledger, postings[:61]) == both


def test_without_accounts_every_one_is_missing(ledger: Ledger) -> None:
    books = Books([])
    books.fold(columns_of(ledger.leaves))
    books.close()
    assert books.suspects == {identity(n) for n in range(8)}


def test_leaves_that_are_not_about_postings_are_left_out(ledger: Ledger) -> None:
    opening = bytes([0, 1, OPENED]) + bytes(38) + b"payload"
    columns = columns_of([opening, *ledger.leaves])
    postings, fit = postings_of(columns)
    assert len(columns) == len(postings) + 1
    assert fit
    assert FORM.size == LEAF.itemsize


def test_an_event_without_its_posting_does_not_fit(ledger: Ledger) -> None:
    header_only = ledger.leaves[0][:41]
    assert postings_of(columns_of([header_only]))[1] is False
