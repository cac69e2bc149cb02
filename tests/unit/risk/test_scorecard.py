"""The scorecard: what it gives points for, and which files it refuses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from longmen_server.risk import scorecard
from longmen_server.risk.model import ALLOW, Outcome, OutcomeKind
from longmen_server.risk.scorecard import BASE, ScorecardError

if TYPE_CHECKING:
    from longmen_server.risk.model import FeatureValue

CARD = """
effective_from = 2026-01-01
source = "a test"
kinds = ["PAYMENT"]
channels = ["app"]
base = -10.0
[[term]]
feature = "amount"
form = "above"
low = 1000
points = 7.5
[[term]]
feature = "amount_to_mean"
form = "part"
low = 1
high = 3
points = 4.0
[[term]]
feature = "amount_to_mean"
form = "part"
low = 2
high = 3
points = 1.0
when = { feature = "new_payee", above = 0 }
[[band]]
points = 0
outcome = "STEP_UP"
strength = 1
reason = "UNUSUAL_AMOUNT"
[[band]]
points = 5
outcome = "STEP_UP"
strength = 2
reason = "UNUSUAL_PAYMENT"
when = [{ feature = "payer_count_30d", above = 9 }, { feature = "amount", above = 10 }]
"""


def values(**given: FeatureValue) -> dict[str, FeatureValue]:
    return {"kind": "PAYMENT", "channel": "app", "payer_count_30d": 0, **given}


@pytest.mark.parametrize(
    ("given", "contributions", "outcome"),
    [
        ({"amount": 1000}, {}, ALLOW),
        ({"amount": 1001}, {"amount": 7.5}, ALLOW),
        ({"amount_to_mean": 1.0}, {}, ALLOW),
        ({"amount_to_mean": 2.5}, {"amount_to_mean": 6.0}, ALLOW),
        ({"amount_to_mean": 2.5, "new_payee": True}, {"amount_to_mean": 6.5}, ALLOW),
        ({"amount_to_mean": 99.0, "new_payee": True}, {"amount_to_mean": 9.0}, ALLOW),
        (
            {"amount": 5000, "amount_to_mean": 99.0},
            {"amount": 7.5, "amount_to_mean": 8.0},
            Outcome(OutcomeKind.STEP_UP, 1),
        ),
        (
            {"amount": 5000, "amount_to_mean": 99.0, "payer_count_30d": 10},
            {"amount": 7.5, "amount_to_mean": 8.0},
            Outcome(OutcomeKind.STEP_UP, 2),
        ),
        ({"amount": 5000, "amount_to_mean": 99.0, "channel": "bank"}, None, ALLOW),
        ({"amount": "much", "amount_to_mean": math.nan}, {}, ALLOW),
    ],
)
def test_points_are_the_base_and_what_each_feature_contributes(
    given: dict[str, FeatureValue], contributions: dict[str, float] | None, outcome: Outcome
) -> None:
    scored = scorecard.read(CARD.encode()).score(values(**given))
    told = dict(scored.contributions)
    assert told.pop(BASE) == -10.0
    if contributions is not None:
        assert told == contributions
    assert scored.points == pytest.approx(-10.0 + sum(told.values()))
    assert scored.outcome == outcome
    assert (scored.reason != "") == (outcome != ALLOW)


def test_other_movements_have_no_points() -> None:
    scored = scorecard.read(CARD.encode()).score(values(kind="TRANSFER", amount=10**9))
    assert scored == scorecard.UNSCORED


def test_a_card_reads_what_its_terms_bands_and_conditions_name() -> None:
    card = scorecard.read(CARD.encode(), 7)
    assert card.version == 7
    assert card.features == {
        "kind", "channel", "amount", "amount_to_mean", "new_payee", "payer_count_30d",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("base = -10.0", "base =", "TOMLDecodeError"),
        ("base = -10.0", "", "KeyError"),
        ("base = -10.0", "base = nan", "not a number"),
        ("base = -10.0", "base = 1e9", "more than"),
        ('source = "a test"', 'source = ""', "source"),
        ("2026-01-01", '"soon"', "day"),
        ('kinds = ["PAYMENT"]', "kinds = []", "choose of"),
        ('kinds = ["PAYMENT"]', 'kinds = ["GIFT"]', "choose of"),
        ('channels = ["app"]', 'channels = ["phone"]', "choose of"),
        ('form = "above"', 'form = "below"', "choose one of"),
        ('feature = "amount"\n', 'feature = "height"\n', "no such number"),
        ('feature = "amount"\n', 'feature = "currency"\n', "no such number"),
        ("low = 1\nhigh = 3", "low = 3\nhigh = 3", "high is above low"),
        ("points = 7.5", 'points = "7"', "not a number"),
        ("points = 7.5", "points = true", "not a number"),
        ("strength = 1", "strength = 3", "not one of STEP_UP"),
        ('"STEP_UP"\nstrength = 1', '"ALLOW"', "no outcome to ask for"),
        ('"STEP_UP"\nstrength = 1', '"DECLINE"\nstrength = 1', "not one of DECLINE"),
        ("UNUSUAL_AMOUNT", "unusual amount", "capitals"),
        ('"UNUSUAL_AMOUNT"', '["UNUSUAL_AMOUNT"]', "AttributeError"),
        ("points = 7.5", f"points = 1{'0' * 400}", "OverflowError"),
        ("base = -10.0", f"base = {'[' * 5_000}", "Error"),
        ('when = { feature = "new_payee", above = 0 }', "when = { above = 0 }", "KeyError"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(old: str, new: str, says: str) -> None:
    assert old in CARD
    with pytest.raises(ScorecardError, match=says):
        scorecard.read(CARD.replace(old, new, 1).encode())


def test_a_card_has_an_end() -> None:
    one = '[[term]]\nfeature = "amount"\nform = "above"\nlow = 1\npoints = 1\n'
    with pytest.raises(ScorecardError, match="up to 64 terms"):
        scorecard.read((CARD + one * 64).encode())
    with pytest.raises(ScorecardError, match="UnicodeDecodeError"):
        scorecard.read(b"\xff")


def test_the_shipped_card_steps_up_at_a_bad_till_and_leaves_a_first_payment_alone() -> None:
    card = scorecard.shipped()
    quiet: dict[str, Any] = dict.fromkeys(card.features, 0)
    first = {**quiet, "kind": "PAYMENT", "channel": "app", "amount": 10**6, "amount_log": 13.8}
    assert card.score(first).outcome == ALLOW, "nobody without a past is judged by its amounts"
    bad = {
        **first,
        "amount": 5_000,
        "amount_log": 8.5,
        "terminal_flagged_7d": 6,
        "terminal_flagged_30d": 8,
        "terminal_flagged_share_1d": 1.0,
        "terminal_flagged_share_7d": 0.9,
        "terminal_flagged_share_30d": 0.3,
    }
    scored = card.score(bad)
    assert scored.outcome == Outcome(OutcomeKind.STEP_UP, 2)
    assert max(scored.contributions, key=lambda each: each[1])[0] == "terminal_flagged_share_7d"
    assert card.score({**bad, "channel": "bank"}).outcome == ALLOW
