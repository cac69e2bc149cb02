"""Create the tables of devices that show payer codes, of scans, and of what tills are doing.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds.
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A device keeps its number for ever; there is no table of codes, only which of the last three
    # minutes' were used.
    """
    create table payer_code (
        enrolled_at_us bigint not null,
        renewed_at_us bigint not null,
        spent_amount bigint not null check (spent_amount >= 0),
        version bigint not null,
        handle integer not null check (handle between 0 and 99999999),
        spent_count integer not null check (spent_count >= 0),
        wrong_count integer not null check (wrong_count >= 0),
        book smallint not null,
        state smallint not null,
        customer_id uuid not null,
        device_id uuid not null,
        account_id uuid not null,
        last_order_id uuid,
        currency_code text not null,
        secret bytea not null,
        used bytea not null,
        primary key (book, handle)
    ) with (fillfactor = 70)
    """,
    "create unique index payer_code_device on payer_code (book, customer_id, device_id)",
    # The key is a booked time, of which an order has no two.
    """
    create table order_attempt (
        created_at_us bigint not null,
        book smallint not null,
        outcome smallint not null,
        order_id uuid not null,
        account_id uuid,
        reason text not null,
        primary key (book, order_id, created_at_us)
    )
    """,
    """
    create table terminal_state (
        seen_at_us bigint not null,
        book smallint not null,
        terminal_id uuid not null,
        last_order_id uuid,
        software_version text not null,
        primary key (book, terminal_id)
    ) with (fillfactor = 70)
    """,
    """
    create index merchant_terminal_merchant
        on merchant_terminal (book, merchant_id, terminal_id)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index merchant_terminal_merchant")
    for table in ("terminal_state", "order_attempt", "payer_code"):
        op.execute(f"drop table {table}")
