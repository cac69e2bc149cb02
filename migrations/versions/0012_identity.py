"""Create the tables of verifications, devices and sessions.

The same rules as in 0001 hold. Phone numbers and codes stand here as keyed digests only, refresh
tokens as plain ones, which 256 random bits can bear.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table identity_verification (
        created_at_us bigint not null,
        expires_at_us bigint not null,
        book smallint not null,
        purpose smallint not null,
        attempts smallint not null,
        used boolean not null,
        verification_id uuid not null,
        customer_id uuid,
        device_id uuid,
        phone_index bytea not null,
        code_digest bytea not null,
        nonce bytea not null,
        primary key (book, verification_id)
    ) with (fillfactor = 80)
    """,
    # What was sent to a phone number: one row for each purpose, so that it is also the lock.
    """
    create table identity_sending (
        sent_at_us bigint not null,
        day_began_us bigint not null,
        book smallint not null,
        purpose smallint not null,
        sends smallint not null,
        verification_id uuid not null,
        phone_index bytea not null,
        primary key (book, purpose, phone_index)
    ) with (fillfactor = 80)
    """,
    """
    create table identity_customer (
        sessions_void_at_us bigint not null,
        book smallint not null,
        customer_id uuid not null,
        primary key (book, customer_id)
    ) with (fillfactor = 80)
    """,
    """
    create table identity_device (
        enrolled_at_us bigint not null,
        cooling_until_us bigint not null,
        revoked_at_us bigint,
        book smallint not null,
        algorithm smallint not null,
        state smallint not null,
        device_id uuid not null,
        customer_id uuid not null,
        thumbprint text not null,
        name text not null,
        public_key bytea not null,
        primary key (book, device_id)
    )
    """,
    """
    create unique index identity_device_key on identity_device (book, customer_id, thumbprint)
        where state = 1
    """,
    "create index identity_device_customer on identity_device (book, customer_id, device_id)",
    """
    create table identity_session (
        created_at_us bigint not null,
        seen_at_us bigint not null,
        ends_at_us bigint not null,
        ended_at_us bigint,
        book smallint not null,
        end_cause smallint not null,
        session_id uuid not null,
        customer_id uuid not null,
        device_id uuid not null,
        family_digest bytea not null,
        refresh_digest bytea not null,
        primary key (book, session_id)
    ) with (fillfactor = 70)
    """,
    """
    create index identity_session_customer on identity_session (book, customer_id, session_id)
        where ended_at_us is null
    """,
    """
    create index identity_session_ended on identity_session (book, ended_at_us)
        where ended_at_us is not null
    """,
)

TABLES = (
    "identity_session",
    "identity_device",
    "identity_customer",
    "identity_sending",
    "identity_verification",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
