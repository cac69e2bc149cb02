"""Mandates through the RPCs: signed with approval, charged within limits, ended by their payers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.identity.v1 import challenge_pb2
from longmen.payments.v1 import mandate_pb2 as pb
from longmen.payments.v1 import order_pb2
from longmen_server.jobs.webhook_queue import WebhookQueue
from tests.support.edge import told
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import listener, merchant, new_mandate, number
from tests.support.small_bank import BY_NAME, FUNDS, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

HOUR, DAY = 3_600, 86_400


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("mandates")) as opened:
        yield opened


@pytest.fixture
async def shop(bank: SmallBank) -> Person:
    return await bank.person()


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"MandatesService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"MandatesService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def terms(bank: SmallBank, shop: Person, payer: Person, **more: Any) -> dict[str, Any]:
    return {**await new_mandate(bank, shop), "from_account_id": payer.account, **more}


async def signed(bank: SmallBank, shop: Person, payer: Person, **more: Any) -> Any:
    fields = await terms(bank, shop, payer, **more)
    return (await do(bank, "SignMandate", bank.token("customer", payer), **fields)).mandate


def charge_of(mandate: Any, bank: SmallBank, amount: int, **more: Any) -> dict[str, Any]:
    return {
        "mandate_id": mandate.mandate_id,
        "merchant_id": mandate.merchant_id,
        "order_number": number(bank),
        "amount": cash(amount),
        **more,
    }


async def available(bank: SmallBank, person: Person) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=person.account)).account
    return int(account.balances.available)


async def drain(bank: SmallBank, person: Person, *, left: int) -> None:
    """Take what a wallet has beyond an amount."""
    amount = await available(bank, person) - left
    await bank.do(
        "TransfersService/Withdraw",
        account_id=person.account,
        amount=cash(amount),
        bank_account="6222020200001234567",
    )


async def set_clock(bank: SmallBank, seconds: int) -> None:
    at_us = bank.parts.clock.now_us() + seconds * 1_000_000
    whole, rest = divmod(at_us, 1_000_000)
    await bank.do("AdminService/SetClock", time={"seconds": whole, "nanos": rest * 1000})


async def test_a_merchant_charges_within_both_caps(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    token = bank.token("merchant", shop)
    used = []
    for amount in (200, 200):
        reply = await do(bank, "ChargeMandate", token, **charge_of(mandate, bank, amount))
        assert reply.order.state == order_pb2.ORDER_STATE_PAID
        used.append(reply.mandate.cycle_used.minor_units)
    assert used == [200, 400]
    assert await available(bank, payer) == FUNDS - 400
    single = await refused(bank, "ChargeMandate", token, **charge_of(mandate, bank, 201))
    assert single.reason == "MANDATE_CAP_EXCEEDED"
    assert (single.metadata["which"], single.metadata["remaining_minor_units"]) == ("SINGLE", "200")
    cycle = await refused(bank, "ChargeMandate", token, **charge_of(mandate, bank, 150))
    assert (cycle.metadata["which"], cycle.metadata["remaining_minor_units"]) == ("CYCLE", "100")
    resets_us = int(cycle.metadata["resets_at_us"])
    await set_clock(bank, (resets_us - bank.parts.clock.now_us()) // 1_000_000 + 1)
    fresh = await do(bank, "ChargeMandate", token, **charge_of(mandate, bank, 150))
    assert fresh.mandate.cycle_used.minor_units == 150


async def test_charges_at_once_never_pass_the_cycle_cap(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    answers = await asyncio.gather(
        *(do(bank, "ChargeMandate", **charge_of(mandate, bank, 100)) for _ in range(20)),
        return_exceptions=True,
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(answers) - len(errors) == 5
    assert {told(error).reason for error in errors} == {"MANDATE_CAP_EXCEEDED"}
    assert await available(bank, payer) == FUNDS - 500


async def test_a_merchant_is_told_no_more_of_a_payer_than_it_needs(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    token = bank.token("merchant", shop)
    await drain(bank, payer, left=50)
    poor = await refused(bank, "ChargeMandate", token, **charge_of(mandate, bank, 51))
    assert (poor.reason, poor.metadata) == ("INSUFFICIENT_FUNDS", {})
    await bank.do(
        "AccountsService/FreezeAccount", account_id=payer.account, reason_text="lost the phone"
    )
    frozen = await refused(bank, "ChargeMandate", token, **charge_of(mandate, bank, 10))
    assert (frozen.reason, frozen.metadata) == ("PAYER_STATE", {"problem": "ACCOUNT"})
    assert await available(bank, payer) == 50


async def test_one_order_number_is_charged_once(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    fields = charge_of(mandate, bank, 120)
    replies = await asyncio.gather(*(do(bank, "ChargeMandate", **fields) for _ in range(5)))
    assert len({reply.order.transaction_id for reply in replies}) == 1
    assert await available(bank, payer) == FUNDS - 120
    other = await refused(bank, "ChargeMandate", **{**fields, "amount": cash(121)})
    assert other.reason == "ORDER_NUMBER_REUSED"


async def test_signing_is_approved_in_the_words_that_bind(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", payer), pin="835207")
    session = bank.session_token(payer)
    fields = await terms(bank, shop, payer)
    fields["request_id"] = bank.new_request_id()
    method = BY_NAME["MandatesService/SignMandate"]
    request = method.request_class(**fields)
    asked = await bank.refused(method, request, session)
    assert asked.reason == "NEEDS_AUTH"
    challenge_id = asked.metadata["challenge_id"]
    shown = (
        await bank.do("ChallengesService/GetChallenge", session, challenge_id=challenge_id)
    ).challenge
    assert shown.operation == challenge_pb2.CHALLENGE_OPERATION_MANDATE
    assert "up to 2.00 CNY at a time and 5.00 CNY a day" in shown.text
    await bank.do(
        "ChallengesService/ApproveChallenge",
        session,
        challenge_id=challenge_id,
        proof={"payment_pin": "835207"},
    )
    made = await bank.ask(method, request, session)
    assert made.mandate.state == pb.MANDATE_STATE_ACTIVE


async def test_a_charge_waits_for_its_notice(bank: SmallBank, shop: Person, payer: Person) -> None:
    mandate = await signed(bank, shop, payer, notice_hours=2)
    early = await refused(bank, "ChargeMandate", **charge_of(mandate, bank, 90))
    assert early.reason == "MANDATE_NOTICE_REQUIRED"
    announced = await do(bank, "AnnounceCharge", mandate_id=mandate.mandate_id, amount=cash(90))
    assert announced.mandate.announced.minor_units == 90
    assert (
        await refused(bank, "ChargeMandate", **charge_of(mandate, bank, 90))
    ).reason == "MANDATE_NOTICE_REQUIRED"
    await set_clock(bank, 2 * HOUR)
    assert (
        await refused(bank, "ChargeMandate", **charge_of(mandate, bank, 91))
    ).reason == "MANDATE_NOTICE_REQUIRED"
    done = await do(bank, "ChargeMandate", **charge_of(mandate, bank, 90))
    assert not done.mandate.HasField("announced")
    over = await refused(bank, "AnnounceCharge", mandate_id=mandate.mandate_id, amount=cash(201))
    assert over.reason == "MANDATE_CAP_EXCEEDED"


async def test_payers_pause_resume_and_end_and_merchants_only_end(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    mandate_id = mandate.mandate_id
    customer, seller = bank.token("customer", payer), bank.token("merchant", shop)
    for state, reason in (
        (pb.MANDATE_STATE_PAUSED, "MANDATE_NOT_ACTIVE"),
        (pb.MANDATE_STATE_ACTIVE, ""),
        (pb.MANDATE_STATE_TERMINATED, "MANDATE_NOT_ACTIVE"),
    ):
        if state != pb.MANDATE_STATE_TERMINATED:
            no = await refused(bank, "SetMandateState", seller, mandate_id=mandate_id, state=state)
            assert no.reason == "MANDATE_STATE_CONFLICT"
        who = seller if state == pb.MANDATE_STATE_TERMINATED else customer
        await do(bank, "SetMandateState", who, mandate_id=mandate_id, state=state)
        if reason:
            told_ = await refused(bank, "ChargeMandate", **charge_of(mandate, bank, 1))
            assert told_.reason == reason
            assert told_.metadata["state"] == pb.MandateState.Name(state).removeprefix(
                "MANDATE_STATE_"
            )
        else:
            await do(bank, "ChargeMandate", **charge_of(mandate, bank, 1))
    again = await refused(
        bank,
        "SetMandateState",
        customer,
        mandate_id=mandate_id,
        state=pb.MANDATE_STATE_ACTIVE,
    )
    assert again.metadata == {"mandate_id": mandate_id, "state": "TERMINATED"}


async def test_a_mandate_ends_with_its_time(bank: SmallBank, shop: Person, payer: Person) -> None:
    mandate = await signed(bank, shop, payer, lifetime_days=1)
    await set_clock(bank, DAY)
    late = await refused(bank, "ChargeMandate", **charge_of(mandate, bank, 1))
    assert (late.reason, late.metadata["state"]) == ("MANDATE_NOT_ACTIVE", "EXPIRED")
    shown = await do(bank, "GetMandate", mandate_id=mandate.mandate_id)
    assert shown.mandate.state == pb.MANDATE_STATE_EXPIRED


async def test_a_number_is_one_mandate(bank: SmallBank, shop: Person, payer: Person) -> None:
    fields = await terms(bank, shop, payer)
    token = bank.token("customer", payer)
    first, again = [(await do(bank, "SignMandate", token, **fields)).mandate for _ in range(2)]
    assert first == again
    other = await refused(bank, "SignMandate", token, **{**fields, "single_cap": cash(300)})
    assert other.reason == "MANDATE_NUMBER_REUSED"
    assert other.metadata == {"mandate_id": first.mandate_id, "fields": "single_cap"}
    stranger = await bank.person()
    theirs = await refused(
        bank,
        "SignMandate",
        bank.token("customer", stranger),
        **{**fields, "from_account_id": stranger.account},
    )
    assert theirs.metadata == {"mandate_id": "", "fields": "from_account_id"}
    for wrong, reason in (
        ({"cycle_cap": cash(199)}, "INVALID_REQUEST"),
        ({"cycle_cap": cash(500, "USD")}, "CURRENCY_MISMATCH"),
        ({"merchant_id": elsewhere(first.merchant_id)}, "MERCHANT_NOT_FOUND"),
    ):
        told_ = await refused(
            bank, "SignMandate", token, **{**fields, "mandate_number": number(bank), **wrong}
        )
        assert told_.reason == reason


async def test_mandates_of_others_are_not_there(
    bank: SmallBank, shop: Person, payer: Person
) -> None:
    mandate = await signed(bank, shop, payer)
    other = await bank.person()
    await merchant(bank, other)
    strangers = [bank.token("customer", other), bank.token("merchant", other)]
    for token in strangers:
        hidden = await refused(bank, "GetMandate", token, mandate_id=mandate.mandate_id)
        assert hidden.reason == "MANDATE_NOT_FOUND"
    for name, fields in (
        ("AnnounceCharge", {"mandate_id": mandate.mandate_id, "amount": cash(1)}),
        ("ChargeMandate", charge_of(mandate, bank, 1, merchant_id=await merchant(bank, other))),
    ):
        hidden = await refused(bank, name, strangers[1], **fields)
        assert hidden.reason == "MANDATE_NOT_FOUND"
    for strange in (elsewhere(mandate.mandate_id), of_foreign_book(mandate.mandate_id)):
        hidden = await refused(
            bank, "ChargeMandate", **charge_of(mandate, bank, 1) | {"mandate_id": strange}
        )
        assert (hidden.reason, hidden.metadata) == ("MANDATE_NOT_FOUND", {"mandate_id": strange})
    listed = await do(bank, "ListMandates", bank.token("customer", payer), account_id=payer.account)
    assert [one.mandate_id for one in listed.mandates] == [mandate.mandate_id]


async def test_merchants_are_told_by_webhook(bank: SmallBank, shop: Person, payer: Person) -> None:
    fields = listener(await merchant(bank, shop))
    await bank.do("WebhooksService/CreateEndpoint", **{**fields, "types": []})
    mandate = await signed(bank, shop, payer)
    await do(bank, "ChargeMandate", **charge_of(mandate, bank, 10))
    async with bank.workplace() as workplace:
        while (await WebhookQueue().take(workplace)).more:
            pass
    found = await bank.do("WebhooksService/ListDeliveries", merchant_id=await merchant(bank, shop))
    told_ = {(one.type, one.sequence) for one in found.deliveries}
    assert told_ == {("mandate.signed", 1), ("order.paid", 1), ("mandate.charged", 2)}
