"""Create the tables of cases."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table risk_case (
        amount bigint not null,
        decided_at_us bigint not null,
        opened_at_us bigint not null,
        changed_at_us bigint not null,
        closed_at_us bigint,
        notes integer not null,
        book smallint not null,
        state smallint not null,
        cause smallint not null,
        verdict smallint not null,
        outcome smallint not null,
        is_appealed boolean not null,
        case_id uuid not null,
        decision_id uuid not null,
        customer_id uuid,
        payee_party uuid,
        terminal_id uuid,
        reason text not null,
        assignee text not null,
        closed_by text not null,
        reason_text text not null,
        primary key (book, case_id)
    )
    """,
    "create index risk_case_queue on risk_case (book, state, opened_at_us, case_id)",
    "create index risk_case_customer on risk_case (book, customer_id, case_id)",
    """
    create table risk_case_note (
        written_at_us bigint not null,
        number integer not null,
        book smallint not null,
        case_id uuid not null,
        author text not null,
        text text not null,
        evidence_reference text not null,
        evidence_sha256 bytea not null,
        primary key (book, case_id, number)
    )
    """,
    # Texts are emptied when their customer is erased; nothing is deleted.
    """
    do $$ begin if exists (select from pg_roles where rolname = 'longmen_app') then
        revoke delete, truncate on risk_case, risk_case_note from longmen_app;
    end if; end $$
    """,
)
TABLES = ("risk_case_note", "risk_case")


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
