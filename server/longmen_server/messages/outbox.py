"""The development outbox: a file that `longmen messages` shows, in place of a provider."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any, Final

from longmen_server.platform.ids import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from longmen_server.messages.model import Letter
    from longmen_server.platform.clock import Clock

__all__ = ["OUTBOX_FILE", "OutboxFile", "read_outbox"]

OUTBOX_FILE: Final = "outbox.jsonl"
"""The file, in the data folder."""

BYTES_MAX: Final = 4_000_000
"""Size at which the file is begun anew: some ten thousand messages."""


class OutboxFile:
    """Writes letters to a file of mode 0600, one JSON object a line. Not for production."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Take the file and the clock of its times."""
        self._path = path
        self._clock = clock

    async def deliver(self, letter: Letter) -> None:
        """Append a letter."""
        line = json.dumps(
            {
                "time": self._clock.now().isoformat(timespec="milliseconds"),
                "message_id": MESSAGE.encode(letter.message_id),
                "channel": letter.channel.name.lower(),
                "kind": letter.kind,
                "recipient": letter.recipient,
                "subject": letter.subject,
                "text": letter.text,
            },
            ensure_ascii=False,
        )
        await asyncio.to_thread(self._append, line.encode() + b"\n")

    async def close(self) -> None:
        """Nothing is kept open."""

    def _append(self, line: bytes) -> None:
        # One write to a file opened for appending: lines of several workers never mix.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            if os.fstat(descriptor).st_size > BYTES_MAX:
                os.ftruncate(descriptor, 0)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def read_outbox(path: Path) -> Iterator[dict[str, Any]]:
    """Every message of an outbox file, oldest first; none when there is no file yet."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)
