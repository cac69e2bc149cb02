"""Tips: what an offer comes to, what a payer may give, and what goes back with refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.payments.codes.merchant_code import Tip, TipKind
from longmen_server.payments.model import OrderRow, OrderState
from longmen_server.payments.tips import (
    TipMode,
    check_limit,
    check_offer,
    check_payers_tip,
    code_tip,
    share_of_refund,
    tip_of_offer,
)
from longmen_server.platform.ids import AccountId, MerchantId, OrderId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable


def order(amount: int, tip: int, *, mode: int = 0, value: int = 0) -> OrderRow:
    row = OrderRow(
        OrderId(bytes(16)),
        MerchantId(bytes(16)),
        "A-1",
        OrderState.PAID,
        amount,
        "CNY",
        0,
        AccountId(bytes(16)),
        9,
        "",
        *(None,) * 6,
        *(1, 1, 1),
    )
    row.tip, row.tip_mode, row.tip_value = tip, mode, value
    return row


def told(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        call()
    refusal = caught.value
    return refusal.reason, ",".join(f"{k}={v}" for k, v in refusal.metadata.items())


@pytest.mark.parametrize(
    ("mode", "value", "amount", "tip"),
    [
        (TipMode.NONE, 0, 1_000, 0),
        (TipMode.ASK, 0, 1_000, 0),
        (TipMode.FIXED, 150, 1_000, 150),
        (TipMode.PERCENT, 1_000, 1_000, 100),
        (TipMode.PERCENT, 1_250, 999, 125),
        (TipMode.PERCENT, 50, 100, 1),
        (TipMode.PERCENT, 49, 100, 0),
    ],
)
def test_what_an_offer_comes_to(mode: TipMode, value: int, amount: int, tip: int) -> None:
    assert tip_of_offer(mode, value, amount) == tip


def test_an_offer_has_the_value_of_its_mode() -> None:
    assert check_offer(TipMode.ASK, fixed=0, basis_points=0, tip=0) == 0
    assert check_offer(TipMode.FIXED, fixed=5, basis_points=0, tip=0) == 5
    assert check_offer(TipMode.PERCENT, fixed=0, basis_points=7, tip=0) == 7
    for wrong in (
        (TipMode.ASK, 1, 0),
        (TipMode.FIXED, 0, 0),
        (TipMode.FIXED, 5, 1),
        (TipMode.PERCENT, 5, 1),
    ):
        with pytest.raises(Refusal) as caught:
            check_offer(wrong[0], fixed=wrong[1], basis_points=wrong[2], tip=0)
        assert caught.value.metadata == {"rules": "tip_offer.value_of_its_mode"}
    both = told(lambda: check_offer(TipMode.ASK, fixed=0, basis_points=0, tip=3))
    assert both == ("INVALID_REQUEST", "rules=tip.either_asked_or_offered")


def test_a_payer_gives_what_was_asked_or_chooses() -> None:
    check_payers_tip(order(1_000, 100), 100, "CNY", 100)
    check_payers_tip(order(1_000, 0), 0, "", 100)
    wrong = told(lambda: check_payers_tip(order(1_000, 100), 99, "CNY", 100))
    assert wrong == ("TIP_MISMATCH", "expected_minor_units=100,currency_code=CNY")
    asking = order(1_000, 0, mode=TipMode.ASK)
    check_payers_tip(asking, 1_000, "CNY", 100)
    assert told(lambda: check_payers_tip(asking, 5, "EUR", 100))[0] == "TIP_MISMATCH"
    large = told(lambda: check_payers_tip(asking, 1_001, "CNY", 100))
    assert large == ("TIP_LIMIT_EXCEEDED", "limit_minor_units=1000,currency_code=CNY")
    assert told(lambda: check_limit(6, 10, 50, "CNY"))[0] == "TIP_LIMIT_EXCEEDED"


def test_a_code_says_what_the_order_says() -> None:
    assert code_tip(order(1_000, 0)) is None
    assert code_tip(order(1_000, 70)) == Tip(TipKind.FIXED, 70)
    assert code_tip(order(1_000, 0, mode=TipMode.ASK)) == Tip(TipKind.ASK)
    percent = order(1_000, 100, mode=TipMode.PERCENT, value=1_000)
    assert code_tip(percent) == Tip(TipKind.PERCENT, 1_000)


@given(
    amount=st.integers(1, 10_000),
    tip=st.integers(0, 10_000),
    parts=st.lists(st.integers(1, 5_000), max_size=12),
)
def test_refunds_share_the_tip_to_the_last_cent(amount: int, tip: int, parts: list[int]) -> None:
    row = order(amount, tip)
    for asked in [*parts, amount + tip]:
        part = min(asked, row.remaining)
        if not part:
            break
        share = share_of_refund(row, part)
        assert 0 <= share <= part
        row.tip_refunded += share
        row.refunded += part - share
        # Never off by a whole cent from the fair share of what went back so far.
        fair = (row.refunded + row.tip_refunded) * tip / (amount + tip)
        assert fair - 1 < row.tip_refunded <= fair
        assert row.refunded <= amount
    assert (row.refunded, row.tip_refunded) == (amount, tip)


def test_a_tip_leaves_what_is_paid_in_all_an_amount() -> None:
    most = 2**63 - 1
    check_limit(1, most - 1, 100, "CNY")
    for tip, amount in ((1, most), (2, most - 1), (most, most)):
        refused = told(lambda tip=tip, amount=amount: check_limit(tip, amount, 100, "CNY"))  # type: ignore[misc]
        assert refused[0] == "TIP_LIMIT_EXCEEDED"
