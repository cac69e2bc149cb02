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


def check_server(dsn: str, *, production: bool = False) -> None:
    """Connect once and refuse a database that is unreachable or unsafe.

    Args:
        dsn: the database, as the role that serves requests.
        production: whether that role may have no power it does not need, and the link to another
            machine has to be encrypted to a server whose name was verified.

    Raises:
        StorageError: no answer, too old, read only, a wrong encoding, or a durability setting off.
    """
    try:
        parameters = complete_dsn(dsn, application_name="longmen check", settings={})
        with psycopg.connect(parameters, autocommit=True) as connection:
            examine(connection)
            if production:
                demand_verified_link(connection)
                demand_little_power(connection)
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


def demand_verified_link(connection: psycopg.Connection) -> None:
    """Refuse a link to another machine that somebody could listen in to, or stand in for.

    Raises:
        StorageError: it is not encrypted, or the server's name is not verified.
    """
    host = connection.info.host
    is_local = host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}
    mode = connection.info.get_parameters().get("sslmode", "prefer")
    if not is_local and mode != "verify-full":
        raise StorageError(
            "production demands sslmode=verify-full of a database on another machine"
        )


def demand_little_power(connection: psycopg.Connection) -> None:
    """Refuse a role that could do more than serve.

    Raises:
        StorageError: the role is a superuser, or could make itself one, or reads past row security.
    """
    row = connection.execute(
        "select rolsuper, rolcreaterole, rolbypassrls, rolreplication"
        " from pg_roles where rolname = current_user"
    ).fetchone()
    assert row is not None
    powers = ("is a superuser", "may create roles", "bypasses row security", "may replicate")
    for has, power in zip(row, powers, strict=True):
        if has:
            raise StorageError(
                f"the database role {connection.info.user} {power}: production serves as a role"
                " with no more than its rights on the tables"
            )


def show(connection: psycopg.Connection, name: str) -> str:
    """The session's value of a setting."""
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def one_line(error: BaseException) -> str:
    """An exception's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
