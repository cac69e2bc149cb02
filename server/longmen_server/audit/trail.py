"""The way into the audit trail for what the engine does not decide: denials and kept looks.

They are collected for a moment and written together, so a flood of refusals costs a few commands a
second and no call waits for its own. Refusals that differ in nothing but time are counted. What
waits is bounded; when it cannot be written, calls that have to be in the trail are refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.engine.trail import Act, Actor, RecordActs, Trail
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.audit.settings import AuditSettings
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.transport.context import Call

__all__ = ["AuditTrail"]

WRITE_SECONDS: Final = 5.0
"""How long one write may take before it is tried again."""

RETRY_SECONDS: Final = 0.5
"""Wait before a write that failed is tried again."""

_NOBODY: Final = Actor("", "", "", "", "", "")

_log = structlog.stdlib.get_logger("longmen.audit")


@dataclass(slots=True)
class _Waiting:
    """Calls that wait to be written, alike in all but time."""

    called_at_us: int
    since: float
    count: int


class AuditTrail:
    """Collects what happened at the edge and writes it through the engine."""

    def __init__(self, *, engine: Engine, clock: Clock, book: int, settings: AuditSettings) -> None:
        """Take what writing needs; `run` does it.

        Args:
            engine: writes the records.
            clock: says when a call ended.
            book: whose journal takes what concerns no book.
            settings: limits.
        """
        self._engine = engine
        self._clock = clock
        self._book = book
        self._settings = settings
        self._waiting: dict[tuple[Trail, str], _Waiting] = {}
        self._writing: dict[tuple[Trail, str], _Waiting] = {}
        self._news = asyncio.Event()

    def demand(self) -> None:
        """Refuse unless whatever happens now can be kept.

        Raises:
            Refusal: AUDIT_UNAVAILABLE.
        """
        writing = self._writing
        if not writing:
            if len(self._waiting) < self._settings.audit_waiting_max:
                return
        else:
            oldest = next(iter(writing.values()))
            late = self._clock.monotonic() - oldest.since
            full = len(self._waiting) >= self._settings.audit_waiting_max
            if not full and late * 1000 <= self._settings.audit_delay_ms_max:
                return
        raise Refusal("AUDIT_UNAVAILABLE", "the audit trail cannot be written at the moment")

    def note(self, call: Call, reason: str) -> None:
        """Keep that a call ended: why it was refused, or "" for a success."""
        trail = Trail(call.actor, call.method, call.request_id or "")
        key = (trail, reason)
        known = self._waiting.get(key)
        if known is None and len(self._waiting) >= self._settings.audit_waiting_max:
            # A flood: from here on it is counted by method and reason, which are few.
            key = (Trail(_NOBODY, call.method, ""), reason)
            known = self._waiting.get(key)
        if known is not None:
            known.count += 1
            return
        self._waiting[key] = _Waiting(self._clock.now_us(), self._clock.monotonic(), 1)
        self._news.set()

    async def run(self) -> None:
        """Write what comes, until cancelled; then write what is left, once."""
        pause = self._settings.audit_flush_ms / 1000
        try:
            while True:
                await self._news.wait()
                await asyncio.sleep(pause)
                if not await self._write():
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            if self._waiting or self._writing:
                await asyncio.shield(self._write())

    async def _write(self) -> bool:
        """Write everything collected; keep it when that fails."""
        if not self._writing:
            self._writing, self._waiting = self._waiting, {}
            self._news.clear()
        acts = [
            Act(trail, reason, 0, 0, each.called_at_us, each.count)
            for (trail, reason), each in self._writing.items()
        ]
        try:
            if acts:
                deadline = self._clock.monotonic() + WRITE_SECONDS
                await self._engine.submit(RecordActs(self._book, acts), deadline=deadline)
        except Exception as error:  # noqa: BLE001 - whatever it is, the records must not be lost
            _log.warning("audit_delayed", waiting=len(acts), error=type(error).__name__)
            self._news.set()
            return False
        self._writing = {}
        return True
