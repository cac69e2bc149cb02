"""Webhooks against receivers of every temper: signed, in order, at least once, nobody held up."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from longmen.merchants.v1 import webhook_pb2
from longmen_merchant.webhooks import verify
from longmen_server.jobs.housekeeping import Housekeeping
from longmen_server.jobs.settings import JobSettings
from longmen_server.jobs.webhook_queue import WebhookQueue
from longmen_server.merchant_desk import webhook_sender
from tests.support.proof import proof_of
from tests.support.receiver import open_receiver
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import listener, merchant, number, order_paid
from tests.support.small_bank import BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.jobs.webhook_sender import WebhookSender
    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.receiver import Receiver
    from tests.support.small_bank import Person

ENABLED = webhook_pb2.ENDPOINT_STATE_ENABLED
DISABLED = webhook_pb2.ENDPOINT_STATE_DISABLED
FAILED = webhook_pb2.ENDPOINT_STATE_FAILED
PENDING = webhook_pb2.DELIVERY_STATE_PENDING
DELIVERED = webhook_pb2.DELIVERY_STATE_DELIVERED
GIVEN_UP = webhook_pb2.DELIVERY_STATE_FAILED
HOUR, DAY = 3_600, 86_400
TIMEOUT_S = 2.0


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("webhooks")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


@asynccontextmanager
async def post_office(bank: SmallBank) -> AsyncIterator[WebhookSender]:
    """One process that sends."""
    parts = bank.parts
    settings = replace(
        parts.settings,
        webhooks=replace(parts.settings.webhooks, webhook_timeout_s=TIMEOUT_S),
    )
    sender = webhook_sender(replace(parts, settings=settings))
    try:
        yield sender
    finally:
        await sender.close()


async def turn(bank: SmallBank, sender: WebhookSender) -> None:
    """Queue what happened and send what is due, to the end."""
    async with bank.workplace() as workplace:
        queue = WebhookQueue()
        while (await queue.take(workplace)).more:
            pass
        for _ in range(4):
            await sender.take(workplace)
            await sender.wait()
        await sender.take(workplace)


async def send(bank: SmallBank) -> None:
    async with post_office(bank) as sender:
        await turn(bank, sender)


async def set_clock(bank: SmallBank, seconds: int) -> None:
    at_us = bank.parts.clock.now_us() + seconds * 1_000_000
    whole, rest = divmod(at_us, 1_000_000)
    await bank.do("AdminService/SetClock", time={"seconds": whole, "nanos": rest * 1000})


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"WebhooksService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"WebhooksService/{name}", token, **fields)


async def listen(bank: SmallBank, owner: Person, receiver: Receiver, path: str, *types: str) -> Any:
    """An endpoint of the owner's at a path of the receiver."""
    fields = listener(await merchant(bank, owner))
    return await do(bank, "CreateEndpoint", **{**fields, "url": receiver.url(path), "types": types})


async def endpoint_of(bank: SmallBank, owner: Person, endpoint_id: str) -> Any:
    reply = await do(bank, "ListEndpoints", merchant_id=await merchant(bank, owner))
    (found,) = [one for one in reply.endpoints if one.endpoint_id == endpoint_id]
    return found


async def deliveries(bank: SmallBank, owner: Person, **fields: Any) -> list[Any]:
    """Oldest first."""
    reply = await do(bank, "ListDeliveries", merchant_id=await merchant(bank, owner), **fields)
    return list(reversed(reply.deliveries))


def events(receiver: Receiver, path: str) -> list[tuple[str, int]]:
    """Types and sequences of what a path was posted."""
    told = [json.loads(body) for _, body in receiver.got[path]]
    return [(one["type"], one["sequence"]) for one in told]


def believed(bank: SmallBank, receiver: Receiver, path: str, *secrets: str) -> list[str]:
    """Ids of what a path was posted, each verified as its merchant would."""
    now = bank.parts.trusted_clock.now_us() / 1e6
    return [verify(body, headers, secrets, now=now).id for headers, body in receiver.got[path]]


# -- delivery ----------------------------------------------------------------------------------


async def test_an_orders_life_is_told_in_order_signed_and_once(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "ok/life")
    assert made.secret.startswith("whsec_")
    order_id = await order_paid(bank, owner)
    for amount in (100, 200):
        await bank.do(
            "PaymentsService/RefundOrder",
            order_id=order_id,
            refund_number=number(bank),
            amount=cash(amount),
        )
    for _ in range(2):
        await send(bank)
    assert events(receiver, "ok/life") == [
        ("order.pending_payer", 1),
        ("order.paid", 2),
        ("order.partially_refunded", 3),
        ("order.refunded", 4),
    ]
    ids = believed(bank, receiver, "ok/life", made.secret)
    assert len(set(ids)) == 4
    assert {one[:4] for one in ids} == {"evt_"}
    told = json.loads(receiver.got["ok/life"][1][1])
    assert told["data"]["order_id"] == order_id
    found = await deliveries(bank, owner)
    assert {(one.state, one.attempt_count, one.last_status) for one in found} == {
        (DELIVERED, 1, 204)
    }
    assert [one.event_id for one in found] == ids


async def test_types_choose_and_what_happened_before_is_not_told(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    await order_paid(bank, owner)
    await listen(bank, owner, receiver, "ok/paid", "order.paid", "settlement.settled")
    await order_paid(bank, owner)
    await bank.close_days(10)
    await send(bank)
    assert [kind for kind, _ in events(receiver, "ok/paid")] == [
        "order.paid",
        "settlement.settled",
    ]


async def test_receivers_that_are_down_slow_or_lying_hold_up_nobody(
    bank: SmallBank, receiver: Receiver
) -> None:
    tempers = {
        "down/x": "http_500",
        "slow/x": "timeout",
        "redirect/x": "redirect",
        "liar/x": "unreachable",
        "huge/x": "",
        "ok/x": "",
    }
    shops = {path: await bank.person() for path in tempers}
    for path, shop in shops.items():
        await listen(bank, shop, receiver, path, "order.paid")
        await order_paid(bank, shop)
    await send(bank)
    for path, failure in tempers.items():
        (found,) = await deliveries(bank, shops[path])
        assert found.last_failure == failure, path
        assert found.state == (PENDING if failure else DELIVERED), path
    # A redirect is never followed, and none but the first attempt was made.
    assert not receiver.got["ok/elsewhere"]
    assert {len(receiver.got[path]) for path in tempers} == {1}


async def test_what_is_not_taken_is_tried_again_later_and_later(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "ok/flaky", "order.paid")
    receiver.failing["ok/flaky"] = 3
    await order_paid(bank, owner)
    for pause, attempts in ((1, 1), (10, 2), (5, 2), (40, 3), (10, 3), (200, 4)):
        await set_clock(bank, pause)
        await send(bank)
        assert len(receiver.got["ok/flaky"]) == attempts, pause
    (found,) = await deliveries(bank, owner)
    assert (found.state, found.attempt_count) == (DELIVERED, 4)
    assert len(set(believed(bank, receiver, "ok/flaky", made.secret))) == 1
    endpoint = await endpoint_of(bank, owner, made.endpoint.endpoint_id)
    assert not endpoint.HasField("failing_since_time")


async def test_a_later_event_of_an_order_waits_for_the_earlier_one(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    await listen(bank, owner, receiver, "ok/order")
    receiver.failing["ok/order"] = 1
    await order_paid(bank, owner)
    await send(bank)
    assert events(receiver, "ok/order") == [("order.pending_payer", 1)]
    await set_clock(bank, 10)
    await send(bank)
    assert events(receiver, "ok/order")[1:] == [("order.pending_payer", 1), ("order.paid", 2)]


async def test_a_crash_between_sending_and_noting_sends_again(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    await listen(bank, owner, receiver, "ok/crash", "order.paid")
    await order_paid(bank, owner)
    async with bank.workplace() as workplace, post_office(bank) as first:
        while (await WebhookQueue().take(workplace)).more:
            pass
        await first.take(workplace)
        await first.wait()
    await send(bank)
    assert len(receiver.got["ok/crash"]) == 2
    headers = [found["webhook-id"] for found, _ in receiver.got["ok/crash"]]
    assert headers[0] == headers[1]


async def test_after_three_days_a_delivery_is_given_up(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    await listen(bank, owner, receiver, "down/late", "order.paid")
    await order_paid(bank, owner)
    await send(bank)
    await set_clock(bank, 72 * HOUR + 1)
    await send(bank)
    (found,) = await deliveries(bank, owner, state=GIVEN_UP)
    assert found.last_failure == "http_500"
    receiver.tempers["down/late"] = "ok"
    await do(bank, "Redeliver", delivery_id=found.delivery_id)
    await set_clock(bank, HOUR)
    await send(bank)
    assert [one.state for one in await deliveries(bank, owner)] == [DELIVERED]


async def test_an_endpoint_that_fails_for_days_is_switched_off_with_a_notice(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "down/days", "order.paid")
    for _ in range(6):
        await order_paid(bank, owner)
        await send(bank)
        await set_clock(bank, DAY)
    endpoint = await endpoint_of(bank, owner, made.endpoint.endpoint_id)
    assert endpoint.state == FAILED
    assert endpoint.HasField("failing_since_time")
    notice = bank.last_message("till@example.com")
    assert made.endpoint.endpoint_id in notice
    assert "5 days" in notice
    told = await refused(bank, "SendTestEvent", endpoint_id=made.endpoint.endpoint_id)
    assert told.reason == "ENDPOINT_DISABLED"
    receiver.tempers["down/days"] = "ok"
    again = await do(bank, "SetEndpointState", endpoint_id=made.endpoint.endpoint_id, state=ENABLED)
    assert not again.endpoint.HasField("failing_since_time")
    before = len(receiver.got["down/days"])
    await do(bank, "SendTestEvent", endpoint_id=made.endpoint.endpoint_id)
    await send(bank)
    assert len(receiver.got["down/days"]) > before


async def test_an_endpoint_that_is_gone_is_switched_off_at_once(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "gone/x", "order.paid")
    await order_paid(bank, owner)
    await send(bank)
    assert (await endpoint_of(bank, owner, made.endpoint.endpoint_id)).state == FAILED


# -- what merchants do -------------------------------------------------------------------------


async def test_two_secrets_sign_while_one_is_replaced(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "ok/secret")
    endpoint_id = made.endpoint.endpoint_id
    turned = await do(bank, "RotateSecret", endpoint_id=endpoint_id, overlap_hours=1)
    assert turned.secret != made.secret
    assert turned.endpoint.HasField("previous_secret_end_time")
    await do(bank, "SendTestEvent", endpoint_id=endpoint_id)
    await send(bank)
    for secret in (made.secret, turned.secret):
        assert believed(bank, receiver, "ok/secret", secret)
    await set_clock(bank, HOUR + 1)
    await do(bank, "SendTestEvent", endpoint_id=endpoint_id)
    await send(bank)
    assert len(believed(bank, receiver, "ok/secret", turned.secret)) == 2
    headers, body = receiver.got["ok/secret"][-1]
    with pytest.raises(ValueError, match="signature_wrong"):
        verify(body, headers, [made.secret], now=bank.parts.trusted_clock.now_us() / 1e6)


async def test_a_test_event_comes_and_a_delivery_is_sent_again(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "ok/test")
    queued = await do(bank, "SendTestEvent", endpoint_id=made.endpoint.endpoint_id)
    assert (queued.delivery.type, queued.delivery.state) == ("webhook.test", PENDING)
    await send(bank)
    again = await do(bank, "Redeliver", delivery_id=queued.delivery.delivery_id)
    assert again.delivery.state == PENDING
    await send(bank)
    assert [kind for kind, _ in events(receiver, "ok/test")] == ["webhook.test"] * 2
    assert len(set(believed(bank, receiver, "ok/test", made.secret))) == 1


async def test_settled_deliveries_go_after_a_month_and_no_others(
    bank: SmallBank, owner: Person, receiver: Receiver, module_database: Database
) -> None:
    await listen(bank, owner, receiver, "ok/month", "order.paid")
    await listen(bank, owner, receiver, "down/month", "order.paid")
    await order_paid(bank, owner)
    await send(bank)

    async def clean() -> list[tuple[int, str]]:
        job = Housekeeping(JobSettings(), DAY, bank.parts.trusted_clock)
        async with bank.workplace() as workplace:
            await job.take(workplace)
        return [(one.state, one.last_failure) for one in await deliveries(bank, owner)]

    both = [(DELIVERED, ""), (PENDING, "http_500")]
    await set_clock(bank, 30 * DAY - HOUR)
    assert sorted(await clean()) == sorted(both)
    await set_clock(bank, 2 * HOUR)
    assert await clean() == both[1:]
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert not [one for one in findings if "webhook" in str(one)]


async def test_what_is_off_is_not_sent_anything(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    made = await listen(bank, owner, receiver, "ok/off", "order.paid")
    endpoint_id = made.endpoint.endpoint_id
    sent = await do(bank, "SendTestEvent", endpoint_id=endpoint_id)
    await do(bank, "SetEndpointState", endpoint_id=endpoint_id, state=DISABLED)
    await order_paid(bank, owner)
    await send(bank)
    assert not receiver.got["ok/off"]
    told = await refused(bank, "Redeliver", delivery_id=sent.delivery.delivery_id)
    assert (told.reason, told.metadata) == ("ENDPOINT_DISABLED", {"endpoint_id": endpoint_id})


async def test_what_is_others_is_not_there(
    bank: SmallBank, owner: Person, receiver: Receiver
) -> None:
    other = await bank.person()
    await merchant(bank, owner)
    made = await listen(bank, other, receiver, "ok/other")
    endpoint_id = made.endpoint.endpoint_id
    sent = (await do(bank, "SendTestEvent", endpoint_id=endpoint_id)).delivery.delivery_id
    mine = bank.token("merchant", owner)
    for strange in (endpoint_id, elsewhere(endpoint_id), of_foreign_book(endpoint_id)):
        for name in ("SetEndpointState", "RotateSecret", "SendTestEvent"):
            state: dict[str, Any] = {"state": DISABLED} if name == "SetEndpointState" else {}
            told = await refused(bank, name, mine, endpoint_id=strange, **state)
            assert (told.reason, told.metadata) == (
                "ENDPOINT_NOT_FOUND",
                {"endpoint_id": strange},
            )
    for strange in (sent, elsewhere(sent), of_foreign_book(sent)):
        told = await refused(bank, "Redeliver", mine, delivery_id=strange)
        assert (told.reason, told.metadata) == (
            "DELIVERY_NOT_FOUND",
            {"delivery_id": strange},
        )
    theirs = bank.merchants[other.customer]
    for name, more in (
        ("ListEndpoints", {}),
        ("ListDeliveries", {}),
        ("CreateEndpoint", {"url": receiver.url("ok/x")}),
    ):
        told = await refused(bank, name, mine, merchant_id=theirs, **more)
        assert told.reason == "MERCHANT_NOT_FOUND"


async def test_endpoints_are_few_and_lead_outside(bank: SmallBank, owner: Person) -> None:
    fields = listener(await merchant(bank, owner))
    for url, rule in (
        ("https://10.0.0.8/hook", "address"),
        ("ftp://shop.example/hook", "scheme"),
        ("https://me@shop.example/hook", "userinfo"),
        ("https://shop.example/hook#part", "fragment"),
        ("https://shop.example:25/hook", "port"),
        ("https://shop example/", "host"),
    ):
        told = await refused(bank, "CreateEndpoint", **{**fields, "url": url})
        assert (told.reason, told.metadata) == ("ENDPOINT_URL_REFUSED", {"rule": rule})
    for _ in range(5):
        await do(bank, "CreateEndpoint", **fields)
    told = await refused(bank, "CreateEndpoint", **fields)
    assert (told.reason, told.metadata) == ("ENDPOINT_LIMIT_REACHED", {"limit": "5"})


async def test_secrets_are_stored_sealed(bank: SmallBank, owner: Person) -> None:
    await do(bank, "CreateEndpoint", **listener(await merchant(bank, owner)))
    rows = bank._database.execute("select secret, notice_address from webhook_endpoint").fetchall()
    assert rows
    assert {len(secret) for secret, _ in rows} == {1 + 12 + 32 + 16}
    assert not any(b"till@example.com" in (address or b"") for _, address in rows)
