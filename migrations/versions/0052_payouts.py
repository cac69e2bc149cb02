"""Create the tables of payouts: where merchants are paid, and what goes there.

Settlements from before have no payout: what became of them was not the server's to know.
"""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
TABLES = ("merchant_payout_account", "merchant_payout")
STATEMENTS = (
    """
    create table merchant_payout_account (
        registered_at_us bigint not null,
        candidate_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        merchant_id uuid not null,
        account_id uuid,
        candidate_id uuid,
        sealed bytea,
        candidate_sealed bytea,
        tail text not null,
        candidate_tail text not null,
        clearing_code text not null,
        primary key (book, merchant_id)
    )
    """,
    """
    create table merchant_payout (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        settlement_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        payout_account_id uuid,
        transaction_id uuid,
        return_transaction_id uuid,
        business_date text not null,
        currency_code text not null,
        tail text not null,
        clearing_code text not null,
        sealed bytea,
        primary key (book, settlement_id)
    )
    """,
    "create index merchant_payout_of on merchant_payout (book, merchant_id, settlement_id)",
    (
        "create index merchant_payout_open on merchant_payout (book, state, settlement_id)"
        " where state <= 3"
    ),
    (
        "create unique index merchant_payout_transaction on merchant_payout (book, transaction_id)"
        " where transaction_id is not null"
    ),
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
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
