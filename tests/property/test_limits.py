"""Limits under any sequence of movements: never more than the cap, never less than it lets."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from longmen_server.limits.model import Track, tracks_in, year_of
from longmen_server.platform.refusal import Refusal
from tests.support.limited import CUSTOMER, DOLLARS, PAYER, LimitedWallet

CAP = 500_000
SINGLE = 200_000

step = st.one_of(
    st.tuples(st.just("spend"), st.integers(1, 300_000), st.booleans()),
    st.tuples(st.just("hold"), st.integers(1, 300_000), st.just(False)),
    st.tuples(st.just("settle"), st.integers(0, 300_000), st.booleans()),
    st.tuples(st.just("refund"), st.integers(1, 300_000), st.just(False)),
    st.tuples(st.just("day"), st.integers(1, 40), st.just(False)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(step, max_size=40))
def test_a_cap_is_never_exceeded_and_never_refuses_what_it_leaves(steps: list[Any]) -> None:
    wallet = LimitedWallet(4, at=(2026, 11, 22, 12))
    held: list[Any] = []
    paid: list[Any] = []
    for what, number, flag in steps:
        if what == "day":
            wallet.working_set.now_us += number * 86_400_000_000
        elif what == "settle" and held:
            one = held.pop(0)
            hold = wallet.holds[one]
            part = min(number, hold.remaining)
            wallet.settle(one, part, final=flag or part == hold.remaining)
            if hold.remaining:
                held.append(one)
        elif what == "refund" and paid:
            one, amount, back = paid.pop(0)
            back = min(back + number, amount)
            wallet.refund(one, paid=amount, returned=back)
            if back < amount:
                paid.append((one, amount, back))
        elif what in {"spend", "hold"}:
            _move(wallet, what, number, held, paid, dollars=flag)
        _check(wallet)


def _move(
    wallet: LimitedWallet,
    what: str,
    number: int,
    held: list[Any],
    paid: list[Any],
    *,
    dollars: bool,
) -> None:
    """Move money, and demand that it passes exactly when every cap leaves as much."""
    amount = max(number * 14 // 100, 1) if dollars else number
    base = -(-amount * 100 // 14) if dollars else amount
    counter = wallet.counter(Track.SPEND)
    spent = (0, 0)
    if counter is not None:
        later = LimitedWallet(4)
        later.working_set.now_us = wallet.working_set.now_us
        rolled = counter.copy()
        rolled.roll(max(counter.day, _today(wallet)))
        spent = rolled.day_used + rolled.day_reserved, rolled.year_used + rolled.year_reserved
    fits = base <= SINGLE and spent[0] + base <= CAP and spent[1] + base <= 10 * CAP
    payer = DOLLARS if dollars else PAYER
    try:
        if what == "hold":
            held.append(wallet.hold(amount))
        else:
            paid.append((wallet.judge(amount, payer_id=payer)[0], amount, 0))
    except Refusal:
        assert not fits
    else:
        assert fits


def _today(wallet: LimitedWallet) -> int:
    from longmen_server.limits.rules import today_of

    return today_of(wallet.working_set.now_us).day


def _check(wallet: LimitedWallet) -> None:
    """The sums are what the entries say, and no cap is exceeded."""
    counter = wallet.counter(Track.SPEND)
    if counter is None:
        return
    assert counter.day_used + counter.day_reserved <= CAP
    assert counter.year_used + counter.year_reserved <= 10 * CAP
    mine = [one for one in wallet.entries() if one.customer_id == CUSTOMER]
    assert all(Track.SPEND in tracks_in(one.tracks) for one in mine)
    today = [one for one in mine if one.day == counter.day]
    year = [one for one in mine if year_of(one.day) == year_of(counter.day)]
    assert counter.day_used == sum(one.used for one in today)
    assert counter.day_reserved == sum(one.reserved for one in today)
    assert counter.day_restored == sum(one.restored for one in today)
    assert counter.day_count == sum(bool(one.used + one.reserved) for one in today)
    assert counter.year_used == sum(one.used for one in year)
    assert counter.year_reserved == sum(one.reserved for one in year)
    assert counter.year_restored == sum(one.restored for one in year)
