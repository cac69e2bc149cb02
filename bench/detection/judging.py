"""What the server would have done about each payment, and what that was worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.detection.street import Street, instant_us
from longmen_server.risk.judge import evaluate
from longmen_server.risk.model import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bench.detection.simulator import Stream
    from longmen_server.risk.model import Card, FeatureValue, Rules

__all__ = ["Judged", "Toll", "judge", "observe", "toll_of"]

ADVANCE_EVERY: Final = 2_000
"""Rows between two movements of the progress bar."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of the rows that were judged; columns of the length of the stream."""

    values: NDArray[np.float64]
    """Features by the names asked for, where they were computed."""
    scores: NDArray[np.float64]
    """Points of the card."""
    by_rules: NDArray[np.int8]
    """Kind of the outcome that the rules alone ask for."""
    by_all: NDArray[np.int8]
    """Kind of the outcome."""


@dataclass(slots=True)
class Toll:
    """What judging some payments cost their payers, and what it kept thieves from."""

    payments: int = 0
    frauds: int = 0
    caught: int = 0
    """Frauds that were stopped or had to be approved."""
    disturbed: int = 0
    """Honest payments likewise."""
    stolen: int = 0
    """Reference units of all frauds."""
    saved: int = 0
    """Reference units of those caught."""

    @property
    def precision(self) -> float:
        """Of the payments stopped, the share that was fraud."""
        return self.caught / (self.caught + self.disturbed) if self.caught else 0.0

    @property
    def recall(self) -> float:
        """Of the frauds, the share that was stopped."""
        return self.caught / self.frauds if self.frauds else 0.0

    @property
    def false_alarms(self) -> float:
        """Of the honest payments, the share that was stopped."""
        honest = self.payments - self.frauds
        return self.disturbed / honest if honest else 0.0

    @property
    def step_ups(self) -> float:
        """Of all payments, the share that was stopped or had to be approved."""
        return (self.caught + self.disturbed) / self.payments if self.payments else 0.0


def observe(
    stream: Stream,
    rows: NDArray[np.int64],
    names: Sequence[str],
    advance: Callable[[int], None],
) -> NDArray[np.float64]:
    """Return the values of some features at some rows; zeros at all others.

    Args:
        stream: all transactions.
        rows: at which the features are wanted.
        names: of numeric features.
        advance: told how many more transactions were streamed.
    """
    values = np.zeros((len(stream), len(names)))
    for row, found in _streamed(stream, rows, names, advance):
        values[row] = [found[name] for name in names]
    return values


def judge(
    stream: Stream,
    rows: NDArray[np.int64],
    *,
    rules: Rules,
    card: Card,
    names: Sequence[str],
    advance: Callable[[int], None],
) -> Judged:
    """Judge some rows as the server does, with all transactions up to the last of them streamed.

    Args:
        stream: all transactions.
        rows: to be judged.
        rules: in force.
        card: in force.
        names: of numeric features whose values are wanted.
        advance: told how many more transactions were streamed.
    """
    length = len(stream)
    values, scores = np.zeros((length, len(names))), np.zeros(length)
    by_rules, by_all = np.zeros(length, np.int8), np.zeros(length, np.int8)
    wanted = {*rules.features, *card.features, *names}
    for row, found in _streamed(stream, rows, wanted, advance):
        # Staged rules choose payers by a key of 16 bytes; simulated ones are numbered.
        key = int(stream.customer[row]).to_bytes(16, "big")
        now_us = instant_us(int(stream.at_s[row]))
        evaluation = evaluate(rules, card, found, now_us=now_us, key=key)
        counting = [fired.outcome.kind for fired in evaluation.fired if not fired.shadow]
        values[row] = [found[name] for name in names]
        scores[row] = evaluation.score
        by_rules[row] = max(counting, default=OutcomeKind.ALLOW)
        by_all[row] = evaluation.outcome.kind
    return Judged(values, scores, by_rules, by_all)


def _streamed(
    stream: Stream,
    rows: NDArray[np.int64],
    names: Iterable[str],
    advance: Callable[[int], None],
) -> Iterator[tuple[int, Mapping[str, FeatureValue]]]:
    """Stream transactions up to the last of some rows; return those rows with their features."""
    wanted = np.zeros(int(rows.max()) + 1, np.bool_)
    wanted[rows] = True
    for row, found in enumerate(Street(stream, names).values(wanted.tolist())):
        if row % ADVANCE_EVERY == 0:
            advance(ADVANCE_EVERY)
        if found is not None:
            yield row, found


def toll_of(
    stream: Stream, rows: NDArray[np.int64], outcomes: NDArray[np.int8], reference_units: int
) -> Toll:
    """Return what outcomes cost and saved.

    A thief is taken not to have the payer's second factor: a payment that has to be approved with
    it is a payment that was stopped.

    Args:
        stream: all transactions.
        rows: to be counted.
        outcomes: kinds of all rows.
        reference_units: for a hundredth of the simulator's money.
    """
    fraud = stream.fraud[rows]
    stopped = outcomes[rows] >= OutcomeKind.STEP_UP
    cents = stream.cents[rows]
    return Toll(
        payments=len(rows),
        frauds=int(fraud.sum()),
        caught=int((fraud & stopped).sum()),
        disturbed=int((~fraud & stopped).sum()),
        stolen=int(cents[fraud].sum()) * reference_units,
        saved=int(cents[fraud & stopped].sum()) * reference_units,
    )
