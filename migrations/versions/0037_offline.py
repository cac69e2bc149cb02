"""Create the tables of sales that tills made without a network.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. What was taken down is written once; keys and budgets are never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
STATEMENTS = (
    """
    create table terminal_key (
        last_sequence bigint not null check (last_sequence >= 0),
        created_at_us bigint not null,
        revoked_at_us bigint,
        book smallint not null,
        algorithm smallint not null,
        key_id uuid not null,
        terminal_id uuid not null,
        public_key bytea not null,
        thumbprint text not null,
        primary key (book, key_id)
    )
    """,
    "create index terminal_key_terminal on terminal_key (book, terminal_id, key_id)",
    """
    create table offline_sale (
        sequence bigint not null check (sequence > 0),
        amount bigint not null check (amount > 0),
        accepted_at_us bigint not null,
        recorded_at_us bigint not null,
        book smallint not null,
        outcome smallint not null,
        key_id uuid not null,
        terminal_id uuid not null,
        merchant_id uuid not null,
        order_id uuid,
        transaction_id uuid,
        account_id uuid,
        order_number text not null,
        currency_code text not null,
        reason text not null,
        digest bytea not null,
        primary key (book, key_id, sequence)
    )
    """,
    "create index offline_sale_merchant on offline_sale (book, merchant_id, recorded_at_us)",
    """
    create table offline_budget (
        used_amount bigint not null check (used_amount >= 0),
        used_count integer not null check (used_count >= 0),
        book smallint not null,
        owner_id uuid not null,
        period text not null,
        currency_code text not null,
        primary key (book, owner_id, period, currency_code)
    ) with (fillfactor = 80)
    """,
)
REVOKED = (
    f"revoke update, delete, truncate on offline_sale from {APP_ROLE};",
    f"revoke delete, truncate on terminal_key from {APP_ROLE};",
    f"revoke delete, truncate on offline_budget from {APP_ROLE};",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {' '.join(REVOKED)} end if; end $$"
    )


def downgrade() -> None:
    for table in ("offline_budget", "offline_sale", "terminal_key"):
        op.execute(f"drop table {table}")
