"""Sharing through the RPCs: what is held, who gets it, what comes back, and every refusal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.payments.v1 import sharing_pb2
from longmen_server.jobs.ended_sharings import EndedSharings
from longmen_server.ledger.chart import MERCHANT_SHARES, system_account_id
from longmen_server.platform.ids import ACCOUNT
from longmen_server.sharing import model
from longmen_server.sharing.policy import DAY_US, POLICIES
from tests.support.proof import proof_of
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import merchandise, merchant, number, order_paid, ordered
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

HELD = ACCOUNT.encode(system_account_id(BOOK, "CNY", MERCHANT_SHARES))
OPEN = sharing_pb2.SHARING_STATE_OPEN
ENDED = sharing_pb2.SHARING_STATE_ENDED


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("sharing")) as opened:
        yield opened


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


async def do(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
    return await bank.do(f"SharingService/{name}", token, **fields)


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"SharingService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def another_merchant(bank: SmallBank, **more: Any) -> str:
    made = await bank.do("MerchantsService/CreateMerchant", **{**merchandise(), **more})
    return str(made.merchant.merchant_id)


async def receiver(bank: SmallBank, owner: Person) -> str:
    """A merchant that the owner's shares may go to."""
    pair = {
        "merchant_id": await merchant(bank, owner),
        "receiver_id": await another_merchant(bank),
    }
    await do(bank, "AskReceiver", **pair)
    await do(bank, "ConfirmReceiver", **pair)
    return pair["receiver_id"]


async def sold(bank: SmallBank, owner: Person, held: int = 300, amount: int = 1_000) -> str:
    """An order that was paid, and of which something is held."""
    order_id = await order_paid(bank, owner, amount=cash(amount))
    if held:
        await do(bank, "HoldShares", order_id=order_id, amount=cash(held))
    return order_id


def share(order_id: str, receiver_id: str, amount: int, number: str = "1") -> dict[str, Any]:
    return {
        "order_id": order_id,
        "share_number": number,
        "receiver_id": receiver_id,
        "amount": cash(amount),
    }


def back(order_id: str, amount: int | None = None, number: str = "1") -> dict[str, Any]:
    fields: dict[str, Any] = {
        "order_id": order_id,
        "share_number": "1",
        "return_number": number,
    }
    return fields if amount is None else {**fields, "amount": cash(amount)}


async def refund(bank: SmallBank, order_id: str, amount: int) -> Any:
    return await bank.do(
        "PaymentsService/RefundOrder",
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(amount),
    )


async def owed(bank: SmallBank, merchant_id: str) -> int:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=merchant_id)
    account = await bank.do("LedgerService/GetAccount", account_id=found.merchant.account_id)
    return int(account.account.balances.posted)


async def sums(bank: SmallBank, order_id: str) -> tuple[int, ...]:
    """Held, shared, returned and released."""
    one = (await do(bank, "GetSharing", order_id=order_id)).sharing
    return tuple(part.minor_units for part in (one.held, one.shared, one.returned, one.released))


async def test_held_money_is_not_settled_until_it_is_released(
    bank: SmallBank, owner: Person
) -> None:
    mine, other = await merchant(bank, owner), await receiver(bank, owner)
    order_id = await sold(bank, owner)
    assert await owed(bank, mine) == 700
    made = await do(
        bank, "ShareOrder", bank.token("merchant", owner), **share(order_id, other, 120)
    )
    assert (made.share.amount.minor_units, made.sharing.state) == (120, OPEN)
    await bank.close_days(10)
    found = await bank.do("SettlementsService/ListSettlements", merchant_id=mine)
    (first,) = found.settlements
    assert (first.sale_minor_units, first.other_minor_units) == (1_000, -300)
    assert first.paid_minor_units == 700

    for _ in range(2):
        ended = (await do(bank, "ReleaseShares", order_id=order_id)).sharing
        assert (ended.state, ended.released.minor_units) == (ENDED, 180)
    assert (await owed(bank, mine), await owed(bank, other)) == (180, 120 - 120)
    told = await refused(bank, "ShareOrder", **share(order_id, other, 1, "2"))
    assert (told.reason, told.metadata) == ("SHARING_ENDED", {"order_id": order_id})


async def test_the_same_number_is_the_same_share(bank: SmallBank, owner: Person) -> None:
    other = await receiver(bank, owner)
    order_id = await sold(bank, owner)
    answers = [(await do(bank, "ShareOrder", **share(order_id, other, 90))).share for _ in "12"]
    assert answers[0] == answers[1]
    told = await refused(bank, "ShareOrder", **share(order_id, other, 91))
    assert (told.reason, told.metadata) == ("SHARE_NUMBER_REUSED", {"fields": "amount"})
    assert await sums(bank, order_id) == (300, 90, 0, 0)
    whole = (await do(bank, "GetSharing", order_id=order_id)).sharing
    assert list(whole.shares) == [answers[0]]


async def test_no_more_is_held_than_may_be_shared(bank: SmallBank, owner: Person) -> None:
    order_id = await sold(bank, owner, held=0)
    told = await refused(bank, "HoldShares", order_id=order_id, amount=cash(301))
    assert (told.reason, told.metadata) == (
        "SHARE_CAP_EXCEEDED",
        {"limit_minor_units": "300", "currency_code": "CNY"},
    )
    euros = {"minor_units": 1, "currency_code": "EUR"}
    assert (await refused(bank, "HoldShares", order_id=order_id, amount=euros)).reason == (
        "CURRENCY_MISMATCH"
    )
    for _ in range(2):
        await do(bank, "HoldShares", order_id=order_id, amount=cash(200))
    told = await refused(bank, "HoldShares", order_id=order_id, amount=cash(201))
    assert (told.reason, told.metadata) == ("SHARING_EXISTS", {"order_id": order_id})
    unpaid = (await ordered(bank, owner)).order.order_id
    assert (await refused(bank, "HoldShares", order_id=unpaid, amount=cash(1))).reason == (
        "ORDER_NOT_PAID"
    )
    late = await sold(bank, owner, held=0)
    await bank.close_days(10)
    told = await refused(bank, "HoldShares", order_id=late, amount=cash(1))
    assert (told.reason, told.metadata) == (
        "INSUFFICIENT_FUNDS",
        {"available_minor_units": "0", "currency_code": "CNY"},
    )


async def test_no_more_is_shared_than_is_held(bank: SmallBank, owner: Person) -> None:
    other = await receiver(bank, owner)
    order_id = await sold(bank, owner)
    await do(bank, "ShareOrder", **share(order_id, other, 250))
    told = await refused(bank, "ShareOrder", **share(order_id, other, 51, "2"))
    assert (told.reason, told.metadata) == (
        "SHARE_EXCEEDS_HELD",
        {"held_minor_units": "50", "currency_code": "CNY"},
    )
    fields = share(order_id, other, 1, "2") | {"amount": {"minor_units": 1, "currency_code": "EUR"}}
    assert (await refused(bank, "ShareOrder", **fields)).reason == "CURRENCY_MISMATCH"


async def test_an_order_is_shared_so_often_and_no_more(bank: SmallBank, owner: Person) -> None:
    other, limit = await receiver(bank, owner), POLICIES[0].shares_max
    order_id = await sold(bank, owner)
    for place in range(limit):
        await do(bank, "ShareOrder", **share(order_id, other, 1, str(place)))
    told = await refused(bank, "ShareOrder", **share(order_id, other, 1, "one more"))
    assert (told.reason, told.metadata) == ("SHARE_LIMIT_REACHED", {"limit": str(limit)})


async def test_only_confirmed_receivers_get_anything(bank: SmallBank, owner: Person) -> None:
    mine, other = await merchant(bank, owner), await another_merchant(bank)
    pair = {"merchant_id": mine, "receiver_id": other}
    order_id = await sold(bank, owner)
    missing = ("RECEIVER_NOT_FOUND", {"receiver_id": other})
    for name, fields in (
        ("ShareOrder", share(order_id, other, 1)),
        ("ConfirmReceiver", pair),
        ("RemoveReceiver", pair),
    ):
        told = await refused(bank, name, **fields)
        assert (told.reason, told.metadata) == missing, name
    await do(bank, "AskReceiver", bank.token("merchant", owner), **pair)
    told = await refused(bank, "ShareOrder", **share(order_id, other, 1))
    assert (told.reason, told.metadata) == (
        "RECEIVER_STATE_CONFLICT",
        {"receiver_id": other, "state": "PENDING"},
    )
    command = {"confirm_receiver": {**pair, "request_id": bank.new_request_id()}}
    made = (
        await bank.do(
            "ApprovalsService/ProposeApproval", bank.token_of("staff", "ann"), command=command
        )
    ).approval
    assert {one.field: one.after for one in made.changes} == {"receiver.state": "ACTIVE"}
    await bank.do(
        "ApprovalsService/ApproveApproval",
        bank.token_of("staff", "bob"),
        approval_id=made.approval_id,
        payload_hash=made.payload_hash,
    )
    told = await refused(bank, "ConfirmReceiver", **pair)
    assert told.metadata == {"receiver_id": other, "state": "ACTIVE"}
    await do(bank, "ShareOrder", **share(order_id, other, 1))
    await do(bank, "RemoveReceiver", **pair)
    told = await refused(bank, "ShareOrder", **share(order_id, other, 1, "2"))
    assert told.metadata == {"receiver_id": other, "state": "REMOVED"}
    listed = await do(bank, "ListReceivers", bank.token("merchant", owner), merchant_id=mine)
    assert [one.receiver_id for one in listed.receivers] == [other]


async def test_shares_go_to_other_merchants_of_the_book_and_currency(
    bank: SmallBank, owner: Person
) -> None:
    mine = await merchant(bank, owner)
    euros = await another_merchant(bank, currency_code="EUR")
    for strange in (mine, euros, elsewhere(mine), of_foreign_book(mine)):
        told = await refused(bank, "AskReceiver", merchant_id=mine, receiver_id=strange)
        assert (told.reason, told.metadata) == ("RECEIVER_NOT_ALLOWED", {"receiver_id": strange})
    for name in ("AskReceiver", "RemoveReceiver"):
        told = await refused(bank, name, merchant_id=of_foreign_book(mine), receiver_id=mine)
        assert told.reason == "MERCHANT_NOT_FOUND"


async def test_a_refund_releases_what_may_be_held_no_longer(bank: SmallBank, owner: Person) -> None:
    mine, other = await merchant(bank, owner), await receiver(bank, owner)
    order_id = await sold(bank, owner)
    await do(bank, "ShareOrder", **share(order_id, other, 100))
    await refund(bank, order_id, 500)
    # Of the 500 that are left 150 may be kept: 100 are shared, so 50 stay held.
    assert await sums(bank, order_id) == (300, 100, 0, 150)
    assert await owed(bank, mine) == 350
    short = await refused_refund(bank, order_id, 500)
    assert short.metadata == {"available_minor_units": "400", "currency_code": "CNY"}
    assert await sums(bank, order_id) == (300, 100, 0, 150), "a refusal leaves no trace"
    await do(bank, "ReturnShare", **back(order_id, 100))
    await refund(bank, order_id, 500)
    assert await sums(bank, order_id) == (300, 100, 100, 200)
    assert (await owed(bank, mine), await owed(bank, other)) == (0, 0)


async def refused_refund(bank: SmallBank, order_id: str, amount: int) -> Told:
    method = BY_NAME["PaymentsService/RefundOrder"]
    request: Any = method.request_class(
        request_id=bank.new_request_id(),
        order_id=order_id,
        refund_number=number(bank),
        amount=cash(amount),
    )
    told = await bank.refused(method, request, SERVICE)
    assert told.reason == "INSUFFICIENT_FUNDS"
    return told


async def test_shares_come_back_in_proportion_to_the_last_cent(
    bank: SmallBank, owner: Person
) -> None:
    other = await receiver(bank, owner)
    order_id = await sold(bank, owner)
    await do(bank, "ShareOrder", **share(order_id, other, 100))
    told = await refused(bank, "ReturnShare", **back(order_id))
    assert (told.reason, told.metadata) == (
        "SHARE_RETURN_EXCEEDS",
        {"returnable_minor_units": "100", "currency_code": "CNY"},
    )
    returned = []
    for place, amount in enumerate((333, 333, 334)):
        # The merchant has sold something else meanwhile.
        await order_paid(bank, owner, amount=cash(1_000))
        await refund(bank, order_id, amount)
        fields = back(order_id, number=str(place))
        made = await do(bank, "ReturnShare", **fields)
        assert (await do(bank, "ReturnShare", **fields)).amount == made.amount
        returned.append(made.amount.minor_units)
    assert returned == [33, 33, 34]
    assert await owed(bank, other) == 0


async def test_returns_are_bound_by_the_share_the_number_and_the_receiver(
    bank: SmallBank, owner: Person
) -> None:
    other = await receiver(bank, owner)
    order_id = await sold(bank, owner)
    await do(bank, "ShareOrder", **share(order_id, other, 100))
    told = await refused(bank, "ReturnShare", **back(order_id, 101))
    assert told.reason == "SHARE_RETURN_EXCEEDS"
    told = await refused(bank, "ReturnShare", **{**back(order_id, 1), "share_number": "9"})
    assert (told.reason, told.metadata) == ("SHARE_NOT_FOUND", {"share_number": "9"})
    euros = back(order_id) | {"amount": {"minor_units": 1, "currency_code": "EUR"}}
    assert (await refused(bank, "ReturnShare", **euros)).reason == "CURRENCY_MISMATCH"
    await do(bank, "ReturnShare", **back(order_id, 10))
    for changed in (back(order_id, 11), back(order_id)):
        told = await refused(bank, "ReturnShare", **changed)
        assert (told.reason, told.metadata) == ("SHARE_NUMBER_REUSED", {"fields": "amount"})
    await bank.close_days(10)
    told = await refused(bank, "ReturnShare", **back(order_id, 90, "2"))
    assert (told.reason, told.metadata) == (
        "INSUFFICIENT_FUNDS",
        {"available_minor_units": "0", "currency_code": "CNY"},
    )


async def test_what_is_left_is_released_when_the_window_ends(
    bank: SmallBank, owner: Person
) -> None:
    mine, other = await merchant(bank, owner), await receiver(bank, owner)
    order_id, late = await sold(bank, owner), await sold(bank, owner, held=0)
    days = POLICIES[0].window_days
    await move_on(bank, days - 1)
    await end_sharings(bank)
    assert (await do(bank, "GetSharing", order_id=order_id)).sharing.state == OPEN
    await move_on(bank, 2)
    assert (await do(bank, "GetSharing", order_id=order_id)).sharing.state == ENDED
    told = await refused(bank, "ShareOrder", **share(order_id, other, 1))
    assert told.reason == "SHARING_ENDED"
    told = await refused(bank, "HoldShares", order_id=late, amount=cash(1))
    assert (told.reason, told.metadata) == ("SHARING_WINDOW_PASSED", {"window_days": str(days)})
    for _ in range(2):
        await end_sharings(bank)
        assert await sums(bank, order_id) == (300, 0, 0, 300)
    assert await owed(bank, mine) == 2_000


async def move_on(bank: SmallBank, days: int) -> None:
    at_us = bank.parts.clock.now_us() + days * DAY_US
    whole, rest = divmod(at_us, 1_000_000)
    await bank.do("AdminService/SetClock", time={"seconds": whole, "nanos": rest * 1000})


async def end_sharings(bank: SmallBank) -> None:
    async with bank.workplace() as workplace:
        await EndedSharings().take(workplace)


async def test_what_is_not_there_or_anothers_is_not_found(bank: SmallBank, owner: Person) -> None:
    other = await receiver(bank, owner)
    order_id = await sold(bank, owner)
    plain = await sold(bank, owner, held=0)
    stranger = await bank.person()
    await merchant(bank, stranger)
    for name, fields in (
        ("HoldShares", {"amount": cash(1)}),
        ("ShareOrder", share("", other, 1)),
        ("ReleaseShares", {}),
        ("ReturnShare", back("", 1)),
        ("GetSharing", {}),
    ):
        for strange, token in (
            (elsewhere(order_id), SERVICE),
            (of_foreign_book(order_id), SERVICE),
            (order_id, bank.token("merchant", stranger)),
        ):
            told = await refused(bank, name, token, **{**fields, "order_id": strange})
            assert (told.reason, told.metadata) == ("ORDER_NOT_FOUND", {"order_id": strange}), name
        if name != "HoldShares":
            told = await refused(bank, name, **{**fields, "order_id": plain})
            assert (told.reason, told.metadata) == ("SHARING_NOT_FOUND", {"order_id": plain}), name


async def test_shares_and_refunds_at_once_never_give_more_than_there_is(
    bank: SmallBank, owner: Person
) -> None:
    mine, other = await merchant(bank, owner), await receiver(bank, owner)
    order_id = await sold(bank, owner)

    async def attempt(method: str, **fields: Any) -> bool:
        try:
            await bank.do(method, **fields)
        except grpc.aio.AioRpcError:
            return False
        return True

    attempts = []
    for place in range(8):
        attempts.append(
            attempt("SharingService/ShareOrder", **share(order_id, other, 60, str(place)))
        )
        attempts.append(
            attempt(
                "PaymentsService/RefundOrder",
                order_id=order_id,
                refund_number=f"r{place}",
                amount=cash(100),
            )
        )
    given = await asyncio.gather(*attempts)
    held, shared, returned, released = await sums(bank, order_id)
    made = [place for place in given[::2] if place]
    refunded = sum(given[1::2])
    assert shared == 60 * len(made)
    assert (held, returned) == (300, 0)
    assert shared + released <= held
    assert await owed(bank, mine) == 1_000 - 100 * refunded - (held - released)


def test_a_refund_never_releases_more_than_is_left() -> None:
    for held in (0, 1, 299, 300):
        for shared in range(0, held + 1, 50):
            for brought in (0, 1, 333, 1_000):
                row = _row(held, shared)
                amount = model.to_release(row, brought)
                assert 0 <= amount <= row.left
                kept = row.left - amount
                assert kept == 0 or kept + shared <= model.cap(brought, 30)


def _row(held: int, shared: int) -> model.SharingRow:
    return model.SharingRow(
        order_id=b"",  # type: ignore[arg-type]  # the rule reads no id
        merchant_id=b"",  # type: ignore[arg-type]
        account_id=b"",  # type: ignore[arg-type]
        currency_code="CNY",
        state=1,
        held=held,
        shared=shared,
        returned=0,
        released=0,
        share_count=0,
        cap_percent=30,
        ends_at_us=0,
        version=1,
        created_at_us=0,
        updated_at_us=0,
    )


async def test_the_books_are_proven(bank: SmallBank, module_database: Database) -> None:
    findings, _, _ = await proof_of(module_database.app_dsn, bank.parts.clock)
    assert [one for one in findings if "SHAR" in one.kind or "RECEIVER" in one.kind] == []
