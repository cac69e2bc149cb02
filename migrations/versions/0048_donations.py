"""Create the table of donations, which are written once."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"

STATEMENTS = (
    """
    create table donation (
        amount bigint not null check (amount > 0),
        donated_at_us bigint not null,
        book smallint not null,
        anonymous boolean not null,
        donation_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        donor_id uuid not null,
        order_id uuid not null,
        transaction_id uuid not null,
        currency_code text not null,
        message bytea,
        primary key (book, donation_id)
    )
    """,
    "create index donation_merchant on donation (book, merchant_id, donation_id)",
    "create index donation_donor on donation (book, donor_id, donated_at_us)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    revoked = f"revoke update, delete, truncate on donation from {APP_ROLE};"
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {revoked} end if; end $$"
    )


def downgrade() -> None:
    op.execute("drop table donation")
