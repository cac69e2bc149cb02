"""Judges calls with tokens that are bound to a device's key and to a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.identity.watch import SessionWatch
    from longmen_server.platform.proofs import ProofChecker
    from longmen_server.transport.context import Call, Principal

__all__ = ["SessionDoorkeeper"]

PROOF_KEY: Final = "dpop"
"""Metadata key of proofs."""


class SessionDoorkeeper:
    """Checks the proof of each call first, then whether its session goes on."""

    def __init__(self, proofs: ProofChecker, watches: Mapping[str, SessionWatch]) -> None:
        """Take what checks proofs, and what knows the sessions of each kind of principal."""
        self._proofs = proofs
        self._watches = watches

    async def admit(self, call: Call, token: str, *, writes: bool) -> None:
        """Let a call pass, and note what its request's bytes must be.

        Raises:
            Refusal: PROOF_MISSING, PROOF_INVALID, SESSION_EXPIRED, SESSION_REVOKED,
                SESSIONS_UNKNOWN.
        """
        principal = call.principal
        if principal.proof_thumbprint is not None:
            digest = self._proofs.check(
                _proof_of(call),
                method=f"/{call.method}",
                token=token,
                thumbprint=principal.proof_thumbprint,
            )
            if digest is None and writes:
                raise Refusal("PROOF_INVALID", "the proof does not say for which request it is")
            call.body_digest = digest
        if principal.session_id is not None:
            watch = self._watches.get(principal.kind)
            if watch is None:
                raise Refusal("SESSION_REVOKED", "no sessions of this kind are kept here")
            await watch.admit(principal.session_id, deadline=call.deadline)

    def check(self, principal: Principal) -> None:
        """Refuse to send more to a session that has ended since its call was let in.

        Raises:
            Refusal: SESSION_EXPIRED, SESSION_REVOKED, SESSIONS_UNKNOWN.
        """
        watch = self._watches.get(principal.kind)
        if watch is not None and principal.session_id is not None:
            watch.check(principal.session_id)


def _proof_of(call: Call) -> str:
    """Return the metadata of the proof; the edge has seen to it that there is at most one."""
    for key, value in call.wire.invocation_metadata() or ():
        if key == PROOF_KEY and isinstance(value, str):
            return value
    raise Refusal("PROOF_MISSING", "the token is bound to a key: the call needs a proof in dpop")
