"""Marked secrets go through every method that takes or gives them, and are found nowhere after.

What is secret the contract says itself, by debug_redact: every such field is driven, or this fails.
"""

from __future__ import annotations

import base64
import io
import logging
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
import structlog
from google.protobuf.descriptor_pool import Default
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from longmen_server.platform.logs import configure_logs
from longmen_server.platform.telemetry import prometheus_metrics
from tests.integration.test_personal_data import dump
from tests.support.rpcs import METHODS, short
from tests.support.sample_requests import make_sample
from tests.support.secrecy import SHORT, Recorder, found_in, secret_paths, secrets_in
from tests.support.small_bank import BY_NAME, SmallBank, open_small_bank
from tests.support.staff import fresh_login, hire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from google.protobuf.message import Message

    from longmen_server.transport.method import Method
    from tests.support.postgres import Database

MARKS = (
    "530917",
    "53091742",
    "1987-06-05",
    "Marked 7c1e secret text",
    "QPWX-ERTY-ASDF-GHJK",
    "+8613912345678",
    "mArKeD_" * 6 + "x",
)
"""Values that stand out, of every form that a secret has; the first that a field takes is sent."""


def output_of(method: Method) -> Any:
    found = Default().FindServiceByName(method.service).methods_by_name[method.name]
    return found.output_type


TAKE = {m: list(secret_paths(m.request_class.DESCRIPTOR)) for m in METHODS}
GIVE = {m: list(secret_paths(output_of(m))) for m in METHODS}
DRIVEN = [method for method in METHODS if TAKE[method] or GIVE[method]]


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    configure_logs(level="debug", as_json=True, stream=out, worker=0)
    yield out
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def bank(
    database: Database, tmp_path: Path, spans: InMemorySpanExporter, logs: io.StringIO
) -> AsyncIterator[SmallBank]:
    del logs
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("test")
    async with open_small_bank(database, tmp_path, tracer=tracer, trace_ratio=1.0) as opened:
        yield opened


def put(message: Any, path: str, value: str) -> None:
    """Set the text at a dotted path, making what lies on the way."""
    first, _, rest = path.partition(".")
    field = message.DESCRIPTOR.fields_by_name[first]
    if field.is_repeated:
        if not getattr(message, first):
            getattr(message, first).add()
        put(getattr(message, first)[0], rest, value)
    elif rest:
        put(getattr(message, first), rest, value)
    else:
        setattr(
            message, first, value.encode() if isinstance(getattr(message, first), bytes) else value
        )


async def send(bank: SmallBank, method: Method, request: Message, token: str) -> str:
    """What became of a request: OK or the name of the code."""
    try:
        await bank.call(method, request, token)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name} {error.details()}"
    return "OK"


def fresh(bank: SmallBank, method: Method, request: Any) -> Any:
    copy = type(request)()
    copy.CopyFrom(request)
    if method.repeatable:
        copy.request_id = bank.new_request_id()
    return copy


async def drive(bank: SmallBank, method: Method) -> set[str]:
    """Send a good request and bad ones; return the secret fields that reached the method."""
    owner = await bank.person()
    request = await make_sample(bank, method, owner)
    kinds = method.principal_kinds
    token = bank.token("service" if "service" in kinds else min(kinds), owner)
    await send(bank, method, request, token)
    reached = {path for path, _ in secrets_in(request)}
    for path in TAKE[method]:
        for mark in MARKS:
            other = fresh(bank, method, request)
            put(other, path, mark)
            answer = await send(bank, method, other, token)
            if not answer.startswith("INVALID_ARGUMENT"):
                reached.add(path)
                # The same id for another secret, and one that breaks the rules of the contract.
                changed = fresh(bank, method, other)
                if method.repeatable:
                    changed.request_id = other.request_id
                put(changed, path, mark[:-1] + "3")
                await send(bank, method, changed, token)
                break
        broken = fresh(bank, method, request)
        put(broken, path, "Marked 9d2f broken text\u202e")
        await send(bank, method, broken, token)
        await send(bank, method, fresh(bank, method, request), "forged")
    return reached


async def test_no_secret_is_in_logs_spans_metrics_refusals_or_the_database(
    bank: SmallBank, spans: InMemorySpanExporter, logs: io.StringIO, database: Database
) -> None:
    recorder = Recorder(bank)
    undriven = {}
    for method in DRIVEN:
        reached = await drive(bank, method)
        if missing := set(TAKE[method]) - reached:
            undriven[short(method)] = missing
    assert undriven == {}
    # Tokens of development have no session that could be renewed.
    worker = await hire(bank, fresh_login(bank), waits=True).enrol()
    renewed = await worker.do("StaffSessionsService/RenewStaffSession")
    recorder.note(BY_NAME["StaffSessionsService/RenewStaffSession"], renewed)
    given = {path for path in recorder.secrets if recorder.secrets[path]}
    for method in DRIVEN:
        for path in GIVE[method]:
            assert f"{method.name}.{path}" in given, (short(method), path)
    shown = {
        "logs": logs.getvalue(),
        "spans": "\n".join(span.to_json() for span in spans.get_finished_spans()),
        "metrics": "\n".join(str(metric) for metric in prometheus_metrics(bank.parts.metrics)),
        "refusals": "\n".join(recorder.refusals),
        "database": dump(database.admin_dsn).decode("utf-8", "replace"),
    }
    assert len(recorder.secrets) > len(DRIVEN)
    leaks = {sink: found_in(text, recorder.secrets) for sink, text in shown.items()}
    assert {sink: hits for sink, hits in leaks.items() if hits} == {}
    # The sinks are full, and a secret in any of them would have been found.
    assert "CompleteLogin" in shown["spans"]
    assert "rpc_server_call_duration" in shown["metrics"]
    assert len(recorder.refusals) > len(DRIVEN)
    assert found_in(shown["database"], {"known": {"longmen.identity.v1.SessionsService"}})


@pytest.mark.parametrize("secret", ["530917", "7KQF-3MZA-X5PW-H2RD", "correct horse ~? battery"])
def test_a_secret_is_found_in_every_form(secret: str) -> None:
    secrets = {"x": {secret}}
    assert found_in(f'{{"pin": "{secret}"}}', secrets)
    assert found_in(f"\\x00{secret.encode().hex()}ff", secrets)
    for before in ("", "a", "ab", "abc") if len(secret) >= SHORT else ():
        wrapped = f"{before}{secret}tail".encode()
        assert found_in(base64.urlsafe_b64encode(wrapped).decode(), secrets)
        assert found_in(base64.b64encode(wrapped).decode(), secrets)
    assert not found_in("0.530917 1530917 a530917b", secrets)
