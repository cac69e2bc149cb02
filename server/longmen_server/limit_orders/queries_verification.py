"""Checks of limit orders and alerts against the ledger, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.model import HoldState
from longmen_server.ledger.verification.queries import Check, numbers
from longmen_server.limit_orders.model import AlertState, OrderState

_OPEN: Final = int(OrderState.OPEN)
_FILLED: Final = int(OrderState.FILLED)
_HELD: Final = int(HoldState.HELD)

ORDERS: Final = Check(
    "limit orders against what they hold",
    f"""
    select 'FX_LIMIT_ORDER_MISMATCH', 'fxo_' || replace(limit_order_id::text, '-', ''),
        'state ' || state || ', ' || case when held is null then 'never held anything'
            else 'holds ' || remaining || ' of ' || amount end
            || case when converted is null then '' else ', was exchanged' end
    from (
        select o.*, h.book as held, h.remaining, h.state as hold_state, h.amount as hold_amount,
            h.debit_account_id, c.book as converted
        from (select * from fx_limit_order where book = $1) as o
        left join (select * from ledger_hold where book = $1 and ordinal = 0) as h
            on h.transaction_id = o.limit_order_id
        left join (select * from fx_conversion where book = $1) as c
            on c.conversion_id = o.conversion_id
    ) as orders
    where state not in ({numbers(OrderState)})
        or held is null or hold_amount <> amount or debit_account_id <> from_account_id
        or (state = {_OPEN}) <> (hold_state = {_HELD})
        or (state = {_FILLED}) <> (converted is not null)
        or (conversion_id is not null) <> (converted is not null)
    """,
)

ALERTS: Final = Check(
    "rate alerts",
    f"""
    select 'FX_ALERT_MISMATCH', 'fxa_' || replace(alert_id::text, '-', ''),
        'state ' || state || case when told_at_us is null then ', told nothing' else ', told' end
    from fx_rate_alert
    where book = $1 and (
        state not in ({numbers(AlertState)})
        or (state = {int(AlertState.TOLD)}) <> (told_at_us is not null)
        or (told_rate is null) <> (told_at_us is null)
    )
    """,
)

CHECKS: Final = (ORDERS, ALERTS)
"""Every check of the area, in the order they run."""
