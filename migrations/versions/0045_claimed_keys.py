"""Let secrets of API keys wait to be claimed by whom two administrators have agreed on."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table api_key add column claim_until_us bigint")


def downgrade() -> None:
    op.execute("alter table api_key drop column claim_until_us")
