"""The key file of personal data that the databases of one test process share."""

from __future__ import annotations

import functools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from longmen_server.personal_keys import prepare
from longmen_server.platform.pii import Vault, make_key_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = tempfile.TemporaryDirectory(prefix="longmen-test-keys-")


@functools.cache
def key_file() -> Path:
    """One key file for all databases of this process, removed at its end."""
    path = Path(_FOLDER.name) / "personal-data.json"
    make_key_file(path)
    return path


def open_vault(dsn: str, books: Sequence[int] = (1,)) -> Vault:
    """What seals and opens personal data of a database, prepared as a server's start does it."""
    prepare(dsn, key_file(), books)
    return Vault(key_file(), time.monotonic)
