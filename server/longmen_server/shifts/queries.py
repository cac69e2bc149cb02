"""What is read of shifts, and the sums of what tills have taken.

An order of a till is found by its reference, whose key begins with the till and its date; so a
shift looks at the dates around it only.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from longmen_server.payments.model import OPEN_STATES, PAID_STATES, OrderState
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of
from longmen_server.shifts.model import ShiftRow, Totals
from longmen_server.shifts.tables import SHIFT_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import MerchantId, ShiftId, TerminalId

__all__ = ["day_totals", "find_shift", "list_shifts", "shift_totals"]

_LAST_ID: Final = b"\xff" * 16
_DAY: Final = dt.timedelta(days=1)

_SHIFT: Final = (
    f"select {SHIFT_COLUMNS} from merchant_shift where book = $1 and shift_id = $2".encode()
)
_SHIFTS: Final = (
    f"select {SHIFT_COLUMNS} from merchant_shift"
    " where book = $1 and merchant_id = $2 and shift_id < $3 order by shift_id desc limit $4"
).encode()

_PAID: Final = ", ".join(str(int(one)) for one in sorted({*PAID_STATES, OrderState.REVERSED}))
_OPEN: Final = ", ".join(str(int(one)) for one in sorted(OPEN_STATES))
_REVERSED: Final = int(OrderState.REVERSED)

# A reversal is no refund of its own: it gives back what the refunds before it have left.
_SUMS: Final = f"""
    select count(*) filter (where sold), coalesce(sum(amount) filter (where sold), 0)::bigint,
        (coalesce(sum(refund_count), 0) + count(*) filter (where reversed))::bigint,
        (coalesce(sum(refunded), 0)
            + coalesce(sum(amount - refunded_in_all) filter (where reversed), 0))::bigint,
        count(*) filter (where unpaid),
        coalesce(sum(tip) filter (where sold), 0)::bigint,
        (coalesce(sum(untipped), 0)
            + coalesce(sum(tip - untipped_in_all) filter (where reversed), 0))::bigint
    from (
        select o.amount, o.tip,
            o.state in ({_PAID}) and o.paid_at_us >= $5 and o.paid_at_us < $6 as sold,
            o.state = {_REVERSED} and o.updated_at_us >= $5 and o.updated_at_us < $6 as reversed,
            o.state not in ({_PAID}) and (o.state not in ({_OPEN}) or o.expires_at_us <= $7)
                and o.created_at_us >= $5 and o.created_at_us < $6 as unpaid,
            coalesce(r.refund_count, 0) as refund_count, coalesce(r.refunded, 0) as refunded,
            coalesce(r.refunded_in_all, 0) as refunded_in_all,
            coalesce(r.untipped, 0) as untipped, coalesce(r.untipped_in_all, 0) as untipped_in_all
        from terminal_reference as t
        join merchant_order as o on o.book = $1 and o.order_id = t.order_id
        left join lateral (
            select count(*) filter (where f.created_at_us >= $5 and f.created_at_us < $6)
                    as refund_count,
                sum(f.amount - f.tip) filter (
                    where f.created_at_us >= $5 and f.created_at_us < $6) as refunded,
                sum(f.amount - f.tip) as refunded_in_all,
                sum(f.tip) filter (where f.created_at_us >= $5 and f.created_at_us < $6)
                    as untipped,
                sum(f.tip) as untipped_in_all
            from order_refund as f where f.book = $1 and f.order_id = o.order_id
        ) as r on true
        where t.book = $1 and t.terminal_id = $2 and t.business_date between $3 and $4
    ) as s
""".encode()

_FOR_EVER_US: Final = 1 << 62


async def find_shift(connection: Connection, shift_id: ShiftId) -> ShiftRow | None:
    """Return a shift, or None when there is none."""
    cursor = await connection.execute(_SHIFT, (book_of(shift_id), Uuid(shift_id)))
    record = await cursor.fetchone()
    return None if record is None else ShiftRow(*record)


async def list_shifts(
    connection: Connection, merchant_id: MerchantId, *, before: bytes, limit: int
) -> list[ShiftRow]:
    """Return up to `limit` shifts of a merchant, newest first."""
    cursor = await connection.execute(
        _SHIFTS, (book_of(merchant_id), Uuid(merchant_id), Uuid(before or _LAST_ID), limit)
    )
    return [ShiftRow(*record) for record in await cursor.fetchall()]


async def shift_totals(connection: Connection, row: ShiftRow, now_us: int) -> Totals:
    """Return what a shift's till has taken from its beginning to its end, or to now.

    Refunds count for orders of the shift's days and the week before, in which a sale comes back.
    """
    end_us = now_us + 1 if row.closed_at_us is None else row.closed_at_us
    first = _day(row.opened_at_us) - 8 * _DAY
    last = _day(end_us) + _DAY
    return await _sums(
        connection,
        row.terminal_id,
        (first.isoformat(), last.isoformat()),
        (row.opened_at_us, end_us),
        now_us,
    )


async def day_totals(
    connection: Connection, terminal_id: TerminalId, business_date: str, now_us: int
) -> Totals:
    """Return what became of a till's orders of one date of its own, whenever it happened."""
    return await _sums(
        connection, terminal_id, (business_date, business_date), (0, _FOR_EVER_US), now_us
    )


async def _sums(
    connection: Connection,
    terminal_id: TerminalId,
    dates: tuple[str, str],
    window_us: tuple[int, int],
    now_us: int,
) -> Totals:
    cursor = await connection.execute(
        _SUMS, (book_of(terminal_id), Uuid(terminal_id), *dates, *window_us, now_us)
    )
    record = await cursor.fetchone()
    assert record is not None, "sums are always one row"
    return Totals(*record)


def _day(at_us: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_us // 1_000_000, dt.UTC).date()
