"""Create the tables of wallets, delayed transfers, clearing instructions and job leases.

The same rules as in 0001 hold: ``book`` begins every key, no foreign key, trigger or sequence,
times in microseconds. The one table without a book is the alias directory: it is the index that
finds a customer's book by phone number, so it is the same for all books.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table wallet (
        created_at_us bigint not null,
        book smallint not null,
        customer_id uuid not null,
        display_name text not null,
        phone_number text not null,
        primary key (book, customer_id)
    )
    """,
    # What a customer's account is beyond the ledger's account of the same id.
    """
    create table wallet_account (
        created_at_us bigint not null,
        closed_at_us bigint,
        book smallint not null,
        frozen_by_customer boolean not null,
        account_id uuid not null,
        customer_id uuid not null,
        currency_code text not null,
        nickname text not null,
        primary key (book, account_id)
    ) with (fillfactor = 90)
    """,
    # One open account for each currency; closed ones stay on record beside it.
    """
    create unique index wallet_account_pocket
        on wallet_account (book, customer_id, currency_code) where closed_at_us is null
    """,
    "create index wallet_account_customer on wallet_account (book, customer_id, account_id)",
    # The alias directory: whom a phone number belongs to, and in which book.
    """
    create table alias (
        created_at_us bigint not null,
        kind smallint not null,
        target_book smallint not null,
        customer_id uuid not null,
        value text not null,
        primary key (kind, value)
    )
    """,
    # Transfers that do not end where they begin: delayed ones, withdrawals, and refused top-ups.
    """
    create table transfer_schedule (
        created_at_us bigint not null,
        updated_at_us bigint not null,
        due_at_us bigint,
        book smallint not null,
        kind smallint not null,
        state smallint not null,
        transaction_id uuid not null,
        settlement_id uuid,
        failure_code text,
        reason_text text,
        primary key (book, transaction_id)
    ) with (fillfactor = 80)
    """,
    """
    create index transfer_schedule_due on transfer_schedule (book, due_at_us) where state in (1, 2)
    """,
    # The queue between the wallets and the bank's clearing.
    """
    create table clearing_instruction (
        amount bigint not null check (amount > 0),
        created_at_us bigint not null,
        updated_at_us bigint not null,
        book smallint not null,
        direction smallint not null,
        state smallint not null,
        transaction_id uuid not null,
        account_id uuid not null,
        currency_code text not null,
        bank_account text not null,
        reference text,
        clearing_code text,
        primary key (book, transaction_id)
    ) with (fillfactor = 80)
    """,
    """
    create index clearing_instruction_open on clearing_instruction (book, state, transaction_id)
        where state in (1, 2)
    """,
    # Which process does a book's background work, until when, and how far it has come.
    """
    create table job_lease (
        expires_at_us bigint not null,
        progress bigint not null,
        book smallint not null,
        holder uuid not null,
        job text not null,
        primary key (book, job)
    ) with (fillfactor = 50)
    """,
)

TABLES = (
    "job_lease",
    "clearing_instruction",
    "transfer_schedule",
    "alias",
    "wallet_account",
    "wallet",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
