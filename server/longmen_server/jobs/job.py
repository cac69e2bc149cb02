"""What a job is, and what it works with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from longmen_server.platform.ids import TransactionId, new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection

COMMAND_SECONDS_MAX: Final = 60.0
"""How long a job waits for the engine before it lets the next round try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a job works with, for one book."""

    book: int
    connection: Connection
    """The runner's own; a job uses it alone while it runs."""
    engine: Engine
    clock: Clock
    items_max: int
    """How many items to take at a time."""
    progress: int
    """How far the job has come, in its own measure; 0 at first."""

    async def submit(self, commands: Sequence[Command]) -> list[str]:
        """Run commands together and return their replies, in order.

        Raises:
            Refusal: the first one's that could not be run; the state of the rows tells the next
                round which were.
        """
        deadline = self.clock.monotonic() + COMMAND_SECONDS_MAX
        outcomes = await asyncio.gather(
            *(self.engine.submit(command, deadline=deadline) for command in commands)
        )
        return [outcome.reply.decode() for outcome in outcomes]

    def new_transaction_id(self) -> TransactionId:
        """Return a fresh id of the book."""
        return TransactionId(new_id(self.book, self.clock))


@dataclass(frozen=True, slots=True)
class Done:
    """What a job has done in one take."""

    items: int
    """How many things it did."""
    more: bool
    """Whether there may be more to do at once."""
    progress: int | None = None
    """How far it has come, to be remembered; None leaves it."""


class Job(Protocol):
    """One kind of background work. Doing it twice does no harm, and it can stop at any point."""

    @property
    def name(self) -> str:
        """What it is called in leases and logs."""

    async def take(self, workplace: Workplace) -> Done:
        """Do some of the work of a book."""
