"""The books proven from their rows alone: sums, balances, versions, holds, events and journal.

Written from the documented formats, sharing no code with the server, so that a mistake there is not
repeated here.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEBIT_NORMAL = (1, 4)
"""Asset and expense."""

#: By posting kind: event type, and what it does to pending and posted counters.
KINDS = {1: (3, 0, 1), 2: (4, 1, 0), 3: (5, -1, 1), 4: (6, -1, 0), 5: (7, -1, 0)}


COUNTERS = (("posted", "debit"), ("posted", "credit"), ("pending", "debit"), ("pending", "credit"))


@dataclass
class Books:
    """Every row of one database."""

    accounts: list[Any]
    postings: list[Any]
    holds: list[Any]
    events: list[Any]
    blocks: list[Any]
    requests: list[Any]
    reversals: list[Any]
    refusals: list[Any]


TABLES = {
    "accounts": "ledger_account",
    "postings": "ledger_posting",
    "holds": "ledger_hold",
    "events": "event",
    "blocks": "journal_block",
    "requests": "request_record",
    "reversals": "ledger_reversal",
    "refusals": "ledger_refusal",
}


def read_books(dsn: str) -> Books:
    """Read every table in one snapshot; ids as their bytes."""
    rows: dict[str, list[Any]] = {}
    with psycopg.connect(dsn, row_factory=namedtuple_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for name, table in TABLES.items():
            columns: list[Any] = connection.execute(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = 'public' and table_name = %s order by ordinal_position",
                [table],
            ).fetchall()
            listed = ", ".join(
                f"uuid_send({c.column_name}) as {c.column_name}"
                if c.data_type == "uuid"
                else c.column_name
                for c in columns
            )
            rows[name] = list(connection.execute(f"select {listed} from {table}".encode()))  # noqa: S608 - names of the catalogue
    return Books(**rows)


def audit(dsn: str) -> Books:
    """Prove the books of a database; the rows, for what else a test wants to know of them."""
    books = read_books(dsn)
    check_sums(books)
    check_accounts(books)
    check_holds(books)
    check_events(books)
    check_journal(books)
    check_once(books)
    return books


def check_sums(books: Books) -> None:
    """In every currency debits equal credits, posted and pending."""
    sums: Counter[tuple[int, str, str]] = Counter()
    for row in books.accounts:
        sums[row.book, row.currency_code, "posted"] += row.debits_posted - row.credits_posted
        sums[row.book, row.currency_code, "pending"] += row.debits_pending - row.credits_pending
    assert not {key: value for key, value in sums.items() if value}


def check_accounts(books: Books) -> None:
    """Every account is what its postings, in the order of their versions, make it."""
    entries: dict[bytes, list[tuple[int, str, Any]]] = defaultdict(list)
    for posting in books.postings:
        entries[posting.debit_account_id].append((posting.debit_version, "debit", posting))
        entries[posting.credit_account_id].append((posting.credit_version, "credit", posting))
    known = {row.account_id for row in books.accounts}
    assert entries.keys() <= known, "postings of accounts that are not there"
    for account in books.accounts:
        _check_account(account, sorted(entries[account.account_id], key=lambda entry: entry[0]))


def _check_account(account: Any, entries: list[tuple[int, str, Any]]) -> None:
    counters = Counter[tuple[str, str]]()
    previous_stamp = 0
    plus, minus = (
        ("debit", "credit") if account.account_type in DEBIT_NORMAL else ("credit", "debit")
    )
    for expected, (version, side, posting) in enumerate(entries, 1):
        assert version == expected, "versions have no gap"
        assert posting.currency_code == account.currency_code
        assert posting.booked_at_us > previous_stamp, "booked times grow strictly"
        previous_stamp = posting.booked_at_us
        _, pending, posted = KINDS[posting.kind]
        counters[side, "pending"] += pending * posting.amount
        counters[side, "posted"] += posted * posting.amount
        balance = counters[plus, "posted"] - counters[minus, "posted"]
        held = counters[minus, "pending"]
        assert balance == getattr(posting, f"{side}_posted_after")
        assert held == (getattr(posting, f"{side}_held_after") or 0)
        floor = account.floor_minor_units
        if posting.kind in {1, 2} and side == minus and floor is not None:
            assert balance - held >= floor, "an account went below its floor"
    assert account.version == len(entries)
    assert account.booked_at_us >= previous_stamp
    assert (
        account.debits_posted,
        account.credits_posted,
        account.debits_pending,
        account.credits_pending,
    ) == tuple(
        counters[side, what] for what in ("posted", "pending") for side in ("debit", "credit")
    )


def check_holds(books: Books) -> None:
    """Every hold is what was captured and freed of it; none is captured beyond its amount."""
    addresses = {(p.transaction_id, p.ordinal): p for p in books.postings if p.kind == 2}
    assert addresses.keys() == {(h.transaction_id, h.ordinal) for h in books.holds}
    taken: Counter[tuple[Any, int]] = Counter()
    for posting in books.postings:
        if posting.kind > 2:
            address = (posting.pending_transaction_id, posting.pending_ordinal)
            assert address in addresses, "something was captured or freed that was never held"
            taken[(address, posting.kind)] += posting.amount
    for hold in books.holds:
        address = (hold.transaction_id, hold.ordinal)
        assert hold.amount == addresses[address].amount
        assert hold.captured == taken[address, 3]
        freed = taken[address, 4] + taken[address, 5]
        assert hold.captured + freed + hold.remaining == hold.amount
        assert (hold.remaining > 0) == (hold.state == 1)


def check_events(books: Books) -> None:
    """Events are numbered without gaps, and every change has its one."""
    sequences: dict[tuple[int, int], list[int]] = defaultdict(list)
    for event in books.events:
        sequences[event.book, event.writer].append(event.sequence)
    for numbers in sequences.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    told = Counter(
        (event.type, event.subject, event.ordinal, event.booked_at_us)
        for event in books.events
        if event.type in {3, 4, 5, 6, 7}
    )
    done = Counter(
        (KINDS[p.kind][0], p.transaction_id, p.ordinal, p.booked_at_us) for p in books.postings
    )
    assert told == done
    opened = Counter(event.subject for event in books.events if event.type == 1)
    assert opened == Counter(row.account_id for row in books.accounts)


def check_once(books: Books) -> None:
    """No refused id exists, and a transaction is taken back once."""
    posted = {posting.transaction_id for posting in books.postings}
    assert not posted & {row.transaction_id for row in books.refusals}
    reversing = {
        (p.reverses_transaction_id, p.transaction_id)
        for p in books.postings
        if p.reverses_transaction_id is not None
    }
    assert reversing == {
        (row.transaction_id, row.reversal_transaction_id) for row in books.reversals
    }
    assert len(reversing) == len({original for original, _ in reversing})


# -- The journal, by docs/architecture.md ----------------------------------------------------------


class _Place(NamedTuple):
    book: int
    writer: int


def check_journal(books: Books) -> None:
    """Recompute every block from the rows it stands for."""
    postings = {(p.transaction_id, p.ordinal): p for p in books.postings}
    events: dict[_Place, dict[int, Any]] = defaultdict(dict)
    for event in books.events:
        events[_Place(event.book, event.writer)][event.sequence] = event
    chains: dict[_Place, list[Any]] = defaultdict(list)
    for block in books.blocks:
        chains[_Place(block.book, block.writer)].append(block)
    assert chains.keys() == events.keys()
    for place, chain in chains.items():
        _check_chain(sorted(chain, key=lambda block: block.number), events[place], postings)


def _check_chain(chain: Sequence[Any], events: dict[int, Any], postings: dict[Any, Any]) -> None:
    previous, sequence = bytes(32), 1
    for number, block in enumerate(chain, 1):
        assert block.number == number, "blocks have no gap"
        assert block.first_sequence == sequence
        assert block.previous_hash == previous, "the chain is broken"
        leaves = [leaf(events[n], postings) for n in range(sequence, sequence + block.record_count)]
        assert block.root == root(leaves), "a record was changed"
        head = struct.pack(
            ">BHHQQIQ",
            1,
            block.book,
            block.writer,
            block.number,
            block.first_sequence,
            block.record_count,
            block.booked_at_us,
        )
        assert block.hash == sha256(head + block.previous_hash + block.root).digest()
        previous, sequence = block.hash, sequence + block.record_count
    assert sequence == len(events) + 1, "events outside the chain"


def leaf(event: Any, postings: dict[Any, Any]) -> bytes:
    """The canonical form of an event, from its row and its posting's."""
    head = struct.pack(
        ">BBHHQhQ16s",
        1,
        event.type,
        event.book,
        event.writer,
        event.sequence,
        event.ordinal,
        event.booked_at_us,
        event.subject,
    )
    if event.payload is not None:
        return head + bytes(event.payload)
    return head + _body(postings[event.subject, event.ordinal])


def _body(p: Any) -> bytes:
    nothing = bytes(16)
    texts = [(text or "").encode() for text in (p.reference, p.description)]
    return struct.pack(
        ">BBH3s16s16sqQQqqqqq16sh16s",
        1,
        p.kind,
        p.code,
        p.currency_code.encode(),
        p.debit_account_id,
        p.credit_account_id,
        p.amount,
        p.debit_version,
        p.credit_version,
        p.debit_posted_after,
        p.credit_posted_after,
        p.debit_held_after or 0,
        p.credit_held_after or 0,
        p.booked_at_us if p.effective_at_us is None else p.effective_at_us,
        p.pending_transaction_id or nothing,
        p.pending_ordinal or 0,
        p.reverses_transaction_id or nothing,
    ) + b"".join(len(text).to_bytes(2, "big") + text for text in texts)


def root(leaves: Iterable[bytes]) -> bytes:
    """The root of a Merkle tree: pairs from the left, an odd one moves up unchanged."""
    nodes = [sha256(b"\0" + data).digest() for data in leaves]
    while len(nodes) > 1:
        pairs = [nodes[at : at + 2] for at in range(0, len(nodes), 2)]
        nodes = [sha256(b"\1" + b"".join(p)).digest() if len(p) > 1 else p[0] for p in pairs]
    return nodes[0]
