"""Create the tables of what is held for orders and captured; orders keep what was captured."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table order_authorization (
        authorized bigint not null check (authorized > 0),
        over_captured bigint not null check (over_captured >= 0),
        created_at_us bigint not null,
        book smallint not null,
        percent smallint not null,
        legs smallint not null,
        order_id uuid not null,
        primary key (book, order_id)
    ) with (fillfactor = 80)
    """,
    """
    create table order_capture (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        book smallint not null,
        final boolean not null,
        capture_id uuid not null,
        order_id uuid not null,
        transaction_id uuid not null,
        capture_number text not null,
        primary key (book, order_id, capture_id)
    )
    """,
    "create unique index order_capture_number on order_capture (book, order_id, capture_number)",
    # Orders that are no longer authorized, until their holds have been released.
    """
    create table order_release (
        book smallint not null,
        order_id uuid not null,
        primary key (book, order_id)
    )
    """,
    "alter table merchant_order add column captured bigint",
    # A category may let captures go beyond the order's amount, and refunds follow them.
    "alter table merchant_order drop constraint merchant_order_check",
    """
    alter table merchant_order add constraint merchant_order_check
        check (refunded between 0 and greatest(amount, coalesce(captured, 0)))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("order_release", "order_capture", "order_authorization"):
        op.execute(f"drop table {table}")
    op.execute("alter table merchant_order drop constraint merchant_order_check")
    op.execute("alter table merchant_order drop column captured")
    op.execute(
        "alter table merchant_order add constraint merchant_order_check"
        " check (refunded between 0 and amount)"
    )
