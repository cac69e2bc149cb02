"""From a gRPC status to the error a caller sees. The only module that reads google.rpc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from longmen.errors.v1 import error_reason_pb2
from longmen_client._errors import BY_CODE, ErrorDetails, FieldViolation, LongmenError, UnknownError
from longmen_client._generated.errors import BY_REASON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.any_pb2 import Any

DOMAIN = "longmen"
"""Domain of our reasons in google.rpc.ErrorInfo."""

_STATUS_DETAILS = "grpc-status-details-bin"
_ITEM_REFUSED = "this item was refused"


class _Rpc(Protocol):
    """What a finished call of either stack tells."""

    def code(self) -> grpc.StatusCode | None: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


class AttemptFailed(Exception):  # noqa: N818 - an event inside the client, never seen by callers
    """One attempt ended with a status other than OK."""

    def __init__(self, details: ErrorDetails) -> None:
        super().__init__(details)
        self.details = details


def attempt_failed(rpc: _Rpc) -> AttemptFailed:
    """The event for a call that ended with an error."""
    code = rpc.code() or grpc.StatusCode.UNKNOWN
    trailers = rpc.trailing_metadata() or ()
    packed = next((value for key, value in trailers if key == _STATUS_DETAILS), b"")
    status = status_pb2.Status()
    if isinstance(packed, bytes):
        try:
            status = status_pb2.Status.FromString(packed)
        except DecodeError:
            # A proxy's own status: the code and the text still say something.
            status = status_pb2.Status()
    return AttemptFailed(_details(code, rpc.details() or "", status.details))


def _details(code: grpc.StatusCode, message: str, packed: Iterable[Any]) -> ErrorDetails:
    """Everything the details of a status say, each kind of detail at most once."""
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    has_retry = False
    for detail in packed:
        detail.Unpack(info)
        detail.Unpack(bad)
        has_retry = detail.Unpack(retry) or has_retry
    ours = info.domain == DOMAIN
    return ErrorDetails(
        code=code,
        message=message,
        reason=info.reason if ours else "",
        metadata=dict(info.metadata) if ours else {},
        field_violations=tuple(
            FieldViolation(violation.field, violation.description, violation.reason)
            for violation in bad.field_violations
        ),
        retry_after_ms=max(0, retry.retry_delay.ToMilliseconds()) if has_retry else None,
    )


def error_of(details: ErrorDetails) -> LongmenError:
    """The error for a failed call, of the class of its reason or, failing that, of its code."""
    class_ = BY_REASON.get(details.reason) or BY_CODE.get(details.code, UnknownError)
    return class_(details)


def refusal_of(
    reason: error_reason_pb2.ErrorReason.ValueType, metadata: Mapping[str, str]
) -> LongmenError | None:
    """The error of one refused item in a reply of many; None for an item that was not refused.

    It is returned, not raised: the call itself succeeded.
    """
    if reason == error_reason_pb2.ERROR_REASON_UNSPECIFIED:
        return None
    try:
        name = error_reason_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")
    except ValueError:
        name = str(int(reason))  # A server newer than this client: tell the number.
    class_ = BY_REASON.get(name, UnknownError)
    return class_(
        ErrorDetails(code=class_.code, message=_ITEM_REFUSED, reason=name, metadata=dict(metadata))
    )
