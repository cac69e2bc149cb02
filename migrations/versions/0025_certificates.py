"""Let credentials be client certificates, known by a name in them."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table api_key add column identity text not null default ''")
    op.execute(
        "create unique index api_key_identity on api_key (book, identity)"
        " where identity <> '' and revoked_at_us is null"
    )


def downgrade() -> None:
    op.execute("drop index api_key_identity")
    op.execute("alter table api_key drop column identity")
