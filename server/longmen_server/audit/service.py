"""AuditService: the trail, page by page or whole. No rule and no SQL here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from longmen.audit.v1 import audit_pb2
from longmen.audit.v1 import audit_service_pb2 as pb
from longmen_server.audit import queries
from longmen_server.audit.encode import records
from longmen_server.audit.queries import Place
from longmen_server.ledger.paging import EARLIEST_US, LATEST_US, page_size, time_range

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["AuditService"]

EXPORT: Final = "audit"
"""The kind of ExportAudit's cursors."""

BATCHES_PER_PAGE: Final = 500
"""Batches looked at for one page, so that a filter that keeps little cannot read on for ever."""

BATCHES_PER_MESSAGE: Final = 50
"""Batches in one message of an export."""

READ_SECONDS: Final = 10.0
"""How long one read of an export may take; its own deadline is an hour away."""

_POSITION: Final = struct.Struct(">qhqi")


class AuditService:
    """The methods of longmen.audit.v1.AuditService."""

    def __init__(self, *, reading: ReadTools, classes: Mapping[str, int]) -> None:
        """Take what reading needs, and the audit class of each method."""
        self._read = reading
        self._classes = classes

    async def ListAudit(self, request: pb.ListAuditRequest, call: Call) -> pb.ListAuditResponse:  # noqa: N802
        """Return a page of records."""
        book = self._read.book(request.book)
        from_us, to_us = time_range(request)
        token = self._read.page_tokens.open(request.page_token, request, call)
        start, skip = _position(token, EARLIEST_US if from_us is None else from_us)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            batches = await queries.batches_by_time(
                connection,
                book,
                start=start,
                before_us=LATEST_US if to_us is None else to_us,
                limit=BATCHES_PER_PAGE + 1,
            )
        reply = pb.ListAuditResponse()
        size = page_size(request.page_size)
        for looked_at, batch in enumerate(batches):
            place = Place(batch.booked_at_us, batch.writer, batch.sequence)
            first = skip if place == start else 0
            if looked_at == BATCHES_PER_PAGE:
                return self._until(reply, place, first, request, call)
            for index, record in enumerate(records(batch, self._classes)):
                if index < first or not _keeps(request, record):
                    continue
                if len(reply.records) == size:
                    return self._until(reply, place, index, request, call)
                reply.records.append(record)
        return reply

    def _until(
        self,
        reply: pb.ListAuditResponse,
        place: Place,
        index: int,
        request: pb.ListAuditRequest,
        call: Call,
    ) -> pb.ListAuditResponse:
        """Say where the next page begins."""
        reply.next_page_token = self._read.page_tokens.seal(
            _POSITION.pack(*place, index), request, call
        )
        return reply

    async def ExportAudit(  # noqa: N802
        self, request: pb.ExportAuditRequest, call: Call
    ) -> AsyncIterator[pb.ExportAuditResponse]:
        """Stream the trail as of now, journal by journal."""
        book = self._read.book(request.book)
        position = self._read.cursors.open(request.cursor, kind=EXPORT, book=book)
        clock = self._read.clock
        while True:
            deadline = min(call.deadline, clock.monotonic() + READ_SECONDS)
            async with self._read.readers.snapshot(deadline=deadline) as connection:
                batches = await queries.batches_of_journals(
                    connection, book, position, limit=BATCHES_PER_MESSAGE
                )
                ended = len(batches) < BATCHES_PER_MESSAGE
                heads = await queries.heads(connection, book) if ended else []
            for batch in batches:
                position[batch.writer] = batch.sequence
            yield pb.ExportAuditResponse(
                records=[one for batch in batches for one in records(batch, self._classes)],
                cursor=self._read.cursors.seal(position, kind=EXPORT, book=book),
                heads=[
                    pb.JournalHead(
                        writer=head.writer, block_number=head.number, block_hash=head.hash
                    )
                    for head in heads
                ],
            )
            if ended:
                return


def _position(token: bytes, from_us: int) -> tuple[Place, int]:
    """Return the batch where a page begins and how many of its records to pass over."""
    if not token:
        return Place(from_us, 0, 0), 0
    at_us, writer, sequence, index = _POSITION.unpack(token)
    return Place(at_us, writer, sequence), index


def _keeps(request: pb.ListAuditRequest, record: audit_pb2.AuditRecord) -> bool:
    """Whether a request asks for a record."""
    return (
        (
            not request.principal_subject
            or record.actor.principal_subject == request.principal_subject
        )
        and (not request.method or record.method == request.method)
        and (bool(record.reason) or not request.refused_only)
    )
