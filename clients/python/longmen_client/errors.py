"""Every error a call can end with.

`LongmenError` is the base and explains `outcome_unknown`. Below it stands a class for each status
code (`NotFoundError`) and below those one for each reason of the contract (`AccountNotFound`).
Catch the reason you can handle, and the base for the rest. A reason newer than this client comes
as the class of its status code.
"""

from longmen_client._errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    ErrorDetails,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    LongmenError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    RetryAdvice,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    UnknownError,
)
from longmen_client._failure import error_of, refusal_of
from longmen_client._generated import errors as _reasons
from longmen_client._generated.errors import *  # noqa: F403 - its __all__ is the list of reasons
from longmen_client._generated.errors import BY_REASON

__all__ = [
    "BY_REASON",
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "ErrorDetails",
    "FailedPreconditionError",
    "FieldViolation",
    "InternalError",
    "InvalidArgumentError",
    "LongmenError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "RetryAdvice",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "error_of",
    "refusal_of",
]
__all__ += _reasons.__all__
