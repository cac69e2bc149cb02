"""What an adapter to the bank's clearing is given, and what it gives back.

The queue between the wallets and the clearing is a table, written in the same transaction as the
money's posting. A job hands queued instructions to the adapter and takes confirmations from it. So
an adapter needs no memory: whatever is lost between the two is handed over or answered again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.ids import AccountId, TransactionId

__all__ = ["ClearingAdapter", "Confirmation", "Delivery", "Instruction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What the clearing is asked to do, readable: the number of the bank account is not stored so.

    Its transfer's id is its own: the same instruction may be handed over twice.
    """

    transaction_id: TransactionId
    direction: int
    account_id: AccountId
    """The wallet's account."""
    amount: int
    currency_code: str
    bank_account: str
    reference: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The clearing's answer to one instruction."""

    transaction_id: TransactionId
    confirmed: bool
    code: str
    """Why it was refused, in the clearing's own codes; empty for a confirmed one."""
    returned: bool = False
    """Whether the money came back after it was paid out; then it is not confirmed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Some answers that came together, such as those of one file."""

    name: str
    """What the adapter knows the delivery by."""
    confirmations: Sequence[Confirmation]
    complete: bool = True
    """Whether all of it could be read; what could not be is for somebody to look at."""


class ClearingAdapter(Protocol):
    """One way to the clearing. Its methods may block: the job runs them in a thread."""

    def send(self, book: int, instructions: Sequence[Instruction]) -> None:
        """Hand instructions over, lastingly: they count as sent when this returns.

        An instruction may be handed over again after a crash; its transfer's id tells it is the
        same, and the clearing does it once.

        Raises:
            OSError: the clearing cannot be reached; nothing counts as sent.
        """

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        """Return what has been answered and not acknowledged yet.

        Args:
            book: whose instructions.
            awaiting: some of those that were sent and not answered.

        Raises:
            OSError: the clearing cannot be reached.
        """

    def acknowledge(self, book: int, delivery: Delivery) -> None:
        """Note that a delivery has been dealt with, so that it is not collected again."""
