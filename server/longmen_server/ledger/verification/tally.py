"""What a verification has found so far."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from longmen_server.ledger.verification import queries
from longmen_server.ledger.verification.report import (
    FINDINGS_LISTED_MAX,
    KINDS,
    Finding,
    Progress,
    Report,
    Summary,
)

if TYPE_CHECKING:
    from longmen_server.ledger.verification.queries import Check, Counts
    from longmen_server.platform.database import Connection


@dataclass
class Tally:
    """What one verification has found so far, and who waits to hear of it."""

    book: int
    now_us: int
    rows: Counts
    # Not bounded: what comes in is, by kinds and checks.
    reports: asyncio.Queue[Report | None] = field(default_factory=asyncio.Queue)
    counts: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)

    def progress(self, check: str, done: int, total: int) -> None:
        """Tell how far a check has come."""
        self.reports.put_nowait(Progress(check, done, total))

    def found(self, kind: str, subject: str, detail: str) -> None:
        """Count a finding, and tell it unless enough of its kind were told."""
        assert kind in KINDS, "every kind is documented"
        self.counts[kind] += 1
        if self.listed[kind] < FINDINGS_LISTED_MAX:
            self.listed[kind] += 1
            self.reports.put_nowait(Finding(kind, subject, detail))

    def not_listed(self, kind: str, count: int) -> None:
        """Count findings of a kind that the database has counted without listing them."""
        self.counts[kind] += count

    def summary(self, *, duration_ms: int) -> Summary:
        """The end of it."""
        return Summary(
            finding_count=self.counts.total(),
            counts=dict(sorted(self.counts.items())),
            account_count=self.rows.accounts,
            posting_count=self.rows.postings,
            block_count=self.rows.blocks,
            event_count=self.rows.events,
            duration_ms=duration_ms,
            read_at_us=self.now_us,
        )

    async def check(self, connection: Connection, check: Check, total: int, *more: object) -> None:
        """Run one check that is all SQL.

        Args:
            connection: where.
            check: what.
            total: rows it looks at.
            more: its parameters beyond the book.
        """
        self.progress(check.name, 0, total)
        listed: Counter[str] = Counter()
        totals: dict[str, int] = {}
        for found in await queries.run_check(connection, check, self.book, *more):
            self.found(found.kind, found.subject, found.detail)
            listed[found.kind] += 1
            totals[found.kind] = found.count
        for kind, count in totals.items():
            self.not_listed(kind, count - listed[kind])
        self.progress(check.name, total, total)
