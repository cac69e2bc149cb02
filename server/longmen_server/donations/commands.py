"""The command that gives to a charity. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import donations_service_pb2 as pb
from longmen_server.challenges.model import Intent, Operation, stronger
from longmen_server.donations import model
from longmen_server.donations.model import DonationRow
from longmen_server.donations.tables import DONATION
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.engine.journal import Event
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import MovementKind
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import fees
from longmen_server.payments.commands import cover, find_merchant, movement_of, pay, register
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import DONATION as DONATION_TEXT
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.ids import TRANSACTION as TRANSACTION_TEXT
from longmen_server.platform.money import Money
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.commands import Sale
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import AccountId, CustomerId, DonationId, TransactionId
    from longmen_server.platform.refusal import Refusal
    from longmen_server.risk.guard import Guard

__all__ = ["Donate"]


class Donate(Command):
    """Give to a charity: the order comes with its payment."""

    __slots__ = (
        "actor",
        "anonymous",
        "donation_id",
        "donor_id",
        "funding",
        "gate",
        "guard",
        "message",
        "payer_id",
        "sale",
        "transaction_id",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        donation_id: DonationId,
        sale: Sale,
        payer_id: AccountId,
        donor_id: CustomerId,
        anonymous: bool,
        message: bytes | None,
        actor: Actor,
        transaction_id: TransactionId,
        gate: Gate | None = None,
        guard: Guard | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        """Take a gift.

        Args:
            book: the donor's, and the charity's.
            request: the request's key.
            donation_id: of the gift; the sale's number is its text.
            sale: the order it is paid by.
            payer_id: what is given from.
            donor_id: under whose data key the message is sealed.
            anonymous: whether the charity is not told by whom.
            message: to the charity, sealed; None without one.
            actor: who gives.
            transaction_id: of the payment.
            gate: what a customer's request has to pass.
            guard: what judges it.
            funding: exchanges what the donor lacks, if the donor agreed to that.
        """
        super().__init__(book, request)
        self.donation_id = donation_id
        self.sale = sale
        self.payer_id = payer_id
        self.donor_id = donor_id
        self.anonymous = anonymous
        self.message = message
        self.actor = actor
        self.transaction_id = transaction_id
        self.gate = gate
        self.guard = guard
        self.funding = funding

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the sale's rows, then both accounts."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        yield from self.sale.keys(working_set, stage)
        yield from guard_keys(
            working_set, stage, self.guard, self.gate, payer_id=self.payer_id, bought=self.sale
        )
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self.guard
            )
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
            merchant = working_set.get(MERCHANT, self.sale.merchant_id)
            if merchant is not None:
                yield RowKey(ACCOUNT, merchant.account_id)
                plan_id = fees.plan_of(working_set, self.sale.merchant_id)
                yield from fees.fee_keys(working_set, plan_id, merchant.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it, if the merchant is a charity."""
        sale = self.sale
        payer = find_wallet_account(working_set, self.payer_id, sale.currency_code, self.actor)
        merchant = find_merchant(working_set, sale.merchant_id)
        model.check_charity(sale.merchant_id, merchant.category_code)
        asker = asker_of(working_set, self.actor, self.gate)
        movement = movement_of(MovementKind.PAYMENT, sale, payer, asker, self.transaction_id)
        covered = cover(working_set, self.funding, self.guard, payer, movement)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if covered is not None:
            least = stronger(least, covered.least)
        if self.gate is not None:
            self.gate.demand(working_set, self._intent(merchant), least)
        order = register(working_set, sale, merchant)
        paid, outcome = pay(working_set, order, self.payer_id, self.transaction_id)
        settle(working_set, verdict)
        self._keep(working_set, paid)
        return pb.DonateResponse(
            donation_id=DONATION_TEXT.encode(self.donation_id),
            order_id=ORDER_TEXT.encode(paid.order_id),
            transaction_id=TRANSACTION_TEXT.encode(self.transaction_id),
            available_minor_units=outcome.debit.available,
            auto_conversion=None if covered is None else covered.message(),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        if self.funding is not None:
            self.funding.refused(working_set, refusal, self.transaction_id, self.guard)

    def _keep(self, working_set: WorkingSet, paid: OrderRow) -> None:
        """Write the gift down, and tell it."""
        assert paid.paid_at_us is not None, "it was paid just now"
        row = DonationRow(
            donation_id=self.donation_id,
            merchant_id=paid.merchant_id,
            account_id=self.payer_id,
            donor_id=self.donor_id,
            order_id=paid.order_id,
            transaction_id=self.transaction_id,
            amount=paid.amount,
            currency_code=paid.currency_code,
            anonymous=self.anonymous,
            message=self.message,
            donated_at_us=paid.paid_at_us,
        )
        working_set.append(DONATION, row)
        payload = event_pb2.DonationMade(
            donation_id=DONATION_TEXT.encode(row.donation_id),
            merchant_id=MERCHANT_TEXT.encode(row.merchant_id),
            order_id=ORDER_TEXT.encode(row.order_id),
        ).SerializeToString(deterministic=True)
        kind = event_pb2.EVENT_TYPE_DONATED
        at_us = working_set.next_stamp()
        working_set.emit(Event(kind, row.donation_id, 0, at_us, payload, payload))

    def _intent(self, merchant: MerchantRow) -> Intent:
        """Return what a donor is told that giving does: the text an approval is bound to."""
        sale = self.sale
        told = Money(sale.amount, sale.currency_code)
        name = merchant.local_name or merchant.name
        return Intent(
            operation=Operation.PURCHASE,
            text=f"Give {told} from {ACCOUNT_TEXT.encode(self.payer_id)} to {name}.",
            amount=sale.amount,
            currency_code=sale.currency_code,
            payee=MERCHANT_TEXT.encode(sale.merchant_id),
        )
