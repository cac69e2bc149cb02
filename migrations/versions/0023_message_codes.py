"""Create the table of challenges' codes by message, and let wallets know proven e-mail addresses.

The same rules as in 0001 hold. Codes stand here as keyed digests only.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table challenge_code (
            sent_at_us bigint not null,
            expires_at_us bigint not null,
            book smallint not null,
            channel smallint not null,
            tries smallint not null,
            challenge_id uuid not null,
            customer_id uuid not null,
            digest bytea not null,
            primary key (book, challenge_id)
        ) with (fillfactor = 80)
        """
    )
    op.execute("alter table wallet add column email_proven_at_us bigint")


def downgrade() -> None:
    op.execute("alter table wallet drop column email_proven_at_us")
    op.execute("drop table challenge_code")
