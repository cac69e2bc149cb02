"""Who calls: the bearer token of the call, verified, becomes its principal.

Verifying a signature costs about a hundred microseconds and the same token comes with thousands of
calls, so verified tokens are remembered for some seconds. The memory is bounded and only ever holds
tokens whose signature was good, so that a flood of forged ones cannot push out the real ones.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.platform.ids import CustomerId
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

ANONYMOUS = "anonymous"
"""Kind, and subject, of a caller without a token. All such callers share one scope of request ids:
the ids are random, and a repetition must have the same content, secrets included."""

KEY_SCHEME = "key "
"""The scheme of API keys, in lower case, as it stands before the key."""

NAMES_PROPERTY = "x509_subject_alternative_name"
"""What gRPC calls the names in the client's certificate."""

HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]*[A-Za-z-][A-Za-z0-9-]*)+")
"""A DNS name of two labels at least, none behind the first all digits: no address of either kind,
and no wildcard, which names nobody in particular."""

SCHEME = "bearer "
"""The authentication scheme, in lower case, as it stands before the token."""


class TokenClaims(Protocol):
    """What a verified token says."""

    @property
    def kind(self) -> str:
        """One of "service", "customer", "staff", "merchant"."""

    @property
    def subject(self) -> str:
        """The caller's own id, unique within its kind."""

    @property
    def scopes(self) -> frozenset[str]:
        """What the token permits."""

    @property
    def customer_id(self) -> CustomerId | None:
        """The wallet holder, for customers only."""

    @property
    def token_id(self) -> str:
        """The token's own id."""

    @property
    def session_id(self) -> str | None:
        """The session the token belongs to, if it has one."""

    @property
    def device_id(self) -> str | None:
        """The device the session is bound to, if there is one."""

    @property
    def proof_thumbprint(self) -> str | None:
        """Thumbprint of the key whose possession each call proves, if the token demands that."""

    @property
    def roles(self) -> frozenset[str] | None:
        """Roles of a member of staff; None where the token names none."""

    @property
    def person(self) -> str:
        """The person behind an account of staff."""

    @property
    def branch(self) -> str:
        """The branch of an account of staff."""

    @property
    def expires_at_us(self) -> int:
        """Microseconds since the epoch, UTC, from which the token is no longer good."""


class Doorkeeper(Protocol):
    """Judges calls whose token is bound to a key or belongs to a session."""

    async def admit(self, call: Call, token: str, *, writes: bool) -> None:
        """Let a call pass, and note what its request's bytes must be.

        Raises:
            Refusal: PROOF_MISSING, PROOF_INVALID, SESSION_EXPIRED, SESSION_REVOKED,
                SESSIONS_UNKNOWN.
        """

    def check(self, principal: Principal) -> None:
        """Refuse to send more to a session that has ended since its call was let in.

        Raises:
            Refusal: SESSION_EXPIRED, SESSION_REVOKED, SESSIONS_UNKNOWN.
        """


class Keyring(Protocol):
    """Verifies API keys and the signatures that come with them."""

    async def admit(
        self, call: Call, credential: str, method: Method, identities: Sequence[str] = ()
    ) -> None:
        """Set the principal of a call, and what its request has to be; raise Refusal otherwise."""

    async def admit_certificate(self, call: Call, identities: Sequence[str]) -> None:
        """Set the principal of a call with a client certificate; raise Refusal otherwise."""


class TokenVerifier(Protocol):
    """Verifies tokens."""

    def verify(self, token: str) -> TokenClaims:
        """Return the claims of a good token; raise Refusal TOKEN_INVALID or TOKEN_EXPIRED."""


class Authn:
    """Finds out who calls."""

    name = "authn"

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        now_us: Callable[[], int],
        remembered_max: int,
        remembered_s: float,
        doorkeeper: Doorkeeper | None = None,
        keyring: Keyring | None = None,
        certificates: bool = False,
    ) -> None:
        """Take what the step needs.

        Args:
            verifier: Verifies tokens seen for the first time.
            now_us: The trusted clock, in microseconds since the epoch; tokens expire by it.
            remembered_max: Most verified tokens remembered; the oldest are forgotten first.
            remembered_s: Seconds after which a remembered token is verified again.
            doorkeeper: Judges calls with bound tokens; None takes no such token.
            keyring: Verifies API keys; None takes none.
            certificates: Whether callers may come with client certificates, which a keyring knows.
        """
        self._certificates = certificates and keyring is not None
        self._doorkeeper = doorkeeper
        self._keyring = keyring
        self._verifier = verifier
        self._now_us = now_us
        self._remembered_max = remembered_max
        self._remembered_us = int(remembered_s * 1_000_000)
        self._remembered: dict[str, tuple[Principal, int]] = {}

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that sets the call's principal."""
        remembered = self._remembered
        now_us = self._now_us
        doorkeeper = self._doorkeeper
        writes, streams = method.writes, method.streams
        keyring = self._keyring
        identities_of = client_identities if self._certificates else _no_identities
        stranger = _stranger(method) if ANONYMOUS in method.principal_kinds else None

        async def step(call: Call, request: Any) -> bytes:
            authorization = call.authorization
            if authorization is None:
                if keyring is not None and (names := identities_of(call)):
                    await keyring.admit_certificate(call, names)
                    return await proceed(call, request)
                if stranger is None:
                    raise Refusal(
                        "TOKEN_MISSING", "the call needs authorization metadata: Bearer <token>"
                    )
                call.principal = stranger
                return await proceed(call, request)
            if keyring is not None and authorization[: len(KEY_SCHEME)].lower() == KEY_SCHEME:
                shown = authorization[len(KEY_SCHEME) :].strip()
                await keyring.admit(call, shown, method, identities_of(call))
                return await proceed(call, request)
            known = remembered.get(authorization)
            if known is None or known[1] <= now_us():
                call.principal = self._verify(authorization)
            else:
                call.principal = known[0]
            principal = call.principal
            if principal.proof_thumbprint is not None or principal.session_id is not None:
                if doorkeeper is None:
                    raise Refusal("PROOF_INVALID", "no token bound to a key is taken here")
                await doorkeeper.admit(call, authorization[len(SCHEME) :].strip(), writes=writes)
                if streams:
                    call.check = partial(doorkeeper.check, principal)
            return await proceed(call, request)

        return step

    def _verify(self, authorization: str) -> Principal:
        """Verify authorization metadata and remember its principal until the token expires."""
        self._remembered.pop(authorization, None)
        if authorization[: len(SCHEME)].lower() != SCHEME:
            raise Refusal("TOKEN_MISSING", "the authorization metadata must be: Bearer <token>")
        claims = self._verifier.verify(authorization[len(SCHEME) :].strip())
        principal = Principal(
            kind=claims.kind,
            subject=claims.subject,
            scopes=claims.scopes,
            customer_id=claims.customer_id,
            token_id=claims.token_id,
            session_id=claims.session_id,
            device_id=claims.device_id,
            proof_thumbprint=claims.proof_thumbprint,
            roles=claims.roles,
            person=claims.person,
            branch=claims.branch,
        )
        if len(self._remembered) >= self._remembered_max:
            del self._remembered[next(iter(self._remembered))]
        until = min(claims.expires_at_us, self._now_us() + self._remembered_us)
        self._remembered[authorization] = (principal, until)
        return principal


def client_identities(call: Call) -> Sequence[str]:
    """Return the names in the client certificate of a call: SPIFFE ids, then DNS names.

    TLS has verified chain and validity before any call comes. gRPC gives all subject alternative
    names in one list; what has a scheme is a URI, and nothing but a DNS name is left unnamed here.
    """
    context = call.wire.auth_context()
    names = [name.decode("ascii", "replace") for name in context.get(NAMES_PROPERTY, ())]
    spiffe = [name for name in names if name.startswith("spiffe://")]
    hosts = [f"dns:{name.lower()}" for name in names if HOST.fullmatch(name)]
    return [*spiffe, *hosts]


def _no_identities(call: Call) -> Sequence[str]:
    """Return none, where no client certificate is asked for."""
    del call
    return ()


def _stranger(method: Method) -> Principal:
    """Return the principal of a method's callers without a token: good for this method alone."""
    return Principal(
        kind=ANONYMOUS,
        subject=ANONYMOUS,
        scopes=frozenset({method.scope}),
        customer_id=None,
        token_id="",
    )
