"""The commands that close business dates and pay merchants out. All pure.

A business date of a merchant is a range of versions of its ledger account. Dates are closed in
order, each from where the one before ended, so every movement is in exactly one of them, however
late it was committed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen_server.engine.command import Command, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import MERCHANT_SETTLEMENT, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payouts.commands import begin_payout
from longmen_server.payouts.tables import PAYOUT
from longmen_server.plans.model import in_force
from longmen_server.plans.tables import PLAN, PLANS
from longmen_server.platform.refusal import Refusal
from longmen_server.settlements import encode, model
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.settlements.model import PositionRow, SettlementRow, SettlementState
from longmen_server.settlements.tables import POSITION, SETTLEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.plans.model import PlanRef
    from longmen_server.platform.ids import SettlementId, TransactionId
    from longmen_server.settlements.model import Day

__all__ = ["DONE", "PASSED", "CloseDay", "PaySettlement"]

DONE: Final = b"done"
PASSED: Final = b"passed"
"""Somebody else was here before."""


class CloseDay(Command):
    """Write down what a business date of a merchant came to."""

    __slots__ = ("day", "settlement_id")

    def __init__(self, book: int, day: Day, settlement_id: SettlementId) -> None:
        super().__init__(book, None)
        self.day = day
        self.settlement_id = settlement_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, its plan and how far its dates are closed."""
        merchant_id = self.day.merchant_id
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, merchant_id)
            yield RowKey(PLANS, merchant_id)
        elif stage == STAGE_LINK:
            yield RowKey(POSITION, merchant_id)
        elif stage == STAGE_ACCOUNT:
            plan = self._plan(working_set)
            if plan is not None:
                yield RowKey(PLAN, plan.plan_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Close the date, unless it was closed since it was read."""
        day = self.day
        merchant = working_set.get(MERCHANT, day.merchant_id)
        assert merchant is not None, "dates are read of merchants that are there"
        position = working_set.get(POSITION, day.merchant_id)
        if (0 if position is None else position.closed_version) != day.from_version:
            return PASSED
        row = SettlementRow(
            settlement_id=self.settlement_id,
            merchant_id=day.merchant_id,
            account_id=merchant.account_id,
            business_date=day.business_date,
            settlement_date=self._settlement_date(working_set),
            state=SettlementState.PENDING,
            currency_code=merchant.currency_code,
            from_version=day.from_version,
            to_version=day.to_version,
            **day.sums._asdict(),
            carried_in=0,
            paid=0,
            carried_out=0,
            transaction_id=None,
            created_at_us=working_set.next_stamp(),
            settled_at_us=None,
        )
        working_set.insert(SETTLEMENT, row.settlement_id, row)
        if position is None:
            position = PositionRow(day.merchant_id, day.to_version, day.business_date, "", 0)
            working_set.insert(POSITION, day.merchant_id, position)
        else:
            position = working_set.edit(POSITION, day.merchant_id)
            position.closed_version = day.to_version
            position.closed_date = day.business_date
        _tell(working_set, row, row.created_at_us)
        return DONE

    def _settlement_date(self, working_set: WorkingSet) -> str:
        days = model.SETTLEMENT_DAYS_DEFAULT
        ref = self._plan(working_set)
        if ref is not None:
            plan = working_set.get(PLAN, ref.plan_id)
            assert plan is not None, "named among the keys"
            days = plan.settlement_days
        return CALENDAR.after(dt.date.fromisoformat(self.day.business_date), days).isoformat()

    def _plan(self, working_set: WorkingSet) -> PlanRef | None:
        """Return the merchant's plan of the date."""
        plans = working_set.get(PLANS, self.day.merchant_id) or ()
        return in_force(plans, dt.date.fromisoformat(self.day.business_date))


class PaySettlement(Command):
    """Pay out what a business date came to, with what was carried before it."""

    __slots__ = ("due", "transaction_id")

    def __init__(self, book: int, due: SettlementRow, *, transaction_id: TransactionId) -> None:
        super().__init__(book, None)
        self.due = due
        """As it was read: merchant, account and currency never change."""
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the settlement and the merchant's position, then both accounts."""
        del working_set
        due = self.due
        if stage == STAGE_LINK:
            yield RowKey(POSITION, due.merchant_id)
            yield RowKey(SETTLEMENT, due.settlement_id)
            yield RowKey(PAYOUT, due.settlement_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, due.account_id)
            settled_id = system_account_id(self.book, due.currency_code, MERCHANT_SETTLEMENT)
            yield RowKey(ACCOUNT, settled_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Pay it out unless that was done; return the reason if the ledger refuses."""
        row = working_set.get(SETTLEMENT, self.due.settlement_id)
        position = working_set.get(POSITION, self.due.merchant_id)
        account = working_set.get(ACCOUNT, self.due.account_id)
        if row is None or row.state != SettlementState.PENDING:
            return PASSED
        assert position is not None, "a closed date has a position"
        assert account is not None, "a merchant has an account"
        paid = model.payout(position.carried, row.sums.net, account.available)
        if paid:
            try:
                self._pay(working_set, row, paid)
            except Refusal as refusal:
                # A frozen account, say: the settlement waits, and holds up nobody else's.
                return refusal.reason.encode()
        row = working_set.edit(SETTLEMENT, row.settlement_id)
        row.state = SettlementState.SETTLED if paid else SettlementState.CARRIED
        row.carried_in = position.carried
        row.paid = paid
        row.carried_out = position.carried + row.sums.net - paid
        row.transaction_id = self.transaction_id if paid else None
        row.settled_at_us = working_set.next_stamp()
        position = working_set.edit(POSITION, row.merchant_id)
        position.carried = row.carried_out
        position.settled_date = row.business_date
        _tell(working_set, row, row.settled_at_us)
        if paid:
            begin_payout(
                working_set,
                row.settlement_id,
                merchant_id=row.merchant_id,
                account_id=row.account_id,
                business_date=row.business_date,
                amount=paid,
                currency_code=row.currency_code,
            )
        return DONE

    def _pay(self, working_set: WorkingSet, row: SettlementRow, paid: int) -> None:
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.transaction_id,
                debit_account_id=row.account_id,
                credit_account_id=ensure_system_account(
                    working_set, row.currency_code, MERCHANT_SETTLEMENT
                ),
                currency_code=row.currency_code,
                amount=paid,
                code=PostingCode.SETTLEMENT,
                reference=row.business_date,
            ),
        )


def _tell(working_set: WorkingSet, row: SettlementRow, at_us: int) -> None:
    """Tell by an event what became of a settlement."""
    payload = encode.change(row)
    kind = event_pb2.EVENT_TYPE_SETTLEMENT_CHANGED
    working_set.emit(Event(kind, row.settlement_id, 0, at_us, payload, payload))
