"""How much one principal may hold open at once, so that none can use up what all share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

QUOTA = "streams_per_principal"
"""Name of the quota in the refusal's metadata."""


class Quota:
    """Counts the open streams of each principal."""

    name = "quota"

    def __init__(self, streams_max: int) -> None:
        """Take the most streams that one principal may have open in this process."""
        self._streams_max = streams_max
        self._open: dict[tuple[str, str], int] = {}

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the counting step for a stream; unary methods proceed without one."""
        if not method.streams:
            return proceed
        streams = self._open
        limit = self._streams_max

        async def step(call: Call, request: Any) -> bytes:
            key = (call.principal.kind, call.principal.subject)
            count = streams.get(key, 0)
            if count >= limit:
                raise Refusal(
                    "QUOTA_EXCEEDED",
                    f"a principal may have {limit} streams open on one connection's server process",
                    metadata={"quota": QUOTA, "limit": str(limit)},
                )
            streams[key] = count + 1
            try:
                return await proceed(call, request)
            finally:
                left = streams[key] - 1
                if left:
                    streams[key] = left
                else:
                    del streams[key]

        return step
