"""Limits through a running server: exact under concurrency, released, explained, set, reported."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.limits.v1 import limit_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_app import AsyncWallet
from longmen_client import AsyncClient, Config, Money
from longmen_server.jobs.expired_holds import ExpiredHolds
from tests.support.edge import told
from tests.support.evidence import filed
from tests.support.poll import until
from tests.support.proof import proof_of
from tests.support.sample_requests import number, ordered
from tests.support.small_bank import Person, SmallBank, cash, open_small_bank
from tests.support.spending import YUAN, pay, payment, spender, today
from tests.support.step_up import PIN, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.edge import Told
    from tests.support.postgres import Database

PAY, LIST = "TransfersService/CreateTransfer", "LimitsService/ListLimits"
EXPLAIN, SET = "LimitsService/ExplainLimits", "LimitsService/SetOwnLimit"
DAY, SINGLE = limit_pb2.LIMIT_PERIOD_DAY, limit_pb2.LIMIT_PERIOD_SINGLE
HOUR = 3_600
TRANSFER = limit_pb2.LIMITED_KIND_TRANSFER


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("limits")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def over(bank: SmallBank, person: Person, amount: int = 1, **more: Any) -> dict[str, str]:
    """What the refusal of a transfer tells of the limit in its way."""
    refused = await refusal(bank.do(PAY, **payment(bank, person, amount, **more)))
    assert refused.reason == "LIMIT_EXCEEDED"
    return refused.metadata


async def limits_of(bank: SmallBank, person: Person) -> dict[str, Any]:
    reply = await bank.do(LIST, account_id=person.account)
    return {one.name: one for one in reply.limits}


async def test_of_many_at_once_exactly_as_many_pass_as_there_is_room_for(bank: SmallBank) -> None:
    person = await spender(bank, 4)

    async def one(amount: int) -> str:
        try:
            await bank.do(PAY, **payment(bank, person, amount))
        except grpc.aio.AioRpcError as error:
            return told(error).reason
        return "OK"

    found = Counter(await asyncio.gather(*(one(200 * YUAN) for _ in range(40))))
    assert found == {"OK": 25, "LIMIT_EXCEEDED": 15}
    day = (await limits_of(bank, person))["CLASS_DAY"]
    assert (day.used.minor_units, day.remaining.minor_units) == (5_000 * YUAN, 0)


async def test_what_is_held_is_released_by_whoever_frees_it(bank: SmallBank) -> None:
    person = await spender(bank, 4)
    delayed = {"delay": transfer_pb2.TRANSFER_DELAY_TWO_HOURS}
    made = await bank.do(PAY, **payment(bank, person, 2_000 * YUAN, **delayed))
    order = (await ordered(bank, person, amount=cash(2_000 * YUAN))).order
    await bank.do(
        "AuthorizationsService/AuthorizeOrder",
        order_id=order.order_id,
        from_account_id=person.account,
        amount=order.amount,
        hold_seconds=HOUR,
    )
    assert (await over(bank, person, 1_000 * YUAN + 1))["remaining_minor_units"] == "100000"
    await bank.do("TransfersService/CancelTransfer", transfer_id=made.transfer.transfer_id)
    await bank.do(
        "AuthorizationsService/CaptureOrder",
        order_id=order.order_id,
        capture_number=number(bank),
        amount=cash(500 * YUAN),
        final=True,
    )
    day = (await limits_of(bank, person))["CLASS_DAY"]
    assert day.used.minor_units == 500 * YUAN
    # A service that voids the hold at the ledger itself releases as much.
    held = await bank.do(PAY, **payment(bank, person, 1_000 * YUAN, **delayed))
    posting = held.transfer.transfer_id
    await bank.do("LedgerService/VoidPending", pending_posting_id=posting)
    assert (await limits_of(bank, person))["CLASS_DAY"].used.minor_units == 500 * YUAN


async def test_several_limits_bind_and_only_the_payer_is_told_which(bank: SmallBank) -> None:
    person = await spender(bank, 4)
    code = await ordered(bank, person, amount=cash(1))
    static = await bank.do("PaymentsService/GetStaticCode", merchant_id=code.order.merchant_id)
    fields = {"code": static.code, "from_account_id": person.account}
    await bank.do("PaymentsService/PayStaticCode", **fields, amount=cash(300 * YUAN))
    refused = await refusal(
        bank.do("PaymentsService/PayStaticCode", **fields, amount=cash(200 * YUAN + 1))
    )
    assert (refused.reason, refused.metadata["limit"]) == ("LIMIT_EXCEEDED", "QR_GRADE_D")
    assert refused.metadata["remaining_minor_units"] == "20000"
    mandate = await bank.do(
        "MandatesService/SignMandate",
        from_account_id=person.account,
        merchant_id=code.order.merchant_id,
        mandate_number=number(bank),
        single_cap=cash(2_000 * YUAN),
        cycle_cap=cash(4_000 * YUAN),
        cycle=3,
    )
    await bank.do(SET, customer_id=person.customer, period=DAY, amount=cash(1_000 * YUAN))
    charged = await refusal(
        bank.do(
            "MandatesService/ChargeMandate",
            mandate_id=mandate.mandate.mandate_id,
            merchant_id=code.order.merchant_id,
            order_number=number(bank),
            amount=cash(701 * YUAN),
        )
    )
    assert (charged.reason, charged.metadata) == ("PAYER_STATE", {"problem": "LIMIT"})
    assert (await over(bank, person, 701 * YUAN))["limit"] == "OWN_DAY"


async def test_an_explanation_is_what_the_movement_is_then_told(bank: SmallBank) -> None:
    person = await spender(bank, 4, yuan=9_000)
    await pay(bank, person, [2_000 * YUAN] * 2)

    async def explained(amount: int) -> Any:
        fields = {"account_id": person.account, "kind": TRANSFER, "amount": cash(amount)}
        return await bank.do(EXPLAIN, **fields)

    fits = await explained(1_000 * YUAN)
    assert (fits.allowed, fits.binding_limit.name) == (True, "CLASS_DAY")
    tight = await explained(1_000 * YUAN + 1)
    assert (tight.allowed, tight.binding_limit.name) == (False, "CLASS_DAY")
    assert list(tight.binding_limit.lifted_by) == [
        limit_pb2.LIMIT_LIFT_UPGRADE,
        limit_pb2.LIMIT_LIFT_WAIT,
    ]
    refused = await over(bank, person, 1_000 * YUAN + 1)
    binding = tight.binding_limit
    assert refused == {
        "limit": binding.name,
        "period": "DAY",
        "currency_code": "CNY",
        "limit_minor_units": str(binding.amount.minor_units),
        "remaining_minor_units": str(binding.remaining.minor_units),
        "resets_at": str(binding.reset_time.ToMicroseconds()),
        "lifted_by": "UPGRADE,WAIT",
        "identification_class": "4",
    }
    document = await filed(bank, person)
    await bank.do("KycService/UpgradeKyc", **document, identification_class=3)
    upgraded = await explained(1_000 * YUAN + 1)
    assert upgraded.allowed
    await pay(bank, person, [1_000 * YUAN + 1])
    dollars = {"account_id": person.account, "kind": TRANSFER, "amount": cash(1, "USD")}
    wrong = await refusal(bank.do(EXPLAIN, **dollars))
    assert (wrong.reason, wrong.metadata) == (
        "CURRENCY_MISMATCH",
        {"expected": "CNY", "actual": "USD"},
    )


async def test_purchases_are_asked_to_be_approved_when_that_lifts_the_limit(
    bank: SmallBank,
) -> None:
    payer = await Payer.new(bank, funds=1_000_000)
    explained = await bank.do(
        EXPLAIN,
        account_id=payer.person.account,
        kind=limit_pb2.LIMITED_KIND_PAYMENT,
        amount=cash(1_000 * YUAN + 1),
    )
    assert (explained.allowed, explained.factors_needed) == (True, 1)
    order = (await ordered(bank, payer.person, amount=cash(4_000 * YUAN))).order
    fields = {
        "order_id": order.order_id,
        "from_account_id": payer.person.account,
        "amount": order.amount,
    }
    request = payer.request("PaymentsService/PayOrder", **fields)
    asked = await payer.told("PaymentsService/PayOrder", request)
    assert asked.reason == "NEEDS_AUTH"
    await payer.approve(asked.metadata["challenge_id"])
    await payer.send("PaymentsService/PayOrder", request)
    # Of grade B 5,000 a day: a PIN is no signature, and this customer has no key to sign with.
    order = (await ordered(bank, payer.person, amount=cash(1_001 * YUAN))).order
    fields |= {"order_id": order.order_id, "amount": order.amount}
    refused = await payer.refused("PaymentsService/PayOrder", **fields)
    assert (refused.reason, refused.metadata["limit"]) == ("LIMIT_EXCEEDED", "QR_GRADE_B")


async def test_refunds_restore_own_limits_and_not_those_of_the_class(bank: SmallBank) -> None:
    person = await spender(bank, 4)
    await bank.do(SET, customer_id=person.customer, period=DAY, amount=cash(2_000 * YUAN))
    order = (await ordered(bank, person, amount=cash(2_000 * YUAN))).order
    await bank.do(
        "PaymentsService/PayOrder",
        order_id=order.order_id,
        from_account_id=person.account,
        amount=order.amount,
    )
    assert (await over(bank, person))["limit"] == "OWN_DAY"
    await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order.order_id,
        refund_number=number(bank),
        amount=cash(1_500 * YUAN),
    )
    found = await limits_of(bank, person)
    assert found["OWN_DAY"].remaining.minor_units == 1_500 * YUAN
    assert found["CLASS_DAY"].remaining.minor_units == 3_000 * YUAN


async def test_an_own_limit_is_lowered_at_once_and_raised_with_approval_and_a_wait(
    bank: SmallBank,
) -> None:
    payer = await Payer.new(bank, funds=1_000_000)
    lowered = await payer.do(SET, period=SINGLE, amount=cash(100 * YUAN))
    assert lowered.own_limit.amount.minor_units == 100 * YUAN
    refused = await payer.pay_refused(payer.payment(100 * YUAN + 1))
    assert (refused.reason, refused.metadata["limit"]) == ("SINGLE_LIMIT_EXCEEDED", "OWN_SINGLE")
    request = payer.request(SET, period=SINGLE, amount=cash(300 * YUAN))
    asked = await payer.told(SET, request)
    assert asked.reason == "NEEDS_AUTH"
    await payer.approve(asked.metadata["challenge_id"], payment_pin=PIN)
    raised = (await payer.send(SET, request)).own_limit
    assert (raised.amount.minor_units, raised.next_amount.minor_units) == (10_000, 30_000)
    wrong = await payer.refused(SET, period=SINGLE, amount=cash(1, "USD"))
    assert (wrong.reason, wrong.metadata) == (
        "CURRENCY_MISMATCH",
        {"expected": "CNY", "actual": "USD"},
    )
    still = await payer.pay_refused(payer.payment(300 * YUAN))
    assert still.metadata["limit"] == "OWN_SINGLE"
    later(bank, 24 * HOUR)
    await payer.challenged(payer.payment(300 * YUAN))
    removed = await bank.do(SET, customer_id=payer.person.customer, period=SINGLE)
    assert not removed.own_limit.HasField("next_amount")
    assert removed.own_limit.effective_time.seconds


async def test_an_account_of_a_type_has_its_own_limits(bank: SmallBank) -> None:
    person = await spender(bank, 0)
    before = await bank.do(LIST, account_id=person.account)
    assert (before.account_type, before.HasField("balance_limit")) == (0, False)
    set_type = {"account_id": person.account, "account_type": 3}
    await bank.do("LimitsService/SetAccountType", **set_type)
    await bank.do("LimitsService/SetAccountType", **set_type)
    after = await bank.do(LIST, account_id=person.account)
    assert (after.account_type, after.balance_limit.minor_units) == (3, 200_000)
    await pay(bank, person, [2_000 * YUAN])
    assert (await over(bank, person))["limit"] == "ACCOUNT_TYPE_3_DAY"
    full = await refusal(
        bank.do(
            "TransfersService/TopUp",
            account_id=person.account,
            amount=cash(1),
            bank_account="62220212345",
        )
    )
    assert (full.reason, full.metadata["limit"]) == (
        "BALANCE_LIMIT_EXCEEDED",
        "ACCOUNT_TYPE_3_BALANCE",
    )
    missing = {"account_id": "acct_" + "7" * 28 + "0001", "account_type": 1}
    absent = await refusal(bank.do("LimitsService/SetAccountType", **missing))
    assert absent.reason == "ACCOUNT_NOT_FOUND"


async def test_reports_name_who_came_to_what(bank: SmallBank) -> None:
    person = await spender(bank, 0, yuan=600_000)
    await pay(bank, person, [499_999 * YUAN])
    await pay(bank, await bank.person(), [1])
    day = today(bank)
    candidates = "LimitsService/ListLargeValueCandidates"

    async def named() -> list[tuple[str, int]]:
        reply = await bank.do(candidates, day=day)
        assert reply.threshold.minor_units == 500_000 * YUAN
        return [(one.customer_id, one.used.minor_units) for one in reply.candidates]

    assert person.customer not in dict(await named())
    await bank.do(
        "TransfersService/Withdraw",
        account_id=person.account,
        amount=cash(1 * YUAN),
        bank_account="62220212345",
    )
    await bank.settle_clearing()
    assert (person.customer, 500_000 * YUAN) in await named()
    totals = "LimitsService/ListLimitTotals"
    spent = await bank.do(totals, track=limit_pb2.LIMIT_TRACK_SPEND, first_day=day, page_size=1)
    assert (len(spent.totals), bool(spent.next_page_token)) == (1, True)
    wrong = await refusal(bank.do(totals, track=1, first_day="2026-02-30"))
    assert (wrong.reason, wrong.metadata) == (
        "INVALID_REQUEST",
        {"rules": "first_day.day"},
    )


async def test_the_wallet_app_shows_and_sets_limits(bank: SmallBank) -> None:
    payer = await Payer.new(bank, funds=1_000_000)
    config = Config(target=bank.tokens.target, token=payer.token)
    async with AsyncClient(config) as client:
        wallet = AsyncWallet(client)
        own = await wallet.limit_spending("day", Money(5_000, "CNY"))
        assert (own.amount, own.effective_at) == (Money(5_000, "CNY"), None)
        explained = await wallet.explain(Money(5_001, "CNY"))
        assert explained.binding is not None
        assert (explained.allowed, explained.binding.name) == (False, "OWN_DAY")
        shown = await wallet.limits("CNY")
        assert (shown[0].name, shown[0].remaining) == ("OWN_DAY", Money(5_000, "CNY"))


# -- Time: last, for they move the clock.


async def test_days_and_years_begin_at_midnight_of_the_institution(bank: SmallBank) -> None:
    person = await spender(bank, 4, yuan=10_000)
    await pay(bank, person, [2_000 * YUAN, 2_000 * YUAN, 1_000 * YUAN])
    metadata = await over(bank, person)
    resets_at_us = int(metadata["resets_at"])
    delayed = {"delay": transfer_pb2.TRANSFER_DELAY_NEXT_DAY}
    assert (await over(bank, person, **delayed))["limit"] == "CLASS_DAY"
    later(bank, (resets_at_us - bank.parts.clock.now_us()) / 1_000_000 - 1)
    assert (await over(bank, person))["resets_at"] == str(resets_at_us)
    later(bank, 2)
    await pay(bank, person, [2_000 * YUAN], **delayed)
    assert (await limits_of(bank, person))["CLASS_DAY"].used.minor_units == 2_000 * YUAN


async def test_a_hold_that_expires_gives_back_what_it_reserved(bank: SmallBank) -> None:
    person = await spender(bank, 4)
    order = (await ordered(bank, person, amount=cash(2_000 * YUAN))).order
    await bank.do(
        "AuthorizationsService/AuthorizeOrder",
        order_id=order.order_id,
        from_account_id=person.account,
        amount=order.amount,
        hold_seconds=HOUR,
    )
    later(bank, HOUR + 1)

    async def expired() -> bool:
        async with bank.workplace() as workplace:
            await ExpiredHolds().take(workplace)
        year = (await limits_of(bank, person))["CLASS_YEAR"]
        return bool(year.used.minor_units == 0)

    await until(expired, "the hold has expired and been booked so")


async def test_after_all_of_it_the_books_prove_what_was_counted(
    bank: SmallBank, module_database: Database
) -> None:
    findings, _, _ = await proof_of(module_database.admin_dsn, bank.parts.clock)
    assert findings == []
