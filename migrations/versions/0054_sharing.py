"""Create the tables of sharing: receivers, what is held of orders, shares and what came back."""

from __future__ import annotations

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLES = ("sharing_receiver", "order_sharing", "order_share", "order_share_return")
STATEMENTS = (
    """
    create table sharing_receiver (
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        merchant_id uuid not null,
        receiver_id uuid not null,
        primary key (book, merchant_id, receiver_id)
    )
    """,
    """
    create table order_sharing (
        held bigint not null check (held > 0),
        shared bigint not null check (shared >= 0),
        returned bigint not null check (returned between 0 and shared),
        released bigint not null check (released >= 0 and shared + released <= held),
        ends_at_us bigint not null,
        version bigint not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        share_count integer not null,
        cap_percent integer not null,
        book smallint not null,
        state smallint not null,
        order_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        currency_code text not null,
        primary key (book, order_id)
    )
    """,
    "create index order_sharing_open on order_sharing (book, ends_at_us, order_id) where state = 1",
    """
    create table order_share (
        amount bigint not null check (amount > 0),
        returned bigint not null check (returned between 0 and amount),
        created_at_us bigint not null,
        book smallint not null,
        order_id uuid not null,
        receiver_id uuid not null,
        receiver_account_id uuid not null,
        transaction_id uuid not null,
        share_number text not null,
        description text not null,
        primary key (book, order_id, share_number)
    )
    """,
    """
    create table order_share_return (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        book smallint not null,
        in_proportion boolean not null,
        order_id uuid not null,
        transaction_id uuid not null,
        return_number text not null,
        share_number text not null,
        primary key (book, order_id, return_number)
    )
    """,
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
    revoked += f" revoke update on order_share_return from {APP_ROLE};"
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
