"""Ledger rows as messages of the contract.

What every transfer is answered with is written field by field into a message that stands in its
reply already: building sub-messages apart and copying them in costs three times as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from longmen.errors.v1 import error_reason_pb2
from longmen.ledger.v1 import account_pb2, transaction_pb2
from longmen.type.v1 import money_pb2
from longmen_server.ledger.model import PostingKind
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, TRANSACTION, encode_posting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.ledger.model import AccountRow, HoldRow, PostingOutcome, PostingRow
    from longmen_server.platform.ids import TransactionId
    from longmen_server.platform.refusal import Refusal

CREATED = transaction_pb2.TransferResult.OUTCOME_CREATED
EXISTS = transaction_pb2.TransferResult.OUTCOME_EXISTS
REFUSED = transaction_pb2.TransferResult.OUTCOME_REFUSED


def timestamp(at_us: int) -> Timestamp:
    """Return microseconds since the epoch as a Timestamp."""
    seconds, micros = divmod(at_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def microseconds(value: Timestamp) -> int:
    """Return a Timestamp as microseconds since the epoch; finer parts are cut off."""
    return value.seconds * 1_000_000 + value.nanos // 1000


def fill_timestamp(message: Timestamp, at_us: int) -> None:
    """Write microseconds since the epoch into a Timestamp."""
    seconds, micros = divmod(at_us, 1_000_000)
    message.seconds = seconds
    message.nanos = micros * 1000


def fill_balances(message: account_pb2.Balances, account: AccountRow) -> None:
    """Write an account's counters into a message."""
    posted, held = account.posted, account.held
    message.currency_code = account.currency_code
    message.debits_posted = account.debits_posted
    message.credits_posted = account.credits_posted
    message.debits_pending = account.debits_pending
    message.credits_pending = account.credits_pending
    message.posted = posted
    message.available = posted - held
    message.version = account.version


def balances(account: AccountRow) -> account_pb2.Balances:
    """Return an account's counters."""
    message = account_pb2.Balances()
    fill_balances(message, account)
    return message


def account(row: AccountRow) -> account_pb2.Account:
    """Return an account with its balances."""
    return account_pb2.Account(
        account_id=ACCOUNT.encode(row.account_id),
        currency_code=row.currency_code,
        type=row.account_type,  # type: ignore[arg-type]
        chart_code=row.chart_code,
        owner_id=CUSTOMER.encode(row.owner_id) if row.owner_id else "",
        floor_minor_units=row.floor_minor_units,
        ceiling_minor_units=row.ceiling_minor_units,
        state=row.state,  # type: ignore[arg-type]
        balances=balances(row),
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.booked_at_us),
        description=row.description or "",
    )


def hold(row: HoldRow) -> transaction_pb2.Hold:
    """Return what became of a pending posting."""
    return transaction_pb2.Hold(
        state=row.state,  # type: ignore[arg-type]
        captured_minor_units=row.captured,
        remaining_minor_units=row.remaining,
        expire_time=timestamp(row.expires_at_us),
    )


def posting(row: PostingRow, hold_row: HoldRow | None = None) -> transaction_pb2.Posting:
    """Return a posting, with its hold where it is a pending one."""
    message = transaction_pb2.Posting(
        posting_id=encode_posting(row.transaction_id, row.ordinal),
        transaction_id=TRANSACTION.encode(row.transaction_id),
        kind=row.kind,  # type: ignore[arg-type]
        debit_account_id=ACCOUNT.encode(row.debit_account_id),
        credit_account_id=ACCOUNT.encode(row.credit_account_id),
        amount=money_pb2.Money(minor_units=row.amount, currency_code=row.currency_code),
        booked_time=timestamp(row.booked_at_us),
        effective_time=timestamp(
            row.booked_at_us if row.effective_at_us is None else row.effective_at_us
        ),
        code=row.code,
        reference=row.reference or "",
        description=row.description or "",
        debit_account_version=row.debit_version,
        credit_account_version=row.credit_version,
    )
    if row.pending_transaction_id is not None:
        message.pending_posting_id = encode_posting(
            row.pending_transaction_id, row.pending_ordinal or 0
        )
    if row.reverses_transaction_id is not None:
        message.reverses_transaction_id = TRANSACTION.encode(row.reverses_transaction_id)
    if hold_row is not None and row.kind == PostingKind.PENDING:
        message.hold.CopyFrom(hold(hold_row))
    return message


def transaction(
    postings: Sequence[transaction_pb2.Posting], *, reversal_id: TransactionId | None = None
) -> transaction_pb2.Transaction:
    """Return a transaction from its postings, of which there is at least one."""
    return transaction_pb2.Transaction(
        transaction_id=postings[0].transaction_id,
        postings=postings,
        booked_time=postings[0].booked_time,
        reversal_transaction_id=TRANSACTION.encode(reversal_id) if reversal_id else "",
    )


def fill_created(
    message: transaction_pb2.TransferResult, outcomes: Sequence[PostingOutcome]
) -> None:
    """Write the result of a transfer that took effect now: its posting, and balances after all."""
    row, last = outcomes[0].posting, outcomes[-1]
    message.outcome = CREATED
    message.transaction_id = TRANSACTION.encode(row.transaction_id)
    message.amount_minor_units = row.amount
    fill_timestamp(message.booked_time, row.booked_at_us)
    fill_balances(message.debit_balances, last.debit)
    fill_balances(message.credit_balances, last.credit)


def created(outcomes: Sequence[PostingOutcome]) -> transaction_pb2.TransferResult:
    """Return the result of a transfer that took effect now."""
    message = transaction_pb2.TransferResult()
    fill_created(message, outcomes)
    return message


def balances_after(
    *, currency_code: str, posted: int, held: int | None, version: int
) -> account_pb2.Balances:
    """Return what a posting's row remembers of an account: posted, available and version."""
    return account_pb2.Balances(
        currency_code=currency_code,
        posted=posted,
        available=posted - (held or 0),
        version=version,
    )


def debit_balances_after(row: PostingRow) -> account_pb2.Balances:
    """Return the debit account's balances as of a posting."""
    return balances_after(
        currency_code=row.currency_code,
        posted=row.debit_posted_after,
        held=row.debit_held_after,
        version=row.debit_version,
    )


def credit_balances_after(row: PostingRow) -> account_pb2.Balances:
    """Return the credit account's balances as of a posting."""
    return balances_after(
        currency_code=row.currency_code,
        posted=row.credit_posted_after,
        held=row.credit_held_after,
        version=row.credit_version,
    )


def balances_after_all(rows: Sequence[PostingRow]) -> dict[str, account_pb2.Balances]:
    """Return the balances of every account of a transaction as of its last posting there."""
    found: dict[str, account_pb2.Balances] = {}
    for row in rows:
        found[ACCOUNT.encode(row.debit_account_id)] = debit_balances_after(row)
        found[ACCOUNT.encode(row.credit_account_id)] = credit_balances_after(row)
    return found


def existing(row: PostingRow) -> transaction_pb2.TransferResult:
    """Return the result of a transfer that took effect before, as it was then."""
    return transaction_pb2.TransferResult(
        outcome=EXISTS,
        transaction_id=TRANSACTION.encode(row.transaction_id),
        amount_minor_units=row.amount,
        booked_time=timestamp(row.booked_at_us),
        debit_balances=debit_balances_after(row),
        credit_balances=credit_balances_after(row),
    )


def reason_value(reason: str) -> error_reason_pb2.ErrorReason.ValueType:
    """Return the enum value of a reason's name."""
    return error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")


def refused(transaction_id: TransactionId, refusal: Refusal) -> transaction_pb2.TransferResult:
    """Return the result of a transfer that was refused."""
    return transaction_pb2.TransferResult(
        outcome=REFUSED,
        transaction_id=TRANSACTION.encode(transaction_id),
        reason=reason_value(refusal.reason),
        reason_metadata=refusal.metadata,
    )
