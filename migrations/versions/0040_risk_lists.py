"""Create the tables of lists: imports with their rows, and which of them a list is now.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. Rows are kept as they came in, thousands together: workers read lists whole
and never ask for one row.
"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table risk_list_import (
        created_at_us bigint not null,
        committed_at_us bigint,
        kind integer not null,
        state integer not null,
        chunk_count integer not null,
        line_count integer not null,
        entry_count integer not null,
        bad_row_count integer not null,
        book smallint not null,
        list_import_id uuid not null,
        name text not null,
        source text not null,
        as_of_date text not null,
        primary key (book, list_import_id)
    )
    """,
    """
    create table risk_list_chunk (
        chunk_number integer not null,
        entry_count integer not null,
        book smallint not null,
        list_import_id uuid not null,
        content bytea not null,
        primary key (book, list_import_id, chunk_number)
    )
    """,
    """
    create table risk_list (
        committed_at_us bigint not null,
        kind integer not null,
        version integer not null,
        book smallint not null,
        list_import_id uuid not null,
        name text not null,
        primary key (book, name, kind)
    )
    """,
)
RIGHTS = (
    f"revoke update, delete, truncate on risk_list_chunk from {APP_ROLE};",
    f"revoke delete, truncate on risk_list from {APP_ROLE};",
    f"revoke delete, truncate on risk_list_import from {APP_ROLE};",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {' '.join(RIGHTS)} end if; end $$"
    )


def downgrade() -> None:
    for table in ("risk_list", "risk_list_chunk", "risk_list_import"):
        op.execute(f"drop table {table}")
