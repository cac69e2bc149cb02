"""The longest task of a verification: along all journals, and through all postings, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from longmen_server.ledger.verification import queries_accounts, queries_journal, queries_records
from longmen_server.ledger.verification.books import Books, accounts_of
from longmen_server.ledger.verification.journal_walk import Chain, Records
from longmen_server.platform.adapters import UuidArray

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.engine.journal import Block
    from longmen_server.ledger.verification.leaves import Columns
    from longmen_server.ledger.verification.tally import Tally
    from longmen_server.platform.database import Connection

_STRETCHES_MAX: Final = 40
_STRETCH_EVENTS_MIN: Final = 25_000
_STRETCH_EVENTS_MAX: Final = 200_000
"""Events read at a time: few enough to sit in memory, some 400 bytes each, and many enough that
looking for them costs nothing."""
_LEAVES_WITHOUT_PAUSE: Final = 2_000
"""Leaves hashed and folded without a pause: two milliseconds, so that a server stays responsive."""
_ACCOUNTS_MAX: Final = 500_000
"""Accounts folded in memory, some 250 bytes each; with more the database folds, in more time."""
_SUSPECTS_MAX: Final = 5_000
"""Accounts looked at one by one; with more suspects all are."""
_BEGINNING: Final = -(2**63)
_END: Final = 2**63 - 1


@dataclass(slots=True)
class _Stretch:
    """A stretch of booked time, and the blocks that end in it."""

    after_us: int
    until_us: int
    blocks: list[Block] = field(default_factory=list)


async def walk_records(tally: Tally, connection: Connection) -> None:
    """Check chains, blocks, events and the fold of all postings."""
    chain = await _follow_chains(tally, connection)
    books = None
    if tally.rows.accounts <= _ACCOUNTS_MAX:
        books = Books([batch async for batch in _accounts(connection, tally.book)])
    records = Records(chain.ends, books, tally.found)
    await _take_records(tally, connection, records)
    if books is not None:
        books.close()
    await _look_closer(tally, connection, books, events_fit=records.events_fit)


async def _follow_chains(tally: Tally, connection: Connection) -> Chain:
    name, done, total = "chains", 0, tally.rows.blocks
    tally.progress(name, 0, total)
    chain = Chain(tally.book, tally.found)
    await queries_journal.open_chain(connection, tally.book)
    while blocks := await queries_journal.next_of_chain(connection):
        for block in blocks:
            chain.follow(block)
        done += len(blocks)
        tally.progress(name, done, total)
    tally.progress(name, total, total)
    return chain


async def _accounts(connection: Connection, book: int) -> AsyncIterator[Columns]:
    await queries_journal.open_accounts(connection, book)
    while accounts := await queries_journal.next_accounts(connection):
        yield accounts_of(accounts)


async def _take_records(tally: Tally, connection: Connection, records: Records) -> None:
    name, done, total = "journals and postings", 0, tally.rows.events
    tally.progress(name, 0, total)
    await queries_journal.open_blocks(connection, tally.book)
    ahead: asyncio.Task[list[tuple[bytes | None]]] | None = None
    stretch = _Stretch(0, 0)
    try:
        async for following in _stretches(tally, connection):
            # The database puts the next stretch together while this one is hashed and folded.
            leaves = [] if ahead is None else await ahead
            ahead = asyncio.create_task(
                queries_journal.leaves_between(
                    connection, tally.book, following.after_us, following.until_us
                )
            )
            await _take(records, stretch, leaves)
            done += len(leaves)
            tally.progress(name, min(done, total), total)
            stretch = following
        assert ahead is not None, "there is always a last stretch"
        await _take(records, stretch, await ahead)
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.wait((ahead,))
    records.finish()
    await queries_journal.close_blocks(connection)
    tally.progress(name, total, total)


async def _take(records: Records, stretch: _Stretch, leaves: list[tuple[bytes | None]]) -> None:
    for first in range(0, len(leaves), _LEAVES_WITHOUT_PAUSE):
        records.take(leaves[first : first + _LEAVES_WITHOUT_PAUSE])
        await asyncio.sleep(0)
    for block in stretch.blocks:
        records.check(block)


async def _stretches(tally: Tally, connection: Connection) -> AsyncIterator[_Stretch]:
    """Cut time where blocks end, into stretches of about the same number of events."""
    wanted = min(max(tally.rows.events // _STRETCHES_MAX, _STRETCH_EVENTS_MIN), _STRETCH_EVENTS_MAX)
    stretch, events = _Stretch(_BEGINNING, _END), 0
    while blocks := await queries_journal.next_blocks(connection):
        for block in blocks:
            stretch.blocks.append(block)
            events += block.record_count
            if events >= wanted:
                stretch.until_us = block.booked_at_us
                yield stretch
                stretch, events = _Stretch(block.booked_at_us, _END), 0
    yield stretch


async def _look_closer(
    tally: Tally, connection: Connection, books: Books | None, *, events_fit: bool
) -> None:
    """Let the database say what is wrong with postings, events and accounts, if anything is.

    A posting that has two events is folded twice, so its accounts are suspect. One that has none is
    not folded, so then every account is.
    """
    postings = tally.rows.postings
    suspects = None if books is None else books.suspects
    if suspects is None or suspects or not events_fit:
        await tally.check(connection, queries_records.POSTING_EVENTS, postings)
    if suspects is None or len(suspects) > _SUSPECTS_MAX or not events_fit:
        await tally.check(connection, queries_accounts.ENTRIES, 2 * postings)
    elif suspects:
        some = UuidArray(sorted(suspects))
        await tally.check(connection, queries_accounts.SUSPECTS, 2 * postings, some)
