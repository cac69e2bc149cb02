"""Let what is kept of a customer beside the wallet be found when the customer is erased."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UP = (
    # Messages written before have none; they are delivered or given up within days.
    "alter table message_outbox add column recipient_index bytea",
    """
    create index message_outbox_recipient on message_outbox (book, recipient_index)
        where state = 1
    """,
    "create index identity_verification_phone on identity_verification (book, phone_index)",
    "create index challenge_customer on challenge (book, customer_id)",
    "create index identity_session_owner on identity_session (book, customer_id, session_id)",
)
DOWN = (
    "drop index identity_session_owner",
    "drop index challenge_customer",
    "drop index identity_verification_phone",
    "drop index message_outbox_recipient",
    "alter table message_outbox drop column recipient_index",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
