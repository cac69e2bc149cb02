"""What a merchant is told of a payer who cannot pay: no more than a till needs.

A merchant asks, and the payer's account answers: what it has, why it is frozen and how its owner is
identified are the payer's business. That there is not enough is told, without saying how much is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["payer_state", "told_to_merchant"]

PROBLEMS: Final[Mapping[str, str]] = {
    "ACCOUNT_NOT_FOUND": "ACCOUNT",
    "DEBIT_ACCOUNT_CLOSED": "ACCOUNT",
    "DEBIT_ACCOUNT_FROZEN": "ACCOUNT",
    "RISK_FROZEN": "ACCOUNT",
    "RISK_REJECTED": "RISK",
    "CURRENCY_MISMATCH": "CURRENCY",
    "STEP_UP_UNAVAILABLE": "APPROVAL",
    "SINGLE_LIMIT_EXCEEDED": "LIMIT",
    "LIMIT_EXCEEDED": "LIMIT",
}
"""The payer's own reasons, and what stands for them."""


def payer_state(problem: str) -> Refusal:
    """Return the refusal of a payer who cannot pay this way, by what stands in the way."""
    return Refusal(
        "PAYER_STATE", "the payer cannot pay this way at present", metadata={"problem": problem}
    )


def told_to_merchant(refusal: Refusal) -> Refusal:
    """Return what a merchant is told when a payer's account or its owner's limits refuse."""
    problem = PROBLEMS.get(refusal.reason)
    if problem is not None:
        return payer_state(problem)
    if refusal.reason == "INSUFFICIENT_FUNDS":
        return Refusal(refusal.reason, "the payer does not have enough")
    return refusal
