"""Commands: one change that somebody asked for, as the engine runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.family import RowFamily
    from longmen_server.engine.trail import Act, Trail
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.refusal import Refusal


class RequestKey(NamedTuple):
    """What makes a request the same request: who asked for what under which id, and its content."""

    digest: bytes
    """16 bytes over principal, method and request id."""
    content: bytes
    """Fingerprint of the whole content, 32 bytes, then a digest of each field that was set."""
    trail: Trail | None = None
    """Who asked, for the audit trail; None keeps nothing."""


class RowKey(NamedTuple):
    """One row that a command needs."""

    family: RowFamily[Any, Any]
    key: Any


class Command(ABC):
    """One change, decided by pure code over loaded rows.

    The engine may call :meth:`decide` several times, over rows loaded anew, when the database makes
    it repeat a batch; only the last one counts. So a command never changes itself.
    """

    __slots__ = ("book", "request")

    looks_up: bool = False
    """Whether it has keys of STAGE_LOOKUP."""

    acts: Sequence[Act] = ()
    """Acts to keep that happened elsewhere; what a command itself does is kept by its request."""

    def __init__(self, book: int, request: RequestKey | None) -> None:
        self.book = book
        self.request = request
        """None for the server's own jobs, whose repetition the state of the rows makes harmless."""

    @property
    def weight(self) -> int:
        """How many postings the command may write; batches are bounded by the sum."""
        return 1

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Return the rows needed of one stage, which may depend on what earlier stages loaded."""
        del working_set, stage
        return ()

    @abstractmethod
    def decide(self, working_set: WorkingSet) -> bytes:
        """Change the working set and return the serialised reply.

        Raises:
            Refusal: a business no; the engine undoes what this command did and records the refusal.
        """

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave what a refusal must leave behind, after the command's own changes were undone."""
        del working_set, refusal


class Outcome(NamedTuple):
    """What the engine answers."""

    reply: bytes
    replayed: bool
    """Whether the reply was given before to the same request."""
