"""Create the table of conversions that were taken back.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. What was taken back is written once.
"""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_reversal (
        taken bigint not null check (taken > 0),
        returned bigint not null check (returned > 0),
        residue bigint not null check (residue >= 0),
        created_at_us bigint not null,
        book smallint not null,
        basis smallint not null,
        conversion_id uuid not null,
        transaction_id uuid not null,
        source_rate text not null,
        target_rate text not null,
        primary key (book, conversion_id)
    )
    """,
)
REVOKED = f"revoke update, delete, truncate on fx_reversal from {APP_ROLE};"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop table fx_reversal")
