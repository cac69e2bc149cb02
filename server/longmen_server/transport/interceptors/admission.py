"""How many calls of each class may be in work at once; what exceeds that is refused at once.

Refusing costs microseconds, queueing costs everybody's deadline: a server that queues past its
capacity ends up finishing work nobody waits for any more. The classes are separate so that a flood
of reads cannot starve payments, nor either of them the operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method


class Gauge:
    """The calls of one class that are in work."""

    __slots__ = ("in_work", "limit")

    def __init__(self, limit: int) -> None:
        """Begin with none in work; at most `limit` calls will be."""
        self.in_work = 0
        self.limit = limit


class Admission:
    """Admits calls up to a bound for each class."""

    name = "admission"

    def __init__(self, limits: Mapping[str, int]) -> None:
        """Take the most calls in work for each class: "payment", "read", "admin", "stream"."""
        self.classes: Mapping[str, Gauge] = {name: Gauge(limit) for name, limit in limits.items()}

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that counts the call in and out."""
        name = method.admission_class
        gauge = self.classes[name]

        async def step(call: Call, request: Any) -> bytes:
            if gauge.in_work >= gauge.limit:
                raise Refusal(
                    "OVERLOADED",
                    "the server has no room for more calls of this class at the moment",
                    metadata={"class": name},
                )
            gauge.in_work += 1
            try:
                return await proceed(call, request)
            finally:
                gauge.in_work -= 1

        return step
