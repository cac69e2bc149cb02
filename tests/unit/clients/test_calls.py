"""Calls and their retries, on both stacks over a real connection."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.errors.v1 import error_reason_pb2
from longmen.ledger.v1 import ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen_client import (
    CallOptions,
    Money,
    RetryPolicy,
    errors,
    new_request_id,
    pay_phone,
    transfer_spec,
)
from tests.support.scripted import Fails, Replays, ScriptedServer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.bank import Bank

ACCOUNT = "acct_0190000000007000800000000000" + "0001"
UNAVAILABLE = Fails(grpc.StatusCode.UNAVAILABLE, "connection reset")
SENT = transfers_service_pb2.CreateTransferResponse(
    transfer=transfer_pb2.Transfer(transfer_id="txn_1"), committed_at="c1"
)


def send(bank: Bank, **more: Any) -> Any:
    return bank.call(
        "transfers.create_transfer",
        from_account_id=ACCOUNT,
        payee=pay_phone("+8613800138000"),
        amount=Money.of("12.34", "CNY"),
        **more,
    )


def test_a_change_answers_with_its_message_and_how_it_came_about(
    server: ScriptedServer, bank: Bank
) -> None:
    server.script("CreateTransfer", SENT)

    reply = send(bank, description="tea")

    (seen,) = server.calls("CreateTransfer")
    assert reply.message == SENT
    assert reply.committed_at == "c1"
    assert not reply.replayed
    assert reply.attempts == 1
    assert seen.request.request_id == reply.request_id
    assert uuid.UUID(reply.request_id).version == 4
    assert seen.request.amount.minor_units == 1234
    assert seen.request.amount.currency_code == "CNY"
    assert seen.request.description == "tea"


def test_one_request_id_over_all_attempts(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", UNAVAILABLE, refusal("SHUTTING_DOWN"), SENT)

    reply = send(bank)

    requests = [seen.request for seen in server.calls("CreateTransfer")]
    assert reply.attempts == 3
    assert requests[0] == requests[1] == requests[2]
    assert {request.request_id for request in requests} == {reply.request_id}


def test_each_call_has_a_request_id_of_its_own(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", SENT)

    assert send(bank).request_id != send(bank).request_id


def test_the_callers_own_request_id_is_used(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", UNAVAILABLE, SENT)
    kept = new_request_id()

    reply = send(bank, request_id=kept)

    assert reply.request_id == kept
    assert [seen.request.request_id for seen in server.calls("CreateTransfer")] == [kept, kept]


def test_a_replayed_reply_says_so(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", Replays(SENT))

    assert send(bank).replayed


def test_a_refusal_is_never_repeated(server: ScriptedServer, bank: Bank) -> None:
    server.script(
        "CreateTransfer",
        refusal("INSUFFICIENT_FUNDS", available_minor_units="120", currency_code="CNY"),
    )

    with pytest.raises(errors.InsufficientFunds) as caught:
        send(bank)

    assert len(server.calls("CreateTransfer")) == 1
    assert caught.value.metadata == {"available_minor_units": "120", "currency_code": "CNY"}
    assert caught.value.request_id == server.calls("CreateTransfer")[0].request.request_id
    assert not caught.value.outcome_unknown


def test_a_call_is_sent_four_times_at_most(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", UNAVAILABLE)

    with pytest.raises(errors.UnavailableError) as caught:
        send(bank)

    assert len(server.calls("CreateTransfer")) == 4
    assert caught.value.attempts == 4
    assert caught.value.outcome_unknown


def test_reads_are_repeated_too(server: ScriptedServer, bank: Bank) -> None:
    found = ledger_service_pb2.GetTrialBalanceResponse(balanced=True)
    server.script("GetTrialBalance", UNAVAILABLE, found)

    assert bank.call("ledger.get_trial_balance") == found


def test_a_failed_read_leaves_no_doubt(server: ScriptedServer, bank: Bank) -> None:
    server.script("GetTrialBalance", UNAVAILABLE)

    with pytest.raises(errors.UnavailableError) as caught:
        bank.call("ledger.get_trial_balance")

    assert not caught.value.outcome_unknown
    assert caught.value.request_id == ""


def test_retries_can_be_switched_off_for_one_call(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", UNAVAILABLE, SENT)

    with pytest.raises(errors.UnavailableError):
        send(bank, options=CallOptions(retry=False))

    assert len(server.calls("CreateTransfer")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Fails(grpc.StatusCode.INTERNAL),
        Fails(grpc.StatusCode.UNKNOWN),
        Fails(grpc.StatusCode.DEADLINE_EXCEEDED),
        Fails(grpc.StatusCode.RESOURCE_EXHAUSTED),
        refusal("INTERNAL", incident_id="i1"),
        refusal("DEADLINE_EXCEEDED"),
        refusal("REQUEST_ID_REUSED", fields="amount"),
        refusal("TOKEN_INVALID"),
    ],
)
def test_only_what_may_pass_is_repeated(server: ScriptedServer, bank: Bank, answer: Fails) -> None:
    server.script("CreateTransfer", answer)

    with pytest.raises(errors.LongmenError):
        send(bank)

    assert len(server.calls("CreateTransfer")) == 1


@pytest.mark.parametrize("reason", ["OVERLOADED", "STORAGE_UNAVAILABLE", "CONTENTION"])
def test_what_the_contract_says_to_repeat_is_repeated(
    server: ScriptedServer, bank: Bank, reason: str
) -> None:
    server.script("CreateTransfer", refusal(reason), SENT)

    assert send(bank).attempts == 2


def test_the_budget_ends_a_storm_of_retries(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    bank = make_bank(retry=RetryPolicy(initial_backoff_ms=1, max_backoff_ms=1, budget_tokens=5))
    server.script("CreateTransfer", UNAVAILABLE)

    for _ in range(10):
        with pytest.raises(errors.UnavailableError):
            send(bank)

    assert len(server.calls("CreateTransfer")) == 10 + 5


def test_a_deadline_covers_all_attempts(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfer", UNAVAILABLE)

    with pytest.raises(errors.UnavailableError):
        send(bank, options=CallOptions(deadline_ms=2_000))

    left = [seen.seconds_left for seen in server.calls("CreateTransfer")]
    assert len(left) == 4
    # gRPC rounds the deadline it sends up by as much as a tenth.
    assert all(seconds < 2.3 for seconds in left)


def test_without_a_deadline_the_methods_own_holds(server: ScriptedServer, bank: Bank) -> None:
    server.script("CreateTransfers", ledger_service_pb2.CreateTransfersResponse())
    server.script("CreateTransfer", SENT)

    send(bank)
    bank.call("ledger.create_transfers", transfers=[])

    assert 4 < server.calls("CreateTransfer")[0].seconds_left < 6
    assert 9 < server.calls("CreateTransfers")[0].seconds_left < 11


def test_the_servers_delay_beyond_the_deadline_is_not_waited_for(
    server: ScriptedServer, bank: Bank
) -> None:
    server.script(
        "CreateTransfer",
        Fails(grpc.StatusCode.UNAVAILABLE, reason="OVERLOADED", retry_after_ms=9_000),
        SENT,
    )

    with pytest.raises(errors.Overloaded) as caught:
        send(bank)

    assert caught.value.retry_after_ms == 9_000
    assert not caught.value.outcome_unknown
    assert len(server.calls("CreateTransfer")) == 1


def test_field_violations_are_told(server: ScriptedServer, bank: Bank) -> None:
    server.script(
        "CreateTransfer",
        Fails(
            grpc.StatusCode.INVALID_ARGUMENT,
            reason="INVALID_REQUEST",
            fields=[("amount.minor_units", "must be above zero", "money.positive")],
        ),
    )

    with pytest.raises(errors.InvalidRequest) as caught:
        send(bank)

    (violation,) = caught.value.field_violations
    assert violation.field == "amount.minor_units"
    assert violation.rule == "money.positive"


def test_a_strangers_reason_is_not_taken_for_ours(server: ScriptedServer, bank: Bank) -> None:
    server.script(
        "CreateTransfer",
        Fails(grpc.StatusCode.FAILED_PRECONDITION, reason="INSUFFICIENT_FUNDS", domain="elsewhere"),
    )

    with pytest.raises(errors.FailedPreconditionError) as caught:
        send(bank)

    assert type(caught.value) is errors.FailedPreconditionError
    assert caught.value.outcome_unknown


def test_the_token_and_further_metadata_travel(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    server.script("CreateTransfer", SENT)

    send(
        make_bank(token="secret", application="till/2", metadata={"x-region": "sh"}),
        options=CallOptions(metadata={"traceparent": "00-1"}),
    )

    metadata = server.calls("CreateTransfer")[0].metadata
    assert metadata["authorization"] == "Bearer secret"
    assert metadata["x-region"] == "sh"
    assert metadata["traceparent"] == "00-1"
    assert metadata["user-agent"].startswith("till/2 longmen-client/")


def test_an_expired_token_is_renewed_once(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    tokens = iter(["old", "new", "newer"])
    bank = make_bank(token=lambda: next(tokens))
    server.script("CreateTransfer", refusal("TOKEN_EXPIRED"), SENT, refusal("TOKEN_EXPIRED"))

    assert send(bank).attempts == 2

    sent = [seen.metadata["authorization"] for seen in server.calls("CreateTransfer")]
    assert sent == ["Bearer old", "Bearer new"]


def test_a_fixed_token_that_expired_is_not_repeated(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    server.script("CreateTransfer", refusal("TOKEN_EXPIRED"))

    with pytest.raises(errors.TokenExpired):
        send(make_bank(token="old"))

    assert len(server.calls("CreateTransfer")) == 1


def test_calls_spread_over_connections(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    bank = make_bank(connections=3)
    server.script("CreateTransfer", SENT)

    assert [send(bank).attempts for _ in range(6)] == [1] * 6


def test_nobody_listening_leaves_no_doubt(make_bank: Callable[..., Bank]) -> None:
    bank = make_bank(target="127.0.0.1:1")

    with pytest.raises(errors.UnavailableError) as caught:
        send(bank)

    assert not caught.value.outcome_unknown


def test_a_closed_client_says_so(make_bank: Callable[..., Bank], kind: str) -> None:
    bank = make_bank()
    bank.call("aclose" if kind == "asyncio" else "close")

    with pytest.raises(RuntimeError, match="closed"):
        send(bank)


def test_refused_items_of_a_batch_become_errors(server: ScriptedServer, bank: Bank) -> None:
    refused = transaction_pb2.TransferResult(
        outcome=transaction_pb2.TransferResult.OUTCOME_REFUSED,
        reason=error_reason_pb2.ERROR_REASON_INSUFFICIENT_FUNDS,
        reason_metadata={"currency_code": "CNY"},
    )
    server.script(
        "CreateTransfers",
        ledger_service_pb2.CreateTransfersResponse(
            results=[transaction_pb2.TransferResult(), refused]
        ),
    )

    spec = transfer_spec(
        debit_account_id=ACCOUNT, credit_account_id=ACCOUNT, amount=Money(1, "CNY")
    )
    results = bank.call("ledger.create_transfers", transfers=[spec, spec]).message.results

    found = [errors.refusal_of(result.reason, result.reason_metadata) for result in results]
    assert found[0] is None
    assert isinstance(found[1], errors.InsufficientFunds)
    assert found[1].metadata == {"currency_code": "CNY"}


def test_health_is_told_without_an_error(server: ScriptedServer, bank: Bank) -> None:
    from grpc_health.v1 import health_pb2

    assert not bank.call("is_serving")
    server.script("Check", health_pb2.HealthCheckResponse(status=1))
    assert bank.call("is_serving")
