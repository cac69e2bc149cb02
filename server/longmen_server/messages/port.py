"""The port of delivery: what every way of sending messages offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from longmen_server.messages.model import Letter

__all__ = ["Carrier", "UndeliverableError"]


class UndeliverableError(Exception):
    """A letter was not taken.

    Attributes:
        failure: why, in a word that may be stored and logged; never a text of the provider's, which
            could repeat the letter.
        final: whether trying again is of no use.
    """

    def __init__(self, failure: str, *, final: bool) -> None:
        super().__init__(failure)
        self.failure = failure
        self.final = final


class Carrier(Protocol):
    """Takes letters to their recipients. The same letter may be given twice: its id is the same."""

    async def deliver(self, letter: Letter) -> None:
        """Hand a letter over; return when the provider has taken it.

        Raises:
            UndeliverableError: it was not taken.
        """

    async def close(self) -> None:
        """Let go of connections."""
