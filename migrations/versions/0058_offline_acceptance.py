"""Create the table of what is agreed on merchants' sales without a network.

Merchants whose tills have registered keys before go on by the bank's own figures: nobody who sells
is to be stopped by an upgrade. Their rows have version 0, and no event tells of them.
"""

from __future__ import annotations

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLE = "offline_acceptance"
STATEMENTS = (
    """
    create table offline_acceptance (
        day_budget bigint check (day_budget >= 0),
        version bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        loss_bearer smallint not null,
        is_enabled boolean not null,
        merchant_id uuid not null,
        primary key (book, merchant_id)
    )
    """,
    # The bank bears losses, up to its own figure.
    """
    insert into offline_acceptance
        (book, merchant_id, is_enabled, loss_bearer, day_budget, version, changed_at_us)
    select distinct k.book, t.merchant_id, true, 1, null::bigint, 0, 0
    from terminal_key as k
    join merchant_terminal as t on t.book = k.book and t.terminal_id = k.terminal_id
    """,
)


SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""Rows in a page: 0004 says why the planner is told of more than there are."""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        "do $$ begin"
        f" if current_setting('server_version_num')::integer >= {SETTABLE_FROM} then"
        " perform pg_restore_relation_stats('schemaname', 'public', 'relname',"
        f" 'offline_acceptance', 'version', {SETTABLE_FROM}, 'relpages', {PAGES},"
        f" 'reltuples', {ROWS}::real);"
        " perform pg_restore_attribute_stats('schemaname', 'public', 'relname',"
        f" 'offline_acceptance', 'version', {SETTABLE_FROM}, 'attname', 'book',"
        " 'inherited', false, 'null_frac', 0::real, 'avg_width', 2, 'n_distinct', 1::real);"
        " end if; end $$"
    )
    revoked = f"revoke delete, truncate on {TABLE} from {APP_ROLE};"
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop table offline_acceptance")
