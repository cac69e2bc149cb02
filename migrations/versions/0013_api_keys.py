"""Create the tables of API keys and of the nonces of signed calls."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table api_key (
        created_at_us bigint not null,
        expires_at_us bigint not null,
        revoked_at_us bigint,
        book smallint not null,
        owner_kind smallint not null,
        slot smallint not null check (slot in (1, 2)),
        key_id uuid not null,
        owner text not null,
        label text not null,
        scopes text not null,
        networks text not null,
        secret_hash bytea not null,
        public_key bytea,
        primary key (book, key_id)
    ) with (fillfactor = 80)
    """,
    # An owner has one key in each slot, whichever writers make them.
    """
    create unique index api_key_slot on api_key (book, owner_kind, owner, slot)
        where revoked_at_us is null
    """,
    """
    create table signature_nonce (
        expires_at_us bigint not null,
        book smallint not null,
        nonce_key uuid not null,
        primary key (book, nonce_key)
    )
    """,
    "create index signature_nonce_expiry on signature_nonce (book, expires_at_us)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table signature_nonce")
    op.execute("drop table api_key")
