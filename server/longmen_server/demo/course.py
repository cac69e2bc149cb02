"""What every demonstration shares: parts with many steps, timed, counted, a few at once."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from longmen_client import LongmenError
from longmen_server.demo.tally import CalledOffError, timed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from longmen_client import AsyncClient, Reply
    from longmen_server.demo.tally import Part, Tally

T = TypeVar("T")

ASKED_AGAIN_MAXIMUM = 5
"""How often a change of unknown outcome is asked about again under its request id."""


@dataclass(kw_only=True)
class Course(ABC):
    """Everything the parts of a demonstration share."""

    bank: AsyncClient
    """Calls as a service of the bank."""
    tally: Tally
    begin: Callable[[str, int], Callable[[], None]]
    """Tell that a part of so many steps begins; gives what is called at each step."""

    @property
    @abstractmethod
    def concurrency(self) -> int:
        """Steps under way at once."""

    async def each(
        self,
        title: str,
        things: Iterable[T],
        count: int,
        work: Callable[[Part, T], Awaitable[None]],
    ) -> None:
        """Do something with each of many things, a few at once; problems are noted, not raised."""
        step = self.begin(title, count)
        waiting = iter(things)
        with self.part(title) as part:

            async def worker() -> None:
                for thing in waiting:
                    try:
                        await work(part, thing)
                    except LongmenError as error:
                        self.tally.problem(f"{title}: {error}")
                    step()

            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.concurrency, count)):
                    group.create_task(worker())

    @contextmanager
    def part(self, title: str) -> Iterator[Part]:
        """A part of the day, with the time it takes."""
        part = self.tally.part(title)
        began = time.perf_counter()
        try:
            yield part
        except ExceptionGroup as group:
            # Not `except*`: until Python 3.11.4 what it raises comes out in a group again.
            if group.split(CalledOffError)[1] is not None:
                raise
            raise CalledOffError from group
        finally:
            part.seconds += time.perf_counter() - began

    async def change(self, part: Part, call: Callable[[], Awaitable[Reply[Any]]]) -> Any:
        """Make a change and give its reply, asking again under the same id while it is in doubt.

        Raises:
            LongmenError: it was refused, or stayed in doubt.
        """
        for asked in range(ASKED_AGAIN_MAXIMUM):
            try:
                reply = await timed(part, call)
            except LongmenError as error:
                if not error.outcome_unknown or asked + 1 == ASKED_AGAIN_MAXIMUM:
                    raise
                part.sent_again += error.attempts
                continue
            part.sent_again += reply.attempts - 1
            part.replayed += reply.replayed
            return reply
        raise AssertionError("the last round returns or raises")
