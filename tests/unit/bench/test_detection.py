"""The simulator of card fraud and the protocol by which detection is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.detection.judging import judge, observe, toll_of
from bench.detection.protocol import figures_of, split_at
from bench.detection.simulator import DAY_S, Size, Stream, simulate, simulated
from longmen_server.risk import scorecard, shipped
from longmen_server.risk.model import OutcomeKind

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Size(customers=60, terminals=600, days=40)


@pytest.fixture(scope="module")
def small() -> Stream:
    return simulate(SMALL)


def test_the_same_size_is_the_same_transactions_for_ever(small: Stream, tmp_path: Path) -> None:
    assert (len(small), *small.added.tolist()) == (4327, 0, 346, 672)
    assert small.digest() == GOLDEN
    done: list[int] = []
    assert simulated(SMALL, tmp_path, done.append).digest() == GOLDEN
    assert sum(done) == SMALL.customers
    kept = simulated(SMALL, tmp_path, done.append)
    assert kept.digest() == GOLDEN
    assert kept.added.tolist() == small.added.tolist()
    assert sum(done) == SMALL.customers, "the second time it is read"


def test_transactions_are_in_order_and_of_somebody_near(small: Stream) -> None:
    assert (np.diff(small.at_s) >= 0).all()
    assert small.at_s.min() > 0
    assert small.at_s.max() < SMALL.days * DAY_S
    assert set(small.customer.tolist()) <= set(range(SMALL.customers))
    assert small.cents.min() >= 0


def test_large_amounts_are_fraud_and_kinds_add_up(small: Stream) -> None:
    large = small.cents > 220_00
    assert small.fraud[large].all()
    assert small.added.sum() == small.fraud.sum()


def test_a_terminal_in_the_wrong_hands_stays_so_for_28_days(small: Stream) -> None:
    day = small.at_s // DAY_S
    seen = 0
    for first in range(SMALL.days - 1):
        bad = np.random.RandomState(first).choice(SMALL.terminals, 2, replace=False)
        theirs = np.isin(small.terminal, bad) & (day >= first) & (day < first + 28)
        assert small.fraud[theirs].all()
        seen += int(theirs.sum())
    assert seen >= small.added[1] > 0


def stream_of(*rows: tuple[int, int, bool]) -> Stream:
    """A stream of (day, card, fraud)."""
    days, cards, frauds = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    return Stream(
        at_s=(days * DAY_S + 60 + np.arange(count)).astype(np.int64),
        customer=cards.astype(np.int32),
        terminal=np.zeros(count, np.int32),
        cents=np.full(count, 100, np.int64),
        scenario=frauds.astype(np.int8),
        added=np.zeros(3, np.int64),
    )


def test_cards_known_to_be_stolen_are_not_judged() -> None:
    stream = stream_of(
        (0, 1, True),  # known when judging begins
        (6, 2, False),
        (7, 3, True),  # known from the second day that is judged
        (14, 1, True),
        (14, 2, False),
        (14, 3, False),
        (15, 3, True),
        (20, 4, True),
        (21, 2, False),  # after the week
    )
    split = split_at(stream, 0)
    assert split.learn.tolist() == [0, 1]
    assert split.judge.tolist() == [4, 5, 7]


def test_figures_are_perfect_for_an_oracle_and_cards_count_once() -> None:
    stream = stream_of(
        (0, 1, True), (0, 1, True), (0, 2, False), (1, 1, True), (1, 3, True), (1, 2, False)
    )
    rows = np.arange(6)
    found = figures_of(stream, rows, stream.fraud.astype(np.float64))
    assert (found.auc, found.precision) == (1.0, 1.0)
    # Card 1 is found on the first day and looked at no more; card 3 on the second.
    assert found.cards == pytest.approx((1 / 100 + 1 / 100) / 2)


def nobody(_: int) -> None:
    """Who does not want to know how far it is."""


def test_features_are_what_was_before_and_labels_come_after_a_week(small: Stream) -> None:
    rows = np.arange(len(small) - 300, len(small))
    names = ("amount", "payer_count_7d", "terminal_flagged_30d", "terminal_flagged_share_30d")
    values = observe(small, rows, names, nobody)[rows]
    assert values[:, 0].tolist() == (small.cents[rows] * 8).tolist()
    day = small.at_s // DAY_S
    for row, (_, count, flagged, share) in zip(rows.tolist(), values.tolist(), strict=True):
        before = np.arange(len(small)) < row
        mine = before & (small.customer == small.customer[row])
        week = mine & (small.at_s > small.at_s[row] - 7 * DAY_S)
        assert week.sum() <= count <= (mine & (day >= day[row] - 7)).sum()
        there = before & (small.terminal == small.terminal[row]) & (day <= day[row] - 7)
        month = there & (day > day[row] - 37)
        known = month & small.fraud & (small.at_s <= small.at_s[row] - 7 * DAY_S)
        assert flagged == known.sum()
        assert share == pytest.approx(flagged / month.sum() if month.any() else 0.0)
    assert values[:, 2].any()


def test_what_is_stopped_is_counted_by_what_it_was(small: Stream) -> None:
    rows = np.arange(len(small) - 300, len(small))
    judged = judge(
        small,
        rows,
        rules=shipped.shipped(),
        card=scorecard.shipped(),
        names=("amount",),
        advance=nobody,
    )
    toll = toll_of(small, rows, judged.by_all, 8)
    stopped = judged.by_all[rows] >= OutcomeKind.STEP_UP
    assert toll.caught + toll.disturbed == stopped.sum() > 0
    assert toll.caught == (stopped & small.fraud[rows]).sum()
    assert toll.saved <= toll.stolen == int(small.cents[rows][small.fraud[rows]].sum()) * 8
    assert toll.precision == pytest.approx(toll.caught / stopped.sum())


GOLDEN = "0415a12995c72023ff0d4e3b7e654230d420b745b1e627e0af7858e94ec04c2e"
