"""Create the tables of screening, and let a case be about a customer and no movement.

Every name in a document that is on file waits to be looked up from now on: version 0 is older than
any list. Rows of erased customers are deleted, so the role that serves may do that.
"""

from __future__ import annotations

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""Rows in a page: 0004 says why the planner is told of more than there are."""
TABLES = ("name_screening", "name_match")

STATEMENTS = (
    """
    create table name_screening (
        lists_version bigint not null,
        screened_at_us bigint not null,
        book smallint not null,
        customer_id uuid not null,
        open_case_id uuid,
        confirmed_case_id uuid,
        primary key (book, customer_id)
    ) with (fillfactor = 80)
    """,
    "create index name_screening_due on name_screening (book, lists_version, customer_id)",
    """
    create table name_match (
        found_at_us bigint not null,
        book smallint not null,
        likeness smallint not null,
        customer_id uuid not null,
        match_id uuid not null,
        case_id uuid not null,
        list_name text not null,
        entry text not null,
        label text not null,
        primary key (book, customer_id, match_id)
    )
    """,
    "create index name_match_case on name_match (book, case_id)",
    "alter table risk_case alter column decision_id drop not null",
    # Category 2 is the identity document.
    """
    insert into name_screening (book, customer_id, lists_version, screened_at_us)
    select book, customer_id, 0, 0 from kyc_evidence where category = 2 and name is not null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    names = ", ".join(f"'{name}'" for name in TABLES)
    op.execute(
        "do $$ declare name text; begin"
        f" if current_setting('server_version_num')::integer >= {SETTABLE_FROM} then"
        f" foreach name in array array[{names}] loop"
        " perform pg_restore_relation_stats('schemaname', 'public', 'relname', name,"
        f" 'version', {SETTABLE_FROM}, 'relpages', {PAGES}, 'reltuples', {ROWS}::real);"
        " perform pg_restore_attribute_stats('schemaname', 'public', 'relname', name,"
        f" 'version', {SETTABLE_FROM}, 'attname', 'book', 'inherited', false,"
        " 'null_frac', 0::real, 'avg_width', 2, 'n_distinct', 1::real);"
        " end loop; end if; end $$"
    )


def downgrade() -> None:
    op.execute("delete from risk_case where decision_id is null")
    op.execute("alter table risk_case alter column decision_id set not null")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
