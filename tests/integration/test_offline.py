"""Sales that a till made without a network: taken down once, in order, with who bears each loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.payments.v1 import offline_pb2, order_pb2
from longmen_client import Config, Money
from longmen_merchant import AsyncTill, Journal
from longmen_merchant.offline import OfflineStore
from longmen_server.ledger.chart import OPERATIONAL_LOSS, system_account_id
from longmen_server.ledger.encode import microseconds
from longmen_server.payments.codes import payer_code
from longmen_server.platform.ids import ACCOUNT
from tests.support.offline import DAY, OfflineTill
from tests.support.phone import Phone
from tests.support.sample_requests import merchant, terminal
from tests.support.small_bank import (
    BOOK,
    BY_NAME,
    FUNDS,
    SERVICE,
    SmallBank,
    cash,
    open_small_bank,
)
from tests.support.step_up import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

HOUR = 3_600
PAID, COVERED, LOST, REFUSED = 1, 2, 3, 4
NOBODY, BANK, MERCHANT = 0, 1, 2


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("offline")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def early_in_a_minute(bank: SmallBank) -> None:
    """Begin each test with most of a minute left: codes are told apart by theirs."""
    into = bank.parts.clock.now_us() / 1_000_000 % payer_code.STEP_SECONDS
    if into > payer_code.STEP_SECONDS / 3:
        later(bank, payer_code.STEP_SECONDS - into + 0.1)


@pytest.fixture
async def owner(bank: SmallBank) -> Person:
    return await bank.person()


@pytest.fixture
async def till(bank: SmallBank, owner: Person) -> OfflineTill:
    return await OfflineTill.of(bank, await terminal(bank, owner))


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    return await bank.person()


@pytest.fixture
async def phone(bank: SmallBank, payer: Person) -> Phone:
    return await Phone.of(bank, payer)


def told(results: list[Any]) -> list[tuple[int, str, int]]:
    return [(one.outcome, one.reason, one.loss_bearer) for one in results]


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"OfflineService/{name}"]
    request: Any = method.request_class(request_id=bank.new_request_id(), **fields)
    return await bank.refused(method, request, token)


async def posted(bank: SmallBank, account_id: str) -> int:
    account = (await bank.do("LedgerService/GetAccount", account_id=account_id)).account
    return int(account.balances.posted)


async def takings(bank: SmallBank, owner: Person) -> int:
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    return await posted(bank, found.merchant.account_id)


async def drain(bank: SmallBank, person: Person, *, left: int) -> None:
    await bank.do(
        "TransfersService/Withdraw",
        account_id=person.account,
        amount=cash(FUNDS - left),
        bank_account="6222020200001234567",
    )


async def test_stored_sales_are_paid_as_of_when_they_were_made(
    bank: SmallBank, owner: Person, till: OfflineTill, payer: Person, phone: Phone
) -> None:
    before = await takings(bank, owner)
    sales = [
        till.sale(phone.code(minutes=-600), 300, ago_s=10 * HOUR),
        till.sale(phone.code(), 500),
    ]
    token = bank.token("merchant", owner)
    results = await till.forward(*sales, token=token)
    assert told(results) == [(PAID, "", NOBODY)] * 2
    assert [one.sequence for one in results] == [1, 2]
    assert await takings(bank, owner) == before + 800
    assert await posted(bank, payer.account) == FUNDS - 800
    for sale, result in zip(sales, results, strict=True):
        found = await bank.do(
            "PaymentsService/LookupOrder",
            terminal_id=till.terminal_id,
            trace_number=sale.trace_number,
            business_date=DAY,
        )
        assert found.order.order_id == result.order_id
        assert found.order.state == order_pb2.ORDER_STATE_PAID
        posting = (
            await bank.do("LedgerService/GetTransaction", transaction_id=result.transaction_id)
        ).transaction.postings[0]
        assert microseconds(posting.effective_time) == microseconds(sale.accept_time)


async def test_the_same_sales_get_the_same_answers_however_often(
    bank: SmallBank, till: OfflineTill, payer: Person, phone: Phone
) -> None:
    code = phone.code()
    sales = [till.sale(code), till.sale(code), till.sale(phone.code(), 20_001)]
    first = await till.forward(*sales)
    assert told(first) == [
        (PAID, "", NOBODY),
        (LOST, "CODE_USED", MERCHANT),
        (LOST, "OFFLINE_LIMIT_EXCEEDED", MERCHANT),
    ]
    later(bank, 2 * HOUR)
    again = await till.forward(*sales[1:], till.sale(phone.code()))
    assert again[:2] == first[1:]
    assert told(again)[2] == (PAID, "", NOBODY)
    assert await till.forward(*sales) == first
    assert await posted(bank, payer.account) == FUNDS - 600


def unsigned(till: OfflineTill, phone: Phone) -> Any:
    sale = till.sale(phone.code())
    sale.amount.minor_units += 1
    return sale


MISTAKES: list[tuple[Callable[[OfflineTill, Phone], Any], int, str]] = [
    (lambda t, p: t.sale(p.code(minutes=-1500), ago_s=25 * HOUR), LOST, "OFFLINE_WINDOW_PASSED"),
    (lambda t, p: t.sale(p.code(minutes=10), ago_s=-600), LOST, "OFFLINE_TIME_AHEAD"),
    (lambda t, p: t.sale(p.code(), 20_001), LOST, "OFFLINE_LIMIT_EXCEEDED"),
    (lambda t, _: t.sale("812345678312345600"), LOST, "CODE_MALFORMED"),
    (lambda t, _: t.sale("134567890123456789"), LOST, "CODE_UNKNOWN_SCHEME"),
    (lambda t, p: t.sale(forged(p)), LOST, "CODE_INVALID"),
    (lambda t, p: t.sale(p.code(minutes=-5)), LOST, "CODE_EXPIRED"),
    (lambda t, p: t.sale(p.code(), 5, currency="EUR"), LOST, "CURRENCY_MISMATCH"),
    (lambda t, p: t.sale(p.code(), trace_number=101), LOST, "TERMINAL_REFERENCE_REUSED"),
    (lambda t, p: t.sale(p.code(), trace_number=99), LOST, "TERMINAL_REFERENCE_REVERSED"),
    (lambda t, p: t.sale(p.code(), order_number="resolved"), LOST, "ORDER_CLOSED"),
    (unsigned, REFUSED, "OFFLINE_SIGNATURE_INVALID"),
    (lambda t, p: t.sale(p.code(), sequence=1), REFUSED, "OFFLINE_SALE_REUSED"),
    (lambda t, p: t.sale(p.code(), sequence=2), REFUSED, "OFFLINE_OUT_OF_ORDER"),
]


def forged(phone: Phone) -> str:
    """A code of the device that it did not make."""
    body = phone.code()[:-2]
    wrong = body[:10] + f"{(int(body[10:]) + 1) % 1_000_000:06d}"
    return wrong + payer_code.check_digits(wrong)


async def test_a_tills_mistake_is_the_merchants_loss(
    bank: SmallBank, owner: Person, till: OfflineTill, phone: Phone
) -> None:
    await till.forward(till.sale(phone.code()), till.sale(phone.code(), sequence=3))
    reference = {"terminal_id": till.terminal_id, "trace_number": 99, "business_date": DAY}
    await bank.do("PaymentsService/ReverseByTerminalRef", **reference)
    await bank.do(
        "PaymentsService/ResolveOrder",
        merchant_id=await merchant(bank, owner),
        order_number="resolved",
    )
    till.skip(3)
    before = await takings(bank, owner)
    for make, outcome, reason in MISTAKES:
        sale = make(till, phone)
        (result,) = await till.forward(sale)
        bearer = MERCHANT if outcome == LOST else NOBODY
        assert told([result]) == [(outcome, reason, bearer)], reason
        assert await till.forward(sale) == [result], reason
        if result.order_id:
            found = await bank.do("PaymentsService/GetOrder", order_id=result.order_id)
            assert found.order.state == order_pb2.ORDER_STATE_CLOSED, reason
    assert await takings(bank, owner) == before


async def test_the_bank_pays_for_a_payer_who_cannot_within_its_budgets(
    bank: SmallBank, owner: Person, till: OfflineTill, payer: Person, phone: Phone
) -> None:
    loss = ACCOUNT.encode(system_account_id(BOOK, "CNY", OPERATIONAL_LOSS))
    await drain(bank, payer, left=100)
    before = await takings(bank, owner)
    sales = [till.sale(phone.code(), amount) for amount in (20_000, 10_000, 1, 60, 41)]
    results = await till.forward(*sales)
    assert told(results) == [
        (COVERED, "INSUFFICIENT_FUNDS", BANK),
        (COVERED, "INSUFFICIENT_FUNDS", BANK),
        (PAID, "", NOBODY),
        (PAID, "", NOBODY),
        (LOST, "INSUFFICIENT_FUNDS", MERCHANT),
    ]
    assert await takings(bank, owner) == before + 30_061
    lost = await posted(bank, loss)
    order = await bank.do("PaymentsService/GetOrder", order_id=results[0].order_id)
    assert order.order.state == order_pb2.ORDER_STATE_PAID
    # What was not the payer's goes back to where it came from.
    await bank.do(
        "PaymentsService/RefundOrder",
        order_id=results[0].order_id,
        refund_number="1",
        amount=cash(5_000),
    )
    assert await posted(bank, loss) == lost - 5_000
    account = (await bank.do("LedgerService/GetAccount", account_id=payer.account)).account
    assert account.balances.available == 39


async def test_a_payer_has_so_many_sales_a_day(
    bank: SmallBank, till: OfflineTill, phone: Phone
) -> None:
    results = await till.forward(*(till.sale(phone.code(sequence=n), 100) for n in range(10)))
    assert {one.outcome for one in results} == {PAID}
    (eleventh,) = await till.forward(till.sale(phone.code(minutes=1, sequence=0), 100))
    assert told([eleventh]) == [(COVERED, "OFFLINE_BUDGET_SPENT", BANK)]


async def test_a_device_has_its_own_budget(
    bank: SmallBank, till: OfflineTill, phone: Phone
) -> None:
    later(bank, 30 * HOUR)
    sale = till.sale(phone.code(minutes=-60), ago_s=HOUR)
    assert told(await till.forward(sale)) == [(COVERED, "CODE_BUDGET_SPENT", BANK)]
    other = till.sale(sale.code, ago_s=HOUR)
    assert told(await till.forward(other)) == [(LOST, "CODE_USED", MERCHANT)]


async def test_nobody_is_paid_for_guessing_codes(
    bank: SmallBank, till: OfflineTill, phone: Phone
) -> None:
    guesses = [till.sale(forged(phone)) for _ in range(10)]
    assert {one.reason for one in await till.forward(*guesses)} == {"CODE_INVALID"}
    guessed = till.sale(phone.code(minutes=1))
    assert told(await till.forward(guessed)) == [(LOST, "CODE_BUDGET_SPENT", MERCHANT)]


async def test_what_a_till_scanned_online_is_not_taken_again_hours_later(
    bank: SmallBank, owner: Person, till: OfflineTill, phone: Phone
) -> None:
    code = phone.code()
    stored = till.sale(code)
    await bank.do(
        "PaymentsService/PayByCode",
        merchant_id=await merchant(bank, owner),
        order_number=bank.new_request_id(),
        amount=cash(300),
        code=code,
    )
    later(bank, 5 * HOUR)
    assert told(await till.forward(stored)) == [(LOST, "CODE_USED", MERCHANT)]


async def test_a_frozen_payer_and_a_frozen_merchant(
    bank: SmallBank, owner: Person, till: OfflineTill, payer: Person, phone: Phone
) -> None:
    await bank.do("AccountsService/FreezeAccount", account_id=payer.account, reason_text="lost")
    (covered,) = await till.forward(till.sale(phone.code()))
    assert told([covered]) == [(COVERED, "PAYER_STATE", BANK)]
    found = await bank.do("MerchantsService/GetMerchant", merchant_id=await merchant(bank, owner))
    await bank.do(
        "LedgerService/SetAccountState",
        account_id=found.merchant.account_id,
        state="ACCOUNT_STATE_CREDIT_FROZEN",
        reason_text="looked into",
    )
    # Nobody can be paid: it is the merchant's loss, though the bank would have borne it.
    (lost,) = await till.forward(till.sale(phone.code()))
    assert told([lost]) == [(LOST, "PAYER_STATE", MERCHANT)]


async def test_keys_of_a_till(bank: SmallBank, owner: Person, till: OfflineTill) -> None:
    limits = till.terms
    assert (limits.sale_limit.minor_units, limits.stored_count) == (20_000, 200)
    assert limits.window_seconds == 24 * HOUR
    found = await bank.do("OfflineService/GetOfflineTerms", terminal_id=till.terminal_id)
    assert [key.key_id for key in found.keys] == [till.key_id]
    unusable = {**till.registration(), "public_key": bytes(33)}
    assert (await refused(bank, "RegisterTerminalKey", **unusable)).reason == "DEVICE_KEY_INVALID"

    other = await OfflineTill.of(bank, await terminal(bank, owner))
    phone = await Phone.of(bank, owner)
    sale = till.sale(phone.code())
    crossed = {**till.forwarding(sale), "key_id": other.key_id}
    missing = await refused(bank, "ForwardOffline", **crossed)
    assert missing.reason == "OFFLINE_KEY_NOT_FOUND"
    assert missing.metadata == {"key_id": other.key_id}
    mine = {"terminal_id": till.terminal_id, "key_id": other.key_id}
    assert (await refused(bank, "RevokeTerminalKey", **mine)).reason == "OFFLINE_KEY_NOT_FOUND"

    named = {"terminal_id": till.terminal_id, "key_id": till.key_id}
    revoked = [await bank.do("OfflineService/RevokeTerminalKey", **named) for _ in range(2)]
    assert revoked[0].key.revoke_time == revoked[1].key.revoke_time
    late = await refused(bank, "ForwardOffline", **till.forwarding(sale))
    assert (late.reason, late.metadata) == ("OFFLINE_KEY_REVOKED", {"key_id": till.key_id})


async def test_sales_are_forwarded_in_their_order(
    bank: SmallBank, till: OfflineTill, phone: Phone
) -> None:
    first, second = till.sale(phone.code()), till.sale(phone.code())
    for wrong in ((second, first), (first, first)):
        answer = await refused(bank, "ForwardOffline", **till.forwarding(*wrong))
        assert (answer.reason, answer.metadata["rules"]) == (
            "INVALID_REQUEST",
            "offline_sales.ascending",
        )


async def test_another_merchants_till_is_not_there(
    bank: SmallBank, till: OfflineTill, payer: Person, phone: Phone
) -> None:
    await merchant(bank, payer)
    token = bank.token("merchant", payer)
    for name, fields in (
        ("RegisterTerminalKey", till.registration()),
        ("RevokeTerminalKey", {"terminal_id": till.terminal_id, "key_id": till.key_id}),
        ("ForwardOffline", till.forwarding(till.sale(phone.code()))),
    ):
        answer = await refused(bank, name, token, **fields)
        assert answer.reason == "TERMINAL_NOT_FOUND", name


async def test_what_was_forwarded_is_listed_newest_first(
    bank: SmallBank, owner: Person, till: OfflineTill, phone: Phone
) -> None:
    results = await till.forward(*(till.sale(phone.code(), 20_001 - n) for n in range(3)))
    merchant_id = await merchant(bank, owner)
    pages: list[Any] = []
    token = ""
    while True:
        page = await bank.do(
            "OfflineService/ListOfflineSales",
            bank.token("merchant", owner),
            merchant_id=merchant_id,
            page_size=2,
            page_token=token,
        )
        pages += page.sales
        token = page.next_page_token
        if not token:
            break
    assert [one.result for one in pages] == list(reversed(results))
    assert pages[-1].result.outcome == offline_pb2.OFFLINE_OUTCOME_LOST
    assert pages[-1].result.loss_bearer == offline_pb2.LOSS_BEARER_MERCHANT


async def test_a_till_whose_power_fails_forwards_again(
    bank: SmallBank, owner: Person, till: OfflineTill, phone: Phone, tmp_path: Path
) -> None:
    config = Config(target=bank.tokens.target, token=bank.token("merchant", owner))
    sdk = AsyncTill(
        config,
        merchant_id=await merchant(bank, owner),
        terminal_id=till.terminal_id,
        journal=Journal(tmp_path / "till.json"),
    )
    async with sdk:
        store = OfflineStore(tmp_path / "offline.db", clock=bank.parts.clock.now_us)
        await sdk.prepare_offline(store)
        await sdk.prepare_offline(store)  # the key is known by now
        found = await bank.do("OfflineService/GetOfflineTerms", terminal_id=till.terminal_id)
        assert [key.key_id for key in found.keys] == [store.key_id, till.key_id]
        code = phone.code()
        stored = store.accept(code, Money(300, "CNY"), description="tea")
        # The bank has taken it down, and the power fails before its answer is kept.
        key_id, sales = store.next_batch(50)
        lost = await sdk.bank.offline.forward_offline(
            terminal_id=till.terminal_id, key_id=key_id, sales=sales
        )
        store.close()
        with OfflineStore(tmp_path / "offline.db", clock=bank.parts.clock.now_us) as again:
            (answer,) = await sdk.forward_offline(again)
            assert (answer.outcome, answer.sequence) == ("PAID", stored.sequence)
            assert answer.order_id == lost.message.results[0].order_id
            assert again.pending == 0
            assert await sdk.forward_offline(again) == []
