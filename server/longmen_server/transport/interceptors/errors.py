"""The only place where an exception becomes a status.

A `Refusal` becomes the status its reason stands for. Anything else is a fault of ours: the caller
gets an incident id and nothing of the exception, whose text may hold SQL, names or secrets; the log
gets the rest. Cancellation passes through untouched, because grpc.aio has to see it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import structlog

from longmen_server.platform.refusal import Refusal
from longmen_server.transport import status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

INCIDENT_BYTES = 8
"""Random bytes in an incident id: enough to find one line in a log, and not guessable."""

REUSED = "REQUEST_ID_REUSED"
"""The reason whose metadata names fields of the request, which below the edge are numbers."""

_log = structlog.stdlib.get_logger(__name__)


class Errors:
    """Turns exceptions into statuses."""

    name = "errors"

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that catches what the inner steps raise."""
        fields = {str(f.number): f.name for f in method.request_class.DESCRIPTOR.fields}

        async def step(call: Call, request: Any) -> bytes:
            try:
                return await proceed(call, request)
            except Refusal as refusal:
                # A recorded refusal that the engine gives again says so.
                call.replayed = getattr(refusal, "replayed", False)
                if refusal.reason == REUSED:
                    name_fields(refusal, fields)
                call.refuse(_render(refusal, method))
            except Exception as fault:  # noqa: BLE001 - the funnel for everything unforeseen
                call.refuse(_incident(fault, method))
            return b""

        return step


def name_fields(refusal: Refusal, names: Mapping[str, str]) -> None:
    """Put the names of the request's fields for the numbers that the engine knows them by."""
    numbers = refusal.metadata.get("fields", "").split(",")
    named = ",".join(names.get(number, number) for number in numbers)
    refusal.metadata = {**refusal.metadata, "fields": named}


def _render(refusal: Refusal, method: Method) -> status.Status:
    """Render a refusal; one with a reason that is not in the contract is a fault of ours."""
    try:
        return status.of_refusal(refusal)
    except LookupError as fault:
        return _incident(fault, method)


def _incident(fault: Exception, method: Method) -> status.Status:
    """Log what happened under a new incident id; return the status that names the id alone."""
    incident_id = secrets.token_hex(INCIDENT_BYTES)
    _log.error("call_failed", method=method.path, incident_id=incident_id, exc_info=fault)
    return status.of_incident(incident_id)
