"""The rules of retries on their own: delays, caps, budget, and what is left in doubt."""

from __future__ import annotations

import grpc
import pytest

from longmen.errors.v1 import error_reason_pb2
from longmen_client import RetryPolicy, errors
from longmen_client._config import ConfigError
from longmen_client._generated import methods
from longmen_client._retry import Backoff, LogicalCall, RetryBudget, leaves_doubt, may_repeat
from longmen_client.errors import BY_REASON, ErrorDetails, RetryAdvice

POLICY = RetryPolicy(initial_backoff_ms=100, max_backoff_ms=1_000, retry_after_cap_ms=5_000)
BROKEN = ErrorDetails(code=grpc.StatusCode.UNAVAILABLE, message="Socket closed")


class Hands:
    """A monotonic clock turned by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def details(reason: str, **more: object) -> ErrorDetails:
    class_ = BY_REASON[reason]
    return ErrorDetails(code=class_.code, message="no", reason=reason, **more)  # type: ignore[arg-type]


def change(
    clock: Hands | None = None, policy: RetryPolicy = POLICY, deadline_ms: int = 60_000
) -> LogicalCall:
    return LogicalCall(
        methods.TRANSFERS_CREATE_TRANSFER,
        request_id="r1",
        deadline_ms=deadline_ms,
        policy=policy,
        budget=RetryBudget(policy),
        monotonic=clock or Hands(),
        jitter=lambda upper_s: upper_s,
    )


def test_delays_grow_up_to_their_bound() -> None:
    backoff = Backoff(POLICY, jitter=lambda upper_s: upper_s)

    assert [backoff.next_s(None) for _ in range(4)] == [0.1, 0.3, 0.9, 1.0]


def test_jitter_is_full() -> None:
    delays = {Backoff(POLICY).next_s(None) for _ in range(200)}

    assert all(0 <= delay <= 0.1 for delay in delays)
    assert min(delays) < 0.02
    assert max(delays) > 0.08


@pytest.mark.parametrize(("asked_ms", "waited_s"), [(0, 0.0), (700, 0.7), (60_000, 5.0)])
def test_the_servers_delay_is_kept_up_to_the_cap(asked_ms: int, waited_s: float) -> None:
    backoff = Backoff(POLICY, jitter=lambda _: 0.0)

    assert backoff.next_s(asked_ms) == waited_s


def test_no_attempt_is_planned_beyond_the_deadline() -> None:
    clock = Hands()
    call = change(clock, deadline_ms=1_000)
    call.begin_attempt()
    assert call.delay_after(BROKEN) == 0.1
    clock.seconds += 0.8
    call.begin_attempt()

    with pytest.raises(errors.UnavailableError):
        call.delay_after(BROKEN)


def test_an_attempt_gets_what_is_left_of_the_call() -> None:
    clock = Hands()
    call = change(clock, deadline_ms=10_000)

    assert call.begin_attempt() == 10.0
    clock.seconds += 4
    assert call.begin_attempt() == 6.0


def test_an_attempt_gets_no_more_than_the_server_grants() -> None:
    assert change(deadline_ms=3_600_000).begin_attempt() == 30.0


def test_successes_fill_the_budget_again() -> None:
    budget = RetryBudget(RetryPolicy(budget_tokens=1, budget_refill_permille=500))

    assert [budget.take(), budget.take()] == [True, False]
    budget.refill()
    assert not budget.take()
    budget.refill()
    assert [budget.take(), budget.take()] == [True, False]


def failed(call: LogicalCall, *seen: ErrorDetails) -> errors.LongmenError:
    for one in seen:
        call.begin_attempt()
        try:
            call.delay_after(one)
        except errors.LongmenError as error:
            return error
    raise AssertionError("the call goes on")


def test_a_broken_connection_leaves_doubt() -> None:
    assert failed(change(), BROKEN, BROKEN, BROKEN, BROKEN).outcome_unknown


def test_being_turned_away_later_does_not_lift_the_doubt() -> None:
    turned_away = details("TOKEN_INVALID")

    assert failed(change(), BROKEN, turned_away).outcome_unknown
    assert not failed(change(), turned_away).outcome_unknown
    assert failed(change(), BROKEN, *[details("OVERLOADED")] * 3).outcome_unknown
    assert not failed(change(), *[details("OVERLOADED")] * 4).outcome_unknown


def test_the_books_answer_lifts_the_doubt() -> None:
    error = failed(change(), BROKEN, details("INSUFFICIENT_FUNDS"))

    assert not error.outcome_unknown
    assert (error.attempts, error.request_id) == (2, "r1")


@pytest.mark.parametrize("reason", ["OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL"])
def test_reasons_that_leave_doubt(reason: str) -> None:
    assert leaves_doubt(details(reason))


def test_every_other_reason_leaves_none() -> None:
    doubtful = {reason for reason in BY_REASON if leaves_doubt(details(reason))}

    assert doubtful == {"OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL"}


def test_only_what_the_contract_advises_is_repeated() -> None:
    repeated = {reason for reason in BY_REASON if may_repeat(details(reason))}

    assert repeated == {
        "AUDIT_UNAVAILABLE",
        "CONTENTION",
        "OUTCOME_UNKNOWN",
        "OVERLOADED",
        "SESSIONS_UNKNOWN",
        "SHUTTING_DOWN",
        "STORAGE_UNAVAILABLE",
    }


def test_every_reason_has_its_class() -> None:
    values = error_reason_pb2.ErrorReason.DESCRIPTOR.values
    for value in values:
        if not value.number:
            continue
        reason = value.name.removeprefix("ERROR_REASON_")
        rule = value.GetOptions().Extensions[error_reason_pb2.rule]
        class_ = BY_REASON[reason]
        error = errors.error_of(details(reason, metadata={"k": "v"}))

        assert type(error) is class_
        assert class_.__name__.upper() == reason.replace("_", "")
        assert getattr(errors, class_.__name__) is class_
        assert class_.reason == reason
        assert class_.code.name == rule.code
        assert class_.metadata_keys == tuple(rule.metadata_keys)
        advice = error_reason_pb2.RetryAdvice.Name(rule.retry).removeprefix("RETRY_ADVICE_")
        assert class_.retry_advice is RetryAdvice[advice]
        assert isinstance(error, type(errors.error_of(ErrorDetails(code=class_.code, message=""))))
        assert error.details.reason == reason
        assert str(error) == f"{reason}: no"
    assert len(BY_REASON) == len(values) - 1


def test_a_newer_reason_comes_as_its_code() -> None:
    error = errors.error_of(
        ErrorDetails(code=grpc.StatusCode.NOT_FOUND, message="no", reason="OF_NEXT_YEAR")
    )

    assert type(error) is errors.NotFoundError
    assert error.details.reason == "OF_NEXT_YEAR"


def test_a_newer_item_reason_is_told_by_number() -> None:
    error = errors.refusal_of(9999, {})  # type: ignore[arg-type]

    assert error is not None
    assert error.details.reason == "9999"


@pytest.mark.parametrize(
    "fields", [{"max_attempts": 0}, {"initial_backoff_ms": 0}, {"budget_tokens": -1}]
)
def test_a_policy_that_cannot_work_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        RetryPolicy(**fields)
