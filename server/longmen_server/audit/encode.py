"""Stored acts as records of the contract."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.message import DecodeError

from longmen.audit.v1 import audit_pb2
from longmen_server.events.encode import event_id
from longmen_server.ledger.encode import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DamagedTrailError", "StoredBatch", "records"]


class DamagedTrailError(RuntimeError):
    """A stored batch cannot be read: the journal is damaged, and `longmen verify` says where."""

    def __init__(self, batch: StoredBatch) -> None:
        super().__init__(f"event {batch.sequence} of writer {batch.writer} is no audit batch")


class StoredBatch(NamedTuple):
    """The event that keeps the acts of a batch."""

    book: int
    writer: int
    sequence: int
    booked_at_us: int
    first_sequence: int
    """Sequence of the first event of its block."""
    payload: bytes


def records(batch: StoredBatch, classes: Mapping[str, int]) -> Iterator[audit_pb2.AuditRecord]:
    """Return the records of a batch, the same each time it is read.

    Args:
        batch: as stored.
        classes: the audit class of each method; methods that are no more have none.

    Raises:
        DamagedTrailError: the payload is not what was written.
    """
    try:
        stored = audit_pb2.AuditBatch.FromString(batch.payload)
        texts = ("", *stored.texts)
        for place, entry in enumerate(stored.entries):
            yield _record(batch, place, entry, stored.actors[entry.actor], texts, classes)
    except (DecodeError, IndexError, ValueError) as error:
        raise DamagedTrailError(batch) from error


def _record(
    batch: StoredBatch,
    place: int,
    entry: audit_pb2.AuditEntry,
    actor: audit_pb2.AuditActor,
    texts: tuple[str, ...],
    classes: Mapping[str, int],
) -> audit_pb2.AuditRecord:
    method = texts[entry.method]
    first = batch.first_sequence + entry.event_offset
    return audit_pb2.AuditRecord(
        record_id=f"{event_id(batch.book, batch.writer, batch.sequence)}.{place}",
        recorded_time=timestamp(batch.booked_at_us),
        called_time=timestamp(batch.booked_at_us - entry.called_before_us),
        audit_class=classes.get(method, 0),  # type: ignore[arg-type]  # enums are ints
        method=method,
        actor=actor,
        request_id=str(uuid.UUID(bytes=entry.request_id)) if entry.request_id else "",
        reason=texts[entry.reason],
        count=entry.further_count + 1,
        first_event_id=(event_id(batch.book, batch.writer, first) if entry.event_count else ""),
        event_count=entry.event_count,
    )
