"""Create the table of proposals: what one member of staff wants done and another one decides."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table approval (
            created_at_us bigint not null,
            expires_at_us bigint not null,
            decided_at_us bigint,
            book smallint not null,
            state smallint not null,
            approval_id uuid not null,
            method text not null,
            payload bytea not null,
            payload_hash bytea not null,
            changes bytea not null,
            reason_text text not null,
            maker text not null,
            maker_session text,
            maker_device text,
            decider text,
            decision_text text,
            reply bytea,
            primary key (book, approval_id)
        ) with (fillfactor = 80)
        """
    )


def downgrade() -> None:
    op.execute("drop table approval")
