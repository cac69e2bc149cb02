"""Codes made by the app: those that the server takes, within the budget, never the same twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_app import BudgetSpentError, CodeMaker
from longmen_server.payments.codes import payer_code

SECRET = bytes(range(32))


class Time:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def maker(time: Time, *, codes: int = 15, hours: float = 24, handle: int = 42) -> CodeMaker:
    made = CodeMaker(secret=SECRET, handle=handle, account_id="acct_1", clock=time)
    made.renewed(codes, time.now + hours * 3600)
    return made


@given(handle=st.integers(0, 99_999_999), now=st.integers(120, 4_000_000_000))
def test_the_server_takes_what_the_app_makes(handle: int, now: int) -> None:
    code = payer_code.parse(maker(Time(now), handle=handle).next_code())
    assert code.handle == handle
    assert payer_code.step_of(code, SECRET, now_us=now * 1_000_000) == now // 60


def test_no_code_is_made_twice_and_a_minute_has_ten() -> None:
    time = Time()
    device = maker(time, codes=100)
    codes = [device.next_code() for _ in range(10)]
    with pytest.raises(BudgetSpentError, match="this minute"):
        device.next_code()
    time.now += 60
    codes += [device.next_code() for _ in range(10)]
    assert len(set(codes)) == 20


def test_the_budget_ends_by_count_and_by_age_until_renewed() -> None:
    time = Time()
    device = maker(time, codes=2)
    for _ in range(2):
        device.next_code()
    with pytest.raises(BudgetSpentError, match="online"):
        device.next_code()
    device.renewed(15, time.now + 10)
    device.next_code()
    time.now += 10
    with pytest.raises(BudgetSpentError, match="online"):
        device.next_code()


def test_a_restart_repeats_no_code() -> None:
    time = Time()
    device = maker(time)
    first = [device.next_code() for _ in range(3)]
    again = CodeMaker.load(device.save(), clock=time)
    assert (again.codes_left, again.account_id) == (12, "acct_1")
    assert again.next_code() not in first
