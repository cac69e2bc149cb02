"""Closes merchants' business dates once they have ended, and pays settlements out on their day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.jobs.job import Done
from longmen_server.platform.ids import MERCHANT, SettlementId, new_id
from longmen_server.settlements import queries
from longmen_server.settlements.calendar import CALENDAR, DAY
from longmen_server.settlements.commands import DONE, PASSED, CloseDay, PaySettlement
from longmen_server.settlements.model import Day

if TYPE_CHECKING:
    from longmen_server.jobs.job import Workplace
    from longmen_server.settlements.queries import OpenDay

log = structlog.get_logger("longmen.settlements")

_FIRST_ID: Final = bytes(16)


class MerchantDays:
    """Does the work of each business date once; its progress is the last date that is done."""

    name = "merchant_days"

    async def take(self, workplace: Workplace) -> Done:
        """Close some dates, then pay out what is due; both are done twice without harm."""
        today = CALENDAR.date_of(workplace.clock.now_us())
        if workplace.progress >= today.toordinal():
            return Done(0, more=False)
        closed = await self._close(workplace, today)
        if closed:
            return Done(closed, more=True)
        paid = await self._pay(workplace, today)
        missing = CALENDAR.lacks_year_after(today)
        if missing is not None:
            # Once a day, until somebody puts the year's notice into calendar.toml.
            log.warning("calendar_year_missing", year=missing)
        return Done(paid, more=False, progress=today.toordinal())

    async def _close(self, workplace: Workplace, today: dt.date) -> int:
        """Close one date of each merchant that has one to close; return how many were."""
        book, connection = workplace.book, workplace.connection
        found = await queries.open_days(
            connection,
            book,
            before_us=CALENDAR.end_us(today - DAY),
            limit=workplace.items_max,
        )
        commands = []
        for one in found:
            day = await _read_day(workplace, one, today)
            if day is not None:
                settlement_id = SettlementId(new_id(book, workplace.clock))
                commands.append(CloseDay(book, day, settlement_id))
        replies = await workplace.submit(commands)
        return replies.count(DONE.decode())

    async def _pay(self, workplace: Workplace, today: dt.date) -> int:
        """Pay out what is due, merchants' earlier dates first; return how many were settled."""
        settled = 0
        # A merchant's next date is due once its earlier one is settled.
        while swept := await self._sweep(workplace, today):
            settled += swept
        return settled

    async def _sweep(self, workplace: Workplace, today: dt.date) -> int:
        book, after, settled = workplace.book, _FIRST_ID, 0
        while due := await queries.due_settlements(
            workplace.connection,
            book,
            today=today.isoformat(),
            after=after,
            limit=workplace.items_max,
        ):
            after = due[-1].settlement_id
            replies = await workplace.submit(
                [
                    PaySettlement(book, row, transaction_id=workplace.new_transaction_id())
                    for row in due
                ]
            )
            settled += replies.count(DONE.decode())
            for row, reply in zip(due, replies, strict=True):
                if reply not in {DONE.decode(), PASSED.decode()}:
                    merchant_id = MERCHANT.encode(row.merchant_id)
                    log.warning("settlement_refused", merchant_id=merchant_id, reason=reply)
        return settled


async def _read_day(workplace: Workplace, one: OpenDay, today: dt.date) -> Day | None:
    """Read what the next date of a merchant came to; None when that date has not ended."""
    day = CALENDAR.date_of(one.booked_at_us)
    if one.closed_date:
        # What was committed late goes to the first date that is open.
        day = max(day, dt.date.fromisoformat(one.closed_date) + DAY)
    if day >= today:
        return None
    to_version = await queries.last_version(
        workplace.connection,
        one.account_id,
        after=one.closed_version,
        before_us=CALENDAR.end_us(day),
    )
    if to_version == one.closed_version:
        return None
    sums = await queries.sums_of(
        workplace.connection, one.account_id, after=one.closed_version, to_version=to_version
    )
    return Day(
        merchant_id=one.merchant_id,
        business_date=day.isoformat(),
        from_version=one.closed_version,
        to_version=to_version,
        sums=sums,
    )
