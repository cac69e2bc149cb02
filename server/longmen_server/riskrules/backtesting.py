"""Backtests in a worker: one at a time, in a thread of their own, and never more than half of it.

What is read comes in small pages, each by a connection that is given back at once; between two
bites the thread rests as long as it has worked. So payments on the same worker meet it no more
often than another reader.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.refusal import Refusal
from longmen_server.risk.backtest import Past
from longmen_server.risk.queries import count_past, past_decisions
from longmen_server.riskcases.queries import verdicts_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.risk.backtest import Backtest

__all__ = ["BacktestRoom", "Span", "Step"]

PAGE: Final = 256
"""Decisions read at once: about half a megabyte."""
BITE: Final = 32
"""Decisions judged at once: a few milliseconds during which nobody else has the interpreter."""
REST_S_MAX: Final = 0.2
READ_S: Final = 10.0
"""How long one page may take to read."""
SPARE_S: Final = 1.0
"""How long before the call's deadline the result is sent."""


class Span(NamedTuple):
    """Which decisions are looked at."""

    book: int
    after: bytes
    """Id after which the first of them comes."""
    before: bytes
    """Id before which the last of them comes."""
    most: int
    """How many at most."""


class Step(NamedTuple):
    """How far it has come."""

    done: int
    total: int
    decided_at_us: int
    last_id: bytes
    """Of the last decision looked at."""
    ended: bool
    """Whether the span is through."""


class BacktestRoom:
    """Where backtests run."""

    def __init__(self) -> None:
        """Have nothing until the first one comes."""
        self._pool: ThreadPoolExecutor | None = None
        self._busy = False

    @contextmanager
    def taken(self) -> Iterator[ThreadPoolExecutor]:
        """Take the room.

        Raises:
            Refusal: OVERLOADED while somebody else has it.
        """
        if self._busy:
            raise Refusal(
                "OVERLOADED", "this worker runs a backtest already", metadata={"class": "BACKTEST"}
            )
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="backtest")
        self._busy = True
        try:
            yield self._pool
        finally:
            self._busy = False

    async def run(
        self, test: Backtest, span: Span, *, readers: Readers, clock: Clock, deadline: float
    ) -> AsyncGenerator[Step, None]:
        """Judge the decisions of a span again, telling each step; the last one comes at its end.

        Args:
            test: what finds out.
            span: which decisions.
            readers: connections to read them by.
            clock: monotonic.
            deadline: by when the caller wants an answer; what is not done then is left.
        """
        loop = asyncio.get_running_loop()
        with self.taken() as pool:
            async with readers.connection(deadline=_soon(clock, deadline)) as connection:
                total = await count_past(
                    connection, span.book, after=span.after, before=span.before, limit=span.most
                )
            done, last_id, last_us, ended = 0, span.after, 0, False
            while not ended and done < span.most and clock.monotonic() < deadline - SPARE_S:
                wanted = min(PAGE, span.most - done)
                async with readers.connection(deadline=_soon(clock, deadline)) as connection:
                    rows = await past_decisions(
                        connection, span.book, after=last_id, before=span.before, limit=wanted
                    )
                    ids = [row.transaction_id for row in rows]
                    verdicts = await verdicts_of(connection, span.book, ids)
                past = [Past(row, verdicts.get(row.transaction_id, 0)) for row in rows]
                for first in range(0, len(past), BITE):
                    began = perf_counter()
                    await loop.run_in_executor(pool, test.add_all, past[first : first + BITE])
                    await asyncio.sleep(min(perf_counter() - began, REST_S_MAX))
                if rows:
                    last_id, last_us = rows[-1].decision_id, rows[-1].decided_at_us
                done += len(rows)
                ended = len(rows) < wanted
                yield Step(done, max(total, done), last_us, last_id, ended)


def _soon(clock: Clock, deadline: float) -> float:
    return min(deadline, clock.monotonic() + READ_S)
