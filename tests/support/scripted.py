"""A real gRPC server in this process whose methods answer by a script."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from longmen.accounts.v1 import accounts_service_pb2
from longmen.admin.v1 import admin_service_pb2
from longmen.errors.v1 import error_reason_pb2
from longmen.events.v1 import events_service_pb2
from longmen.fx.v1 import (
    conversions_service_pb2,
    limit_orders_service_pb2,
    positions_service_pb2,
    rates_service_pb2,
)
from longmen.identity.v1 import challenge_service_pb2
from longmen.ledger.v1 import ledger_service_pb2
from longmen.merchants.v1 import settlements_service_pb2, webhooks_service_pb2
from longmen.payments.v1 import payments_service_pb2
from longmen.transfers.v1 import transfers_service_pb2
from longmen_client._methods import HEALTH_CHECK, Method, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from google.protobuf.message import Message


@dataclass(frozen=True)
class Fails:
    """An answer that is a status."""

    code: grpc.StatusCode
    message: str = "refused"
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after_ms: int | None = None
    fields: Sequence[tuple[str, str, str]] = ()
    domain: str = "longmen"

    def abort(self, context: grpc.ServicerContext) -> None:
        """End the call with the status and its details."""
        details = list(self._details())
        if details:
            status = status_pb2.Status(
                code=self.code.value[0], message=self.message, details=details
            )
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
        context.abort(self.code, self.message)

    def _details(self) -> Iterator[any_pb2.Any]:
        parts: list[Message] = []
        if self.reason:
            parts.append(
                error_details_pb2.ErrorInfo(
                    reason=self.reason, domain=self.domain, metadata=self.metadata
                )
            )
        if self.retry_after_ms is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(self.retry_after_ms)
            parts.append(error_details_pb2.RetryInfo(retry_delay=delay))
        if self.fields:
            parts.append(
                error_details_pb2.BadRequest(
                    field_violations=[
                        error_details_pb2.BadRequest.FieldViolation(
                            field=name, description=text, reason=rule
                        )
                        for name, text, rule in self.fields
                    ]
                )
            )
        for part in parts:
            packed = any_pb2.Any()
            packed.Pack(part)
            yield packed


def refusal(reason: str, **metadata: str) -> Fails:
    """The status that comes with a reason of the contract."""
    value = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name[f"ERROR_REASON_{reason}"]
    rule = value.GetOptions().Extensions[error_reason_pb2.rule]
    return Fails(grpc.StatusCode[rule.code], reason=reason, metadata=metadata)


@dataclass(frozen=True)
class Replays:
    """An answer that was given before."""

    message: Message


Answer = Any
"""A message, Replays, Fails, a list of those for a stream, or a function from request to one."""


@dataclass(frozen=True)
class Seen:
    """One call as the server saw it."""

    request: Any
    metadata: Mapping[str, str]
    seconds_left: float


class ScriptedServer:
    """Answers each method with its next scripted answer; the last one is repeated."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self._answers: dict[str, deque[Answer]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(16)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        for service, handlers in _handlers(self._answer).items():
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def script(self, method_name: str, *answers: Answer) -> None:
        """Set the answers of a method, by its short name or, where two have it, Service/Method."""
        with self._lock:
            self._answers[method_name] = deque(answers)
            self.seen[method_name] = []

    def calls(self, method_name: str) -> list[Seen]:
        """What a method was asked."""
        return self.seen[method_name]

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
        self._pool.shutdown()

    def _answer(self, method: Method[Any, Any], request: Any, context: grpc.ServicerContext) -> Any:
        name = self._script_name(method)
        metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        with self._lock:
            self.seen[name].append(Seen(request, metadata, context.time_remaining() or 0.0))
            answers = self._answers.get(name)
            if not answers:
                answer: Answer = Fails(grpc.StatusCode.UNIMPLEMENTED, f"no script for {name}")
            else:
                answer = answers.popleft() if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        return answer

    def _script_name(self, method: Method[Any, Any]) -> str:
        service, _, name = method.name.partition("/")
        full = f"{service.rpartition('.')[2]}/{name}"
        return full if full in self._answers else name


def _handlers(
    answer: Callable[[Method[Any, Any], Any, grpc.ServicerContext], Any],
) -> dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]]:
    methods = [
        describe(method)
        for module in (
            accounts_service_pb2,
            admin_service_pb2,
            challenge_service_pb2,
            conversions_service_pb2,
            events_service_pb2,
            ledger_service_pb2,
            limit_orders_service_pb2,
            payments_service_pb2,
            positions_service_pb2,
            rates_service_pb2,
            settlements_service_pb2,
            transfers_service_pb2,
            webhooks_service_pb2,
        )
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    found: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = defaultdict(dict)
    for method in [*methods, HEALTH_CHECK]:
        service, _, name = method.name.partition("/")
        make = (
            grpc.unary_stream_rpc_method_handler
            if method.streams
            else (grpc.unary_unary_rpc_method_handler)
        )
        behaviour = _streaming(method, answer) if method.streams else _unary(method, answer)
        found[service][name] = make(
            behaviour,
            request_deserializer=method.request_type.FromString,
            response_serializer=method.response_type.SerializeToString,
        )
    return found


def _unary(method: Method[Any, Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    def behaviour(request: Any, context: grpc.ServicerContext) -> Any:
        given = answer(method, request, context)
        if isinstance(given, Fails):
            given.abort(context)
        if isinstance(given, Replays):
            context.set_trailing_metadata((("request-replayed", "true"),))
            return given.message
        return given

    return behaviour


def _streaming(method: Method[Any, Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    def behaviour(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        given = answer(method, request, context)
        for part in given if isinstance(given, list) else [given]:
            if isinstance(part, Fails):
                part.abort(context)
            yield part

    return behaviour
