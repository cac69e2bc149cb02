"""Create the table of combined orders, and let orders name the one they are part of.

The same rules as in 0001 hold.
"""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
STATEMENTS = (
    """
    create table combined_order (
        total bigint not null check (total > 0),
        expires_at_us bigint not null,
        created_at_us bigint not null,
        paid_at_us bigint,
        book smallint not null,
        combined_id uuid not null,
        combined_number text not null,
        currency_code text not null,
        description text not null,
        order_ids bytea not null,
        primary key (book, combined_id)
    )
    """,
    "create unique index combined_order_number on combined_order (book, combined_number)",
    "alter table merchant_order add column combined_id uuid",
)

REVOKED = f"revoke delete, truncate on combined_order from {APP_ROLE};"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    op.execute("alter table merchant_order drop column combined_id")
    op.execute("drop table combined_order")
