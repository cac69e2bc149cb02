"""Create the table of resets of factors that customers have lost.

A customer has one row, of the latest reset; what became of earlier ones stands in the journal.
"""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table factor_reset (
        approved_at_us bigint not null,
        effective_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        kinds smallint not null,
        evidence smallint not null,
        customer_id uuid not null,
        evidence_reference text not null,
        thumbprint text not null,
        primary key (book, customer_id)
    ) with (fillfactor = 80)
    """,
    """
    create index factor_reset_due on factor_reset (book, effective_at_us) where state = 1
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table factor_reset")
