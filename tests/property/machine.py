"""Random lives of a small book, asked of the oracle and of the ledger alike."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.driver import Backend, Driver, Numbering
from tests.support.oracle import LARGEST, Opened, Oracle, Transfer

SECOND = 1_000_000
WAITING_MAXIMUM = 16
"""Commands that may wait before they are given to the ledger as one batch."""

#: Accounts of every kind there is: both normal sides, with and without limits, another currency.
ACCOUNTS = (
    Opened(1, debit_normal=True, currency="CNY", floor=None, ceiling=None),
    Opened(2, debit_normal=False, currency="CNY", floor=0, ceiling=None),
    Opened(3, debit_normal=False, currency="CNY", floor=0, ceiling=200),
    Opened(4, debit_normal=False, currency="CNY", floor=None, ceiling=None),
    Opened(5, debit_normal=True, currency="CNY", floor=-50, ceiling=300),
    Opened(6, debit_normal=False, currency="USD", floor=-20, ceiling=None),
    Opened(7, debit_normal=True, currency="USD", floor=None, ceiling=None),
)
ABSENT = 8
"""An account nobody opened, at first."""

STATES = ("OPEN", "DEBIT_FROZEN", "CREDIT_FROZEN", "FROZEN", "CLOSING", "CLOSED")

accounts = st.sampled_from((*(1, 2, 3, 4, 5) * 6, 2, 3, 6, 7, ABSENT))
amounts = st.sampled_from((1, 2, 3, 5, 8, 13, 40, 60, 100, 150, 250, 1000, 2**62, LARGEST))
small = st.sampled_from((5, 13, 20, 30, 40, 60))
picks = st.integers(0, 1000)
booleans = st.booleans()
rarely = st.sampled_from((False,) * 7 + (True,))
balancings = st.sampled_from(("EXACT",) * 5 + ("DEBIT", "CREDIT", "BOTH"))
efforts = st.sampled_from((None, None, None, -3600 * SECOND, -1, 0, 1))
durations = st.sampled_from((1, 60, 3600, 7 * 24 * 3600))
modes = st.integers(0, 3)


class LedgerMachine(RuleBasedStateMachine):
    """Rules that ask; subclasses say whom."""

    backend: ClassVar[Backend]
    runs: ClassVar[Any] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        numbering = Numbering(next(self.runs))
        self.driver = Driver(Oracle(self.backend.start_us), self.backend, numbering)
        self.numbers = itertools.count(1)
        self.requests = itertools.count(1)
        self.asked: list[Any] = []
        """What was asked, to be asked again."""
        self.chosen: list[Transfer] = []

    @property
    def oracle(self) -> Oracle:
        return self.driver.oracle

    def ask(self, method: str, *arguments: Any, **options: Any) -> None:
        """Ask under a fresh request id and remember it."""
        request = next(self.requests)
        self.asked.append((method, request, arguments, options))
        getattr(self.driver, method)(request, *arguments, **options)
        if len(self.driver.waiting) >= WAITING_MAXIMUM:
            self.driver.flush()

    def make(self, debit: int, credit: int, amount: int, **fields: Any) -> Transfer:
        opened = self.oracle.account(debit)
        currency = opened.currency if opened else "CNY"
        number = next(self.numbers)
        return Transfer(
            number, debit=debit, credit=credit, amount=amount, currency=currency, **fields
        )

    def a_hold(self, pick: int) -> tuple[int, int]:
        """Some hold, mostly a late one; now and then what is none."""
        held = [
            (posted.spec.transaction, posted.ordinal)
            for posted in self.oracle.postings()
            if posted.spec.kind == "PENDING"
        ]
        if not held or pick % 16 == 0:
            return (pick % 50 + 1, pick % 3)
        return held[-1 - pick % min(len(held), 4)]

    @initialize()
    def begin(self) -> None:
        for opened in ACCOUNTS:
            self.ask("open", opened)
        self.ask("transfers", [self.make(1, 2, 500), self.make(1, 3, 90)], set(), chosen=False)

    @rule(debit=accounts, credit=accounts, amount=amounts, balancing=balancings, chosen=booleans)
    def transfer(
        self, debit: int, credit: int, amount: int, balancing: str, *, chosen: bool
    ) -> None:
        transfer = self.make(debit, credit, amount, balancing=balancing)
        if chosen:
            self.chosen.append(transfer)
        self.ask("transfers", [transfer], set(), chosen=chosen)

    @rule(
        debit=accounts, credit=accounts, amount=amounts, effective=efforts, wrong=rarely, mode=modes
    )
    def odd_transfer(
        self, debit: int, credit: int, amount: int, effective: int | None, mode: int, *, wrong: bool
    ) -> None:
        transfer = self.make(
            debit,
            credit,
            amount,
            effective=None if effective is None else self.oracle.now + effective,
            closes_debit=mode == 1,
            closes_credit=mode == 2,
        )
        if wrong:
            transfer = replace(transfer, currency="EUR")
        self.ask("transfers", [transfer], set(), chosen=mode == 3)

    @rule(debit=accounts, credit=accounts, balancing=st.sampled_from(("DEBIT", "CREDIT", "BOTH")))
    def empty_an_account(self, debit: int, credit: int, balancing: str) -> None:
        transfer = self.make(debit, credit, LARGEST, balancing=balancing, closes_debit=True)
        self.ask("transfers", [transfer], set(), chosen=False)

    @rule(debit=accounts, credit=accounts, amount=amounts, duration=durations, balancing=balancings)
    def hold(self, debit: int, credit: int, amount: int, duration: int, balancing: str) -> None:
        transfer = self.make(
            debit, credit, amount, kind="PENDING", duration=duration * SECOND, balancing=balancing
        )
        self.ask("transfers", [transfer], set(), chosen=False)

    @rule(debit=accounts, credit=accounts, amount=amounts, early=st.sampled_from((0, 0, 1)))
    def capture_at_the_end(self, debit: int, credit: int, amount: int, early: int) -> None:
        """A hold lives to the last microsecond before its end."""
        self.hold(debit, credit, amount, 60, "BOTH")
        number = next(self.numbers)
        self.driver.flush()
        self.oracle.now += 60 * SECOND - early
        capture = Transfer(number, "CAPTURE", pending=(number - 1, 0))
        self.ask("transfers", [capture], set(), chosen=False)

    @rule(route=st.sampled_from(((1, 3), (5, 4), (5, 2))), first=small, second=small)
    def fill_up(self, route: tuple[int, int], first: int, second: int) -> None:
        """Announced money counts towards a ceiling."""
        self.hold(*route, first, 3600, "EXACT")
        self.ask("transfers", [self.make(*route, second)], set(), chosen=False)

    @rule(pick=picks, amount=amounts, final=booleans, mode=modes, void=rarely)
    def end_a_hold(self, pick: int, amount: int, mode: int, *, final: bool, void: bool) -> None:
        address = self.a_hold(pick)
        kind = "VOID" if void else "CAPTURE"
        number = next(self.numbers)
        # Mostly what can be taken, sometimes all that is left, sometimes too much.
        taken = 0 if void or mode == 0 else amount if mode == 1 else amount % 9 + 1
        on_hold = next(
            (
                p.spec.currency
                for p in self.oracle.postings()
                if (p.spec.transaction, p.ordinal) == address
            ),
            "CNY",
        )
        transfer = Transfer(
            number, kind, amount=taken, currency=on_hold, pending=address, final=final and not void
        )
        if pick % 2:
            self.ask("on_hold", transfer)
        else:
            if mode == 3:
                self.chosen.append(transfer)
            self.ask("transfers", [transfer], set(), chosen=mode == 3)

    @rule(
        route=st.lists(accounts, min_size=3, max_size=4),
        amount=amounts,
        pick=picks,
        chosen=booleans,
        is_open=rarely,
    )
    def chain(
        self, route: list[int], amount: int, pick: int, *, chosen: bool, is_open: bool
    ) -> None:
        transfers = [
            self.make(debit, credit, amount) for debit, credit in itertools.pairwise(route)
        ]
        if pick % 3 == 0:
            capture = Transfer(next(self.numbers), "CAPTURE", pending=self.a_hold(pick))
            transfers.append(capture)
        if chosen:
            self.chosen.extend(transfers)
        linked = set(range(len(transfers) - (0 if is_open else 1)))
        if pick % 5 == 0:
            linked.discard(0)
        self.ask("transfers", transfers, linked, chosen=chosen)

    @rule(route=st.lists(accounts, min_size=2, max_size=4), amount=amounts, pick=picks)
    def several(self, route: list[int], amount: int, pick: int) -> None:
        number = next(self.numbers)
        transfers = [
            replace(self.make(debit, credit, amount), transaction=number)
            for debit, credit in itertools.pairwise(route)
        ]
        if pick % 2:
            capture = Transfer(number, "CAPTURE", pending=self.a_hold(pick), final=pick % 4 == 1)
            transfers.append(capture)
        if pick % 3 == 0:
            transfers.append(replace(transfers[0], kind="PENDING", duration=60 * SECOND))
        self.ask("transaction", transfers, chosen=pick % 5 < 3)

    @rule(pick=picks)
    def take_back(self, pick: int) -> None:
        postings = self.oracle.postings()
        original = postings[pick % len(postings)].spec.transaction if pick % 16 else 60_000
        self.ask("reverse", next(self.numbers), original)

    @rule(pick=picks, which=st.sampled_from((2, 3, 4, 5, 6, ABSENT)))
    def change_state(self, pick: int, which: int) -> None:
        # Half the time thawing: a book of frozen accounts has little to say.
        state = STATES[pick // 2 % 6] if pick % 2 else "OPEN"
        self.ask("set_state", which, state)

    @rule(pick=picks)
    def open_account(self, pick: int) -> None:
        template = ACCOUNTS[pick % len(ACCOUNTS)]
        number = template.account if pick % 3 == 0 else ABSENT if pick % 3 == 1 else 9 + pick % 5
        opened = replace(template, account=number)
        if pick % 4 == 0:
            opened = replace(opened, floor=5, ceiling=4 if pick % 8 == 0 else 500)
        self.ask("open", opened)

    @rule(pick=picks)
    def repeat_a_request(self, pick: int) -> None:
        method, request, arguments, options = self.asked[-1 - pick % min(len(self.asked), 20)]
        getattr(self.driver, method)(request, *arguments, **options)

    @rule(pick=picks, amount=amounts)
    def reuse_a_request_id(self, pick: int, amount: int) -> None:
        _, request, _, _ = self.asked[-1 - pick % min(len(self.asked), 20)]
        self.driver.transfers(request, [self.make(1, 4, amount, code=9)], set(), chosen=False)

    @rule(pick=picks, mode=modes)
    def reuse_a_transaction_id(self, pick: int, mode: int) -> None:
        if not self.chosen:
            return
        transfer = self.chosen[-1 - pick % min(len(self.chosen), 10)]
        if mode == 3:
            transfer = replace(transfer, code=transfer.code + 1)
        self.ask("transfers", [transfer], set(), chosen=True)

    @rule(seconds=st.sampled_from((1, 59, 60, 3600, 8 * 24 * 3600)))
    def time_passes(self, seconds: int) -> None:
        self.driver.flush()
        self.oracle.now += seconds * SECOND

    @rule(pick=picks)
    def job_ends_holds(self, pick: int) -> None:
        addresses = {self.a_hold(pick + more) for more in range(pick % 4 + 1)}
        self.driver.expire({address: next(self.numbers) for address in sorted(addresses)})

    @rule()
    def flush(self) -> None:
        self.driver.flush()

    def teardown(self) -> None:
        self.driver.flush()
        self.driver.check_rows()
