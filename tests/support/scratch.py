"""Where tests keep what need not survive them: clusters of Postgres and data folders of servers."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import psutil

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory, open to all like /tmp
GIBIBYTE: Final = 1 << 30
ROOM_MIN: Final = 4 * GIBIBYTE
"""What the file system in memory has to hold: a whole run puts less than one gibibyte into it."""
MEMORY_MIN: Final = 8 * GIBIBYTE
"""What the machine has to have, so that nothing else is short of memory."""


@cache
def scratch() -> Path:
    """Return a folder in memory, where the machine has one and plenty of it, else the usual one.

    A database is some two thousand files. Making them on a disk's file system has taken up to half
    a second of a core, in memory it takes twenty milliseconds. Nothing that tests prove hangs on
    it: they kill processes, and what those have written stays in either place. All processes of a
    run choose alike, since sizes do not change, and a TMPDIR that somebody has chosen is kept.
    """
    usual = Path(tempfile.gettempdir())
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return usual
    has_room = psutil.disk_usage(str(MEMORY)).total >= ROOM_MIN
    return MEMORY if has_room and psutil.virtual_memory().total >= MEMORY_MIN else usual
