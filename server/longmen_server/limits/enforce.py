"""The one place that lets a movement of money pass its limits, or refuses it. Pure.

Commands that move a customer's money name the rows that limits need together with their accounts,
and call :func:`reserve` with the movement after they have found out what it is to be, and before
they ask for approval and book. Accounts of wallets without a class, and those the bank has of its
own, have no limits by class. Withdrawals to a bank account, refunds and what comes back are no
payments: they are never refused for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import NOTHING
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.kyc.standing import pack_now
from longmen_server.kyc.tables import ACCOUNT_CLASS
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits.movement import MovementKind
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.challenges.model import Decision
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.limits.movement import Movement
    from longmen_server.platform.ids import AccountId

__all__ = ["check", "check_single", "keys", "reserve"]

NO_PAYMENTS = frozenset({MovementKind.WITHDRAWAL, MovementKind.TOP_UP})
"""Movements that no cap on payments binds."""


def keys(
    stage: int, *, payer_id: AccountId | None = None, payee_id: AccountId | None = None
) -> Iterable[RowKey]:
    """Name what :func:`reserve` needs of the accounts of a movement, besides the accounts."""
    if stage == STAGE_ACCOUNT:
        for account_id in (payer_id, payee_id):
            if account_id is not None:
                yield RowKey(ACCOUNT_CLASS, account_id)


def reserve(working_set: WorkingSet, movement: Movement) -> Decision:
    """Let a movement pass, and count it where it is counted; return what has to approve it.

    Raises:
        Refusal: as :func:`check`.
    """
    return check(working_set, movement)


def check(working_set: WorkingSet, movement: Movement) -> Decision:
    """Refuse a movement that its limits do not let, and count nothing.

    The accounts of the movement are loaded and there. What is returned is the least that limits
    demand to approve it, beside what the policy of step-up does.

    Raises:
        Refusal: SINGLE_LIMIT_EXCEEDED, BALANCE_LIMIT_EXCEEDED.
    """
    if movement.payer_id is not None and _is_payment(movement):
        payer = working_set.get(ACCOUNT, movement.payer_id)
        assert payer is not None, "the caller has found the account"
        check_single(working_set, payer, movement.whole)
    if movement.payee_id is not None:
        _check_receipt(working_set, movement)
    return NOTHING


def _is_payment(movement: Movement) -> bool:
    """Whether caps on payments bind: between own accounts of one currency none is made."""
    if movement.kind in NO_PAYMENTS:
        return False
    return not movement.is_own or movement.kind == MovementKind.CONVERSION


def check_single(working_set: WorkingSet, payer: AccountRow, amount: int) -> None:
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


def _check_receipt(working_set: WorkingSet, movement: Movement) -> None:
    """Refuse money that would make a balance larger than the payee's class permits.

    What is on its way to the account counts, so that a delayed payment that was let in can also
    arrive. How well somebody else is known to the bank, the payer is not told.

    Raises:
        Refusal: BALANCE_LIMIT_EXCEEDED.
    """
    assert movement.payee_id is not None, "the caller asks for movements that arrive"
    found = working_set.get(ACCOUNT_CLASS, movement.payee_id)
    payee = working_set.get(ACCOUNT, movement.payee_id)
    if found is None or payee is None:
        return
    pack = pack_now(working_set)
    rules = pack.classes[found.identification_class]
    limit = pack.amount(rules.balance, payee.currency_code)
    amount = movement.amount if movement.payee_amount is None else movement.payee_amount
    if limit is not None and payee.posted + payee.credits_pending + amount > limit:
        told = _metadata(limit, payee, found.identification_class) if movement.is_own else {}
        raise Refusal(
            "BALANCE_LIMIT_EXCEEDED",
            "the receiving wallet would hold more than its class of identification permits",
            metadata=told,
        )


def _metadata(limit: int, account: AccountRow, identification_class: int) -> dict[str, str]:
    return {
        "limit_minor_units": str(limit),
        "currency_code": account.currency_code,
        "identification_class": str(identification_class),
    }
