"""The change feed gives every committed change once, and each account's changes in order."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest
import pytest_asyncio

from longmen.events.v1 import event_pb2
from longmen.events.v1 import events_service_pb2 as pb
from longmen.ledger.v1 import account_pb2, transaction_pb2
from longmen_server.events import queries, tail
from longmen_server.events import service as events_service
from longmen_server.events.encode import DamagedEventError
from longmen_server.events.service import EventsService
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.ledger.model import AccountState, PostingKind
from longmen_server.platform.ids import ACCOUNT, TRANSACTION, AccountId, new_id
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK, PATIENCE, Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.support.postgres import Database

ACCOUNT_TYPES = {
    event_pb2.EVENT_TYPE_ACCOUNT_OPENED,
    event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED,
}


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with open_ledger(database.app_dsn, SettableClock()) as opened:
        yield opened


@pytest.fixture
def events(ledger: Ledger) -> EventsService:
    return EventsService(reading=ledger.tools)


async def page(
    ledger: Ledger, events: EventsService, cursor: str = "", **request: Any
) -> pb.ListEventsResponse:
    return await events.ListEvents(
        pb.ListEventsRequest(cursor=cursor, **request), ledger.call("ListEvents")
    )


async def everything(
    ledger: Ledger, events: EventsService, cursor: str = "", **request: Any
) -> list[event_pb2.Event]:
    """All events after a cursor, page by page until it says that it has caught up."""
    found: list[event_pb2.Event] = []
    while True:
        reply = await page(ledger, events, cursor, **request)
        found.extend(reply.events)
        cursor = reply.cursor
        if reply.caught_up:
            return found


def kinds(found: list[event_pb2.Event]) -> list[str]:
    return [event_pb2.EventType.Name(e.type).removeprefix("EVENT_TYPE_") for e in found]


# -- what events say ---------------------------------------------------------------------------


async def test_each_change_is_told_with_its_payload_and_the_balances_then(
    ledger: Ledger, events: EventsService
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open(floor=0)
    ledger.clock.advance(1)
    moved = await ledger.move(bank, anna, 100, reference="pay")
    held = await ledger.hold(anna, bank, 30)
    await ledger.settle(held, PostingKind.CAPTURE, 10)
    await ledger.settle(held, PostingKind.VOID)
    short = await ledger.hold(anna, bank, 5, hold_duration_us=1)
    ledger.clock.advance(1)
    await ledger.settle(short, PostingKind.EXPIRE)
    await ledger.set_state(anna, AccountState.FROZEN)
    found = await everything(ledger, events, page_size=3)
    assert kinds(found) == [
        "ACCOUNT_OPENED",
        "ACCOUNT_OPENED",
        "POSTING_POSTED",
        "POSTING_PENDING",
        "POSTING_CAPTURED",
        "POSTING_VOIDED",
        "POSTING_PENDING",
        "POSTING_EXPIRED",
        "ACCOUNT_STATE_CHANGED",
    ]
    assert found[1].account.account_id == ACCOUNT.encode(anna) == found[1].subject_id
    assert found[1].account.floor_minor_units == 0
    assert found[2].subject_id == TRANSACTION.encode(moved)
    assert found[2].posting.reference == "pay"
    assert found[2].posting.kind == transaction_pb2.POSTING_KIND_POST
    # What goes to the bank leaves its account with the clearing: it is held on both sides.
    then = account_pb2.Balances(currency_code="CNY", posted=100, available=70, version=2)
    assert (found[3].debit_balances, found[3].credit_balances) == (then, then)
    assert not found[3].posting.HasField("hold")
    assert found[4].posting.pending_posting_id == TRANSACTION.encode(held)
    assert (found[5].debit_balances.posted, found[5].debit_balances.available) == (90, 90)
    assert found[8].account_state_change == event_pb2.AccountStateChange(
        account_id=ACCOUNT.encode(anna),
        state=account_pb2.ACCOUNT_STATE_FROZEN,
        reason_text="a test",
        frozen_by=event_pb2.FREEZER_BANK,
    )
    assert len({e.event_id for e in found}) == len(found)
    assert {e.book for e in found} == {BOOK}
    again = await everything(ledger, events, page_size=1000)
    assert again == found


async def test_pages_go_on_from_any_cursor(ledger: Ledger, events: EventsService) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    customers = await ledger.open(5)
    for index in range(10):
        await ledger.move(bank, customers[index % 5], 1)
    whole = await everything(ledger, events)
    assert len(whole) == 16
    for size in (1, 5, 15, 16, 17):
        cursor = ""
        found: list[event_pb2.Event] = []
        while True:
            reply = await page(ledger, events, cursor, page_size=size)
            assert len(reply.events) <= size
            found.extend(reply.events)
            assert await everything(ledger, events, reply.cursor) == whole[len(found) :]
            cursor = reply.cursor
            if reply.caught_up:
                break
        assert found == whole


@pytest.mark.parametrize("scan", [1, 3, 2_000])
async def test_filters_keep_what_they_say_however_little_is_looked_at(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch, scan: int
) -> None:
    monkeypatch.setattr("longmen_server.events.queries.SCAN_MAX", scan)
    (bank,) = await ledger.open(code=BANK_CLEARING)
    anna, boris = await ledger.open(2)
    for index in range(12):
        await ledger.move(bank, (anna, boris)[index % 4 == 0], 1)
    await ledger.hold(anna, boris, 1)
    await ledger.set_state(boris, AccountState.CREDIT_FROZEN)
    whole = await everything(ledger, events)

    def touches(e: event_pb2.Event, account_id: AccountId) -> bool:
        text = ACCOUNT.encode(account_id)
        return text in {e.subject_id, e.posting.debit_account_id, e.posting.credit_account_id}

    for size in (1, 4, 1000):
        of_boris = await everything(
            ledger, events, account_id=ACCOUNT.encode(boris), page_size=size
        )
        assert of_boris == [e for e in whole if touches(e, boris)]
        assert len(of_boris) == 1 + 3 + 1 + 1
        of_accounts = await everything(ledger, events, types=list(ACCOUNT_TYPES), page_size=size)
        assert of_accounts == [e for e in whole if e.type in ACCOUNT_TYPES]
        both = await everything(
            ledger,
            events,
            types=[event_pb2.EVENT_TYPE_POSTING_PENDING],
            account_id=ACCOUNT.encode(boris),
            page_size=size,
        )
        assert kinds(both) == ["POSTING_PENDING"]


async def test_bad_cursors_books_and_accounts_are_refused(
    ledger: Ledger, events: EventsService
) -> None:
    foreign = ACCOUNT.encode(AccountId(new_id(9, ledger.clock)))
    for request, reason in (
        ({"cursor": "nonsense"}, "INVALID_CURSOR"),
        ({"cursor": "", "book": 9}, "UNKNOWN_BOOK"),
        ({"cursor": "", "account_id": foreign}, "INVALID_REQUEST"),
    ):
        with pytest.raises(Refusal) as caught:
            await page(ledger, events, **request)
        assert caught.value.reason == reason


async def test_empty_book_has_caught_up(ledger: Ledger, events: EventsService) -> None:
    reply = await page(ledger, events)
    assert (len(reply.events), reply.caught_up) == (0, True)
    await ledger.open()
    assert kinds(await everything(ledger, events, reply.cursor)) == ["ACCOUNT_OPENED"]


async def test_event_without_its_posting_stops_the_feed(
    ledger: Ledger, events: EventsService, database: Database
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    await ledger.move(bank, anna, 1)
    with psycopg.connect(database.admin_dsn) as connection:
        connection.execute("delete from ledger_posting")
    with pytest.raises(DamagedEventError):
        await everything(ledger, events)


# -- many writers ------------------------------------------------------------------------------


async def test_change_committed_late_with_an_earlier_time_is_not_skipped(
    ledger: Ledger, events: EventsService, database: Database
) -> None:
    """The outbox gap: what is written first and committed last lies below a high-water mark."""
    late_us = ledger.clock.now_us()
    ledger.clock.advance(1)
    async with await psycopg.AsyncConnection.connect(database.admin_dsn) as late:
        subject = ledger.new_account_id()
        await late.execute(
            "insert into event (sequence, booked_at_us, book, writer, type, ordinal, subject)"
            " values (1, %s, %s, 7, 8, 0, %s::uuid)",
            (late_us, BOOK, subject.hex()),
        )
        await ledger.open(3)
        reply = await page(ledger, events)
        assert reply.caught_up
        assert kinds(list(reply.events)) == ["ACCOUNT_OPENED"] * 3
        assert await everything(ledger, events, reply.cursor) == []
        await late.commit()
    (found,) = await everything(ledger, events, reply.cursor)
    assert found.subject_id == f"cust_{subject.hex()}"
    assert found.booked_time.ToMicroseconds() == late_us
    # Whoever reads it all now gets it in the order of the times.
    whole = await everything(ledger, events, page_size=1)
    assert kinds(whole) == ["WALLET_OPENED"] + ["ACCOUNT_OPENED"] * 3


async def test_page_is_cut_in_the_merged_order(
    ledger: Ledger, events: EventsService, database: Database
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    async with open_ledger(database.app_dsn, ledger.clock) as second:
        for index in range(20):
            writer = second if index % 7 < 3 else ledger
            await writer.move(bank, anna, 1)
    for size in range(1, 23):
        found = await everything(ledger, events, page_size=size)
        versions = [e.credit_balances.version for e in found if e.HasField("posting")]
        assert versions == list(range(1, 21))


async def test_concurrent_writers_are_read_whole_and_in_order_for_every_account(
    ledger: Ledger, events: EventsService, database: Database
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    accounts = [bank, *await ledger.open(4)]
    moves_of_each = 60
    done = 0

    async def write(writer: Ledger, seed: int) -> None:
        nonlocal done
        chance = random.Random(seed)
        for _ in range(moves_of_each):
            debit, credit = chance.sample(accounts, 2)
            await writer.move(debit, credit, 1)
        done += 1

    async with open_ledger(database.app_dsn, ledger.clock) as second:
        writers = asyncio.gather(*(write(each, n) for n, each in enumerate([ledger, second] * 2)))
        found: list[event_pb2.Event] = []
        cursor, chance, last_look = "", random.Random(1), False
        while not last_look:
            last_look = done == 4
            while True:
                reply = await page(ledger, events, cursor, page_size=chance.randint(1, 40))
                found.extend(reply.events)
                cursor = reply.cursor
                if reply.caught_up:
                    break
        await writers
    postings = [e for e in found if e.HasField("posting")]
    assert len(postings) == 4 * moves_of_each
    assert len({e.event_id for e in found}) == len(found)
    assert len({e.event_id[-8:-4] for e in found}) == 2, "both writers took part"
    versions: dict[str, list[int]] = {}
    for e in postings:
        for account_id, version in (
            (e.posting.debit_account_id, e.posting.debit_account_version),
            (e.posting.credit_account_id, e.posting.credit_account_version),
        ):
            versions.setdefault(account_id, []).append(version)
    for seen in versions.values():
        assert seen == list(range(1, len(seen) + 1))


# -- streams -----------------------------------------------------------------------------------


async def take(stream: AsyncIterator[Any], count: int) -> list[event_pb2.Event]:
    """So many events of a stream, or more when the last message has more."""
    found: list[event_pb2.Event] = []
    while len(found) < count:
        async with asyncio.timeout(PATIENCE):
            found.extend((await anext(stream)).events)
    return found


def watch(
    ledger: Ledger, events: EventsService, cursor: str = "", **request: Any
) -> AsyncGenerator[pb.WatchEventsResponse, None]:
    stream = events.WatchEvents(
        pb.WatchEventsRequest(cursor=cursor, **request), ledger.call("WatchEvents")
    )
    return cast("AsyncGenerator[pb.WatchEventsResponse, None]", stream)


async def test_stream_begins_with_the_past_and_goes_on_with_the_present(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_service, "MESSAGE_EVENTS_MAX", 4)
    (bank,) = await ledger.open(code=BANK_CLEARING)
    customers = await ledger.open(9)
    async with aclosing(watch(ledger, events)) as stream:
        past = await take(stream, 10)
        assert kinds(past) == ["ACCOUNT_OPENED"] * 10
        for _ in range(3):
            await ledger.move(bank, customers[0], 1)
            assert kinds(await take(stream, 1)) == ["POSTING_POSTED"]


async def test_idle_stream_sends_checkpoints_that_resume(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_service, "CHECKPOINT_SECONDS", 0.05)
    await ledger.open(2)
    async with aclosing(watch(ledger, events)) as stream:
        await take(stream, 2)
        checkpoint = await anext(stream)
        assert not checkpoint.events
    await ledger.open(1)
    async with aclosing(watch(ledger, events, checkpoint.cursor)) as stream:
        assert len(await take(stream, 1)) == 1


async def test_filtered_stream_gives_its_events_and_moves_past_the_others(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_service, "CHECKPOINT_SECONDS", 0.05)
    (bank,) = await ledger.open(code=BANK_CLEARING)
    anna, boris = await ledger.open(2)
    stream = watch(ledger, events, account_id=ACCOUNT.encode(boris))
    async with aclosing(stream):
        assert kinds(await take(stream, 1)) == ["ACCOUNT_OPENED"]
        await ledger.move(bank, anna, 1)
        await ledger.move(bank, boris, 1)
        assert kinds(await take(stream, 1)) == ["POSTING_POSTED"]
        await ledger.move(bank, anna, 1)
        cursor = ""
        while not cursor or await everything(ledger, events, cursor):
            async with asyncio.timeout(PATIENCE):
                cursor = (await anext(stream)).cursor


async def test_many_streams_share_one_look_at_the_journals(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    real = queries.next_events

    async def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal looks
        looks += 1
        return await real(*arguments, **options)

    monkeypatch.setattr(events_service, "next_events", counted)
    cursor = (await page(ledger, events)).cursor
    streams = [watch(ledger, events, cursor) for _ in range(20)]
    first = await asyncio.gather(*(anext(stream) for stream in streams))
    assert all(not message.events for message in first), "a checkpoint says there is nothing yet"
    looks = 0
    waiting = [asyncio.ensure_future(take(stream, 1)) for stream in streams]
    await ledger.open(1)
    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(*waiting)
    assert [kinds(each) for each in found] == [["ACCOUNT_OPENED"]] * 20
    assert looks <= 2 * 20
    for stream in streams:
        await stream.aclose()
    assert events._tails[BOOK]._task is None, "nobody waits, nobody looks"


async def test_stream_that_is_ended_while_it_waits_leaves_nothing_behind(
    ledger: Ledger, events: EventsService
) -> None:
    streams = [watch(ledger, events) for _ in range(3)]
    await asyncio.gather(*(anext(stream) for stream in streams))
    for stream in streams:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(stream)
        await stream.aclose()
    assert events._tails[BOOK]._task is None
    statistics = ledger.readers.statistics()
    assert statistics["pool_available"] == statistics["pool_size"], "every connection is back"


async def test_waiting_stream_outlives_a_moment_without_database(
    ledger: Ledger, events: EventsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = 0
    real = queries.heads

    async def heads(*arguments: Any) -> Any:
        nonlocal blind
        blind += 1
        if blind <= 2:
            raise Refusal("STORAGE_UNAVAILABLE", "the database cannot be reached")
        return await real(*arguments)

    monkeypatch.setattr(tail, "heads", heads)
    async with aclosing(watch(ledger, events)) as stream:
        await anext(stream)
        waiting = asyncio.ensure_future(take(stream, 1))
        await ledger.open(1)
        assert kinds(await waiting) == ["ACCOUNT_OPENED"]
    assert blind > 2
