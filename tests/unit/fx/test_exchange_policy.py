"""The price list of exchange: dated, without gaps, and refused when it makes no sense."""

from __future__ import annotations

import datetime as dt
from importlib import resources

import pytest

from longmen_server import fx
from longmen_server.fx.model import Terms
from longmen_server.fx.policy import FxPolicyError, load_policy, read_policy

TEXT = resources.files(fx).joinpath("policy.toml").read_text("utf-8")
DAY = dt.date(2026, 10, 30)


@pytest.mark.parametrize(
    ("source", "target", "tier", "home_value", "lock_s", "terms"),
    [
        ("CNY", "USD", "standard", 1_000_000, 0, Terms(40, 0)),
        ("CNY", "USD", "standard", 1_000_001, 0, Terms(30, 0)),
        ("USD", "CNY", "gold", 1, 0, Terms(15, 0)),
        ("USD", "JPY", "standard", 1, 1800, Terms(50, 0)),
        ("USD", "THB", "gold", 1, 0, Terms(120, 20)),
        ("KRW", "CNY", "standard", 1_000_001, 86_400, Terms(160, 10)),
    ],
)
def test_the_price_is_by_pair_tier_amount_and_lock(
    source: str, target: str, tier: str, home_value: int, lock_s: int, terms: Terms
) -> None:
    version = load_policy().at(DAY)
    found = version.terms(source, target, tier=tier, home_value=home_value, lock_s=lock_s)
    assert found == terms


def test_the_version_of_the_day_is_taken() -> None:
    later = TEXT.replace("1999-01-01", "2027-01-01").replace(
        "reversal_days = 1", "reversal_days = 2"
    )
    policy = read_policy(TEXT + later)
    day_us = 86_400 * 1_000_000
    assert policy.at(dt.date(2026, 12, 31)).reversal_us == day_us
    assert policy.at(dt.date(2027, 1, 1)).reversal_us == 2 * day_us
    assert policy.at(dt.date(1990, 1, 1)).reversal_us == day_us


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"ZAR",', '"ZAR", "XAU",', "XAU is no currency"),
        ('"CNY", "CZK"', '"CZK"', "the home currency is tradable"),
        ("convert_max = 5_000_000", "convert_max = 0", "the largest order"),
        ("position_flag = 500_000_000", "position_flag = 0", "marked before"),
        ("86400 = 60", "86400 = 9_999", "leaves something"),
        ("abroad_fee = 30", "abroad_fee = 9_980", "fees leave something"),
        ("abroad_fee = 30", "abroad_fee = -1", "fees leave something"),
        ("quota = 5_000_000", "quota = -1", "the quota is in a currency"),
        ('quota_currency = "USD"', 'quota_currency = "XAU"', "the quota is in a currency"),
        ("86400 = 60", "86400 = -1", "locks cost"),
        ("spread = 100", "spread = 10_000", "basis points"),
        ("currencies = []", 'currencies = ["USD"]', "for every exchange"),
        ('home_currency = "CNY"', "", "KeyError"),
        ("effective_from = 1999-01-01", 'effective_from = "x"', "begins on a day"),
        ("# What exchanging", "[x\n# What exchanging", "TOMLDecodeError"),
    ],
)  # fmt: skip
def test_a_price_list_that_makes_no_sense_is_refused(old: str, new: str, problem: str) -> None:
    assert old in TEXT
    with pytest.raises(FxPolicyError, match=problem):
        read_policy(TEXT.replace(old, new))


def test_two_versions_of_one_day_are_refused() -> None:
    with pytest.raises(FxPolicyError, match="different days"):
        read_policy(TEXT + TEXT)
