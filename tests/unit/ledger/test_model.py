"""The ledger's rules one by one: what they let pass, and what not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.ledger import model
from longmen_server.ledger.chart import CHART
from longmen_server.ledger.model import (
    MAXIMUM_MINOR_UNITS,
    AccountRow,
    AccountState,
    BalancingMode,
    HoldRow,
    HoldState,
)
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.booking import CLEARING, WALLET, account

if TYPE_CHECKING:
    from collections.abc import Callable

LIABILITY, ASSET = WALLET, CLEARING


def reason(check: Callable[..., object], *arguments: object) -> str | None:
    """Why a check refuses, or None when it passes."""
    try:
        check(*arguments)
    except Refusal as refusal:
        return refusal.reason
    return None


def wallet(balance: int = 0, *, held: int = 0, coming: int = 0, **limits: Any) -> AccountRow:
    """A credit-normal account: debits go out."""
    return account(1, credits_posted=balance, debits_pending=held, credits_pending=coming, **limits)


def asset(balance: int = 0, *, held: int = 0, coming: int = 0, **limits: Any) -> AccountRow:
    """A debit-normal account: credits go out."""
    return account(
        2,
        chart_code=CLEARING,
        debits_posted=balance,
        credits_pending=held,
        debits_pending=coming,
        **limits,
    )


# -- Balances -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [wallet, asset])
def test_balances_count_on_the_normal_side(make: Callable[..., AccountRow]) -> None:
    row = make(100, held=30, coming=7, ceiling=200)
    assert (row.posted, row.held, row.available, row.room) == (100, 30, 70, 93)
    assert make(100).room is None


@pytest.mark.parametrize("line", list(CHART.values()), ids=lambda line: line.name)
def test_every_line_of_the_chart_has_a_normal_side(line: object) -> None:
    row = account(1, chart_code=line.code, debits_posted=5)  # type: ignore[attr-defined]
    assert row.posted == (5 if row.debit_normal else -5)


def test_a_copy_is_equal_and_apart() -> None:
    row = wallet(5, held=1, floor=0)
    copy = row.copy()
    assert copy == row
    copy.credits_posted += 1
    assert row.credits_posted == 5


# -- States ---------------------------------------------------------------------------------------

DEBITS_REFUSED = {
    AccountState.DEBIT_FROZEN: "DEBIT_ACCOUNT_FROZEN",
    AccountState.FROZEN: "DEBIT_ACCOUNT_FROZEN",
    AccountState.CLOSING: "DEBIT_ACCOUNT_CLOSED",
    AccountState.CLOSED: "DEBIT_ACCOUNT_CLOSED",
}
CREDITS_REFUSED = {
    AccountState.CREDIT_FROZEN: "CREDIT_ACCOUNT_FROZEN",
    AccountState.FROZEN: "CREDIT_ACCOUNT_FROZEN",
    AccountState.CLOSING: "CREDIT_ACCOUNT_CLOSED",
    AccountState.CLOSED: "CREDIT_ACCOUNT_CLOSED",
}
PRECEDENCE = (
    "DEBIT_ACCOUNT_CLOSED",
    "CREDIT_ACCOUNT_CLOSED",
    "DEBIT_ACCOUNT_FROZEN",
    "CREDIT_ACCOUNT_FROZEN",
)


@pytest.mark.parametrize(
    ("debit", "credit"),
    list(itertools.product(AccountState, AccountState)),
    ids=lambda state: state.name,
)
def test_states_let_pass_what_they_say(debit: AccountState, credit: AccountState) -> None:
    wrong = {DEBITS_REFUSED.get(debit), CREDITS_REFUSED.get(credit)} - {None}
    expected = next((each for each in PRECEDENCE if each in wrong), None)
    rows = account(1, state=debit), account(2, state=credit)
    assert reason(model.check_states, *rows) == expected


@pytest.mark.parametrize(
    ("present", "wanted"),
    list(itertools.product(AccountState, AccountState)),
    ids=lambda state: state.name,
)
def test_states_change_into_each_other_but_for_the_closed(
    present: AccountState, wanted: AccountState
) -> None:
    row = account(1, state=present)
    conflict = present in {wanted, AccountState.CLOSED}
    expected = "ACCOUNT_STATE_CONFLICT" if conflict else None
    assert reason(model.check_state_change, row, wanted) == expected


def test_only_an_empty_account_without_holds_is_closed() -> None:
    for row, expected in (
        (wallet(), None),
        (wallet(1), "ACCOUNT_NOT_EMPTY"),
        (wallet(-1), "ACCOUNT_NOT_EMPTY"),
        (wallet(held=1), "ACCOUNT_HAS_HOLDS"),
        (wallet(coming=1), "ACCOUNT_HAS_HOLDS"),
        (wallet(1, held=1), "ACCOUNT_NOT_EMPTY"),
        (account(1, debits_posted=7, credits_posted=7), None),
    ):
        assert reason(model.check_closable, row) == expected
        change = reason(model.check_state_change, row, AccountState.CLOSED)
        assert change == expected
    freeze = reason(model.check_state_change, wallet(5, held=1), AccountState.FROZEN)
    assert freeze is None


# -- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [0, 30])
@pytest.mark.parametrize("floor", [0, 20, -50])
def test_a_floor_bounds_what_goes_out_holds_included(floor: int, held: int) -> None:
    most = 100 - held - floor
    for amount, expected in ((most, None), (most + 1, "INSUFFICIENT_FUNDS")):
        debited = wallet(100, held=held, floor=floor), wallet()
        assert reason(model.check_limits, *debited, amount) == expected
        credited = asset(), asset(100, held=held, floor=floor)
        assert reason(model.check_limits, *credited, amount) == expected


@pytest.mark.parametrize("coming", [0, 30])
def test_a_ceiling_bounds_what_comes_in_announcements_included(coming: int) -> None:
    most = 200 - 100 - coming
    for amount, expected in ((most, None), (most + 1, "BALANCE_CEILING_EXCEEDED")):
        credited = wallet(), wallet(100, coming=coming, ceiling=200)
        assert reason(model.check_limits, *credited, amount) == expected
        debited = asset(100, coming=coming, ceiling=200), asset()
        assert reason(model.check_limits, *debited, amount) == expected


def test_limits_bound_their_own_direction_only() -> None:
    # Money may come to an account below its floor, and leave one above its ceiling.
    assert reason(model.check_limits, asset(), wallet(-100, floor=0), 5) is None
    assert reason(model.check_limits, wallet(500, ceiling=200), asset(), 5) is None
    assert reason(model.check_limits, asset(-100, floor=0), wallet(), 5) is None


def test_insufficient_funds_tell_what_is_available() -> None:
    with pytest.raises(Refusal) as caught:
        model.check_limits(wallet(100, held=30, floor=0), wallet(), 71)
    assert caught.value.metadata == {"available_minor_units": "70", "currency_code": "CNY"}


@pytest.mark.parametrize("posted", [0, 1, 2**62, MAXIMUM_MINOR_UNITS - 1, MAXIMUM_MINOR_UNITS])
@pytest.mark.parametrize("pending", [0, 5])
def test_no_counter_outgrows_its_column(posted: int, pending: int) -> None:
    if posted + pending > MAXIMUM_MINOR_UNITS:
        return
    most = MAXIMUM_MINOR_UNITS - posted - pending
    for amount, expected in ((most, None), (most + 1, "BALANCE_OVERFLOW")):
        debit = account(1, debits_posted=posted, debits_pending=pending)
        credit = account(1, credits_posted=posted, credits_pending=pending)
        for rows in ((debit, account(2)), (account(2), credit)):
            found = reason(model.check_limits, *rows, amount)
            assert found == expected


# -- Balancing ------------------------------------------------------------------------------------


def test_balancing_moves_what_limits_let_through() -> None:
    debit, credit = wallet(100, held=30, floor=20), wallet(100, coming=40, ceiling=170)
    for mode, expected in (
        (BalancingMode.DEBIT, 50),
        (BalancingMode.CREDIT, 30),
        (BalancingMode.BOTH, 30),
    ):
        assert model.balanced_amount(debit, credit, 1000, mode) == expected
        assert model.balanced_amount(debit, credit, 10, mode) == 10
    debit, credit = asset(100, coming=40, ceiling=170), asset(100, held=30, floor=20)
    assert model.balanced_amount(debit, credit, 1000, BalancingMode.DEBIT) == 30
    assert model.balanced_amount(debit, credit, 1000, BalancingMode.CREDIT) == 50


def test_balancing_without_limits_moves_the_whole_amount() -> None:
    for mode in BalancingMode:
        assert model.balanced_amount(wallet(), asset(), 1000, mode) == 1000


@pytest.mark.parametrize("available", [20, 10])
def test_balancing_that_finds_nothing_is_refused(available: int) -> None:
    debit = wallet(available, floor=20)
    for mode in (BalancingMode.DEBIT, BalancingMode.BOTH):
        found = reason(model.balanced_amount, debit, wallet(), 5, mode)
        assert found == "NOTHING_TO_MOVE"
    assert model.balanced_amount(debit, wallet(), 5, BalancingMode.CREDIT) == 5


amounts = st.integers(-(10**6), 10**6)


@given(
    balance=amounts,
    held=st.integers(0, 10**6),
    floor=amounts,
    room=amounts,
    amount=st.integers(1, 10**6),
    mode=st.sampled_from(list(BalancingMode)),
)
def test_what_balancing_lets_through_the_limits_let_pass(
    balance: int, held: int, floor: int, room: int, amount: int, mode: BalancingMode
) -> None:
    debit = account(1, credits_posted=10**7 + balance, debits_posted=10**7, debits_pending=held)
    debit.floor_minor_units = floor
    credit = account(2)
    credit.ceiling_minor_units = room
    try:
        moved = model.balanced_amount(debit, credit, amount, BalancingMode.BOTH)
    except Refusal:
        assert debit.available <= floor or room <= 0
        return
    assert 0 < moved <= amount
    assert reason(model.check_limits, debit, credit, moved) is None
    if moved < amount:
        assert reason(model.check_limits, debit, credit, moved + 1) is not None
    assert model.balanced_amount(debit, credit, amount, mode) >= moved


# -- Holds ----------------------------------------------------------------------------------------


def held(state: int = HoldState.HELD, *, remaining: int = 60, expires: int = 1000) -> HoldRow:
    return HoldRow(
        booking.transaction_id(9),
        0,
        booking.account_id(1),
        booking.account_id(2),
        "CNY",
        100,
        100 - remaining,
        remaining,
        state,
        expires,
    )


@pytest.mark.parametrize(
    ("state", "now", "expected"),
    [
        (HoldState.HELD, 0, None),
        (HoldState.HELD, 999, None),
        (HoldState.HELD, 1000, "PENDING_POSTING_EXPIRED"),
        (HoldState.HELD, 1001, "PENDING_POSTING_EXPIRED"),
        (HoldState.EXPIRED, 0, "PENDING_POSTING_EXPIRED"),
        (HoldState.CAPTURED, 0, "PENDING_POSTING_CAPTURED"),
        (HoldState.CAPTURED, 2000, "PENDING_POSTING_CAPTURED"),
        (HoldState.VOIDED, 0, "PENDING_POSTING_VOIDED"),
        (HoldState.VOIDED, 2000, "PENDING_POSTING_VOIDED"),
    ],
)
def test_a_hold_can_be_touched_while_it_holds_and_before_its_end(
    state: HoldState, now: int, expected: str | None
) -> None:
    assert reason(model.check_hold, held(state), now, "txn_9") == expected


def test_a_capture_takes_what_it_asks_for_or_all_that_is_left() -> None:
    assert model.capture_amount(held(), 59) == 59
    assert model.capture_amount(held(), 60) == 60
    assert model.capture_amount(held(), 0) == 60
    with pytest.raises(Refusal) as caught:
        model.capture_amount(held(), 61)
    assert caught.value.reason == "CAPTURE_AMOUNT_EXCEEDED"
    assert caught.value.metadata == {"remaining_minor_units": "60"}
