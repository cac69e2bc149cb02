"""The schema's version: what this server needs, what a database has, and how one becomes the other.

Migrations are Alembic revisions in migrations/versions, in files that begin with their number. They
run one transaction each, under a lock, so that two servers starting at once do not both migrate.
Most starts find nothing to do; Alembic, half a second of a start, is loaded by those that do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from longmen_server.platform.database import complete_dsn
from longmen_server.platform.server_check import StorageError, one_line

if TYPE_CHECKING:
    from typing import TextIO

__all__ = [
    "LOCK",
    "SchemaError",
    "check_schema",
    "connection_parameters",
    "current_version",
    "known_versions",
    "migrations_folder",
    "needed_version",
    "print_sql",
    "refuse_unknown",
    "upgrade",
]

LOCK: Final = 0x4C4F4E474D454E
"""Advisory lock of migrations: the letters LONGMEN."""

LOCK_TIMEOUT_MS: Final = 5000
"""A migration that cannot get a table's lock in time fails and is tried again, instead of stopping
every payment behind it."""

NUMBER_LENGTH: Final = 4
"""Digits of a revision, with which its file's name begins."""


class SchemaError(Exception):
    """The schema is not what this server needs; the message is one line for the operator."""


def migrations_folder() -> Path:
    """Where the revisions are: inside the installed package, or beside it in the repository."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"


def known_versions() -> frozenset[str]:
    """The revisions this server has."""
    files = (migrations_folder() / "versions").glob("[0-9]*_*.py")
    return frozenset(file.name[:NUMBER_LENGTH] for file in files)


def needed_version() -> str | None:
    """The newest revision this server knows; None while there is none."""
    return max(known_versions(), default=None)


def connection_parameters(dsn: str) -> str:
    """What a connection for migrations is made with."""
    return complete_dsn(
        dsn, application_name="longmen migrate", settings={"lock_timeout": LOCK_TIMEOUT_MS}
    )


def current_version(dsn: str) -> str | None:
    """The revision a database is at; None when it has no schema of ours.

    Raises:
        StorageError: the database cannot be reached.
    """
    try:
        with psycopg.connect(connection_parameters(dsn)) as link:
            found = link.execute("select to_regclass('alembic_version')").fetchone()
            if found is None or found[0] is None:
                return None
            row = link.execute("select version_num from alembic_version").fetchone()
    except psycopg.OperationalError as error:
        raise StorageError(f"cannot reach the database: {one_line(error)}") from error
    return None if row is None else str(row[0])


def check_schema(dsn: str) -> None:
    """Refuse a database whose schema is not exactly the one this server needs.

    Raises:
        SchemaError: older, newer, or unknown.
        StorageError: the database cannot be reached.
    """
    current, needed = current_version(dsn), needed_version()
    if current == needed:
        return
    refuse_unknown(current)
    at = "has no schema yet" if current is None else f"is at schema version {current}"
    raise SchemaError(f"the database {at}; this server needs {needed}: run `longmen migrate`")


def upgrade(dsn: str, *, personal_keys: Path | None = None) -> tuple[str | None, str | None]:
    """Bring a database to the version this server needs.

    Args:
        dsn: the database, as its owner.
        personal_keys: key file of personal data, for the revision that seals what older ones kept
            readable; made when it is not there. Not needed while there are no customers.

    Returns:
        The version before and after.

    Raises:
        SchemaError: the database is newer than this server, or a migration failed.
        StorageError: the database cannot be reached.
    """
    needed, before = needed_version(), current_version(dsn)
    if before == needed:
        return before, needed
    refuse_unknown(before)
    from longmen_server import migrating

    return migrating.upgrade(dsn, personal_keys=personal_keys)


def print_sql(output: TextIO) -> None:
    """Write the whole schema as SQL, for review and for linters."""
    from longmen_server import migrating

    migrating.print_sql(output)


def refuse_unknown(version: str | None) -> None:
    """Refuse a database that a newer server, or another program, has migrated.

    Raises:
        SchemaError: the version is none of ours.
    """
    if version is not None and version not in known_versions():
        raise SchemaError(
            f"the database is at schema version {version}, which this server does not know "
            f"(its newest is {needed_version()}): use a newer server"
        )
