"""Create the tables of identification: classes, their changes, and evidence.

The same rules as in 0001 hold. What evidence says stands here sealed under the customer's own data
key; the numbers of documents are found by blind indexes, which stand in the alias directory, too.
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table kyc_standing (
        since_us bigint not null,
        book smallint not null,
        identification_class smallint not null,
        change_count smallint not null,
        customer_id uuid not null,
        primary key (book, customer_id)
    ) with (fillfactor = 80)
    """,
    # What happened, never changed.
    """
    create table kyc_change (
        changed_at_us bigint not null,
        book smallint not null,
        change_number smallint not null,
        class_before smallint not null,
        class_after smallint not null,
        cause smallint not null,
        customer_id uuid not null,
        rules text not null,
        reason_text bytea,
        primary key (book, customer_id, change_number)
    )
    """,
    """
    create table kyc_evidence (
        submitted_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        category smallint not null,
        kind smallint not null,
        state smallint not null,
        customer_id uuid not null,
        number_index bytea,
        number bytea,
        name bytea,
        birth_date bytea,
        primary key (book, customer_id, category)
    ) with (fillfactor = 80)
    """,
)
TABLES = ("kyc_evidence", "kyc_change", "kyc_standing")

SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""What the planner is told of tables that are joined with a batch of keys; 0004 says why."""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    body = " ".join(_tell(table) for table in TABLES)
    op.execute(
        "do $$ begin"
        f" if current_setting('server_version_num')::integer >= {SETTABLE_FROM}"
        f" then {body} end if; end $$"
    )
    op.execute(
        "do $$ begin if exists (select from pg_roles where rolname = 'longmen_app')"
        " then revoke update, delete, truncate on kyc_change from longmen_app; end if; end $$"
    )


def _tell(table: str) -> str:
    about = f"'schemaname', 'public', 'relname', '{table}', 'version', {SETTABLE_FROM}"
    return (
        f"perform pg_restore_relation_stats({about}, 'relpages', {PAGES},"
        f" 'reltuples', {ROWS}::real);"
        f" perform pg_restore_attribute_stats({about}, 'attname', 'book', 'inherited', false,"
        f" 'null_frac', 0::real, 'avg_width', 2, 'n_distinct', 1::real);"
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
