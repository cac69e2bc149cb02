"""Checks of API keys and registered certificates, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.verification.queries import Check

__all__ = ["CHECKS"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_KEY_CHANGED)

# The digest is that of `KeyRow.content_digest`. Keys from before the first such event have none.
KEYS: Final = Check(
    "API keys",
    f"""
    select 'KEY_MISMATCH', 'key_' || replace(coalesce(k.key_id, e.subject)::text, '-', ''),
        case when k.key_id is null then 'an event tells of a key, and there is none'
            when e.subject is null then 'no event tells of it: nobody has made it'
            else 'it is not what its last event tells' end
    from (select * from api_key where book = $1) as k
    full join (
        select distinct on (subject) subject, payload from event
        where book = $1 and type = {_CHANGED} order by subject, booked_at_us desc
    ) as e on e.subject = k.key_id
    where k.key_id is null
        or (e.subject is null and k.created_at_us > (
            select min(booked_at_us) from event where book = $1 and type = {_CHANGED}))
        or (e.subject is not null and position(sha256(convert_to(concat_ws('|', k.owner_kind,
            k.owner, k.slot, k.label, encode(k.secret_hash, 'hex'), k.scopes, k.networks,
            coalesce(encode(k.public_key, 'hex'), ''), k.created_at_us, k.expires_at_us,
            coalesce(k.revoked_at_us, 0), k.identity, coalesce(k.claim_until_us, 0)), 'UTF8'))
            in e.payload) = 0)
    """,
)

CHECKS: Final = (KEYS,)
