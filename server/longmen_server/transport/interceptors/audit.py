"""What the audit trail keeps of calls that the engine never sees: denials, and looks that matter.

What changes something is kept by the engine, in the transaction of the change. Here stand refusals
for want of authentication or permission, of whatever method, and the calls of methods whose audit
class says that even looking is kept. A call that has to be in the trail is refused before it begins
when the trail cannot be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc

from longmen.type.v1 import policy_pb2
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.status import RULES

if TYPE_CHECKING:
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

DENIALS: Final = frozenset(
    reason
    for reason, rule in RULES.items()
    if rule.code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
)
"""Reasons that say that somebody may not, or was not recognised."""


class Trail(Protocol):
    """Where records go."""

    def demand(self) -> None:
        """Refuse with AUDIT_UNAVAILABLE unless whatever happens now can be kept."""

    def note(self, call: Call, reason: str) -> None:
        """Keep that a call ended: why it was refused, or "" for a success."""


class Audit:
    """Tells the trail what it keeps of each method."""

    name = "audit"

    def __init__(self, trail: Trail | None) -> None:
        """Take where records go; None keeps nothing, for an edge that serves no bank."""
        self._trail = trail

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step for a method."""
        trail = self._trail
        if trail is None:
            return proceed
        keeps_looks = method.audit_class == policy_pb2.AUDIT_CLASS_ACCESS
        demands = keeps_looks or method.writes

        async def step(call: Call, request: Any) -> bytes:
            if demands:
                trail.demand()
            try:
                reply = await proceed(call, request)
            except Refusal as refusal:
                if not refusal.audited and (keeps_looks or refusal.reason in DENIALS):
                    trail.note(call, refusal.reason)
                raise
            if keeps_looks:
                trail.note(call, "")
            return reply

        return step
