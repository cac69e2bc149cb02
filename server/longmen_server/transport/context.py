"""What a servicer knows of its call: who calls, until when, under which request id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from longmen_server.engine.trail import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    import grpc

    from longmen_server.platform.fingerprint import Fingerprint
    from longmen_server.platform.ids import CustomerId
    from longmen_server.transport.status import Status

REPLAYED_TRAILER = ("request-replayed", "true")
"""Trailing metadata of a reply that an earlier call with the same request id has earned."""

DETAILS_TRAILER = "grpc-status-details-bin"
"""Trailing metadata that carries the serialised google.rpc.Status, by gRPC's convention."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a verified token speaks for."""

    kind: str
    """One of "service", "customer", "staff", "merchant", "anonymous"."""
    subject: str
    """The caller's own id, unique within its kind; part of the scope of request ids."""
    scopes: frozenset[str]
    """What the token permits, for example "ledger.write"."""
    customer_id: CustomerId | None
    """The wallet holder, for customers only."""
    token_id: str
    """The token's own id, for audit; empty for an anonymous caller."""
    session_id: str | None = None
    """The session the token belongs to, "sess_..."; None for tokens without one."""
    device_id: str | None = None
    """The device the session is bound to, "dev_..."; None for tokens without a session."""
    proof_thumbprint: str | None = None
    """RFC 7638 thumbprint of the key whose possession each call proves; None where none is."""
    roles: frozenset[str] | None = None
    """What a member of staff is employed as; None for others, and for development tokens of staff
    that name no role and so are held to none."""
    person: str = ""
    """The human being behind an account of staff, who may have several accounts."""
    branch: str = ""
    """The branch that an account of staff is bound to; empty for the whole bank."""


class Wire(Protocol):
    """The part of grpc.aio's servicer context that the edge uses."""

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """Return the caller's metadata."""

    def peer(self) -> str:
        """Return the caller's address as gRPC writes it, "ipv4:192.0.2.1:443"."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what TLS has found out about the caller; empty without a client certificate."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None when the caller set none."""

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set the status code of the reply."""

    def set_details(self, details: str) -> None:
        """Set the status message of the reply."""

    def set_trailing_metadata(self, trailing_metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        """Set the trailing metadata of the reply."""

    def send_initial_metadata(
        self, initial_metadata: tuple[tuple[str, str | bytes], ...]
    ) -> Awaitable[None]:
        """Send the headers of the reply, ahead of its first message."""

    def read(self) -> Awaitable[object]:
        """Receive the request's bytes; something else if the caller ends the call without any."""

    def write(self, message: bytes) -> Awaitable[None]:
        """Send one message of a stream."""


class Call:
    """One call on its way through the edge; made on arrival, filled in step by step.

    Servicers read `method`, `principal`, `request_id`, `request_digest` and `deadline`, and may say
    `set_replayed()`. The other attributes belong to the edge.
    """

    __slots__ = (
        "_address",
        "authorization",
        "body_digest",
        "check",
        "deadline",
        "method",
        "principal",
        "replayed",
        "request_digest",
        "request_id",
        "signed_digest",
        "status",
        "wire",
    )

    method: str
    """Full name of the method, "longmen.ledger.v1.LedgerService/CreateTransfers"."""
    principal: Principal
    """Who calls; absent (AttributeError) until authentication has passed."""
    request_id: str | None
    """The request's request_id, for methods that have one; set by validation."""
    request_digest: Fingerprint | None
    """Fingerprint of the request's content, for methods with a request_id; set by validation."""
    check: Callable[[], None] | None
    """Refuses a caller who may be sent nothing more, for streams that outlive what let them in.
    None where nothing does. Set by authentication."""
    deadline: float
    """The moment, in monotonic seconds, after which the caller takes no answer."""
    authorization: str | None
    """The authorization metadata, until authentication has consumed it."""
    body_digest: bytes | None
    """SHA-256 that the request's bytes must have, as the caller's proof says; None if it does not
    say."""
    signed_digest: bytes | None
    """SHA-256 of the request's bytes that the caller has signed; None for unsigned calls."""
    status: Status | None
    """The status the call was refused with; None means OK so far."""
    replayed: bool
    """Whether the answer is that of an earlier call with the same request id."""
    wire: Wire
    """grpc.aio's side of the call."""

    def __init__(self, method: str, wire: Wire) -> None:
        self.method = method
        self.wire = wire
        self.request_id = None
        self.request_digest = None
        self.deadline = 0.0
        self.authorization = None
        self.body_digest = None
        self.check = None
        self.signed_digest = None
        self.status = None
        self.replayed = False
        self._address: str | None = None

    @property
    def address(self) -> str:
        """Where the call comes from: the peer's address, or what a trusted proxy says it is."""
        if self._address is None:
            self._address = host_of(self.wire.peer())
        return self._address

    @address.setter
    def address(self, address: str) -> None:
        self._address = address

    @property
    def actor(self) -> Actor:
        """Who calls, in all that the audit trail keeps; empty texts before authentication."""
        peer = self.address
        try:
            who = self.principal
        except AttributeError:
            return Actor("", "", "", "", "", peer)
        return Actor(
            who.kind, who.subject, who.token_id, who.session_id or "", who.device_id or "", peer
        )

    def set_replayed(self) -> None:
        """Tell the caller, by a trailer, that the answer is an earlier one given again."""
        self.replayed = True
        self.wire.set_trailing_metadata((REPLAYED_TRAILER,))

    def refuse(self, status: Status) -> None:
        """End the call with a status that is not OK; whatever message is returned is discarded."""
        self.status = status
        trailers: tuple[tuple[str, str | bytes], ...] = ((DETAILS_TRAILER, status.details),)
        if self.replayed:
            trailers = (*trailers, REPLAYED_TRAILER)
        wire = self.wire
        wire.set_code(status.code)
        wire.set_details(status.message)
        wire.set_trailing_metadata(trailers)


def host_of(peer: str) -> str:
    """Return the address in gRPC's name of a peer, without scheme, brackets and port.

    "ipv4:192.0.2.1:443" gives "192.0.2.1", "ipv6:%5B::1%5D:443" gives "::1"; what is no such name
    comes back as it is.
    """
    scheme, _, rest = peer.partition(":")
    if scheme == "ipv4":
        return rest.rpartition(":")[0]
    if scheme == "ipv6":
        return unquote(rest).rpartition(":")[0].strip("[]")
    return peer
