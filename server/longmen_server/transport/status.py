"""From a refusal to a gRPC status with google.rpc details; the only module that knows google.rpc.

What each reason implies (canonical code, retry advice, metadata keys) is read once, when the module
is imported, from the options on the values of longmen.errors.v1.ErrorReason: the contract is the
table.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from longmen.errors.v1 import error_reason_pb2
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message

DOMAIN = "longmen"
"""The domain of every google.rpc.ErrorInfo this service sends."""

PREFIX = "ERROR_REASON_"
"""What a reason's enum value has before the name that goes on the wire."""

VIOLATIONS_MAX = 16
"""Field violations told in one status: trailers are bounded by the peer, commonly to 8 KiB."""

TEXT_MAX = 120
"""Characters of one field path or description in a status, for the same bound."""

RULE_MAX = 64
"""Characters of one rule's id in a status, for the same bound."""

RULES_MAX = 512
"""Characters of all the rule ids in a status together, for the same bound."""

RETRY_DELAY_MS = (50, 80, 110, 140, 170, 200, 230, 260)
"""Delays, in milliseconds, told to callers that shall come back later. One is drawn at random, so
that callers refused together do not return together."""

_TYPE_URL = "type.googleapis.com/"
_INTERNAL_MESSAGE = "something broke inside the server; quote the incident id to its operator"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the contract says about one reason."""

    reason: str
    """Name of the reason, without the enum's prefix."""
    code: grpc.StatusCode
    """The canonical code that comes with it."""
    backs_off: bool
    """Whether the caller shall wait for the delay in google.rpc.RetryInfo before the next try."""
    metadata_keys: frozenset[str]
    """Every key that its metadata may have."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that breaks a rule of the contract."""

    field: str
    """Dotted path of the field, "transfers[3].amount.minor_units"."""
    description: str
    """What is wrong with it, for a person."""
    rule: str
    """Id of the broken rule, for a program."""


@dataclass(frozen=True, slots=True)
class Status:
    """A status that is not OK, ready to be sent."""

    code: grpc.StatusCode
    message: str
    """For people; every dynamic part stands in the details too."""
    details: bytes
    """The serialised google.rpc.Status."""
    reason: str
    """The reason's name, for logs and metrics."""


class InvalidRequest(Refusal):
    """A request that breaks rules of the contract; its status lists the fields."""

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        """Refuse for one violation at least; only the first `VIOLATIONS_MAX` are told."""
        self.violations = tuple(violations[:VIOLATIONS_MAX])
        rules = ",".join(dict.fromkeys(violation.rule for violation in self.violations))
        first = self.violations[0]
        super().__init__(
            "INVALID_REQUEST",
            f"{first.field or 'the request'}: {first.description}"[:TEXT_MAX],
            metadata={"rules": rules[:RULES_MAX]},
        )


def _read_rules() -> Mapping[str, Rule]:
    """Read the rule of every reason from the descriptors; a reason without one fails the start."""
    codes = {code.name: code for code in grpc.StatusCode}
    rules = {}
    for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values[1:]:
        option = value.GetOptions().Extensions[error_reason_pb2.rule]
        reason = value.name.removeprefix(PREFIX)
        rules[reason] = Rule(
            reason=reason,
            code=codes[option.code],
            backs_off=option.retry == error_reason_pb2.RETRY_ADVICE_AFTER_BACKOFF,
            metadata_keys=frozenset(option.metadata_keys),
        )
    return MappingProxyType(rules)


RULES: Mapping[str, Rule] = _read_rules()
"""Rule of each reason, by its name without prefix."""


STEP_MS: Final = 100
"""What waits are rounded up to, so that refusals under overload are rendered once."""


def of_refusal(refusal: Refusal) -> Status:
    """Render a refusal; raise LookupError for a reason that the contract does not know."""
    rule = RULES[refusal.reason]
    violations = refusal.violations if isinstance(refusal, InvalidRequest) else ()
    if refusal.field is not None:
        violations = (FieldViolation(refusal.field, refusal.message, refusal.reason),)
    return _render(
        rule,
        refusal.message,
        tuple(refusal.metadata.items()),
        violations,
        _delay_ms(refusal) if rule.backs_off else 0,
    )


def _delay_ms(refusal: Refusal) -> int:
    """When to come again: as the refusal says, to a tenth of a second, or at some time soon."""
    if refusal.retry_ms is None:
        return int(random.choice(RETRY_DELAY_MS))  # noqa: S311 - spreads retries
    return -(-refusal.retry_ms // STEP_MS) * STEP_MS


def of_incident(incident_id: str) -> Status:
    """Render an unforeseen exception: nothing but the id under which the log tells the rest."""
    metadata = (("incident_id", incident_id),)
    return _render(RULES["INTERNAL"], _INTERNAL_MESSAGE, metadata, (), 0)


@lru_cache(maxsize=1024)
def _render(
    rule: Rule,
    message: str,
    metadata: tuple[tuple[str, str], ...],
    violations: tuple[FieldViolation, ...],
    delay_ms: int,
) -> Status:
    """Build the status; cached, since under overload the same few refusals are sent in numbers."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=rule.reason, domain=DOMAIN, metadata=dict(metadata))
    ]
    if violations:
        details.append(_bad_request(violations))
    if delay_ms:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(delay_ms)
        details.append(retry)
    if rule.reason == "QUOTA_EXCEEDED":
        details.append(_quota_failure(dict(metadata).get("quota", ""), message))
    status = status_pb2.Status(
        code=rule.code.value[0], message=message, details=[_pack(detail) for detail in details]
    )
    return Status(
        code=rule.code, message=message, details=status.SerializeToString(), reason=rule.reason
    )


def _bad_request(violations: Sequence[FieldViolation]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field[:TEXT_MAX],
                description=violation.description[:TEXT_MAX],
                reason=violation.rule[:RULE_MAX],
            )
            for violation in violations
        ]
    )


def _quota_failure(quota: str, message: str) -> error_details_pb2.QuotaFailure:
    violation = error_details_pb2.QuotaFailure.Violation(subject=quota, description=message)
    return error_details_pb2.QuotaFailure(violations=[violation])


def _pack(detail: Message) -> any_pb2.Any:
    return any_pb2.Any(
        type_url=_TYPE_URL + detail.DESCRIPTOR.full_name, value=detail.SerializeToString()
    )
