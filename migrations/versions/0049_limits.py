"""Create the tables of limits: what was counted, what it sums up to, and what binds beside it.

Sums and records change when holds end and refunds come, and are never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLES = ("limit_counter", "limit_entry", "limit_own", "limit_account_type")
STATEMENTS = (
    """
    create table limit_counter (
        day_used bigint not null check (day_used >= 0),
        day_reserved bigint not null check (day_reserved >= 0),
        day_restored bigint not null check (day_restored between 0 and day_used),
        year_used bigint not null check (year_used >= day_used),
        year_reserved bigint not null check (year_reserved >= day_reserved),
        year_restored bigint not null check (year_restored between 0 and year_used),
        day integer not null,
        day_count integer not null check (day_count >= 0),
        book smallint not null,
        track smallint not null,
        holder_id uuid not null,
        primary key (book, holder_id, track)
    ) with (fillfactor = 70)
    """,
    """
    create table limit_entry (
        amount bigint not null check (amount > 0),
        base bigint not null check (base > 0),
        used bigint not null check (used >= 0),
        reserved bigint not null check (reserved >= 0 and used + reserved <= base),
        restored bigint not null check (restored between 0 and used),
        updated_at_us bigint not null,
        day integer not null,
        book smallint not null,
        kind smallint not null,
        tracks smallint not null,
        transaction_id uuid not null,
        customer_id uuid not null,
        account_id uuid not null,
        currency_code text not null,
        primary key (book, transaction_id)
    ) with (fillfactor = 95)
    """,
    "create index limit_entry_day on limit_entry (book, day, customer_id)",
    """
    create table limit_own (
        amount bigint check (amount >= 0),
        next_amount bigint check (next_amount >= 0),
        from_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        period smallint not null,
        customer_id uuid not null,
        primary key (book, customer_id, period)
    )
    """,
    """
    create table limit_account_type (
        changed_at_us bigint not null,
        book smallint not null,
        account_type smallint not null check (account_type between 0 and 3),
        account_id uuid not null,
        primary key (book, account_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    revoked = " ".join(f"revoke delete, truncate on {t} from {APP_ROLE};" for t in TABLES)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
