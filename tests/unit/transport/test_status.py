"""Every reason of the contract has its status, and the details that go with it."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from longmen.errors.v1 import error_reason_pb2
from longmen_server.platform.refusal import Refusal
from longmen_server.transport import status
from longmen_server.transport.status import (
    RETRY_DELAY_MS,
    RULES,
    VIOLATIONS_MAX,
    FieldViolation,
    InvalidRequest,
)

TRAILER_BYTES_MAX = 8_192
"""What clients commonly take as trailing metadata."""


def details(made: status.Status) -> dict[str, bytes]:
    parsed = status_pb2.Status.FromString(made.details)
    assert parsed.code == made.code.value[0]
    assert parsed.message == made.message
    urls = [detail.type_url for detail in parsed.details]
    assert len(urls) == len(set(urls)), "each type of detail at most once"
    return {url.rpartition(".")[2]: d.value for url, d in zip(urls, parsed.details, strict=True)}


@pytest.mark.parametrize("reason", sorted(RULES))
def test_every_reason_renders_with_the_contracts_code(reason: str) -> None:
    value = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name[f"ERROR_REASON_{reason}"]
    rule = value.GetOptions().Extensions[error_reason_pb2.rule]
    metadata = dict.fromkeys(rule.metadata_keys, "x")
    made = status.of_refusal(Refusal(reason, "no", metadata=metadata))

    assert made.code.name == rule.code
    told = details(made)
    info = error_details_pb2.ErrorInfo.FromString(told["ErrorInfo"])
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "longmen", metadata)
    backs_off = rule.retry == error_reason_pb2.RETRY_ADVICE_AFTER_BACKOFF
    assert ("RetryInfo" in told) == backs_off
    assert ("QuotaFailure" in told) == (reason == "QUOTA_EXCEEDED")
    assert "BadRequest" not in told


def test_every_reason_but_unspecified_is_known() -> None:
    names = {value.name for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values}
    assert {f"ERROR_REASON_{reason}" for reason in RULES} == names - {"ERROR_REASON_UNSPECIFIED"}


def test_retry_delays_differ_so_that_callers_do_not_return_together() -> None:
    delays = set()
    for _ in range(200):
        told = details(status.of_refusal(Refusal("OVERLOADED", "no", metadata={"class": "read"})))
        retry = error_details_pb2.RetryInfo.FromString(told["RetryInfo"])
        delays.add(retry.retry_delay.ToMilliseconds())
    assert delays <= set(RETRY_DELAY_MS)
    assert len(delays) > 1


def test_a_refused_field_is_told_as_bad_request() -> None:
    refusal = Refusal("UNKNOWN_CURRENCY", "no such currency", field="amount.currency_code")
    bad = error_details_pb2.BadRequest.FromString(details(status.of_refusal(refusal))["BadRequest"])
    (violation,) = bad.field_violations
    assert violation.field == "amount.currency_code"
    assert violation.description == "no such currency"
    assert violation.reason == "UNKNOWN_CURRENCY"


def test_many_long_violations_still_fit_into_a_trailer() -> None:
    violations = [FieldViolation("a" * 9_000, "b" * 9_000, f"{n}" * 9_000) for n in range(1_000)]
    made = status.of_refusal(InvalidRequest(violations))
    bad = error_details_pb2.BadRequest.FromString(details(made)["BadRequest"])
    assert len(bad.field_violations) == VIOLATIONS_MAX
    assert len(made.details) <= TRAILER_BYTES_MAX * 3 // 4  # base64 makes four of three


def test_an_incident_tells_its_id_and_nothing_else() -> None:
    made = status.of_incident("0123456789abcdef")
    assert made.code == grpc.StatusCode.INTERNAL
    told = details(made)
    assert set(told) == {"ErrorInfo"}
    info = error_details_pb2.ErrorInfo.FromString(told["ErrorInfo"])
    assert dict(info.metadata) == {"incident_id": "0123456789abcdef"}


def test_a_reason_outside_the_contract_is_an_error_of_ours() -> None:
    with pytest.raises(LookupError):
        status.of_refusal(Refusal("NO_SUCH_REASON", "no"))
