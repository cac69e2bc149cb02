"""Payouts and the accounts they go to as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import payout_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.payments.encode import money
from longmen_server.payouts.model import PayoutAccountState, PayoutState
from longmen_server.platform.ids import MERCHANT, PAYOUT_ACCOUNT, SETTLEMENT, TRANSACTION

if TYPE_CHECKING:
    from longmen_server.payouts.model import PayoutAccountRow, PayoutRow
    from longmen_server.platform.ids import PayoutAccountId

__all__ = ["account", "account_change", "candidate", "change", "payout"]


def account(row: PayoutAccountRow) -> payout_pb2.PayoutAccount | None:
    """Return the account that is paid to; None before one was confirmed."""
    if row.account_id is None:
        return None
    return payout_pb2.PayoutAccount(
        payout_account_id=PAYOUT_ACCOUNT.encode(row.account_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        tail=row.tail,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        clearing_code=row.clearing_code,
        create_time=timestamp(row.registered_at_us),
    )


def candidate(row: PayoutAccountRow) -> payout_pb2.PayoutAccount | None:
    """Return the account that waits to be confirmed; None without one."""
    if row.candidate_id is None:
        return None
    return payout_pb2.PayoutAccount(
        payout_account_id=PAYOUT_ACCOUNT.encode(row.candidate_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        tail=row.candidate_tail,
        state=payout_pb2.PAYOUT_ACCOUNT_STATE_CANDIDATE,
        create_time=timestamp(row.candidate_at_us),
    )


def payout(row: PayoutRow) -> payout_pb2.Payout:
    """Return a payout."""
    return payout_pb2.Payout(
        settlement_id=SETTLEMENT.encode(row.settlement_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        business_date=row.business_date,
        amount=money(row.amount, row.currency_code),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        payout_account_id=(
            "" if row.payout_account_id is None else PAYOUT_ACCOUNT.encode(row.payout_account_id)
        ),
        tail=row.tail,
        transaction_id=(
            "" if row.transaction_id is None else TRANSACTION.encode(row.transaction_id)
        ),
        return_transaction_id=(
            ""
            if row.return_transaction_id is None
            else TRANSACTION.encode(row.return_transaction_id)
        ),
        clearing_code=row.clearing_code,
        create_time=timestamp(row.created_at_us),
        update_time=timestamp(row.updated_at_us),
    )


def account_change(
    row: PayoutAccountRow, account_id: PayoutAccountId, state: PayoutAccountState
) -> bytes:
    """Return the payload of the event that tells what became of a bank account."""
    return event_pb2.PayoutAccountChange(
        merchant_id=MERCHANT.encode(row.merchant_id),
        payout_account_id=PAYOUT_ACCOUNT.encode(account_id),
        state=state.name,
        clearing_code=row.clearing_code if state == PayoutAccountState.SUSPENDED else "",
    ).SerializeToString(deterministic=True)


def change(row: PayoutRow) -> bytes:
    """Return the payload of the event that tells what became of a payout."""
    return event_pb2.PayoutChange(
        settlement_id=SETTLEMENT.encode(row.settlement_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        business_date=row.business_date,
        state=PayoutState(row.state).name,
        amount_minor_units=row.amount,
        currency_code=row.currency_code,
        clearing_code=row.clearing_code,
    ).SerializeToString(deterministic=True)
