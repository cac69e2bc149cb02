"""Keep what a limit order was approved with: when it is filled, nobody can be asked any more."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table fx_limit_order add column approved smallint not null default 0")


def downgrade() -> None:
    op.execute("alter table fx_limit_order drop column approved")
