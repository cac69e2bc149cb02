"""Rates: what the settings may say, and who is let in."""

from __future__ import annotations

import pytest

from longmen_server.transport.rates import Meter, Rate, parse_rates, rate_of
from longmen_server.transport.settings import EdgeSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def count(meter: Meter, subject: str, calls: int) -> int:
    return sum(meter.admits(subject) for _ in range(calls))


def test_a_quiet_principal_has_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    meter = Meter(Rate(10, 5), clock, 100)
    assert count(meter, "alice", 20) == 5
    for _ in range(50):
        clock.now += 0.1
        assert count(meter, "alice", 3) == 1
    clock.now += 60
    assert count(meter, "alice", 20) == 5


def test_who_stays_under_its_rate_is_never_refused() -> None:
    clock = Clock()
    meter = Meter(Rate(10, 1), clock, 100)
    for _ in range(1_000):
        clock.now += 0.1001
        assert meter.admits("alice")


def test_principals_do_not_share_a_rate() -> None:
    meter = Meter(Rate(1, 1), Clock(), 100)
    assert [meter.admits(name) for name in ("a", "b", "a", "c", "b")] == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_who_has_been_quiet_is_forgotten_first_and_memory_is_bounded() -> None:
    clock = Clock()
    meter = Meter(Rate(1, 1), clock, 10)
    for number in range(9):
        meter.admits(f"quiet {number}")
    clock.now += 5
    meter.admits("busy")
    meter.admits("new")
    assert not meter.admits("busy")
    for number in range(1_000):
        meter.admits(f"flood {number}")
    assert 9 <= len(meter._busy_until) <= 10


def test_a_method_of_its_own_comes_before_its_class() -> None:
    rates = parse_rates(["customer.payment=20/100", "customer.TransfersService/TopUp=0.5/2"])
    found = rate_of(rates, "customer", method="TransfersService/TopUp", admission_class="payment")
    assert found == Rate(0.5, 2)
    found = rate_of(
        rates, "customer", method="TransfersService/Withdraw", admission_class="payment"
    )
    assert found == Rate(20, 100)
    assert (
        rate_of(rates, "service", method="TransfersService/TopUp", admission_class="payment")
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        "customer.payment",
        "customer=1/1",
        "customer.payment=1",
        "customer.payment=0/1",
        "customer.payment=1/0",
        "customer.payment=-1/1",
        "customer.payment=1/1.5",
        "customer.payments=1/1",
        "clerk.payment=1/1",
        "customer.payment=inf/1",
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"customer|clerk"):
        parse_rates([text])


def test_a_rate_is_given_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_rates(["staff.read=1/1", "staff.read=2/2"])


def test_the_defaults_are_rates() -> None:
    assert parse_rates(EdgeSettings().rates)
