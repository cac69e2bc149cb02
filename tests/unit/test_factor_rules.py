"""The rules of PINs, passwords and wrong tries, and which fields of the contract are secret."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool
from hypothesis import given
from hypothesis import strategies as st

from longmen.identity.v1 import challenge_service_pb2, factor_service_pb2
from longmen_server.factors import model
from longmen_server.factors.checks import common_passwords
from longmen_server.factors.model import AttemptRow, SecurityRow, count_try, weak_pin_rule
from longmen_server.platform.ids import CustomerId
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.secrecy import secret_fields

CUSTOMER = CustomerId(bytes(16))
PHONE = "+8613847205913"
MINUTE_US = 60_000_000


@pytest.mark.parametrize(
    ("pin", "rule"),
    [
        ("012345", "run"),
        ("890123", "run"),
        ("543210", "run"),
        ("000000", "repetition"),
        ("112233", "repetition"),
        ("455445", "repetition"),
        ("747447", "repetition"),
        ("205913", "phone_number"),
        ("319502", "phone_number"),
        ("960229", "date"),
        ("290296", "date"),
        ("022996", "date"),
        ("197311", "date"),
        ("111973", "date"),
        ("835207", None),
        ("960230", None),
        ("904499", None),
    ],
)
def test_weak_pins(pin: str, rule: str | None) -> None:
    assert weak_pin_rule(pin, PHONE) == rule


def test_most_pins_are_taken() -> None:
    """Rules that refuse too much leave guessers fewer to try."""
    taken = sum(weak_pin_rule(f"{pin:06d}", PHONE) is None for pin in range(0, 1_000_000, 97))
    assert taken > 0.88 * (1_000_000 / 97)


@given(st.text(min_size=15, max_size=128))
def test_long_passwords_are_refused_only_for_being_guessable(password: str) -> None:
    rule = ""
    try:
        model.check_password(password, common_passwords(), PHONE)
    except Refusal as refusal:
        rule = refusal.metadata["rule"]
    assert rule in {"", "common", "phone_number", "context"}


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("1234567", "length.min"),
        ("x" * 129, "length.max"),
        ("Password", "common"),
        ("trustno1", "common"),
        ("my 47205913 phone", "phone_number"),
        ("Longmen-2026!", "context"),
        ("mybankpassword", "context"),
        ("我的龙门钱包密码2026", "context"),
    ],
)
def test_weak_passwords(password: str, rule: str) -> None:
    with pytest.raises(Refusal) as caught:
        model.check_password(password, common_passwords(), PHONE)
    assert caught.value.metadata["rule"] == rule


def test_words_of_banks_are_taken_in_passwords_that_are_long_enough_without() -> None:
    for password in ("the bank of my aunt's dog", "wallets correct horse", "Sbattery4x9q"):
        model.check_password(password, common_passwords(), PHONE)


def test_the_list_of_common_passwords_is_of_a_useful_size() -> None:
    words = common_passwords()
    assert len(words) >= 3_000
    assert all(len(word) >= 8 and word == word.lower() for word in words)


def test_blocks_escalate() -> None:
    row = AttemptRow(CUSTOMER, model.NO_DEVICE, 2, 0, 0, 0, 0)
    now_us, told = 0, []
    for _ in range(15):
        blocks = count_try(row, now_us)
        told.append((blocks, row.blocked_until_us - now_us if row.blocked_until_us else 0))
        now_us = max(now_us, min(row.blocked_until_us, 1 << 50))
    hour = 60 * MINUTE_US
    lengths = [length for blocks, length in told if blocks]
    assert lengths[:2] == [3 * hour, 24 * hour]
    assert row.blocked_until_us == model.FOR_EVER_US
    assert [length for _, length in told[:5]] == [0, 0, MINUTE_US, MINUTE_US, 3 * hour]


@given(st.lists(st.tuples(st.integers(0, 10**10), st.booleans()), max_size=60))
def test_never_more_than_five_tries_in_a_row_without_a_pause(
    steps: list[tuple[int, bool]],
) -> None:
    """However tries and waiting alternate, five looked at within a minute is the most."""
    row = AttemptRow(CUSTOMER, model.NO_DEVICE, 2, 0, 0, 0, 0)
    now_us, looked_at = 0, []
    for wait_us, _ in steps:
        now_us += wait_us % (2 * MINUTE_US)
        if not model.is_blocked(row, None, now_us):
            count_try(row, now_us)
            looked_at.append(now_us)
    for start in looked_at:
        assert sum(start <= at < start + MINUTE_US for at in looked_at) <= 5


def test_the_bank_forgives_what_was_before() -> None:
    row = AttemptRow(CUSTOMER, model.NO_DEVICE, 2, 0, 0, 0, 0)
    for _ in range(5):
        count_try(row, 100)
    security = SecurityRow(CUSTOMER, 0, 0, 0, 0)
    assert model.is_blocked(row, security, 200)
    security.unblocked_at_us = 150
    assert not model.is_blocked(row, security, 200)
    row.changed_at_us = 160
    assert model.is_blocked(row, security, 200)


def test_every_secret_of_the_contract_is_marked_as_one() -> None:
    """What is marked is left out of logs by tools, and keys the fingerprints of its requests."""
    pool = descriptor_pool.Default()
    marked: set[str] = set()
    for module in (factor_service_pb2, challenge_service_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in pool.FindServiceByName(service.full_name).methods:
                for message in (method.input_type, method.output_type):
                    marked |= {field.full_name for field in secret_fields(message)}
    names = {name.rpartition(".")[2] for name in marked}
    assert names == {
        "password",
        "pin",
        "payment_pin",
        "seed",
        "uri",
        "code",
        "codes",
        "totp_code",
        "backup_code",
        "message_code",
    }
