"""What the engine keeps of who asked for what: the acts of a batch, written with their effects.

An act stands in the journal, as the last event of the batch that decided it. So it is committed
with its effects or not at all, the chain of blocks covers it, and the role that serves can no more
change it than any other event. What an act looks like stored is not the engine's business: a
witness makes the event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from longmen_server.engine.command import Command

if TYPE_CHECKING:
    from longmen_server.engine.journal import Event
    from longmen_server.engine.working_set import WorkingSet


class Actor(NamedTuple):
    """Who calls; texts are empty where nothing is known."""

    kind: str
    subject: str
    token_id: str
    session_id: str
    device_id: str
    peer: str
    """Address without port."""


class Trail(NamedTuple):
    """Where a request comes from."""

    actor: Actor
    method: str
    request_id: str
    """A UUID as text; empty for methods without request ids."""


class Act(NamedTuple):
    """Something that was asked for and decided."""

    trail: Trail
    reason: str
    """Why it was refused; empty for a success."""
    event_offset: int
    """How many events of the batch stand before those of the act."""
    event_count: int
    called_at_us: int
    """When the call ended; 0 for what the batch itself decided."""
    call_count: int
    """Calls that the act stands for."""


Witness: TypeAlias = Callable[[int, Sequence[Act], int], "Event"]
"""Makes the event that keeps the acts of a batch, from book, acts and booked time."""


class RecordActs(Command):
    """Keep acts that happened outside of the engine, such as refused sign-ins."""

    __slots__ = ("acts",)

    def __init__(self, book: int, acts: Sequence[Act]) -> None:
        super().__init__(book, None)
        self.acts = acts

    def decide(self, working_set: WorkingSet) -> bytes:
        """Do nothing: the batch takes the acts from here."""
        del working_set
        return b""
