"""The card-fraud simulator of the Fraud Detection Handbook, written from its description.

The handbook (Université Libre de Bruxelles and Worldline, chapter 3) describes the generator, its
seeds and the order of its draws; whoever follows it gets the handbook's data bit for bit: 1,754,155
transactions of 5,000 customers at 10,000 terminals over 183 days, 14,681 of them fraud.

Draws come from numpy's legacy generator (MT19937) and from the standard library's, since both are
frozen by their makers: the same seed gives the same numbers on every machine and version.

Three kinds of fraud:

1. an amount over 220;
2. a terminal in the wrong hands: two new ones each day, every payment there for 28 days;
3. a card in the wrong hands: three new ones each day, a third of its payments over 14 days, at five
   times their amount.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DAY_S", "FULL", "Size", "Stream", "simulate", "simulated"]

DAY_S: Final = 86_400
REACH: Final = 5.0
"""How far from home a customer pays, on a map of 100 by 100."""
LARGE: Final = 220.0
"""Amounts above are fraud of the first kind."""
TERMINAL_DAYS: Final = 28
"""Days for which a terminal stays in the wrong hands."""
CARD_DAYS: Final = 14
"""Days for which a card stays in the wrong hands."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to simulate."""

    customers: int
    terminals: int
    days: int


FULL: Final = Size(customers=5_000, terminals=10_000, days=183)
"""The handbook's size; day 0 is 2018-04-01."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Transactions in the order of their time; columns of one length."""

    at_s: NDArray[np.int64]
    """Seconds since the first day's midnight."""
    customer: NDArray[np.int32]
    terminal: NDArray[np.int32]
    cents: NDArray[np.int64]
    """The amount, in hundredths."""
    scenario: NDArray[np.int8]
    """0 for an honest transaction, otherwise the kind of fraud that it is."""
    added: NDArray[np.int64]
    """How many frauds each kind added to those of the kinds before it."""

    def __len__(self) -> int:
        """How many transactions there are."""
        return len(self.at_s)

    @property
    def fraud(self) -> NDArray[np.bool_]:
        """Which transactions are fraud."""
        return self.scenario > 0

    def digest(self) -> str:
        """SHA-256 over all columns, so that two runs can be told equal."""
        told = hashlib.sha256()
        for column in (self.at_s, self.customer, self.terminal, self.cents, self.scenario):
            told.update(np.ascontiguousarray(column).tobytes())
        return told.hexdigest()


def simulated(size: Size, folder: Path, advance: Callable[[int], None] | None = None) -> Stream:
    """Return the transactions of a size, simulated once and then read from a file.

    Args:
        size: how much.
        folder: where the file is kept.
        advance: told how many more customers are done.
    """
    path = folder / f"simulated-{size.customers}-{size.terminals}-{size.days}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Stream(*(kept[name] for name in Stream.__slots__))
    stream = simulate(size, advance)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.stem}-new.npz")
    np.savez(fresh, **{name: getattr(stream, name) for name in Stream.__slots__})
    fresh.replace(path)
    return stream


def simulate(size: Size, advance: Callable[[int], None] | None = None) -> Stream:
    """Simulate.

    Args:
        size: how much.
        advance: told how many more customers are done.
    """
    people = _customers(size.customers)
    nearby = _nearby(people, _terminals(size.terminals))
    columns: tuple[list[int], list[int], list[int], list[int]] = ([], [], [], [])
    for customer, (_, _, mean, daily) in enumerate(people):
        _payments(columns, customer, mean, daily, nearby[customer], size.days)
        if advance is not None:
            advance(1)
    at_s = np.array(columns[0], np.int64)
    order = np.argsort(at_s, kind="stable")
    stream = Stream(
        at_s[order],
        np.array(columns[1], np.int32)[order],
        np.array(columns[2], np.int32)[order],
        np.array(columns[3], np.int64)[order],
        np.zeros(len(order), np.int8),
        np.zeros(3, np.int64),
    )
    _defraud(stream, size)
    return stream


def _customers(count: int) -> list[tuple[float, float, float, float]]:
    """Draw homes (x, y), mean amounts and mean payments a day."""
    draw = np.random.RandomState(0)
    return [
        (draw.uniform(0, 100), draw.uniform(0, 100), draw.uniform(5, 100), draw.uniform(0, 4))
        for _ in range(count)
    ]


def _terminals(count: int) -> NDArray[np.float64]:
    """Draw the places of terminals: one row (x, y) for each."""
    draw = np.random.RandomState(1)
    return np.array([(draw.uniform(0, 100), draw.uniform(0, 100)) for _ in range(count)])


def _nearby(
    people: list[tuple[float, float, float, float]], places: NDArray[np.float64]
) -> list[list[int]]:
    """Return, for each customer, the terminals within reach in the order of their numbers."""
    return [
        np.flatnonzero(np.sqrt(((places - (x, y)) ** 2).sum(axis=1)) < REACH).tolist()
        for x, y, _, _ in people
    ]


def _payments(
    columns: tuple[list[int], list[int], list[int], list[int]],
    customer: int,
    mean: float,
    daily: float,
    nearby: list[int],
    days: int,
) -> None:
    """Draw one customer's payments, day by day, and append them to the columns."""
    draw, pick = np.random.RandomState(customer), Random(customer)
    normal, deviation = draw.normal, mean / 2
    at_s, customers, terminals, cents = columns
    for day in range(days):
        for _ in range(draw.poisson(daily)):
            second = int(normal(DAY_S / 2, 20_000))
            if not 0 < second < DAY_S:
                continue
            amount = normal(mean, deviation)
            if amount < 0:
                amount = draw.uniform(0, mean * 2)
            if nearby:
                at_s.append(day * DAY_S + second)
                customers.append(customer)
                terminals.append(pick.choice(nearby))
                cents.append(round(amount * 100))


def _defraud(stream: Stream, size: Size) -> None:
    """Mark the frauds in place; those of the third kind have their amount raised as well.

    Later kinds overwrite earlier ones, and windows include the day they begin with.
    """
    scenario, cents = stream.scenario, stream.cents
    starts = np.searchsorted(stream.at_s, np.arange(size.days + CARD_DAYS + TERMINAL_DAYS) * DAY_S)
    scenario[cents > LARGE * 100] = 1
    stream.added[0] = known = int(stream.fraud.sum())
    for day in range(size.days - 1):
        bad = np.random.RandomState(day).choice(size.terminals, 2, replace=False)
        rows = slice(int(starts[day]), int(starts[day + TERMINAL_DAYS]))
        scenario[rows][np.isin(stream.terminal[rows], bad)] = 2
    stream.added[1] = int(stream.fraud.sum()) - known
    known += int(stream.added[1])
    for day in range(size.days - 1):
        bad = np.random.RandomState(day).choice(size.customers, 3, replace=False)
        first = int(starts[day])
        rows = slice(first, int(starts[day + CARD_DAYS]))
        theirs = (np.flatnonzero(np.isin(stream.customer[rows], bad)) + first).tolist()
        stolen = Random(day).sample(theirs, math.floor(len(theirs) / 3))
        cents[stolen] *= 5
        scenario[stolen] = 3
    stream.added[2] = int(stream.fraud.sum()) - known
