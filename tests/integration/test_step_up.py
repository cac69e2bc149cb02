"""Payments that have to be approved: exactly once, bound to everything, and by nobody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from longmen.identity.v1 import challenge_pb2, factor_pb2
from longmen.type.v1 import policy_pb2
from longmen_server.accounts.masking import mask_phone
from tests.support.edge import told
from tests.support.rpcs import METHODS, short
from tests.support.sample_requests import code_to_pay, make_sample, ordered
from tests.support.small_bank import BY_NAME, SmallBank, cash, open_small_bank
from tests.support.step_up import LARGE, MEDIUM, PIN, SMALL, WRONG_PIN, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.transport.method import Method
    from tests.support.postgres import Database

PENDING = challenge_pb2.CHALLENGE_STATE_PENDING
APPROVED = challenge_pb2.CHALLENGE_STATE_APPROVED
USED = challenge_pb2.CHALLENGE_STATE_USED
VOID = challenge_pb2.CHALLENGE_STATE_VOID
DECLINED = challenge_pb2.CHALLENGE_STATE_DECLINED
EXPIRED = challenge_pb2.CHALLENGE_STATE_EXPIRED
PAY = "TransfersService/CreateTransfer"
CUSTOMERS = [method for method in METHODS if "customer" in method.principal_kinds]
STEPPED_UP = [method for method in CUSTOMERS if method.step_up_class == "money"]
MINUTE = 60


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("step_up")) as opened:
        yield opened


async def outcome(awaitable: Any) -> str:
    """The reason a call was refused for, or OK."""
    try:
        await awaitable
    except grpc.aio.AioRpcError as error:
        return told(error).reason
    return "OK"


async def outcomes(awaitables: list[Any]) -> list[str]:
    return await asyncio.gather(*(outcome(one) for one in awaitables))


# -- The way through.


async def test_a_payment_is_approved_with_the_pin_and_then_goes_through(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    before = await payer.balance()
    payment = payer.payment()
    challenge_id = await payer.challenged(payment)
    assert await payer.balance() == before
    approved = await payer.approve(challenge_id)
    assert approved.state == APPROVED
    paid = await payer.pay(payment)
    assert paid.transfer.amount.minor_units == MEDIUM
    assert await payer.balance() == before - MEDIUM
    assert (await payer.challenge(challenge_id)).state == USED


async def test_the_challenge_tells_what_is_approved(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    payment = payer.payment(
        payee={"phone_number": bank.payee.phone}, delay=2, description="rent of May"
    )
    shown = await payer.challenge(await payer.challenged(payment))
    assert shown.state == PENDING
    assert shown.operation == challenge_pb2.CHALLENGE_OPERATION_TRANSFER
    for part in (
        "200.01 CNY",
        mask_phone(bank.payee.phone),
        bank.payee.account,
        payer.person.account,
    ):
        assert part in shown.text
    assert bank.payee.phone not in shown.text
    assert "in two hours" in shown.text
    assert "rent of May" in shown.text
    assert (shown.amount.minor_units, shown.amount.currency_code) == (MEDIUM, "CNY")
    assert list(shown.methods) == [factor_pb2.FACTOR_KIND_PAYMENT_PIN]
    assert shown.factors_needed == 1
    life = shown.expire_time.ToMicroseconds() - shown.create_time.ToMicroseconds()
    assert 0 < life <= 5 * MINUTE * 1_000_000


async def test_fifty_repeats_after_approval_pay_once(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    before = await payer.balance()
    payment = payer.payment()
    first = await outcomes([payer.pay(payment) for _ in range(50)])
    assert set(first) == {"NEEDS_AUTH"}
    challenges = {await payer.challenged(payment) for _ in range(3)}
    assert len(challenges) == 1, "one request has one challenge"
    await payer.approve(challenges.pop())
    replies = await asyncio.gather(*(payer.pay(payment) for _ in range(50)))
    assert len({reply.transfer.transfer_id for reply in replies}) == 1
    assert await payer.balance() == before - MEDIUM


async def test_an_approval_is_for_one_request_only(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    first, second = payer.payment(), payer.payment()
    await payer.approve(await payer.challenged(first))
    assert (await payer.pay_refused(second)).reason == "NEEDS_AUTH"


# -- Dynamic linking.


def edited(payment: Any, bank: SmallBank, stranger: str, field: str) -> Any:
    """The same request with one field changed after the approval."""
    copy = type(payment)()
    copy.CopyFrom(payment)
    match field:
        case "amount":
            copy.amount.minor_units += 1
        case "payee":
            copy.payee.account_id = stranger
        case "payee by phone":
            copy.payee.phone_number = bank.payee.phone
        case "description":
            copy.description = "dinner"
        case "reference":
            copy.reference = "r-2"
        case "delay":
            copy.delay = 2
    assert copy != payment
    return copy


@pytest.mark.parametrize(
    "field", ["amount", "payee", "payee by phone", "description", "reference", "delay"]
)
@pytest.mark.parametrize("when", ["before approval", "after approval"])
async def test_a_change_of_anything_voids_challenge_and_request(
    bank: SmallBank, field: str, when: str
) -> None:
    payer, stranger = await Payer.new(bank), await bank.person()
    before = await payer.balance()
    payment = payer.payment()
    challenge_id = await payer.challenged(payment)
    if when == "after approval":
        await payer.approve(challenge_id)
    refused = await payer.pay_refused(edited(payment, bank, stranger.account, field))
    assert refused.reason == "CHALLENGE_CONTENT_CHANGED"
    assert refused.metadata == {"challenge_id": challenge_id}
    assert (await payer.challenge(challenge_id)).state == VOID
    # Not even the original goes through any more, and the approval cannot be given again.
    assert (await payer.pay_refused(payment)).reason == "REQUEST_ID_REUSED"
    closed = await payer.approve_refused(challenge_id)
    assert (closed.reason, closed.metadata["state"]) == ("CHALLENGE_CLOSED", "VOID")
    assert await payer.balance() == before


async def test_edit_and_original_racing_pay_the_original_or_nothing(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    before = await payer.balance()
    payment = payer.payment()
    await payer.approve(await payer.challenged(payment))
    other = edited(payment, bank, "", "amount")
    await outcomes([payer.pay(one) for one in (payment, other) * 10])
    assert await payer.balance() in {before, before - MEDIUM}


async def test_a_payment_that_fails_after_approval_leaves_nothing_to_use(bank: SmallBank) -> None:
    payer = await Payer.new(bank, funds=1)
    payment = payer.payment()
    challenge_id = await payer.challenged(payment)
    await payer.approve(challenge_id)
    assert (await payer.pay_refused(payment)).reason == "INSUFFICIENT_FUNDS"
    assert (await payer.challenge(challenge_id)).state == VOID


# -- Time.


@pytest.mark.parametrize("approved", [False, True])
async def test_after_five_minutes_everything_begins_anew(bank: SmallBank, approved: bool) -> None:  # noqa: FBT001
    payer = await Payer.new(bank)
    before = await payer.balance()
    payment = payer.payment()
    old = await payer.challenged(payment)
    if approved:
        await payer.approve(old)
    later(bank, 5 * MINUTE)
    assert (await payer.challenge(old)).state == EXPIRED
    late = await payer.approve_refused(old)
    assert (late.reason, late.metadata) == ("CHALLENGE_EXPIRED", {"challenge_id": old})
    fresh = await payer.challenged(payment)
    assert fresh != old
    await payer.approve(fresh)
    await payer.pay(payment)
    assert await payer.balance() == before - MEDIUM


async def test_a_second_before_it_is_still_good(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    payment = payer.payment()
    await payer.approve(await payer.challenged(payment))
    later(bank, 5 * MINUTE - 10)
    assert (await payer.pay(payment)).transfer.transfer_id


# -- Who may approve, and with what.


async def test_strangers_see_and_approve_nothing(bank: SmallBank) -> None:
    payer, stranger = await Payer.new(bank), await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())
    for name in ("GetChallenge", "DeclineChallenge"):
        refused = await stranger.refused(f"ChallengesService/{name}", challenge_id=challenge_id)
        assert refused.reason == "CHALLENGE_NOT_FOUND"
    assert (await stranger.approve_refused(challenge_id)).reason == "CHALLENGE_NOT_FOUND"
    assert (await payer.challenge(challenge_id)).state == PENDING


async def test_a_declined_payment_needs_another_challenge(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    payment = payer.payment()
    challenge_id = await payer.challenged(payment)
    declined = await payer.do("ChallengesService/DeclineChallenge", challenge_id=challenge_id)
    assert declined.challenge.state == DECLINED
    closed = await payer.approve_refused(challenge_id)
    assert (closed.reason, closed.metadata["state"]) == ("CHALLENGE_CLOSED", "DECLINED")
    assert await payer.challenged(payment) != challenge_id


async def test_the_client_cannot_choose_a_weaker_method(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.approved("FactorsService/SetPassword", password="correct horse battery staple")
    codes = (await payer.approved("FactorsService/CreateBackupCodes")).codes
    challenge_id = await payer.challenged(payer.payment())
    for proof in (
        {"password": "correct horse battery staple"},
        {"backup_code": codes[0]},
        {"totp_code": "000000"},
    ):
        refused = await payer.approve_refused(challenge_id, **proof)
        assert refused.reason == "METHOD_NOT_ACCEPTED"
        assert refused.metadata == {"methods": "PAYMENT_PIN"}


async def test_without_a_factor_nothing_large_goes_out_until_one_is_set_up(
    bank: SmallBank,
) -> None:
    payer = await Payer.new(bank, pin=False)
    payment = payer.payment()
    refused = await payer.pay_refused(payment)
    assert refused.reason == "STEP_UP_UNAVAILABLE"
    assert refused.metadata == {"methods": "PAYMENT_PIN,TOTP,PASSKEY", "factors_needed": "1"}
    await payer.do("FactorsService/SetPaymentPin", pin=PIN)
    await payer.approve(await payer.challenged(payment))
    assert (await payer.pay(payment)).transfer.transfer_id


async def test_a_large_payment_needs_two_factors(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    assert (await payer.pay_refused(payer.payment(LARGE))).reason == "STEP_UP_UNAVAILABLE"
    await payer.add_totp()
    payment = payer.payment(LARGE)
    challenge_id = await payer.challenged(payment)
    half = await payer.approve(challenge_id)
    assert (half.state, half.factors_needed) == (PENDING, 2)
    assert list(half.approved_methods) == [factor_pb2.FACTOR_KIND_PAYMENT_PIN]
    # The same factor twice is one factor.
    assert (await payer.approve(challenge_id)).state == PENDING
    assert (await payer.pay_refused(payment)).reason == "NEEDS_AUTH"
    assert (await payer.approve(challenge_id, totp_code=payer.code(1))).state == APPROVED
    assert (await payer.pay(payment)).transfer.transfer_id


async def test_a_passkey_alone_is_enough_for_a_large_payment(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    await payer.add_passkey()
    payment = payer.payment(LARGE)
    challenge_id = await payer.challenged(payment)
    signed = await payer.signed(challenge_id)
    approved = await payer.approve(challenge_id, passkey_assertion_json=signed)
    assert approved.state == APPROVED
    assert (await payer.pay(payment)).transfer.transfer_id


# -- Small payments.


async def test_small_payments_to_known_payees_go_without_but_not_for_ever(
    bank: SmallBank,
) -> None:
    payer = await Payer.new(bank)
    first = payer.payment(SMALL)
    await payer.approve(await payer.challenged(first))  # a new payee
    await payer.pay(first)
    for _ in range(5):
        assert (await payer.pay(payer.payment(SMALL))).transfer.transfer_id
    sixth = payer.payment(SMALL)
    await payer.approve(await payer.challenged(sixth))
    await payer.pay(sixth)
    assert (await payer.pay(payer.payment(SMALL))).transfer.transfer_id
    assert (await payer.pay_refused(payer.payment(MEDIUM))).reason == "NEEDS_AUTH"


async def test_no_more_small_payments_than_allowed_even_all_at_once(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    first = payer.payment(SMALL)
    await payer.approve(await payer.challenged(first))
    await payer.pay(first)
    found = await outcomes([payer.pay(payer.payment(SMALL)) for _ in range(30)])
    assert (found.count("OK"), found.count("NEEDS_AUTH")) == (5, 25)


# -- Every method that moves money.


TRANSFERS = [method for method in STEPPED_UP if method.service.endswith("TransfersService")]


@pytest.mark.parametrize("method", TRANSFERS, ids=short)
async def test_whatever_moves_money_out_has_to_be_approved(bank: SmallBank, method: Method) -> None:
    payer = await Payer.new(bank)
    request = await make_sample(bank, method, payer.person)
    before = await payer.balance()
    refused = await bank.refused(method, request, payer.token)
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NEEDS_AUTH")
    assert await payer.balance() == before
    await payer.approve(refused.metadata["challenge_id"])
    await bank.call(method, request, payer.token)
    assert await payer.balance() < before


def test_the_methods_that_move_money_out_are_these() -> None:
    assert {short(method) for method in STEPPED_UP} == {
        "TransfersService/CreateTransfer",
        "TransfersService/BatchTransfers",
        "TransfersService/Withdraw",
        "PaymentsService/PayOrder",
        "PaymentsService/PayStaticCode",
        "AuthorizationsService/AuthorizeOrder",
        "CombinedOrdersService/PayCombinedOrder",
        "AuthorizationsService/IncrementAuthorization",
        "ConversionsService/ExecuteQuote",
        "ConversionsService/Convert",
        "ConversionsService/PayAbroad",
        "ConversionsService/SetAutoConversion",
        "LimitOrdersService/CreateLimitOrder",
        "BillsService/PayDue",
        "DonationsService/Donate",
        "MandatesService/SignMandate",
    }


MONEY_WITHOUT_APPROVAL = {
    "AccountsService/CloseAccount": "sweeps to an account of the same customer only",
    "TransfersService/CancelTransfer": "gives the money back to the payer",
    "TransfersService/ReleaseTransfer": "was approved when it was made",
    "TransfersService/TopUp": "brings money in",
}


def test_every_customers_method_of_money_is_approved_or_says_why_not() -> None:
    money = [m for m in CUSTOMERS if m.audit_class == policy_pb2.AUDIT_CLASS_MONEY]
    assert {short(m) for m in money if m.step_up_class != "money"} == MONEY_WITHOUT_APPROVAL.keys()


async def purchase(bank: SmallBank, payer: Payer, name: str, amount: int) -> Any:
    """A request that pays the payer's own merchant."""
    if name == "PaymentsService/PayOrder":
        made = await ordered(bank, payer.person, amount=cash(amount))
        return payer.request(
            name,
            order_id=made.order.order_id,
            from_account_id=payer.person.account,
            amount=cash(amount),
        )
    fields = await code_to_pay(bank, payer.person)
    return payer.request(name, **{**fields, "amount": cash(amount)})


PURCHASES = ["PaymentsService/PayOrder", "PaymentsService/PayStaticCode"]


@pytest.mark.parametrize("name", PURCHASES)
async def test_a_purchase_above_the_small_band_has_to_be_approved_and_pays_once(
    bank: SmallBank, name: str
) -> None:
    payer = await Payer.new(bank)
    before = await payer.balance()
    request = await purchase(bank, payer, name, MEDIUM)
    refused = await payer.told(name, request)
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NEEDS_AUTH")
    assert await payer.balance() == before
    shown = await payer.challenge(refused.metadata["challenge_id"])
    assert shown.operation == challenge_pb2.CHALLENGE_OPERATION_PURCHASE
    assert "200.01 CNY" in shown.text
    await payer.approve(shown.challenge_id)
    replies = await asyncio.gather(*(payer.send(name, request) for _ in range(20)))
    assert len({reply.payment.transaction_id for reply in replies}) == 1
    assert await payer.balance() == before - MEDIUM


@pytest.mark.parametrize("name", PURCHASES)
async def test_small_purchases_go_without_approval_five_times(bank: SmallBank, name: str) -> None:
    payer, amount = await Payer.new(bank), SMALL // 4  # six of them are within the limits of a day
    for _ in range(5):
        await payer.send(name, await purchase(bank, payer, name, amount))
    sixth = await payer.told(name, await purchase(bank, payer, name, amount))
    assert sixth.reason == "NEEDS_AUTH"


OF_THE_DEVICE = {
    f"PayerCodesService/{name}"
    for name in ("RenewPayerCode", "GetPayerCode", "WatchPayerCode", "DeclineScan")
}
"""About the calling device only, and the samples are of the one without a session."""


@pytest.mark.parametrize(
    "method",
    [m for m in CUSTOMERS if m.step_up_class == "unspecified" and short(m) not in OF_THE_DEVICE],
    ids=short,
)
async def test_nothing_else_asks_for_approval(bank: SmallBank, method: Method) -> None:
    payer = await Payer.new(bank, pin=False)
    request = await make_sample(bank, method, payer.person)
    # What some samples set up ends sessions: this one begins after it.
    session = payer.on_device(1)
    assert (await bank.call(method, request, session.token)).messages


async def test_services_and_tokens_without_session_are_not_stepped_up(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    for token in ("service", bank.token("customer", payer.person)):
        reply = await bank.ask(BY_NAME[PAY], payer.payment(LARGE), token)
        assert reply.transfer.transfer_id


async def test_a_withdrawal_tells_only_the_tail_of_the_bank_account(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    refused = await payer.refused(
        "TransfersService/Withdraw",
        account_id=payer.person.account,
        amount=cash(100),
        bank_account="6222021234567890",
    )
    shown = await payer.challenge(refused.metadata["challenge_id"])
    assert shown.payee == "bank account ...7890"
    assert "6222021234567890" not in shown.text


# -- Repeating an approval.


async def test_an_approval_sent_again_counts_once_and_answers_the_same(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())
    approve = BY_NAME["ChallengesService/ApproveChallenge"]
    wrong = payer.approval(challenge_id, payment_pin=WRONG_PIN)
    for _ in range(10):
        assert (await bank.refused(approve, wrong, payer.token)).reason == "FACTOR_REJECTED"
    right = payer.approval(challenge_id)
    answers = [await bank.call(approve, right, payer.token) for _ in range(3)]
    assert len({answer.messages for answer in answers}) == 1
    assert [answer.replayed for answer in answers] == [False, True, True]
