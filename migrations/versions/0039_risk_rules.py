"""Create the tables of the rules of risk: sets as somebody wrote them, and versions that decided.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. Versions are written once: decisions are made again from them.
"""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table risk_rule_set (
        created_at_us bigint not null,
        updated_at_us bigint not null,
        shadow_at_us bigint,
        active_at_us bigint,
        retired_at_us bigint,
        state integer not null,
        revision integer not null,
        book smallint not null,
        rule_set_id uuid not null,
        base_id uuid,
        name text not null,
        note text not null,
        content bytea not null,
        digest bytea not null,
        primary key (book, rule_set_id)
    )
    """,
    """
    create table risk_rulebook (
        created_at_us bigint not null,
        version integer not null check (version > 0),
        cause integer not null,
        book smallint not null,
        change_id uuid not null,
        rule_set_id uuid,
        tried_id uuid,
        content bytea not null,
        digest bytea not null,
        primary key (book, version)
    )
    """,
)
RIGHTS = (
    f"revoke update, delete, truncate on risk_rulebook from {APP_ROLE};",
    f"revoke delete, truncate on risk_rule_set from {APP_ROLE};",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {' '.join(RIGHTS)} end if; end $$"
    )


def downgrade() -> None:
    for table in ("risk_rulebook", "risk_rule_set"):
        op.execute(f"drop table {table}")
