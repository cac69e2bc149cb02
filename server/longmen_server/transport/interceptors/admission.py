"""How many calls of each class may be in work at once; what exceeds that is refused at once.

Refusing costs microseconds, queueing costs everybody's deadline: a server that queues past its
capacity ends up finishing work nobody waits for any more. The classes are separate so that a flood
of reads cannot starve payments, nor either of them the operator.

Two things follow from how long calls take. When most calls of a class take longer than they should,
the database or the machine is slower than usual, and fewer are let in until that is over: the limit
of the class shrinks by a tenth with every window of calls, and grows back the same way. And a call
whose deadline is nearer than half the time that such calls take at present is refused unbegun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

WINDOW_CALLS: Final = 64
"""Calls after which a limit is thought over."""

SHRINKS: Final = 0.9
FLOOR_SHARE: Final = 8
"""A limit never falls below its maximum divided by this."""

WEIGHT: Final = 0.1
"""How much the latest call counts in the time that calls of a method take."""

HOPELESS_SHARE: Final = 0.5
"""Share of that time below which the rest of a deadline is hopeless: times scatter."""

FORGETS: Final = 0.9
"""How much of that time is left after a call was refused for it. So a method that was slow once is
soon tried again, whoever calls it."""

ADAPTIVE: Final = frozenset({"payment", "read"})
"""Classes whose limit follows from their latency; streams last as long as they last."""


class Gauge:
    """The calls of one class that are in work, and how many may be."""

    __slots__ = ("_calls", "_floor", "_slow", "in_work", "limit", "most", "target_s")

    def __init__(self, most: int, target_s: float) -> None:
        """Begin with none in work.

        Args:
            most: Calls that may ever be in work at once.
            target_s: Seconds that a call should take at most; zero leaves the limit as it is.
        """
        self.in_work = 0
        self.most = most
        self.limit = most
        self.target_s = target_s
        self._floor = max(1, most // FLOOR_SHARE)
        self._calls = 0
        self._slow = 0

    def note(self, took_s: float) -> None:
        """Note how long a call took, and think the limit over after a window of them."""
        self._calls += 1
        if took_s > self.target_s:
            self._slow += 1
        if self._calls >= WINDOW_CALLS:
            if 2 * self._slow > self._calls:
                self.limit = max(self._floor, int(self.limit * SHRINKS))
            elif self.limit < self.most:
                self.limit = min(self.most, int(self.limit / SHRINKS) + 1)
            self._calls = self._slow = 0


class Pace:
    """How long calls of one method that succeed take at present."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.seconds = 0.0

    def note(self, took_s: float) -> None:
        """Note how long a call took."""
        self.seconds += (took_s - self.seconds) * WEIGHT

    def hopeless(self, left_s: float) -> bool:
        """Whether a call with this much time left would hardly be answered in time."""
        if left_s >= self.seconds * HOPELESS_SHARE:
            return False
        self.seconds *= FORGETS
        return True


class Admission:
    """Admits calls up to a bound for each class."""

    name = "admission"

    def __init__(
        self,
        limits: Mapping[str, int],
        *,
        targets_s: Mapping[str, float],
        monotonic: Callable[[], float],
    ) -> None:
        """Take the limits.

        Args:
            limits: Most calls in work for each class: "payment", "read", "admin", "stream".
            targets_s: Seconds that calls of a class should take at most; a class that is not named
                keeps its limit.
            monotonic: The clock of deadlines, in seconds.
        """
        self.classes: Mapping[str, Gauge] = {
            name: Gauge(limit, targets_s.get(name, 0.0)) for name, limit in limits.items()
        }
        self._monotonic = monotonic

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that counts the call in and out."""
        gauge = self.classes[method.admission_class]
        if method.admission_class in ADAPTIVE and not method.streams and gauge.target_s:
            return self._adaptive(method, gauge, proceed)

        async def step(call: Call, request: Any) -> bytes:
            if gauge.in_work >= gauge.limit:
                raise _overloaded(method)
            gauge.in_work += 1
            try:
                return await proceed(call, request)
            finally:
                gauge.in_work -= 1

        return step

    def _adaptive(self, method: Method, gauge: Gauge, proceed: Step) -> Step:
        """Return the step that also looks at how long calls take."""
        monotonic = self._monotonic
        pace = Pace()

        async def step(call: Call, request: Any) -> bytes:
            if gauge.in_work >= gauge.limit:
                raise _overloaded(method)
            begun = monotonic()
            if pace.hopeless(call.deadline - begun):
                raise Refusal(
                    "DEADLINE_EXCEEDED",
                    "the deadline leaves less time than such calls take at the moment",
                )
            gauge.in_work += 1
            try:
                reply = await proceed(call, request)
                pace.note(monotonic() - begun)
                return reply
            finally:
                gauge.in_work -= 1
                gauge.note(monotonic() - begun)

        return step


def _overloaded(method: Method) -> Refusal:
    return Refusal(
        "OVERLOADED",
        "the server has no room for more calls of this class at the moment",
        metadata={"class": method.admission_class},
    )
