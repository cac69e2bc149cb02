"""The commands of combined orders. All pure."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from longmen.payments.v1 import combined_service_pb2 as pb
from longmen_server.challenges.model import NOTHING, Intent, Operation, stronger
from longmen_server.combined import encode, model
from longmen_server.combined.model import CombinedRow, split_ids
from longmen_server.combined.tables import COMBINED, NUMBER
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import MovementKind
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import fees
from longmen_server.payments.commands import find_merchant, move, movement_of, pay, register
from longmen_server.payments.model import OrderState, Step, advance
from longmen_server.payments.tables import ORDER, ORDER_NUMBER
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import COMBINED as COMBINED_TEXT
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding, Covered
    from longmen_server.challenges.gate import Gate
    from longmen_server.challenges.model import Decision
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payments.commands import Sale
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import AccountId, CombinedId, MerchantId, TransactionId
    from longmen_server.risk.guard import Guard

__all__ = ["CreateCombinedOrder", "PayCombinedOrder"]


class CreateCombinedOrder(Command):
    """Register an order with each of several merchants, to be paid together."""

    __slots__ = ("sales", "wanted")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        wanted: CombinedRow,
        sales: Sequence[Sale],
    ) -> None:
        """Take the combined order, whose expiry still counts from zero, and its parts."""
        super().__init__(book, request)
        self.wanted = wanted
        self.sales = sales

    @property
    def weight(self) -> int:
        """One for each part."""
        return len(self.sales)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what has the number, and what the sales need."""
        if stage == STAGE_POINTER:
            yield RowKey(NUMBER, self.wanted.combined_number)
        elif stage == STAGE_LINK:
            known = working_set.get(NUMBER, self.wanted.combined_number)
            for order_id in [] if known is None else split_ids(known.order_ids):
                yield RowKey(ORDER, order_id)
        for sale in self.sales:
            yield from sale.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it, unless its number has one."""
        model.check_parts([(sale.merchant_id, sale.currency_code) for sale in self.sales])
        model.check_total(self.wanted.total)
        merchants = [find_merchant(working_set, sale.merchant_id) for sale in self.sales]
        known = working_set.get(NUMBER, self.wanted.combined_number)
        if known is not None:
            orders = self._known(working_set, known)
            return self._reply(working_set, known, orders, merchants)
        for sale in self.sales:
            _check_free(working_set, sale)
        row = self.wanted.copy()
        row.expires_at_us += working_set.now_us
        row.created_at_us = working_set.next_stamp()
        orders = []
        for sale, merchant in zip(self.sales, merchants, strict=True):
            order = register(working_set, sale, merchant)
            orders.append(move(working_set, order.order_id, OrderState.PENDING_PAYER))
        working_set.insert(COMBINED, row.combined_id, row)
        working_set.insert(NUMBER, row.combined_number, row)
        return self._reply(working_set, row, orders, merchants)

    def _known(self, working_set: WorkingSet, known: CombinedRow) -> list[OrderRow]:
        """Return the orders of what has the number, if it is the same.

        Raises:
            Refusal: COMBINED_NUMBER_REUSED.
        """
        orders = [working_set.get(ORDER, order_id) for order_id in split_ids(known.order_ids)]
        found = [order for order in orders if order is not None]
        parts = [(one.merchant_id, one.order_number, one.amount, one.description) for one in found]
        wanted = [
            (one.merchant_id, one.order_number, one.amount, one.description) for one in self.sales
        ]
        fields = {
            "parts": (parts, known.currency_code) == (wanted, self.wanted.currency_code),
            "description": known.description == self.wanted.description,
        }
        differing = [name for name, same in fields.items() if not same]
        if differing:
            raise model.number_reused(known, differing)
        return found

    @staticmethod
    def _reply(
        working_set: WorkingSet,
        row: CombinedRow,
        orders: Sequence[OrderRow],
        merchants: Sequence[MerchantRow],
    ) -> bytes:
        parts = list(zip(orders, merchants, strict=True))
        return pb.CreateCombinedOrderResponse(
            combined_order=encode.combined(row, parts, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class PayCombinedOrder(Command):
    """Pay all parts of a combined order, or none."""

    __slots__ = (
        "actor",
        "combined_id",
        "currency_code",
        "funding",
        "gate",
        "guards",
        "merchant_ids",
        "payer_id",
        "total",
        "transaction_ids",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        combined_id: CombinedId,
        merchant_ids: Sequence[MerchantId],
        payer_id: AccountId,
        total: int,
        currency_code: str,
        actor: Actor,
        transaction_ids: Sequence[TransactionId],
        gate: Gate | None,
        guards: Sequence[Guard] = (),
        funding: AutoFunding | None = None,
    ) -> None:
        """Take what is paid.

        Args:
            book: the merchants', and the payer's.
            request: the request's key.
            combined_id: of what is paid.
            merchant_ids: of its parts, as they were found to be; they never change.
            payer_id: account that pays.
            total: that the payer confirmed, in minor units.
            currency_code: of the total.
            actor: who pays.
            transaction_ids: of the payments, one for each part.
            gate: what has to approve; None for the bank.
            guards: what judges the payments, one for each part; none where nothing is judged.
            funding: exchanges what the payer lacks for the whole, if the payer agreed to that.
        """
        super().__init__(book, request)
        self.funding = funding
        self.guards = guards
        self.combined_id = combined_id
        self.merchant_ids = merchant_ids
        self.payer_id = payer_id
        self.total = total
        self.currency_code = currency_code
        self.actor = actor
        self.transaction_ids = transaction_ids
        self.gate = gate

    @property
    def weight(self) -> int:
        """One for each part."""
        return max(1, len(self.transaction_ids))

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the combined order and its merchants, its orders, then all accounts."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self._first_guard
            )
        if stage == STAGE_POINTER:
            yield RowKey(COMBINED, self.combined_id)
            for merchant_id in self.merchant_ids:
                yield RowKey(MERCHANT, merchant_id)
            return
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
        row = working_set.get(COMBINED, self.combined_id)
        for order_id in [] if row is None else split_ids(row.order_ids):
            if stage == STAGE_LINK:
                yield RowKey(ORDER, order_id)
            order = working_set.get(ORDER, order_id)
            if stage == STAGE_ACCOUNT and order is not None:
                yield RowKey(ACCOUNT, order.account_id)
                yield from fees.fee_keys(working_set, order.plan_id, order.currency_code)
            for guard in self.guards[:1]:  # of rows, all of them need the same
                yield from guard_keys(
                    working_set, stage, guard, self.gate, payer_id=self.payer_id, bought=order
                )

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay every part; what is wrong with one of them undoes all."""
        row = working_set.get(COMBINED, self.combined_id)
        if row is None:
            raise model.combined_not_found(self.combined_id)
        payer = find_wallet_account(working_set, self.payer_id, self.currency_code, self.actor)
        if (row.total, row.currency_code) != (self.total, self.currency_code):
            raise Refusal(
                "AMOUNT_MISMATCH",
                "the total is not the combined order's",
                metadata={
                    "expected_minor_units": str(row.total),
                    "currency_code": row.currency_code,
                },
                field="total",
            )
        orders = self._orders(working_set, row)
        covered = self._cover(working_set, payer)
        least = self._reserve(working_set, orders, payer)
        if covered is not None:
            least = stronger(least, covered.least)
        if self.gate is not None:
            self.gate.demand(working_set, self._intent(orders), least)
        paid = []
        available = 0
        for order, transaction_id in zip(orders, self.transaction_ids, strict=True):
            done, outcome = pay(working_set, order, self.payer_id, transaction_id, combined=True)
            paid.append(done)
            available = outcome.debit.available
        row = working_set.edit(COMBINED, self.combined_id)
        row.paid_at_us = working_set.next_stamp()
        merchants = [find_merchant(working_set, order.merchant_id) for order in paid]
        parts = list(zip(paid, merchants, strict=True))
        return pb.PayCombinedOrderResponse(
            combined_order=encode.combined(row, parts, working_set.now_us),
            available_minor_units=available,
            auto_conversion=None if covered is None else covered.message(),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        for guard in self.guards:
            guard.refused(working_set, refusal)
        if self.funding is not None and self.transaction_ids:
            self.funding.refused(working_set, refusal, self.transaction_ids[0], self._first_guard)

    @property
    def _first_guard(self) -> Guard | None:
        """What judges the first part, and what is exchanged for all of them."""
        return self.guards[0] if self.guards else None

    def _cover(self, working_set: WorkingSet, payer: AccountRow) -> Covered | None:
        """Exchange what the payer lacks for all parts; it is kept with the first one's payment.

        Raises:
            Refusal: as :meth:`AutoFunding.cover`.
        """
        if self.funding is None:
            return None
        asker, first = asker_of(working_set, self.actor, self.gate), self.transaction_ids[0]
        return self.funding.cover(
            working_set, payer, self.total, first, asker=asker, guard=self._first_guard
        )

    def _orders(self, working_set: WorkingSet, row: CombinedRow) -> list[OrderRow]:
        """Return the orders of the parts, if all of them can be paid.

        Raises:
            Refusal: ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, ORDER_REVERSED.
        """
        found = []
        for order_id in split_ids(row.order_ids):
            order = working_set.get(ORDER, order_id)
            assert order is not None, "a part has an order"
            advance(order, Step.PAY, working_set.now_us)
            found.append(order)
        return found

    def _reserve(
        self, working_set: WorkingSet, orders: Sequence[OrderRow], payer: AccountRow
    ) -> Decision:
        """Have every part judged, after those before it, and let it pass its limits.

        For limits on single payments they are parts of one.
        """
        asker = asker_of(working_set, self.actor, self.gate)
        least = NOTHING
        parts = zip(orders, self.transaction_ids, strict=True)
        for (order, transaction_id), guard in zip_longest(parts, self.guards):
            movement = movement_of(
                MovementKind.PAYMENT, order, payer, asker, transaction_id, together=self.total
            )
            verdict = judge(working_set, guard, movement)
            settle(working_set, verdict)
            allowed = enforce.reserve(working_set, movement)
            least = stronger(least, stronger(allowed, verdict.least))
        return least

    def _intent(self, orders: Sequence[OrderRow]) -> Intent:
        """Return what the payer is told that it does: the text an approval is bound to."""
        total = Money(self.total, self.currency_code)
        shares = ", ".join(
            f"{Money(order.amount, order.currency_code)} to merchant"
            f" {MERCHANT_TEXT.encode(order.merchant_id)}"
            for order in orders
        )
        return Intent(
            operation=Operation.PURCHASE,
            text=f"Pay {total} from {ACCOUNT_TEXT.encode(self.payer_id)}: {shares}.",
            amount=self.total,
            currency_code=self.currency_code,
            payee=COMBINED_TEXT.encode(self.combined_id),
        )


def _check_free(working_set: WorkingSet, sale: Sale) -> None:
    """Refuse a part whose number has an order already: that one is not part of this.

    Raises:
        Refusal: ORDER_NUMBER_REUSED.
    """
    found = working_set.get(ORDER_NUMBER, sale.number)
    if found is not None:
        raise Refusal(
            "ORDER_NUMBER_REUSED",
            "the number belongs to an order that is no part of this",
            metadata={"order_id": ORDER_TEXT.encode(found), "fields": "combined_order_id"},
            field="parts.order_number",
        )
