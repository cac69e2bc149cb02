"""Create the table of what customers have used of their annual quota of foreign currency.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence.
Conversions from before count against no quota.
"""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_quota (
        used bigint not null check (used >= 0),
        book smallint not null,
        year smallint not null,
        side smallint not null,
        customer_id uuid not null,
        primary key (book, customer_id, year, side)
    ) with (fillfactor = 80)
    """,
    """
    alter table fx_conversion
        add column quota_side smallint not null default 0,
        add column quota_value bigint not null default 0
    """,
)
REVOKED = f"revoke delete, truncate on fx_quota from {APP_ROLE};"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop table fx_quota")
    op.execute("alter table fx_conversion drop column quota_side, drop column quota_value")
