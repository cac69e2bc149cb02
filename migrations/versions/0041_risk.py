"""Create the tables of risk."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
STATEMENTS = (
    """
    create table risk_subject (
        seen_at_us bigint not null,
        book smallint not null,
        kind smallint not null,
        frozen smallint not null check (frozen between 0 and 3),
        subject uuid not null,
        freeze_id uuid,
        state bytea not null,
        primary key (book, kind, subject)
    ) with (fillfactor = 80)
    """,
    "create index risk_subject_seen on risk_subject (book, seen_at_us)",
    """
    create table risk_decision (
        rules_version bigint not null,
        card_version bigint not null,
        decided_at_us bigint not null,
        amount bigint not null,
        strength integer not null,
        latency_us integer not null,
        book smallint not null,
        kind smallint not null,
        outcome smallint not null,
        target smallint not null,
        tried_outcome smallint not null,
        is_made boolean not null,
        decision_id uuid not null,
        transaction_id uuid not null,
        payer_id uuid,
        payee_id uuid,
        party uuid,
        payee_party uuid,
        terminal_id uuid,
        reason text not null,
        rules_digest bytea not null,
        card_digest bytea not null,
        snapshot bytea not null,
        primary key (book, decision_id)
    )
    """,
    "create index risk_decision_party on risk_decision (book, party, decision_id)",
    """
    create table risk_freeze (
        placed_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        party_kind smallint not null,
        state smallint not null,
        scope smallint not null check (scope between 1 and 3),
        account_state smallint not null,
        by_decision boolean not null,
        revocable boolean not null,
        freeze_id uuid not null,
        party uuid not null,
        account_id uuid,
        reason text not null,
        placed_by text not null,
        lifted_by text not null,
        reason_text text not null,
        primary key (book, freeze_id)
    )
    """,
    "create index risk_freeze_party on risk_freeze (book, party, freeze_id)",
    "create unique index risk_freeze_active on risk_freeze (book, party) where state = 1",
    """
    create table risk_hold (
        created_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        transaction_id uuid not null,
        decision_id uuid not null,
        primary key (book, transaction_id)
    )
    """,
    """
    create table risk_notice (
        created_at_us bigint not null,
        book smallint not null,
        kind smallint not null,
        done boolean not null,
        decision_id uuid not null,
        customer_id uuid not null,
        primary key (book, decision_id, kind)
    )
    """,
    "create index risk_notice_waiting on risk_notice (book, created_at_us) where not done",
)
TABLES = ("risk_notice", "risk_hold", "risk_freeze", "risk_decision", "risk_subject")


WRITTEN_ONCE = "risk_decision"
KEPT = "risk_freeze, risk_hold"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    _where_the_role_is(
        f"revoke update, delete, truncate on {WRITTEN_ONCE} from {APP_ROLE};"
        f" revoke delete, truncate on {KEPT} from {APP_ROLE};"
    )


def _where_the_role_is(body: str) -> None:
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {body} end if; end $$"
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
