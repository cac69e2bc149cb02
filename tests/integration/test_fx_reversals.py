"""Conversions taken back through the RPCs: at their own rate, at today's, once; and positions
that are to be hedged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from longmen.accounts.v1 import wallet_pb2
from longmen.events.v1 import event_pb2
from longmen.fx.v1 import quote_pb2
from longmen_server.fx import policy
from tests.support.exchange import converted, feed, pocket, with_rates
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.small_bank import (
    BY_NAME,
    SERVICE,
    SmallBank,
    cash,
    open_small_bank,
    reply_class,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

DAY_S = 86_400
FUNDS = 100_000


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("fx")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """A traveller with CNY 1,000."""
    person = await bank.person()
    await with_rates(bank, person)
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(FUNDS - 10_000),
        bank_account="6222021234567890",
    )
    return person


async def reverse(bank: SmallBank, conversion_id: str, **fields: Any) -> Any:
    name = "ConversionsService/ReverseConversion"
    return (await bank.do(name, conversion_id=conversion_id, **fields)).conversion


async def refused(bank: SmallBank, conversion_id: str, token: str = SERVICE, **fields: Any) -> Told:
    method = BY_NAME["ConversionsService/ReverseConversion"]
    request: Any = method.request_class(
        conversion_id=conversion_id, request_id=bank.new_request_id(), **fields
    )
    return await bank.refused(method, request, token)


async def positions(bank: SmallBank) -> dict[str, tuple[int, int]]:
    found = (await bank.do("PositionsService/ListPositions")).positions
    return {one.currency_code: (one.amount_minor_units, one.cost_minor_units) for one in found}


async def balances(bank: SmallBank) -> dict[tuple[str, int], int]:
    """What is booked, by currency and line of the chart."""
    found = (await bank.do("LedgerService/GetTrialBalance")).lines
    return {
        (one.currency_code, one.chart_code): one.credits_posted - one.debits_posted
        for one in found
        if one.credits_posted - one.debits_posted
    }


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def test_at_its_own_rate_nothing_is_left_of_a_conversion(
    bank: SmallBank, owner: Person
) -> None:
    dollars, baht = await pocket(bank, owner, "USD"), await pocket(bank, owner, "THB")
    await converted(bank, owner, amount=50_000)
    before = await balances(bank)
    made = (
        await bank.do(
            "ConversionsService/Convert",
            from_account_id=dollars,
            to_account_id=baht,
            amount=cash(5_001, "USD"),
            counter_currency_code="THB",
        )
    ).conversion
    assert made.exchange.fee.minor_units
    assert await balances(bank) != before
    token = bank.token("customer", owner)
    back = await reverse(bank, made.conversion_id)
    assert await balances(bank) == before
    assert back.reversal.basis == quote_pb2.REVERSAL_BASIS_ORIGINAL
    assert back.reversal.taken_amount == made.exchange.target_amount
    assert back.reversal.returned_amount == made.exchange.source_amount
    assert back.reversal.mid == made.mid
    seen = await bank.do(
        "ConversionsService/GetConversion", token, conversion_id=made.conversion_id
    )
    assert seen.conversion == back
    again = await refused(bank, made.conversion_id)
    assert (again.reason, again.metadata["transaction_id"]) == (
        "FX_CONVERSION_REVERSED",
        back.reversal.transaction_id,
    )
    ledger = BY_NAME["LedgerService/ReverseTransaction"]
    raw: Any = ledger.request_class(
        transaction_id=made.transaction_id, request_id=bank.new_request_id()
    )
    assert (await bank.refused(ledger, raw, SERVICE)).reason == "ALREADY_REVERSED"
    events = await bank.do(
        "EventsService/ListEvents",
        types=[event_pb2.EVENT_TYPE_FX_CONVERSION_REVERSED],
        page_size=1000,
    )
    assert events.events[-1].fx_conversion_reversed.customer_id == owner.customer


async def test_what_the_ledger_took_back_is_not_taken_back_again(
    bank: SmallBank, owner: Person
) -> None:
    made = await converted(bank, owner)
    raw = await bank.do("LedgerService/ReverseTransaction", transaction_id=made.transaction_id)
    told = await refused(bank, made.conversion_id)
    assert told.reason == "FX_CONVERSION_REVERSED"
    assert told.metadata["transaction_id"] == raw.transaction.transaction_id


async def test_later_it_is_exchanged_back_at_todays_rate(bank: SmallBank, owner: Person) -> None:
    made = await converted(bank, owner, amount=50_000)
    before = await positions(bank)
    now = bank.parts.clock.now_us() // 1_000_000
    await bank.do("AdminService/SetClock", time={"seconds": now + DAY_S + 1})
    day = "2026-11-05"
    await bank.do(
        "RatesService/ImportRates", content=feed(("USD", "1.12"), ("CNY", "7.50"), day=day)
    )
    late = await refused(bank, made.conversion_id, basis=quote_pb2.REVERSAL_BASIS_ORIGINAL)
    assert late.reason == "FX_REVERSAL_TOO_LATE"
    made_us = made.create_time.seconds * 1_000_000 + made.create_time.nanos // 1_000
    assert int(late.metadata["until_us"]) == made_us + DAY_S * 1_000_000
    back = (await reverse(bank, made.conversion_id)).reversal
    # 500.00 CNY gave 74.85 USD; at 7.50 / 1.12 they are 501.227 CNY.
    assert (back.basis, back.mid) == (quote_pb2.REVERSAL_BASIS_TODAY, "0.149333333333")
    assert back.taken_amount.minor_units == 7_485
    assert back.returned_amount.minor_units == 50_122
    assert await posted(bank, owner.account) == FUNDS + 122
    after = await positions(bank)
    assert after["USD"][0] - before["USD"][0] == 7_485
    assert after["USD"][1] - before["USD"][1] == 50_122
    whole = await bank.do("LedgerService/GetTransaction", transaction_id=back.transaction_id)
    assert not whole.transaction.postings[0].reverses_transaction_id
    assert (await refused(bank, made.conversion_id)).reason == "FX_CONVERSION_REVERSED"


async def test_what_was_spent_is_not_taken_back(bank: SmallBank, owner: Person) -> None:
    made = await converted(bank, owner, amount=10_000)
    other = await pocket(bank, await bank.person(), "USD")
    await bank.do(
        "TransfersService/CreateTransfer",
        from_account_id=made.to_account_id,
        payee={"account_id": other},
        amount=cash(1, "USD"),
    )
    before = bank.contents(but=frozenset({"request_record"}))
    for basis in (quote_pb2.REVERSAL_BASIS_ORIGINAL, quote_pb2.REVERSAL_BASIS_TODAY):
        assert (await refused(bank, made.conversion_id, basis=basis)).reason == "INSUFFICIENT_FUNDS"
    assert bank.contents(but=frozenset({"request_record"})) == before
    for nowhere in (elsewhere(made.conversion_id), of_foreign_book(made.conversion_id)):
        assert (await refused(bank, nowhere)).reason == "FX_CONVERSION_NOT_FOUND"


async def test_staff_take_a_conversion_back_by_two(bank: SmallBank, owner: Person) -> None:
    made = await converted(bank, owner)
    maker, checker = (bank.token_of("staff", name) for name in ("amy", "ben"))
    assert (await refused(bank, made.conversion_id, maker)).reason == "APPROVAL_REQUIRED"
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval",
        maker,
        command={
            "reverse_conversion": {
                "conversion_id": made.conversion_id,
                "request_id": bank.new_request_id(),
            }
        },
        reason_text="the customer was misled",
    )
    await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=proposed.approval.approval_id,
        payload_hash=proposed.approval.payload_hash,
    )
    assert (await refused(bank, made.conversion_id)).reason == "FX_CONVERSION_REVERSED"
    assert await posted(bank, owner.account) == FUNDS


async def test_histories_and_the_export_know_exchanges(bank: SmallBank, owner: Person) -> None:
    baht = await pocket(bank, owner, "THB")
    made = (
        await bank.do(
            "ConversionsService/Convert",
            from_account_id=owner.account,
            to_account_id=baht,
            amount=cash(50_000),
            counter_currency_code="THB",
        )
    ).conversion
    found = await bank.do(
        "AccountsService/ListTransactions",
        account_id=owner.account,
        kinds=[wallet_pb2.MOVEMENT_KIND_EXCHANGE],
    )
    fee, charge = found.movements
    assert charge.amount.minor_units + fee.amount.minor_units == 50_000
    rate = f"1 CNY = {made.client_rate[:8]}"
    assert charge.description.startswith(rate)
    assert charge.description.endswith(f" THB, fee {fee.amount.minor_units / 100:.2f} CNY")
    assert fee.description == "fee 20 bp of 500.00 CNY"
    token = bank.token("customer", owner)
    method = BY_NAME["ProfileService/ExportMyData"]
    export = await bank.call(method, method.request_class(), token)
    records: Any = [reply_class(method).FromString(one) for one in export.messages]
    (kept,) = [json.loads(one.json) for one in records if one.section == "conversions"]
    assert kept["conversion_id"] == made.conversion_id


async def flags(bank: SmallBank) -> Any:
    types = [event_pb2.EVENT_TYPE_FX_POSITION_FLAGGED]
    return (await bank.do("EventsService/ListEvents", types=types, page_size=1000)).events


async def test_a_position_to_be_hedged_is_told_once(
    bank: SmallBank, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank's own price list, with a limit that the second of three exchanges passes."""
    await converted(bank, owner)
    (worth,) = [
        abs(one.value_minor_units)
        for one in (await bank.do("PositionsService/ListPositions")).positions
        if one.currency_code == "USD"
    ]
    limit = worth + 1_500
    text = policy.read_text().replace("position_flag = 500_000_000", f"position_flag = {limit}")
    monkeypatch.setattr(
        "longmen_server.fxrates.commands.load_policy", lambda: policy.read_policy(text)
    )
    told = []
    for _ in range(3):
        await converted(bank, owner)
        told.append(await flags(bank))
    assert [len(one) for one in told] == [0, 1, 1]
    flag = told[2][0].fx_position_flag
    assert (flag.currency_code, flag.limit_minor_units) == ("USD", limit)
    assert flag.value_minor_units <= -limit
