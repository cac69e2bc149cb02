"""Keep tips apart from the amounts of orders, refunds and settlements.

What was there before has none.
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

COLUMNS = (
    ("merchant_order", "tip", "bigint"),
    ("merchant_order", "tip_refunded", "bigint"),
    ("merchant_order", "tip_mode", "smallint"),
    ("merchant_order", "tip_value", "bigint"),
    ("order_refund", "tip", "bigint"),
    ("merchant_settlement", "tips", "bigint"),
    ("merchant_settlement", "tips_returned", "bigint"),
)


def upgrade() -> None:
    for table, column, kind in COLUMNS:
        op.execute(f"alter table {table} add column {column} {kind} not null default 0")


def downgrade() -> None:
    for table, column, _ in COLUMNS:
        op.execute(f"alter table {table} drop column {column}")
