"""Create the queue of messages to customers.

The same rules as in 0001 hold. The content is sealed, and is deleted when the message is settled.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table message_outbox (
        created_at_us bigint not null,
        due_at_us bigint not null,
        expires_at_us bigint not null,
        settled_at_us bigint,
        book smallint not null,
        channel smallint not null,
        state smallint not null,
        attempts smallint not null,
        message_id uuid not null,
        kind text not null,
        failure text,
        sealed bytea,
        primary key (book, message_id)
    ) with (fillfactor = 80)
    """,
    """
    create index message_outbox_due on message_outbox (book, due_at_us, message_id)
        where state = 1
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table message_outbox")
