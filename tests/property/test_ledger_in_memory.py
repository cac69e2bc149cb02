"""The ledger's deciding against the oracle, over rows in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from longmen.events.v1 import event_pb2
from tests.property.driver import Backend, Numbering, Rows
from tests.property.machine import LedgerMachine
from tests.support.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.engine.command import Command
    from tests.property.driver import Reply


RUNS = 2200
"""Some of hypothesis' runs are shorter than 50 steps; 2,000 are not."""


class InMemory(Backend):
    """One book in memory for each run."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()

    def run(self, asked: Sequence[Command], now_us: int) -> list[Reply]:
        return self.ledger.run(asked, now_us)

    def rows(self, numbering: Numbering) -> Rows:
        ledger = self.ledger
        return Rows(
            accounts={
                key: (
                    row.state,
                    row.debits_posted,
                    row.credits_posted,
                    row.debits_pending,
                    row.credits_pending,
                    row.version,
                )
                for key, row in ledger.accounts.items()
            },
            holds={
                key: (row.state, row.captured, row.remaining, row.expires_at_us)
                for key, row in ledger.holds.items()
            },
            postings={
                (p.transaction_id, p.ordinal): (
                    p.kind,
                    p.debit_account_id,
                    p.credit_account_id,
                    p.currency_code,
                    p.amount,
                    p.debit_version,
                    p.credit_version,
                    p.debit_posted_after,
                    p.credit_posted_after,
                    p.debit_held_after or 0,
                    p.credit_held_after or 0,
                    p.effective_at_us,
                    p.code,
                    None
                    if p.pending_transaction_id is None
                    else (p.pending_transaction_id, p.pending_ordinal),
                    p.reverses_transaction_id,
                )
                for p in ledger.postings
            },
            refusals={key: row[1] for key, row in ledger.refusals.items()},
            reversals={key: row[1] for key, row in ledger.reversals.items()},
        )


class MemoryMachine(LedgerMachine):
    """A run in memory, whose events are compared too."""

    def __init__(self) -> None:
        type(self).backend = InMemory()
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        assert isinstance(self.driver.backend, InMemory)
        events = self.driver.backend.ledger.events
        told = [
            (event_pb2.EventType.Name(e.type).removeprefix("EVENT_TYPE_"), e.subject, e.ordinal)  # type: ignore[arg-type]
            for e in events
        ]
        assert told == self.driver.expected_events()
        stamps = [event.booked_at_us for event in events]
        assert stamps == sorted(set(stamps)), "booked times grow strictly"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_ledger_decides_as_the_oracle_does() -> None:
    run_state_machine_as_test(
        MemoryMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
