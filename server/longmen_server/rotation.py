"""Changing the key that wraps customers' data keys, while servers run.

A fresh key comes into the key file, then every data key is wrapped anew, some hundreds at a time.
Servers look at the file every second and keep the keys before, so each of them opens everything at
any time. Whatever stops a rotation, the next one goes on: what is left is told by the rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import psycopg

from longmen_server.personal_keys import LOCK, PersonalKeysError, Purpose
from longmen_server.platform import pii
from longmen_server.platform.database import complete_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PORTION", "Rotated", "destroy_old_keys", "prepare_key", "rotate"]

PORTION: Final = 500
"""Data keys wrapped anew in one transaction: 3 ms of computing, so nobody waits for its locks."""

SETTLE_SECONDS: Final = 2 * pii.LOOK_SECONDS
"""After this, no server that runs wraps by the key before any more."""

_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_LEFT: Final = "select count(*) from customer_key where wrapping_key <> %s"
_BOOKS: Final = "select distinct book from customer_key order by 1"
_PORTION: Final = (
    "select customer_id, wrapped from customer_key"
    " where book = %s and customer_id > %s and wrapping_key <> %s order by customer_id limit %s"
)
# A customer who is erased meanwhile has no row left, and gets none.
_REWRAP: Final = (
    "update customer_key as k set wrapped = u.n, wrapping_key = %s"
    " from unnest(%s::uuid[], %s::bytea[], %s::bytea[]) as u (c, o, n)"
    " where k.book = %s and k.customer_id = u.c and k.wrapped = u.o"
)


class OnProgress(Protocol):
    """What is told of how far a rotation is."""

    def __call__(self, done: int, total: int) -> None:
        """So many data keys of so many are wrapped by the current key."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    key_id: int
    """The key that wraps now."""
    count: int
    """Data keys that were wrapped anew."""
    resumed: bool
    """Whether it only went on with an earlier one."""


def prepare_key(dsn: str, path: Path) -> int:
    """Put a fresh key into the file that is not used yet, to be copied to the other machines first.

    Returns:
        The key's id.

    Raises:
        KeyFileError: the file cannot be used.
        psycopg.OperationalError: the database cannot be reached.
    """
    with _connection(dsn) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        key_id = pii.add_wrapping_key(path)
        _note(connection, key_id)
    return key_id


def rotate(dsn: str, path: Path, *, on_progress: OnProgress) -> Rotated:
    """Wrap every data key by a fresh key, or go on where an earlier rotation was stopped.

    Raises:
        KeyFileError: the file cannot be used.
        SealBrokenError: a data key does not open; nothing of its portion was changed.
        psycopg.OperationalError: the database cannot be reached.
    """
    with _connection(dsn) as connection:
        resumed = _left(connection, pii.read_key_ids(path).wrapping[0]) > 0
        if not resumed:
            _take_fresh_key(dsn, path)
        began = time.monotonic()
        vault = pii.Vault(path, time.monotonic)
        key_id = vault.wrapping_key
        total, done = _left(connection, key_id), 0
        on_progress(0, total)
        while True:
            last = time.monotonic() - began > SETTLE_SECONDS
            for (book,) in connection.execute(_BOOKS).fetchall():
                for count in _rewrap_book(connection, vault, book, key_id):
                    done += count
                    total = max(total, done)
                    on_progress(done, total)
            if last:
                return Rotated(key_id, done, resumed)
            # New customers may still come wrapped by the key before: look again until none can.
            time.sleep(pii.LOOK_SECONDS / 4)


def destroy_old_keys(dsn: str, path: Path) -> tuple[int, ...]:
    """Destroy the keys in the file that wrap nothing any more; return their ids.

    Raises:
        PersonalKeysError: they still wrap data keys.
        KeyFileError: the file cannot be used.
        psycopg.OperationalError: the database cannot be reached.
    """
    with _connection(dsn) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        left = _left(connection, pii.read_key_ids(path).wrapping[0])
        if left:
            raise PersonalKeysError(
                f"{left} data keys are still wrapped by older keys: run `longmen keys rotate-pii`"
            )
        old = list(pii.read_key_ids(path).wrapping[1:])
        connection.execute(
            "delete from personal_key where purpose = %s and key_id = any(%s)",
            [int(Purpose.WRAPPING), old],
        )
        return pii.drop_wrapping_keys(path)


def _take_fresh_key(dsn: str, path: Path) -> None:
    """Let a key wrap that was prepared before, or a new one."""
    if not pii.has_prepared_key(path):
        prepare_key(dsn, path)
    pii.use_newest_wrapping_key(path)


def _rewrap_book(
    connection: psycopg.Connection[Any], vault: pii.Vault, book: int, key_id: int
) -> Iterator[int]:
    """Wrap a book's data keys anew; yield the number of each portion once it is committed."""
    after: Any = _FIRST
    while True:
        with connection.transaction():
            rows = connection.execute(_PORTION, [book, after, key_id, PORTION]).fetchall()
            if not rows:
                return
            owners = [owner for owner, _ in rows]
            old = [bytes(wrapped) for _, wrapped in rows]
            new = [
                vault.rewrap(book, owner.bytes, wrapped)
                for owner, wrapped in zip(owners, old, strict=True)
            ]
            connection.execute(_REWRAP, [key_id, owners, old, new, book])
        after = owners[-1]
        yield len(rows)


def _left(connection: psycopg.Connection[Any], key_id: int) -> int:
    row = connection.execute(_LEFT, [key_id]).fetchone()
    return 0 if row is None else int(row[0])


def _note(connection: psycopg.Connection[Any], key_id: int) -> None:
    connection.execute(
        "insert into personal_key (purpose, key_id) values (%s, %s)",
        [int(Purpose.WRAPPING), key_id],
    )


def _connection(dsn: str) -> psycopg.Connection[Any]:
    parameters = complete_dsn(dsn, application_name="longmen keys", settings={})
    return psycopg.connect(parameters, autocommit=True)
