"""Rates: what the settings may say, and who is let in."""

from __future__ import annotations

from typing import Any

import pytest

from longmen_server.transport.proxies import Proxies
from longmen_server.transport.rates import (
    CONTRACT_RATES,
    Meter,
    Rate,
    network_of,
    parse_rates,
    rate_of,
)
from longmen_server.transport.settings import EdgeSettings
from tests.support.rpcs import METHODS, short


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


def found(rates: dict[tuple[str, str], Rate], kind: str, method: str = "TopUp") -> Any:
    """What a method that moves money is counted as."""
    return rate_of(
        rates,
        kind,
        method=f"TransfersService/{method}",
        rate_class="money",
        admission_class="payment",
    )


def test_the_nearer_to_the_method_the_earlier_a_rate_counts() -> None:
    rates = parse_rates(
        ["customer.payment=20/100", "customer.money=10/20", "customer.TransfersService/TopUp=0.5/2"]
    )
    assert found(rates, "customer") == ("TransfersService/TopUp", Rate(0.5, 2))
    assert found(rates, "customer", "Withdraw") == ("money", Rate(10, 20))
    del rates["customer", "money"]
    assert found(rates, "customer", "Withdraw") == ("payment", Rate(20, 100))
    # What the settings do not name is as the contract declares it; services may call at will.
    assert found(rates, "merchant") == ("money", Rate(200, 1000))
    assert found(rates, "service") is None


def test_the_contract_declares_a_rate_for_everybody_without_the_banks_own_rights() -> None:
    for method in METHODS:
        for kind in method.principal_kinds - {"service"}:
            assert (kind, method.rate_class) in CONTRACT_RATES, (method.path, kind)
    assert not any(kind == "service" for kind, _ in CONTRACT_RATES)


def test_a_method_is_counted_as_its_policy_implies() -> None:
    classes = {short(method): method.rate_class for method in METHODS}
    assert {
        name: classes[name]
        for name in (
            "AccountsService/GetBalance",
            "AccountsService/WatchBalance",
            "ApprovalsService/ProposeApproval",
            "MerchantsService/CreateMerchant",
            "SessionsService/StartLogin",
            "StaffSessionsService/CompleteStaffSignIn",
            "TransfersService/TopUp",
        )
    } == {
        "AccountsService/GetBalance": "read",
        "AccountsService/WatchBalance": "watch",
        "ApprovalsService/ProposeApproval": "operate",
        "MerchantsService/CreateMerchant": "change",
        "SessionsService/StartLogin": "message",
        "StaffSessionsService/CompleteStaffSignIn": "sign_in",
        "TransfersService/TopUp": "money",
    }


def test_who_comes_too_soon_is_told_when_to_come() -> None:
    clock = Clock()
    meter = Meter(Rate(0.5, 2), clock, 10)
    assert count(meter, "alice", 3) == 2
    assert 1_990 <= meter.wait_ms("alice") <= 2_000
    clock.now += 1.5
    assert 490 <= meter.wait_ms("alice") <= 500
    clock.now += 0.5
    assert meter.admits("alice")
    slow = Meter(Rate(0.001, 1), clock, 10)
    assert count(slow, "alice", 2) == 1
    assert slow.wait_ms("alice") == 60_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::/64"),
        ("unix:/run/longmen", "unix:/run/longmen"),
    ],
)
def test_strangers_are_counted_by_address_or_by_their_64(address: str, network: str) -> None:
    assert network_of(address) == network


# -- Proxies.

OURS = Proxies(["10.0.0.0/8", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "notes", "address"),
    [
        ("198.51.100.9", ["203.0.113.5"], "198.51.100.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, garbage, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("2001:db8:ffff::1", ["2001:db8:1::5"], "2001:db8:1::5"),
        ("unix:", ["203.0.113.5"], "unix:"),
    ],
    ids=[
        "a stranger's word",
        "no note",
        "one note",
        "an invention before it",
        "two headers",
        "two proxies",
        "garbage",
        "an empty note",
        "IPv6",
        "no address",
    ],
)
def test_only_proxies_of_ours_tell_where_a_call_comes_from(
    peer: str, notes: list[str], address: str
) -> None:
    metadata = [("x-forwarded-for", note) for note in notes]
    assert OURS.address_of(peer, metadata) == address


def test_a_proxy_is_a_network_without_host_bits() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Proxies(["10.0.0.1/8"])


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


def test_the_settings_name_no_rate_unless_told_to() -> None:
    assert parse_rates(EdgeSettings().rates) == {}
