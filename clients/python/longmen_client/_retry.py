"""The life of one logical call over its attempts, without any I/O: both stacks drive it."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

import grpc

from longmen.errors.v1 import error_reason_pb2
from longmen_client._errors import ErrorDetails, RetryAdvice
from longmen_client._failure import error_of
from longmen_client._generated.errors import BY_REASON

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_client._config import RetryPolicy
    from longmen_client._methods import Method

TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - the name of a reason

DOUBTFUL_REASONS = frozenset({"DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN", "INTERNAL"})
"""Reasons of the contract that do not exclude that the change took effect; all others do."""

_FIRST_DECISION = 100
"""Reasons are numbered from here when the books themselves decided, under the request id."""

_NEVER_SENT = ("failed to connect to all addresses", "connections to all backends failing")
"""How gRPC begins its text when a call found no connection to leave by."""

_AGAIN = (RetryAdvice.SAME_REQUEST, RetryAdvice.AFTER_BACKOFF)
_UNCHANGED_CODES = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Codes that say, even without a reason, that no method ran."""

_random = secrets.SystemRandom()


def full_jitter(upper_s: float) -> float:
    """A random delay between nothing and an upper bound, so that callers spread out."""
    return _random.uniform(0, upper_s)


class RetryBudget:
    """Retries in hand over all calls of a client; safe between threads."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._lock = threading.Lock()
        self._most = policy.budget_tokens * 1000
        self._left = self._most
        self._refill = policy.budget_refill_permille

    def take(self) -> bool:
        """Take one retry; False when none is left."""
        with self._lock:
            if self._left < 1000:
                return False
            self._left -= 1000
            return True

    def refill(self) -> None:
        """Give back a part of a retry, for a success."""
        with self._lock:
            self._left = min(self._most, self._left + self._refill)


class Backoff:
    """Growing random delays."""

    def __init__(self, policy: RetryPolicy, jitter: Callable[[float], float] = full_jitter) -> None:
        self._policy = policy
        self._jitter = jitter
        self._upper_ms = policy.initial_backoff_ms

    def next_s(self, retry_after_ms: int | None) -> float:
        """The next delay in seconds: what the server asked for up to the cap, and some more."""
        delay_s = self._jitter(self._upper_ms / 1000)
        self._upper_ms = min(
            self._upper_ms * self._policy.backoff_multiplier, self._policy.max_backoff_ms
        )
        return delay_s + min(retry_after_ms or 0, self._policy.retry_after_cap_ms) / 1000


def may_repeat(details: ErrorDetails) -> bool:
    """Whether a failed attempt says that the very same request may be sent again soon.

    That is UNAVAILABLE, with our reason or from the connection itself, and a lost race of which the
    contract says that nothing was done. Timeouts are not repeated: their call has no time left.
    """
    if details.code is grpc.StatusCode.UNAVAILABLE:
        class_ = BY_REASON.get(details.reason)
        return class_ is None or class_.retry_advice in _AGAIN
    if details.code is grpc.StatusCode.ABORTED:
        class_ = BY_REASON.get(details.reason)
        return class_ is not None and class_.retry_advice in _AGAIN
    return False


def leaves_doubt(details: ErrorDetails) -> bool:
    """Whether a change may have taken effect although its only attempt ended like this."""
    if details.reason in BY_REASON:
        return details.reason in DOUBTFUL_REASONS
    if details.code is grpc.StatusCode.UNAVAILABLE:
        return not details.message.startswith(_NEVER_SENT)
    return details.code not in _UNCHANGED_CODES


def settles(details: ErrorDetails) -> bool:
    """Whether a refusal is the books' own answer to the request id, earlier attempts included."""
    if details.reason in {"REQUEST_ID_REUSED", "REPLY_EXPIRED"}:
        return True
    if details.reason not in BY_REASON:
        return False
    return error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{details.reason}") >= _FIRST_DECISION


class LogicalCall:
    """One call as its caller sees it: one request id, one deadline, a few attempts."""

    def __init__(
        self,
        method: Method[Any, Any],
        *,
        request_id: str = "",
        deadline_ms: int,
        policy: RetryPolicy,
        budget: RetryBudget,
        retry: bool = True,
        renewable_token: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = full_jitter,
    ) -> None:
        self._method = method
        self._request_id = request_id
        self._monotonic = monotonic
        self._ends = monotonic() + deadline_ms / 1000
        self._most = policy.max_attempts if retry and method.repeatable else 1
        self._budget = budget
        self._backoff = Backoff(policy, jitter)
        self._renewable_token = renewable_token
        self._doubt = False
        self.attempts = 0

    def begin_attempt(self) -> float:
        """Count an attempt; returns its deadline in seconds: what is left of the call's.

        The server runs a call no longer than the method's maximum, so a longer wait is for
        retries only.
        """
        self.attempts += 1
        left_s = max(0.001, self._ends - self._monotonic())
        return min(left_s, self._method.maximum_deadline_ms / 1000)

    def succeeded(self) -> None:
        """Note that the call ended well."""
        self._budget.refill()

    def delay_after(self, details: ErrorDetails) -> float:
        """Seconds to wait before the next attempt after one that failed.

        Raises:
            LongmenError: the failure is final.
        """
        self._note_doubt(details)
        if details.reason == TOKEN_EXPIRED and self._renewable_token:
            self._renewable_token = False
            return 0.0
        if not may_repeat(details) or self.attempts >= self._most:
            raise error_of(self._told(details))
        delay_s = self._backoff.next_s(details.retry_after_ms)
        if self._monotonic() + delay_s >= self._ends or not self._budget.take():
            raise error_of(self._told(details))
        return delay_s

    def _note_doubt(self, details: ErrorDetails) -> None:
        """Keep whether any attempt so far may have taken effect.

        A later attempt that was turned away at the door says nothing about an earlier one whose
        connection broke; only an answer from the books does, because they know the request id.
        """
        if settles(details):
            self._doubt = False
        elif self._method.changes and leaves_doubt(details):
            self._doubt = True

    def _told(self, details: ErrorDetails) -> ErrorDetails:
        """The details with what only this side knows."""
        return dataclasses.replace(
            details,
            method=self._method.name,
            request_id=self._request_id,
            attempts=self.attempts,
            outcome_unknown=self._doubt,
        )
