"""Create the table of mandates."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table mandate (
        single_cap bigint not null check (single_cap > 0),
        cycle_cap bigint not null check (cycle_cap >= single_cap),
        cycle_used bigint not null check (cycle_used between 0 and cycle_cap),
        announced bigint not null check (announced >= 0),
        charge_from_us bigint not null,
        expires_at_us bigint not null,
        version bigint not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        state smallint not null,
        cycle smallint not null,
        notice_hours smallint not null,
        mandate_id uuid not null,
        merchant_id uuid not null,
        account_id uuid not null,
        mandate_number text not null,
        currency_code text not null,
        cycle_start text not null,
        description text not null,
        primary key (book, mandate_id)
    ) with (fillfactor = 80)
    """,
    "create unique index mandate_number on mandate (book, merchant_id, mandate_number)",
    "create index mandate_account on mandate (book, account_id, mandate_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table mandate")
