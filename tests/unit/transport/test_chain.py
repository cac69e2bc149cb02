"""The chain is made of the right interceptors in the right order, and of nothing else."""

from __future__ import annotations

import time
from itertools import permutations
from typing import Any

import pytest

from longmen_server.platform.metrics import Metrics
from longmen_server.transport.chain import ORDER, ChainError, Step, compose
from longmen_server.transport.context import Call
from longmen_server.transport.interceptors.context import Draining
from longmen_server.transport.method import Method, read_methods
from longmen_server.transport.server import Surroundings, build_interceptors
from tests.support.edge import LEDGER, Tokens, settings

METHOD = next(m for m in read_methods(LEDGER) if m.name == "CreateTransfers")


class Spy:
    """An interceptor that notes when it is passed."""

    def __init__(self, name: str, passed: list[str]) -> None:
        self.name = name
        self.passed = passed

    def wrap(self, method: Method, proceed: Step) -> Step:
        async def step(call: Call, payload: Any) -> bytes:
            self.passed.append(self.name)
            return await proceed(call, payload)

        return step


async def _servicer(_call: Call, _payload: Any) -> bytes:
    return b"reply"


def test_the_order_is_the_documented_one() -> None:
    assert ORDER == (
        "telemetry",
        "errors",
        "audit",
        "context",
        "admission",
        "authn",
        "authz",
        "quota",
        "validation",
        "branch",
    )


def test_the_servers_own_interceptors_stand_in_that_order() -> None:
    built = build_interceptors(
        settings(),
        Surroundings(
            verifier=Tokens(),
            metrics=Metrics(),
            monotonic=time.monotonic,
            now_us=lambda: 0,
        ),
        Draining(begun=False, streams=set()),
    )
    assert tuple(interceptor.name for interceptor in built) == ORDER


async def test_a_call_passes_them_from_the_outside_in() -> None:
    passed: list[str] = []
    chain = compose(METHOD, [Spy(name, passed) for name in ORDER], _servicer)
    assert await chain(Call(METHOD.path, None), b"") == b"reply"  # type: ignore[arg-type]
    assert tuple(passed) == ORDER


def test_every_other_order_fails_at_start() -> None:
    orders = (order for order in permutations(ORDER) if order != ORDER)
    for order in (next(orders) for _ in range(50)):
        with pytest.raises(ChainError, match="the chain must be"):
            compose(METHOD, [Spy(name, []) for name in order], _servicer)


@pytest.mark.parametrize("missing", ORDER)
def test_no_interceptor_can_be_left_out(missing: str) -> None:
    with pytest.raises(ChainError):
        compose(METHOD, [Spy(name, []) for name in ORDER if name != missing], _servicer)
