"""Every method of TransfersService on a real database: rules, refusals, ownership, races."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio

from longmen.errors.v1 import error_reason_pb2 as reasons
from longmen.events.v1 import event_pb2
from longmen.transfers.v1 import transfer_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.accounts.personal import phone_index
from longmen_server.ledger import posting
from longmen_server.ledger.chart import BANK_CLEARING, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import AccountState, PostingKind
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.clock import from_microseconds
from longmen_server.platform.ids import ACCOUNT, TRANSACTION, AccountId, TransactionId, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers import settlement
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK
from tests.support.wallets import SERVICE, SHANGHAI, STAFF, Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

FEE_INCOME = 4010
REAL_TIME, TWO_HOURS, NEXT_DAY = 1, 2, 3
SCHEDULED, HELD = pb.TRANSFER_STATE_SCHEDULED, pb.TRANSFER_STATE_HELD
COMPLETED, CANCELLED = pb.TRANSFER_STATE_COMPLETED, pb.TRANSFER_STATE_CANCELLED
FAILED, PROCESSING = pb.TRANSFER_STATE_FAILED, pb.TRANSFER_STATE_PROCESSING


@pytest_asyncio.fixture(scope="module")
async def wallets(module_database: Database) -> AsyncIterator[Wallets]:
    async with open_wallets(module_database.app_dsn, SettableClock()) as opened:
        yield opened


async def refusal(awaitable: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaitable
    return caught.value


async def reason(awaitable: Any) -> str:
    return (await refusal(awaitable)).reason


async def state(wallets: Wallets, transfer: pb.Transfer) -> int:
    found = await wallets.ask("GetTransfer", transfer_id=transfer.transfer_id)
    return int(found.transfer.state)


# -- paying ------------------------------------------------------------------------------------


async def test_a_real_time_transfer_is_one_posting_and_no_row_beside_it(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    paid = await wallets.pay(me, other, 300, description="lunch", reference="R-1")
    transfer = paid.transfer
    assert transfer.state == COMPLETED
    assert transfer.kind == pb.TRANSFER_KIND_PAYMENT
    assert (transfer.from_account_id, transfer.to_account_id) == (me.account, other.account)
    assert (transfer.description, transfer.reference) == ("lunch", "R-1")
    assert paid.available_minor_units == 700
    assert (await wallets.balance(other))[0] == 300
    found = await wallets.ask("GetTransfer", me.principal, transfer_id=transfer.transfer_id)
    assert found.transfer == transfer
    async with wallets.readers.connection(deadline=wallets.clock.monotonic() + 5) as connection:
        cursor = await connection.execute(
            b"select transaction_id from transfer_schedule where transaction_id = $1"
            b" union all select transaction_id from clearing_instruction where transaction_id = $1"
            b" union all select transaction_id from ledger_hold where transaction_id = $1",
            (Uuid(TRANSACTION.decode(transfer.transfer_id)),),
        )
        assert await cursor.fetchall() == []


async def test_a_payment_costs_one_round_trip_more_than_a_ledger_transfer(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    session = wallets.engine.writers[BOOK]._session
    trips: list[str] = []
    read, write = session.read, session.write_and_commit

    async def reading(*arguments: Any, **options: Any) -> Any:
        trips.append("read")
        return await read(*arguments, **options)

    async def writing(*arguments: Any, **options: Any) -> Any:
        trips.append("write")
        return await write(*arguments, **options)

    session.read, session.write_and_commit = reading, writing  # type: ignore[method-assign]
    try:
        await wallets.move(me.account_id, other.account_id, 5)
        ledger, trips[:] = list(trips), []
        await wallets.pay(me, other, 5)
        by_account, trips[:] = list(trips), []
        await wallets.ask(
            "CreateTransfer",
            from_account_id=me.account,
            payee={"phone_number": other.phone},
            amount=cash(5),
        )
        by_phone = list(trips)
    finally:
        session.read, session.write_and_commit = read, write  # type: ignore[method-assign]
    assert by_account == ["read", *ledger], "to judge it"
    assert by_phone == ["read", *by_account]


async def test_a_payee_is_found_by_phone_number(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    paid = await wallets.ask(
        "CreateTransfer",
        me.principal,
        from_account_id=me.account,
        payee={"phone_number": other.phone},
        amount=cash(5),
    )
    assert paid.transfer.to_account_id == other.account
    euros = {"from_account_id": me.account, "payee": {"phone_number": other.phone}}
    opened = await wallets.ask("OpenAccount", me.principal, currency_code="EUR")
    euros["from_account_id"] = opened.account.account_id
    refused = await refusal(wallets.ask("CreateTransfer", amount=cash(5, "EUR"), **euros))
    assert (refused.reason, refused.metadata) == (
        "PAYEE_CURRENCY_UNAVAILABLE",
        {"currency_code": "EUR"},
    )


async def test_a_closed_pocket_is_not_found_by_phone_number(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    await wallets.ask("CloseAccount", other.principal, account_id=other.account)
    fields = {"from_account_id": me.account, "payee": {"phone_number": other.phone}}
    asked = wallets.ask("CreateTransfer", amount=cash(5), **fields)
    assert await reason(asked) == "PAYEE_CURRENCY_UNAVAILABLE"
    again = await wallets.ask("OpenAccount", other.principal, currency_code="CNY")
    paid = await wallets.ask("CreateTransfer", amount=cash(5), **fields)
    assert paid.transfer.to_account_id == again.account.account_id


async def test_a_payee_in_another_book_cannot_be_reached(
    wallets: Wallets, module_database: Database
) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    async with await psycopg_connect(module_database) as connection:
        index = phone_index(wallets.vault, other.phone)
        await connection.execute("update alias set target_book = 2 where value = %s", [index])
    fields = {"payee": {"phone_number": other.phone}}
    asked = wallets.ask("CreateTransfer", from_account_id=me.account, amount=cash(5), **fields)
    assert await reason(asked) == "PAYEE_NOT_FOUND"


async def psycopg_connect(database: Database) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(database.owner_dsn, autocommit=True)


async def test_reasons_not_to_pay_stand_in_order(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    euros = await wallets.person(currency="EUR")
    (fees,) = await wallets.open(code=FEE_INCOME)
    nothing = ACCOUNT.encode(AccountId(new_id(BOOK, wallets.clock)))
    elsewhere = ACCOUNT.encode(AccountId(new_id(77, wallets.clock)))
    unknown_phone = {"phone_number": wallets.new_phone()}

    async def pay(payer: str, payee: dict[str, str], amount: Any) -> str:
        return await reason(
            wallets.ask(
                "CreateTransfer", me.principal, from_account_id=payer, payee=payee, amount=amount
            )
        )

    to_other = {"account_id": other.account}
    assert await pay(nothing, to_other, cash(5)) == "ACCOUNT_NOT_FOUND"
    assert await pay(other.account, {"account_id": me.account}, cash(5)) == "ACCOUNT_NOT_FOUND"
    assert await pay(ACCOUNT.encode(fees), to_other, cash(5)) == "ACCOUNT_NOT_FOUND"
    assert await pay(elsewhere, to_other, cash(5)) == "ACCOUNT_NOT_FOUND"
    assert await pay(me.account, {"account_id": nothing}, cash(5, "EUR")) == "CURRENCY_MISMATCH"
    assert await pay(me.account, {"account_id": nothing}, cash(5)) == "PAYEE_NOT_FOUND"
    assert await pay(me.account, {"account_id": elsewhere}, cash(5)) == "PAYEE_NOT_FOUND"
    assert await pay(me.account, {"account_id": ACCOUNT.encode(fees)}, cash(5)) == "PAYEE_NOT_FOUND"
    assert await pay(me.account, unknown_phone, cash(5)) == "PAYEE_NOT_FOUND"
    assert await pay(me.account, {"account_id": me.account}, cash(5)) == "PAYER_IS_PAYEE"
    assert await pay(me.account, {"phone_number": me.phone}, cash(5)) == "PAYER_IS_PAYEE"
    assert (
        await pay(me.account, {"account_id": euros.account}, cash(5))
        == "PAYEE_CURRENCY_UNAVAILABLE"
    )
    refused = await refusal(wallets.pay(me, other, 101))
    assert (refused.reason, refused.metadata) == (
        "INSUFFICIENT_FUNDS",
        {"available_minor_units": "100", "currency_code": "CNY"},
    )
    assert (await wallets.balance(me))[0] == 100


async def test_a_ceiling_bounds_what_is_received(wallets: Wallets) -> None:
    me = await wallets.person(funds=100)
    (small,) = await wallets.open(ceiling=50)
    asked = wallets.ask(
        "CreateTransfer",
        from_account_id=me.account,
        payee={"account_id": ACCOUNT.encode(small)},
        amount=cash(51),
    )
    assert await reason(asked) == "BALANCE_CEILING_EXCEEDED"


async def test_fifty_calls_with_one_request_id_pay_once(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    request_id = wallets.new_request_id()
    replies = await asyncio.gather(
        *(wallets.pay(me, other, 10, request_id=request_id) for _ in range(50))
    )
    assert all(reply == replies[0] for reply in replies)
    assert await wallets.balance(other) == (10, 10, 0, 0)


# -- batches -----------------------------------------------------------------------------------


async def test_a_payroll_answers_each_item(wallets: Wallets) -> None:
    boss = await wallets.person(funds=100)
    staff = [await wallets.person() for _ in range(3)]
    nothing = ACCOUNT.encode(AccountId(new_id(BOOK, wallets.clock)))
    items: list[dict[str, Any]] = [
        {"payee": {"account_id": staff[0].account}, "amount": cash(30)},
        {"payee": {"account_id": nothing}, "amount": cash(30)},
        {"payee": {"phone_number": staff[1].phone}, "amount": cash(30), "reference": "May"},
        {"payee": {"account_id": staff[2].account}, "amount": cash(41)},
        {"payee": {"account_id": boss.account}, "amount": cash(1)},
        {"payee": {"account_id": staff[2].account}, "amount": cash(5, "EUR")},
        {"payee": {"account_id": staff[2].account}, "amount": cash(40)},
    ]
    reply = await wallets.ask(
        "BatchTransfers", boss.principal, from_account_id=boss.account, items=items
    )
    assert [each.reason for each in reply.results] == [
        reasons.ERROR_REASON_UNSPECIFIED,
        reasons.ERROR_REASON_PAYEE_NOT_FOUND,
        reasons.ERROR_REASON_UNSPECIFIED,
        reasons.ERROR_REASON_INSUFFICIENT_FUNDS,
        reasons.ERROR_REASON_PAYER_IS_PAYEE,
        reasons.ERROR_REASON_CURRENCY_MISMATCH,
        reasons.ERROR_REASON_UNSPECIFIED,
    ]
    assert dict(reply.results[3].reason_metadata)["available_minor_units"] == "40"
    assert reply.available_minor_units == 0
    assert [(await wallets.balance(each))[0] for each in staff] == [30, 30, 40]
    for result in reply.results:
        if result.transfer_id:
            found = await wallets.ask("GetTransfer", transfer_id=result.transfer_id)
            assert found.transfer.state == COMPLETED


async def test_a_batch_from_anothers_account_is_refused_whole(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person(funds=100)
    item = {"payee": {"account_id": me.account}, "amount": cash(30)}
    asked = wallets.ask("BatchTransfers", me.principal, from_account_id=other.account, items=[item])
    assert await reason(asked) == "ACCOUNT_NOT_FOUND"


async def test_a_thousand_payees_are_one_batch(wallets: Wallets) -> None:
    boss = await wallets.person(funds=10_000)
    payees = await wallets.open(10)
    items = [
        {"payee": {"account_id": ACCOUNT.encode(payees[n % 10])}, "amount": cash(10)}
        for n in range(1_000)
    ]
    before = wallets.engine.writers[BOOK].stats.batch_count
    reply = await wallets.ask("BatchTransfers", from_account_id=boss.account, items=items)
    assert wallets.engine.writers[BOOK].stats.batch_count == before + 1
    assert all(result.transfer_id for result in reply.results)
    assert reply.available_minor_units == 0


# -- payees ------------------------------------------------------------------------------------


async def test_a_payee_is_shown_masked(wallets: Wallets) -> None:
    me, other = await wallets.person(), await wallets.person("王小明")
    for payee in ({"account_id": other.account}, {"phone_number": other.phone}):
        found = await wallets.ask("LookupPayee", me.principal, payee=payee, currency_code="CNY")
        assert (found.masked_name, found.account_id) == ("*明", other.account)


async def test_unknown_and_unreachable_payees_look_the_same(wallets: Wallets) -> None:
    me, closed, frozen = [await wallets.person() for _ in range(3)]
    await wallets.ask("CloseAccount", account_id=closed.account)
    await wallets.ask("FreezeAccount", account_id=frozen.account)
    (fees,) = await wallets.open(code=FEE_INCOME)
    nothing = ACCOUNT.encode(AccountId(new_id(BOOK, wallets.clock)))
    elsewhere = ACCOUNT.encode(AccountId(new_id(77, wallets.clock)))
    answers = set()
    for payee in (
        {"account_id": nothing},
        {"account_id": elsewhere},
        {"account_id": closed.account},
        {"account_id": frozen.account},
        {"account_id": ACCOUNT.encode(fees)},
        {"phone_number": wallets.new_phone()},
        {"phone_number": frozen.phone},
    ):
        refused = await refusal(
            wallets.ask("LookupPayee", me.principal, payee=payee, currency_code="CNY")
        )
        answers.add((refused.reason, refused.message, tuple(refused.metadata)))
    assert answers == {("PAYEE_NOT_FOUND", "no payee can be reached by this", ())}


async def test_payees_that_cannot_be_looked_up(wallets: Wallets) -> None:
    me, other = await wallets.person(), await wallets.person()
    for payee in ({"account_id": other.account}, {"phone_number": other.phone}):
        asked = wallets.ask("LookupPayee", me.principal, payee=payee, currency_code="EUR")
        assert await reason(asked) == "PAYEE_CURRENCY_UNAVAILABLE"
    bad = wallets.ask(
        "LookupPayee", me.principal, payee={"phone_number": "+1000000"}, currency_code="CNY"
    )
    assert await reason(bad) == "PHONE_NUMBER_INVALID"


async def test_customers_see_payees_of_their_own_book_only(wallets: Wallets) -> None:
    other = await wallets.person()
    stranger = type(SERVICE)(
        kind="customer",
        subject="s",
        scopes=frozenset(),
        customer_id=new_id(7, wallets.clock),  # type: ignore[arg-type]
        token_id="t",
    )
    payee = {"account_id": other.account}
    asked = wallets.ask("LookupPayee", stranger, payee=payee, currency_code="CNY")
    assert await reason(asked) == "PAYEE_NOT_FOUND"


# -- ownership ---------------------------------------------------------------------------------


async def test_a_transfer_is_seen_by_payer_and_payee_alone(wallets: Wallets) -> None:
    me, other, third = [await wallets.person(funds=100) for _ in range(3)]
    paid = await wallets.pay(me, other, 10, description="for both", reference="mine")
    fields = {"transfer_id": paid.transfer.transfer_id}
    seen = await wallets.ask("GetTransfer", other.principal, **fields)
    assert (seen.transfer.description, seen.transfer.reference) == ("for both", "")
    seen = await wallets.ask("GetTransfer", me.principal, **fields)
    assert seen.transfer.reference == "mine"
    seen = await wallets.ask("GetTransfer", SERVICE, **fields)
    assert seen.transfer.reference == "mine"
    nothing = TRANSACTION.encode(TransactionId(new_id(BOOK, wallets.clock)))
    hidden = await refusal(wallets.ask("GetTransfer", third.principal, **fields))
    absent = await refusal(wallets.ask("GetTransfer", third.principal, transfer_id=nothing))
    for refused, transfer_id in ((hidden, fields["transfer_id"]), (absent, nothing)):
        assert (refused.reason, refused.message) == ("TRANSFER_NOT_FOUND", "no such transfer")
        assert refused.metadata == {"transfer_id": transfer_id}


@pytest.mark.parametrize("method", ["ReleaseTransfer", "CancelTransfer"])
async def test_only_the_payer_changes_a_transfer(wallets: Wallets, method: str) -> None:
    me, other, third = [await wallets.person(funds=100) for _ in range(3)]
    paid = await wallets.pay(me, other, 10, delay=TWO_HOURS)
    fields = {"transfer_id": paid.transfer.transfer_id}
    nothing = {"transfer_id": TRANSACTION.encode(TransactionId(new_id(BOOK, wallets.clock)))}
    elsewhere = {"transfer_id": TRANSACTION.encode(TransactionId(new_id(77, wallets.clock)))}
    for principal in (other.principal, third.principal):
        assert await reason(wallets.ask(method, principal, **fields)) == "TRANSFER_NOT_FOUND"
    for absent in (nothing, elsewhere):
        assert await reason(wallets.ask(method, me.principal, **absent)) == "TRANSFER_NOT_FOUND"
    await wallets.ask(method, me.principal, **fields)


async def test_what_the_ledger_booked_is_no_transfer(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    plain = await wallets.move(me.account_id, other.account_id, 5)
    asked = wallets.ask("GetTransfer", transfer_id=TRANSACTION.encode(plain))
    assert await reason(asked) == "TRANSFER_NOT_FOUND"
    asked = wallets.ask("CancelTransfer", transfer_id=TRANSACTION.encode(plain))
    assert await reason(asked) == "TRANSFER_NOT_FOUND"


# -- delay -------------------------------------------------------------------------------------


async def test_a_delayed_transfer_waits_and_is_paid(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    now_us = wallets.clock.now_us()
    paid = await wallets.pay(me, other, 60, delay=TWO_HOURS, description="rent", reference="r")
    transfer = paid.transfer
    assert transfer.state == SCHEDULED
    assert transfer.due_time.ToMicroseconds() == now_us + 2 * 3_600_000_000
    assert paid.available_minor_units == 40
    assert await wallets.balance(me) == (100, 40, 60, 0)
    assert await wallets.balance(other) == (0, 0, 0, 60)
    await wallets.jobs.run_once()
    assert await state(wallets, transfer) == SCHEDULED
    wallets.clock.advance(2 * 3600)
    await wallets.jobs.run_once()
    assert await state(wallets, transfer) == COMPLETED
    assert await wallets.balance(me) == (40, 40, 0, 0)
    assert await wallets.balance(other) == (60, 60, 0, 0)
    lines = await wallets.ask("ListTransactions", other.principal, account_id=other.account)
    assert [(line.description, line.reference) for line in lines.movements] == [
        ("rent", ""),
        ("rent", ""),
    ]
    changes = [
        event_pb2.TransferStateChange.FromString(payload)
        for type_, payload in await wallets.events(TRANSACTION.decode(transfer.transfer_id))
        if type_ == event_pb2.EVENT_TYPE_TRANSFER_STATE_CHANGED
    ]
    assert [(change.transfer_id, change.state) for change in changes] == [
        (transfer.transfer_id, "SCHEDULED"),
        (transfer.transfer_id, "COMPLETED"),
    ]


async def test_the_next_day_begins_at_midnight_in_the_banks_zone(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    paid = await wallets.pay(me, other, 60, delay=NEXT_DAY)
    now = from_microseconds(wallets.clock.now_us()).astimezone(SHANGHAI)
    due = from_microseconds(paid.transfer.due_time.ToMicroseconds()).astimezone(SHANGHAI)
    assert due.time() == dt.time()
    assert due.date() == now.date() + dt.timedelta(days=1)
    wallets.clock.set_us(paid.transfer.due_time.ToMicroseconds() - 1)
    await wallets.jobs.run_once()
    assert await state(wallets, paid.transfer) == SCHEDULED
    wallets.clock.advance(0.000_001)
    await wallets.jobs.run_once()
    assert await state(wallets, paid.transfer) == COMPLETED


async def test_a_held_transfer_waits_for_the_bank(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 60, delay=TWO_HOURS)).transfer
    fields = {"transfer_id": transfer.transfer_id}
    held = await wallets.ask("HoldTransfer", STAFF, reason_text="looks odd", **fields)
    assert held.transfer.state == HELD
    wallets.clock.advance(3 * 3600)
    await wallets.jobs.run_once()
    assert await state(wallets, transfer) == HELD
    refused = await refusal(wallets.ask("HoldTransfer", STAFF, **fields))
    assert (refused.reason, refused.metadata) == ("TRANSFER_STATE_CONFLICT", {"state": "HELD"})
    own = wallets.ask("ReleaseTransfer", me.principal, **fields)
    assert await reason(own) == "TRANSFER_STATE_CONFLICT"
    released = await wallets.ask("ReleaseTransfer", STAFF, **fields)
    assert released.transfer.state == COMPLETED
    assert (await wallets.balance(other))[0] == 60
    for method in ("HoldTransfer", "ReleaseTransfer", "CancelTransfer"):
        asked = wallets.ask(method, STAFF, **fields)
        assert await reason(asked) == "TRANSFER_ALREADY_COMPLETED"


async def test_a_held_transfer_can_be_taken_back(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 60, delay=TWO_HOURS)).transfer
    fields = {"transfer_id": transfer.transfer_id}
    await wallets.ask("HoldTransfer", STAFF, **fields)
    cancelled = await wallets.ask("CancelTransfer", me.principal, **fields)
    assert cancelled.transfer.state == CANCELLED
    assert await wallets.balance(me) == (100, 100, 0, 0)
    for method in ("HoldTransfer", "ReleaseTransfer", "CancelTransfer"):
        asked = wallets.ask(method, STAFF, **fields)
        assert await reason(asked) == "TRANSFER_ALREADY_CANCELLED"


async def test_a_payer_releases_early(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 60, delay=NEXT_DAY)).transfer
    released = await wallets.ask("ReleaseTransfer", me.principal, transfer_id=transfer.transfer_id)
    assert released.transfer.state == COMPLETED
    assert released.transfer.due_time == transfer.due_time


async def test_real_time_transfers_cannot_be_changed(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 60)).transfer
    for method in ("HoldTransfer", "ReleaseTransfer", "CancelTransfer"):
        asked = wallets.ask(method, STAFF, transfer_id=transfer.transfer_id)
        assert await reason(asked) == "TRANSFER_ALREADY_COMPLETED"


async def test_changes_are_repeated_without_harm(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    for method in ("HoldTransfer", "ReleaseTransfer", "CancelTransfer"):
        transfer = (await wallets.pay(me, other, 10, delay=TWO_HOURS)).transfer
        fields = {"transfer_id": transfer.transfer_id, "request_id": wallets.new_request_id()}
        first = await wallets.ask(method, STAFF, **fields)
        assert await wallets.ask(method, STAFF, **fields) == first
        assert wallets.replayed


async def test_cancel_release_and_time_meet_in_one_truth(
    wallets: Wallets, module_database: Database
) -> None:
    """Whoever comes first decides; money is neither lost nor paid twice, in two processes."""
    me, other = await wallets.person(funds=1000), await wallets.person()
    clock = wallets.clock
    made = [(await wallets.pay(me, other, 10, delay=TWO_HOURS)).transfer for _ in range(30)]
    async with open_wallets(module_database.app_dsn, clock) as second:
        clock.advance(2 * 3600)
        changes = [
            process.ask(method, me.principal, transfer_id=transfer.transfer_id)
            for transfer in made
            for process, method in ((wallets, "CancelTransfer"), (second, "ReleaseTransfer"))
        ]
        results, *_ = await asyncio.gather(
            asyncio.gather(*changes, return_exceptions=True),
            wallets.jobs.run_once(),
            second.jobs.run_once(),
        )
    for result in results:
        if isinstance(result, BaseException):
            assert isinstance(result, Refusal), result
            assert result.reason in {"TRANSFER_ALREADY_COMPLETED", "TRANSFER_ALREADY_CANCELLED"}
    await wallets.jobs.run_once()
    states = [await state(wallets, transfer) for transfer in made]
    assert set(states) <= {COMPLETED, CANCELLED}
    paid = 10 * states.count(COMPLETED)
    assert await wallets.balance(me) == (1000 - paid, 1000 - paid, 0, 0)
    assert await wallets.balance(other) == (paid, paid, 0, 0)
    by_kind = dict.fromkeys(PostingKind, 0)
    async with wallets.readers.connection(deadline=clock.monotonic() + 5) as connection:
        cursor = await connection.execute(
            b"select kind, count(*) from ledger_posting where book = 1 and credit_account_id ="
            b" $1 group by kind",
            (Uuid(other.account_id),),
        )
        by_kind |= {PostingKind(kind): count for kind, count in await cursor.fetchall()}
    assert by_kind[PostingKind.CAPTURE] == states.count(COMPLETED)
    assert by_kind[PostingKind.VOID] == states.count(CANCELLED)


async def test_money_the_ledger_decided_on_decides_the_transfer(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    for kind, expected, code in (
        (PostingKind.CAPTURE, COMPLETED, ""),
        (PostingKind.VOID, FAILED, "PENDING_POSTING_VOIDED"),
    ):
        transfer = (await wallets.pay(me, other, 10, delay=TWO_HOURS)).transfer
        await wallets.settle(TRANSACTION.decode(transfer.transfer_id), kind)
        for _ in range(2):
            found = await wallets.ask("GetTransfer", transfer_id=transfer.transfer_id)
            assert (found.transfer.state, found.transfer.failure_code) == (expected, code)
            wallets.clock.advance(2 * 3600)
            await wallets.jobs.run_once()


async def test_a_transfer_whose_hold_ran_out_has_failed(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    held = (await wallets.pay(me, other, 10, delay=NEXT_DAY)).transfer
    await wallets.ask("HoldTransfer", STAFF, transfer_id=held.transfer_id)
    late = (await wallets.pay(me, other, 20, delay=NEXT_DAY)).transfer
    wallets.clock.advance(402 * 86_400)
    asked = wallets.ask("ReleaseTransfer", STAFF, transfer_id=held.transfer_id)
    refused = await refusal(asked)
    assert (refused.reason, refused.metadata) == ("TRANSFER_STATE_CONFLICT", {"state": "FAILED"})
    await wallets.jobs.run_once()
    for transfer in (held, late):
        found = await wallets.ask("GetTransfer", transfer_id=transfer.transfer_id)
        assert found.transfer.state == FAILED
        assert found.transfer.failure_code == "PENDING_POSTING_EXPIRED"
    assert await wallets.balance(me) == (100, 100, 0, 0)


async def test_a_capture_that_the_ledger_refuses_gives_the_money_back(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 10, delay=TWO_HOURS)).transfer
    book = posting.book_posting

    def refusing(working_set: Any, intent: Any) -> Any:
        if intent.kind == PostingKind.CAPTURE:
            raise Refusal("CREDIT_ACCOUNT_CLOSED", "the account to credit is closed")
        return book(working_set, intent)

    monkeypatch.setattr(settlement, "book_posting", refusing)
    own = wallets.ask("ReleaseTransfer", me.principal, transfer_id=transfer.transfer_id)
    assert await reason(own) == "CREDIT_ACCOUNT_CLOSED"
    assert await state(wallets, transfer) == SCHEDULED
    wallets.clock.advance(2 * 3600)
    await wallets.jobs.run_once()
    found = await wallets.ask("GetTransfer", transfer_id=transfer.transfer_id)
    assert found.transfer.state == FAILED
    assert found.transfer.failure_code == "CREDIT_ACCOUNT_CLOSED"
    assert await wallets.balance(me) == (100, 100, 0, 0)


async def test_a_frozen_payee_still_gets_what_was_on_its_way(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    transfer = (await wallets.pay(me, other, 10, delay=TWO_HOURS)).transfer
    await wallets.set_state(other.account_id, AccountState.FROZEN)
    wallets.clock.advance(2 * 3600)
    await wallets.jobs.run_once()
    assert await state(wallets, transfer) == COMPLETED


# -- lists -------------------------------------------------------------------------------------


async def test_transfers_are_listed_newest_first_and_by_state(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person(funds=100)
    made = []
    for number in range(6):
        wallets.clock.advance(60)
        delay = TWO_HOURS if number % 3 == 2 else REAL_TIME
        made.append((await wallets.pay(me, other, 10 + number, delay=delay)).transfer)
    await wallets.ask("CancelTransfer", me.principal, transfer_id=made[5].transfer_id)
    back = (await wallets.pay(other, me, 7, reference="theirs")).transfer
    await wallets.move(me.account_id, other.account_id, 1)
    whole = await wallets.ask("ListTransfers", me.principal, account_id=me.account)
    ids = [transfer.transfer_id for transfer in whole.transfers]
    expected = [back, *reversed(made)]
    assert ids[:-1] == [transfer.transfer_id for transfer in expected]
    assert whole.transfers[-1].kind == pb.TRANSFER_KIND_TOP_UP
    assert not whole.next_page_token
    assert whole.transfers[0].reference == ""
    listed: list[str] = []
    token = ""
    while True:
        page = await wallets.ask(
            "ListTransfers", me.principal, account_id=me.account, page_size=3, page_token=token
        )
        listed += [transfer.transfer_id for transfer in page.transfers]
        token = page.next_page_token
        if not token:
            break
    assert listed == ids
    for wanted, found in (
        ([SCHEDULED], [made[2]]),
        ([CANCELLED], [made[5]]),
        ([SCHEDULED, CANCELLED], [made[5], made[2]]),
        ([FAILED], []),
    ):
        page = await wallets.ask(
            "ListTransfers", me.principal, account_id=me.account, states=wanted
        )
        assert [t.transfer_id for t in page.transfers] == [t.transfer_id for t in found]
    page = await wallets.ask(
        "ListTransfers",
        me.principal,
        account_id=me.account,
        from_time=made[1].create_time,
        to_time=made[3].create_time,
    )
    assert [t.transfer_id for t in page.transfers] == [made[2].transfer_id, made[1].transfer_id]


async def test_lists_refuse_what_makes_no_sense(wallets: Wallets) -> None:
    me = await wallets.person(funds=1000)
    fields = {"account_id": me.account}
    now = from_microseconds(wallets.clock.now_us())
    for method in ("ListTransfers", "ListTransactions"):
        asked = wallets.ask(method, from_time=now, to_time=now, **fields)
        assert await reason(asked) == "TIME_RANGE_INVALID"
        asked = wallets.ask(method, page_token="forged", **fields)
        assert await reason(asked) == "INVALID_PAGE_TOKEN"


# -- clearing ----------------------------------------------------------------------------------


async def test_a_top_up_is_credited_at_once(wallets: Wallets) -> None:
    me = await wallets.person()
    topped = await wallets.ask(
        "TopUp",
        me.principal,
        account_id=me.account,
        amount=cash(500),
        bank_account="6222 0212 3456 7890",
        description="pay day",
        reference="mine",
    )
    clearing = ACCOUNT.encode(system_account_id(BOOK, "CNY", BANK_CLEARING))
    transfer = topped.transfer
    assert (transfer.kind, transfer.state) == (pb.TRANSFER_KIND_TOP_UP, COMPLETED)
    assert (transfer.from_account_id, transfer.to_account_id) == (clearing, me.account)
    assert topped.available_minor_units == 500
    listed = await wallets.ask("ListTransfers", me.principal, account_id=me.account)
    assert [each.reference for each in listed.transfers] == ["mine"]
    found = await wallets.ask("GetTransfer", me.principal, transfer_id=transfer.transfer_id)
    assert found.transfer == transfer
    for method in ("HoldTransfer", "CancelTransfer"):
        asked = wallets.ask(method, STAFF, transfer_id=transfer.transfer_id)
        assert await reason(asked) == "TRANSFER_ALREADY_COMPLETED"


async def test_the_clearing_account_is_opened_with_its_first_use(wallets: Wallets) -> None:
    me = await wallets.person(currency="KWD")
    clearing = system_account_id(BOOK, "KWD", BANK_CLEARING)
    await asyncio.gather(*(wallets.top_up(me, 5, currency="KWD") for _ in range(10)))
    events = await wallets.events(clearing)
    assert [type_ for type_, _ in events] == [event_pb2.EVENT_TYPE_ACCOUNT_OPENED]
    assert (await wallets.balance(me))[0] == 50


async def test_what_cannot_be_topped_up_or_withdrawn(wallets: Wallets) -> None:
    me = await wallets.person(funds=100)
    base = {"account_id": me.account, "amount": cash(5), "bank_account": "6222"}
    for method in ("TopUp", "Withdraw"):
        for changes, expected in (
            ({"amount": cash(5, "EUR")}, "CURRENCY_MISMATCH"),
            ({"amount": cash(5, "ZZZ")}, "CURRENCY_MISMATCH"),
            ({"bank_account": "账号"}, "CLEARING_REFUSED"),
        ):
            assert await reason(wallets.ask(method, **(base | changes))) == expected
    over = wallets.ask("Withdraw", **(base | {"amount": cash(101)}))
    assert await reason(over) == "INSUFFICIENT_FUNDS"
    await wallets.ask("FreezeAccount", account_id=me.account)
    assert await reason(wallets.ask("TopUp", **base)) == "CREDIT_ACCOUNT_FROZEN"
    assert await reason(wallets.ask("Withdraw", **base)) == "DEBIT_ACCOUNT_FROZEN"
    await wallets.ask("UnfreezeAccount", account_id=me.account)
    await wallets.ask("Withdraw", **(base | {"amount": cash(100)}))
    await wallets.jobs.run_once()
    await wallets.ask("CloseAccount", account_id=me.account)
    assert await reason(wallets.ask("Withdraw", **base)) == "DEBIT_ACCOUNT_CLOSED"
    (small,) = await wallets.open(ceiling=50)
    over = wallets.ask(
        "TopUp", **(base | {"account_id": ACCOUNT.encode(small), "amount": cash(51)})
    )
    assert await reason(over) == "BALANCE_CEILING_EXCEEDED"


async def test_a_withdrawal_is_held_until_the_clearing_confirms(wallets: Wallets) -> None:
    me = await wallets.person(funds=100)
    asked = await wallets.ask(
        "Withdraw", me.principal, account_id=me.account, amount=cash(70), bank_account="6222"
    )
    transfer = asked.transfer
    assert (transfer.kind, transfer.state) == (pb.TRANSFER_KIND_WITHDRAWAL, PROCESSING)
    assert asked.available_minor_units == 30
    assert await wallets.balance(me) == (100, 30, 70, 0)
    for method in ("HoldTransfer", "ReleaseTransfer", "CancelTransfer"):
        refused = await refusal(wallets.ask(method, STAFF, transfer_id=transfer.transfer_id))
        assert (refused.reason, refused.metadata) == (
            "TRANSFER_STATE_CONFLICT",
            {"state": "PROCESSING"},
        )
    await wallets.jobs.run_once()
    assert await state(wallets, transfer) == COMPLETED
    assert await wallets.balance(me) == (30, 30, 0, 0)


async def test_a_withdrawal_that_the_clearing_refuses_fails(wallets: Wallets) -> None:
    me = await wallets.person(funds=100)
    asked = await wallets.ask(
        "Withdraw", account_id=me.account, amount=cash(70), bank_account="REFUSE-AC04"
    )
    await wallets.jobs.run_once()
    found = await wallets.ask("GetTransfer", transfer_id=asked.transfer.transfer_id)
    assert (found.transfer.state, found.transfer.failure_code) == (FAILED, "AC04")
    assert await wallets.balance(me) == (100, 100, 0, 0)


async def test_a_top_up_that_the_clearing_refuses_is_reversed(wallets: Wallets) -> None:
    me = await wallets.person()
    asked = await wallets.ask(
        "TopUp", account_id=me.account, amount=cash(70), bank_account="REFUSE-AM04"
    )
    await wallets.jobs.run_once()
    found = await wallets.ask("GetTransfer", transfer_id=asked.transfer.transfer_id)
    assert (found.transfer.state, found.transfer.failure_code) == (FAILED, "AM04")
    assert await wallets.balance(me) == (0, 0, 0, 0)
    listed = await wallets.ask("ListTransfers", me.principal, account_id=me.account)
    assert [transfer.state for transfer in listed.transfers] == [FAILED]


async def test_a_refused_top_up_that_was_spent_is_left_for_people(
    wallets: Wallets, module_database: Database
) -> None:
    me, other = await wallets.person(), await wallets.person()
    asked = await wallets.ask(
        "TopUp", account_id=me.account, amount=cash(70), bank_account="REFUSE-AM04"
    )
    await wallets.pay(me, other, 50)
    await wallets.jobs.run_once()
    assert await state(wallets, asked.transfer) == COMPLETED
    assert (await wallets.balance(me))[0] == 20
    async with await psycopg_connect(module_database) as connection:
        cursor = await connection.execute(
            "select state, clearing_code from clearing_instruction where transaction_id = %s",
            [asked.transfer.transfer_id.removeprefix("txn_")],
        )
        assert await cursor.fetchone() == (5, "AM04")


async def test_a_top_up_reversed_before_the_refusal_is_not_reversed_again(
    wallets: Wallets,
) -> None:
    me = await wallets.person()
    asked = await wallets.ask(
        "TopUp", account_id=me.account, amount=cash(70), bank_account="REFUSE-AM04"
    )
    await wallets.reverse(TRANSACTION.decode(asked.transfer.transfer_id))
    await wallets.jobs.run_once()
    assert await state(wallets, asked.transfer) == FAILED
    assert await wallets.balance(me) == (0, 0, 0, 0)


def test_codes_are_the_servers_own() -> None:
    assert min(PostingCode) > 32_000
    assert max(PostingCode) <= 32_767
    assert Actor(None).is_bank
