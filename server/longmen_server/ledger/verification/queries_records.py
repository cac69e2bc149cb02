"""Checks of events against the rows they are about, and of request records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError

from longmen.errors.v1 import error_reason_pb2
from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import account_pb2
from longmen_server.engine.request_log import (
    FIELD_DIGEST_BYTES,
    FINGERPRINT_BYTES,
    RecordedOutcome,
    decode_refusal,
)
from longmen_server.ledger.model import FROZEN_STATES, AccountState
from longmen_server.ledger.posting import EVENT_TYPES
from longmen_server.ledger.verification.queries import (
    Check,
    account_text,
    fetch,
    numbers,
    posting_text,
)
from longmen_server.ledger.verification.report import FINDINGS_LISTED_MAX
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, AccountId, CustomerId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.platform.database import Connection

_POSTING_EVENTS: Final = numbers(EVENT_TYPES.values())
_EVENT_OF_KIND: Final = ", ".join(f"({int(kind)}, {type_})" for kind, type_ in EVENT_TYPES.items())
_OPENED: Final = int(event_pb2.EVENT_TYPE_ACCOUNT_OPENED)
_STATE_CHANGED: Final = int(event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED)
_CONTENT: Final = (
    "currency_code",
    "chart_code",
    "owner_id",
    "floor",
    "ceiling",
    "description",
)
"""What an account is opened with and keeps."""
_BATCH: Final = 2000
"""Rows fetched at a time: some hundred kilobytes."""
_REPLIES_BYTES: Final = 4 * 1024 * 1024
_REPLIES_MIN: Final = 16
_REPLIES_MAX: Final = 1000
"""Replies fetched at a time: by their size, so that those of large batches fit in memory."""

POSTING_EVENTS: Final = Check(
    "postings against events",
    f"""
    select broken.* from (
        select transaction_id, ordinal, kind, booked_at_us
        from ledger_posting where book = $1
    ) as p
    full join (
        select subject as about, ordinal as event_ordinal, count(*) as events, min(type) as type,
            min(booked_at_us) as event_booked_at_us
        from event where book = $1 and type in ({_POSTING_EVENTS})
        group by subject, ordinal
    ) as e on e.about = p.transaction_id and e.event_ordinal = p.ordinal
    left join (values {_EVENT_OF_KIND}) as wanted (kind, type) on wanted.kind = p.kind
    cross join lateral (
        select 'EVENT_MISSING', {posting_text("transaction_id", "ordinal")},
            'the posting has no event' where about is null
        union all
        select 'EVENT_SUBJECT_MISSING', {posting_text("about", "event_ordinal")},
            'there is an event and no such posting' where transaction_id is null
        union all
        select 'EVENT_DUPLICATE', {posting_text("about", "event_ordinal")},
            events || ' events' where events > 1
        union all
        select 'EVENT_MISMATCH', {posting_text("transaction_id", "ordinal")},
            'type ' || e.type || ' at ' || event_booked_at_us || ', the posting is of kind '
            || p.kind || ' at ' || booked_at_us
            where e.type is distinct from wanted.type or event_booked_at_us <> booked_at_us
    ) as broken (kind, subject, detail)
    where about is null or transaction_id is null or events > 1
        or e.type is distinct from wanted.type or event_booked_at_us <> booked_at_us
    """,
)

ACCOUNT_EVENTS: Final = Check(
    "accounts against events",
    f"""
    select broken.* from (
        select account_id, created_at_us, state from ledger_account where book = $1
    ) as a
    full join (
        select subject, count(*) filter (where type = {_OPENED}) as openings,
            min(booked_at_us) filter (where type = {_OPENED}) as opened_at_us
        from event where book = $1 and type in ({_OPENED}, {_STATE_CHANGED})
        group by subject
    ) as e on e.subject = a.account_id
    cross join lateral (
        select 'EVENT_MISSING', {account_text("account_id")}, 'no event of its opening'
            where account_id is not null and coalesce(openings, 0) = 0
        union all
        select 'EVENT_SUBJECT_MISSING', {account_text("subject")},
            'there are events and no such account' where account_id is null
        union all
        select 'EVENT_DUPLICATE', {account_text("subject")}, openings || ' openings'
            where openings > 1
        union all
        select 'EVENT_MISMATCH', {account_text("account_id")},
            'opened at ' || created_at_us || ', the event is of ' || opened_at_us
            where opened_at_us <> created_at_us
    ) as broken (kind, subject, detail)
    """,
)

_CONTENT_FORMS: Final = f"""
    octet_length(content) >= {FINGERPRINT_BYTES}
    and (octet_length(content) - {FINGERPRINT_BYTES}) % {FIELD_DIGEST_BYTES} = 0
"""

REQUESTS: Final = Check(
    "request records",
    f"""
    select 'REQUEST_MALFORMED', 'request ' || replace(request_key::text, '-', ''),
        octet_length(content) || ' bytes of content'
    from request_record where book = $1 and not ({_CONTENT_FORMS})
    union all
    select 'REQUEST_OUTCOME_UNKNOWN', 'request ' || replace(request_key::text, '-', ''),
        'outcome ' || outcome
    from request_record where book = $1 and outcome not in ({numbers(RecordedOutcome)})
    """,
)

_REQUESTS_AHEAD: Final = b"""
    select replace(request_key::text, '-', ''), booked_at_us, count(*) over ()
    from request_record where book = $1 and booked_at_us > greatest(
        $2::bigint, (select max(booked_at_us) from journal_block where book = $1))
    order by 1 limit $3::bigint
"""

_REPLIES: Final = f"""
    declare replies no scroll cursor for
    select reply from request_record
    where book = $1 and outcome = {int(RecordedOutcome.REPLY)} and reply is not null
"""
_STORED: Final = """
    declare stored no scroll cursor for
    select request_key, outcome, reply from request_record
    where book = $1 and reply is not null and outcome >= $2
"""
_OPENINGS: Final = f"""
    declare openings no scroll cursor for
    select a.account_id, a.currency_code, a.chart_code, a.owner_id, a.floor_minor_units,
        a.ceiling_minor_units, a.description, a.state, a.frozen_by_owner, opened.payload,
        changed.payload
    from (select * from ledger_account where book = $1) as a
    join (select subject, payload from event where book = $1 and type = {_OPENED}) as opened
        on opened.subject = a.account_id
    left join (
        select distinct on (subject) subject, payload from event
        where book = $1 and type = {_STATE_CHANGED} order by subject, booked_at_us desc
    ) as changed on changed.subject = a.account_id
"""


async def requests_ahead(
    connection: Connection, book: int, now_us: int
) -> list[tuple[str, str, int]]:
    """Return some requests decided after now and after the newest block: id, time, all of them."""
    parameters = (book, now_us, FINDINGS_LISTED_MAX)
    cursor = await connection.execute(_REQUESTS_AHEAD, parameters)
    return [(str(key), str(at_us), int(count)) for key, at_us, count in await cursor.fetchall()]


async def readable_replies(connection: Connection, book: int) -> AsyncIterator[int]:
    """Read the replies to what was granted, nearly all there are, and yield how many they were.

    Raises:
        DecodeError: one cannot be read; it does not say which.
    """
    await connection.execute(_REPLIES.encode(), (book,))
    # Which message it is cannot be told from the key; that it is one can.
    read = Empty.FromString
    count = _REPLIES_MIN
    while rows := await fetch(connection, "replies", count):
        for (reply,) in rows:
            read(reply)
        # A reply has up to a megabyte; in order of time, like ones stand beside each other.
        largest = max(len(reply) for (reply,) in rows)
        count = min(max(_REPLIES_BYTES // (largest + 1), _REPLIES_MIN), _REPLIES_MAX)
        yield len(rows)


async def unreadable_replies(
    connection: Connection, book: int, *, refusals_only: bool
) -> AsyncIterator[tuple[str, str]]:
    """Yield the request and the reason of each reply that cannot be read."""
    least = RecordedOutcome.REFUSAL if refusals_only else RecordedOutcome.REPLY
    await connection.execute(_STORED.encode(), (book, int(least)))
    while rows := await fetch(connection, "stored", _REPLIES_MIN):
        for key, outcome, reply in rows:
            if why := why_unreadable(outcome, reply):
                yield key.hex(), why


def why_unreadable(outcome: int, reply: bytes) -> str:
    """Say why a stored reply cannot be given again; empty when it can."""
    try:
        if outcome == RecordedOutcome.REFUSAL:
            refusal = decode_refusal(reply)
            error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{refusal.reason}")
        else:
            Empty.FromString(reply)
    except (DecodeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


async def changed_accounts(
    connection: Connection, book: int
) -> AsyncIterator[tuple[int, list[tuple[str, str, str]]]]:
    """Yield, per batch of accounts, their number and (kind, account, detail) of what differs.

    What an account was opened with never changes, and the journal has it; its state is that of its
    last change, or closed by a posting.
    """
    await connection.execute(_OPENINGS.encode(), (book,))
    while rows := await fetch(connection, "openings", _BATCH):
        yield len(rows), [found for row in rows for found in _differences(*row)]


def _differences(
    account_id: AccountId,
    currency_code: str,
    chart_code: int,
    owner_id: CustomerId | None,
    floor: int | None,
    ceiling: int | None,
    description: str | None,
    state: int,
    frozen_by_owner: bool,  # noqa: FBT001 - a column
    opened_payload: bytes | None,
    changed_payload: bytes | None,
) -> list[tuple[str, str, str]]:
    try:
        opened = account_pb2.Account.FromString(opened_payload or b"")
        changed = event_pb2.AccountStateChange.FromString(changed_payload or b"")
    except DecodeError:
        why = "the payload of an event cannot be read"
        return [("EVENT_MISMATCH", ACCOUNT.encode(account_id), why)]
    last = changed.state or opened.state
    has = (
        currency_code,
        chart_code,
        CUSTOMER.encode(owner_id) if owner_id else "",
        floor,
        ceiling,
        description or "",
    )
    had = (
        opened.currency_code,
        opened.chart_code,
        opened.owner_id,
        opened.floor_minor_units if opened.HasField("floor_minor_units") else None,
        opened.ceiling_minor_units if opened.HasField("ceiling_minor_units") else None,
        opened.description,
    )
    found = []
    if has != had:
        subject = ACCOUNT.encode(account_id)
        found = [
            ("ACCOUNT_CONTENT_MISMATCH", subject, f"{name} is {now!r}, opened with {then!r}")
            for name, now, then in zip(_CONTENT, has, had, strict=True)
            if now != then
        ]
    if state not in {last, AccountState.CLOSED}:
        why = f"the state is {state}, its last event says {last}"
        found.append(("ACCOUNT_STATE_MISMATCH", ACCOUNT.encode(account_id), why))
    # Events from before the bank's freezes and the owners' were told apart say neither.
    by_owner = changed.frozen_by == event_pb2.FREEZER_OWNER
    if changed.frozen_by or state not in FROZEN_STATES:
        expected = by_owner and state in FROZEN_STATES
        if frozen_by_owner != expected:
            why = f"frozen by its owner: {frozen_by_owner}, by its last event: {expected}"
            found.append(("ACCOUNT_FREEZE_MISMATCH", ACCOUNT.encode(account_id), why))
    return found
