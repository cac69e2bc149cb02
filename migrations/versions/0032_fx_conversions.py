"""Create the tables of quotes and conversions.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds.
"""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table fx_quote (
        source bigint not null check (source > 0),
        fee bigint not null check (fee between 0 and source),
        target bigint not null check (target > 0),
        spread bigint not null check (spread >= 0),
        residue bigint not null check (residue >= 0),
        home_value bigint not null check (home_value >= 0),
        source_observed_us bigint not null,
        target_observed_us bigint not null,
        created_at_us bigint not null,
        expires_at_us bigint not null,
        lock_seconds integer not null,
        spread_basis_points integer not null,
        fee_basis_points integer not null,
        book smallint not null,
        state smallint not null,
        fixed_side smallint not null,
        quote_id uuid not null,
        customer_id uuid,
        from_account_id uuid not null,
        to_account_id uuid not null,
        conversion_id uuid,
        source_currency text not null,
        target_currency text not null,
        source_rate text not null,
        target_rate text not null,
        tier text not null,
        primary key (book, quote_id)
    ) with (fillfactor = 80)
    """,
    """
    create table fx_conversion (
        created_at_us bigint not null,
        book smallint not null,
        conversion_id uuid not null,
        quote_id uuid not null,
        customer_id uuid,
        transaction_id uuid not null,
        primary key (book, conversion_id)
    )
    """,
    # A quote becomes one conversion at most, whatever its row says.
    "create unique index fx_conversion_quote on fx_conversion (book, quote_id)",
    """
    create index fx_conversion_customer on fx_conversion (book, customer_id, conversion_id)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("fx_conversion", "fx_quote"):
        op.execute(f"drop table {table}")
