"""The command that revalues positions at the close of a business date. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import positions_service_pb2 as pb
from longmen_server.conversions.booking import counter_account
from longmen_server.conversions.commands import rate_keys
from longmen_server.conversions.model import counter_account_id
from longmen_server.conversions.pricing import present_rates
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER, STAGE_RECORD
from longmen_server.engine.journal import Event
from longmen_server.fx.model import minor_ratio, shown, value
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_age, pair_of
from longmen_server.ledger.chart import FX_POSITION, FX_REALISED, FX_UNREALISED, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.positions import encode
from longmen_server.positions.model import (
    Flows,
    Opening,
    RevaluationRow,
    check_date,
    result_of,
)
from longmen_server.positions.tables import LATEST, REVALUATION
from longmen_server.settlements.calendar import CALENDAR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fx.policy import FxVersion
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import TransactionId

__all__ = ["Revalue", "foreign_currencies"]


def foreign_currencies(home: str) -> list[str]:
    """Return every currency that was ever dealt in by any price list, by code."""
    dealt: set[str] = set()
    return sorted(dealt.union(*(one.tradable for one in load_policy().versions)) - {home})


class Revalue(Command):
    """Book what positions came to for a business date, once."""

    __slots__ = ("age_max_us", "business_date", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        business_date: dt.date,
        transaction_id: TransactionId,
        age_max_us: Callable[[int], int],
    ) -> None:
        super().__init__(book, request)
        self.business_date = business_date
        self.transaction_id = transaction_id
        self.age_max_us = age_max_us

    @property
    def weight(self) -> int:
        """Two postings for each currency at most."""
        return 2 * len(foreign_currencies(""))

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the rates, the accounts of all positions, and what the last close left."""
        home = version_now(working_set).home_currency
        codes = foreign_currencies(home)
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
        elif stage == STAGE_ACCOUNT:
            for code in codes:
                yield RowKey(ACCOUNT, system_account_id(self.book, code, FX_POSITION))
                yield RowKey(ACCOUNT, counter_account_id(self.book, home, code))
            for line in (FX_REALISED, FX_UNREALISED):
                yield RowKey(ACCOUNT, system_account_id(self.book, home, line))
        elif stage == STAGE_RECORD:
            yield from (RowKey(LATEST, code) for code in codes)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Revalue every position; return what was booked when it was done before."""
        version = version_now(working_set)
        home, day = version.home_currency, self.business_date.isoformat()
        codes = foreign_currencies(home)
        found = [row for code in codes if (row := working_set.get(LATEST, code)) is not None]
        last = max((row.business_date for row in found), default="")
        present = CALENDAR.date_of(working_set.now_us)
        check_date(day, present=present.isoformat(), last=last)
        if day == last:
            rows = [row for row in found if row.business_date == day]
        else:
            rows = list(self._revalue(working_set, version, present))
        return pb.RevalueResponse(
            revaluations=[encode.revaluation(row) for row in rows],
            realised_minor_units=sum(row.realised for row in rows),
            unrealised_minor_units=sum(row.unrealised for row in rows),
            home_currency_code=home,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _revalue(
        self, working_set: WorkingSet, version: FxVersion, present: dt.date
    ) -> Iterator[RevaluationRow]:
        """Book every position's result, remember it, and tell it."""
        # What is closed late counts at the end of its own day.
        late = self.business_date < present
        effective_at_us = CALENDAR.end_us(self.business_date) - 1 if late else None
        rows: list[RevaluationRow] = []
        ordinal = 0
        for code in foreign_currencies(version.home_currency):
            account_id = system_account_id(self.book, code, FX_POSITION)
            account = working_set.get(ACCOUNT, account_id)
            if account is None:
                continue
            row, ordinal = self._close(
                working_set, version, account, ordinal=ordinal, effective_at_us=effective_at_us
            )
            working_set.insert(LATEST, code, row)
            working_set.append(REVALUATION, row)
            rows.append(row)
        if any(row.transaction_id for row in rows):
            payload = encode.revalued(rows)
            kind = event_pb2.EVENT_TYPE_FX_REVALUED
            at_us = working_set.next_stamp()
            working_set.emit(Event(kind, self.transaction_id, 0, at_us, payload, payload))
        yield from rows

    def _close(
        self,
        working_set: WorkingSet,
        version: FxVersion,
        account: AccountRow,
        *,
        ordinal: int,
        effective_at_us: int | None,
    ) -> tuple[RevaluationRow, int]:
        """Return a position's revaluation, booked, and the next free ordinal.

        Raises:
            Refusal: FX_RATE_NOT_FOUND, FX_RATE_STALE when there is something to be valued.
        """
        code, home = account.currency_code, version.home_currency
        counter_id = counter_account_id(self.book, home, code)
        counter = working_set.get(ACCOUNT, counter_id)
        counter_credits, counter_debits = (
            (0, 0) if counter is None else (counter.credits_posted, counter.debits_posted)
        )
        amount, cost = account.posted, counter_debits - counter_credits
        worth, mid, observed_us = self._value(working_set, version, code, amount)
        before = working_set.get(LATEST, code)
        flows = Flows(
            bought=account.credits_posted - (before.credits if before else 0),
            bought_for=counter_debits - (before.counter_debits if before else 0),
            sold=account.debits_posted - (before.debits if before else 0),
            sold_for=counter_credits - (before.counter_credits if before else 0),
        )
        result = result_of(before.opening if before else Opening(0, 0), flows, worth)
        parts = ((FX_REALISED, result.realised), (FX_UNREALISED, result.unrealised))
        for line, part in parts:
            if part:
                self._post(working_set, (code, home), line, part, ordinal, effective_at_us)
                ordinal += 1
                counter_debits += max(part, 0)
                counter_credits += max(-part, 0)
        return (
            RevaluationRow(
                currency_code=code,
                business_date=self.business_date.isoformat(),
                transaction_id=self.transaction_id if any(result) else None,
                amount=amount,
                bought=flows.bought,
                sold=flows.sold,
                cost=cost,
                value=worth,
                realised=result.realised,
                unrealised=result.unrealised,
                credits=account.credits_posted,
                debits=account.debits_posted,
                counter_credits=counter_credits,
                counter_debits=counter_debits,
                observed_us=observed_us,
                created_at_us=working_set.next_stamp(),
                home_currency=home,
                mid=mid,
            ),
            ordinal,
        )

    def _value(
        self, working_set: WorkingSet, version: FxVersion, code: str, amount: int
    ) -> tuple[int, str, int]:
        """Return what a position is worth, its rate as shown, and when that was observed."""
        if not amount:
            return 0, "", 0
        home = version.home_currency
        pair = pair_of(present_rates(working_set, code, home), code, home)
        check_age(pair, working_set.now_us, self.age_max_us(version.rate_age_max_us))
        worth = value(amount, minor_ratio(pair.mid, code, home))
        return worth, shown(pair.mid), pair.older.observed_at_us

    def _post(
        self,
        working_set: WorkingSet,
        pair: tuple[str, str],
        line: int,
        part: int,
        ordinal: int,
        effective_at_us: int | None,
    ) -> None:
        """Book a part of a result: a gain raises what the position costs, a loss lowers it."""
        code, home = pair
        counter_id = counter_account(working_set, code, home)
        result_id = ensure_system_account(working_set, home, line)
        debit, credit = (counter_id, result_id) if part > 0 else (result_id, counter_id)
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.transaction_id,
                ordinal=ordinal,
                debit_account_id=debit,
                credit_account_id=credit,
                currency_code=home,
                amount=abs(part),
                code=PostingCode.REVALUATION,
                effective_at_us=effective_at_us,
                description=f"{code} {self.business_date.isoformat()}",
            ),
        )
