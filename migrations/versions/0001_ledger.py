"""Create the engine's and the ledger's tables.

Every table begins its primary key and its unique indexes with ``book``, has no foreign key, trigger
or sequence, and is written by set-based statements of one book only: see docs/architecture.md,
"Storage". Times are microseconds since 1970-01-01 UTC in ``bigint``, from the application's clock.
Fixed-width columns stand first, eight bytes wide before two, so that rows carry no padding.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # One row per account, rewritten by every batch that touches it: free space in the page keeps
    # the rewrite on it, and no index covers a column that changes.
    """
    create table ledger_account (
        debits_posted bigint not null,
        credits_posted bigint not null,
        debits_pending bigint not null,
        credits_pending bigint not null,
        version bigint not null,
        booked_at_us bigint not null,
        created_at_us bigint not null,
        floor_minor_units bigint,
        ceiling_minor_units bigint,
        book smallint not null,
        account_type smallint not null,
        chart_code smallint not null,
        state smallint not null,
        account_id uuid not null,
        owner_id uuid,
        currency_code text not null,
        description text,
        primary key (book, account_id),
        check (debits_posted >= 0 and credits_posted >= 0),
        check (debits_pending >= 0 and credits_pending >= 0)
    ) with (fillfactor = 60)
    """,
    """
    create index ledger_account_owner on ledger_account (book, owner_id)
        where owner_id is not null
    """,
    # One row per posting, written once. An account's history is the union of its debits and its
    # credits.
    """
    create table ledger_posting (
        amount bigint not null check (amount > 0),
        booked_at_us bigint not null,
        debit_version bigint not null,
        credit_version bigint not null,
        debit_posted_after bigint not null,
        credit_posted_after bigint not null,
        book smallint not null,
        ordinal smallint not null,
        kind smallint not null,
        code smallint not null,
        transaction_id uuid not null,
        debit_account_id uuid not null,
        credit_account_id uuid not null,
        currency_code text not null,
        effective_at_us bigint,
        debit_held_after bigint,
        credit_held_after bigint,
        pending_transaction_id uuid,
        pending_ordinal smallint,
        reverses_transaction_id uuid,
        reference text,
        description text,
        primary key (book, transaction_id, ordinal)
    )
    """,
    """
    create unique index ledger_posting_debit
        on ledger_posting (book, debit_account_id, debit_version)
    """,
    """
    create unique index ledger_posting_credit
        on ledger_posting (book, credit_account_id, credit_version)
    """,
    # Only postings that count at another time than they were booked: views by effective time are
    # the view by booked time, corrected by these few.
    """
    create index ledger_posting_back_dated_debit
        on ledger_posting (book, debit_account_id, effective_at_us) where effective_at_us is not
        null
    """,
    """
    create index ledger_posting_back_dated_credit
        on ledger_posting (book, credit_account_id, effective_at_us) where effective_at_us is not
        null
    """,
    """
    create index ledger_posting_reference on ledger_posting (book, reference)
        where reference is not null
    """,
    # Time ranges over a whole book read few pages, at next to no cost for writers.
    """
    create index ledger_posting_booked on ledger_posting
        using brin (booked_at_us) with (autosummarize)
    """,
    # What each pending posting still holds.
    """
    create table ledger_hold (
        amount bigint not null,
        captured bigint not null,
        remaining bigint not null check (remaining >= 0),
        expires_at_us bigint not null,
        book smallint not null,
        ordinal smallint not null,
        state smallint not null,
        transaction_id uuid not null,
        debit_account_id uuid not null,
        credit_account_id uuid not null,
        currency_code text not null,
        primary key (book, transaction_id, ordinal),
        check (captured + remaining <= amount)
    ) with (fillfactor = 80)
    """,
    "create index ledger_hold_expiry on ledger_hold (book, expires_at_us) where state = 1",
    "create index ledger_hold_debit on ledger_hold (book, debit_account_id) where state = 1",
    "create index ledger_hold_credit on ledger_hold (book, credit_account_id) where state = 1",
    # Which transaction took which one back; the key makes it happen once.
    """
    create table ledger_reversal (
        book smallint not null,
        transaction_id uuid not null,
        reversal_transaction_id uuid not null,
        primary key (book, transaction_id)
    )
    """,
    # Ids that callers chose and that were refused stay refused.
    """
    create table ledger_refusal (
        booked_at_us bigint not null,
        book smallint not null,
        transaction_id uuid not null,
        reason text not null,
        primary key (book, transaction_id)
    )
    """,
    # What was asked under which request id, and what was answered. The reply is dropped after its
    # time; the key and the content stay for ever.
    """
    create table request_record (
        booked_at_us bigint not null,
        book smallint not null,
        outcome smallint not null,
        request_key uuid not null,
        content bytea not null,
        reply bytea,
        primary key (book, request_key)
    )
    """,
    """
    create index request_record_booked on request_record
        using brin (booked_at_us) with (autosummarize)
    """,
    # Every committed change, numbered without gaps by the writer that made it.
    """
    create table event (
        sequence bigint not null,
        booked_at_us bigint not null,
        book smallint not null,
        writer smallint not null,
        type smallint not null,
        ordinal smallint not null,
        subject uuid not null,
        payload bytea,
        primary key (book, writer, sequence)
    )
    """,
    "create index event_booked on event using brin (booked_at_us) with (autosummarize)",
    # One block per batch: the chain that makes any later change of the rows above show.
    """
    create table journal_block (
        number bigint not null,
        first_sequence bigint not null,
        booked_at_us bigint not null,
        record_count integer not null check (record_count > 0),
        book smallint not null,
        writer smallint not null,
        previous_hash bytea not null,
        root bytea not null,
        hash bytea not null,
        primary key (book, writer, number)
    )
    """,
    """
    create unique index journal_block_first_sequence
        on journal_block (book, writer, first_sequence)
    """,
)

TABLES = (
    "journal_block",
    "event",
    "request_record",
    "ledger_refusal",
    "ledger_reversal",
    "ledger_hold",
    "ledger_posting",
    "ledger_account",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
