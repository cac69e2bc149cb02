"""The audit trail: every act, denial and kept look is in it, and nothing in it can be changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from longmen.audit.v1 import audit_pb2, audit_service_pb2
from longmen.type.v1 import policy_pb2
from longmen_server.audit.settings import AuditSettings
from longmen_server.audit.trail import AuditTrail
from longmen_server.engine.command import RequestKey
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.engine.trail import Act, Actor, RecordActs, Trail
from longmen_server.ledger import commands
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock
from tests.support.ledger import open_ledger
from tests.support.poll import until
from tests.support.rpcs import METHODS
from tests.support.small_bank import (
    BY_NAME,
    SERVICE,
    STAFF_SUBJECT,
    SmallBank,
    cash,
    open_small_bank,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

TRANSFER = "longmen.transfers.v1.TransfersService/CreateTransfer"


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("audit")) as opened:
        yield opened


async def trail_of(bank: SmallBank, subject: str, **wanted: Any) -> list[audit_pb2.AuditRecord]:
    reply = await bank.do("AuditService/ListAudit", principal_subject=subject, **wanted)
    return list(reply.records)


def pay(bank: SmallBank, payer: Any, amount: int) -> Any:
    return BY_NAME["TransfersService/CreateTransfer"].request_class(
        request_id=bank.new_request_id(),
        from_account_id=payer.account,
        payee={"account_id": bank.payee.account},
        amount=cash(amount),
    )


async def test_a_payment_says_who_what_when_where_and_what_came_of_it(bank: SmallBank) -> None:
    payer = await bank.person()
    request = pay(bank, payer, 7)
    method = BY_NAME["TransfersService/CreateTransfer"]
    await bank.call(method, request, bank.token("customer", payer))
    (record,) = await trail_of(bank, payer.customer)
    assert record.method == TRANSFER
    assert record.audit_class == policy_pb2.AUDIT_CLASS_MONEY
    assert record.actor.principal_kind == "customer"
    assert record.actor.token_id == "token-1"
    assert record.actor.peer == "127.0.0.1"
    assert record.request_id == request.request_id
    assert record.reason == ""
    assert record.count == 1
    assert record.event_count == 1
    assert record.called_time == record.recorded_time
    events = await bank.do("EventsService/ListEvents", account_id=payer.account)
    assert record.first_event_id == events.events[-1].event_id


async def test_a_refused_payment_is_kept_once_and_a_replay_is_no_new_act(bank: SmallBank) -> None:
    payer = await bank.person()
    request = pay(bank, payer, 99_999_999)
    method = BY_NAME["TransfersService/CreateTransfer"]
    for _ in range(3):
        answer = await bank.refused(method, request, bank.token("customer", payer))
        assert answer.reason == "INSUFFICIENT_FUNDS"
    (record,) = await trail_of(bank, payer.customer, refused_only=True)
    assert record.reason == "INSUFFICIENT_FUNDS"
    assert record.event_count == 0
    assert record.first_event_id == ""


async def test_denials_are_kept_and_equal_ones_counted(bank: SmallBank) -> None:
    method = BY_NAME["AdminService/GetClock"]
    request = method.request_class()
    before = bank.parts.clock.now_us()
    for _ in range(5):
        await bank.refused(method, request, "forged")
    await bank.refused(method, request, None)
    await bank.refused(method, request, bank.token("customer", await bank.person()))

    async def kept() -> dict[tuple[str, str], int]:
        reply = await bank.do(
            "AuditService/ListAudit",
            method=method.path,
            from_time={"seconds": before // 1_000_000},
            refused_only=True,
        )
        found: dict[tuple[str, str], int] = {}
        for record in reply.records:
            key = record.actor.principal_kind, record.reason
            found[key] = found.get(key, 0) + record.count
        return found

    wanted = {
        ("", "TOKEN_INVALID"): 5,
        ("", "TOKEN_MISSING"): 1,
        ("customer", "PERMISSION_DENIED"): 1,
    }
    await until_equal(kept, wanted)


async def until_equal(read: Any, wanted: Any) -> None:
    async def equal() -> bool:
        return bool(await read() == wanted)

    await until(equal, f"{wanted}")


async def test_looks_are_kept_where_the_contract_says_so_only(bank: SmallBank) -> None:
    who = bank.token("staff", without="nothing")
    await bank.do("AdminService/GetClock", who)
    await bank.do("AuditService/ListAudit", who)

    async def methods() -> set[str]:
        return {record.method for record in await trail_of(bank, STAFF_SUBJECT)}

    await until_equal(methods, {"longmen.audit.v1.AuditService/ListAudit"})


def test_every_method_says_what_is_kept_of_it() -> None:
    for method in METHODS:
        assert method.audit_class != policy_pb2.AUDIT_CLASS_UNSPECIFIED, method.path
        # A till's heartbeat changes nothing but when it was last heard of.
        if method.writes and method.name != "ReportTerminal":
            assert method.audit_class != policy_pb2.AUDIT_CLASS_NONE, method.path


async def test_an_export_goes_on_from_its_cursor_and_ends_with_the_heads(bank: SmallBank) -> None:
    payer = await bank.person()
    method = BY_NAME["AuditService/ExportAudit"]

    async def export(cursor: str) -> tuple[list[audit_pb2.AuditRecord], Any]:
        answer = await bank.call(method, method.request_class(cursor=cursor), SERVICE)
        messages = [audit_service_pb2.ExportAuditResponse.FromString(m) for m in answer.messages]
        return [record for message in messages for record in message.records], messages[-1]

    first, last = await export("")
    assert len({record.record_id for record in first}) == len(first) > 3
    assert last.heads
    assert all(len(head.block_hash) == 32 for head in last.heads)
    token = bank.token("customer", payer)
    await bank.call(BY_NAME["TransfersService/CreateTransfer"], pay(bank, payer, 3), token)
    more, _ = await export(last.cursor)
    assert [record.actor.principal_subject for record in more].count(payer.customer) == 1
    assert not {record.record_id for record in more} & {record.record_id for record in first}


# -- Nothing happens that cannot be kept.


class Stuck:
    """An engine that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.open = False
        self.taken: list[Act] = []

    async def submit(self, command: RecordActs, *, deadline: float) -> None:
        del deadline
        if not self.open:
            raise Refusal("STORAGE_UNAVAILABLE", "the database cannot be reached")
        self.taken.extend(command.acts)


class Caller:
    """A call that ended."""

    method = "longmen.admin.v1.AdminService/GetClock"
    request_id = None

    def __init__(self, number: int) -> None:
        self.actor = Actor("staff", f"staff-{number}", "", "", "", "192.0.2.1")


def stuck_trail(clock: SettableClock, **limits: Any) -> tuple[AuditTrail, Stuck]:
    engine: Any = Stuck()
    settings = AuditSettings(audit_flush_ms=1, **limits)
    return AuditTrail(engine=engine, clock=clock, book=1, settings=settings), engine


def unavailable(trail: AuditTrail) -> bool:
    try:
        trail.demand()
    except Refusal as refusal:
        return refusal.reason == "AUDIT_UNAVAILABLE"
    return False


async def test_calls_are_refused_when_the_trail_cannot_be_written_for_too_long() -> None:
    clock = SettableClock()
    trail, engine = stuck_trail(clock, audit_delay_ms_max=500)
    run = asyncio.create_task(trail.run())
    call: Any = Caller(1)
    trail.note(call, "PERMISSION_DENIED")
    assert not unavailable(trail)
    await until(lambda: unavailable(trail), "calls are refused")
    engine.open = True
    await until(lambda: not unavailable(trail), "calls are let in")
    assert [(act.reason, act.call_count) for act in engine.taken] == [("PERMISSION_DENIED", 1)]
    run.cancel()
    await asyncio.wait((run,))


async def test_a_flood_is_bounded_counted_and_refuses_what_must_be_kept() -> None:
    trail, engine = stuck_trail(SettableClock(), audit_waiting_max=10)
    for number in range(1000):
        call: Any = Caller(number)
        trail.note(call, "TOKEN_INVALID")
    assert unavailable(trail)
    engine.open = True
    run = asyncio.create_task(trail.run())
    await until(lambda: not unavailable(trail), "calls are let in")
    assert len(engine.taken) == 11
    assert sum(act.call_count for act in engine.taken) == 1000
    run.cancel()
    await asyncio.wait((run,))


async def test_what_waits_is_written_when_the_server_stops() -> None:
    trail, engine = stuck_trail(SettableClock())
    engine.open = True
    run = asyncio.create_task(trail.run())
    await asyncio.sleep(0)
    call: Any = Caller(1)
    trail.note(call, "TOKEN_EXPIRED")
    run.cancel()
    await asyncio.wait((run,))
    assert [act.reason for act in engine.taken] == ["TOKEN_EXPIRED"]


async def test_no_money_moves_when_it_cannot_be_kept(database: Database) -> None:
    def broken(book: int, acts: Any, at_us: int) -> Any:
        raise ValueError("no witness")

    clock = SettableClock()
    async with open_ledger(database.app_dsn, clock) as ledger:
        payer, payee = await ledger.open(2)
    engine = Engine(
        dsn=database.app_dsn, books=(1,), clock=clock, failpoints=Failpoints(""), witness=broken
    )
    trail = Trail(Actor("staff", "s", "", "", "", ""), "method", "")
    transfer = commands.CreateTransfers(
        1,
        RequestKey(bytes(16), bytes(32), trail),
        [ledger.intent(payer, payee, 5)],
        chosen=[True],
        linked=[False],
    )
    await engine.start()
    try:
        with pytest.raises(ValueError, match="no witness"):
            await engine.submit(transfer, deadline=clock.monotonic() + 20)
    finally:
        await engine.stop()
    with psycopg.connect(database.admin_dsn) as connection:
        for table in ("ledger_posting", "request_record"):
            count = connection.execute(f"select count(*) from {table}".encode()).fetchone()  # noqa: S608
            assert count == (0,)
