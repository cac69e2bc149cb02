"""Good requests with damage done by chance, through everything that stands before a servicer.

The chain runs in this process, without a network: parsing, strict reading and validation are what
the damage is meant for. A part of the same messages goes over the wire as well.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from corpus.case import ANY_SOUND, INVALID, Case, Expected
from corpus.world import METHODS, SAFE, World
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Call
from longmen_server.transport.interceptors.validation import Validation
from longmen_server.transport.status import RULES
from tests.support.messages import spoil
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from longmen_server.transport.chain import Step
    from longmen_server.transport.method import Method

SEED: Final = "longmen"
STRUCTURED: Final = 0.3
"""Share of messages whose fields are changed before their bytes are."""


def mutants(
    world: World, count: int, methods: tuple[Method, ...]
) -> Iterator[tuple[Method, bytes]]:
    """Yield damaged requests, of every method in turn; the same ones in every run."""
    chance = random.Random(SEED)  # noqa: S311 - the same in every run
    good = [world.base(method, "mutation") for method in methods]
    encoded = [message.SerializeToString() for message in good]
    for number in range(count):
        which = number % len(methods)
        data = encoded[which]
        if chance.random() < STRUCTURED:
            message = type(good[which])()
            message.CopyFrom(good[which])
            for _ in range(chance.randint(1, 3)):
                spoil(message, chance)
            data = message.SerializeToString()
        for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
            data = damage(data, chance)
        yield methods[which], data


def damage(data: bytes, chance: random.Random) -> bytes:
    """Change bytes in one of the ways that have broken parsers."""
    if not data:
        return bytes((chance.randrange(256),))
    at = chance.randrange(len(data))
    to = chance.randrange(at, min(len(data), at + 32)) + 1
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :],
        lambda: data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :],
        lambda: data[:at] + data[to:],
        lambda: data[:at] + data[at:to] * 2 + data[to:],
        lambda: data[:at],
        lambda: data[:at] + chance.choice((b"\xff" * 10, b"\x80" * 10, b"\x00")) + data[at:],
        lambda: data + data[at:to],
        lambda: data[:at] + data[at:to][::-1] + data[to:],
    )
    return chance.choice(ways)()


class Bytes:
    """A call's wire that only has its request."""

    def __init__(self) -> None:
        self.payload = b""

    async def read(self) -> bytes:
        """The request."""
        return self.payload


async def in_process(world: World, count: int) -> Counter[str]:
    """Run mutants through parsing, strictness and validation; count what comes of them.

    Raises:
        AssertionError: something else than a refusal of the contract came out of one.
    """
    wire = Bytes()
    steps: dict[str, Step] = {m.path: Validation(bytes(32)).wrap(m, _accepted) for m in METHODS}
    found: Counter[str] = Counter()
    for method, data in mutants(world, count, METHODS):
        wire.payload = data
        call: Any = Call(method.path, wire)  # type: ignore[arg-type]
        try:
            await steps[method.path](call, None)
            found["accepted"] += 1
        except Refusal as refusal:
            found[refusal.reason] += 1
    codes = {RULES[reason].code.name for reason in found if reason != "accepted"}
    assert codes <= {INVALID, "RESOURCE_EXHAUSTED"}, found
    return found


async def _accepted(_: Call, __: Any) -> bytes:
    return b""


def over_the_wire(world: World, count: int) -> Iterator[Case]:
    """Yield mutants as cases: what is no message has to be called so."""
    for number, (method, data) in enumerate(mutants(world, count, SAFE)):
        expected = ANY_SOUND
        try:
            method.request_class.FromString(data)
        except DecodeError:
            expected = Expected(frozenset({INVALID}), frozenset({"MALFORMED_REQUEST"}))
        if len(data) > method.request_bytes_max:
            expected = Expected(frozenset({"RESOURCE_EXHAUSTED"}))
        yield Case("M", f"{number}/{short(method)}", method, expected, data)
