"""What we demand of a Postgres before any money is kept in it."""

from __future__ import annotations

from typing import Final

import psycopg

from longmen_server.platform.database import complete_dsn

__all__ = ["DEMANDED_ON", "VERSION_MINIMUM", "StorageError", "check_server"]

DEMANDED_ON: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings without which an acknowledged payment can be lost in a crash."""

VERSION_MINIMUM: Final = 15
"""Oldest major version whose SQL the schema uses."""


class StorageError(Exception):
    """The database cannot be used; the message is one line for the operator."""


def check_server(dsn: str) -> None:
    """Connect once and refuse a database that is unreachable or unsafe.

    Raises:
        StorageError: no answer, too old, read only, a wrong encoding, or a durability setting off.
    """
    try:
        parameters = complete_dsn(dsn, application_name="longmen check", settings={})
        with psycopg.connect(parameters, autocommit=True) as connection:
            examine(connection)
    except psycopg.OperationalError as error:
        raise StorageError(f"cannot reach the database: {one_line(error)}") from error
    except psycopg.ProgrammingError as error:
        # libpq quotes the text it could not parse, which may hold a password.
        raise StorageError("LONGMEN_DSN is not a connection string or URL of libpq") from error


def examine(connection: psycopg.Connection) -> None:
    """The demands, on an open connection."""
    version = connection.info.server_version // 10_000
    if version < VERSION_MINIMUM:
        raise StorageError(
            f"the database is Postgres {version}; {VERSION_MINIMUM} or newer is needed"
        )
    for name in DEMANDED_ON:
        if show(connection, name) == "off":
            raise StorageError(
                f"the database has {name} = off: it could lose acknowledged payments"
            )
    if show(connection, "server_encoding") != "UTF8":
        raise StorageError("the database's encoding is not UTF8")
    row = connection.execute("select pg_is_in_recovery()").fetchone()
    if row is not None and row[0]:
        raise StorageError("the database is a read-only standby: name its primary")


def show(connection: psycopg.Connection, name: str) -> str:
    """The session's value of a setting."""
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def one_line(error: BaseException) -> str:
    """An exception's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
