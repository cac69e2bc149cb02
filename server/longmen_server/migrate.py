"""The schema's version: what this server needs, what a database has, and how one becomes the other.

Migrations are Alembic revisions in migrations/versions. They run one transaction each, under a
lock, so that two servers starting at once do not both migrate.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from longmen_server.platform.database import complete_dsn
from longmen_server.platform.server_check import StorageError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = [
    "SchemaError",
    "check_schema",
    "current_version",
    "needed_version",
    "print_sql",
    "upgrade",
]

LOCK: Final = 0x4C4F4E474D454E
"""Advisory lock of migrations: the letters LONGMEN."""

LOCK_TIMEOUT_MS: Final = 5000
"""A migration that cannot get a table's lock in time fails and is tried again, instead of stopping
every payment behind it."""


class SchemaError(Exception):
    """The schema is not what this server needs; the message is one line for the operator."""


def migrations_folder() -> Path:
    """Where the revisions are: inside the installed package, or beside it in the repository."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"


def configuration(output: TextIO | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config() if output is None else Config(output_buffer=output)
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def needed_version() -> str | None:
    """The newest revision this server knows; None while there is none."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def is_known(version: str) -> bool:
    """Whether this server has a revision."""
    try:
        return ScriptDirectory.from_config(configuration()).get_revision(version) is not None
    except CommandError:
        return False


def current_version(dsn: str) -> str | None:
    """The revision a database is at; None when it has no schema of ours.

    Raises:
        StorageError: the database cannot be reached.
    """
    with connection(dsn) as link:
        return read_version(link)


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
    needed = needed_version()
    with connection(dsn) as link:
        link.execute(sqlalchemy.text(f"select pg_advisory_lock({LOCK})"))
        link.commit()  # the lock is the session's; Alembic opens a transaction for each revision
        before = read_version(link)
        if before == needed:
            return before, needed
        refuse_unknown(before)
        config = configuration()
        config.attributes["connection"] = link
        config.attributes["personal_keys"] = personal_keys
        try:
            command.upgrade(config, "head")
        except sqlalchemy.exc.DBAPIError as error:
            cause = error.orig or error
            raise SchemaError(f"the migration failed: {one_line(cause)}") from error
        except ValueError as error:
            raise SchemaError(f"the migration failed: {error}") from error
        return before, needed


def print_sql(output: TextIO) -> None:
    """Write the whole schema as SQL, for review and for linters."""
    command.upgrade(configuration(output), "head", sql=True)


def refuse_unknown(version: str | None) -> None:
    """Refuse a database that a newer server, or another program, has migrated."""
    if version is not None and not is_known(version):
        raise SchemaError(
            f"the database is at schema version {version}, which this server does not know "
            f"(its newest is {needed_version()}): use a newer server"
        )


@contextmanager
def connection(dsn: str) -> Iterator[sqlalchemy.Connection]:
    """One connection for Alembic, in no transaction.

    Raises:
        StorageError: the database cannot be reached.
    """
    parameters = complete_dsn(
        dsn, application_name="longmen migrate", settings={"lock_timeout": LOCK_TIMEOUT_MS}
    )
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(parameters),
        poolclass=sqlalchemy.NullPool,
    )
    try:
        link = engine.connect()
    except sqlalchemy.exc.OperationalError as error:
        raise StorageError(f"cannot reach the database: {one_line(error.orig or error)}") from error
    try:
        yield link
    finally:
        link.close()


def read_version(link: sqlalchemy.Connection) -> str | None:
    """The revision in the version table, when there is such a table with one."""
    with link.begin():
        if link.execute(sqlalchemy.text("select to_regclass('alembic_version')")).scalar() is None:
            return None
        version = link.execute(sqlalchemy.text("select version_num from alembic_version")).scalar()
    return None if version is None else str(version)
