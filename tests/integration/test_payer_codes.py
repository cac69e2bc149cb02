"""Payer codes: scanned once, within minutes and budgets; paid at once or asked; exact reasons."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import order_pb2, payer_code_pb2
from longmen_app import emv_form
from longmen_server.payments.codes import payer_code
from longmen_server.platform.clock import business_date
from longmen_server.settlements.calendar import CALENDAR
from tests.support.edge import told
from tests.support.identity import register
from tests.support.phone import Phone
from tests.support.rpcs import elsewhere, of_foreign_book
from tests.support.sample_requests import DAY, merchant, number, ordered, terminal
from tests.support.small_bank import (
    BY_NAME,
    FUNDS,
    SERVICE,
    SmallBank,
    cash,
    open_small_bank,
    reply_class,
)
from tests.support.step_up import MEDIUM, Payer, later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

PAY, ENROL = "PaymentsService/PayByCode", "PayerCodesService/EnrolPayerCode"
SCANS = 50
PAID, ASKED, REFUSED = (
    order_pb2.ATTEMPT_OUTCOME_PAID,
    order_pb2.ATTEMPT_OUTCOME_ASKED,
    order_pb2.ATTEMPT_OUTCOME_REFUSED,
)
FREE_AMOUNT = 20_000
"""The most that goes without approval."""
FREE_IN_A_ROW = 5


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("payer_codes")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def early_in_a_minute(bank: SmallBank) -> None:
    """Begin each test with most of a minute left: codes are told apart by theirs."""
    into = bank.parts.clock.now_us() / 1_000_000 % payer_code.STEP_SECONDS
    if into > payer_code.STEP_SECONDS / 3:
        later(bank, payer_code.STEP_SECONDS - into + 0.1)


@pytest.fixture
async def shop(bank: SmallBank) -> Shop:
    owner = await bank.person()
    return Shop(bank, owner, await merchant(bank, owner))


@pytest.fixture
async def phone(bank: SmallBank) -> Phone:
    return await Phone.of(bank, await bank.person())


class Shop:
    """A merchant that scans."""

    def __init__(self, bank: SmallBank, owner: Person, merchant_id: str) -> None:
        self.bank = bank
        self.owner = owner
        self.merchant_id = merchant_id
        self.token = bank.token("merchant", owner)

    def sale(self, code: str, amount: int = 300, **changes: Any) -> dict[str, Any]:
        return {
            "merchant_id": self.merchant_id,
            "order_number": number(self.bank),
            "amount": cash(amount),
            "code": code,
            **changes,
        }

    async def charge(self, code: str, amount: int = 300, **changes: Any) -> Any:
        """The order of a scan that was taken."""
        reply = await self.bank.do(PAY, self.token, **self.sale(code, amount, **changes))
        return reply.order

    async def refused(self, code: str, amount: int = 300, **changes: Any) -> Told:
        method = BY_NAME[PAY]
        request: Any = method.request_class(**self.sale(code, amount, **changes))
        request.request_id = self.bank.new_request_id()
        return await self.bank.refused(method, request, self.token)

    async def look(self, order_number: str) -> Any:
        return await self.bank.do(
            "PaymentsService/LookupOrder",
            self.token,
            merchant_id=self.merchant_id,
            order_number=order_number,
        )

    async def attempts(self, order_id: str) -> list[tuple[int, str]]:
        reply = await self.bank.do("PaymentsService/ListAttempts", self.token, order_id=order_id)
        return [(one.outcome, one.reason) for one in reply.attempts]

    async def takings(self) -> int:
        found = await self.bank.do("MerchantsService/GetMerchant", merchant_id=self.merchant_id)
        return await posted(self.bank, found.merchant.account_id)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def refused(bank: SmallBank, name: str, token: str, /, **fields: Any) -> Told:
    method = BY_NAME[name]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def pay(payer: Payer, order: Any) -> Any:
    """Approve and pay what a scan asks."""
    return await payer.approved(
        "PaymentsService/PayOrder",
        order_id=order.order_id,
        from_account_id=payer.person.account,
        amount=order.amount,
    )


# -- scanned and paid --------------------------------------------------------------------------


async def test_a_scan_of_a_small_amount_pays_at_once_and_once(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    code = phone.code()
    order = await shop.charge(code)
    assert order.state == order_pb2.ORDER_STATE_PAID
    assert await shop.takings() == 300
    assert await shop.attempts(order.order_id) == [(PAID, "")]
    assert (await shop.look(order.order_number)).answer == order_pb2.ORDER_ANSWER_PAID
    assert (await shop.refused(code)).reason == "CODE_USED"
    assert await shop.takings() == 300
    shown = await phone.do("GetPayerCode")
    assert shown.payer_code.codes_left == 14
    assert shown.payer_code.amount_left.minor_units == 100_000 - 300
    assert (shown.scan.order_id, shown.scan.merchant_name) == (order.order_id, "Corner Tea")
    assert shown.scan.state == order_pb2.ORDER_STATE_PAID
    del bank


async def test_a_code_in_emvs_form_is_the_same_code(shop: Shop, phone: Phone) -> None:
    code = phone.code()
    assert (await shop.charge(emv_form(code))).state == order_pb2.ORDER_STATE_PAID
    assert (await shop.refused(code)).reason == "CODE_USED"
    foreign = base64.b64encode(bytes.fromhex("8505435056303161094f07a0000003330101")).decode()
    unknown = await shop.refused(foreign)
    assert unknown.reason == "CODE_UNKNOWN_SCHEME"
    assert unknown.metadata == {"scheme": "a0000003330101"}
    assert (await shop.refused(emv_form(code)[:-4])).reason == "CODE_MALFORMED"


@pytest.mark.parametrize("numbers", ["own", "same"])
async def test_fifty_scans_of_one_code_make_one_payment(
    bank: SmallBank, shop: Shop, phone: Phone, numbers: str
) -> None:
    code, same = phone.code(), number(bank)
    fields: dict[str, Any] = {"order_number": same} if numbers == "same" else {}
    answers = await asyncio.gather(
        *(shop.charge(code, **fields) for _ in range(SCANS)), return_exceptions=True
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == SCANS - 1
    expected = "ORDER_PAID" if numbers == "same" else "CODE_USED"
    assert {told(error).reason for error in errors} == {expected}
    assert await shop.takings() == 300


async def test_the_same_request_is_answered_the_same_when_the_code_is_long_gone(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    method = BY_NAME[PAY]
    good, bad = (
        method.request_class(**shop.sale(code), request_id=bank.new_request_id())
        for code in (phone.code(), phone.code(minutes=-5))
    )
    first = await bank.call(method, good, shop.token)
    assert (await bank.refused(method, bad, shop.token)).reason == "CODE_EXPIRED"
    later(bank, 3_600)
    again = await bank.call(method, good, shop.token)
    assert (again.messages, again.replayed) == (first.messages, True)
    assert (await bank.refused(method, bad, shop.token)).reason == "CODE_EXPIRED"


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(-1, ""), (0, ""), (1, ""), (-2, "CODE_EXPIRED"), (-29, "CODE_EXPIRED"), (2, "CODE_INVALID")],
)
async def test_a_code_is_good_in_its_minute_and_its_neighbours(
    shop: Shop, phone: Phone, minutes: int, reason: str
) -> None:
    code = phone.code(minutes=minutes)
    if not reason:
        assert (await shop.charge(code)).state == order_pb2.ORDER_STATE_PAID
        return
    answer = await shop.refused(code)
    assert answer.reason == reason
    if reason == "CODE_EXPIRED":
        assert answer.metadata == {"window_seconds": "180"}


async def test_codes_that_nobody_made_say_what_is_wrong(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    code = phone.code()
    misread = code[:4] + str((int(code[4]) + 1) % 10) + code[5:]
    body = f"{payer_code.PREFIX}{(phone.handle + 1) % payer_code.HANDLES:08d}{code[9:16]}"
    guess = f"{code[:10]}{(int(code[10:16]) + 1) % 1_000_000:06d}"
    wanted = {
        misread: ("CODE_MALFORMED", {"problem": "check_digits_wrong", "path": "", "offset": "16"}),
        code[:-1]: ("CODE_MALFORMED", {"problem": "length_wrong", "path": "", "offset": "17"}),
        "not digits": ("CODE_MALFORMED", {"problem": "not_digits", "path": "", "offset": "0"}),
        "134567890123456789": ("CODE_UNKNOWN_SCHEME", {"scheme": "wechat_pay"}),
        "284567890123456789": ("CODE_UNKNOWN_SCHEME", {"scheme": "alipay"}),
        "994567890123456789": ("CODE_UNKNOWN_SCHEME", {"scheme": ""}),
        body + payer_code.check_digits(body): ("CODE_INVALID", {}),
        guess + payer_code.check_digits(guess): ("CODE_INVALID", {}),
    }
    order_number = number(bank)
    for text, expected in wanted.items():
        answer = await shop.refused(text, order_number=order_number)
        assert (answer.reason, answer.metadata) == expected
    # The order was there all the time, and the right code pays it.
    found = await shop.look(order_number)
    assert found.answer == order_pb2.ORDER_ANSWER_STILL_POSSIBLE
    order = await shop.charge(code, order_number=order_number)
    assert order.state == order_pb2.ORDER_STATE_PAID
    assert await shop.attempts(order.order_id) == [
        *((REFUSED, reason) for reason, _ in wanted.values()),
        (PAID, ""),
    ]


async def test_what_is_wrong_with_the_sale_leaves_the_code_good(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    code = phone.code()
    assert (await shop.refused(code, amount=0)).reason == "INVALID_REQUEST"
    dollars = {"minor_units": 5, "currency_code": "USD"}
    wrong = await refused(bank, PAY, shop.token, **shop.sale(code) | {"amount": dollars})
    assert wrong.reason == "CURRENCY_MISMATCH"
    for strange in (elsewhere(shop.merchant_id), of_foreign_book(shop.merchant_id)):
        for token in (shop.token, SERVICE):
            fields = shop.sale(code, merchant_id=strange)
            assert (await refused(bank, PAY, token, **fields)).reason == "MERCHANT_NOT_FOUND"
    till: dict[str, Any] = {
        "trace_number": 3,
        "business_date": DAY,
        "terminal_id": f"trm_{'0' * 28}0001",
    }
    assert (await shop.refused(code, **till)).reason == "TERMINAL_NOT_FOUND"
    made = (await ordered(bank, shop.owner)).order
    reused = await shop.refused(code, amount=301, order_number=made.order_number)
    assert (reused.reason, reused.metadata["fields"]) == (
        "ORDER_NUMBER_REUSED",
        "amount,description",
    )
    closed = number(bank)
    await bank.do(
        "PaymentsService/ResolveOrder",
        shop.token,
        merchant_id=shop.merchant_id,
        order_number=closed,
    )
    assert (await shop.refused(code, order_number=closed)).reason == "ORDER_CLOSED"
    expiring = await shop.refused(phone.code(minutes=-4), expires_in_seconds=30)
    assert expiring.reason == "CODE_EXPIRED"
    assert (await shop.charge(code)).state == order_pb2.ORDER_STATE_PAID


async def test_an_order_that_a_scan_left_open_expires_like_any(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    order_number = number(bank)
    await shop.refused(phone.code(minutes=-4), order_number=order_number)
    later(bank, 181)
    late = await shop.refused(phone.code(), order_number=order_number)
    assert late.reason == "ORDER_EXPIRED"
    later(bank, 60)
    found = await shop.look(order_number)
    assert found.answer == order_pb2.ORDER_ANSWER_NOT_PAID_AND_CLOSED
    assert await shop.takings() == 0


# -- the payer ---------------------------------------------------------------------------------


async def test_a_payer_without_money_is_refused_and_another_one_pays_the_order(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    order_number = number(bank)
    code = phone.code()
    poor = await shop.refused(code, FUNDS + 1, order_number=order_number)
    # How much there is, is not the till's to know.
    assert (poor.reason, poor.metadata) == ("INSUFFICIENT_FUNDS", {})
    again = await shop.refused(code, FUNDS + 1, order_number=order_number)
    assert again.reason == "CODE_USED", "a code that was shown is used up"
    rich = await Payer.new(bank, pin=False)
    friend = await Phone.of(bank, rich.person)
    order = await shop.charge(friend.code(), FUNDS + 1, order_number=order_number)
    assert order.state == order_pb2.ORDER_STATE_PAID
    assert await shop.attempts(order.order_id) == [
        (REFUSED, "INSUFFICIENT_FUNDS"),
        (REFUSED, "CODE_USED"),
        (PAID, ""),
    ]


async def test_a_till_is_told_no_more_of_a_payer_than_it_needs(bank: SmallBank, shop: Shop) -> None:
    owner = await bank.person()
    phone = await Phone.of(bank, owner)
    unapproved = await shop.refused(phone.code(), MEDIUM)
    assert (unapproved.reason, unapproved.metadata) == ("PAYER_STATE", {"problem": "APPROVAL"})
    await bank.do(
        "AccountsService/FreezeAccount", account_id=owner.account, reason_text="lost the phone"
    )
    frozen = await shop.refused(phone.code())
    assert (frozen.reason, frozen.metadata) == ("PAYER_STATE", {"problem": "ACCOUNT"})
    pocket = await bank.do(
        "AccountsService/OpenAccount", customer_id=owner.customer, currency_code="USD"
    )
    phone = await Phone.of(bank, owner, account=pocket.account.account_id)
    dollars = await shop.refused(phone.code())
    assert (dollars.reason, dollars.metadata) == ("PAYER_STATE", {"problem": "CURRENCY"})
    who = await register(bank)
    enrolled = await bank.signed(ENROL, who, account_id=who.account)
    lost = Phone(bank, "", enrolled)
    limited = await shop.refused(lost.code(), 200_001)
    assert (limited.reason, limited.metadata) == ("PAYER_STATE", {"problem": "LIMIT"})
    await bank.do("DevicesService/RevokeDevice", device_id=who.device_id)
    gone = await shop.refused(lost.code())
    assert (gone.reason, gone.metadata) == ("PAYER_STATE", {"problem": "DEVICE"})


# -- asking the payer --------------------------------------------------------------------------


async def test_a_larger_amount_is_approved_on_the_phone_and_the_till_sees_it_paid(
    bank: SmallBank, shop: Shop
) -> None:
    payer = await Payer.new(bank)
    phone = await Phone.of(bank, payer.person)
    seen: list[Any] = []
    watching = asyncio.ensure_future(watch(bank, phone.token, seen))
    order = await shop.charge(phone.code(), MEDIUM)
    assert order.state == order_pb2.ORDER_STATE_NEEDS_AUTH
    assert await shop.takings() == 0
    await asyncio.wait_for(watching, 10)
    scan = seen[-1].scan
    assert (scan.order_id, scan.amount.minor_units) == (order.order_id, MEDIUM)
    assert scan.state == order_pb2.ORDER_STATE_NEEDS_AUTH
    await pay(payer, order)
    found = await shop.look(order.order_number)
    assert found.order.state == order_pb2.ORDER_STATE_PAID
    assert await shop.takings() == MEDIUM
    assert await shop.attempts(order.order_id) == [(ASKED, "")]


async def watch(bank: SmallBank, token: str, seen: list[Any]) -> None:
    """Watch a phone until something asks its owner."""
    method = BY_NAME["PayerCodesService/WatchPayerCode"]
    call = bank.channel.unary_stream(f"/{method.path}")(
        b"", metadata=(("authorization", f"Bearer {token}"),), timeout=20
    )
    async for message in call:
        seen.append(reply_class(method).FromString(message))
        if seen[-1].scan.order_id:
            call.cancel()
            return


async def test_a_declined_scan_lets_the_till_scan_another_code(bank: SmallBank, shop: Shop) -> None:
    payer = await Payer.new(bank)
    phone = await Phone.of(bank, payer.person)
    first = await shop.charge(phone.code(), MEDIUM)
    for _ in range(2):
        declined = await phone.do("DeclineScan", order_id=first.order_id)
        assert declined.state == order_pb2.ORDER_STATE_PENDING_PAYER
    second = await shop.charge(phone.code(), MEDIUM, order_number=first.order_number)
    assert second.order_id == first.order_id
    assert second.state == order_pb2.ORDER_STATE_NEEDS_AUTH
    await pay(payer, second)
    late = await refused(
        bank, "PayerCodesService/DeclineScan", phone.token, order_id=first.order_id
    )
    assert late.reason == "ORDER_PAID"
    other = (await ordered(bank, shop.owner)).order
    for strange in (other.order_id, elsewhere(first.order_id), of_foreign_book(first.order_id)):
        missing = await refused(
            bank, "PayerCodesService/DeclineScan", phone.token, order_id=strange
        )
        assert missing.reason == "ORDER_NOT_FOUND"


async def test_a_till_that_gives_up_wins_or_loses_against_the_payer_but_not_both(
    bank: SmallBank, shop: Shop
) -> None:
    payer = await Payer.new(bank)
    phone = await Phone.of(bank, payer.person)
    for _ in range(3):
        order = await shop.charge(phone.code(), MEDIUM)
        request = payer.request(
            "PaymentsService/PayOrder",
            order_id=order.order_id,
            from_account_id=payer.person.account,
            amount=order.amount,
        )
        asked = await payer.told("PaymentsService/PayOrder", request)
        await payer.approve(asked.metadata["challenge_id"])
        before = await shop.takings()
        paid: Any
        resolved: Any
        paid, resolved = await asyncio.gather(
            payer.send("PaymentsService/PayOrder", request),
            bank.do(
                "PaymentsService/ResolveOrder",
                shop.token,
                merchant_id=shop.merchant_id,
                order_number=order.order_number,
            ),
            return_exceptions=True,
        )
        if isinstance(paid, grpc.aio.AioRpcError):
            assert told(paid).reason == "ORDER_CLOSED"
            assert resolved.answer == order_pb2.ORDER_ANSWER_NOT_PAID_AND_CLOSED
            assert await shop.takings() == before
        else:
            assert resolved.answer == order_pb2.ORDER_ANSWER_PAID
            assert await shop.takings() == before + MEDIUM


# -- budgets -----------------------------------------------------------------------------------


async def test_a_device_has_to_be_online_after_so_many_codes_and_so_much_money(
    bank: SmallBank, shop: Shop
) -> None:
    # Late in a day, whose limits on what goes without approval are as high as the budget is.
    now_us = bank.parts.clock.now_us()
    tomorrow = CALENDAR.midnight_us(business_date(now_us))
    later(bank, (tomorrow - now_us) / 1_000_000 - 600)
    payer = await Payer.new(bank)
    phone = await Phone.of(bank, payer.person)
    for _ in range(FREE_IN_A_ROW):
        assert (await shop.charge(phone.code(), FREE_AMOUNT)).state == order_pb2.ORDER_STATE_PAID
    order = await shop.charge(phone.code(), FREE_AMOUNT)
    assert order.state == order_pb2.ORDER_STATE_NEEDS_AUTH, "five in a row went without approval"
    await pay(payer, order)
    later(bank, 660)
    spent = await shop.refused(phone.code(), 1)
    assert (spent.reason, spent.metadata) == ("CODE_BUDGET_SPENT", {"which": "amount"})
    renewed = await phone.do("RenewPayerCode")
    assert renewed.payer_code.codes_left == 15
    for minutes, count in ((0, 2), (1, 10), (-1, 3)):
        for sequence in range(8, 8 + count) if not minutes else range(count):
            code = phone.code(minutes=minutes, sequence=sequence % 10)
            if minutes or sequence < 10:
                await shop.charge(code, MEDIUM)
    out = await shop.refused(phone.code(minutes=-1, sequence=9))
    assert (out.reason, out.metadata) == ("CODE_BUDGET_SPENT", {"which": "codes"})
    await phone.do("RenewPayerCode")
    assert (await shop.charge(phone.code(minutes=-1, sequence=9))).order_id
    later(bank, 86_401)
    old = await shop.refused(phone.code())
    assert (old.reason, old.metadata) == ("CODE_BUDGET_SPENT", {"which": "age"})


async def test_guessing_ends_after_ten_tries_even_if_the_eleventh_is_right(
    shop: Shop, phone: Phone
) -> None:
    right = phone.code()
    for guess in range(1, 11):
        body = f"{right[:10]}{(int(right[10:16]) + guess) % 1_000_000:06d}"
        answer = await shop.refused(body + payer_code.check_digits(body))
        assert answer.reason == "CODE_INVALID"
    blocked = await shop.refused(right)
    assert (blocked.reason, blocked.metadata) == ("CODE_BUDGET_SPENT", {"which": "tries"})
    assert (await phone.do("GetPayerCode")).payer_code.codes_left == 0
    await phone.do("RenewPayerCode")
    assert (await shop.charge(right)).state == order_pb2.ORDER_STATE_PAID


# -- devices -----------------------------------------------------------------------------------


async def test_enrolling_again_and_revoking_make_older_codes_worthless(
    bank: SmallBank, shop: Shop
) -> None:
    owner = await bank.person()
    old = await Phone.of(bank, owner)
    await shop.charge(old.code())
    new = await Phone.of(bank, owner)
    assert new.handle == old.handle
    assert new.secret != old.secret
    assert (await shop.refused(old.code())).reason == "CODE_INVALID"
    await shop.charge(new.code())
    revoked = await new.do("RevokePayerCode")
    assert revoked.payer_code.state == payer_code_pb2.PAYER_CODE_STATE_REVOKED
    assert (await shop.refused(new.code())).reason == "CODE_INVALID"
    for name in ("GetPayerCode", "RenewPayerCode", "RevokePayerCode"):
        told_ = await refused(bank, f"PayerCodesService/{name}", new.token)
        assert told_.reason == "PAYER_CODE_NOT_FOUND"
    events = await changes(bank, owner.customer)
    assert events == ["ACTIVE", "ACTIVE", "REVOKED"]
    await shop.charge((await Phone.of(bank, owner)).code())


async def changes(bank: SmallBank, customer: str) -> list[str]:
    """What became of a customer's codes, as events tell it."""
    found: list[Any] = []
    cursor = ""
    while (page := await bank.do("EventsService/ListEvents", page_size=1000, cursor=cursor)).events:
        found += [one for one in page.events if one.subject_id == customer]
        cursor = page.cursor
    changed = event_pb2.EVENT_TYPE_PAYER_CODE_CHANGED
    return [one.payer_code_change.state for one in found if one.type == changed]


async def test_each_device_has_codes_of_its_own_and_enrolling_is_approved(
    bank: SmallBank, shop: Shop
) -> None:
    payer = await Payer.new(bank)
    other = payer.on_device(2)
    phones = []
    for one in (payer, other):
        enrolled = await one.approved(ENROL, account_id=payer.person.account)
        phones.append(Phone(bank, one.token, enrolled))
    assert phones[0].handle != phones[1].handle
    for phone in phones:
        assert (await shop.charge(phone.code())).state == order_pb2.ORDER_STATE_PAID
    lost = (await phones[1].do("GetPayerCode")).payer_code.device_id
    await phones[0].do("RevokePayerCode", device_id=lost)
    assert (await shop.refused(phones[1].code())).reason == "CODE_INVALID"
    assert (await shop.charge(phones[0].code())).state == order_pb2.ORDER_STATE_PAID


async def test_a_device_is_enrolled_for_its_owners_accounts_only(bank: SmallBank) -> None:
    owner, stranger = await bank.person(), await bank.person()
    token = bank.token("customer", owner)
    for account in (
        stranger.account,
        elsewhere(owner.account),
        of_foreign_book(owner.account),
    ):
        answer = await refused(bank, ENROL, token, account_id=account)
        assert answer.reason == "ACCOUNT_NOT_FOUND"


async def test_the_secret_is_told_to_its_device_only(bank: SmallBank) -> None:
    owner = await bank.person()
    token = bank.token("customer", owner)
    method = BY_NAME[ENROL]
    request = method.request_class(account_id=owner.account, request_id=bank.new_request_id())
    first, again = [await bank.ask(method, request, token) for _ in range(2)]
    assert len(first.secret) == payer_code.SECRET_BYTES
    assert again == first
    assert not bank.has_bytes(first.secret)


# -- tills -------------------------------------------------------------------------------------


async def test_a_till_has_one_open_order_unless_it_supersedes(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    till = await terminal(bank, shop.owner)
    traces = iter(range(1, 100))

    def at_till() -> dict[str, Any]:
        return {"terminal_id": till, "trace_number": next(traces), "business_date": DAY}

    first = (await ordered(bank, shop.owner, **at_till())).order
    code = phone.code()
    busy = await shop.refused(code, **at_till())
    assert busy.reason == "TERMINAL_BUSY"
    assert busy.metadata == {"order_id": first.order_id, "order_number": first.order_number}
    paid = await shop.charge(code, **at_till(), supersede=True)
    assert (await shop.look(first.order_number)).order.state == order_pb2.ORDER_STATE_CLOSED
    # What is paid, closed or over does not keep the till busy.
    last = (await ordered(bank, shop.owner, **at_till(), expires_in_seconds=60)).order
    later(bank, 61)
    await shop.charge(phone.code(), **at_till())
    assert paid.state == order_pb2.ORDER_STATE_PAID
    assert (await shop.look(last.order_number)).order.state == order_pb2.ORDER_STATE_EXPIRED


async def test_two_sales_of_one_till_at_once_make_one_order(bank: SmallBank, shop: Shop) -> None:
    till = await terminal(bank, shop.owner)
    answers = await asyncio.gather(
        *(
            ordered(bank, shop.owner, terminal_id=till, trace_number=trace, business_date=DAY)
            for trace in range(1, 11)
        ),
        return_exceptions=True,
    )
    errors = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert [told(error).reason for error in errors] == ["TERMINAL_BUSY"] * 9


async def test_tills_show_when_they_were_seen(bank: SmallBank, shop: Shop) -> None:
    tills = [await terminal(bank, shop.owner) for _ in range(3)]
    await bank.do(
        "MerchantsService/ReportTerminal",
        shop.token,
        terminal_id=tills[1],
        software_version="till 2.1",
    )
    made = await ordered(bank, shop.owner, terminal_id=tills[2], trace_number=1, business_date=DAY)
    shown = await bank.do(
        "MerchantsService/ListTerminals", shop.token, merchant_id=shop.merchant_id
    )
    assert [
        (one.terminal_id, one.HasField("last_seen_time"), one.software_version, one.last_order_id)
        for one in shown.terminals
    ] == [
        (tills[0], False, "", ""),
        (tills[1], True, "till 2.1", ""),
        (tills[2], True, "", made.order.order_id),
    ]
    other = await bank.person()
    await merchant(bank, other)
    stranger = bank.token("merchant", other)
    for till, token in ((tills[0], stranger), (elsewhere(tills[0]), shop.token)):
        name = "MerchantsService/ReportTerminal"
        answer = await refused(bank, name, token, terminal_id=till)
        assert answer.reason == "TERMINAL_NOT_FOUND"


async def test_a_shift_adds_up_what_its_till_has_taken(
    bank: SmallBank, shop: Shop, phone: Phone
) -> None:
    till = await terminal(bank, shop.owner)
    traces = iter(range(1, 100))
    today = business_date(bank.parts.clock.now_us()).isoformat()

    def at_till() -> dict[str, Any]:
        return {"terminal_id": till, "trace_number": next(traces), "business_date": today}

    async def do(name: str, **fields: Any) -> Any:
        return await bank.do(f"ShiftsService/{name}", shop.token, **fields)

    await shop.charge(phone.code(), 100, **at_till())
    opened = [
        await refused_or(bank, do("OpenShift", terminal_id=till, cashier_label="Xiao Wang"))
        for _ in range(2)
    ]
    shift = opened[0].shift
    assert (opened[1].reason, opened[1].metadata) == ("SHIFT_OPEN", {"shift_id": shift.shift_id})
    first = await shop.charge(phone.code(), 200, **at_till())
    reference = at_till()
    await shop.charge(phone.code(), 30, **reference)
    await shop.refused(phone.code(minutes=-9), **at_till())
    await bank.do(
        "PaymentsService/RefundOrder", order_id=first.order_id, refund_number="1", amount=cash(50)
    )
    await bank.do("PaymentsService/ReverseByTerminalRef", **reference)
    await shop.charge(phone.code(), 7, **at_till(), supersede=True)
    closed = (await do("CloseShift", shift_id=shift.shift_id)).shift
    assert (await do("CloseShift", shift_id=shift.shift_id)).shift == closed
    await shop.charge(phone.code(), 1_000, **at_till())
    shown = await do("GetShift", shift_id=shift.shift_id)
    assert shown.shift == closed
    assert sums(shown.totals) == (3, 237, 2, 80, 1)
    day = await do("GetTerminalTotals", terminal_id=till, business_date=today)
    assert sums(day.totals) == (5, 1_337, 2, 80, 1)
    second = (await do("OpenShift", terminal_id=till, cashier_label="Xiao Li")).shift
    listed = await do("ListShifts", merchant_id=shop.merchant_id)
    assert [one.shift_id for one in listed.shifts] == [second.shift_id, shift.shift_id]
    assert sums((await do("GetShift", shift_id=second.shift_id)).totals) == (0, 0, 0, 0, 0)


def sums(totals: Any) -> tuple[int, ...]:
    """Totals as numbers."""
    return (
        totals.sales_count,
        totals.sales.minor_units,
        totals.refunds_count,
        totals.refunds.minor_units,
        totals.unpaid_count,
    )


async def refused_or(bank: SmallBank, work: Any) -> Any:
    """The reply of a call, or what its refusal told."""
    del bank
    try:
        return await work
    except grpc.aio.AioRpcError as error:
        return told(error)


async def test_shifts_that_are_not_there_or_anothers_are_not_found(
    bank: SmallBank, shop: Shop
) -> None:
    till = await terminal(bank, shop.owner)
    opened = await bank.do("ShiftsService/OpenShift", terminal_id=till, cashier_label="Xiao Wang")
    other = await bank.person()
    await merchant(bank, other)
    stranger = bank.token("merchant", other)
    shift_id = opened.shift.shift_id
    for token, named in (
        (stranger, shift_id),
        (shop.token, elsewhere(shift_id)),
        (shop.token, of_foreign_book(shift_id)),
    ):
        for name in ("GetShift", "CloseShift"):
            answer = await refused(bank, f"ShiftsService/{name}", token, shift_id=named)
            assert (answer.reason, answer.metadata) == ("SHIFT_NOT_FOUND", {"shift_id": named})
    for name, fields in (
        ("OpenShift", {"cashier_label": "Xiao Li"}),
        ("GetTerminalTotals", {"business_date": DAY}),
    ):
        answer = await refused(bank, f"ShiftsService/{name}", stranger, terminal_id=till, **fields)
        assert answer.reason == "TERMINAL_NOT_FOUND"
    no_day = await refused(
        bank,
        "ShiftsService/GetTerminalTotals",
        shop.token,
        terminal_id=till,
        business_date="2026-02-30",
    )
    assert no_day.reason == "INVALID_REQUEST"
