"""Create the tables of merchants' orders, tills' references and refunds.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table merchant_order (
        amount bigint not null check (amount >= 0),
        refunded bigint not null check (refunded between 0 and amount),
        expires_at_us bigint not null,
        paid_at_us bigint,
        version bigint not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        trace_number integer,
        book smallint not null,
        state smallint not null,
        order_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        terminal_id uuid,
        payer_account_id uuid,
        transaction_id uuid,
        order_number text not null,
        currency_code text not null,
        description text not null,
        business_date text,
        primary key (book, order_id)
    ) with (fillfactor = 80)
    """,
    # A merchant's own number, unique for ever.
    """
    create unique index merchant_order_number on merchant_order (book, merchant_id, order_number)
    """,
    "create index merchant_order_merchant on merchant_order (book, merchant_id, order_id)",
    """
    create index merchant_order_due on merchant_order (book, expires_at_us) where state <= 5
    """,
    # What became of a till's reference first: a sale, or a reversal that came before it. The key
    # lets a sale and its reversal that race meet.
    """
    create table terminal_reference (
        created_at_us bigint not null,
        trace_number integer not null,
        book smallint not null,
        terminal_id uuid not null,
        order_id uuid,
        business_date text not null,
        primary key (book, terminal_id, business_date, trace_number)
    )
    """,
    """
    create table order_refund (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        book smallint not null,
        refund_id uuid not null,
        order_id uuid not null,
        transaction_id uuid not null,
        refund_number text not null,
        currency_code text not null,
        reason_text text not null,
        primary key (book, order_id, refund_id)
    )
    """,
    "create unique index order_refund_number on order_refund (book, order_id, refund_number)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("order_refund", "terminal_reference", "merchant_order"):
        op.execute(f"drop table {table}")
