"""Fees: every rounding at its edges, caps, and refunds that together return exactly the fee."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.merchants.tables import MERCHANT
from longmen_server.plans.model import (
    FeeReturn,
    FeeRounding,
    PlanRef,
    PlanRow,
    check_date,
    in_force,
    share,
)
from longmen_server.plans.tables import PLAN, PLANS
from longmen_server.platform.ids import MerchantId, PlanId
from longmen_server.platform.refusal import Refusal


def plan(
    basis_points: int = 60,
    fixed: int = 0,
    cap: int = 0,
    rounding: FeeRounding = FeeRounding.HALF_UP,
    policy: FeeReturn = FeeReturn.PRO_RATA,
) -> PlanRow:
    return PlanRow(
        PlanId(bytes(16)),
        MerchantId(bytes(16)),
        "2026-01-01",
        *(basis_points, fixed, cap, rounding, policy),
        *(1, 0, 0),
    )


@pytest.mark.parametrize(
    ("amount", "expected"),
    # 50 basis points of these are 0.5, 1.5, 1.495, 1.505 and 2 exactly.
    [
        (100, (1, 0, 0, 1)),
        (300, (2, 2, 1, 2)),
        (299, (1, 1, 1, 2)),
        (301, (2, 2, 1, 2)),
        (400, (2, 2, 2, 2)),
    ],
)
def test_every_rounding_does_what_its_name_says(
    amount: int, expected: tuple[int, int, int, int]
) -> None:
    assert tuple(share(amount, 50, rounding) for rounding in FeeRounding) == expected


@pytest.mark.parametrize(
    ("amount", "terms", "fee"),
    [
        (10_000, {"basis_points": 38}, 38),
        (10_000, {"basis_points": 38, "fixed": 5}, 43),
        (10_000, {"basis_points": 38, "fixed": 5, "cap": 40}, 40),
        (3, {"basis_points": 0, "fixed": 5}, 3),
        (10_000, {"basis_points": 0}, 0),
        (10_000, {"basis_points": 10_000, "fixed": 1}, 10_000),
    ],
)
def test_a_fee_is_share_and_fixed_part_up_to_the_cap_and_the_payment(
    amount: int, terms: dict[str, int], fee: int
) -> None:
    assert plan(**terms).fee(amount) == fee  # type: ignore[arg-type]  # names of numbers only


@given(
    amounts=st.lists(st.integers(1, 10**12), min_size=1, max_size=12),
    basis_points=st.integers(0, 10_000),
    rounding=st.sampled_from(FeeRounding),
)
def test_refunds_together_return_the_fee_to_the_cent(
    amounts: list[int], basis_points: int, rounding: FeeRounding
) -> None:
    terms = plan(basis_points, rounding=rounding)
    paid = sum(amounts)
    fee = terms.fee(paid)
    refunded = returned = 0
    for amount in amounts:
        refunded += amount
        part = terms.fee_to_return(fee=fee, returned=returned, refunded=refunded, paid=paid)
        assert 0 <= part <= fee - returned
        returned += part
    assert returned == fee


def test_plans_are_loaded_with_rows_that_every_payment_loads_anyway() -> None:
    """No further round trip: which plan with the merchant, its terms with the accounts."""
    assert PLANS.stage == MERCHANT.stage == STAGE_POINTER
    assert PLAN.stage == ACCOUNT.stage == STAGE_ACCOUNT


def test_kept_fees_are_kept() -> None:
    kept = plan(policy=FeeReturn.KEPT)
    assert kept.fee_to_return(fee=60, returned=0, refunded=10_000, paid=10_000) == 0


def test_the_plan_in_force_is_the_last_to_begin_and_the_last_made_for_its_day() -> None:
    refs = [
        PlanRef(PlanId(bytes([number] * 16)), day, number)
        for number, day in enumerate(
            ("2026-01-01", "2026-03-01", "2026-02-01", "2026-02-01"), start=1
        )
    ]
    found = {
        day: in_force(refs, date.fromisoformat(day))
        for day in ("2025-12-31", "2026-01-31", "2026-02-01", "2026-03-01")
    }
    assert [None if one is None else one.created_at_us for one in found.values()] == [None, 1, 4, 2]


def test_no_plan_begins_in_the_past() -> None:
    check_date("2026-02-01", date(2026, 2, 1))
    with pytest.raises(Refusal) as caught:
        check_date("2026-01-31", date(2026, 2, 1))
    assert caught.value.reason == "PLAN_DATE_PASSED"
    assert caught.value.metadata == {"earliest_date": "2026-02-01"}
