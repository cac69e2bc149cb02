"""Create the tables of factors, wrong tries, challenges and known payees.

The same rules as in 0001 hold. No column of these tables opens anything by itself: secrets are
hashed or sealed with a key that stands in no table.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    # What payments have to know of a customer's factors, in one row.
    """
    create table customer_security (
        unblocked_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        kinds smallint not null,
        exempt_count smallint not null,
        customer_id uuid not null,
        primary key (book, customer_id)
    ) with (fillfactor = 80)
    """,
    # Every place a factor can stand in; a factor that is replaced or removed leaves its place.
    """
    create table factor (
        counter bigint not null,
        expires_at_us bigint not null,
        created_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        kind smallint not null,
        slot smallint not null,
        state smallint not null,
        flagged boolean not null,
        customer_id uuid not null,
        factor_id uuid not null,
        secret bytea not null,
        credential_id bytea not null,
        label text not null,
        primary key (book, customer_id, kind, slot)
    ) with (fillfactor = 80)
    """,
    """
    create table factor_attempt (
        blocked_until_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        kind smallint not null,
        failures smallint not null,
        blocks smallint not null,
        customer_id uuid not null,
        device_id uuid not null,
        primary key (book, customer_id, device_id, kind)
    ) with (fillfactor = 50)
    """,
    """
    create table challenge (
        amount bigint not null,
        created_at_us bigint not null,
        expires_at_us bigint not null,
        changed_at_us bigint not null,
        book smallint not null,
        operation smallint not null,
        state smallint not null,
        factors_needed smallint not null,
        methods smallint not null,
        approved smallint not null,
        challenge_id uuid not null,
        customer_id uuid not null,
        request_key uuid not null,
        content bytea not null,
        currency_code text not null,
        payee text not null,
        text text not null,
        primary key (book, challenge_id)
    ) with (fillfactor = 80)
    """,
    # One challenge for each request at a time; closed ones stay on record beside it.
    """
    create unique index challenge_open on challenge (book, request_key) where state in (1, 2)
    """,
    # Whom a customer has paid with approval.
    """
    create table known_payee (
        created_at_us bigint not null,
        book smallint not null,
        customer_id uuid not null,
        account_id uuid not null,
        primary key (book, customer_id, account_id)
    )
    """,
)
TABLES = ("known_payee", "challenge", "factor_attempt", "factor", "customer_security")

SETTABLE_FROM = 180000
PAGES, ROWS = 1, 5_000
"""What the planner is told of tables that are joined with a batch of keys; 0004 says why."""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    body = " ".join(_tell(table) for table in TABLES)
    op.execute(
        "do $$ begin"
        f" if current_setting('server_version_num')::integer >= {SETTABLE_FROM}"
        f" then {body} end if; end $$"
    )


def _tell(table: str) -> str:
    about = f"'schemaname', 'public', 'relname', '{table}', 'version', {SETTABLE_FROM}"
    return (
        f"perform pg_restore_relation_stats({about}, 'relpages', {PAGES},"
        f" 'reltuples', {ROWS}::real);"
        f" perform pg_restore_attribute_stats({about}, 'attname', 'book', 'inherited', false,"
        f" 'null_frac', 0::real, 'avg_width', 2, 'n_distinct', 1::real);"
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
