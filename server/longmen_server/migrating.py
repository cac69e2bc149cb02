"""Running migrations: what loads Alembic and SQLAlchemy, for starts that have something to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

from longmen_server.migrate import (
    LOCK,
    SchemaError,
    connection_parameters,
    migrations_folder,
    needed_version,
    refuse_unknown,
)
from longmen_server.platform.server_check import StorageError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

__all__ = ["configuration", "connection", "print_sql", "upgrade"]


def configuration(output: TextIO | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config() if output is None else Config(output_buffer=output)
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(dsn: str, *, personal_keys: Path | None) -> tuple[str | None, str | None]:
    """Bring a database to the newest version, unless somebody else has done so meanwhile.

    Arguments, result and errors are those of `migrate.upgrade`.
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


@contextmanager
def connection(dsn: str) -> Iterator[sqlalchemy.Connection]:
    """One connection for Alembic, in no transaction.

    Raises:
        StorageError: the database cannot be reached.
    """
    parameters = connection_parameters(dsn)
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
