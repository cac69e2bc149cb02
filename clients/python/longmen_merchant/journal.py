"""What a till has begun and not finished, in a small file that survives a power loss.

The file is replaced as a whole, synced to the disk before anything is sent to the bank: so whatever
the bank may have done, the till knows that it asked. One process uses it at a time.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Entry", "Journal", "JournalError", "Stage"]

TRACES: Final = 999_999
"""Highest trace number, as ISO 8583 has it in field 11; the next one is 1 again."""


class JournalError(Exception):
    """A journal cannot be used: another process has it, or it is damaged."""


class Stage(enum.Enum):
    """What is to be found out or done about an entry."""

    SENT = "sent"
    """A sale that was sent, or is about to be: ask how it ended."""
    OPEN = "open"
    """A sale whose last scan was refused: scan again or cancel."""
    REVERSE = "reverse"
    """A sale that was given up: have the bank undo it."""
    REFUND = "refund"
    """A refund that was sent: send it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sale or refund that is not finished."""

    number: str
    """Order number or refund number, the merchant's own."""
    stage: Stage
    minor_units: int
    currency_code: str
    request_id: str
    """Of the call that is under way; the same for every repetition."""
    settle_id: str
    """Request id of the call that settles or undoes it."""
    trace_number: int = 0
    business_date: str = ""
    order_id: str = ""
    """Of the order whose money goes back."""
    tip_minor_units: int = 0
    ask_tip: bool = False
    reason_text: str = ""


class Journal:
    """The unfinished entries of one till, and its trace numbers."""

    def __init__(self, path: str | Path) -> None:
        """Open a journal, or begin one.

        Raises:
            JournalError: another process uses it, or it is damaged.
        """
        self._path = Path(path)
        self._lock = threading.Lock()
        self._held = self._hold()
        self._trace = 0
        self._entries: dict[str, Entry] = {}
        if self._path.exists():
            self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, so that another process can use it."""
        self._held.close()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is not finished, the oldest first."""
        with self._lock:
            return tuple(self._entries.values())

    def next_trace(self) -> int:
        """The till's next trace number; it is on the disk before it is used."""
        with self._lock:
            self._trace = self._trace % TRACES + 1
            self._write()
            return self._trace

    def put(self, entry: Entry) -> None:
        """Keep an entry, in the place of the one with its number."""
        with self._lock:
            self._entries[entry.number] = entry
            self._write()

    def end(self, number: str) -> None:
        """Forget a finished entry."""
        with self._lock:
            if self._entries.pop(number, None) is not None:
                self._write()

    def _hold(self) -> IO[str]:
        """Keep other processes out for as long as the journal is open."""
        held = self._path.with_name(self._path.name + ".lock").open("w", encoding="utf-8")
        try:
            _lock(held)
        except OSError:
            held.close()
            raise JournalError(f"{self._path} is used by another process") from None
        return held

    def _read(self) -> None:
        try:
            document: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
            self._trace = int(document["trace"])
            for fields in document["entries"]:
                entry = Entry(**{**fields, "stage": Stage(fields["stage"])})
                self._entries[entry.number] = entry
        except (ValueError, KeyError, TypeError) as error:
            self.close()
            raise JournalError(f"{self._path} is damaged: {error}") from error

    def _write(self) -> None:
        document = {
            "trace": self._trace,
            "entries": [
                {**dataclasses.asdict(entry), "stage": entry.stage.value}
                for entry in self._entries.values()
            ],
        }
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._path.parent)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        """Lock a file for this process, or raise OSError."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _sync_folder(folder: Path) -> None:
        """Windows keeps names with their files."""

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        """Lock a file for this process, or raise OSError."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _sync_folder(folder: Path) -> None:
        """Have the file's new name on the disk, not only its content."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def today() -> str:
    """The till's business date: the day where it stands."""
    return datetime.now().astimezone().date().isoformat()  # noqa: TID251 - a till's own clock
