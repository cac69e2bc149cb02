"""The clearing of development servers: it confirms everything it is sent.

Bank accounts that begin with REFUSE, a dash and a code are refused with that code, so that channel
teams can try what a refusal looks like: "REFUSE-AC04" is refused as a closed account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.transfers.clearing.port import Confirmation, Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.transfers.clearing.port import Instruction

__all__ = ["InstantClearing"]

REFUSED_PREFIX: Final = "REFUSE-"


class InstantClearing:
    """Answers each instruction from its own content."""

    def send(self, book: int, instructions: Sequence[Instruction]) -> None:
        """Take them; the answer is found from the instruction when it is asked for."""

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        """Answer all that wait."""
        del book
        return [Delivery("instant", [_answer(row) for row in awaiting])] if awaiting else []

    def acknowledge(self, book: int, delivery: Delivery) -> None:
        """Forget nothing: there was nothing to remember."""


def _answer(row: Instruction) -> Confirmation:
    refused = row.bank_account.startswith(REFUSED_PREFIX)
    code = row.bank_account.removeprefix(REFUSED_PREFIX) if refused else ""
    return Confirmation(row.transaction_id, confirmed=not refused, code=code)
