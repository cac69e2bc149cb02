"""Create the tables of alerts and limit orders.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. Neither alerts nor orders are ever deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_rate_alert (
        created_at_us bigint not null,
        expires_at_us bigint not null,
        told_at_us bigint,
        book smallint not null,
        state smallint not null,
        direction smallint not null,
        alert_id uuid not null,
        customer_id uuid not null,
        source_currency text not null,
        target_currency text not null,
        rate text not null,
        told_rate text,
        primary key (book, alert_id)
    ) with (fillfactor = 80)
    """,
    "create index fx_rate_alert_customer on fx_rate_alert (book, customer_id, alert_id)",
    "create index fx_rate_alert_waiting on fx_rate_alert (book, alert_id) where state = 1",
    """
    create table fx_limit_order (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        expires_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        limit_order_id uuid not null,
        customer_id uuid,
        from_account_id uuid not null,
        to_account_id uuid not null,
        conversion_id uuid,
        source_currency text not null,
        target_currency text not null,
        rate text not null,
        primary key (book, limit_order_id)
    ) with (fillfactor = 80)
    """,
    "create index fx_limit_order_customer on fx_limit_order (book, customer_id, limit_order_id)",
    "create index fx_limit_order_open on fx_limit_order (book, from_account_id) where state = 1",
    "create index fx_limit_order_due on fx_limit_order (book, expires_at_us) where state = 1",
)
REVOKED = f"revoke delete, truncate on fx_limit_order, fx_rate_alert from {APP_ROLE};"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    for table in ("fx_limit_order", "fx_rate_alert"):
        op.execute(f"drop table {table}")
