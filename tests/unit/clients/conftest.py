"""Both stacks against the same scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen_client import Config, RetryPolicy
from tests.support.bank import Bank
from tests.support.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = RetryPolicy(initial_backoff_ms=1, max_backoff_ms=5)


@pytest.fixture(scope="session")
def running_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def server(running_server: ScriptedServer) -> ScriptedServer:
    running_server.seen.clear()
    running_server._answers.clear()
    return running_server


@pytest.fixture(params=["threads", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_bank(kind: str, server: ScriptedServer) -> Iterator[Any]:
    made: list[Bank] = []

    def make(**fields: Any) -> Bank:
        settings: dict[str, Any] = {"target": server.target, "retry": FAST} | fields
        made.append(Bank(kind, Config(**settings)))
        return made[-1]

    yield make
    for bank in made:
        bank.close()


@pytest.fixture
def bank(make_bank: Any) -> Bank:
    made: Bank = make_bank()
    return made
