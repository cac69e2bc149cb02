"""Create the tables of stores and cashiers; tills, shifts and refunds say where they are.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. Orders say nothing of stores: what is counted for one is what its tills sold
while they stood there, which ``terminal_place`` keeps.
"""

from __future__ import annotations

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLES = ("merchant_store", "merchant_cashier", "terminal_place")
STATEMENTS = (
    """
    create table merchant_store (
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        store_id uuid not null,
        merchant_id uuid not null,
        number text not null,
        name text not null,
        address text not null,
        city text not null,
        primary key (book, store_id)
    )
    """,
    "create unique index merchant_store_number on merchant_store (book, merchant_id, number)",
    "create index merchant_store_merchant on merchant_store (book, merchant_id, store_id)",
    """
    create table merchant_cashier (
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        cashier_id uuid not null,
        merchant_id uuid not null,
        number text not null,
        name text not null,
        primary key (book, cashier_id)
    )
    """,
    "create unique index merchant_cashier_number on merchant_cashier (book, merchant_id, number)",
    "create index merchant_cashier_merchant on merchant_cashier (book, merchant_id, cashier_id)",
    """
    create table terminal_place (
        placed_at_us bigint not null,
        book smallint not null,
        terminal_id uuid not null,
        store_id uuid,
        primary key (book, terminal_id, placed_at_us)
    )
    """,
    "alter table terminal_state add column store_id uuid",
    "alter table terminal_state add column store_closed boolean not null default false",
    # Sales change neither column, so their updates stay in the page.
    """
    create index terminal_state_store on terminal_state (book, store_id)
        where store_id is not null
    """,
    "alter table merchant_shift add column cashier_id uuid",
    "alter table merchant_shift add column store_id uuid",
    "alter table order_refund add column terminal_id uuid",
    "alter table order_refund add column business_date text",
    """
    create index order_refund_terminal on order_refund (book, terminal_id, business_date)
        where terminal_id is not null
    """,
    "create index merchant_shift_terminal on merchant_shift (book, terminal_id, opened_at_us)",
)

SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""Rows in a page: 0004 says why the planner is told of more than there are."""


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
    revoked = " ".join(f"revoke delete, truncate on {t} from {APP_ROLE};" for t in TABLES)
    revoked += f" revoke update on terminal_place from {APP_ROLE};"
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop index order_refund_terminal")
    op.execute("alter table order_refund drop column business_date, drop column terminal_id")
    op.execute("drop index merchant_shift_terminal")
    op.execute("alter table merchant_shift drop column store_id, drop column cashier_id")
    op.execute("drop index terminal_state_store")
    op.execute("alter table terminal_state drop column store_closed, drop column store_id")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
