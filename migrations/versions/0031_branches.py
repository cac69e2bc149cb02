"""Create the table of customers' branches."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table customer_branch (
            changed_at_us bigint not null,
            book smallint not null,
            customer_id uuid not null,
            branch text not null,
            primary key (book, customer_id)
        ) with (fillfactor = 80)
        """
    )


def downgrade() -> None:
    op.execute("drop table customer_branch")
