"""Every method of the contract can be served, and a badly declared one cannot."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

import longmen
from longmen.type.v1 import policy_pb2
from longmen_server.transport.interceptors.validation import Validation
from longmen_server.transport.method import (
    REQUEST_BYTES_DEFAULT,
    Method,
    MethodError,
    read_method,
    read_methods,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor

    from longmen_server.transport.context import Call

CLASSES = {"payment", "read", "admin", "stream"}
KINDS = {"service", "customer", "staff", "merchant", "anonymous"}


def contract() -> Iterator[Method]:
    """Every method of every service under longmen/."""
    for module in pkgutil.walk_packages(longmen.__path__, "longmen."):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            for service in file.services_by_name.values():
                yield from read_methods(service.full_name)


METHODS = sorted(contract(), key=lambda method: method.path)


def ids(method: Method) -> str:
    return method.path.rpartition(".")[2]


def test_the_contract_was_found() -> None:
    services = {method.service.rpartition(".")[2] for method in METHODS}
    assert {"LedgerService", "AccountsService", "TransfersService", "EventsService"} <= services


@pytest.mark.parametrize("method", METHODS, ids=ids)
def test_every_method_has_a_whole_policy(method: Method) -> None:
    assert method.principal_kinds
    assert method.principal_kinds <= KINDS
    area, _, right = method.scope.partition(".")
    assert area
    assert right
    assert 0 < method.default_deadline_ms <= method.maximum_deadline_ms
    assert method.admission_class in CLASSES
    assert method.streams == (method.admission_class == "stream")
    assert 0 < method.request_bytes_max <= 1_048_576
    if method.admission_class == "payment":
        assert method.writes


@pytest.mark.parametrize("method", METHODS, ids=ids)
def test_the_rules_of_every_request_compile(method: Method) -> None:
    async def servicer(_call: Call, _request: Any) -> bytes:
        return b""

    Validation(bytes(32)).wrap(method, servicer)


def declared(
    *,
    policy: dict[str, Any] | None,
    request_fields: tuple[str, ...] = ("request_id",),
    client_streaming: bool = False,
) -> MethodDescriptor:
    """A method declared in its own pool."""
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    request = file.message_type.add(name="DoRequest")
    for number, name in enumerate(request_fields, start=1):
        request.field.add(
            name=name, number=number, type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING, label=1
        )
    file.message_type.add(name="DoResponse")
    method = file.service.add(name="TestService").method.add(
        name="Do",
        input_type=".t.DoRequest",
        output_type=".t.DoResponse",
        client_streaming=client_streaming,
    )
    if policy is not None:
        method.options.Extensions[policy_pb2.method_policy].CopyFrom(
            policy_pb2.MethodPolicy(**policy)
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName("t.TestService").methods[0]


GOOD: dict[str, Any] = {
    "principal_kinds": [policy_pb2.PRINCIPAL_KIND_SERVICE],
    "scope": "test.write",
    "default_deadline_ms": 100,
    "maximum_deadline_ms": 200,
    "request_class": policy_pb2.REQUEST_CLASS_PAYMENT,
    "idempotency": policy_pb2.IDEMPOTENCY_CLASS_REQUEST_ID,
}


def test_good_policy_is_read() -> None:
    method = read_method(declared(policy=GOOD))
    assert method.path == "t.TestService/Do"
    assert method.principal_kinds == {"service"}
    assert (method.scope, method.admission_class) == ("test.write", "payment")
    assert (method.default_deadline_ms, method.maximum_deadline_ms) == (100, 200)
    assert method.request_bytes_max == REQUEST_BYTES_DEFAULT
    assert method.writes
    assert method.repeatable
    assert not method.streams


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"principal_kinds": []}, "principal_kinds"),
        ({"principal_kinds": [policy_pb2.PRINCIPAL_KIND_UNSPECIFIED]}, "principal_kinds"),
        ({"scope": ""}, "scope"),
        ({"default_deadline_ms": 0}, "default_deadline_ms"),
        ({"default_deadline_ms": 201}, "default_deadline_ms"),
        ({"maximum_deadline_ms": 0}, "default_deadline_ms"),
        ({"request_class": policy_pb2.REQUEST_CLASS_UNSPECIFIED}, "request_class"),
        ({"idempotency": policy_pb2.IDEMPOTENCY_CLASS_UNSPECIFIED}, "idempotency"),
        ({"maximum_request_bytes": -1}, "maximum_request_bytes"),
    ],
)
def test_policy_with_a_hole_is_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MethodError, match=named):
        read_method(declared(policy={**GOOD, **change}))


def test_method_without_policy_is_refused() -> None:
    with pytest.raises(MethodError, match="no method_policy"):
        read_method(declared(policy=None))


def test_promise_of_idempotency_needs_a_request_id() -> None:
    with pytest.raises(MethodError, match="request_id"):
        read_method(declared(policy=GOOD, request_fields=("other",)))


def test_request_id_that_may_be_empty_is_refused() -> None:
    async def servicer(_call: Call, _request: Any) -> bytes:
        return b""

    with pytest.raises(MethodError, match="lets the request_id be empty"):
        Validation().wrap(read_method(declared(policy=GOOD)), servicer)


def test_streaming_requests_are_not_served() -> None:
    with pytest.raises(MethodError, match="takes a stream"):
        read_method(declared(policy=GOOD, client_streaming=True))
