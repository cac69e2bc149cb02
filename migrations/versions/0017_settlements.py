"""Create the tables of merchants' settlements and of how far their business dates are closed."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table merchant_settlement (
        from_version bigint not null,
        to_version bigint not null,
        sale_count bigint not null,
        sales bigint not null,
        refund_count bigint not null,
        refunds bigint not null,
        fees bigint not null,
        fees_returned bigint not null,
        other bigint not null,
        carried_in bigint not null,
        paid bigint not null check (paid >= 0),
        carried_out bigint not null,
        created_at_us bigint not null,
        settled_at_us bigint,
        book smallint not null,
        state smallint not null,
        settlement_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        transaction_id uuid,
        business_date text not null,
        settlement_date text not null,
        currency_code text not null,
        primary key (book, settlement_id)
    )
    """,
    """
    create unique index merchant_settlement_day
        on merchant_settlement (book, merchant_id, business_date)
    """,
    """
    create index merchant_settlement_due
        on merchant_settlement (book, settlement_date, settlement_id) where state = 1
    """,
    """
    create table merchant_position (
        closed_version bigint not null,
        carried bigint not null,
        book smallint not null,
        merchant_id uuid not null,
        closed_date text not null,
        settled_date text not null,
        primary key (book, merchant_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table merchant_position")
    op.execute("drop table merchant_settlement")
