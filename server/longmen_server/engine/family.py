"""Row families: how the engine loads and writes one table without knowing what is in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

K = TypeVar("K")
R = TypeVar("R")

#: Families are loaded stage by stage, and in the order of their ranks within a stage. A key of a
#: later stage may come from a row of an earlier one, never the other way round, so every writer
#: locks in one order.
#:
#: Lookups find whose rows to load and lock nothing. Few commands need one, and only those that say
#: so (`Command.looks_up`) are asked for its keys.
STAGE_LOOKUP = 0
STAGE_POINTER = 1
STAGE_LINK = 2
STAGE_ACCOUNT = 3
STAGE_RECORD = 4
STAGE_JUDGEMENT = 5
STAGES = (STAGE_LOOKUP, STAGE_POINTER, STAGE_LINK, STAGE_ACCOUNT, STAGE_RECORD, STAGE_JUDGEMENT)
#: Stages that are loaded in one round trip. Accounts and records do not depend on each other.
ROUNDS = (
    (STAGE_LOOKUP,),
    (STAGE_POINTER,),
    (STAGE_LINK,),
    (STAGE_ACCOUNT, STAGE_RECORD),
    (STAGE_JUDGEMENT,),
)


class Statement(NamedTuple):
    """One SQL statement with its parameters. Every statement names the book."""

    sql: bytes
    parameters: tuple[object, ...]


class RowFamily(ABC, Generic[K, R]):
    """One table as the engine sees it. Areas define one per table in their tables.py."""

    name: str
    stage: int
    """When it is loaded; see the STAGE constants."""
    rank: int
    """Order within the stage; unique over all families, lint-tested."""

    def load(self, book: int, keys: Sequence[K]) -> Statement:
        """Return the statement that reads the rows of sorted keys, locking what may change."""
        del book, keys
        raise AssertionError(f"rows of {self.name} are only ever written")

    def decode(self, record: tuple[Any, ...]) -> tuple[K, R]:
        """Return key and row of one record of the load statement."""
        del record
        raise AssertionError(f"rows of {self.name} are only ever written")

    @abstractmethod
    def write(self, book: int, inserted: Sequence[R], changed: Sequence[R]) -> Iterable[Statement]:
        """Return the set-based statements that write a batch's new and changed rows."""

    def copy(self, row: R) -> R:
        """Return a copy of a row for a command to change. Families whose rows change define it."""
        del row
        raise AssertionError(f"rows of {self.name} never change")

    def stamp(self, row: R) -> int:
        """Return when the row was last booked, in microseconds; 0 where that does not matter."""
        del row
        return 0


class PointerFamily(RowFamily[K, R]):
    """Rows that lead to others, or stand for some; another family writes what they are read from.

    What a command inserts here later commands of the same batch find, and nothing is written.
    """

    def write(self, book: int, inserted: Sequence[R], changed: Sequence[R]) -> Iterable[Statement]:
        """Write nothing."""
        del book, inserted, changed
        return ()
