"""The methods of a service as the edge sees them: descriptor, policy, message class and limits.

Everything here is decided once, at start-up; a method whose policy is missing or incomplete fails
the start, so that nothing is ever served by an accident of defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool, message_factory

from longmen.type.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

REQUEST_BYTES_DEFAULT = 262_144
"""Largest request, in bytes, of a method whose policy names no other limit."""

BRANCH_FIELDS = ("customer_id", "account_id", "device_id", "session_id")
"""Fields that a policy may name as `branch_field`."""

REQUEST_ID_FIELD = "request_id"
"""The field of a request that makes the call repeatable."""


class MethodError(Exception):
    """A service or method cannot be served as it is declared; the server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method, ready to be wrapped by the interceptors."""

    service: str
    """Full name of the service, "longmen.ledger.v1.LedgerService"."""
    name: str
    """Name within the service, "CreateTransfers"."""
    request_class: type[Message]
    """Class of its requests."""
    streams: bool
    """Whether it answers with a stream."""
    principal_kinds: frozenset[str]
    """Kinds of principal that may call it, in lower case: "service", "customer", "staff",
    "merchant", "anonymous"."""
    scope: str
    """Scope that the token must have."""
    default_deadline_ms: int
    """Deadline, in milliseconds, of a call that names none."""
    maximum_deadline_ms: int
    """Longest deadline, in milliseconds, that a caller may name; the longest life of a stream."""
    admission_class: str
    """Share of the server's concurrency it draws on: "payment", "read", "admin" or "stream"."""
    writes: bool
    """Whether it changes anything; requests of such methods are read strictly."""
    repeatable: bool
    """Whether its request has a request_id that makes repetition harmless."""
    request_bytes_max: int
    """Largest request in bytes."""
    non_production_only: bool
    """Whether it is refused on a production server."""
    staff_needs_approval: bool
    """Whether staff have to propose it to somebody else instead of calling it."""
    roles_need_approval: bool = False
    """Whether that goes for all staff but development tokens that name no role."""
    staff_roles: frozenset[str] = frozenset()
    """Roles of staff that may call or propose it, in lower case; none where staff may not."""
    step_up_class: str = "unspecified"
    """What a customer's call may have to be approved as: "unspecified" for nothing, "money",
    "factor_change" or "protection"."""
    branch_field: str = ""
    """Field of the request that says whose customer it is about; empty where no branch binds."""
    rate_class: str = "read"
    """What its calls are counted as: "read", "change", "money", "sign_in", "message", "watch",
    "export" or "operate"."""
    audit_class: int
    """What the audit trail keeps of it, a longmen.type.v1.AuditClass; never unspecified."""

    @property
    def is_proposed(self) -> bool:
        """Whether members of staff with roles propose it."""
        return self.staff_needs_approval or self.roles_need_approval

    @property
    def path(self) -> str:
        """Full name as gRPC writes it, without the leading slash."""
        return f"{self.service}/{self.name}"


def read_methods(service: str) -> Iterator[Method]:
    """Read every method of a service; raise MethodError for one without a policy."""
    try:
        descriptor = descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        message = f"no service {service} is known; are its stubs imported?"
        raise MethodError(message) from None
    for method in descriptor.methods:
        yield read_method(method)


def read_method(descriptor: MethodDescriptor) -> Method:
    """Read one method from its descriptor; raise MethodError unless its policy is whole."""
    options = descriptor.GetOptions()
    name = descriptor.full_name
    if not options.HasExtension(policy_pb2.method_policy):
        message = f"{name} has no method_policy"
        raise MethodError(message)
    if descriptor.client_streaming:
        message = f"{name} takes a stream; the edge serves unary and server-streaming methods only"
        raise MethodError(message)
    policy = options.Extensions[policy_pb2.method_policy]
    _check(name, policy)
    repeatable = policy.idempotency == policy_pb2.IDEMPOTENCY_CLASS_REQUEST_ID
    if repeatable and REQUEST_ID_FIELD not in descriptor.input_type.fields_by_name:
        message = (
            f"{name} promises idempotency by request id, but its request has no {REQUEST_ID_FIELD}"
        )
        raise MethodError(message)
    return Method(
        service=descriptor.containing_service.full_name,
        name=descriptor.name,
        request_class=message_factory.GetMessageClass(descriptor.input_type),
        streams=descriptor.server_streaming,
        principal_kinds=frozenset(
            _suffix(policy_pb2.PrincipalKind.Name(kind), "PRINCIPAL_KIND_")
            for kind in policy.principal_kinds
        ),
        scope=policy.scope,
        default_deadline_ms=policy.default_deadline_ms,
        maximum_deadline_ms=policy.maximum_deadline_ms,
        admission_class=_suffix(
            policy_pb2.RequestClass.Name(policy.request_class), "REQUEST_CLASS_"
        ),
        writes=policy.idempotency != policy_pb2.IDEMPOTENCY_CLASS_READ_ONLY,
        repeatable=repeatable,
        request_bytes_max=policy.maximum_request_bytes or REQUEST_BYTES_DEFAULT,
        non_production_only=policy.non_production_only,
        staff_needs_approval=policy.staff_needs_approval,
        roles_need_approval=policy.roles_need_approval,
        staff_roles=frozenset(
            _suffix(policy_pb2.StaffRole.Name(role), "STAFF_ROLE_") for role in policy.staff_roles
        ),
        step_up_class=_suffix(policy_pb2.StepUpClass.Name(policy.step_up_class), "STEP_UP_CLASS_"),
        branch_field=policy.branch_field,
        rate_class=_rate_class(policy, streams=descriptor.server_streaming),
        audit_class=_audit_class(policy),
    )


def _rate_class(policy: policy_pb2.MethodPolicy, *, streams: bool) -> str:
    """Return what calls are counted as; where the policy does not say, its other parts do."""
    if policy.rate_class != policy_pb2.RATE_CLASS_UNSPECIFIED:
        return _suffix(policy_pb2.RateClass.Name(policy.rate_class), "RATE_CLASS_")
    if streams:
        return "watch"
    if policy.request_class == policy_pb2.REQUEST_CLASS_ADMIN:
        return "operate"
    if policy.idempotency == policy_pb2.IDEMPOTENCY_CLASS_READ_ONLY:
        return "read"
    return "money" if policy.audit_class == policy_pb2.AUDIT_CLASS_MONEY else "change"


def _audit_class(policy: policy_pb2.MethodPolicy) -> int:
    """Return what is kept of a method; one that does not say keeps changes and no looks."""
    if policy.audit_class != policy_pb2.AUDIT_CLASS_UNSPECIFIED:
        return policy.audit_class
    if policy.idempotency == policy_pb2.IDEMPOTENCY_CLASS_READ_ONLY:
        return policy_pb2.AUDIT_CLASS_NONE
    return policy_pb2.AUDIT_CLASS_CHANGE


def _check(name: str, policy: policy_pb2.MethodPolicy) -> None:
    """Raise MethodError unless every part of the policy is given and sensible."""
    demands = {
        "principal_kinds": bool(policy.principal_kinds) and 0 not in policy.principal_kinds,
        "scope": bool(policy.scope),
        "default_deadline_ms": 0 < policy.default_deadline_ms <= policy.maximum_deadline_ms,
        "request_class": policy.request_class != policy_pb2.REQUEST_CLASS_UNSPECIFIED,
        "idempotency": policy.idempotency != policy_pb2.IDEMPOTENCY_CLASS_UNSPECIFIED,
        "maximum_request_bytes": policy.maximum_request_bytes >= 0,
        "branch_field": policy.branch_field in {"", *BRANCH_FIELDS},
        "staff_roles": 0 not in policy.staff_roles
        and (policy_pb2.PRINCIPAL_KIND_STAFF in policy.principal_kinds) == bool(policy.staff_roles),
    }
    wrong = [part for part, met in demands.items() if not met]
    if wrong:
        message = f"{name}: method_policy lacks a sensible {', '.join(wrong)}"
        raise MethodError(message)


def _suffix(value_name: str, prefix: str) -> str:
    return value_name.removeprefix(prefix).lower()
