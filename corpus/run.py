"""Sends the cases to a running server and judges the answers."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from corpus.case import BUSY, CORE, OF_THE_CALL, OF_THE_CORE, PROOFS, RESET, SOUND, Case, Expected
from longmen_server.transport.status import RULES
from tests.support import http2
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HANG_S: Final = 2.0
"""Seconds after which a call that has no answer counts as hanging."""

STREAM_S: Final = 0.4
"""Seconds after which a stream that says nothing counts as open."""

AT_ONCE: Final = 16
CHANNELS: Final = 4

NEVER: Final = frozenset({"INTERNAL", "UNKNOWN", "HANG", "DATA_LOSS"})
"""What no input may ever be answered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for a case."""

    case: Case
    code: str
    """Name of a status code, RESET, HTTP for an answer that is no gRPC, or HANG."""
    reason: str
    """The reason in the details; empty when there is none."""
    message: str

    @property
    def right(self) -> bool:
        """Whether this is an answer that the case expects."""
        expected = self.case.expected
        if expected.codes >= SOUND and self._is_about_content():
            return True
        if self.code not in expected.codes or self.code in NEVER:
            return False
        if self.code in {"OK", RESET, CORE, "HTTP"}:
            return True
        if not self.reason:
            return expected.core
        if expected.reasons and self.reason not in expected.reasons:
            return False
        rule = RULES.get(self.reason)
        return rule is not None and rule.code.name == self.code

    def _is_about_content(self) -> bool:
        """Whether it is a refusal that only some methods give to what is good in form."""
        if short(self.case.method) in BUSY and self.reason == "OVERLOADED":
            return True
        return self.code in PROOFS and self.reason not in {"", *OF_THE_CALL}


@dataclass(slots=True)
class Sender:
    """Sends cases to one server."""

    port: int
    tokens: dict[str, str]
    """Authorization metadata that may call a method, by the method's path."""
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    async def send_all(self, cases: Sequence[Case]) -> list[Outcome]:
        """Send cases, some at a time; the outcomes are in their order."""
        self._channels = [
            grpc.aio.insecure_channel(
                f"127.0.0.1:{self.port}",
                options=[
                    ("grpc.use_local_subchannel_pool", 1),
                    ("grpc.max_send_message_length", -1),
                ],
            )
            for _ in range(CHANNELS)
        ]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, case: Case) -> Outcome:
            async with gate:
                return await self.send(case, number)

        try:
            return await asyncio.gather(*(one(n, case) for n, case in enumerate(cases)))
        finally:
            await asyncio.gather(*(channel.close() for channel in self._channels))

    async def send(self, case: Case, number: int = 0) -> Outcome:
        """Send one case."""
        try:
            async with asyncio.timeout(HANG_S):
                if case.raw is not None:
                    return await self._by_hand(case)
                return await self._by_library(case, self._channels[number % CHANNELS])
        except TimeoutError:
            return Outcome(case, "HANG", "", f"no answer within {HANG_S} s")

    async def _by_hand(self, case: Case) -> Outcome:
        raw = case.raw
        assert raw is not None
        answer = await http2.call(
            self.port,
            list(raw.headers),
            raw.frames,
            ends=raw.ends,
            acknowledge=raw.acknowledges,
            first_message=case.method.streams,
        )
        if answer.status is None:
            code = "OK" if answer.begun else RESET
            http_status = answer.headers.get(b":status", b"200")
            return Outcome(case, code if http_status == b"200" else "HTTP", "", "")
        known = {code.value[0]: code.name for code in grpc.StatusCode}
        details = answer.headers.get(b"grpc-status-details-bin", b"")
        whole = base64.b64decode(details + b"=" * (-len(details) % 4))
        message = answer.headers.get(b"grpc-message", b"").decode("ascii", "replace")
        code = known.get(answer.status, "UNKNOWN")
        if code == "INTERNAL" and not details and message.startswith(OF_THE_CORE):
            code = CORE
        if answer.headers.get(b":status", b"200") != b"200":
            code = "HTTP"
        return Outcome(case, code, reason_in(whole), message)

    async def _by_library(self, case: Case, channel: grpc.aio.Channel) -> Outcome:
        authorization = case.token or self.tokens[case.method.path]
        metadata = (("authorization", authorization),)
        path = f"/{case.method.path}"
        stream: Any = channel.unary_stream(path)
        unary: Any = channel.unary_unary(path)
        try:
            if case.method.streams:
                call = stream(case.payload, metadata=metadata, timeout=30)
                # What has to be refused is waited for; what may be good need not say anything.
                await self._first(call, STREAM_S if "OK" in case.expected.codes else 2 * HANG_S)
            else:
                await unary(case.payload, metadata=metadata, timeout=30)
        except grpc.aio.AioRpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            whole = trailers.get("grpc-status-details-bin", b"")
            assert isinstance(whole, bytes)
            code = error.code().name
            if code == "UNAVAILABLE" and not whole:
                code = RESET
            return Outcome(case, code, reason_in(whole), error.details() or "")
        return Outcome(case, "OK", "", "")

    async def _first(self, call: Any, seconds: float) -> None:
        """Wait for a stream's first message or its end; one that is only open is good, too."""
        try:
            async with asyncio.timeout(seconds):
                await call.read()
        except TimeoutError:
            pass
        finally:
            call.cancel()


def reason_in(whole: bytes) -> str:
    """The reason in a serialised google.rpc.Status of ours."""
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(whole).details:
        if detail.Unpack(info) and info.domain == "longmen":
            return str(info.reason)
    return ""


def expectation(expected: Expected) -> str:
    """An expectation in words."""
    words = "|".join(sorted(expected.codes))
    return f"{words} ({'|'.join(sorted(expected.reasons)) or 'any reason'})"


def describe(outcome: Outcome) -> str:
    """A wrong answer, in a line."""
    return (
        f"{outcome.case.id} [{short(outcome.case.method)}]: {outcome.code} {outcome.reason}"
        f" {outcome.message[:80]!r}, not {expectation(outcome.case.expected)}"
    )


def count(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """How many outcomes of each class have each code."""
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        row = table.setdefault(outcome.case.kind, {})
        row[outcome.code] = row.get(outcome.code, 0) + 1
    return table
