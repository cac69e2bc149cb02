"""The handbook's own way to look for fraud, as the baseline: its features and a random forest.

Features are computed over the whole stream at once, in windows of exactly as many seconds; the
forest learns on the same days as the scorecard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from bench.detection.protocol import DELAY_S
from bench.detection.simulator import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.detection.protocol import Split
    from bench.detection.simulator import Stream

__all__ = ["features", "forest"]

WINDOWS: Final = (1, 7, 30)
"""Days."""
TREES: Final = 100
SATURDAY: Final = 5
NIGHT_UNTIL: Final = 6
"""Hour; the handbook's night begins at midnight."""
_APART: Final = 10**9
"""More than any time in seconds: keeps the subjects apart in one sorted array."""


class _Sums:
    """Sums over windows of time, by subject."""

    def __init__(self, who: NDArray[np.int32], at_s: NDArray[np.int64]) -> None:
        self._key = who.astype(np.int64) * _APART
        self._at_s = at_s
        places = self._key + at_s
        self._order = np.argsort(places, kind="stable")
        self._places = places[self._order]

    def of(self, values: NDArray[np.float64], seconds: int, lag: int = 0) -> NDArray[np.float64]:
        """Return, at each transaction, the sum over what was less than `seconds` ago, lagged."""
        sums = np.concatenate([[0.0], np.cumsum(values[self._order])])
        last = self._key + np.maximum(self._at_s - lag, -1)
        first = self._key + np.maximum(self._at_s - lag - seconds, -1)
        return np.asarray(
            sums[np.searchsorted(self._places, last, "right")]
            - sums[np.searchsorted(self._places, first, "right")]
        )


def features(stream: Stream) -> NDArray[np.float64]:
    """Return the handbook's fifteen features of every transaction.

    They are: amount, weekend, night; of the card, count and mean amount in 1, 7 and 30 days with
    this transaction; of the terminal, count and share of frauds in as many days a week ago.
    """
    amount = stream.cents / 100
    one = np.ones(len(stream))
    weekday = (stream.at_s // DAY_S + 6) % 7  # the first day is a Sunday
    hour = stream.at_s % DAY_S // 3_600
    columns = [amount, weekday >= SATURDAY, hour <= NIGHT_UNTIL]
    cards = _Sums(stream.customer, stream.at_s)
    for days in WINDOWS:
        count = cards.of(one, days * DAY_S)
        columns += [count, cards.of(amount, days * DAY_S) / count]
    tills = _Sums(stream.terminal, stream.at_s)
    fraud = stream.fraud.astype(np.float64)
    for days in WINDOWS:
        count = tills.of(one, days * DAY_S, DELAY_S)
        known = tills.of(fraud, days * DAY_S, DELAY_S)
        columns += [count, known / np.maximum(count, 1)]
    return np.column_stack(columns)


def forest(stream: Stream, table: NDArray[np.float64], split: Split) -> NDArray[np.float64]:
    """Return the scores that a random forest gives to the rows that are judged."""
    model = RandomForestClassifier(TREES, random_state=0, n_jobs=-1)
    model.fit(table[split.learn], stream.fraud[split.learn])
    return np.asarray(model.predict_proba(table[split.judge])[:, 1])
