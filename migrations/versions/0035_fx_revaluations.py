"""Create the table of positions at the close of business dates.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. A revaluation is written once.
"""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_revaluation (
        amount bigint not null,
        bought bigint not null check (bought >= 0),
        sold bigint not null check (sold >= 0),
        cost bigint not null,
        value bigint not null,
        realised bigint not null,
        unrealised bigint not null,
        credits bigint not null,
        debits bigint not null,
        counter_credits bigint not null,
        counter_debits bigint not null,
        observed_us bigint not null,
        created_at_us bigint not null,
        book smallint not null,
        transaction_id uuid,
        currency_code text not null,
        business_date text not null,
        home_currency text not null,
        mid text not null,
        primary key (book, currency_code, business_date)
    )
    """,
)
REVOKED = f"revoke update, delete, truncate on fx_revaluation from {APP_ROLE};"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop table fx_revaluation")
