"""Whom a promotion is for, what it takes off, and what a customer's agreement lets be exchanged."""

from __future__ import annotations

from typing import Any

import pytest

from longmen_server.auto_conversions.model import AutoRow, Source, exceeded, sources_text
from longmen_server.platform.ids import AccountId, CustomerId, PromotionId
from longmen_server.promotions.model import Discount, PromotionRow, best, saved

PAIR = ("CNY", "THB")


def promotion(number: int = 1, **fields: Any) -> PromotionRow:
    values = {
        "promotion_id": PromotionId(bytes(15) + bytes([number])),
        "from_us": 100,
        "until_us": 200,
        "budget": 1_000,
        "used": 0,
        "created_at_us": 0,
        "ended_at_us": None,
        "discount_basis_points": 5_000,
        "name": "x",
        "tier": "any",
        "currencies": "THB USD",
        **fields,
    }
    return PromotionRow(**values)


def found(*rows: PromotionRow, home_value: int = 100_000, **fields: Any) -> Discount | None:
    values = {"pair": PAIR, "tier": "standard", "spread": 45, "now_us": 150, **fields}
    return best(rows, home="CNY", home_value=home_value, **values)


def test_a_share_of_the_spread_is_taken_off() -> None:
    # Half of 45 basis points are 22, and of CNY 1,000.00 these are 2.20.
    assert found(promotion()) == Discount(promotion().promotion_id, 22)
    assert saved(100_000, 22) == 220
    assert saved(1, 22) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"now_us": 99},
        {"now_us": 200},
        {"pair": ("CNY", "HKD")},
        {"pair": ("HKD", "THB")},
        {"spread": 1},
        {"home_value": 1_000 * 10_000 // 22 + 1},
    ],
)
def test_it_is_for_its_time_its_currencies_and_its_money(fields: dict[str, Any]) -> None:
    assert found(promotion(), **fields) is None


@pytest.mark.parametrize(
    "fields", [{"ended_at_us": 120}, {"tier": "gold"}, {"used": 1_000 - 219}, {"currencies": "USD"}]
)
def test_what_has_ended_or_is_spent_or_is_others_takes_nothing_off(fields: dict[str, Any]) -> None:
    assert found(promotion(**fields)) is None


def test_the_largest_discount_is_taken_and_of_two_the_older() -> None:
    half, all_of_it = promotion(1), promotion(2, discount_basis_points=10_000, currencies="")
    assert found(half, all_of_it) == Discount(all_of_it.promotion_id, 45)
    assert found(promotion(3), half) == Discount(half.promotion_id, 22)
    # What is too small for the whole exchange leaves it to the next.
    assert found(half, all_of_it, home_value=300_000) == Discount(half.promotion_id, 22)


def test_what_was_agreed_to_bounds_payments_and_days() -> None:
    sources = [Source(AccountId(bytes(14) + b"\0\1"), "CNY")]
    row = AutoRow(
        account_id=AccountId(bytes(13) + b"\1\0\1"),
        customer_id=CustomerId(bytes(14) + b"\0\1"),
        enabled=True,
        basis_points_max=100,
        payment_max=1_000,
        day_max=2_500,
        day=20261122,
        day_used=2_000,
        created_at_us=0,
        changed_at_us=0,
        currency_code="USD",
        sources=sources_text(sources),
    )
    assert row.pockets == sources
    assert exceeded(row, 500, 20261122) is None
    assert exceeded(row, 501, 20261122) == "DAY_MAX"
    assert exceeded(row, 1_001, 20261123) == "PAYMENT_MAX"
    assert exceeded(row, 1_000, 20261123) is None
    # A clock that lies behind counts to the later day.
    assert exceeded(row, 501, 20261121) == "DAY_MAX"
