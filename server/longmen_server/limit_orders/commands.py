"""The commands of limit orders: taken in with their money held, filled, ended. Pure.

An order pays a fixed amount, which is held from the beginning, so that it never fails for want of
money when its rate comes. It is filled by a quote like any other exchange, at the price list of the
moment, in one transaction with the end of the hold.

It is judged twice as the exchange that it is: when the customer places it, who can be asked to
approve it, and when it is filled, where nobody can be asked. What risk declines then has ended,
with its money free; what a limit or a freeze refuses waits for the next change.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import limit_orders_service_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.challenges.model import stronger
from longmen_server.conversions.booking import bank_accounts, position_account
from longmen_server.conversions.commands import convert, movement_of, rate_keys
from longmen_server.conversions.pricing import Asked, offer
from longmen_server.conversions.quota import quota_keys
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER, STAGE_RECORD
from longmen_server.engine.journal import Event
from longmen_server.fx.model import client_rate
from longmen_server.fxrates.commands import version_now
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import HoldState, PostingIntent, PostingKind
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.tables import ACCOUNT, HOLD
from longmen_server.limit_orders import encode, model
from longmen_server.limit_orders.intents import of_limit_order
from longmen_server.limit_orders.model import OrderRow, OrderState, WaitingKey
from longmen_server.limit_orders.tables import ORDER, WAITING_ORDERS
from longmen_server.limits import enforce
from longmen_server.platform.ids import TransactionId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.challenges.gate import Gate
    from longmen_server.conversions.model import QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import (
        AccountId,
        ConversionId,
        DeviceId,
        LimitOrderId,
    )
    from longmen_server.risk.guard import Guard

__all__ = ["CancelLimitOrder", "CreateLimitOrder", "ExpireLimitOrder", "FillLimitOrder"]

DONE = b"done"
WAITS = b"waits"
REJECTED = "RISK_REJECTED"


def tell(working_set: WorkingSet, row: OrderRow) -> None:
    """Tell by an event what became of an order."""
    payload = encode.change(row, OrderState(row.state).name)
    kind = event_pb2.EVENT_TYPE_FX_LIMIT_ORDER_CHANGED
    at_us = working_set.next_stamp()
    working_set.emit(Event(kind, row.limit_order_id, 0, at_us, payload, payload))


def account_keys(
    working_set: WorkingSet, both: tuple[AccountId, AccountId], pair: tuple[str, str]
) -> Iterable[RowKey]:
    """Name the customer's accounts and those of the bank."""
    home = version_now(working_set).home_currency
    for account_id in (*both, *bank_accounts(working_set.book, home, *pair)):
        yield RowKey(ACCOUNT, account_id)


def guard_keys(
    working_set: WorkingSet,
    stage: int,
    guard: Guard | None,
    both: tuple[AccountId, AccountId],
    device_id: DeviceId | None = None,
) -> Iterable[RowKey]:
    """Name what judges an exchange between two accounts, if anything does."""
    if guard is not None:
        yield from guard.keys(
            working_set, stage, payer_id=both[0], payee_id=both[1], device_id=device_id
        )


def release(working_set: WorkingSet, row: OrderRow, release_id: TransactionId) -> None:
    """Free what an order holds, if it holds anything; a hold that is due to end frees itself."""
    hold = working_set.get(HOLD, row.hold)
    if hold is None or hold.state != HoldState.HELD or working_set.now_us >= hold.expires_at_us:
        return
    intent = PostingIntent(
        transaction_id=release_id,
        kind=PostingKind.VOID,
        currency_code=row.source_currency,
        pending=row.hold,
        code=PostingCode.EXCHANGE,
    )
    book_posting(working_set, intent)


class CreateLimitOrder(Command):
    """Take an order in and hold its money."""

    __slots__ = (
        "actor",
        "asked",
        "gate",
        "guard",
        "limit_order_id",
        "rate",
        "target_currency",
        "valid_days",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        limit_order_id: LimitOrderId,
        asked: Asked,
        target_currency: str,
        rate: str,
        valid_days: int,
        actor: Actor,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request)
        self.guard = guard
        self.limit_order_id = limit_order_id
        self.asked = asked
        """The exchange as it would be now."""
        self.target_currency = target_currency
        self.rate = rate
        self.valid_days = valid_days
        self.actor = actor
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the rates and the accounts."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
            yield RowKey(WAITING_ORDERS, self._waiting(working_set))
        both = (self.asked.from_account_id, self.asked.to_account_id)
        if stage == STAGE_ACCOUNT:
            pair = (self.asked.currency_code, self.target_currency)
            yield from account_keys(working_set, both, pair)
            yield from enforce.keys(stage, payer_id=both[0], payee_id=both[1])
        device_id = None if self.gate is None else self.gate.device_id
        yield from guard_keys(working_set, stage, self.guard, both, device_id)

    def _waiting(self, working_set: WorkingSet) -> WaitingKey:
        return WaitingKey(self.asked.from_account_id, working_set.now_us)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it in unless it would be filled at once, or never."""
        quote = offer(working_set, self.asked, self.actor)
        self._check_sides(quote)
        present = client_rate(quote.mid, quote.spread_basis_points)
        if present >= Fraction(Decimal(self.rate)):
            raise model.reached(present)
        waiting = working_set.edit(WAITING_ORDERS, self._waiting(working_set))
        model.check_waiting(waiting.count)
        waiting.count += 1
        row = OrderRow(
            limit_order_id=self.limit_order_id,
            customer_id=quote.customer_id,
            from_account_id=quote.from_account_id,
            to_account_id=quote.to_account_id,
            conversion_id=None,
            state=OrderState.OPEN,
            amount=quote.source,
            created_at_us=working_set.next_stamp(),
            expires_at_us=working_set.now_us + self.valid_days * model.DAY_US,
            approved=0 if self.gate is None else self.gate.approved(working_set) or 0,
            source_currency=quote.source_currency,
            target_currency=quote.target_currency,
            rate=self.rate,
        )
        # It is counted when it is filled, if it ever is.
        movement = movement_of(working_set, quote, self.actor, self.gate, row.hold[0])
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.check(working_set, movement), verdict.least)
        if self.gate is not None:
            self.gate.demand(working_set, of_limit_order(row), least)
        available = self._hold(working_set, row)
        working_set.insert(ORDER, row.limit_order_id, row)
        tell(working_set, row)
        settle(working_set, verdict)
        return pb.CreateLimitOrderResponse(
            order=encode.order(row, working_set.now_us),
            available_minor_units=available,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _check_sides(self, quote: QuoteRow) -> None:
        """Refuse an amount of what is got: what is held is what is paid."""
        for field, expected, actual in (
            ("amount.currency_code", quote.source_currency, self.asked.currency_code),
            ("target_currency_code", quote.target_currency, self.target_currency),
        ):
            if expected != actual:
                raise Refusal(
                    "CURRENCY_MISMATCH",
                    "the account is in another currency",
                    metadata={"expected": expected, "actual": actual},
                    field=field,
                )

    def _hold(self, working_set: WorkingSet, row: OrderRow) -> int:
        """Hold what is paid; return what is left."""
        home = version_now(working_set).home_currency
        source, target = row.source_currency, row.target_currency
        intent = PostingIntent(
            transaction_id=row.hold[0],
            kind=PostingKind.PENDING,
            debit_account_id=row.from_account_id,
            credit_account_id=position_account(working_set, source, target, home),
            currency_code=source,
            amount=row.amount,
            hold_duration_us=self.valid_days * model.DAY_US + model.HOLD_MARGIN_US,
            code=PostingCode.EXCHANGE,
            description=f"limit order, 1 {source} = {row.rate} {target}",
        )
        (outcome,) = book_posting(working_set, intent)
        return outcome.debit.available

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)


class _Ending(Command):
    """What all ends of an order have in common."""

    __slots__ = ("limit_order_id", "release_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        limit_order_id: LimitOrderId,
        release_id: TransactionId,
    ) -> None:
        super().__init__(book, request)
        self.limit_order_id = limit_order_id
        self.release_id = release_id
        """Transaction that frees what is held."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what holds its money, the order, and the accounts."""
        if stage == STAGE_POINTER:
            yield RowKey(HOLD, (TransactionId(self.limit_order_id), 0))
        elif stage == STAGE_LINK:
            yield RowKey(ORDER, self.limit_order_id)
        elif stage == STAGE_ACCOUNT:
            row = working_set.get(ORDER, self.limit_order_id)
            if row is not None:
                both = (row.from_account_id, row.to_account_id)
                pair = (row.source_currency, row.target_currency)
                yield from account_keys(working_set, both, pair)

    def end(self, working_set: WorkingSet, state: OrderState) -> OrderRow:
        """Free the money, and let the order be what it became."""
        row = working_set.edit(ORDER, self.limit_order_id)
        release(working_set, row, self.release_id)
        row.state = state
        return row


class CancelLimitOrder(_Ending):
    """Give an order up."""

    __slots__ = ("actor",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        limit_order_id: LimitOrderId,
        release_id: TransactionId,
        actor: Actor,
    ) -> None:
        super().__init__(book, request, limit_order_id=limit_order_id, release_id=release_id)
        self.actor = actor

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it up unless it has ended; giving it up again does no harm."""
        row = working_set.get(ORDER, self.limit_order_id)
        if row is None or not self.actor.may_use(row.customer_id):
            raise model.order_not_found(self.limit_order_id)
        if row.state != OrderState.CANCELLED:
            model.check_open(row, working_set.now_us)
            row = self.end(working_set, OrderState.CANCELLED)
            tell(working_set, row)
        return pb.CancelLimitOrderResponse(
            order=encode.order(row, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class ExpireLimitOrder(_Ending):
    """End an order whose time is over; done twice it does no harm."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Free its money."""
        row = working_set.get(ORDER, self.limit_order_id)
        if row is None or row.state != OrderState.OPEN:
            return WAITS
        if row.state_at(working_set.now_us) != OrderState.EXPIRED:
            return WAITS
        tell(working_set, self.end(working_set, OrderState.EXPIRED))
        return DONE


class FillLimitOrder(_Ending):
    """Exchange what an order is for, if its rate is there; once."""

    __slots__ = ("asked", "conversion_id", "guard", "transaction_id")

    def __init__(
        self,
        book: int,
        *,
        limit_order_id: LimitOrderId,
        release_id: TransactionId,
        asked: Asked,
        conversion_id: ConversionId,
        transaction_id: TransactionId,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, None, limit_order_id=limit_order_id, release_id=release_id)
        self.asked = asked
        """The exchange, as the order has it."""
        self.conversion_id = conversion_id
        self.transaction_id = transaction_id
        self.guard = guard
        """What judges the exchange; None where nothing is judged."""

    @property
    def weight(self) -> int:
        """Postings of an exchange, and the end of the hold."""
        return 7

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the rates besides, and the customer's class."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
        elif stage == STAGE_RECORD:
            yield from quota_keys(working_set, self.asked.from_account_id)
        both = (self.asked.from_account_id, self.asked.to_account_id)
        yield from enforce.keys(stage, payer_id=both[0], payee_id=both[1])
        yield from guard_keys(working_set, stage, self.guard, both)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Fill it at the price list of the moment unless that is worse than its limit.

        Raises:
            Refusal: RISK_REJECTED, which ends it; of a quote, a limit, a position or a posting,
                for which the order waits on.
        """
        row = working_set.get(ORDER, self.limit_order_id)
        if row is None or row.state_at(working_set.now_us) != OrderState.OPEN:
            return WAITS
        anyone = Actor(None)
        quote = offer(working_set, self.asked, anyone)
        if client_rate(quote.mid, quote.spread_basis_points) < row.limit:
            return WAITS
        row = self.end(working_set, OrderState.FILLED)
        movement = movement_of(working_set, quote, anyone, None, self.transaction_id)
        # What its customer approved when it was placed needs no approval any more.
        verdict = judge(working_set, self._guard_of(row), movement)
        enforce.reserve(working_set, movement)
        convert(working_set, quote, self.conversion_id, self.transaction_id)
        row.conversion_id = self.conversion_id
        tell(working_set, row)
        settle(working_set, verdict)
        return DONE

    def _guard_of(self, row: OrderRow) -> Guard | None:
        return None if self.guard is None else replace(self.guard, approved=row.approved)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """End what risk declines, and leave what was decided; all else waits on."""
        if self.guard is None or refusal.reason != REJECTED:
            return
        tell(working_set, self.end(working_set, OrderState.DECLINED))
        self.guard.refused(working_set, refusal)
