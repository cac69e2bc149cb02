"""The one way to say a business or protocol "no".

Owns the exception every layer raises; knows nothing of gRPC. The transport turns a refusal into a
status by the rule the contract declares on its reason.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refusal"]

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A "no" that the caller is meant to read and act on.

    Attributes:
        reason: A value name of `longmen.errors.v1.ErrorReason` without its prefix.
        message: One English sentence for the caller; every dynamic part of it is in `metadata` too.
        metadata: Keys the reason documents, all values as text.
        field: Dotted path of the request field at fault, when one is.
        replayed: Whether an earlier call with the same request id was refused so before.
        final: Whether the request id is used up by it. When False the engine records nothing under
            the id, so that the same request can be sent again once what was missing is there.
        audited: Whether the audit trail has it already.
        retry_ms: Milliseconds after which the caller may come again, where that is known.
    """

    __slots__ = (
        "audited",
        "field",
        "final",
        "message",
        "metadata",
        "reason",
        "replayed",
        "retry_ms",
    )

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] = NOTHING,
        field: str | None = None,
    ) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.field = field
        self.replayed = False
        self.final = True
        self.audited = False
        self.retry_ms: int | None = None

    def __str__(self) -> str:
        """Reason and sentence, for logs."""
        return f"{self.reason}: {self.message}"
