"""Create the table of promotions, and keep with quotes what one took off.

A promotion is changed as it is spent or ended, and never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_promotion (
        from_us bigint not null,
        until_us bigint not null,
        budget bigint not null check (budget > 0),
        used bigint not null check (used between 0 and budget),
        created_at_us bigint not null,
        ended_at_us bigint,
        book smallint not null,
        discount_basis_points smallint not null check (discount_basis_points between 1 and 10000),
        promotion_id uuid not null,
        name text not null,
        tier text not null,
        currencies text not null,
        primary key (book, promotion_id)
    ) with (fillfactor = 80)
    """,
    "create index fx_promotion_until on fx_promotion (book, until_us)",
    """
    alter table fx_quote
        add column discount bigint not null default 0 check (discount >= 0),
        add column undiscounted_basis_points integer not null default 0,
        add column promotion_id uuid
    """,
    """
    create index fx_quote_promotion on fx_quote (book, promotion_id)
        where promotion_id is not null
    """,
)
REVOKED = f"revoke delete, truncate on fx_promotion from {APP_ROLE};"
SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""Rows in a page: 0004 says why the planner is told of more than there are."""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        "do $$ begin"
        f" if current_setting('server_version_num')::integer >= {SETTABLE_FROM} then"
        " perform pg_restore_relation_stats('schemaname', 'public', 'relname', 'fx_promotion',"
        f" 'version', {SETTABLE_FROM}, 'relpages', {PAGES}, 'reltuples', {ROWS}::real);"
        " perform pg_restore_attribute_stats('schemaname', 'public', 'relname', 'fx_promotion',"
        f" 'version', {SETTABLE_FROM}, 'attname', 'book', 'inherited', false,"
        " 'null_frac', 0::real, 'avg_width', 2, 'n_distinct', 1::real);"
        " end if; end $$"
    )
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop index fx_quote_promotion")
    op.execute(
        "alter table fx_quote drop column discount, drop column undiscounted_basis_points,"
        " drop column promotion_id"
    )
    op.execute("drop table fx_promotion")
