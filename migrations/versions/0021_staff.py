"""Create the tables of staff, and let proposals know the persons behind accounts.

The same rules as in 0001 hold. Secrets of enrolments stand here as digests of 256 random bits.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table staff_account (
        enrol_until_us bigint not null,
        created_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        roles smallint not null,
        state smallint not null,
        staff_id uuid not null,
        login text not null,
        person text not null,
        branch text not null,
        enrolment bytea not null,
        primary key (book, staff_id)
    ) with (fillfactor = 80)
    """,
    "create unique index staff_account_login on staff_account (book, login)",
    """
    create table staff_sign_in (
        created_at_us bigint not null,
        expires_at_us bigint not null,
        book smallint not null,
        used boolean not null,
        sign_in_id uuid not null,
        staff_id uuid,
        nonce bytea not null,
        primary key (book, sign_in_id)
    ) with (fillfactor = 80)
    """,
    """
    create table staff_session (
        created_at_us bigint not null,
        seen_at_us bigint not null,
        ends_at_us bigint not null,
        ended_at_us bigint,
        book smallint not null,
        end_cause smallint not null,
        session_id uuid not null,
        staff_id uuid not null,
        device_id uuid not null,
        thumbprint text not null,
        primary key (book, session_id)
    ) with (fillfactor = 70)
    """,
    "create index staff_session_account on staff_session (book, staff_id, thumbprint)",
    """
    create index staff_session_ended on staff_session (book, ended_at_us)
        where ended_at_us is not null
    """,
    # Proposals from before have no persons: their makers are told apart by account alone.
    "alter table approval add column maker_person text not null default ''",
    "alter table approval add column decider_person text",
)

TABLES = ("staff_session", "staff_sign_in", "staff_account")


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table approval drop column decider_person")
    op.execute("alter table approval drop column maker_person")
    for table in TABLES:
        op.execute(f"drop table {table}")
