"""Let devices remember what they have sent while they cooled, and when their sign-in was told."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table identity_device
            add column cooling_used integer not null default 0 check (cooling_used >= 0),
            add column told_at_us bigint not null default 0
        """
    )


def downgrade() -> None:
    op.execute("alter table identity_device drop column cooling_used, drop column told_at_us")
