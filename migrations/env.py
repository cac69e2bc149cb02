"""How Alembic runs here: on the connection that `longmen_server.migrate` opens, or as SQL on paper.

The server's own role, when there is one beside the owner, gets the usual rights on every table made
from here on; a migration that makes an append-only table takes UPDATE and DELETE away from it
again.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

APP_ROLE = "longmen_app"
"""The role that serves requests; the owner of the tables is another one."""


def grant_to_server(connection: Connection) -> None:
    """Give the server's role its rights on tables that migrations will make."""
    statement = text(
        "select exists (select from pg_roles where rolname = :r and rolname <> current_user)"
    )
    if connection.execute(statement, {"r": APP_ROLE}).scalar():
        connection.execute(
            text(
                "alter default privileges in schema public "
                f"grant select, insert, update, delete on tables to {APP_ROLE}"
            )
        )


def run_online(connection: Connection) -> None:
    """Run the revisions, each in its own transaction."""
    with connection.begin():
        grant_to_server(connection)
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def run_offline() -> None:
    """Write the revisions as SQL."""
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online(context.config.attributes["connection"])
