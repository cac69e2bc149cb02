"""Fixtures every test may ask for."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog

from tests.support.clock import SettableClock
from tests.support.postgres import Database, SharedPostgres
from tests.support.server import leave_used_data

# Before any test loads gRPC: its fork handlers break the start of a Postgres from the same process.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# Whatever the shell says: a run starts hundreds of processes, and each would compile 700 files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


# How long an example or its making takes says how busy the machine is, not whether a rule holds.
hypothesis.settings.register_profile(
    "shared_machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("shared_machine")


# Plain lines: the library's default draws every local variable of a traceback, which takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]
)


#: Files that take a minute and more, each before its room, and rooms by their longest files.
LONGEST_FIRST = (
    "contract/test_every_rpc.py",
    "fault",
    "property/test_ledger_in_memory.py",
    "integration/test_serve.py",
    "property",
    "integration",
    "contract",
    "unit",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that short files fill the end for all processes alike.

    Within a room the order stays as random as it was.
    """
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        inside = item.path.relative_to(tests)
        return rank.get(inside.as_posix(), rank.get(inside.parts[0], len(rank)))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Take ten thousand tests out of the garbage collector's sight, and let it look less often.

    As a server does before it serves; walking them again and again takes a twentieth of a run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def pytest_unconfigure() -> None:
    """Clean up what all test processes share and the last one leaves."""
    leave_used_data()


@pytest.fixture
def settable_clock() -> SettableClock:
    """A clock at 2026-01-01T00:00Z that moves only when told."""
    return SettableClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[SharedPostgres]:
    """The run's Postgres, shared by all test processes."""
    with SharedPostgres() as shared:
        yield shared


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[SharedPostgres]:
    """One that loses nothing, for tests that point `longmen serve` at its databases."""
    with SharedPostgres(durable=True) as shared:
        yield shared


@pytest.fixture(scope="session")
def postgres_dsn(postgres: SharedPostgres) -> str:
    """The run's Postgres as its superuser, database `postgres`."""
    return postgres.dsn()


@pytest.fixture
def database(postgres: SharedPostgres) -> Iterator[Database]:
    """A migrated, empty database for one test."""
    fresh = postgres.create()
    yield fresh
    postgres.drop(fresh)


@pytest.fixture(scope="module")
def module_database(postgres: SharedPostgres) -> Iterator[Database]:
    """A migrated, empty database for the tests of one file."""
    fresh = postgres.create()
    yield fresh
    postgres.drop(fresh)


@pytest.fixture
def database_dsn(database: Database) -> str:
    """A migrated, empty database for one test, as the role that serves requests."""
    return database.app_dsn
