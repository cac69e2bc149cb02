"""The rows a batch works on, and what its commands have done to them so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from longmen_server.platform.freshness import encode_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.engine.family import RowFamily
    from longmen_server.engine.journal import Event

K = TypeVar("K")
R = TypeVar("R")


class Table:
    """Working state of one family in one batch."""

    __slots__ = ("appended", "changed", "inserted", "rows")

    def __init__(self) -> None:
        self.rows: dict[Any, Any] = {}
        """Rows by key: as loaded, or as the last command left them. None where there is no row."""
        self.changed: dict[Any, Any] = {}
        self.inserted: dict[Any, Any] = {}
        self.appended: list[Any] = []


#: A point in the working set's history to go back to: lengths of its undo log and of its events.
Mark: TypeAlias = tuple[int, int]


class WorkingSet:
    """Rows loaded for a batch, changed by one command after another.

    A command that is refused is rolled back to the mark before it, so that it leaves no trace.
    """

    __slots__ = (
        "_stamp_us",
        "_undo",
        "aside",
        "book",
        "committed_at",
        "events",
        "now_us",
        "tables",
    )

    def __init__(self, book: int, now_us: int) -> None:
        self.book = book
        self.now_us = now_us
        """Business time of the batch: what has expired by it has expired for all its commands."""
        self.tables: dict[RowFamily[Any, Any], Table] = {}
        self.events: list[Event] = []
        self.aside: dict[bytes, Any] = {}
        """What a command lays aside for its own `refused`, by an id of its own: no row, and not
        undone with the rest."""
        self.committed_at = ""
        """Opaque token that replies carry and reads take as at_least_as_fresh."""
        self._undo: list[Callable[[], object] | tuple[dict[Any, Any], Any, Any]] = []
        self._stamp_us = now_us

    def table(self, family: RowFamily[Any, Any]) -> Table:
        """Return the working state of a family."""
        table = self.tables.get(family)
        if table is None:
            table = self.tables[family] = Table()
        return table

    def begin_stamps(self, after_us: int) -> None:
        """Let booked times begin after the clock and everything loaded: they grow strictly."""
        self._stamp_us = max(self.now_us, after_us + 1)
        self.committed_at = encode_token(self.book, self._stamp_us)

    def next_stamp(self) -> int:
        """Return the next booked time, in microseconds. No two postings of a writer share one."""
        stamp = self._stamp_us
        self._stamp_us = stamp + 1
        return stamp

    @property
    def last_stamp(self) -> int:
        """The highest booked time handed out so far, or one less than the first."""
        return self._stamp_us - 1

    def get(self, family: RowFamily[K, R], key: K) -> R | None:
        """Return a row, or None when there is none."""
        table = self.tables.get(family)
        if table is None:
            return None
        row: R | None = table.rows.get(key)
        return row

    def edit(self, family: RowFamily[K, R], key: K) -> R:
        """Return a copy of a row for the present command to change; the row must exist."""
        table = self.tables[family]
        old = table.rows[key]
        new = family.copy(old)
        target = table.inserted if key in table.inserted else table.changed
        self._undo += (table.rows, key, old), (target, key, target.get(key))
        table.rows[key] = target[key] = new
        return new

    def insert(self, family: RowFamily[K, R], key: K, row: R) -> None:
        """Add a new row that later commands of the batch can read and change."""
        table = self.tables.get(family) or self.table(family)
        rows, inserted = table.rows, table.inserted
        # A refused command may have put its row in the place of an earlier one of the batch.
        self._undo += (rows, key, rows.get(key)), (inserted, key, inserted.get(key))
        rows[key] = inserted[key] = row

    def append(self, family: RowFamily[Any, R], row: R) -> None:
        """Add a row that is only ever written."""
        appended = self.table(family).appended
        appended.append(row)
        self._undo.append(appended.pop)

    def emit(self, event: Event) -> None:
        """Add an event; the writer numbers it when the batch is written."""
        self.events.append(event)

    def mark(self) -> Mark:
        """Return the present point, for rollback."""
        return len(self._undo), len(self.events)

    def rollback(self, mark: Mark) -> None:
        """Undo everything since a mark."""
        undo = self._undo
        undo_length, event_count = mark
        while len(undo) > undo_length:
            step = undo.pop()
            if callable(step):
                step()
                continue
            target, key, old = step
            if old is None:
                target.pop(key, None)
            else:
                target[key] = old
        del self.events[event_count:]

    @property
    def has_changes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.events) or any(
            table.changed or table.inserted or table.appended for table in self.tables.values()
        )
