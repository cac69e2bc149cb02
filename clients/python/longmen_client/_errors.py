"""The base of every error a call can end with; the classes by reason are generated."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping


class RetryAdvice(enum.Enum):
    """What the contract says a client should do about a refusal."""

    UNKNOWN = "unknown"
    """The status carried no reason, or one that is newer than this client."""
    NEVER = "never"
    """No repetition can succeed."""
    SAME_REQUEST = "same_request"
    """The same request, with the same request id, may be sent again, with jittered back-off."""
    AFTER_BACKOFF = "after_backoff"
    """The same, but not before the delay the server named."""
    AFTER_CHANGE = "after_change"
    """The request, or the state of what it names, has to change first."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that breaks a rule of the contract."""

    field: str
    """Path of the field, such as ``transfers[3].amount``."""
    description: str
    """What the rule demands."""
    rule: str = ""
    """Id of the rule, such as ``string.account_id``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """Everything that is known of a failed call."""

    code: grpc.StatusCode
    """Canonical status code."""
    message: str
    """Text for people."""
    reason: str = ""
    """Name of the reason in the contract; empty when the status carried none."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Facts about the refusal; each reason documents its keys."""
    field_violations: tuple[FieldViolation, ...] = ()
    """Fields at fault, where the server names them."""
    retry_after_ms: int | None = None
    """Delay in milliseconds that the server asked for."""
    method: str = ""
    """Name of the method, such as ``longmen.ledger.v1.LedgerService/CreateTransfers``."""
    request_id: str = ""
    """Request id of the call; empty for reads."""
    attempts: int = 1
    """How often the request was sent."""
    outcome_unknown: bool = False
    """Whether the change may have taken effect in spite of the error."""


class LongmenError(Exception):
    """A call that did not succeed. Subclasses say why, by status code and by reason.

    `outcome_unknown` is the field to look at before anything else after a failed change: when it
    is true, the change may have taken effect (the connection broke, the deadline passed, the
    server lost its database while committing). Never repeat such a change with a new request id.
    Ask again with the same `request_id` and content: the server answers with what happened, or
    does it now, once. When it is false, nothing was changed.
    """

    reason: ClassVar[str] = ""
    """Name of the reason the class stands for; empty for the classes by status code."""
    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    """Status code the class stands for."""
    retry_advice: ClassVar[RetryAdvice] = RetryAdvice.UNKNOWN
    """What the contract advises."""
    metadata_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that `metadata` may have."""

    def __init__(self, details: ErrorDetails) -> None:
        super().__init__(details)
        self.details = details

    @property
    def message(self) -> str:
        """Text for people, without the reason."""
        return self.details.message

    @property
    def metadata(self) -> Mapping[str, str]:
        """Facts about the refusal, by the keys of `metadata_keys`."""
        return self.details.metadata

    @property
    def field_violations(self) -> tuple[FieldViolation, ...]:
        """Fields of the request at fault, where the server names them."""
        return self.details.field_violations

    @property
    def retry_after_ms(self) -> int | None:
        """Delay in milliseconds that the server asked for."""
        return self.details.retry_after_ms

    @property
    def request_id(self) -> str:
        """Request id to ask again with; empty for reads."""
        return self.details.request_id

    @property
    def attempts(self) -> int:
        """How often the request was sent."""
        return self.details.attempts

    @property
    def outcome_unknown(self) -> bool:
        """Whether the change may have taken effect: ask again with the same request id."""
        return self.details.outcome_unknown

    def __str__(self) -> str:
        name = self.details.reason or self.details.code.name
        return f"{name}: {self.details.message}"


class CancelledError(LongmenError):
    """The call was cancelled."""

    code = grpc.StatusCode.CANCELLED


class UnknownError(LongmenError):
    """The status says nothing of use."""

    code = grpc.StatusCode.UNKNOWN


class InvalidArgumentError(LongmenError):
    """The request itself is wrong."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class DeadlineExceededError(LongmenError):
    """The deadline passed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFoundError(LongmenError):
    """Something the request names does not exist, or is not the caller's."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(LongmenError):
    """Something the request would make exists."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDeniedError(LongmenError):
    """The caller may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhaustedError(LongmenError):
    """A limit or quota is used up."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class FailedPreconditionError(LongmenError):
    """The state of something the request names does not allow it: the "no" of the business."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AbortedError(LongmenError):
    """A race was lost."""

    code = grpc.StatusCode.ABORTED


class OutOfRangeError(LongmenError):
    """A number would leave its range."""

    code = grpc.StatusCode.OUT_OF_RANGE


class UnimplementedError(LongmenError):
    """The server does not know the method."""

    code = grpc.StatusCode.UNIMPLEMENTED


class InternalError(LongmenError):
    """Something broke that should not."""

    code = grpc.StatusCode.INTERNAL


class UnavailableError(LongmenError):
    """The server cannot be reached or takes no calls at present."""

    code = grpc.StatusCode.UNAVAILABLE


class DataLossError(LongmenError):
    """Data was lost."""

    code = grpc.StatusCode.DATA_LOSS


class UnauthenticatedError(LongmenError):
    """The call carried no token, or none that the server takes."""

    code = grpc.StatusCode.UNAUTHENTICATED


BY_CODE: Mapping[grpc.StatusCode, type[LongmenError]] = {
    class_.code: class_ for class_ in LongmenError.__subclasses__()
}
"""The class of each status code but OK."""
