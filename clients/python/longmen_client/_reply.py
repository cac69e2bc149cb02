"""What a change answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Reply(Generic[M]):
    """The reply to a change, and how it came about."""

    message: M
    """The contract's reply."""
    request_id: str
    """Request id the change was made under."""
    replayed: bool
    """True when the change had been made before: this is its first reply again."""
    attempts: int
    """How often the request was sent."""

    @property
    def committed_at(self) -> str:
        """Token of the moment the change became durable; reads take it as at_least_as_fresh."""
        token: str = getattr(self.message, "committed_at", "")
        return token
