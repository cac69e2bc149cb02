"""Checks of mandates against events and movements, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check, numbers
from longmen_server.mandates.model import MandateState

_CHANGED: Final = int(event_pb2.EVENT_TYPE_MANDATE_CHANGED)
_SUBJECT: Final = "'mnd_' || replace(coalesce(m.mandate_id, e.subject)::text, '-', '')"

MANDATES: Final = Check(
    "mandates against events",
    f"""
    select 'MANDATE_EVENT_MISMATCH', {_SUBJECT},
        case when m.book is null then 'there are events of it and no such mandate'
            when e.subject is null then 'no event of its signing'
            else 'version ' || m.version || ' of ' || m.updated_at_us || ', it was told '
                || e.told || ' times, the last at ' || e.told_at_us end
    from (select * from mandate where book = $1) as m
    full join (
        select subject, count(*) as told, max(booked_at_us) as told_at_us from event
        where book = $1 and type = {_CHANGED} group by subject
    ) as e on e.subject = m.mandate_id
    where m.book is null or e.subject is null or m.updated_at_us <> e.told_at_us
        or m.version <> e.told or m.state not in ({numbers(MandateState)})
    """,
)

CHECKS: Final = (MANDATES,)
