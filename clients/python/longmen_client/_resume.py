"""The life of one stream over its connections, without any I/O."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from longmen_client._methods import Resume
from longmen_client._retry import TOKEN_EXPIRED, Backoff, full_jitter, may_repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_client._config import RetryPolicy
    from longmen_client._errors import ErrorDetails
    from longmen_client._methods import Method

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


class Resumption(Generic[Q, R]):
    """Where a stream stands, and whether it goes on after its connection broke."""

    def __init__(
        self,
        method: Method[Q, R],
        request: Q,
        *,
        deadline_ms: int | None,
        policy: RetryPolicy,
        retry: bool = True,
        renewable_token: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = full_jitter,
    ) -> None:
        self._method = method
        self._request = request
        self._monotonic = monotonic
        self._ends = None if deadline_ms is None else monotonic() + deadline_ms / 1000
        self._policy = policy
        self._jitter = jitter
        self._backoff = Backoff(policy, jitter)
        self._resumes = retry and method.resume is not Resume.NEVER
        self._renewable_token = renewable_token
        self._renewed = False
        self._broken_since: float | None = None
        self._last: R | None = None
        self._reconnected = False
        self.connections = 0

    def connect(self) -> tuple[Q, float]:
        """The request to open the next connection with, and its deadline in seconds."""
        self.connections += 1
        longest_s = self._method.maximum_deadline_ms / 1000
        if self._ends is None:
            return self._request, longest_s
        return self._request, min(longest_s, max(0.001, self._ends - self._monotonic()))

    def accept(self, message: R) -> bool:
        """Note a message; False when it repeats what was delivered before the connection broke."""
        self._broken_since = None
        self._renewed = False
        self._backoff = Backoff(self._policy, self._jitter)
        repeated = (
            self._reconnected
            and self._method.resume is Resume.RESTART
            and self._last is not None
            and message == self._last
        )
        self._reconnected = False
        self._last = message
        if self._method.resume is Resume.CURSOR:
            self._remember(message)
        return not repeated

    def delay_after(self, details: ErrorDetails) -> float | None:
        """Seconds to wait before reconnecting; None when the failure is final."""
        now = self._monotonic()
        if self._ends is not None and now >= self._ends:
            return None
        if details.reason == TOKEN_EXPIRED and self._renewable_token and not self._renewed:
            self._renewed = self._reconnected = True
            return 0.0
        if not self._resumes or not self._goes_on_after(details):
            return None
        if self._last is None and self.connections >= self._policy.max_attempts:
            # Never begun: that is no outage to sit out but a call that fails.
            return None
        self._broken_since = now if self._broken_since is None else self._broken_since
        delay_s = self._backoff.next_s(details.retry_after_ms)
        if now + delay_s - self._broken_since > self._policy.reconnect_for_ms / 1000:
            return None
        self._reconnected = True
        return delay_s

    @staticmethod
    def _goes_on_after(details: ErrorDetails) -> bool:
        """A stream outlives what a call does, and the deadline of its own connection."""
        return may_repeat(details) or details.code is grpc.StatusCode.DEADLINE_EXCEEDED

    def _remember(self, message: R) -> None:
        """Resume after this message from now on."""
        cursor = getattr(message, "cursor")  # noqa: B009 - CURSOR methods have the field, their base type does not say so
        resumed = type(self._request)()
        resumed.CopyFrom(self._request)
        setattr(resumed, "cursor", cursor)  # noqa: B010 - the same
        self._request = resumed
