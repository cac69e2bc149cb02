"""Makes the weights of the shipped scorecard: `make risk-train` prints the file they are in.

The terms are chosen by hand and written here; only their points are learned, by logistic
regression on the seven days that the handbook learns on. Columns are brought to the same spread
first, so that the little regularisation there is treats all alike. Points are rounded to
hundredths, which is what makes the file the same on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.detection.street import REFERENCE_UNITS
from longmen_server.risk.scorecard import ABOVE, PART, Condition, Term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.detection.protocol import Split
    from bench.detection.simulator import Stream

__all__ = ["FEATURES", "card_text", "columns", "learned"]

LOG_ODDS: Final = 10.0
"""Points for a factor of e in the odds of fraud."""
REGULARISATION: Final = 0.3
"""Inverse strength, on columns of spread 1."""


def _money(units: float) -> float:
    """Return an amount of the simulator in reference units."""
    return units * 100 * REFERENCE_UNITS


def _part(feature: str, low: float, high: float, when: Condition | None = None) -> Term:
    return Term(feature, PART, low, high, 1.0, when)


def _above(feature: str, low: float) -> Term:
    return Term(feature, ABOVE, low, low, 1.0)


TERMS: Final = (
    _above("amount", _money(220)),
    _part("amount_log", 5, 14),
    _part("amount_to_mean", 0, 5),
    _part("amount_to_mean", 1.5, 2.5),
    _part("amount_to_mean", 2, 5),
    _above("amount_to_mean", 3),
    _part("amount_to_mean", 0, 5, Condition("amount", _money(100))),
    _part("terminal_flagged_share_1d", 0, 1),
    _part("terminal_flagged_share_7d", 0, 1),
    _above("terminal_flagged_share_7d", 0.8),
    _part("terminal_flagged_share_30d", 0, 1),
    _part("terminal_flagged_share_30d", 0.6, 1),
    _part("terminal_flagged_7d", 0, 10),
    _part("terminal_flagged_30d", 0, 25),
    _part("payer_count_24h", 0, 10),
    _part("payer_count_7d", 0, 50),
)
"""What is looked at, with a point each."""

FEATURES: Final = tuple(dict.fromkeys(term.feature for term in TERMS))
"""The features that terms read; conditions read no others."""


def columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each term gives for a point, for rows of values in the order of `FEATURES`."""
    found = []
    for term in TERMS:
        value = values[:, FEATURES.index(term.feature)]
        if term.form == ABOVE:
            column = (value > term.low).astype(np.float64)
        else:
            column = np.clip(value, term.low, term.high) - term.low
        if term.when is not None:
            column = column * (values[:, FEATURES.index(term.when.feature)] > term.when.above)
        found.append(column)
    return np.column_stack(found)


def learned(
    stream: Stream, table: NDArray[np.float64], split: Split
) -> tuple[float, NDArray[np.float64]]:
    """Return the base and the points of each term, learned on the first days of a split.

    Args:
        stream: all transactions.
        table: the columns of all rows.
        split: whose rows to learn from.
    """
    rows = table[split.learn]
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-12
    model = LogisticRegression(C=REGULARISATION, solver="newton-cholesky", tol=1e-10, max_iter=200)
    model.fit((rows - mean) / spread, stream.fraud[split.learn])
    weights = model.coef_[0] / spread
    base = float(model.intercept_[0] - (weights * mean).sum())
    return base * LOG_ODDS, weights * LOG_ODDS


def card_text(base: float, points: NDArray[np.float64]) -> str:
    """Return the card as a file."""
    parts = [HEAD.format(base=base)]
    for term, given in zip(TERMS, points.tolist(), strict=True):
        lines = ["", "[[term]]", f'feature = "{term.feature}"', f'form = "{term.form}"']
        lines.append(f"low = {term.low:g}")
        if term.form == PART:
            lines.append(f"high = {term.high:g}")
        lines.append(f"points = {given:.2f}")
        if term.when is not None:
            lines.append(
                f'when = {{ feature = "{term.when.feature}", above = {term.when.above:g} }}'
            )
        parts.append("\n".join(lines) + "\n")
    return "".join(parts) + BANDS


HEAD: Final = """\
# The scorecard that comes with the server. `make risk-train` prints this file: change its program,
# not its points. Terms add up to a score of ten times the logarithm of the odds of fraud: seven
# points more are twice the odds. Amounts are reference units (minor units of CNY).
#
# form = "part": points for each unit of the feature between low and high;
# form = "above": points once if the feature is above low; when: only if another feature is above.
# Bands say what is done from some points on, for the channels named; the strictest one counts.
effective_from = 2026-11-22
source = "Fraud Detection Handbook (ULB, Worldline), simulated payments of 2018-07-25 to 31"
kinds = ["PAYMENT", "STATIC_CODE_PAYMENT", "PAYER_CODE_PAYMENT"]
channels = ["app", "merchant"]
base = {base:.2f}
"""

BANDS: Final = """
# A till where most payments turned out to be fraud.
[[band]]
points = 10
outcome = "STEP_UP"
strength = 2
reason = "UNUSUAL_PAYMENT"
when = [{ feature = "terminal_flagged_share_7d", above = 0.5 }]

# Very unlike what a payer with a past pays.
[[band]]
points = 0
outcome = "STEP_UP"
strength = 1
reason = "UNUSUAL_AMOUNT"
when = [
    { feature = "payer_count_30d", above = 9 },
    { feature = "amount_to_mean", above = 3 },
]
"""
