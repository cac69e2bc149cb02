"""Fees, settlements and bills through the RPCs: what merchants pay, get and are shown."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from longmen.ledger.v1 import account_pb2
from longmen.merchants.v1 import plan_pb2, settlement_pb2, settlements_service_pb2
from longmen_server.ledger.chart import FEE_INCOME, MERCHANT_SETTLEMENT, system_account_id
from longmen_server.platform.ids import ACCOUNT
from longmen_server.settlements.calendar import CALENDAR
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchant, number, order_paid, ordered, terms, today
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

INCOME = ACCOUNT.encode(system_account_id(BOOK, "CNY", FEE_INCOME))
KEPT = plan_pb2.FEE_RETURN_KEPT


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("settlements")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    """Somebody rich who sells, and buys from the own shop."""
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(1_000_000),
        bank_account="6222021234567890",
    )
    return person


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def payable(bank: SmallBank, owner: Person) -> str:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    return str(found.merchant.account_id)


async def agree(bank: SmallBank, owner: Person, **fee: Any) -> Any:
    fields = {"merchant_id": await merchant(bank, owner), **terms(bank, **fee)}
    return (await bank.do("PlansService/SetPlan", **fields)).plan


async def order_of(bank: SmallBank, order_id: str) -> Any:
    return (await bank.do("PaymentsService/GetOrder", order_id=order_id)).order


async def refund(bank: SmallBank, order_id: str, amount: int) -> Any:
    return await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(amount),
    )


# -- fees --------------------------------------------------------------------------------------


async def test_a_payment_and_its_fee_are_one_transaction(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner)
    await posted_income_exists(bank, owner)
    before = await posted(bank, INCOME)
    order = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    # 60 basis points of 100.00 and 0.02.
    assert (order.fee.minor_units, order.fee.currency_code) == (62, "CNY")
    assert not order.HasField("fee_returned")
    assert await posted(bank, INCOME) == before + 62
    whole = (
        await bank.do("LedgerService/GetTransaction", transaction_id=order.transaction_id)
    ).transaction
    assert [one.amount.minor_units for one in whole.postings] == [10_000, 62]
    assert [one.code for one in whole.postings] == [32005, 32010]


async def posted_income_exists(bank: SmallBank, owner: Person) -> None:
    """Let somebody pay a first fee, which opens the account of income."""
    await order_paid(bank, owner, amount=cash(500))


async def test_merchants_without_a_plan_pay_nothing(bank: SmallBank, owner: Person) -> None:
    order = await order_of(bank, await order_paid(bank, owner))
    assert not order.HasField("fee")
    assert await posted(bank, await payable(bank, owner)) == 300


async def test_a_printed_code_costs_a_fee_too(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner)
    code = (
        await bank.do("PaymentsService/GetStaticCode", merchant_id=await merchant(bank, owner))
    ).code
    paid = await bank.do(
        "PaymentsService/PayStaticCode",
        code=code,
        from_account_id=owner.account,
        amount=cash(1_000),
    )
    assert (await order_of(bank, paid.payment.order_id)).fee.minor_units == 8
    assert await posted(bank, await payable(bank, owner)) == 992


async def test_refunds_return_the_fee_pro_rata_to_the_last_cent(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner)
    order_id = await order_paid(bank, owner, amount=cash(1_000))
    returned = []
    for amount in (333, 333, 334):
        reply = await refund(bank, order_id, amount)
        returned.append(reply.order.fee_returned.minor_units)
    # The fee is 8: 8 * 333 / 1000 is 2.66, 8 * 666 / 1000 is 5.33.
    assert returned == [2, 5, 8]
    assert await posted(bank, await payable(bank, owner)) == 0


async def test_kept_fees_take_the_merchant_below_zero_as_far_as_agreed(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner, refund_policy=KEPT, basis_points=10_000, cap_minor_units=0)
    first = await order_paid(bank, owner, amount=cash(600))
    second = await order_paid(bank, owner, amount=cash(500))
    assert await posted(bank, await payable(bank, owner)) == 0
    await refund(bank, first, 600)
    assert await posted(bank, await payable(bank, owner)) == -600
    told = await refused(
        bank,
        "PaymentsService/RefundOrder",
        order_id=second,
        refund_number=number(bank),
        amount=cash(401),
    )
    assert told.reason == "INSUFFICIENT_FUNDS"
    assert told.metadata == {"available_minor_units": "-600", "currency_code": "CNY"}
    await refund(bank, second, 400)
    assert await posted(bank, await payable(bank, owner)) == -1_000


async def test_orders_keep_the_plan_they_were_registered_under(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner)
    order = (await ordered(bank, owner, amount=cash(10_000))).order
    await agree(bank, owner, basis_points=0, fixed_minor_units=7)
    await bank.do(
        "PaymentsService/PayOrder",
        order_id=order.order_id,
        from_account_id=owner.account,
        amount=order.amount,
    )
    assert (await order_of(bank, order.order_id)).fee.minor_units == 62
    later = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    assert later.fee.minor_units == 7
    plans = await bank.do(
        "PlansService/ListPlans",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
    )
    assert [one.fee.fixed_minor_units for one in plans.plans] == [7, 2]


async def test_a_plan_is_proposed_and_approved_by_two_people(
    bank: SmallBank, owner: Person
) -> None:
    fields = {"merchant_id": await merchant(bank, owner), **terms(bank)}
    told = await refused(bank, "PlansService/SetPlan", bank.token("staff"), **fields)
    assert told.reason == "APPROVAL_REQUIRED"
    made = (
        await bank.do(
            "ApprovalsService/ProposeApproval",
            bank.token_of("staff", "ann"),
            command={"set_plan": {**fields, "request_id": bank.new_request_id()}},
        )
    ).approval
    shown = {one.field: one.after for one in made.changes}
    assert shown["plan.basis_points"] == "60"
    assert shown["plan.refund_policy"] == "PRO_RATA"
    await bank.do(
        "ApprovalsService/ApproveApproval",
        bank.token_of("staff", "bob"),
        approval_id=made.approval_id,
        payload_hash=made.payload_hash,
    )
    order = await order_of(bank, await order_paid(bank, owner, amount=cash(10_000)))
    assert order.fee.minor_units == 62


async def test_plans_begin_today_or_later_and_only_for_merchants(
    bank: SmallBank, owner: Person
) -> None:
    mine = await merchant(bank, owner)
    told = await refused(
        bank,
        "PlansService/SetPlan",
        **{**terms(bank), "merchant_id": mine, "effective_date": "2020-01-01"},
    )
    assert (told.reason, told.metadata) == ("PLAN_DATE_PASSED", {"earliest_date": today(bank)})
    told = await refused(
        bank,
        "PlansService/SetPlan",
        **{**terms(bank), "merchant_id": mine, "effective_date": "2099-02-30"},
    )
    assert (told.reason, told.fields) == ("INVALID_REQUEST", ["effective_date"])
    for strange in (elsewhere(mine), of_foreign_book(mine)):
        for name, more in (("SetPlan", terms(bank)), ("ListPlans", {})):
            told = await refused(bank, f"PlansService/{name}", merchant_id=strange, **more)
            assert (told.reason, told.metadata) == (
                "MERCHANT_NOT_FOUND",
                {"merchant_id": strange},
            )


# -- settlement --------------------------------------------------------------------------------

SETTLED = settlement_pb2.SETTLEMENT_STATE_SETTLED
CARRIED = settlement_pb2.SETTLEMENT_STATE_CARRIED
PENDING = settlement_pb2.SETTLEMENT_STATE_PENDING
PAID_OUT = ACCOUNT.encode(system_account_id(BOOK, "CNY", MERCHANT_SETTLEMENT))


async def settlements(bank: SmallBank, owner: Person) -> list[Any]:
    """A merchant's settlements, oldest first."""
    reply = await bank.do(
        "SettlementsService/ListSettlements",
        bank.token("merchant", owner),
        merchant_id=await merchant(bank, owner),
    )
    return list(reversed(reply.settlements))


async def test_a_business_date_is_closed_once_and_paid_out_on_its_working_day(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner)
    first = await order_paid(bank, owner, amount=cash(10_000))
    await order_paid(bank, owner, amount=cash(5_000))
    await refund(bank, first, 1_000)
    await bank.close_days(1)
    (one,) = await settlements(bank, owner)
    assert (one.sale_count, one.sale_minor_units) == (2, 15_000)
    assert (one.refund_count, one.refund_minor_units) == (1, 1_000)
    # 62 and 32; a tenth of the first comes back, rounded down.
    assert (one.fee_minor_units, one.fee_returned_minor_units) == (94, 6)
    assert one.net_minor_units == 15_000 - 1_000 - 94 + 6
    assert one.settlement_date == CALENDAR.after(date.fromisoformat(today(bank)), 1).isoformat()
    for _ in range(2):
        await bank.close_days(10)
        one = (await settlements(bank, owner))[0]
        assert (one.state, one.paid_minor_units) == (SETTLED, 13_912)
        assert await posted(bank, await payable(bank, owner)) == 0
    whole = await bank.do("LedgerService/GetTransaction", transaction_id=one.transaction_id)
    (posting,) = whole.transaction.postings
    assert (posting.credit_account_id, posting.amount.minor_units) == (PAID_OUT, 13_912)
    found = await bank.do(
        "SettlementsService/GetSettlement",
        bank.token("merchant", owner),
        settlement_id=one.settlement_id,
    )
    assert found.settlement == one


async def test_what_a_merchant_owes_is_carried_until_sales_make_up_for_it(
    bank: SmallBank, owner: Person
) -> None:
    await agree(bank, owner, basis_points=0, fixed_minor_units=0)
    first = await order_paid(bank, owner, amount=cash(800))
    await bank.close_days(11)
    await refund(bank, first, 800)
    await bank.close_days(30)
    await order_paid(bank, owner, amount=cash(300))
    await bank.close_days(45)
    await order_paid(bank, owner, amount=cash(900))
    await bank.close_days(60)
    found = await settlements(bank, owner)
    assert [
        (one.state, one.carried_in_minor_units, one.paid_minor_units, one.carried_out_minor_units)
        for one in found
    ] == [
        (SETTLED, 0, 800, 0),
        (CARRIED, 0, 0, -800),
        (CARRIED, -800, 0, -500),
        (SETTLED, -500, 400, 0),
    ]
    assert await posted(bank, await payable(bank, owner)) == 0


async def test_a_frozen_merchant_waits_and_holds_up_nobody(bank: SmallBank, owner: Person) -> None:
    other = await bank.person()
    for one in (owner, other):
        await order_paid(bank, one)
    account = await payable(bank, owner)
    state = "LedgerService/SetAccountState"
    await bank.do(state, account_id=account, state=account_pb2.ACCOUNT_STATE_FROZEN)
    await bank.close_days(10)
    assert [one.state for one in await settlements(bank, owner)] == [PENDING]
    assert [one.state for one in await settlements(bank, other)] == [SETTLED]
    await bank.do(state, account_id=account, state=account_pb2.ACCOUNT_STATE_OPEN)
    await bank.close_days(11)
    assert [one.paid_minor_units for one in await settlements(bank, owner)] == [300]


async def test_settlements_of_others_are_not_there(bank: SmallBank, owner: Person) -> None:
    other = await bank.person()
    await merchant(bank, owner)
    await order_paid(bank, other)
    await bank.close_days(1)
    (theirs,) = await settlements(bank, other)
    mine = bank.token("merchant", owner)
    for strange in (theirs.settlement_id, elsewhere(theirs.settlement_id)):
        told = await refused(bank, "SettlementsService/GetSettlement", mine, settlement_id=strange)
        assert (told.reason, told.metadata) == (
            "SETTLEMENT_NOT_FOUND",
            {"settlement_id": strange},
        )
    for name in ("ListSettlements", "DownloadBill", "Reconcile"):
        more = {} if name == "ListSettlements" else {"business_date": today(bank)}
        told = await refused(
            bank,
            f"SettlementsService/{name}",
            mine,
            merchant_id=bank.merchants[other.customer],
            **more,
        )
        assert told.reason == "MERCHANT_NOT_FOUND"


# -- bills -------------------------------------------------------------------------------------


async def download(bank: SmallBank, owner: Person, day: str) -> list[dict[str, str]]:
    """The lines of a bill, totals included."""
    method = BY_NAME["SettlementsService/DownloadBill"]
    request = method.request_class(merchant_id=await merchant(bank, owner), business_date=day)
    answers = [await bank.call(method, request, bank.token("merchant", owner)) for _ in range(2)]
    assert answers[0] == answers[1]
    pieces = [
        settlements_service_pb2.DownloadBillResponse.FromString(one) for one in answers[0].messages
    ]
    assert pieces[0].file_name.endswith(f"-{day}.csv.gz")
    text = gzip.decompress(b"".join(piece.content for piece in pieces)).decode()
    return list(csv.DictReader(io.StringIO(text)))


async def test_a_bill_adds_up_to_the_ledger_line_by_line(bank: SmallBank, owner: Person) -> None:
    await agree(bank, owner)
    first = await order_paid(bank, owner, amount=cash(10_000), description='tea, "green"')
    await order_paid(bank, owner, amount=cash(77))
    await refund(bank, first, 5_000)
    await bank.close_days(1)
    lines = await download(bank, owner, today(bank))
    kinds = ["SALE", "FEE", "SALE", "FEE", "REFUND", "FEE_RETURN"]
    assert [line["type"] for line in lines[:6]] == kinds
    assert [line["amount_minor_units"] for line in lines[:6]] == [
        *("10000", "-62", "77", "-2", "-5000", "31"),
    ]
    assert lines[0]["order_id"] == first == lines[4]["order_id"]
    assert lines[4]["refund_number"]
    totals = {line["type"]: (line["line"], line["amount_minor_units"]) for line in lines[6:]}
    assert totals["TOTAL_SALE"] == ("2", "10077")
    assert totals["TOTAL_FEE"] == ("2", "-64")
    assert totals["TOTAL"] == ("6", "5044")
    (one,) = await settlements(bank, owner)
    assert one.net_minor_units == 5_044
    entries = await bank.do(
        "LedgerService/ListEntries", account_id=await payable(bank, owner), page_size=1000
    )
    balances = [entry.posted_after_minor_units for entry in entries.entries]
    assert sorted(int(line["balance_minor_units"]) for line in lines[:6]) == sorted(balances[:6])
    proof = b""
    for line in lines:
        *fields, seal = line.values()
        proof = sha256(proof + "\x1f".join(fields).encode()).digest()
        assert seal == proof.hex()


async def test_there_is_a_bill_of_every_day_that_has_ended(bank: SmallBank, owner: Person) -> None:
    await order_paid(bank, owner)
    for day in (today(bank), "2999-12-31"):
        for name in ("DownloadBill", "Reconcile"):
            told = await refused(
                bank,
                f"SettlementsService/{name}",
                merchant_id=await merchant(bank, owner),
                business_date=day,
            )
            assert told.reason == "BILL_NOT_READY"
            end_us = CALENDAR.end_us(date.fromisoformat(day))
            assert told.metadata == {"business_date": day, "end_time_us": str(end_us)}
    empty = await download(bank, owner, "2020-02-29")
    assert [line["type"] for line in empty][-1] == "TOTAL"
    assert {line["amount_minor_units"] for line in empty} == {"0"}
    told = await refused(
        bank,
        "SettlementsService/DownloadBill",
        merchant_id=await merchant(bank, owner),
        business_date="2021-02-29",
    )
    assert (told.reason, told.fields) == ("INVALID_REQUEST", ["business_date"])


async def test_a_merchants_own_list_is_compared_and_explained(
    bank: SmallBank, owner: Person
) -> None:
    mine = await merchant(bank, owner)
    sold = [await order_of(bank, await order_paid(bank, owner)) for _ in range(4)]
    unpaid = (await ordered(bank, owner)).order
    back = (await refund(bank, sold[0].order_id, 120)).refund
    await bank.close_days(1)
    late = await order_of(bank, await order_paid(bank, owner))

    def line(order_number: str, amount: int = 300, refund_number: str = "") -> dict[str, Any]:
        return {
            "kind": settlement_pb2.BILL_LINE_KIND_REFUND
            if refund_number
            else settlement_pb2.BILL_LINE_KIND_SALE,
            "order_number": order_number,
            "refund_number": refund_number,
            "amount": cash(amount),
        }

    reply = await bank.do(
        "SettlementsService/Reconcile",
        bank.token("merchant", owner),
        merchant_id=mine,
        business_date=today(bank),
        lines=[
            line(sold[0].order_number),
            line(sold[1].order_number, 301),
            line(sold[2].order_number),
            line(sold[2].order_number),
            line(sold[0].order_number, 120, back.refund_number),
            line("nobody's"),
            line(unpaid.order_number),
            line(late.order_number),
            line(sold[1].order_number, 5, "r-9"),
        ],
    )
    assert (reply.matched_count, reply.matched_minor_units) == (3, 480)
    assert reply.billed_minor_units == 4 * 300 - 120
    assert reply.listed_minor_units == 6 * 300 + 301 - 125
    kind = settlement_pb2.DifferenceKind
    told = {
        (one.order_number, kind.Name(one.kind).removeprefix("DIFFERENCE_KIND_")): one
        for one in reply.differences
    }
    assert reply.difference_count == len(told)
    day = today(bank)
    expected = {
        (sold[1].order_number, "AMOUNT_DIFFERS"): (
            "the bill has 300 minor units of CNY, the list 301 minor units of CNY"
        ),
        (sold[2].order_number, "LISTED_TWICE"): "the list has this line more than once",
        ("nobody's", "MISSING_HERE"): "there is no order of this number",
        (unpaid.order_number, "MISSING_HERE"): ("the order was never paid: it is PENDING_PAYER"),
        (late.order_number, "MISSING_HERE"): (
            f"the order was paid on another business date: {day}"
        ),
        (sold[1].order_number, "MISSING_HERE"): (
            f"the order was paid on {day}, and this refund is not of the business date asked for"
        ),
        (sold[3].order_number, "MISSING_THERE"): "the bill has it and the list does not",
    }
    assert {key: one.explanation for key, one in told.items()} == expected
    assert told[sold[3].order_number, "MISSING_THERE"].order_id == sold[3].order_id
    assert told[sold[1].order_number, "AMOUNT_DIFFERS"].billed.minor_units == 300


async def test_a_long_list_is_compared_in_ranges_that_add_up(
    bank: SmallBank, owner: Person
) -> None:
    mine = await merchant(bank, owner)
    for name in ("a", "b", "c", "d"):
        made = await ordered(bank, owner, order_number=f"{mine}-{name}"[-20:])
        await bank.do(
            "PaymentsService/PayOrder",
            order_id=made.order.order_id,
            from_account_id=owner.account,
            amount=made.order.amount,
        )
    await bank.close_days(1)
    first, second, third, fourth = (f"{mine}-{name}"[-20:] for name in "abcd")

    async def compared(after: str, through: str, *numbers: str) -> Any:
        return await bank.do(
            "SettlementsService/Reconcile",
            merchant_id=mine,
            business_date=today(bank),
            lines=[
                {
                    "kind": settlement_pb2.BILL_LINE_KIND_SALE,
                    "order_number": one,
                    "amount": cash(300),
                }
                for one in numbers
            ],
            after_order_number=after,
            through_order_number=through,
        )

    whole = await compared("", "", first, third)
    parts = [await compared("", second, first), await compared(second, "", third)]
    for name in ("matched_count", "difference_count", "billed_minor_units", "listed_minor_units"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts), name
    told = [[one.order_number for one in part.differences] for part in (whole, *parts)]
    assert told == [[second, fourth], [second], [fourth]]
    for after, through, numbers, field, amount in (
        (second, "", [second], "lines", 300),
        ("", second, [third], "lines", 300),
        (second, second, [], "through_order_number", 300),
        ("", "", [first, second], "lines", 2**62),
    ):
        answer = await refused(
            bank,
            "SettlementsService/Reconcile",
            merchant_id=mine,
            business_date=today(bank),
            lines=[{"kind": 1, "order_number": one, "amount": cash(amount)} for one in numbers],
            after_order_number=after,
            through_order_number=through,
        )
        assert (answer.reason, answer.fields) == ("INVALID_REQUEST", [field])
