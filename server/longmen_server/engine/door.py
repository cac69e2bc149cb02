"""The way from a servicer into the engine: a request's key in, its reply and replay mark out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from longmen_server.engine.command import RequestKey
from longmen_server.engine.request_log import request_digest
from longmen_server.engine.trail import Actor, Trail
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.fingerprint import Fingerprint


class Caller(Protocol):
    """Who asks; what transport's Principal offers."""

    @property
    def kind(self) -> str:
        """One of service, customer, staff, merchant."""

    @property
    def subject(self) -> str:
        """The caller's own id within its kind."""


class RequestCall(Protocol):
    """The call a command comes from; what transport's Call offers."""

    @property
    def method(self) -> str:
        """Full method name."""

    @property
    def principal(self) -> Caller:
        """Who asks."""

    @property
    def request_id(self) -> str | None:
        """The request's id."""

    @property
    def request_digest(self) -> Fingerprint | None:
        """Fingerprint of the request's content."""

    @property
    def deadline(self) -> float:
        """Monotonic seconds after which the caller takes no answer."""

    @property
    def actor(self) -> Actor:
        """Who asks, in all that the audit trail keeps."""

    def set_replayed(self) -> None:
        """Mark the answer as an earlier one."""


def request_key(call: RequestCall) -> RequestKey:
    """Return what makes this request the same request when it comes again."""
    fingerprint = call.request_digest
    assert call.request_id is not None, "only methods with a request id change anything"
    assert fingerprint is not None, "the edge fingerprints every request with a request id"
    principal = call.principal
    return RequestKey(
        request_digest(
            principal=f"{principal.kind}:{principal.subject}",
            method=call.method,
            request_id=call.request_id,
        ),
        fingerprint.full + fingerprint.fields,
        Trail(call.actor, call.method, call.request_id),
    )


async def submit(engine: Engine, command: Command, *, request: Message, call: RequestCall) -> bytes:
    """Run a command for a call and return its serialised reply.

    Raises:
        Refusal: as :meth:`Engine.submit`; REQUEST_ID_REUSED with the names of the fields that
        differ.
    """
    try:
        outcome = await engine.submit(command, deadline=call.deadline)
    except Refusal as refusal:
        if refusal.replayed:
            call.set_replayed()
        if refusal.reason == "REQUEST_ID_REUSED":
            refusal.metadata = {"fields": _names(refusal.metadata["fields"], request)}
        raise
    if outcome.replayed:
        call.set_replayed()
    return outcome.reply


def _names(numbers: str, request: Message) -> str:
    known = request.DESCRIPTOR.fields_by_number
    return ",".join(
        known[int(number)].name
        for number in filter(None, numbers.split(","))
        if int(number) in known
    )
