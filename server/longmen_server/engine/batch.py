"""One batch: the commands in it, and what each is to be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from longmen_server.engine.command import Outcome, RowKey
from longmen_server.engine.family import STAGE_LOOKUP, STAGE_RECORD
from longmen_server.engine.request_log import (
    REQUEST,
    RecordedOutcome,
    RequestRecord,
    encode_refusal,
    replay,
)
from longmen_server.engine.trail import Act
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from longmen_server.engine.command import Command
    from longmen_server.engine.family import RowFamily, Statement
    from longmen_server.engine.working_set import WorkingSet

#: The value of longmen.errors.v1.ErrorReason a command gets that broke instead of being decided.
BROKEN = "INTERNAL"


@dataclass(slots=True, eq=False)
class Entry:
    """One command waiting for its answer."""

    command: Command
    future: asyncio.Future[Outcome]
    deadline: float
    """Monotonic seconds after which the caller no longer waits."""


@dataclass(slots=True)
class Decision:
    """What an entry is answered once the batch is durable: an outcome or an exception."""

    entry: Entry
    outcome: Outcome | None
    error: BaseException | None = None


@dataclass(slots=True)
class Decided:
    """A decided batch."""

    decisions: list[Decision] = field(default_factory=list)
    replays: int = 0
    refusals: int = 0
    acts: list[Act] = field(default_factory=list)
    """What the audit trail is to keep; replays are no new acts."""


def needed_rows(
    entries: Iterable[Entry], working_set: WorkingSet, stage: int
) -> dict[RowFamily[Any, Any], set[Any]]:
    """Return the keys of one stage by family, less those loaded already."""
    needed: dict[RowFamily[Any, Any], set[Any]] = {}
    if stage == STAGE_LOOKUP:
        entries = [entry for entry in entries if entry.command.looks_up]
    for entry in entries:
        for family, key in entry.command.keys(working_set, stage):
            keys = needed.get(family)
            if keys is None:
                keys = needed[family] = set()
            keys.add(key)
    if stage == STAGE_RECORD:
        digests = {e.command.request.digest for e in entries if e.command.request is not None}
        if digests:
            needed[REQUEST] = digests
    return needed


def load_statements(
    book: int, needed: dict[RowFamily[Any, Any], set[Any]]
) -> list[tuple[RowFamily[Any, Any], Statement]]:
    """Return the statements that load rows, families in rank order and keys sorted."""
    return [
        (family, family.load(book, sorted(needed[family])))
        for family in sorted(needed, key=lambda family: family.rank)
    ]


def store_rows(
    working_set: WorkingSet, family: RowFamily[Any, Any], records: list[tuple[Any, ...]]
) -> int:
    """Put loaded records into the working set; return the latest time any of them was booked."""
    rows = working_set.table(family).rows
    latest = 0
    decode, stamp = family.decode, family.stamp
    for record in records:
        key, row = decode(record)
        rows[key] = row
        latest = max(latest, stamp(row))
    return latest


def decide(entries: Iterable[Entry], working_set: WorkingSet) -> Decided:
    """Decide every entry in the order of arrival."""
    decided = Decided()
    for entry in entries:
        decided.decisions.append(_decide_one(entry, working_set, decided))
    return decided


def _decide_one(entry: Entry, working_set: WorkingSet, decided: Decided) -> Decision:
    command = entry.command
    request = command.request
    if request is not None:
        record = working_set.get(REQUEST, request.digest)
        if record is not None:
            decided.replays += 1
            try:
                return Decision(entry, replay(record, request))
            except Refusal as refusal:
                return Decision(entry, None, refusal)
    mark = working_set.mark()
    try:
        reply = command.decide(working_set)
    except Refusal as refusal:
        working_set.rollback(mark)
        command.refused(working_set, refusal)
        decided.refusals += 1
        if request is not None:
            if refusal.final:
                _record(working_set, entry, RecordedOutcome.REFUSAL, encode_refusal(refusal))
            _keep(working_set, entry, mark[1], decided, refusal.reason)
            refusal.audited = True
        return Decision(entry, None, refusal)
    except Exception as error:  # noqa: BLE001 - one broken command must not take the batch with it
        working_set.rollback(mark)
        return Decision(entry, None, error)
    if request is not None:
        _record(working_set, entry, RecordedOutcome.REPLY, reply)
        _keep(working_set, entry, mark[1], decided, "")
    elif command.acts:
        decided.acts.extend(command.acts)
    return Decision(entry, Outcome(reply, replayed=False))


def _keep(
    working_set: WorkingSet, entry: Entry, first_event: int, decided: Decided, reason: str
) -> None:
    """Note what a request did, for the audit trail."""
    request = entry.command.request
    if request is not None and request.trail is not None:
        events = len(working_set.events) - first_event
        decided.acts.append(Act(request.trail, reason, first_event, events, 0, 1))


def _record(working_set: WorkingSet, entry: Entry, outcome: int, reply: bytes) -> None:
    request = entry.command.request
    assert request is not None, "only requests are recorded"
    record = RequestRecord(request.digest, request.content, outcome, reply, working_set.last_stamp)
    working_set.insert(REQUEST, request.digest, record)


def write_statements(working_set: WorkingSet) -> list[Statement]:
    """Return the statements that write what a batch has changed, families in rank order."""
    statements: list[Statement] = []
    for family in sorted(working_set.tables, key=lambda family: family.rank):
        table = working_set.tables[family]
        inserted = [*table.inserted.values(), *table.appended]
        changed = list(table.changed.values())
        if inserted or changed:
            statements.extend(family.write(working_set.book, inserted, changed))
    return statements


__all__ = [
    "BROKEN",
    "Decided",
    "Decision",
    "Entry",
    "RowKey",
    "decide",
    "load_statements",
    "needed_rows",
    "store_rows",
    "write_statements",
]
