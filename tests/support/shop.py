"""A merchant's life as commands: a plan, orders paid and refunded, business dates settled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from longmen.merchants.v1 import merchants_service_pb2 as merchants_pb
from longmen.merchants.v1 import plan_pb2, plans_service_pb2
from longmen.payments.v1 import authorizations_service_pb2
from longmen.payments.v1 import payments_service_pb2 as payments_pb
from longmen_server.accounts.model import Actor
from longmen_server.billers.commands import (
    Bill,
    CancelDue,
    CreateBiller,
    PayDue,
    SendDues,
    SentDue,
)
from longmen_server.billers.model import BillerRow, BillerState, DueRow, DueState
from longmen_server.donations.commands import Donate
from longmen_server.jobs.job import Workplace
from longmen_server.jobs.merchant_days import MerchantDays
from longmen_server.jobs.webhook_queue import WebhookQueue
from longmen_server.mandates.commands import ChargeMandate, SignMandate
from longmen_server.mandates.model import Cycle, MandateRow, MandateState
from longmen_server.merchants.commands import CreateMerchant
from longmen_server.merchants.model import MerchantActor
from longmen_server.payments import commands, holding, returns
from longmen_server.payments.commands import Sale
from longmen_server.payments.endings import CloseOrder
from longmen_server.plans.build import set_plan
from longmen_server.platform.clock import business_date
from longmen_server.platform.database import connect
from longmen_server.platform.ids import (
    DONATION,
    DUE,
    MERCHANT,
    AccountId,
    BillerId,
    CaptureId,
    DonationId,
    DueId,
    EndpointId,
    MandateId,
    MerchantId,
    OrderId,
    RefundId,
    TransactionId,
    new_id,
)
from longmen_server.webhooks.commands import CreateEndpoint
from longmen_server.webhooks.model import EndpointRow, EndpointState
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK
from tests.support.wallets import cash

if TYPE_CHECKING:
    from longmen_server.engine.command import Command
    from longmen_server.jobs.job import Job
    from tests.support.wallets import Person, Wallets

BANK = MerchantActor(None)
DAY_SECONDS = 86_400


class Shop:
    """One merchant with a plan, and a customer who buys there."""

    def __init__(self, wallets: Wallets, buyer: Person) -> None:
        self.wallets = wallets
        self.buyer = buyer
        self.merchant_id = MerchantId(self.fresh())

    def fresh(self) -> bytes:
        return new_id(BOOK, self.wallets.clock)

    async def do(self, command: Command) -> bytes:
        return await self.wallets.submit(command)

    async def open(self, *, basis_points: int) -> None:
        asked = merchants_pb.CreateMerchantRequest(
            name="Tea",
            city="Shanghai",
            country_code="CN",
            category_code="5499",
            currency_code="CNY",
        )
        await self.do(
            CreateMerchant(
                BOOK,
                None,
                merchant_id=self.merchant_id,
                account_id=AccountId(self.fresh()),
                asked=asked,
            )
        )
        plan = plans_service_pb2.SetPlanRequest(
            merchant_id=MERCHANT.encode(self.merchant_id),
            effective_date=str(business_date(self.wallets.clock.now_us())),
            fee=plan_pb2.FeeTerms(
                basis_points=basis_points,
                fixed_minor_units=1,
                rounding=plan_pb2.FEE_ROUNDING_HALF_EVEN,
                refund_policy=plan_pb2.FEE_RETURN_PRO_RATA,
            ),
            settlement_days=1,
            negative_limit_minor_units=50_000,
        )
        await self.do(set_plan(plan, None, self.wallets.clock))

    def sale(self, amount: int) -> Sale:
        order_id = OrderId(self.fresh())
        return Sale(
            order_id=order_id,
            merchant_id=self.merchant_id,
            order_number=order_id.hex(),
            amount=amount,
            currency_code="CNY",
            expires_seconds=60,
            description="",
            reference=None,
        )

    async def order(self, amount: int) -> OrderId:
        sale = self.sale(amount)
        await self.do(commands.CreateOrder(BOOK, None, sale=sale))
        return sale.order_id

    async def sell(self, amount: int) -> OrderId:
        order_id = await self.order(amount)
        await self.do(
            commands.PayOrder(
                BOOK,
                None,
                order_id=order_id,
                payer_id=self.buyer.account_id,
                amount=amount,
                currency_code="CNY",
                actor=Actor(None),
                transaction_id=TransactionId(self.fresh()),
            )
        )
        return order_id

    async def refund(self, order_id: OrderId, amount: int) -> None:
        asked = payments_pb.RefundOrderRequest(
            refund_number=self.fresh().hex(), amount=cash(amount)
        )
        await self.do(
            returns.RefundOrder(
                BOOK,
                None,
                order_id=order_id,
                asked=asked,
                actor=BANK,
                refund_id=RefundId(self.fresh()),
                transaction_id=TransactionId(self.fresh()),
            )
        )

    async def authorize(self, amount: int) -> OrderId:
        """Have the money of an order held."""
        order_id = await self.order(amount)
        await self.do(
            holding.AuthorizeOrder(
                BOOK,
                None,
                order_id=order_id,
                payer_id=self.buyer.account_id,
                amount=amount,
                currency_code="CNY",
                hold_us=3_600_000_000,
                percent=20,
                actor=Actor(None),
                gate=None,
            )
        )
        return order_id

    async def capture(self, order_id: OrderId, amount: int, *, final: bool = False) -> None:
        asked = authorizations_service_pb2.CaptureOrderRequest(
            capture_number=self.fresh().hex(), amount=cash(amount), final=final
        )
        await self.do(
            holding.CaptureOrder(
                BOOK,
                None,
                order_id=order_id,
                asked=asked,
                actor=BANK,
                capture_id=CaptureId(self.fresh()),
                transaction_id=TransactionId(self.fresh()),
            )
        )

    async def sign(self) -> None:
        """Be given leave to charge the buyer, and charge once."""
        mandate_id = MandateId(self.fresh())
        wanted = MandateRow(
            mandate_id=mandate_id,
            merchant_id=self.merchant_id,
            mandate_number="m-1",
            account_id=self.buyer.account_id,
            currency_code="CNY",
            state=MandateState.ACTIVE,
            single_cap=500,
            cycle_cap=900,
            cycle=Cycle.MONTH,
            cycle_start="",
            cycle_used=0,
            notice_hours=0,
            announced=0,
            charge_from_us=0,
            expires_at_us=DAY_SECONDS * 1_000_000,
            version=1,
            created_at_us=0,
            updated_at_us=0,
            description="",
        )
        await self.do(SignMandate(BOOK, None, wanted=wanted, actor=Actor(None), gate=None))
        await self.do(
            ChargeMandate(
                BOOK,
                None,
                mandate_id=mandate_id,
                actor=BANK,
                sale=self.sale(400),
                transaction_id=TransactionId(self.fresh()),
            )
        )

    async def listen(self) -> None:
        """Have an endpoint that is told of everything."""
        endpoint_id = EndpointId(self.fresh())
        row = EndpointRow(
            endpoint_id=endpoint_id,
            merchant_id=self.merchant_id,
            url="https://shop.example/",
            types="",
            state=EndpointState.ENABLED,
            secret=b"sealed",
            previous_secret=None,
            previous_until_us=None,
            notice_address=None,
            created_at_us=0,
            failing_since_us=None,
        )
        await self.do(CreateEndpoint(BOOK, None, row=row, sealed_secret=""))


async def run_job(dsn: str, wallets: Wallets, job: Job, days: int = 0) -> None:
    """Do all the work of a job as some days from now."""
    later = SettableClock(wallets.clock.now_us() + days * DAY_SECONDS * 1_000_000)
    connection = await connect(dsn, application_name="tests job")
    try:
        more: Any = True
        while more:
            workplace = Workplace(
                book=BOOK,
                connection=connection,
                engine=wallets.engine,
                clock=later,
                items_max=100,
                progress=0,
            )
            more = (await job.take(workplace)).more
    finally:
        await connection.close()


async def send_bills(shop: Shop) -> None:
    """A biller with a bill of every fate."""
    biller_id, at = BillerId(shop.fresh()), shop.wallets.clock.now_us
    await shop.do(
        CreateBiller(
            BOOK,
            None,
            wanted=BillerRow(
                biller_id=biller_id,
                merchant_id=shop.merchant_id,
                name="City Power",
                category=1,
                digits_only=True,
                minimum_length=1,
                maximum_length=9,
                number_check=0,
                hint="",
                currency_code="",
                state=BillerState.OPEN,
                version=1,
                created_at_us=at(),
                updated_at_us=at(),
            ),
            actor=BANK,
        )
    )
    due_ids = [DueId(shop.fresh()) for _ in range(3)]
    rows = [
        DueRow(
            due_id=due_id,
            biller_id=biller_id,
            merchant_id=shop.merchant_id,
            bill_number=due_id.hex(),
            account_index=b"index",
            account_number=b"sealed",
            amount=120,
            currency_code="CNY",
            period="2026-10",
            due_date="2030-01-01",
            last_date="",
            description="",
            state=DueState.OPEN,
            order_id=None,
            payer_account_id=None,
            paid_at_us=None,
            version=1,
            created_at_us=at(),
            updated_at_us=at(),
        )
        for due_id in due_ids
    ]
    sent = [SentDue(row, "123") for row in rows]
    await shop.do(SendDues(BOOK, None, biller_id=biller_id, sent=sent, actor=BANK))
    await shop.do(CancelDue(BOOK, None, due_id=due_ids[1], masked_number="", actor=BANK))
    sale = replace(shop.sale(120), order_number=DUE.encode(due_ids[2]))
    await shop.do(
        PayDue(
            BOOK,
            None,
            due_id=due_ids[2],
            bill=Bill(biller_id=biller_id, sale=sale, masked_number=""),
            payer_id=shop.buyer.account_id,
            amount=120,
            currency_code="CNY",
            actor=Actor(None),
            transaction_id=TransactionId(shop.fresh()),
        )
    )


async def give(shop: Shop) -> None:
    """A charity that somebody gives to."""
    merchant_id, donation_id = MerchantId(shop.fresh()), DonationId(shop.fresh())
    asked = merchants_pb.CreateMerchantRequest(
        name="Hope",
        city="Shanghai",
        country_code="CN",
        category_code="8398",
        currency_code="CNY",
    )
    account_id = AccountId(shop.fresh())
    await shop.do(
        CreateMerchant(BOOK, None, merchant_id=merchant_id, account_id=account_id, asked=asked)
    )
    sale = replace(
        shop.sale(90), merchant_id=merchant_id, order_number=DONATION.encode(donation_id)
    )
    await shop.do(
        Donate(
            BOOK,
            None,
            donation_id=donation_id,
            sale=sale,
            payer_id=shop.buyer.account_id,
            donor_id=shop.buyer.customer_id,
            anonymous=False,
            message=None,
            actor=Actor(None),
            transaction_id=TransactionId(shop.fresh()),
        )
    )


async def fill_shop(dsn: str, wallets: Wallets) -> None:
    """Settlements of every state, one that carries a debt, and orders of every fate."""
    shop = Shop(wallets, await wallets.person(funds=100_000))
    await shop.open(basis_points=45)
    await shop.listen()
    first = await shop.sell(10_000)
    await shop.sell(333)
    await shop.order(50)
    await shop.refund(first, 4_000)
    await run_job(dsn, wallets, MerchantDays(), 10)
    await shop.refund(first, 6_000)
    await run_job(dsn, wallets, MerchantDays(), 20)
    await shop.sell(70)
    await run_job(dsn, wallets, MerchantDays(), 12)
    await _authorizations(shop)
    await shop.sign()
    await send_bills(shop)
    await give(shop)
    await run_job(dsn, wallets, WebhookQueue())


async def _authorizations(shop: Shop) -> None:
    """Held orders of every fate: open, taken in part, beyond, and closed with its hold left."""
    await shop.authorize(500)
    part = await shop.authorize(1_000)
    await shop.capture(part, 300)
    await shop.capture(part, 200, final=True)
    await shop.refund(part, 100)
    await shop.capture(await shop.authorize(1_000), 1_150)
    left = await shop.authorize(700)
    await shop.do(CloseOrder(BOOK, None, order_id=left, actor=BANK))
