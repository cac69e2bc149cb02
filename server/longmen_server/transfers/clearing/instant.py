"""The clearing of development servers: it confirms everything it is sent.

Bank accounts that begin with REFUSE, a dash and a code are refused with that code, so that channel
teams can try what a refusal looks like: "REFUSE-AC04" is refused as a closed account. What is paid
out to one that begins with RETURN instead is confirmed, and then sent back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.transfers.clearing.port import Confirmation, Delivery
from longmen_server.transfers.model import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from longmen_server.transfers.clearing.port import Instruction

__all__ = ["InstantClearing"]

REFUSED_PREFIX: Final = "REFUSE-"
RETURNED_PREFIX: Final = "RETURN-"


class InstantClearing:
    """Answers each instruction from its own content."""

    def send(self, book: int, instructions: Sequence[Instruction]) -> None:
        """Take them; the answer is found from the instruction when it is asked for."""

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        """Answer all that wait."""
        del book
        answers = [answer for row in awaiting for answer in _answers(row)]
        return [Delivery("instant", answers)] if answers else []

    def acknowledge(self, book: int, delivery: Delivery) -> None:
        """Forget nothing: there was nothing to remember."""


def _answers(row: Instruction) -> Iterator[Confirmation]:
    account = row.bank_account
    refused = account.startswith(REFUSED_PREFIX)
    code = account.removeprefix(REFUSED_PREFIX) if refused else ""
    yield Confirmation(row.transaction_id, confirmed=not refused, code=code)
    if account.startswith(RETURNED_PREFIX) and row.direction == Direction.PAY_OUT:
        code = account.removeprefix(RETURNED_PREFIX)
        yield Confirmation(row.transaction_id, confirmed=False, code=code, returned=True)
