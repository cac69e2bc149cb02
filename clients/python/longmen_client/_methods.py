"""What the client knows of each method, read from the contract's own descriptors."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf import message_factory
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from longmen.type.v1 import policy_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


class Resume(enum.Enum):
    """How a broken stream goes on."""

    NEVER = "never"
    """It does not: its messages cannot be told from those of a second run."""
    CURSOR = "cursor"
    """From the cursor of the last message received."""
    RESTART = "restart"
    """From the start: its first message is the present state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Generic[Q, R]):
    """One method of the contract."""

    path: str
    """Path on the wire, such as ``/longmen.ledger.v1.LedgerService/CreateTransfers``."""
    request_type: type[Q]
    response_type: type[R]
    default_deadline_ms: int
    """Deadline of a call that names none, in milliseconds."""
    maximum_deadline_ms: int
    """Longest deadline the server grants, in milliseconds."""
    idempotency: policy_pb2.IdempotencyClass.ValueType
    """What a repeated call does."""
    streams: bool
    """Whether the replies are a stream."""
    resume: Resume
    """How a broken stream goes on."""

    @property
    def name(self) -> str:
        """Name for people: the path without its first slash."""
        return self.path[1:]

    @property
    def changes(self) -> bool:
        """Whether the method changes something under a request id."""
        return self.idempotency == policy_pb2.IDEMPOTENCY_CLASS_REQUEST_ID

    @property
    def repeatable(self) -> bool:
        """Whether sending the same request again is safe."""
        return self.idempotency != policy_pb2.IDEMPOTENCY_CLASS_UNSPECIFIED


def method(file: FileDescriptor, service_name: str, method_name: str) -> Method[Any, Any]:
    """A method by the file of its service, the service's name and its own."""
    return describe(file.services_by_name[service_name].methods_by_name[method_name])


def describe(descriptor: MethodDescriptor) -> Method[Any, Any]:
    """A method from its descriptor, with the policy declared beside it."""
    policy = descriptor.GetOptions().Extensions[policy_pb2.method_policy]
    return Method(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        request_type=message_factory.GetMessageClass(descriptor.input_type),
        response_type=message_factory.GetMessageClass(descriptor.output_type),
        default_deadline_ms=policy.default_deadline_ms,
        maximum_deadline_ms=policy.maximum_deadline_ms,
        idempotency=policy.idempotency,
        streams=descriptor.server_streaming,
        resume=_resume(descriptor),
    )


def _resume(descriptor: MethodDescriptor) -> Resume:
    """A cursor in request and replies resumes; a watch without one repeats the state it watches."""
    if not descriptor.server_streaming:
        return Resume.NEVER
    both = (descriptor.input_type, descriptor.output_type)
    if all("cursor" in message.fields_by_name for message in both):
        return Resume.CURSOR
    return Resume.RESTART if descriptor.name.startswith("Watch") else Resume.NEVER


HEALTH_CHECK: Method[Any, Any] = Method(
    path="/grpc.health.v1.Health/Check",
    request_type=health_pb2.HealthCheckRequest,
    response_type=health_pb2.HealthCheckResponse,
    default_deadline_ms=2_000,
    maximum_deadline_ms=10_000,
    idempotency=policy_pb2.IDEMPOTENCY_CLASS_READ_ONLY,
    streams=False,
    resume=Resume.NEVER,
)
"""The one method that is gRPC's own and not of the contract."""
