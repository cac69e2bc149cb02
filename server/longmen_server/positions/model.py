"""The rules of revaluation: what of a position's result is realised, and what is not yet.

A position is kept at average cost. What was bought and sold again between two closes, or taken from
what there was at the first, has brought its result: the difference of both averages. The rest is
worth more or less than it cost, which is no result before it is sold; it is booked apart, and from
then on the position costs what it is worth. A position below zero is the same seen from the other
side: sold first, bought later.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import TransactionId

__all__ = ["Flows", "Opening", "Result", "RevaluationRow", "check_date", "result_of"]


class Opening(NamedTuple):
    """A position as the close before left it, at the rate of then."""

    amount: int
    """Minor units of the currency, of either sign."""
    cost: int
    """Minor units of the home currency, of the same sign."""


class Flows(NamedTuple):
    """What was dealt since; every amount is zero or more."""

    bought: int
    bought_for: int
    """In the home currency."""
    sold: int
    sold_for: int
    """In the home currency."""


class Result(NamedTuple):
    """What a position came to, in minor units of the home currency; losses are below zero."""

    realised: int
    unrealised: int


@dataclass(slots=True, frozen=True)
class RevaluationRow:
    """A position at the close of a business date; it never changes."""

    currency_code: str
    business_date: str
    """YYYY-MM-DD."""
    transaction_id: TransactionId | None
    """None when there was no result to book."""
    amount: int
    bought: int
    sold: int
    cost: int
    """In the home currency, before."""
    value: int
    """In the home currency, which it costs from now on."""
    realised: int
    unrealised: int
    credits: int
    """Ever booked to the position's account, so that what is dealt until the next close follows."""
    debits: int
    counter_credits: int
    """Ever booked to the account of its counter value, this revaluation included."""
    counter_debits: int
    observed_us: int
    """When the rate was observed; 0 without a rate."""
    created_at_us: int
    home_currency: str
    mid: str
    """As it is shown; empty for a position of nothing."""

    @property
    def opening(self) -> Opening:
        """What the next revaluation begins with."""
        return Opening(self.amount, self.value)


def result_of(opening: Opening, flows: Flows, value: int) -> Result:
    """Split what a position came to.

    Args:
        opening: as the close before left it.
        flows: what was dealt since.
        value: what it is worth now, in the home currency.

    Returns:
        Both parts; their sum is the value less the cost, to the minor unit.
    """
    into, out = flows.bought, flows.sold
    paid, got = flows.bought_for, flows.sold_for
    if opening.amount >= 0:
        into, paid = into + opening.amount, paid + opening.cost
    else:
        out, got = out - opening.amount, got - opening.cost
    closed = min(into, out)
    realised = round(closed * (Fraction(got, out) - Fraction(paid, into))) if closed else 0
    if into == out:
        # Nothing is left that could be worth something, whatever a part of it cost.
        realised = value + got - paid
    return Result(realised, value + got - paid - realised)


def check_date(business_date: str, *, present: str, last: str) -> None:
    """Refuse a business date that cannot be revalued for.

    Args:
        business_date: asked for.
        present: business date of now.
        last: latest that was revalued for; empty when there is none.

    Raises:
        Refusal: FX_REVALUATION_EARLY, FX_REVALUATION_SUPERSEDED.
    """
    if business_date > present:
        raise Refusal(
            "FX_REVALUATION_EARLY",
            "the business date has not begun",
            metadata={"business_date": business_date, "present_date": present},
            field="business_date",
        )
    if business_date < last:
        raise Refusal(
            "FX_REVALUATION_SUPERSEDED",
            "a later business date was revalued already",
            metadata={"business_date": business_date, "last_date": last},
            field="business_date",
        )
