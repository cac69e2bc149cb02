"""What is read of shifts, and the sums of what tills have taken.

An order of a till is found by its reference, whose key begins with the till and its date; so a
shift looks at the dates around it only. Every sum is of the same lines, so that a day's lines by
store, by cashier and by till come to what the tills themselves say.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from longmen_server.payments.model import OPEN_STATES, PAID_STATES, OrderRow, OrderState
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of
from longmen_server.shifts.model import DayLine, DayOrder, Grouping, ShiftRow, Totals
from longmen_server.shifts.tables import SHIFT_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CashierId, MerchantId, ShiftId, StoreId, TerminalId
    from longmen_server.shifts.model import DayFilter

__all__ = ["day_lines", "day_orders", "day_totals", "find_shift", "list_shifts", "shift_totals"]

_FIRST_ID: Final = bytes(16)
_LAST_ID: Final = b"\xff" * 16
_DAY: Final = dt.timedelta(days=1)

_SHIFT: Final = (
    f"select {SHIFT_COLUMNS} from merchant_shift where book = $1 and shift_id = $2".encode()
)
_SHIFTS: Final = (
    f"select {SHIFT_COLUMNS} from merchant_shift"
    " where book = $1 and merchant_id = $2 and shift_id < $3"
    " and ($4::uuid is null or store_id = $4) and ($5::uuid is null or cashier_id = $5)"
    " order by shift_id desc limit $6"
).encode()

_PAID: Final = ", ".join(str(int(one)) for one in sorted({*PAID_STATES, OrderState.REVERSED}))
_OPEN: Final = ", ".join(str(int(one)) for one in sorted(OPEN_STATES))
_REVERSED: Final = int(OrderState.REVERSED)

# A reversal is no refund of its own: it gives back what the refunds before it have left. A refund
# that names a till is that till's, whoever sold; one that does not is of the till of the sale.
_LINES: Final = f"""
    with till as ({{tills}}),
    sold as (
        select o.* from till
        join terminal_reference as t on t.book = $1 and t.terminal_id = till.terminal_id
            and t.business_date between $3 and $4
        join merchant_order as o on o.book = $1 and o.order_id = t.order_id
    ),
    every_line (terminal_id, at_us, sales_count, sales, refunds_count, refunds, unpaid_count,
            tips, tips_returned) as (
        select terminal_id, paid_at_us, 1, amount, 0, 0::bigint, 0, tip, 0::bigint
        from sold where state in ({_PAID})
        union all
        select terminal_id, created_at_us, 0, 0, 0, 0, 1, 0, 0
        from sold where state not in ({_PAID}) and (state not in ({_OPEN}) or expires_at_us <= $7)
        union all
        select o.terminal_id, o.updated_at_us, 0, 0, 1, o.amount - coalesce(r.amount, 0), 0, 0,
            o.tip - coalesce(r.tip, 0)
        from sold as o left join lateral (
            select sum(f.amount - f.tip)::bigint as amount, sum(f.tip)::bigint as tip
            from order_refund as f where f.book = $1 and f.order_id = o.order_id
        ) as r on true
        where o.state = {_REVERSED}
        union all
        select o.terminal_id, f.created_at_us, 0, 0, 1, f.amount - f.tip, 0, 0, f.tip
        from sold as o join order_refund as f on f.book = $1 and f.order_id = o.order_id
        where f.terminal_id is null
        union all
        select f.terminal_id, f.created_at_us, 0, 0, 1, f.amount - f.tip, 0, 0, f.tip
        from till join order_refund as f on f.book = $1 and f.terminal_id = till.terminal_id
            and f.business_date between $3 and $4
    ),
    line as (select * from every_line where at_us >= $5 and at_us < $6)
"""
_TOTALS: Final = """
    coalesce(sum(sales_count), 0), coalesce(sum(sales), 0)::bigint,
    coalesce(sum(refunds_count), 0), coalesce(sum(refunds), 0)::bigint,
    coalesce(sum(unpaid_count), 0), coalesce(sum(tips), 0)::bigint,
    coalesce(sum(tips_returned), 0)::bigint
"""
_SUMS: Final = (
    _LINES.format(tills="select $2::uuid as terminal_id") + f" select {_TOTALS} from line"
).encode()

# Where a till stood and who worked at it are looked up by the moment, so payments keep neither.
_WHERE: Final = """
    left join lateral (
            select store_id from terminal_place
            where book = $1 and terminal_id = line.terminal_id and placed_at_us <= line.at_us
            order by placed_at_us desc limit 1
        ) as p on true
    left join lateral (
            select cashier_id, cashier_label, closed_at_us from merchant_shift
            where book = $1 and terminal_id = line.terminal_id and opened_at_us <= line.at_us
            order by opened_at_us desc limit 1
        ) as s on s.closed_at_us is null or line.at_us < s.closed_at_us
"""
_DAY_LINES: Final = (
    _LINES.format(
        tills="select terminal_id from merchant_terminal where book = $1 and merchant_id = $2"
    )
    + f""", placed as (
        select line.*, p.store_id, s.cashier_label, case $8::integer
            when {int(Grouping.STORE)} then coalesce('i' || p.store_id::text, '0')
            when {int(Grouping.CASHIER)} then
                coalesce('i' || s.cashier_id::text, 'l' || s.cashier_label, '0')
            else 'i' || line.terminal_id::text end collate "C" as key
        from line
        {_WHERE}
    )
    select key, max(cashier_label), {_TOTALS} from placed
    where key > $9 and ($11::uuid is null or store_id = $11)
    group by key order by key limit $10
    """
).encode()

_DAY_ORDERS: Final = f"""
    with line as (
        select {", ".join("o." + name for name in OrderRow.__slots__)},
            coalesce(o.paid_at_us, o.created_at_us) as at_us
        from merchant_terminal as till
        join terminal_reference as t on t.book = $1 and t.terminal_id = till.terminal_id
            and t.business_date = $3
        join merchant_order as o on o.book = $1 and o.order_id = t.order_id and o.order_id > $4
        where till.book = $1 and till.merchant_id = $2
            and ($8::uuid is null or till.terminal_id = $8)
    )
    select p.store_id, s.cashier_id, s.cashier_label,
        {", ".join("line." + name for name in OrderRow.__slots__)}
    from line {_WHERE}
    where ($6::uuid is null or p.store_id = $6) and ($7::uuid is null or s.cashier_id = $7)
    order by line.order_id limit $5
""".encode()

_FOR_EVER_US: Final = 1 << 62


async def find_shift(connection: Connection, shift_id: ShiftId) -> ShiftRow | None:
    """Return a shift, or None when there is none."""
    cursor = await connection.execute(_SHIFT, (book_of(shift_id), Uuid(shift_id)))
    record = await cursor.fetchone()
    return None if record is None else ShiftRow(*record)


async def list_shifts(
    connection: Connection,
    merchant_id: MerchantId,
    *,
    store_id: StoreId | None,
    cashier_id: CashierId | None,
    before: bytes,
    limit: int,
) -> list[ShiftRow]:
    """Return up to `limit` shifts of a merchant, newest first; of one store or cashier, if given.

    A cashier has a few thousand shifts at most, so they are looked for among the merchant's.
    """
    cursor = await connection.execute(
        _SHIFTS,
        (
            book_of(merchant_id),
            Uuid(merchant_id),
            Uuid(before or _LAST_ID),
            None if store_id is None else Uuid(store_id),
            None if cashier_id is None else Uuid(cashier_id),
            limit,
        ),
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


async def day_orders(
    connection: Connection,
    merchant_id: MerchantId,
    business_date: str,
    only: DayFilter,
    *,
    after: bytes,
    limit: int,
) -> list[DayOrder]:
    """Return up to `limit` orders of one date of a merchant's tills, oldest first."""
    cursor = await connection.execute(
        _DAY_ORDERS,
        (
            book_of(merchant_id),
            Uuid(merchant_id),
            business_date,
            Uuid(after or _FIRST_ID),
            limit,
            *(None if one is None else Uuid(one) for one in only),
        ),
    )
    return [
        DayOrder(OrderRow(*columns), store_id, cashier_id, label or "")
        for store_id, cashier_id, label, *columns in await cursor.fetchall()
    ]


async def day_lines(
    connection: Connection,
    merchant_id: MerchantId,
    business_date: str,
    grouping: Grouping,
    *,
    store_id: StoreId | None,
    after: str,
    limit: int,
    now_us: int,
) -> list[DayLine]:
    """Return up to `limit` lines of what became of a merchant's orders of one date of its tills.

    Args:
        connection: to read by.
        merchant_id: whose day it is.
        business_date: of the tills.
        grouping: by what lines are told apart.
        store_id: the only store to count; None for all.
        after: key of the last line before; empty for the first page.
        limit: how many.
        now_us: by which orders have expired.
    """
    cursor = await connection.execute(
        _DAY_LINES,
        (
            book_of(merchant_id),
            Uuid(merchant_id),
            business_date,
            business_date,
            0,
            _FOR_EVER_US,
            now_us,
            int(grouping),
            after,
            limit,
            None if store_id is None else Uuid(store_id),
        ),
    )
    return [
        DayLine(key, label or "", Totals(*sums)) for key, label, *sums in await cursor.fetchall()
    ]


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
