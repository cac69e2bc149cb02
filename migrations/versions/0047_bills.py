"""Create the tables of billers, bills and linked accounts."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLES = ("biller", "bill_due", "bill_link")

STATEMENTS = (
    """
    create table biller (
        version bigint not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        category smallint not null,
        minimum_length smallint not null,
        maximum_length smallint not null,
        number_check smallint not null,
        state smallint not null,
        digits_only boolean not null,
        biller_id uuid not null,
        merchant_id uuid not null,
        name text not null,
        hint text not null,
        currency_code text not null,
        primary key (book, biller_id)
    )
    """,
    "create index biller_merchant on biller (book, merchant_id, biller_id)",
    """
    create table bill_due (
        amount bigint not null check (amount > 0),
        paid_at_us bigint,
        version bigint not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        due_id uuid not null,
        biller_id uuid not null,
        merchant_id uuid not null,
        order_id uuid,
        payer_account_id uuid,
        bill_number text not null,
        currency_code text not null,
        period text not null,
        due_date text not null,
        last_date text not null,
        description text not null,
        account_index bytea not null,
        account_number bytea not null,
        primary key (book, due_id)
    ) with (fillfactor = 80)
    """,
    "create unique index bill_due_number on bill_due (book, biller_id, bill_number)",
    "create index bill_due_biller on bill_due (book, biller_id, due_id)",
    # What can be paid of an account number; a bill leaves it when it is paid or taken back.
    """
    create index bill_due_open on bill_due (book, account_index, due_date, due_id)
        where state = 1
    """,
    """
    create table bill_link (
        created_at_us bigint not null,
        removed_at_us bigint,
        book smallint not null,
        link_id uuid not null,
        customer_id uuid not null,
        biller_id uuid not null,
        account_index bytea,
        account_number bytea,
        label bytea,
        primary key (book, link_id)
    ) with (fillfactor = 80)
    """,
    """
    create unique index bill_link_account
        on bill_link (book, customer_id, biller_id, account_index) where removed_at_us is null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    revoked = " ".join(f"revoke delete, truncate on {table} from {APP_ROLE};" for table in TABLES)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
