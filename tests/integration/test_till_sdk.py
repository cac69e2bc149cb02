"""Tills with the merchant SDK over a bad network: every sale ends as the ledger says."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.credentials.v1 import credentials_service_pb2
from longmen.identity.v1.factor_pb2 import FactorProof
from longmen.payments.v1 import order_pb2
from longmen_app import AsyncPayerCode, AsyncPurchase, AsyncWallet, BudgetSpentError
from longmen_client import ApiKey, AsyncClient, Config, Money, errors
from longmen_merchant import (
    AsyncTill,
    Charge,
    Journal,
    Limits,
    Outcome,
    Stage,
    Till,
)
from tests.support.bad_network import BadNetwork
from tests.support.phone import Phone
from tests.support.poll import until
from tests.support.sample_requests import merchant, terminal
from tests.support.small_bank import BY_NAME, FUNDS, SmallBank, open_small_bank
from tests.support.step_up import MEDIUM, PIN, Payer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.bad_network import Mood
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

QUICK = Limits(charge_ms=3_000, settle_ms=2_000, attempt_ms=400)
PATIENT = Limits(charge_ms=20_000, attempt_ms=2_000)
TEA = Money(300, "CNY")
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("tills")) as opened:
        yield opened


@dataclass
class Shop:
    """A merchant with one till behind a bad network."""

    bank: SmallBank
    owner: Person
    merchant_id: str
    terminal_id: str
    network: BadNetwork
    folder: Path

    def config(self, **changes: Any) -> Config:
        fields = {"target": self.network.address, "token": self.bank.token("merchant", self.owner)}
        return Config(**{**fields, **changes})

    def till(self, *, limits: Limits = QUICK, **changes: Any) -> AsyncTill:
        return AsyncTill(
            self.config(**changes),
            merchant_id=self.merchant_id,
            terminal_id=self.terminal_id,
            journal=Journal(self.folder / "till.json"),
            limits=limits,
        )

    async def takings(self) -> int:
        found = await self.bank.do("MerchantsService/GetMerchant", merchant_id=self.merchant_id)
        account_id = found.merchant.account_id
        account = (await self.bank.do("LedgerService/GetAccount", account_id=account_id)).account
        return int(account.balances.posted)


@asynccontextmanager
async def opened_shop(bank: SmallBank, folder: Path) -> AsyncIterator[Shop]:
    owner = await bank.person()
    merchant_id, terminal_id = await merchant(bank, owner), await terminal(bank, owner)
    async with BadNetwork(bank.tokens.target) as network:
        yield Shop(bank, owner, merchant_id, terminal_id, network, folder)


@pytest.fixture
async def shop(bank: SmallBank, tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened_shop(bank, tmp_path) as opened:
        yield opened


async def new_phone(bank: SmallBank) -> Phone:
    return await Phone.of(bank, await bank.person())


# -- one sale ----------------------------------------------------------------------------------


async def test_a_small_sale_is_paid_and_forgotten(bank: SmallBank, shop: Shop) -> None:
    phone = await new_phone(bank)
    async with shop.till() as till:
        charge = await till.charge(phone.code(), TEA, description="tea")
        assert (charge.outcome, charge.reason, charge.paid) == (Outcome.PAID, "", True)
        assert till.journal.entries == ()
        found = await till.lookup(charge.order_number)
        assert found.answer == order_pb2.ORDER_ANSWER_PAID
        assert found.order.transaction_id == charge.transaction_id
        assert found.order.trace_number == 1
        await till.report("till 1.0")
    assert await shop.takings() == TEA.minor_units


@pytest.mark.parametrize("mood", ["lose_requests", "lose_replies", "refuse"])
async def test_a_fault_that_passes_costs_nobody_anything(
    bank: SmallBank, shop: Shop, mood: Mood
) -> None:
    phone = await new_phone(bank)
    async with shop.till() as till:
        await till.report()
        shop.network.become(mood)
        charging = asyncio.ensure_future(till.charge(phone.code(), TEA))
        if mood == "lose_replies":
            await until_takings(shop, TEA.minor_units)
        else:
            await asyncio.wait([charging], timeout=0.5)
        shop.network.become("pass")
        shop.network.reset()
        charge = await charging
    assert charge.paid
    assert await shop.takings() == TEA.minor_units


async def until_takings(shop: Shop, amount: int) -> None:
    """Wait until the bank has booked so much, whether anybody was told or not."""

    async def are_there() -> bool:
        return await shop.takings() == amount

    await until(are_there, f"the bank has booked {amount}")


async def test_a_sale_that_was_given_up_is_undone_though_it_had_arrived(
    bank: SmallBank, shop: Shop
) -> None:
    payer = await bank.person()
    phone = await Phone.of(bank, payer)
    async with shop.till(limits=Limits(charge_ms=600, settle_ms=400, attempt_ms=300)) as till:
        await till.report()
        shop.network.become("lose_replies")
        charge = await till.charge(phone.code(), TEA)
        assert charge.outcome is Outcome.NOT_PAID
        assert (charge.reason, charge.reversal_pending) == ("UNREACHABLE", True)
        assert await shop.takings() == TEA.minor_units, "the bank had taken it"
        (again,) = (await till.resume()).charges
        assert again.reversal_pending, "the network is as bad as before"
        shop.network.become("pass")
        shop.network.reset()
        (undone,) = (await till.resume()).charges
        assert (undone.outcome, undone.reversal_pending) == (Outcome.NOT_PAID, False)
        assert till.journal.entries == ()
    assert await shop.takings() == 0
    account = (await bank.do("LedgerService/GetAccount", account_id=payer.account)).account
    assert account.balances.posted == FUNDS


async def test_a_till_that_lost_power_finds_out_how_its_sale_ended(
    bank: SmallBank, shop: Shop
) -> None:
    phone = await new_phone(bank)
    for mood, outcome in (("lose_replies", Outcome.PAID), ("lose_requests", Outcome.NOT_PAID)):
        before = await shop.takings()
        till = shop.till()
        await till.report()
        shop.network.become(mood)  # type: ignore[arg-type]
        charging = asyncio.ensure_future(till.charge(phone.code(), TEA))
        if outcome is Outcome.PAID:
            await until_takings(shop, before + TEA.minor_units)
        else:
            await until(lambda: bool(till.journal.entries), "the sale is in the journal")  # noqa: B023
        charging.cancel()
        await asyncio.gather(charging, return_exceptions=True)
        await till.aclose()
        shop.network.become("pass")
        async with shop.till() as restarted:
            assert [one.stage for one in restarted.journal.entries] == [Stage.SENT]
            (found,) = (await restarted.resume()).charges
            assert found.outcome is outcome
            assert restarted.journal.entries == ()
            assert restarted.journal.next_trace() > 1, "a trace number is used once"
        paid = TEA.minor_units if outcome is Outcome.PAID else 0
        assert await shop.takings() == before + paid


async def test_over_a_network_that_breaks_at_random_answers_equal_the_ledger(
    bank: SmallBank, shop: Shop
) -> None:
    random_ = random.Random(4)
    moods: list[Mood] = ["lose_requests", "lose_replies", "refuse", "pass"]
    phones = [await new_phone(bank) for _ in range(4)]
    charges: list[Charge] = []
    async with shop.till(limits=Limits(charge_ms=600, settle_ms=400, attempt_ms=150)) as till:
        for number in range(10):
            shop.network.become(random_.choice(moods))
            charging = asyncio.ensure_future(till.charge(phones[number % 4].code(), TEA))
            await asyncio.wait([charging], timeout=random_.uniform(0, 0.4))
            if random_.random() < 0.7:
                shop.network.become("pass")
                shop.network.reset()
            charges.append(await charging)
        shop.network.become("pass")
        shop.network.reset()
        while till.journal.entries:
            await till.resume()
    assert await shop.takings() == sum(one.paid for one in charges) * TEA.minor_units
    assert {one.outcome for one in charges} == {Outcome.PAID, Outcome.NOT_PAID}


# -- the payer decides -------------------------------------------------------------------------


async def test_the_payer_approves_declines_or_lets_the_time_pass(
    bank: SmallBank, shop: Shop
) -> None:
    payer = await Payer.new(bank)
    phone = await Phone.of(bank, payer.person)
    amount = Money(MEDIUM, "CNY")

    async def is_asked() -> bool:
        shown = await phone.do("GetPayerCode")
        return bool(shown.scan.state == order_pb2.ORDER_STATE_NEEDS_AUTH)

    async def asked() -> Any:
        await until(is_asked, "the payer is asked")
        return (await phone.do("GetPayerCode")).scan

    async with shop.till(limits=Limits(charge_ms=20_000, attempt_ms=400)) as till:
        sale = till.begin(amount)
        scanning = asyncio.ensure_future(sale.scan(phone.code()))
        scan = await asked()
        await phone.do("DeclineScan", order_id=scan.order_id)
        declined = await scanning
        assert (declined.reason, declined.may_scan_again) == ("DECLINED", True)
        scanning = asyncio.ensure_future(sale.scan(phone.code()))
        scan = await asked()
        await payer.approved(
            "PaymentsService/PayOrder",
            order_id=scan.order_id,
            from_account_id=payer.person.account,
            amount=scan.amount,
        )
        assert (await scanning).paid
    async with shop.till(limits=Limits(charge_ms=300, settle_ms=2_000, attempt_ms=400)) as till:
        late = await till.charge(phone.code(), amount)
        assert (late.outcome, late.reason) == (Outcome.NOT_PAID, "ORDER_CLOSED")
        assert till.journal.entries == ()
    assert await shop.takings() == MEDIUM


async def test_a_refused_code_leaves_the_sale_open_and_the_next_sale_takes_its_place(
    bank: SmallBank, shop: Shop
) -> None:
    phone = await new_phone(bank)
    async with shop.till() as till:
        sale = till.begin(TEA)
        wrong = await sale.scan(phone.code(minutes=-9))
        assert (wrong.reason, wrong.may_scan_again) == ("CODE_EXPIRED", True)
        assert (await sale.scan(phone.code())).paid
        left = await till.charge(phone.code(minutes=-9), TEA)
        assert left.may_scan_again
        assert (await till.charge(phone.code(), TEA)).paid
        assert till.journal.entries == ()
        found = await till.lookup(left.order_number)
        assert found.answer == order_pb2.ORDER_ANSWER_NOT_PAID_AND_CLOSED
        given_up = till.begin(TEA)
        await given_up.scan("134567890123456789")
        cancelled = await given_up.cancel()
        assert (cancelled.outcome, cancelled.reason) == (Outcome.NOT_PAID, "ORDER_CLOSED")
    assert await shop.takings() == 2 * TEA.minor_units


async def test_a_payer_scans_the_code_that_the_till_shows(bank: SmallBank, shop: Shop) -> None:
    payer = await bank.person()
    async with shop.till() as till:
        sale = await till.show(TEA)
        assert sale.code.startswith("000201")
        waiting = asyncio.ensure_future(sale.wait())
        await bank.do(
            "PaymentsService/PayOrder",
            order_id=sale.order_id,
            from_account_id=payer.account,
            amount={"minor_units": 300, "currency_code": "CNY"},
        )
        assert (await waiting).paid


async def test_the_app_shows_codes_confirms_declines_and_scans(bank: SmallBank, shop: Shop) -> None:
    payer = await Payer.new(bank)
    config = Config(target=bank.tokens.target, token=payer.token)
    async with AsyncClient(config) as client, shop.till(limits=PATIENT) as till:
        wallet = AsyncWallet(
            client, payer.person.customer, approver=lambda _: FactorProof(payment_pin=PIN)
        )
        codes = await AsyncPayerCode.enrol(wallet, "CNY")
        assert (await till.charge(codes.maker.next_code(), TEA)).paid
        sale = till.begin(Money(MEDIUM, "CNY"))
        for decide in (codes.decline, codes.confirm):
            asked = asyncio.ensure_future(anext(codes.scans()))
            scanning = asyncio.ensure_future(sale.scan(codes.maker.next_code()))
            scan = await asyncio.wait_for(asked, 10)
            assert (scan.merchant_name, scan.amount.minor_units) == ("街角茶铺", MEDIUM)
            assert scan.asks
            await decide(scan)
            assert (await scanning).paid == (decide == codes.confirm)
        latest = await codes.latest()
        assert latest is not None
        assert not latest.asks
        shown = await till.show(TEA)
        purchase = await AsyncPurchase.scan(wallet, shown.code)
        assert (purchase.merchant_name, purchase.amount) == ("街角茶铺", TEA)
        with pytest.raises(ValueError, match="typed amount"):
            await purchase.confirm(Money(1, "CNY"))
        paid = await purchase.confirm()
        assert await purchase.confirm() == paid
        assert (await shown.wait()).paid
        await codes.renew()
        assert codes.maker.codes_left == 15
        await codes.revoke()
        with pytest.raises(BudgetSpentError):
            codes.maker.next_code()
    assert await shop.takings() == MEDIUM + 2 * TEA.minor_units


# -- money back --------------------------------------------------------------------------------


async def test_a_refund_whose_reply_is_lost_is_made_once(bank: SmallBank, shop: Shop) -> None:
    phone = await new_phone(bank)
    async with shop.till() as till:
        charge = await till.charge(phone.code(), TEA)
        shop.network.become("lose_replies")
        refunding = asyncio.ensure_future(till.refund(charge.order_id, Money(100, "CNY")))
        await until_takings(shop, 200)
        shop.network.become("pass")
        shop.network.reset()
        made = await refunding
        assert (made.order_state, made.amount) == ("PARTIALLY_REFUNDED", Money(100, "CNY"))
        with pytest.raises(errors.RefundExceedsPayment):
            await till.refund(charge.order_id, Money(201, "CNY"))
        assert till.journal.entries == ()
    assert await shop.takings() == 200


# -- keys, threads, journals -------------------------------------------------------------------


async def test_a_till_signs_with_its_key_and_says_when_that_is_revoked(
    bank: SmallBank, shop: Shop
) -> None:
    staff = bank.token("staff")
    scopes = sorted(
        {method.scope for name, method in BY_NAME.items() if name.startswith("PaymentsService/")}
        - {"payments.read", "payments.write", "payments.pay"}
    )
    made = await bank.do(
        "CredentialsService/CreateKey",
        staff,
        owner_kind=credentials_service_pb2.KEY_OWNER_KIND_MERCHANT,
        owner=shop.merchant_id,
        label="till 1",
        scopes=scopes,
    )
    key_id = made.key.key_id
    public = SIGNING_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    await bank.do("CredentialsService/RegisterSigningKey", staff, key_id=key_id, public_key=public)
    phone = await new_phone(bank)
    key = ApiKey(credential=f"{key_id}.{made.secret}", sign=SIGNING_KEY.sign)
    async with shop.till(token=None, key=key) as till:
        assert (await till.charge(phone.code(), TEA)).paid
    unsigned = ApiKey(credential=key.credential)
    async with shop.till(token=None, key=unsigned) as till:
        with pytest.raises(errors.SignatureMissing):
            await till.charge(phone.code(), TEA)
        assert till.journal.entries == ()
    assert await shop.takings() == TEA.minor_units


async def test_the_threaded_till_does_the_same(bank: SmallBank, shop: Shop) -> None:
    phone = await new_phone(bank)
    codes = [phone.code(), phone.code(minutes=-9)]

    def sell() -> tuple[Charge, Charge, str]:
        with Till(
            shop.config(),
            merchant_id=shop.merchant_id,
            terminal_id=shop.terminal_id,
            journal=Journal(shop.folder / "till.json"),
        ) as till:
            paid, refused = (till.charge(code, TEA) for code in codes)
            refund = till.refund(paid.order_id, TEA)
            till.resume()
            return paid, refused, refund.order_state

    paid, refused, state = await asyncio.to_thread(sell)
    assert (paid.outcome, refused.outcome) == (Outcome.PAID, Outcome.NOT_PAID)
    assert (refused.reason, state) == ("CODE_EXPIRED", "REFUNDED")
