"""A client that speaks HTTP/2 by the byte, for what no well-behaved library will send."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
FRAME_BYTES_MAX = 16_384

Header = tuple[bytes, bytes]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One HTTP/2 frame."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + payload


@dataclass
class Answer:
    """What came back for one call."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    """Headers and trailers together."""
    reset: bool = False
    """Whether the stream or the connection was broken off instead."""
    begun: bool = False
    """Whether a message has come, or a part of one."""

    @property
    def status(self) -> int | None:
        """The gRPC status code; None when there was none."""
        code = self.headers.get(b"grpc-status")
        return None if code is None else int(code)


def call_headers(path: str, *extra: Header) -> list[Header]:
    """The headers of a gRPC call, and then the ones that a test is about."""
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        *extra,
    ]


async def call(
    port: int,
    headers: list[Header],
    body: bytes | tuple[bytes, ...] | None,
    *,
    acknowledge: bool = True,
    ends: bool = True,
    first_message: bool = False,
) -> Answer:
    """Make one call on a connection of its own.

    Args:
        port: Where to connect on loopback.
        headers: Sent as they are, unchecked.
        body: Bytes of the DATA frame, or of several, gRPC's own framing included; None leaves the
            call open.
        acknowledge: Whether to acknowledge the server's settings, as every client must.
        ends: Whether the last DATA frame ends the stream.
        first_message: Whether to read no further than to the first message of the answer.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(PREFACE + frame(SETTINGS, 0, 0))
        if acknowledge:
            writer.write(frame(SETTINGS, ACK, 0))
        # A dynamic table would be part of the settings that we may not have agreed on.
        encoder = hpack.Encoder()
        encoder.header_table_size = 0
        block = encoder.encode(headers, huffman=False)
        first, rest = block[:FRAME_BYTES_MAX], block[FRAME_BYTES_MAX:]
        writer.write(frame(HEADERS, 0 if rest else END_HEADERS, 1, first))
        while rest:
            part, rest = rest[:FRAME_BYTES_MAX], rest[FRAME_BYTES_MAX:]
            writer.write(frame(CONTINUATION, 0 if rest else END_HEADERS, 1, part))
        frames = () if body is None else (body,) if isinstance(body, bytes) else body
        for number, content in enumerate(frames, start=1):
            last = ends and number == len(frames)
            writer.write(frame(DATA, END_STREAM if last else 0, 1, content))
        async with asyncio.timeout(10):
            return await _read(reader, first_message=first_message)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, *, first_message: bool) -> Answer:
    """Read frames until the stream has ended one way or the other."""
    answer = Answer()
    decoder = hpack.Decoder()
    while True:
        try:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            answer.reset = answer.status is None
            return answer
        kind, flags = head[3], head[4]
        if kind == HEADERS:
            answer.headers |= dict(decoder.decode(payload, raw=True))
        answer.begun = answer.begun or kind == DATA
        if kind in {RST_STREAM, GOAWAY} and answer.status is None:
            answer.reset = True
            return answer
        if kind in {HEADERS, DATA} and flags & END_STREAM:
            return answer
        if first_message and answer.begun:
            return answer
