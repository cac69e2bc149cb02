"""The commands by which orders end unpaid: closed, resolved, expired. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import encode, model
from longmen_server.payments.commands import Sale, find_merchant, find_order, move, register
from longmen_server.payments.model import OrderNumber, OrderRow, OrderState, Step
from longmen_server.payments.tables import ORDER, ORDER_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor, MerchantRow
    from longmen_server.platform.ids import OrderId


class CloseOrder(Command):
    """Let an order never be paid."""

    __slots__ = ("actor", "order_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, order_id: OrderId, actor: MerchantActor
    ) -> None:
        super().__init__(book, request)
        self.order_id = order_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the order."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Close it unless it is paid."""
        order = find_order(working_set, self.order_id, self.actor)
        state = model.advance(order, Step.CLOSE, working_set.now_us)
        if order.state != state:
            order = move(working_set, self.order_id, state)
        return pb.CloseOrderResponse(
            order=encode.order(order, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class ResolveOrder(Command):
    """Let a number be paid or closed for ever, whether its order has come or not."""

    __slots__ = ("number", "order_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, number: OrderNumber, order_id: OrderId
    ) -> None:
        super().__init__(book, request)
        self.number = number
        self.order_id = order_id
        """The id of what is written down when no order has come."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, and the order of the number."""
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.number.merchant_id)
            yield RowKey(ORDER_NUMBER, self.number)
        elif stage == STAGE_LINK:
            found = working_set.get(ORDER_NUMBER, self.number)
            if found is not None:
                yield RowKey(ORDER, found)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Close what is open, and take the number of what has not come."""
        merchant = find_merchant(working_set, self.number.merchant_id)
        found = working_set.get(ORDER_NUMBER, self.number)
        if found is None:
            order = self._bar(working_set, merchant)
        else:
            known = working_set.get(ORDER, found)
            assert known is not None, "a number leads to its order"
            order = known
            if order.state in model.OPEN_STATES:
                order = move(working_set, found, _ended(order, working_set.now_us))
        now_us = working_set.now_us
        return pb.ResolveOrderResponse(
            answer=int(model.answer_of(order, now_us)),  # type: ignore[arg-type]
            order=encode.order(order, now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _bar(self, working_set: WorkingSet, merchant: MerchantRow) -> OrderRow:
        """Take the number for an order without an amount, so that none with it can come."""
        sale = Sale(
            order_id=self.order_id,
            merchant_id=merchant.merchant_id,
            order_number=self.number.order_number,
            amount=0,
            currency_code=merchant.currency_code,
            expires_seconds=0,
            description="",
            reference=None,
        )
        order = register(working_set, sale, merchant)
        return move(working_set, order.order_id, OrderState.CLOSED)


class ExpireOrders(Command):
    """Note which orders time has closed, so that whoever watches them learns it."""

    __slots__ = ("order_ids",)

    def __init__(self, book: int, order_ids: list[OrderId]) -> None:
        super().__init__(book, None)
        self.order_ids = order_ids

    @property
    def weight(self) -> int:
        """One for each order."""
        return len(self.order_ids)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the orders."""
        del working_set
        if stage == STAGE_LINK:
            for order_id in self.order_ids:
                yield RowKey(ORDER, order_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Note those that nobody paid or closed meanwhile; return how many, as text."""
        noted = 0
        for order_id in self.order_ids:
            order = working_set.get(ORDER, order_id)
            if order is None or order.state not in model.OPEN_STATES:
                continue
            state = order.state_at(working_set.now_us)
            if state not in model.OPEN_STATES:
                move(working_set, order_id, state)
                noted += 1
        return str(noted).encode()


def _ended(order: OrderRow, now_us: int) -> OrderState:
    """Return how an order that was open ends now: paid for what was captured, or closed."""
    if order.state_at(now_us) == OrderState.PAID:
        return OrderState.PAID
    return model.advance(order, Step.CLOSE, now_us)
