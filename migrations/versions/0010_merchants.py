"""Create the tables of merchants and their terminals.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table merchant (
        created_at_us bigint not null,
        book smallint not null,
        merchant_id uuid not null,
        account_id uuid not null,
        name text not null,
        local_name text not null,
        local_language text not null,
        city text not null,
        country_code text not null,
        category_code text not null,
        currency_code text not null,
        primary key (book, merchant_id)
    )
    """,
    """
    create table merchant_terminal (
        created_at_us bigint not null,
        book smallint not null,
        terminal_id uuid not null,
        merchant_id uuid not null,
        label text not null,
        store_label text not null,
        primary key (book, terminal_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table merchant_terminal")
    op.execute("drop table merchant")
