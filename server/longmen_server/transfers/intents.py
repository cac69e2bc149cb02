"""What a customer is told that a payment will do: the text an approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import Intent, Operation
from longmen_server.platform.ids import ACCOUNT
from longmen_server.platform.money import Money
from longmen_server.transfers.model import TransferDelay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.ids import AccountId
    from longmen_server.transfers.bank_moves import ClearingMove
    from longmen_server.transfers.commands import Payment

__all__ = ["of_batch", "of_transfer", "of_withdrawal"]

AMOUNT_MAX = 2**63 - 1
"""Largest amount that can be told; no account has as much, so such a batch pays nobody."""
_TAIL = 4
"""Digits shown of a bank account's number."""
_WHEN = {TransferDelay.TWO_HOURS: " in two hours", TransferDelay.NEXT_DAY: " the next day"}


def of_transfer(payment: Payment, payer_id: AccountId, payee_id: AccountId, delay: int) -> Intent:
    """Return what paying one payee is."""
    payee = ACCOUNT.encode(payee_id)
    if payment.payee_text:
        payee = f"{payment.payee_text} ({payee})"
    amount = str(Money(payment.amount, payment.currency_code))
    when = _WHEN.get(TransferDelay(delay), "")
    about = f" Description: {payment.description}" if payment.description else ""
    return Intent(
        operation=Operation.TRANSFER,
        text=f"Pay {amount} from {ACCOUNT.encode(payer_id)} to {payee}{when}.{about}",
        amount=payment.amount,
        currency_code=payment.currency_code,
        payee=payee,
        payee_id=payee_id,
    )


def of_batch(payments: Sequence[Payment], payer_id: AccountId, currency_code: str) -> Intent:
    """Return what paying many payees is."""
    named = (p.amount for p in payments if p.currency_code == currency_code)
    amount = min(sum(named), AMOUNT_MAX)
    total = str(Money(amount, currency_code))
    payee = f"{len(payments)} payees"
    return Intent(
        operation=Operation.BATCH,
        text=f"Pay {total} from {ACCOUNT.encode(payer_id)} to {payee}.",
        amount=amount,
        currency_code=currency_code,
        payee=payee,
    )


def of_withdrawal(move: ClearingMove) -> Intent:
    """Return what sending money to a bank account is."""
    amount = str(Money(move.amount, move.currency_code))
    payee = f"bank account ...{move.bank_account[-_TAIL:]}"
    return Intent(
        operation=Operation.WITHDRAWAL,
        text=f"Withdraw {amount} from {ACCOUNT.encode(move.account_id)} to {payee}.",
        amount=move.amount,
        currency_code=move.currency_code,
        payee=payee,
    )
