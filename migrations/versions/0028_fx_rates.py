"""Create the tables of rates: sheets as they were observed, and the present rate of each currency.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. Rates are texts of plain decimals: exact, and of any precision a feed has.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table fx_sheet (
        observed_at_us bigint not null,
        imported_at_us bigint not null,
        book smallint not null,
        import_id uuid not null,
        source text not null,
        rates text not null,
        primary key (book, source, observed_at_us)
    )
    """,
    """
    create table fx_rate (
        observed_at_us bigint not null,
        imported_at_us bigint not null,
        held_at_us bigint,
        book smallint not null,
        currency_code text not null,
        rate text not null,
        source text not null,
        held_rate text,
        held_source text,
        primary key (book, currency_code)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("fx_rate", "fx_sheet"):
        op.execute(f"drop table {table}")
