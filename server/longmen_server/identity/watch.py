"""What a worker knows of sessions: which have ended, and when the others were last used.

Every worker looks every two seconds at which sessions have ended anywhere, and refuses calls when
it could not look for some time. When a session was last used is kept in memory and noted in the
database now and then; a worker that sees a session for the first time, or thinks that it was idle
for too long, reads what the others have noted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import psycopg
import structlog

from longmen_server.identity import model
from longmen_server.platform.ids import SESSION, SessionId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.identity.settings import IdentitySettings
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers

__all__ = ["SessionStore", "SessionWatch"]

log = structlog.get_logger("longmen.sessions")

NOTE_US: Final = 15 * model.SECOND_US
"""How far the last use that is noted may lag behind: a note of each would be a write for each call.
A session that moves to another worker may so be taken for idle that much too early, never late."""

OVERLAP_US: Final = 60 * model.SECOND_US
"""How far back each look goes beyond the last one: for ends that were committed late."""

LOOK_SECONDS: Final = 2.0
"""How long a look may take."""


@dataclass(slots=True)
class _Live:
    """A session that goes on."""

    seen_us: int
    noted_us: int
    ends_us: int


class SessionStore(Protocol):
    """Where sessions of a kind are kept."""

    async def ended(self, connection: Connection, book: int, *, since_us: int) -> list[SessionId]:
        """Return the sessions that were ended after a moment."""

    async def find(
        self, connection: Connection, book: int, session_id: SessionId
    ) -> model.Lasting | None:
        """Return a session."""

    async def note_seen(
        self, connection: Connection, book: int, seen: Mapping[SessionId, int]
    ) -> None:
        """Note when sessions of a book were last used."""


class SessionWatch:
    """Judges sessions. One for each worker."""

    def __init__(
        self,
        readers: Readers,
        clock: Clock,
        *,
        books: Sequence[int],
        store: SessionStore,
        idle_s: int,
        token_s: int,
        settings: IdentitySettings,
    ) -> None:
        """Take what the watch works with.

        Args:
            readers: connections.
            clock: business time, which idle and absolute limits obey.
            books: whose sessions to watch.
            store: where the sessions are.
            idle_s: seconds that one may go unused.
            token_s: seconds that an access token lasts.
            settings: how often to look, and how many to remember.
        """
        self._readers = readers
        self._clock = clock
        self._books = books
        self._store = store
        self._idle_us = idle_s * model.SECOND_US
        self._interval_s = settings.session_poll_ms / 1000
        self._grace_s = settings.session_poll_grace_s
        self._token_s = token_s + 60
        self._live_max = settings.sessions_remembered_max
        self._live: dict[str, _Live] = {}
        self._ended: dict[str, float] = {}
        self._since_us = clock.now_us() - self._token_s * model.SECOND_US
        self._looked_at = float("-inf")

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Learn which sessions have ended and note which were used; trouble is logged."""
        now = self._clock.monotonic()
        now_us = self._clock.now_us()
        try:
            for book in self._books:
                await self._learn(book, now)
        except (psycopg.Error, Refusal) as error:
            log.warning("sessions_not_looked_at", error=type(error).__name__)
            return
        self._looked_at = now
        self._since_us = now_us - OVERLAP_US
        for session_id in [one for one, until in self._ended.items() if until < now]:
            del self._ended[session_id]
        try:
            for book in self._books:
                await self._note(book, now)
        except (psycopg.Error, Refusal) as error:
            # It is noted at a later look; meanwhile a session that moves may seem idle too early.
            log.warning("sessions_not_noted", error=type(error).__name__)

    async def _learn(self, book: int, now: float) -> None:
        async with self._readers.connection(deadline=now + LOOK_SECONDS) as connection:
            for session_id in await self._store.ended(connection, book, since_us=self._since_us):
                self.end(SESSION.encode(session_id))

    async def _note(self, book: int, now: float) -> None:
        seen = {
            SESSION.decode(text): live.seen_us
            for text, live in self._live.items()
            if live.seen_us - live.noted_us > NOTE_US and int(text[-4:], 16) == book
        }
        if not seen:
            return
        async with self._readers.connection(deadline=now + LOOK_SECONDS) as connection:
            await self._store.note_seen(connection, book, seen)
        for session_id, seen_us in seen.items():
            live = self._live.get(SESSION.encode(session_id))
            if live is not None:
                live.noted_us = seen_us

    def end(self, session_id: str) -> None:
        """Take no more calls of a session, for as long as its tokens could last."""
        self._live.pop(session_id, None)
        self._ended.setdefault(session_id, self._clock.monotonic() + self._token_s)

    def seen_us(self, session_id: str) -> int:
        """When this worker last saw a session used; 0 for never."""
        live = self._live.get(session_id)
        return 0 if live is None else live.seen_us

    async def admit(self, session_id: str, *, deadline: float) -> None:
        """Let a call of a session pass.

        Args:
            session_id: "sess_...".
            deadline: of the call, in monotonic seconds.

        Raises:
            Refusal: SESSION_REVOKED, SESSION_EXPIRED; SESSIONS_UNKNOWN when this worker cannot
                tell.
        """
        self._check_end(session_id)
        now_us = self._clock.now_us()
        live = self._live.get(session_id)
        if live is None or now_us - live.seen_us > self._idle_us:
            live = await self._read(SESSION.decode(session_id), deadline)
        if now_us >= live.ends_us:
            raise model.session_expired("absolute")
        live.seen_us = max(live.seen_us, now_us)

    def check(self, session_id: str) -> None:
        """Refuse what has ended as far as this worker knows; asking is no use of the session.

        Raises:
            Refusal: SESSION_REVOKED, SESSION_EXPIRED; SESSIONS_UNKNOWN when this worker cannot
                tell.
        """
        self._check_end(session_id)
        live = self._live.get(session_id)
        if live is not None and self._clock.now_us() >= live.ends_us:
            raise model.session_expired("absolute")

    def _check_end(self, session_id: str) -> None:
        if session_id in self._ended:
            raise model.session_revoked()
        if self._clock.monotonic() - self._looked_at > self._grace_s:
            raise Refusal(
                "SESSIONS_UNKNOWN", "the server cannot tell which sessions have ended; come back"
            )

    async def _read(self, session_id: SessionId, deadline: float) -> _Live:
        """Read a session that we do not know, or think idle.

        Raises:
            Refusal: SESSION_REVOKED, SESSION_EXPIRED.
        """
        text = SESSION.encode(session_id)
        async with self._readers.connection(deadline=deadline) as connection:
            row = await self._store.find(connection, book_of(session_id), session_id)
        if row is None:
            raise model.session_revoked()
        model.check_alive(row, self.seen_us(text), self._clock.now_us(), self._idle_us)
        if len(self._live) >= self._live_max:
            del self._live[next(iter(self._live))]
        live = _Live(max(row.seen_at_us, self.seen_us(text)), row.seen_at_us, row.ends_at_us)
        self._live[text] = live
        return live
