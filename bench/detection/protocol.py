"""The handbook's protocol: on which days to learn, on which to be judged, and by which figures.

Learn on seven days, wait seven until their frauds are known, be judged on the seven after. Cards
that are known to be in the wrong hands by then are out: the bank has stopped them long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.detection.simulator import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.detection.simulator import Stream

__all__ = [
    "OTHER_WEEKS",
    "PUBLISHED",
    "PUBLISHED_WEEK",
    "Figures",
    "Split",
    "figures_of",
    "split_at",
]

WEEK: Final = 7
"""Days of learning, of waiting, and of being judged."""
DELAY_S: Final = WEEK * DAY_S
"""Until the label of a transaction is known."""
INVESTIGATED: Final = 100
"""Cards that investigators can look at in a day."""

PUBLISHED_WEEK: Final = 115
"""Day on which learning begins for the published figures: 2018-07-25."""
OTHER_WEEKS: Final = (45, 59, 73, 87, 101, 129, 143, 157)
"""Every other fortnight before and after it that has a month before it and its weeks after it."""


class Figures(NamedTuple):
    """How well frauds were found."""

    auc: float
    """Area under the curve of true against false alarms."""
    precision: float
    """Average precision."""
    cards: float
    """Card precision at 100: of a hundred cards looked at each day, how many were stolen."""


PUBLISHED: Final = {
    "decision tree, depth 2": Figures(0.763, 0.496, 0.241),
    "logistic regression": Figures(0.871, 0.606, 0.291),
    "random forest": Figures(0.867, 0.658, 0.287),
    "XGBoost": Figures(0.862, 0.639, 0.273),
}
"""The handbook's own figures, chapter 3, for the week whose learning begins on 2018-07-25."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to learn from and rows to be judged by."""

    learn: NDArray[np.int64]
    judge: NDArray[np.int64]


def split_at(stream: Stream, first_day: int) -> Split:
    """Return the rows of one run of the protocol.

    Args:
        stream: all transactions.
        first_day: on which learning begins.
    """
    starts = np.searchsorted(stream.at_s, np.arange(first_day, first_day + 3 * WEEK + 1) * DAY_S)
    fraud = stream.fraud

    def defrauded(rows: NDArray[np.int64]) -> set[int]:
        return set(stream.customer[rows[fraud[rows]]].tolist())

    learn = np.arange(starts[0], starts[WEEK])
    known = defrauded(learn)
    judged = []
    for day in range(2 * WEEK, 3 * WEEK):
        # Of the day that is over for just so long that its frauds are known.
        known |= defrauded(np.arange(starts[day - WEEK - 1], starts[day - WEEK]))
        rows = np.arange(starts[day], starts[day + 1])
        judged.append(rows[~np.isin(stream.customer[rows], list(known))])
    return Split(learn, np.concatenate(judged))


def figures_of(stream: Stream, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> Figures:
    """Return how well scores tell the frauds among some transactions.

    Args:
        stream: all transactions.
        rows: those that are judged.
        scores: of each of them, higher for fraud.
    """
    fraud = stream.fraud[rows]
    return Figures(
        float(roc_auc_score(fraud, scores)),
        float(average_precision_score(fraud, scores)),
        _card_precision(stream, rows, scores),
    )


def _card_precision(stream: Stream, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Return the mean over the days of stolen cards found among those looked at.

    A card counts by its highest score of the day, and is looked at no more once it was found.
    """
    days = stream.at_s[rows] // DAY_S
    found: set[int] = set()
    shares = []
    for day in np.unique(days):
        today = days == day
        highest: dict[int, float] = {}
        stolen: set[int] = set()
        for card, score, fraud in zip(
            stream.customer[rows[today]].tolist(),
            scores[today].tolist(),
            stream.fraud[rows[today]].tolist(),
            strict=True,
        ):
            if card in found:
                continue
            highest[card] = max(score, highest.get(card, score))
            if fraud:
                stolen.add(card)
        looked_at = sorted(highest, key=lambda card: -highest[card])[:INVESTIGATED]
        caught = stolen.intersection(looked_at)
        found |= caught
        shares.append(len(caught) / INVESTIGATED)
    return float(np.mean(shares))
