"""Checks of webhooks against the journal, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check, numbers
from longmen_server.webhooks.model import DeliveryState, EndpointState

_ORDER_CHANGED: Final = int(event_pb2.EVENT_TYPE_ORDER_CHANGED)
_ENDPOINT_CHANGED: Final = int(event_pb2.EVENT_TYPE_ENDPOINT_CHANGED)
_ENABLED: Final = int(EndpointState.ENABLED)

_LOOKED_BACK_US: Final = 3 * 86_400_000_000
"""How far back it is looked: what is older may have been delivered and deleted."""

CURSORS: Final = Check(
    "webhook cursors",
    """
    select 'WEBHOOK_CURSOR_AHEAD', 'writer ' || c.writer,
        'read up to ' || c.sequence || ', the journal has ' || coalesce(e.last, 0)
    from (select * from webhook_cursor where book = $1) as c
    left join lateral (
        select sequence as last from event where book = $1 and writer = c.writer
        order by sequence desc limit 1
    ) as e on true
    where c.sequence > coalesce(e.last, 0)
    """,
)

# What lies behind the cursor was queued for whoever listens to all types since before it.
DELIVERIES: Final = Check(
    "webhook deliveries against events",
    f"""
    select 'WEBHOOK_DELIVERY_MISSING', 'whe_' || replace(w.endpoint_id::text, '-', ''),
        'order ' || replace(o.order_id::text, '-', '') || ' was never told'
    from (
        select e.*, c.since_us from (
            select * from webhook_endpoint where book = $1 and state = {_ENABLED} and types = ''
        ) as e
        join (
            select subject, max(booked_at_us) as since_us from event
            where book = $1 and type = {_ENDPOINT_CHANGED} group by subject
        ) as c on c.subject = e.endpoint_id
    ) as w
    join (select * from merchant_order where book = $1) as o on o.merchant_id = w.merchant_id
    join (select * from event where book = $1 and type = {_ORDER_CHANGED}) as e
        on e.subject = o.order_id and e.booked_at_us > w.since_us
        and e.booked_at_us > (
            select coalesce(max(booked_at_us), 0) - {_LOOKED_BACK_US} from journal_block
            where book = $1
        )
    join (select * from webhook_cursor where book = $1) as c
        on c.writer = e.writer and c.sequence >= e.sequence
    left join (select * from webhook_delivery where book = $1) as d
        on d.endpoint_id = w.endpoint_id
        and d.subject_id = 'ord_' || replace(o.order_id::text, '-', '')
    where d.book is null
    union all
    select 'WEBHOOK_STATE_UNKNOWN', 'whd_' || replace(delivery_id::text, '-', ''),
        'state ' || state
    from webhook_delivery where book = $1 and (state not in ({numbers(DeliveryState)})
        or (state <> {int(DeliveryState.PENDING)} and settled_at_us is null))
    """,
)

CHECKS: Final = (CURSORS, DELIVERIES)
