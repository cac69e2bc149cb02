"""Create the table of cashiers' shifts.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds.
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table merchant_shift (
        opened_at_us bigint not null,
        closed_at_us bigint check (closed_at_us >= opened_at_us),
        book smallint not null,
        shift_id uuid not null,
        merchant_id uuid not null,
        terminal_id uuid not null,
        cashier_label text not null,
        primary key (book, shift_id)
    )
    """,
    # One open at a till: two that are opened at once meet here.
    """
    create unique index merchant_shift_open on merchant_shift (book, terminal_id)
        where closed_at_us is null
    """,
    "create index merchant_shift_merchant on merchant_shift (book, merchant_id, shift_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table merchant_shift")
