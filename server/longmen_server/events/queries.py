"""The change feed, from the writers' journals to events.

Why nothing is skipped and nothing about one account comes out of order
-----------------------------------------------------------------------
Each writer numbers its events without gaps, in the order of its commits; a number is never visible
before the numbers below it, because one writer has one transaction at a time. A cursor is one
number for each writer: how far that writer's journal was read. So a change that another writer
commits late, with an earlier time than what was read already, still lies above that writer's number
and comes next time.

A page is read from one snapshot. It merges what the writers have beyond the cursor by booked time,
and is cut in this merged order, never writer by writer. Take two events of one account, the first
from one writer, the second from another. The second writer locked the account after the first had
committed, and booked later than anything it loaded. So a snapshot that shows the second shows the
first, and in the merged order the first stands before it: it is in the same page further up, or in
an earlier one. Within a writer the order is that of its numbers, even if a time stood still; the
merge uses the highest time so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from longmen.events.v1 import event_pb2
from longmen_server.events import encode
from longmen_server.ledger.queries.journal import WRITERS
from longmen_server.ledger.queries.leaf import IS_POSTING_EVENT
from longmen_server.ledger.queries.rows import POSTING_COLUMNS, posting_row
from longmen_server.platform.adapters import Int2Array, Int8Array, Uuid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import AccountId

__all__ = ["EventFilter", "Page", "heads", "next_events"]

AUDITED: Final = int(event_pb2.EVENT_TYPE_AUDITED)
"""The type of event that says who asked; AuditService gives it, feeds do not."""

SCAN_MAX: Final = 2_000
"""Events looked at for one page when a filter may leave most of them out: a few milliseconds."""

_HEADS: Final = f"""
with recursive {WRITERS}
select w.writer, l.sequence from writers as w
cross join lateral (
    select e.sequence from event as e where e.book = $1 and e.writer = w.writer
    order by e.sequence desc limit 1
) as l
""".encode()

_NEXT: Final = f"""
with recursive {WRITERS},
beyond as (
    select e.writer, e.sequence, e.type, e.subject, e.ordinal,
        max(e.booked_at_us) over (partition by e.writer order by e.sequence) as at_us
    from writers as w
    left join unnest($2::smallint[], $3::bigint[]) as c (writer, sequence) on c.writer = w.writer
    cross join lateral (
        select * from event as e
        where e.book = $1 and e.writer = w.writer and e.sequence > coalesce(c.sequence, 0)
        order by e.sequence limit $4
    ) as e
)
select * from beyond order by at_us, writer, sequence limit $4
"""

_NEXT_OF_ALL: Final = (
    f"select e.writer, e.sequence, e.type, e.type <> {AUDITED} from ({_NEXT}) as e".encode()
)

_NEXT_OF_ACCOUNT: Final = f"""
select e.writer, e.sequence, e.type, e.subject = $5 or coalesce(p.touches, false)
from ({_NEXT}) as e
left join lateral (
    select p.debit_account_id = $5 or p.credit_account_id = $5 as touches
    from ledger_posting as p where p.book = $1 and p.transaction_id = e.subject
        and p.ordinal = e.ordinal and {IS_POSTING_EVENT} limit 1
) as p on true
order by e.at_us, e.writer, e.sequence
""".encode()

# The limit keeps the plan from ever reading more of the postings than those of the page.
_RENDER: Final = f"""
select e.writer, e.sequence, e.booked_at_us, e.type, e.subject, e.payload, {POSTING_COLUMNS}
from unnest($2::smallint[], $3::bigint[]) with ordinality as u (writer, sequence, n)
join event as e on e.book = $1 and e.writer = u.writer and e.sequence = u.sequence
left join lateral (
    select * from ledger_posting as p where p.book = $1 and p.transaction_id = e.subject
        and p.ordinal = e.ordinal and {IS_POSTING_EVENT} limit 1
) as p on true
order by u.n
""".encode()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to give; nothing given keeps all."""

    types: frozenset[int] = frozenset()
    account_id: AccountId | None = None
    """Keeps what touches this account: its own changes, and postings to or from it."""

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.types and self.account_id is None


@dataclass(slots=True)
class Page:
    """Some events, and how far the journals were read for them."""

    position: dict[int, int]
    """Last sequence read, by writer: that of the last event given, or looked at and left out."""
    events: list[event_pb2.Event] = field(default_factory=list)
    caught_up: bool = False
    """Whether the snapshot had nothing more."""


async def heads(connection: Connection, book: int) -> dict[int, int]:
    """Return the last sequence of each writer: two steps in an index for each."""
    cursor = await connection.execute(_HEADS, (book,))
    return dict(await cursor.fetchall())


async def next_events(
    connection: Connection,
    book: int,
    position: Mapping[int, int],
    wanted: EventFilter,
    *,
    limit: int,
) -> Page:
    """Return up to `limit` events after a position. The connection is on one snapshot."""
    # A batch ends with one event that says who asked, which is left out: at most every second one.
    scan = 2 * limit if wanted.keeps_all else max(2 * limit, SCAN_MAX)
    parameters: tuple[object, ...] = (
        book,
        Int2Array(list(position)),
        Int8Array(list(position.values())),
        scan + 1,
    )
    statement = _NEXT_OF_ALL
    if wanted.account_id is not None:
        statement = _NEXT_OF_ACCOUNT
        parameters = (*parameters, Uuid(wanted.account_id))
    cursor = await connection.execute(statement, parameters)
    records = await cursor.fetchall()
    page = Page(dict(position))
    kept: list[tuple[int, int]] = []
    looked_at = 0
    for writer, sequence, type_, matches in records[:scan]:
        if matches and (not wanted.types or type_ in wanted.types):
            if len(kept) == limit:
                break
            kept.append((writer, sequence))
        page.position[writer] = sequence
        looked_at += 1
    page.caught_up = looked_at == len(records)
    page.events = await _render(connection, book, kept)
    return page


async def _render(
    connection: Connection, book: int, keys: Iterable[tuple[int, int]]
) -> list[event_pb2.Event]:
    """Return the events of writers and sequences, in the order given."""
    chosen = list(keys)
    if not chosen:
        return []
    cursor = await connection.execute(
        _RENDER,
        (
            book,
            Int2Array([writer for writer, _ in chosen]),
            Int8Array([sequence for _, sequence in chosen]),
        ),
    )
    return [_event(book, record) for record in await cursor.fetchall()]


def _event(book: int, record: tuple[Any, ...]) -> event_pb2.Event:
    writer, sequence, booked_at_us, type_, subject, payload, *posting = record
    event = encode.StoredEvent(
        book=book,
        writer=writer,
        sequence=sequence,
        booked_at_us=booked_at_us,
        type=type_,
        subject=subject,
        payload=payload,
        posting=None if posting[0] is None else posting_row(posting),
    )
    return encode.event(event)
