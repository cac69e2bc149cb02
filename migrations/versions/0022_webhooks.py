"""Create the tables of webhooks: endpoints, deliveries, and how far the journal was read."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table webhook_endpoint (
        previous_until_us bigint,
        created_at_us bigint not null,
        failing_since_us bigint,
        resume_at_us bigint not null,
        failures integer not null,
        book smallint not null,
        state smallint not null,
        endpoint_id uuid not null,
        merchant_id uuid not null,
        url text not null,
        types text not null,
        secret bytea not null,
        previous_secret bytea,
        notice_address bytea,
        primary key (book, endpoint_id)
    ) with (fillfactor = 80)
    """,
    """
    create index webhook_endpoint_merchant
        on webhook_endpoint (book, merchant_id, endpoint_id)
    """,
    "create index webhook_endpoint_due on webhook_endpoint (book, resume_at_us) where state = 1",
    """
    create table webhook_delivery (
        sequence bigint not null,
        due_at_us bigint not null,
        created_at_us bigint not null,
        settled_at_us bigint,
        attempts integer not null,
        last_status integer not null,
        book smallint not null,
        state smallint not null,
        delivery_id uuid not null,
        endpoint_id uuid not null,
        merchant_id uuid not null,
        event_id text not null,
        kind text not null,
        subject_id text not null,
        last_failure text not null,
        body text not null,
        primary key (book, delivery_id)
    ) with (fillfactor = 80)
    """,
    # An event goes to an endpoint once, however often the journal is read.
    """
    create unique index webhook_delivery_event on webhook_delivery (book, endpoint_id, event_id)
    """,
    """
    create index webhook_delivery_merchant on webhook_delivery (book, merchant_id, delivery_id)
    """,
    """
    create index webhook_delivery_due on webhook_delivery (book, endpoint_id, due_at_us)
        where state = 1
    """,
    """
    create index webhook_delivery_late on webhook_delivery (book, created_at_us) where state = 1
    """,
    """
    create table webhook_cursor (
        sequence bigint not null,
        book smallint not null,
        writer smallint not null,
        primary key (book, writer)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("webhook_cursor", "webhook_delivery", "webhook_endpoint"):
        op.execute(f"drop table {table}")
