"""Create the tables of automatic conversions: what customers agreed to, and what came of it.

What was agreed to is changed and never deleted; what a payment exchanged never changes.
"""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table fx_auto_conversion (
        payment_max bigint not null check (payment_max >= 0),
        day_max bigint not null check (day_max >= 0),
        day_used bigint not null check (day_used >= 0),
        created_at_us bigint not null,
        changed_at_us bigint not null,
        day integer not null,
        book smallint not null,
        basis_points_max smallint not null check (basis_points_max between 0 and 1000),
        enabled boolean not null,
        account_id uuid not null,
        customer_id uuid not null,
        currency_code text not null,
        sources text not null,
        primary key (book, account_id)
    ) with (fillfactor = 80)
    """,
    """
    create index fx_auto_conversion_customer
        on fx_auto_conversion (book, customer_id, currency_code)
    """,
    """
    create table fx_auto_payment (
        amount bigint not null check (amount > 0),
        made_at_us bigint not null,
        day integer not null,
        book smallint not null,
        transaction_id uuid not null,
        conversion_id uuid not null,
        account_id uuid not null,
        primary key (book, transaction_id)
    )
    """,
    "create unique index fx_auto_payment_conversion on fx_auto_payment (book, conversion_id)",
    "create index fx_auto_payment_day on fx_auto_payment (book, account_id, day)",
)
REVOKED = (
    f"revoke delete, truncate on fx_auto_conversion from {APP_ROLE};"
    f" revoke update, delete, truncate on fx_auto_payment from {APP_ROLE};"
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {REVOKED} end if; end $$"
    )


def downgrade() -> None:
    for table in ("fx_auto_payment", "fx_auto_conversion"):
        op.execute(f"drop table {table}")
