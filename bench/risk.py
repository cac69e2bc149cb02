"""`python -m bench.risk`: what judging costs: a payment's time, the rate, the rows.

K1: time of a judgement, the median, with fifty rules, the scorecard, features, limits and what is
kept, in this process. K2: payments of orders through a whole server that judges, divided by one
that does not, in alternating rounds. K3: bytes that what is counted takes, for each party.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
from rich.console import Console

from bench import report
from bench.bars import medians, ratio
from bench.driver import Driver
from bench.payments import DATABASE, Bench
from bench.report import Bar
from bench.servers import LongmenServer
from longmen_server.app import settle_memory
from longmen_server.engine.working_set import WorkingSet
from longmen_server.ledger.chart import CHART, CUSTOMER_DEPOSITS
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits.enforce import reserve
from longmen_server.limits.model import AccountFacts, CounterKey, CounterRow
from longmen_server.limits.movement import Asker, Channel, Movement, MovementKind
from longmen_server.limits.tables import COUNTER, FACTS
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.ids import (
    AccountId,
    CustomerId,
    DecisionId,
    DeviceId,
    MerchantId,
    TerminalId,
    TransactionId,
    new_id,
)
from longmen_server.risk import scorecard, shipped
from longmen_server.risk.desk import Loaded, Snapshot
from longmen_server.risk.guard import Guard, settle
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.rules import RuleSet
from longmen_server.risk.subjects import Subject, SubjectKey, decode_sections, pair_key
from longmen_server.risk.tables import DECISION_ROW, SUBJECT

BOOK: Final = 1
RULES: Final = 50
PAYERS, MERCHANTS = 200, 20
PAYMENTS: Final = 4_000
MICROSECONDS: Final = 1_000_000
DEFAULT_PATH: Final = report.ROOT / "bench" / "out" / "risk.json"


def fifty_rules() -> RuleSet:
    """The shipped rules, as often as makes fifty."""
    rules = shipped.shipped().rules
    many = [
        replace(rule, rule_id=f"{rule.rule_id[:36]}_{number}")
        for number in range(-(-RULES // len(rules)))
        for rule in rules
    ]
    return RuleSet(many[:RULES], version=1, digest=bytes(32))


class Street:
    """Payers with devices, merchants with tills, and what is counted of them, as it is stored."""

    def __init__(self, clock: SystemClock) -> None:
        self.clock = clock
        self.now_us = clock.now_us()
        self.accounts = [account(clock) for _ in range(PAYERS)]
        self.merchants = [MerchantId(new_id(BOOK, clock)) for _ in range(MERCHANTS)]
        self.devices = [DeviceId(new_id(BOOK, clock)) for _ in range(PAYERS)]
        self.tills = [TerminalId(new_id(BOOK, clock)) for _ in range(MERCHANTS)]
        self.stored: dict[SubjectKey, bytes] = {}
        self.counters: dict[CounterKey, CounterRow] = {}

    def payment(self, number: int) -> tuple[WorkingSet, Movement, list[SubjectKey]]:
        """What a payment has before it is judged: its accounts, what it is, whose it is."""
        at, shop = number % PAYERS, number * 7 % MERCHANTS
        payer, merchant_id, clock = self.accounts[at], self.merchants[shop], self.clock
        assert payer.owner_id is not None, "a customer's account"
        movement = Movement(
            kind=MovementKind.PAYMENT,
            asker=Asker(Channel.CUSTOMER, self.devices[at]),
            transaction_id=TransactionId(new_id(BOOK, clock)),
            amount=1_000 + number % 900,
            currency_code="CNY",
            payer_id=payer.account_id,
            customer_id=payer.owner_id,
            merchant_id=merchant_id,
            terminal_id=self.tills[shop],
        )
        # Half an hour between two payments of one payer: every bucket is in use by the end.
        working_set = WorkingSet(BOOK, self.now_us + number * 1_800 * MICROSECONDS // PAYERS)
        working_set.table(ACCOUNT).rows[payer.account_id] = payer
        facts = AccountFacts(payer.account_id, payer.owner_id, 1, 0, 0)
        working_set.table(FACTS).rows[payer.account_id] = facts
        # The sums of limits are as these working sets have them one after the other.
        working_set.table(COUNTER).rows = self.counters
        return (
            working_set,
            movement,
            [
                SubjectKey(SubjectKind.PARTY, payer.owner_id),
                SubjectKey(SubjectKind.PARTY, merchant_id),
                pair_key(payer.owner_id, merchant_id),
                SubjectKey(SubjectKind.DEVICE, self.devices[at]),
                SubjectKey(SubjectKind.TERMINAL, self.tills[shop]),
            ],
        )

    def judge(
        self,
        snapshot: Snapshot,
        working_set: WorkingSet,
        movement: Movement,
        keys: list[SubjectKey],
    ) -> None:
        """Do all that judging adds to the payment, from what is stored to what will be."""
        guard = Guard(
            snapshot=snapshot,
            decision_id=DecisionId(new_id(BOOK, self.clock)),
            in_session=True,
        )
        stored = self.stored
        rows = working_set.table(SUBJECT).rows
        for key in keys:
            if key in stored:
                rows[key] = Subject(key, 0, decode_sections(stored[key]))
        verdict = guard.judge(working_set, movement)
        reserve(working_set, movement)
        settle(working_set, verdict)
        table = working_set.table(SUBJECT)
        for changed in (table.inserted, table.changed):
            stored.update((key, row.encode()) for key, row in changed.items())
        assert working_set.table(DECISION_ROW).appended, "every judgement is kept"


def judged(clock: SystemClock) -> tuple[float, int]:
    """Return microseconds of a judgement, and how many features it computes.

    What a payment has without being judged, its ids and accounts, is made beside the clock. The
    median leaves out judgements during which the processor was given to somebody else: asking for
    processor time proper takes a tenth as long as a judgement.
    """
    snapshot = Snapshot.of(Loaded(fifty_rules(), scorecard.shipped()))
    # Garbage is looked for as in a worker: not among what was there when it began.
    settle_memory()
    street = Street(clock)
    spent: list[int] = []
    for number in range(PAYMENTS):
        payment = street.payment(number)
        began = time.perf_counter_ns()
        street.judge(snapshot, *payment)
        spent.append(time.perf_counter_ns() - began)
    return statistics.median(spent[PAYMENTS // 2 :]) / 1_000, len(
        snapshot.plans[MovementKind.PAYMENT].features
    )


def account(clock: SystemClock) -> AccountRow:
    """A customer's account with money."""
    line = CHART[CUSTOMER_DEPOSITS]
    return AccountRow(
        account_id=AccountId(new_id(BOOK, clock)),
        currency_code="CNY",
        account_type=line.account_type,
        chart_code=line.code,
        state=AccountState.OPEN,
        debits_posted=0,
        credits_posted=10**9,
        debits_pending=0,
        credits_pending=0,
        floor_minor_units=0,
        ceiling_minor_units=None,
        version=1,
        booked_at_us=0,
        created_at_us=0,
        owner_id=CustomerId(new_id(BOOK, clock)),
        description=None,
    )


def through_servers(arguments: argparse.Namespace) -> list[Bar]:
    """Pay orders on a server that judges and on one that does not; returns K2 and K3."""
    workers = os.cpu_count() or 1
    rates: dict[str, list[float]] = {"on": [], "off": []}
    with (
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as one,
        tempfile.TemporaryDirectory(prefix="longmen-bench-") as two,
        Driver(2) as driver,
        LongmenServer(Path(one), workers) as judging,
        LongmenServer(Path(two), workers, {"LONGMEN_RISK_ENABLED": "no"}) as plain,
    ):
        benches = {
            name: Bench(
                arguments, driver=driver, longmen=server, token=server.run_cli("token").strip()
            )
            for name, server in (("on", judging), ("off", plain))
        }
        for bench in benches.values():
            bench.seed()
        # The first round is not counted: new servers' plans and caches are made in it.
        for number in range(1 + arguments.rounds):
            for name in ("on", "off") if number % 2 == 0 else ("off", "on"):
                rate = benches[name].pay_orders().rate
                if number:
                    rates[name].append(rate)
        judging.run_cli("verify")
        with psycopg.connect(judging.postgres().with_database(DATABASE)) as connection:
            row = connection.execute(
                "select pg_total_relation_size('risk_subject'), count(*),"
                " avg(length(state)) from risk_subject"
            ).fetchone()
    assert row is not None, "aggregates are one row"
    size, count, state = row
    parts = {"rows": int(count), "state_bytes": float(state or 0)}
    return [
        Bar(
            "K2",
            "PayOrder, judged ÷ not judged",
            ratio(rates["on"], rates["off"]),
            0.75,
            ">=",
            parts=medians(**rates),
        ),
        Bar("K3", "what is counted, by subject", size / max(count, 1), 1_024, "<=", "B", parts),
    ]


def main() -> int:
    """Parse the command line, run, report; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.risk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds in which loads alternate")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of each load")
    parser.add_argument("--payers", type=int, default=20_000, help="payers, and orders of a load")
    parser.add_argument("--no-servers", action="store_true", help="only the time of a judgement")
    parser.add_argument("--no-fail", action="store_true", help="exit 0 even if a bar is missed")
    parser.add_argument("--report", type=Path, default=DEFAULT_PATH, help="where to write")
    arguments = parser.parse_args()
    console = Console()
    busy = report.busy()
    cost, features = judged(SystemClock())
    title = f"time of a judgement, {RULES} rules, scorecard, limits"
    bars = [Bar("K1", title, cost, 250, "<=", "us", {"features": features})]
    if not arguments.no_servers:
        bars += through_servers(arguments)
    report.write(arguments.report, bars, {"busy": busy})
    report.show(console, bars)
    console.print(f"[dim]report: {arguments.report}")
    return 0 if arguments.no_fail or all(bar.ok for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
