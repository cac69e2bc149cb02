"""The edge as its callers see it: a real server, raw bytes in, statuses with reasons out."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from longmen.identity.v1 import session_service_pb2
from longmen.ledger.v1 import ledger_service_pb2
from longmen_server.platform.refusal import Refusal
from tests.support.edge import (
    ACCOUNTS,
    ADMIN,
    LEDGER,
    REQUEST_ID,
    Claims,
    Edge,
    Tokens,
    Told,
    running_edge,
    told,
    transfers,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.transport.context import Call

CREATE = f"{LEDGER}/CreateTransfers"
GET_BALANCES = f"{LEDGER}/GetTrialBalance"
EXPORT = f"{LEDGER}/ExportJournal"

UNKNOWN_FIELD = b"\xc2\x3e\x03abc"
"""Field 1000, three bytes."""


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Edge]:
    """One edge for the tests that leave no trace in it."""
    tokens = Tokens(
        {
            "good": Claims(),
            "customer": Claims(kind="customer", subject="lin"),
            "unscoped": Claims(scopes=frozenset({"ledger.read"})),
        }
    )
    async with running_edge(LEDGER, ACCOUNTS, ADMIN, tokens=tokens) as edge:
        yield edge


@pytest.fixture
def edge(shared: Edge) -> Edge:
    for servicer in shared.servicers.values():
        servicer.calls.clear()
        servicer.behaviours.clear()
    return shared


async def refused(edge: Edge, *args: Any, **kwargs: Any) -> Told:
    """Call, and return what the refusal told."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await edge.call(*args, **kwargs)
    return told(caught.value)


# -- A good call.


async def test_good_call_reaches_the_servicer_with_its_context(edge: Edge) -> None:
    await edge.call(timeout=7.0)

    ((name, request, call),) = edge.ledger.calls
    assert name == "CreateTransfers"
    assert request == transfers(1)
    assert call.method == CREATE
    assert call.request_id == REQUEST_ID
    assert call.request_digest is not None
    assert len(call.request_digest.full) == 32
    assert call.principal.subject == "channel"
    assert 6.0 < call.deadline - asyncio.get_running_loop().time() < 7.1


async def test_servicer_may_answer_in_bytes(edge: Edge) -> None:
    async def answer(_request: Any, _call: Call) -> bytes:
        return b"already serialised"

    edge.ledger.behaviours["CreateTransfers"] = answer
    assert await edge.call() == b"already serialised"


async def test_replayed_answer_has_its_trailer(edge: Edge) -> None:
    async def answer(_request: Any, call: Call) -> bytes:
        call.set_replayed()
        return b""

    edge.ledger.behaviours["CreateTransfers"] = answer
    unary: Any = edge.channel.unary_unary(f"/{CREATE}")
    call = unary(
        transfers(1).SerializeToString(), metadata=(("authorization", "Bearer good"),), timeout=5
    )
    await call
    assert dict(await call.trailing_metadata())["request-replayed"] == "true"


async def test_read_has_no_request_id_and_no_fingerprint(edge: Edge) -> None:
    await edge.call(GET_BALANCES, b"")
    ((_, _, call),) = edge.ledger.calls
    assert call.request_id is None
    assert call.request_digest is None


# -- Bytes that are no good request.


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff\xff",
        b"\x0a\x05ab",
        b"\x00\x01",
        b"\x0a" + b"\xff" * 11,
        b"\x0b\x08\x01",
        b"\x0a\x02\xc3\x28",
    ],
    ids=["garbage", "truncated", "field 0", "long varint", "open group", "bad UTF-8"],
)
async def test_malformed_bytes(edge: Edge, payload: bytes) -> None:
    answer = await refused(edge, payload=payload)
    assert (answer.code, answer.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "MALFORMED_REQUEST",
    )
    assert not edge.ledger.calls


async def test_broken_rules_are_named_by_field(edge: Edge) -> None:
    request = transfers(2)
    request.request_id = "not a uuid"
    request.transfers[1].amount.currency_code = "cny"
    answer = await refused(edge, payload=request.SerializeToString())
    assert answer.reason == "INVALID_REQUEST"
    assert answer.code == grpc.StatusCode.INVALID_ARGUMENT
    assert answer.fields == ["request_id", "transfers[1].amount.currency_code"]
    assert answer.metadata["rules"] == "string.uuid,string.pattern"


async def test_a_thousand_broken_items_make_a_small_status(edge: Edge) -> None:
    request = transfers(1000)
    for transfer in request.transfers:
        transfer.amount.minor_units = -1
    answer = await refused(edge, payload=request.SerializeToString())
    assert answer.reason == "INVALID_REQUEST"
    assert len(answer.whole) < 2_000


async def test_request_id_may_not_be_absent(edge: Edge) -> None:
    request = transfers(1)
    request.request_id = ""
    answer = await refused(edge, payload=request.SerializeToString())
    assert answer.fields == ["request_id"]


async def test_unknown_field_is_refused_on_a_write(edge: Edge) -> None:
    answer = await refused(edge, payload=transfers(1).SerializeToString() + UNKNOWN_FIELD)
    assert answer.code == grpc.StatusCode.INVALID_ARGUMENT
    assert answer.reason == "UNKNOWN_FIELD"
    assert answer.metadata["message"] == "longmen.ledger.v1.CreateTransfersRequest"


async def test_unknown_field_inside_a_message_is_refused_too(edge: Edge) -> None:
    inner = transfers(1).transfers[0].SerializeToString() + UNKNOWN_FIELD
    payload = ledger_service_pb2.CreateTransfersRequest(request_id=REQUEST_ID).SerializeToString()
    payload += b"\x12" + len(inner).to_bytes(2, "little").replace(b"\x00", b"") + inner
    answer = await refused(edge, payload=payload)
    assert answer.reason == "UNKNOWN_FIELD"
    assert answer.metadata["message"] == "longmen.ledger.v1.TransferSpec"


async def test_unknown_field_is_ignored_on_a_read(edge: Edge) -> None:
    await edge.call(GET_BALANCES, UNKNOWN_FIELD)


@pytest.mark.parametrize("value", [99, -1, 2**31 - 1, 2**40, 2**32])
async def test_unknown_enum_value_is_refused_as_it_stands_on_the_wire(
    edge: Edge, value: int
) -> None:
    spec = transfers(1).transfers[0].SerializeToString() + b"\x28" + varint(value)
    payload = ledger_service_pb2.CreateTransfersRequest(request_id=REQUEST_ID).SerializeToString()
    payload += b"\x12" + varint(len(spec)) + spec
    answer = await refused(edge, payload=payload)
    assert answer.code == grpc.StatusCode.INVALID_ARGUMENT
    assert answer.reason == "UNKNOWN_ENUM_VALUE"
    assert answer.metadata["field"] == "transfers[0].kind"
    assert not edge.ledger.calls


async def test_fields_in_another_order_and_defaults_written_out_are_fine(edge: Edge) -> None:
    spec = b"\x40\x00" + transfers(1).transfers[0].SerializeToString()
    request_id = ledger_service_pb2.CreateTransfersRequest(request_id=REQUEST_ID)
    payload = b"\x12" + varint(len(spec)) + spec + request_id.SerializeToString()
    await edge.call(payload=payload)
    await edge.call()
    (_, _, odd), (_, _, plain) = edge.ledger.calls
    assert odd.request_digest == plain.request_digest


async def test_request_above_its_methods_limit(edge: Edge) -> None:
    answer = await refused(edge, GET_BALANCES, b"x" * 262_145)
    assert answer.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answer.reason == "REQUEST_TOO_LARGE"
    assert answer.metadata["limit_bytes"] == "262144"


async def test_batch_method_takes_more_than_the_general_limit(edge: Edge) -> None:
    request = transfers(1000)
    for transfer in request.transfers:
        transfer.description = "x" * 140
        transfer.reference = "y" * 64
    payload = request.SerializeToString()
    assert 262_144 < len(payload) < 1_048_576
    await edge.call(payload=payload)


async def test_request_beyond_every_limit_is_refused_by_the_core(edge: Edge) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await edge.call(payload=b"x" * 2_000_000)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# -- Who may call.


async def test_missing_token(edge: Edge) -> None:
    answer = await refused(edge, token=None)
    assert (answer.code, answer.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


async def test_bad_token(edge: Edge) -> None:
    answer = await refused(edge, token="forged")
    assert (answer.code, answer.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_nothing_is_parsed_for_a_caller_without_token(edge: Edge) -> None:
    answer = await refused(edge, payload=b"\xff", token=None)
    assert answer.reason == "TOKEN_MISSING"


async def test_wrong_kind_of_principal(edge: Edge) -> None:
    answer = await refused(edge, token="customer")
    assert (answer.code, answer.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )
    assert answer.metadata == {"method": CREATE}


async def test_missing_scope(edge: Edge) -> None:
    answer = await refused(edge, token="unscoped")
    assert answer.reason == "PERMISSION_DENIED"


async def test_non_production_method_on_a_production_server() -> None:
    async with running_edge(ADMIN, production=True) as edge:
        answer = await refused(edge, f"{ADMIN}/SetClock", b"")
    assert answer.code == grpc.StatusCode.FAILED_PRECONDITION
    assert answer.reason == "METHOD_DISABLED"


# -- Deadlines.


async def test_call_without_deadline_gets_the_methods_default(edge: Edge) -> None:
    await edge.call(timeout=None)
    ((_, _, call),) = edge.ledger.calls
    assert 9.0 < call.deadline - asyncio.get_running_loop().time() <= 10.0


async def test_longer_deadline_is_cut_to_the_maximum(edge: Edge) -> None:
    await edge.call(timeout=3600)
    ((_, _, call),) = edge.ledger.calls
    assert 29.0 < call.deadline - asyncio.get_running_loop().time() <= 30.0


async def test_hopeless_deadline_is_not_begun() -> None:
    async with running_edge(minimum_budget_ms=5_000) as edge:
        answer = await refused(edge, timeout=3.0)
        assert answer.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert answer.reason == "DEADLINE_EXCEEDED"
        assert not edge.ledger.calls


async def test_handler_is_cancelled_at_the_callers_deadline(edge: Edge) -> None:
    ended = asyncio.Event()

    async def wait_for_ever(_request: Any, _call: Call) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    edge.ledger.behaviours["CreateTransfers"] = wait_for_ever
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await edge.call(timeout=0.1)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(ended.wait(), 5)


# -- Metadata.


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ((("authorization", "Bearer good"),), "authorization"),
        (tuple((f"k{n}", "v") for n in range(64)), ""),
        (tuple((f"k{n}", "v" * 1_000) for n in range(9)), ""),
    ],
    ids=["authorization twice", "too many", "too large"],
)
async def test_metadata_out_of_bounds(
    edge: Edge, metadata: tuple[tuple[str, str | bytes], ...], key: str
) -> None:
    answer = await refused(edge, metadata=metadata)
    assert (answer.code, answer.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "METADATA_REJECTED",
    )
    assert answer.metadata == {"key": key}


# -- What goes wrong inside.


SECRET = "duplicate key (phone)=(+8613800138000) in table wallet"


class DatabaseFaultError(Exception):
    """Stands for any exception with a text nobody outside may see."""


async def test_text_of_an_exception_never_leaves(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_request: Any, _call: Call) -> bytes:
        raise DatabaseFaultError(SECRET)

    edge.ledger.behaviours["CreateTransfers"] = fail
    answer = await refused(edge)
    assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert b"13800138000" not in answer.whole
    assert b"DatabaseFault" not in answer.whole
    assert len(answer.metadata["incident_id"]) == 16
    assert answer.metadata["incident_id"] in capsys.readouterr().out


async def test_text_of_an_exception_never_leaves_a_stream(edge: Edge) -> None:
    async def fail(_request: Any, _call: Call) -> AsyncIterator[bytes]:
        yield b""
        raise DatabaseFaultError(SECRET)

    edge.ledger.behaviours["ExportJournal"] = fail
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in edge.stream(EXPORT, export_request()):
            pass
    answer = told(caught.value)
    assert answer.reason == "INTERNAL"
    assert b"13800138000" not in answer.whole


async def test_reason_that_is_not_in_the_contract_is_an_incident(edge: Edge) -> None:
    async def refuse(_request: Any, _call: Call) -> bytes:
        raise Refusal("NO_SUCH_REASON", SECRET)

    edge.ledger.behaviours["CreateTransfers"] = refuse
    answer = await refused(edge)
    assert answer.reason == "INTERNAL"
    assert b"13800138000" not in answer.whole


async def test_business_refusal_carries_reason_and_metadata(edge: Edge) -> None:
    async def refuse(_request: Any, _call: Call) -> bytes:
        raise Refusal(
            "INSUFFICIENT_FUNDS",
            "the debit account has CNY 1.20 available",
            metadata={"available_minor_units": "120", "currency_code": "CNY"},
            field="transfers[0].amount",
        )

    edge.ledger.behaviours["CreateTransfers"] = refuse
    answer = await refused(edge)
    assert answer.code == grpc.StatusCode.FAILED_PRECONDITION
    assert answer.reason == "INSUFFICIENT_FUNDS"
    assert answer.metadata == {"available_minor_units": "120", "currency_code": "CNY"}
    assert answer.fields == ["transfers[0].amount"]
    assert answer.retry_ms is None


async def test_reused_request_id_names_the_fields(edge: Edge) -> None:
    async def refuse(_request: Any, _call: Call) -> bytes:
        raise Refusal(
            "REQUEST_ID_REUSED", "the request id was used before", metadata={"fields": "2"}
        )

    edge.ledger.behaviours["CreateTransfers"] = refuse
    answer = await refused(edge)
    assert answer.metadata == {"fields": "transfers"}


async def test_unknown_method(edge: Edge) -> None:
    for method in (f"{LEDGER}/Nope", "nope", "", f"{LEDGER}/createtransfers"):
        answer = await refused(edge, method)
        assert answer.code == grpc.StatusCode.UNIMPLEMENTED
        assert answer.reason == "UNKNOWN_METHOD"
        assert answer.metadata == {"method": method}


# -- Overload.


async def test_what_exceeds_the_bound_is_shed_at_once() -> None:
    async with running_edge(payments_in_work_max=2) as edge:
        release = asyncio.Event()

        async def wait(_request: Any, _call: Call) -> bytes:
            await release.wait()
            return b"done"

        edge.ledger.behaviours["CreateTransfers"] = wait
        inside = [asyncio.ensure_future(edge.call()) for _ in range(2)]
        await until(lambda: len(edge.ledger.calls) == 2)
        answer = await refused(edge)
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
        assert answer.metadata == {"class": "payment"}
        assert answer.retry_ms is not None
        assert 0 < answer.retry_ms < 1_000
        await edge.call(GET_BALANCES, b"")  # another class is not touched
        release.set()
        assert await asyncio.gather(*inside) == [b"done", b"done"]
        await edge.call()  # and there is room again


async def test_a_principal_that_calls_too_often_is_refused_and_no_other() -> None:
    tokens = Tokens({"good": Claims(), "other": Claims(subject="other")})
    async with running_edge(tokens=tokens, rates=("service.payment=0.1/3",)) as edge:
        for _ in range(3):
            await edge.call()
        begun = time.monotonic()
        answer = await refused(edge)
        assert time.monotonic() - begun < 0.05 * max(1, os.getloadavg()[0])
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "QUOTA_EXCEEDED",
        )
        assert answer.metadata == {"quota": "calls_per_second", "limit": "0.1/3"}
        assert answer.retry_ms is not None
        await edge.call(token="other")
        await edge.call(GET_BALANCES, b"")  # another class has no rate here


async def test_callers_without_a_token_are_counted_by_address_behind_our_proxies() -> None:
    service = "longmen.identity.v1.SessionsService"
    method = f"{service}/StartLogin"
    payload = session_service_pb2.StartLoginRequest(
        request_id=REQUEST_ID, phone_number="+8613800138000", key_thumbprint="A" * 43
    ).SerializeToString()
    async with running_edge(
        service, rates=("anonymous.message=0.5/2",), trusted_proxies=("127.0.0.0/8",)
    ) as edge:

        async def come(*notes: str) -> Told | None:
            metadata = tuple(("x-forwarded-for", note) for note in notes)
            try:
                await edge.call(method, payload, token=None, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return told(error)
            return None

        for _ in range(2):
            assert await come("203.0.113.5") is None
        begun = time.monotonic()
        answer = await come("203.0.113.5")
        assert time.monotonic() - begun < 0.05 * max(1, os.getloadavg()[0])
        assert answer is not None
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "QUOTA_EXCEEDED",
        )
        assert answer.metadata == {"quota": "calls_per_second", "limit": "0.5/2"}
        assert answer.retry_ms is not None
        assert 1_000 <= answer.retry_ms <= 2_000
        # Another name before the proxy's own note changes nothing; another address does.
        assert await come("198.51.100.1, 203.0.113.5") is not None
        assert await come("198.51.100.1") is None
        for host in (1, 2):
            assert await come(f"2001:db8::{host}") is None
        assert await come("2001:db8::3") is not None
        assert await come("2001:db8:0:1::3") is None
        (_, _, call) = edge.servicers[service].calls[0]
        assert call.address == call.actor.peer == "203.0.113.5"


async def test_streams_of_one_principal_are_bounded() -> None:
    tokens = Tokens({"good": Claims(), "other": Claims(subject="other")})
    async with running_edge(tokens=tokens, streams_per_principal_max=1) as edge:

        async def wait(_request: Any, _call: Call) -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.Event().wait()

        edge.ledger.behaviours["ExportJournal"] = wait
        open_stream = edge.stream(EXPORT, export_request())
        assert await open_stream.read() == b"first"

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await edge.stream(EXPORT, export_request()).read()
        answer = told(caught.value)
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "QUOTA_EXCEEDED",
        )
        assert answer.metadata == {"quota": "streams_per_principal", "limit": "1"}
        other = edge.stream(EXPORT, export_request(), token="other")
        assert await other.read() == b"first"
        open_stream.cancel()
        other.cancel()

        async def free() -> bool:
            stream = edge.stream(EXPORT, export_request())
            try:
                return await stream.read() == b"first"
            except grpc.aio.AioRpcError:
                return False
            finally:
                stream.cancel()

        async with asyncio.timeout(5):
            while not await free():
                pass


# -- Streams.


async def test_stream_gives_every_message_in_order(edge: Edge) -> None:
    async def count(_request: Any, _call: Call) -> AsyncIterator[bytes]:
        for number in range(100):
            yield str(number).encode()

    edge.ledger.behaviours["ExportJournal"] = count
    got = [int(message) async for message in edge.stream(EXPORT, export_request())]
    assert got == list(range(100))


async def test_cancelled_stream_closes_its_source(edge: Edge) -> None:
    closed = asyncio.Event()

    async def endless(_request: Any, _call: Call) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    edge.ledger.behaviours["ExportJournal"] = endless
    stream = edge.stream(EXPORT, export_request())
    assert await stream.read() == b"first"
    stream.cancel()
    await asyncio.wait_for(closed.wait(), 5)


async def test_reader_that_does_not_read_loses_its_stream() -> None:
    async with running_edge(stream_send_timeout_s=0.2) as edge:
        closed = asyncio.Event()

        async def flood(_request: Any, _call: Call) -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                closed.set()

        edge.ledger.behaviours["ExportJournal"] = flood
        stream = edge.stream(EXPORT, export_request())
        assert await stream.read()
        await asyncio.wait_for(closed.wait(), 10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read_to_end(stream)
        assert caught.value.code() in {
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.CANCELLED,
        }


async def read_to_end(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


def export_request() -> bytes:
    return ledger_service_pb2.ExportJournalRequest().SerializeToString()


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
