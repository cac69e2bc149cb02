"""What reaches the edge from clients that keep no rule of HTTP/2 or gRPC."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

from tests.support.edge import LEDGER, Edge, running_edge, told, transfers
from tests.support.http2 import Answer, Header, call, call_headers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATH = f"/{LEDGER}/CreateTransfers"
TOKEN: Header = (b"authorization", b"Bearer good")
OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED = 0, 1, 3, 4
UNIMPLEMENTED, UNAUTHENTICATED = 12, 16


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running_edge() as made:
        yield made


def message(payload: bytes, *, flag: int = 0, length: int | None = None) -> bytes:
    """One message in gRPC's framing."""
    return (
        bytes((flag,)) + (len(payload) if length is None else length).to_bytes(4, "big") + payload
    )


def good() -> bytes:
    return message(transfers(1).SerializeToString())


def reason(answer: Answer) -> str:
    """The reason in the details of an answer."""
    encoded = answer.headers[b"grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(encoded + b"=="))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


async def canary(edge: Edge) -> None:
    """A good call still succeeds."""
    await edge.call()


async def test_a_request_that_is_withheld_holds_its_place_for_a_short_time() -> None:
    """Calls that send no message would else keep out all others of their class."""
    async with running_edge(receive_timeout_s=0.2, payments_in_work_max=2) as edge:
        opened: list[Any] = [
            edge.channel.stream_unary(PATH)(metadata=(("authorization", "Bearer good"),), timeout=9)
            for _ in range(2)
        ]
        for one in opened:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await one
            refusal = told(caught.value)
            assert (refusal.code.name, refusal.reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
            assert refusal.metadata == {"quota": "receive_seconds", "limit": "0.2"}
        await canary(edge)


async def test_the_raw_client_can_make_a_good_call(edge: Edge) -> None:
    answer = await call(edge.server.port, call_headers(PATH, TOKEN), good())
    assert answer.status == OK


@pytest.mark.parametrize(
    "value",
    [b"a\rb", b"a\nb", b"a\x00b", b"\x1b[31m", b"\x7f", "\u202e".encode(), b"caf\xe9"],
    ids=["CR", "LF", "NUL", "escape", "DEL", "bidi", "Latin-1"],
)
async def test_control_characters_in_metadata(edge: Edge, value: bytes) -> None:
    headers = call_headers(PATH, TOKEN, (b"x-note", value))
    answer = await call(edge.server.port, headers, good())
    assert answer.reset or (answer.status, reason(answer)) == (
        INVALID_ARGUMENT,
        "METADATA_REJECTED",
    )
    await canary(edge)


async def test_two_authorizations(edge: Edge) -> None:
    headers = call_headers(PATH, TOKEN, (b"authorization", b"Bearer other"))
    answer = await call(edge.server.port, headers, good())
    assert (answer.status, reason(answer)) == (INVALID_ARGUMENT, "METADATA_REJECTED")


@pytest.mark.parametrize("acknowledge", [True, False])
@pytest.mark.parametrize("size", [9_000, 30_000, 1_000_000])
async def test_metadata_above_the_limit_never_reaches_a_servicer(
    edge: Edge, size: int, *, acknowledge: bool
) -> None:
    # The core's own limit does not hold for a peer that leaves the settings unacknowledged.
    edge.ledger.calls.clear()
    headers = call_headers(PATH, TOKEN, (b"x-large", b"v" * size))
    answer = await call(edge.server.port, headers, good(), acknowledge=acknowledge)
    assert answer.reset or answer.status not in {None, OK}
    assert not edge.ledger.calls
    await canary(edge)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", message(b"")[:3], message(b"abc", length=10), message(b"\xff" * 64)],
    ids=["no message", "one byte", "half a frame", "length beyond the body", "garbage"],
)
async def test_call_without_a_whole_message_gets_an_answer(edge: Edge, body: bytes) -> None:
    # gRPC's own unary handlers leave the first four unanswered until the connection ends.
    answer = await call(edge.server.port, call_headers(PATH, TOKEN), body)
    assert (answer.status, reason(answer)) == (INVALID_ARGUMENT, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "body",
    [
        message(b"", length=2**31),
        message(b"abc", flag=1),
        message(b"abc", flag=7),
        good() + good(),
        good() + b"trailing",
    ],
    ids=["length of 2 GiB", "compressed without encoding", "flag 7", "two messages", "trailing"],
)
async def test_other_broken_bodies_do_no_harm(edge: Edge, body: bytes) -> None:
    answer = await call(edge.server.port, call_headers(PATH, TOKEN), body)
    assert answer.reset or answer.status is not None
    await canary(edge)


async def test_nothing_is_waited_for_from_a_caller_who_is_refused(edge: Edge) -> None:
    answer = await call(edge.server.port, call_headers(PATH), None)
    assert (answer.status, reason(answer)) == (UNAUTHENTICATED, "TOKEN_MISSING")


async def test_request_that_never_comes_is_waited_for_until_the_deadline(edge: Edge) -> None:
    headers = call_headers(PATH, TOKEN, (b"grpc-timeout", b"200m"))
    answer = await call(edge.server.port, headers, None)
    assert answer.reset or answer.status in {CANCELLED, DEADLINE_EXCEEDED}
    await canary(edge)


@pytest.mark.parametrize(
    "path",
    [
        PATH.removeprefix("/"),
        "/" + PATH,
        PATH.lower(),
        PATH + "/",
        PATH + "?x=1",
        PATH.replace("/Create", "%2fCreate"),
        "/",
        "/" + "x" * 7_000,
        f"/{LEDGER}/../{LEDGER}/CreateTransfers",
    ],
)
async def test_only_the_exact_path_is_routed(edge: Edge, path: str) -> None:
    edge.ledger.calls.clear()
    answer = await call(edge.server.port, call_headers(path, TOKEN), good())
    assert answer.reset or answer.status == UNIMPLEMENTED
    assert not edge.ledger.calls


@pytest.mark.parametrize("value", [b"abc", b"-1S", b"0n", b"99999999H", b"", b"1" * 40 + b"S"])
async def test_nonsense_as_a_timeout(edge: Edge, value: bytes) -> None:
    headers = call_headers(PATH, TOKEN, (b"grpc-timeout", value))
    answer = await call(edge.server.port, headers, good())
    assert answer.reset or answer.status is not None
    await canary(edge)
