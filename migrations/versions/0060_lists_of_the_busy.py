"""Keep indexes for lists to the lists: an order's number is found by the index of numbers alone.

Both begin with the merchant. While most merchants have one order or few, the planner thinks either
as good for finding a number, and by the other one every order of the merchant is read for each: of
a busy merchant that is all there is. An index with a condition serves only queries that state it,
so the lists state one that always holds.
"""

from __future__ import annotations

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

INDEXES = (
    ("merchant_order_merchant", "merchant_order (book, merchant_id, order_id)"),
    ("bill_due_biller", "bill_due (book, biller_id, due_id)"),
)


def upgrade() -> None:
    for name, columns in INDEXES:
        op.execute(f"drop index {name}")
        op.execute(f"create index {name} on {columns} where state > 0")


def downgrade() -> None:
    for name, columns in INDEXES:
        op.execute(f"drop index {name}")
        op.execute(f"create index {name} on {columns}")
