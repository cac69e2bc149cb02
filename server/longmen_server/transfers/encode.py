"""Transfers as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen.type.v1 import money_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import ACCOUNT, TRANSACTION
from longmen_server.transfers.model import KIND_BY_CODE

if TYPE_CHECKING:
    from longmen_server.ledger.model import PostingRow
    from longmen_server.platform.ids import TransactionId
    from longmen_server.transfers.model import Standing, TransferState


def transfer(
    posting: PostingRow, stands: Standing, *, with_reference: bool
) -> transfer_pb2.Transfer:
    """Return a transfer from its first posting and where it stands.

    Args:
        posting: the transfer's first posting.
        stands: its state.
        with_reference: whether the caller may see the payer's reference.
    """
    due_at_us = stands.due_at_us
    return transfer_pb2.Transfer(
        transfer_id=TRANSACTION.encode(posting.transaction_id),
        kind=int(KIND_BY_CODE[posting.code]),  # type: ignore[arg-type]  # enums here are ints
        state=int(stands.state),  # type: ignore[arg-type]
        from_account_id=ACCOUNT.encode(posting.debit_account_id),
        to_account_id=ACCOUNT.encode(posting.credit_account_id),
        amount=money_pb2.Money(minor_units=posting.amount, currency_code=posting.currency_code),
        description=posting.description or "",
        reference=(posting.reference or "") if with_reference else "",
        create_time=timestamp(posting.booked_at_us),
        due_time=None if due_at_us is None else timestamp(due_at_us),
        failure_code=stands.failure_code,
    )


def state_change(transfer_id: TransactionId, state: TransferState) -> bytes:
    """Return the payload of the event that tells a transfer's new state."""
    return event_pb2.TransferStateChange(
        transfer_id=TRANSACTION.encode(transfer_id), state=state.name
    ).SerializeToString(deterministic=True)
