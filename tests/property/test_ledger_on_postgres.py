"""The whole engine on a real Postgres against the oracle: replies, refusals, retries and rows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from tests.property.driver import Backend, Numbering, Rows
from tests.property.machine import LedgerMachine
from tests.support.audit import audit
from tests.support.clock import SettableClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from longmen_server.engine.command import Command
    from tests.property.driver import Reply
    from tests.support.postgres import Database

RUNS = 330
"""Some of hypothesis' runs are shorter than 50 steps; 300 are not."""
ANSWER_SECONDS = 30


class OnPostgres(Backend):
    """One engine and one database for all runs, each with accounts of its own."""

    def __init__(self, database: Database) -> None:
        self.clock = SettableClock()
        self.engine = Engine(
            dsn=database.app_dsn, books=[1], clock=self.clock, failpoints=Failpoints()
        )
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.engine.start())
        self.reader = psycopg.connect(database.admin_dsn, autocommit=True)

    def close(self) -> None:
        self.reader.close()
        self.loop.run_until_complete(self.engine.stop())
        self.loop.close()

    @property
    def start_us(self) -> int:
        return self.clock.now_us()

    def run(self, asked: Sequence[Command], now_us: int) -> list[Reply]:
        self.clock.set_us(now_us)
        return self.loop.run_until_complete(self._together(asked))

    async def _together(self, asked: Sequence[Command]) -> list[Reply]:
        deadline = self.clock.monotonic() + ANSWER_SECONDS
        return await asyncio.gather(
            *(self.engine.submit(command, deadline=deadline) for command in asked),
            return_exceptions=True,
        )

    def rows(self, numbering: Numbering) -> Rows:
        return Rows(
            accounts={
                row[0]: row[1:]
                for row in self._select(
                    numbering,
                    "ledger_account",
                    "account_id",
                    "state, debits_posted, credits_posted, debits_pending, credits_pending,"
                    " version",
                )
            },
            holds={
                row[:1] + row[1:2]: row[2:]
                for row in self._select(
                    numbering,
                    "ledger_hold",
                    "transaction_id",
                    "ordinal, state, captured, remaining, expires_at_us",
                )
            },
            postings=dict(map(_posting, self._select(numbering, *POSTING_COLUMNS))),
            refusals=dict(self._select(numbering, "ledger_refusal", "transaction_id", "reason")),
            reversals=dict(
                self._select(
                    numbering,
                    "ledger_reversal",
                    "transaction_id",
                    "uuid_send(reversal_transaction_id)",
                )
            ),
        )

    def _select(
        self, numbering: Numbering, table: str, key: str, columns: str
    ) -> list[tuple[Any, ...]]:
        """The rows of a run, by the range of its ids."""
        low, high = (numbering.transaction(n).hex() for n in (0, 0xFFFF))
        text = (
            f"select uuid_send({key}), {columns} from {table}"  # noqa: S608 - constants of this file
            f" where book = 1 and {key} between %s::uuid and %s::uuid"
        )
        return self.reader.execute(text.encode(), [low, high], prepare=True).fetchall()


POSTING_COLUMNS = (
    "ledger_posting",
    "transaction_id",
    (
        "ordinal, kind, uuid_send(debit_account_id), uuid_send(credit_account_id), currency_code,"
        " amount, debit_version, credit_version, debit_posted_after, credit_posted_after,"
        " coalesce(debit_held_after, 0), coalesce(credit_held_after, 0), effective_at_us, code,"
        " uuid_send(pending_transaction_id), pending_ordinal, uuid_send(reverses_transaction_id)"
    ),
)


def _posting(row: tuple[Any, ...]) -> tuple[Any, Any]:
    transaction, ordinal, *fields, pending, pending_ordinal, reverses = row
    address = None if pending is None else (pending, pending_ordinal)
    return (transaction, ordinal), (*fields, address, reverses)


class PostgresMachine(LedgerMachine):
    """A run on the shared database."""

    backend: ClassVar[Backend]


@pytest.fixture
def on_postgres(database: Database) -> Iterator[OnPostgres]:
    backend = OnPostgres(database)
    yield backend
    backend.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_ledger_on_postgres_does_as_the_oracle_does(
    on_postgres: OnPostgres, database: Database
) -> None:
    PostgresMachine.backend = on_postgres
    run_state_machine_as_test(
        PostgresMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    books = audit(database.admin_dsn)
    assert len(books.postings) > RUNS
