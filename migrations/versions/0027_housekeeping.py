"""Let old rows be found that no key puts in the order of their age."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index identity_sending_age on identity_sending (book, sent_at_us)")
    # Challenges that were used are kept for long, and those that were not stand between them.
    op.execute("create index challenge_unused on challenge (book, challenge_id) where state <> 3")


def downgrade() -> None:
    op.execute("drop index challenge_unused")
    op.execute("drop index identity_sending_age")
