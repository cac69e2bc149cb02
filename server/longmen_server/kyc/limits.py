"""The limits of classes on money that moves: the single payment, and the balance.

Commands that move a customer's money name the classes of the accounts they touch, and ask before
they book. Accounts of wallets without a class, and those the bank has of its own, have no limits.
Withdrawals to a bank account, refunds and what comes back are no payments: they are never refused
for a limit. Sums over a day and a year are not counted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.kyc.standing import pack_now
from longmen_server.kyc.tables import ACCOUNT_CLASS
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId

__all__ = ["check_payment", "check_receipt", "class_keys"]


def class_keys(stage: int, *account_ids: AccountId | None) -> Iterable[RowKey]:
    """Name the classes behind accounts."""
    if stage == STAGE_ACCOUNT:
        for account_id in account_ids:
            if account_id is not None:
                yield RowKey(ACCOUNT_CLASS, account_id)


def check_payment(working_set: WorkingSet, payer: AccountRow, amount: int) -> None:
    """Refuse a payment that is larger than the payer's class permits.

    Raises:
        Refusal: SINGLE_LIMIT_EXCEEDED.
    """
    found = working_set.get(ACCOUNT_CLASS, payer.account_id)
    if found is None:
        return
    pack = pack_now(working_set)
    rules = pack.classes[found.identification_class]
    limit = pack.amount(rules.single, payer.currency_code)
    if limit is not None and amount > limit:
        raise Refusal(
            "SINGLE_LIMIT_EXCEEDED",
            "the payment is larger than the payer's class of identification permits",
            metadata=_metadata(limit, payer, found.identification_class),
            field="amount",
        )


def check_receipt(working_set: WorkingSet, payee: AccountRow, amount: int, *, own: bool) -> None:
    """Refuse money that would make a balance larger than the payee's class permits.

    What is on its way to the account counts, so that a delayed payment that was let in can also
    arrive.

    Args:
        working_set: with the class behind the account.
        payee: the account that the money comes to.
        amount: in minor units.
        own: whether the caller may know the limit of whose account it is.

    Raises:
        Refusal: BALANCE_LIMIT_EXCEEDED.
    """
    found = working_set.get(ACCOUNT_CLASS, payee.account_id)
    if found is None:
        return
    pack = pack_now(working_set)
    rules = pack.classes[found.identification_class]
    limit = pack.amount(rules.balance, payee.currency_code)
    if limit is not None and payee.posted + payee.credits_pending + amount > limit:
        raise Refusal(
            "BALANCE_LIMIT_EXCEEDED",
            "the receiving wallet would hold more than its class of identification permits",
            metadata=_metadata(limit, payee, found.identification_class) if own else {},
        )


def _metadata(limit: int, account: AccountRow, identification_class: int) -> dict[str, str]:
    return {
        "limit_minor_units": str(limit),
        "currency_code": account.currency_code,
        "identification_class": str(identification_class),
    }
