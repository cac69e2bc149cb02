"""The key file of personal data and the database that depends on it, brought together at a start.

The database notes the ids of the keys that its personal data needs. A server with another key file
would look up phone numbers in vain and wrap keys that nobody else opens, so it does not start.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import psycopg

from longmen_server.platform import pii
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.database import complete_dsn
from longmen_server.platform.server_check import StorageError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from longmen_server.config import Settings

__all__ = ["KEY_FILE", "PersonalKeysError", "Purpose", "key_file", "prepare"]

KEY_FILE: Final = "personal-data.json"
"""The file's name in the data folder's keys."""

LOCK: Final = 0x4C4F4E474D454E50
"""Advisory lock of preparing: the letters LONGMENP."""


class PersonalKeysError(Exception):
    """The key file is not the database's; the message is one line for the operator."""


class Purpose(IntEnum):
    """What a key is for, as the database notes it."""

    WRAPPING = 1
    INDEX = 2


def key_file(settings: Settings) -> Path:
    """Where the keys are: where the operator says, or in the data folder."""
    return settings.personal_keys or settings.data.absolute() / "keys" / KEY_FILE


def prepare(dsn: str, path: Path, books: Sequence[int]) -> None:
    """Make the key file for a new database, check it for an old one, and give each book a data key.

    Args:
        dsn: a migrated database, as a role that may write.
        path: the key file.
        books: those the server keeps.

    Raises:
        PersonalKeysError: the database's personal data needs keys that the file does not have.
        KeyFileError: the file cannot be used.
        StorageError: the database cannot be reached.
    """
    parameters = complete_dsn(dsn, application_name="longmen personal keys", settings={})
    try:
        with psycopg.connect(parameters) as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            check_keys(connection, path)
            for book in books:
                ensure_book_key(connection, path, book)
    except psycopg.OperationalError as error:
        raise StorageError(f"cannot reach the database: {one_line(error)}") from error


def check_keys(connection: psycopg.Connection[Any], path: Path) -> None:
    """Refuse a key file that lacks a key the database needs, and note those it has.

    Raises:
        PersonalKeysError, KeyFileError: as `prepare`.
    """
    noted = set(connection.execute("select purpose, key_id from personal_key").fetchall())
    if not path.exists():
        if noted:
            raise PersonalKeysError(
                f"{path}: is missing, and the database's personal data needs its keys;"
                " set LONGMEN_PERSONAL_KEYS to where they are"
            )
        pii.make_key_file(path)
    ids = pii.read_key_ids(path)
    present = {(int(Purpose.WRAPPING), key_id) for key_id in ids.wrapping}
    present |= {(int(Purpose.INDEX), key_id) for key_id in ids.index}
    missing = sorted(key_id for purpose, key_id in noted - present)
    if missing:
        raise PersonalKeysError(
            f"{path}: lacks key {missing[0]}, which the database's personal data needs"
        )
    for purpose, key_id in sorted(present - noted):
        connection.execute(
            "insert into personal_key (purpose, key_id) values (%s, %s)", [purpose, key_id]
        )


def ensure_book_key(connection: psycopg.Connection[Any], path: Path, book: int) -> None:
    """Make the data key of what belongs to a book and to no customer, unless there is one."""
    owner = pii.book_owner(book)
    found = connection.execute(
        "select from customer_key where book = %s and customer_id = %s::uuid", [book, owner.hex()]
    )
    if found.fetchone() is not None:
        return
    clock = SystemClock()
    wrapped, _ = pii.Vault(path, clock.monotonic).new_data_key(book, owner)
    connection.execute(
        "insert into customer_key (book, customer_id, wrapped, wrapping_key, created_at_us)"
        " values (%s, %s::uuid, %s, %s, %s)",
        [book, owner.hex(), wrapped, pii.wrapping_key_of(wrapped), clock.now_us()],
    )
