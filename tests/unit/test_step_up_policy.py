"""The policy of step-up, case by case, and which files are refused."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from longmen_server.challenges.model import (
    PROTECTING,
    Decision,
    Intent,
    Operation,
    is_enough,
    stronger,
)
from longmen_server.challenges.policy import PolicyError, load_policy, read_policy
from longmen_server.factors.model import FactorKind, bits

TODAY = load_policy().at(date(2026, 6, 1))
MONEY = bits((FactorKind.PAYMENT_PIN, FactorKind.TOTP, FactorKind.PASSKEY))
ANY_FACTOR = MONEY | bits((FactorKind.PASSWORD, FactorKind.BACKUP_CODES))
MESSAGE = MONEY | bits((FactorKind.MESSAGE_CODE,))
NOTHING, ONE, TWO = Decision(0, 0), Decision(1, MONEY), Decision(2, MONEY)
LITTLE = Decision(1, MESSAGE)

PAYMENTS = {
    ("small", "known", "left"): NOTHING,
    ("small", "known", "used"): LITTLE,
    ("small", "new", "left"): LITTLE,
    ("small", "new", "used"): LITTLE,
    ("medium", "known", "left"): ONE,
    ("medium", "known", "used"): ONE,
    ("medium", "new", "left"): ONE,
    ("medium", "new", "used"): ONE,
    ("large", "known", "left"): TWO,
    ("large", "known", "used"): TWO,
    ("large", "new", "left"): TWO,
    ("large", "new", "used"): TWO,
}
"""What a transfer needs; a withdrawal and a batch need the same, but never nothing; a merchant need
not be known for a small purchase."""

CASES = list(product(Operation, PAYMENTS.items()))


@pytest.mark.parametrize(
    ("operation", "case", "expected"),
    [(operation, case, decision) for operation, (case, decision) in CASES],
    ids=[f"{operation.name}-{'-'.join(case)}" for operation, (case, _) in CASES],
)
def test_every_case(operation: Operation, case: tuple[str, str, str], expected: Decision) -> None:
    band, payee, allowance = case
    if operation in PROTECTING:
        # Bands are of money, which such a change has none of; it is never large.
        if band == "large":
            return
        expected = Decision(1, ANY_FACTOR)
    elif operation == Operation.PURCHASE and (band, allowance) == ("small", "left"):
        expected = NOTHING
    elif operation not in {Operation.TRANSFER, Operation.PURCHASE} and expected == NOTHING:
        expected = LITTLE
    assert TODAY.look_up(operation, payee, band, allowance) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "band"),
    [
        (1, "CNY", "small"),
        (20_000, "CNY", "small"),
        (20_001, "CNY", "medium"),
        (500_000, "CNY", "medium"),
        (500_001, "CNY", "large"),
        (3_000, "EUR", "small"),
        (3_001, "EUR", "medium"),
        (1, "CHF", "large"),
        (2**63 - 1, "JPY", "large"),
        (0, "", "small"),
    ],
)
def test_bands(amount: int, currency: str, band: str) -> None:
    assert TODAY.band(amount, currency) == band


def test_the_sixth_small_payment_in_a_row_is_asked_for() -> None:
    intent = Intent(operation=Operation.TRANSFER, text="", amount=100, currency_code="CNY")
    found = [TODAY.decide(intent, is_known=True, exempt_count=n).factors for n in range(7)]
    assert found == [0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("kinds", "needed", "enough"),
    [
        ([], 1, False),
        ([FactorKind.PAYMENT_PIN], 1, True),
        ([FactorKind.PAYMENT_PIN], 2, False),
        ([FactorKind.PAYMENT_PIN, FactorKind.TOTP], 2, True),
        ([FactorKind.PASSKEY], 2, True),
        ([FactorKind.PASSKEY], 3, False),
    ],
)
def test_what_is_enough(kinds: list[FactorKind], needed: int, *, enough: bool) -> None:
    assert is_enough(bits(kinds), needed) == enough


GOOD = """
[[version]]
effective_from = 2026-01-01
source = "test"
valid_s = 300
exempt_in_a_row = 5
sign_in = [["password"], ["payment_pin"]]
sign_in_instead = ["backup_codes"]
cooling_hours = 24
cooling_up_to = {CNY = 30}
small_up_to = {CNY = 10}
large_above = {CNY = 20}
[[version.rule]]
operation = "any"
payee = "any"
band = "any"
allowance = "any"
factors = 1
methods = ["payment_pin"]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("valid_s = 300", "valid_s = 301", "up to 300"),
        ("CNY = 10", "CNY = 21", "small amounts"),
        ('operation = "any"', 'operation = "transfer"', "no rule for withdrawal"),
        ('band = "any"', 'band = "tiny"', "choose one of small"),
        ("factors = 1", "factors = 2", "more factors"),
        ('source = "test"', 'source = ""', "source"),
        ('["payment_pin"]', '["pin"]', "PIN"),
        ("exempt_in_a_row = 5", "", "exempt_in_a_row"),
        ('sign_in = [["password"], ["payment_pin"]]', "sign_in = [[]]", "signing in"),
        ('["backup_codes"]', '["fax"]', "FAX"),
        ("cooling_hours = 24", "cooling_hours = 721", "thirty days"),
        ("CNY = 30", "CNY = 0", "thirty days"),
    ],
)
def test_a_policy_that_makes_no_sense_does_not_start(old: str, new: str, told: str) -> None:
    read_policy(GOOD)
    assert old in GOOD
    with pytest.raises(PolicyError, match=told):
        read_policy(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("kinds", "methods"),
    [
        ([], []),
        (["BACKUP_CODES"], []),
        (["PAYMENT_PIN"], ["PAYMENT_PIN"]),
        (["PAYMENT_PIN", "TOTP", "BACKUP_CODES"], ["PAYMENT_PIN", "TOTP", "BACKUP_CODES"]),
        (["PAYMENT_PIN", "TOTP", "PASSWORD"], ["PASSWORD"]),
        (["PASSKEY", "PASSWORD", "BACKUP_CODES"], ["PASSKEY", "PASSWORD", "BACKUP_CODES"]),
    ],
)
def test_what_signs_a_new_device_in(kinds: list[str], methods: list[str]) -> None:
    def mask(names: list[str]) -> int:
        return bits(FactorKind[name] for name in names)

    assert TODAY.sign_in_methods(mask(kinds)) == mask(methods)


def test_what_a_new_device_sends_counts_in_all_currencies_and_never_rounds_down() -> None:
    assert TODAY.cooling_share(100_000, "CNY") == 1_000_000
    assert TODAY.cooling_share(1, "CNY") == 10
    assert TODAY.cooling_share(1, "USD") == 67
    assert TODAY.cooling_share(1, "CHF") > 1_000_000
    assert sum(TODAY.cooling_share(1, "USD") for _ in range(15_000)) >= 1_000_000


def test_versions_take_over_on_their_day() -> None:
    later = GOOD.replace("2026-01-01", "2027-01-01").replace("valid_s = 300", "valid_s = 60")
    policy = read_policy(GOOD + later)
    days = (date(2020, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [policy.at(day).valid_s for day in days] == [300, 300, 60]
    with pytest.raises(PolicyError, match="oldest first"):
        read_policy(later + GOOD)


def test_an_approval_is_bound_to_every_part_of_an_intent() -> None:
    parts = {
        "operation": Operation.TRANSFER,
        "text": "Pay",
        "amount": 1,
        "currency_code": "CNY",
        "payee": "a",
        "payee_id": b"a" * 16,
    }
    others = {
        "operation": Operation.BATCH,
        "text": "Pay ",
        "amount": 2,
        "currency_code": "EUR",
        "payee": "b",
        "payee_id": b"b" * 16,
    }
    base = Intent(**parts).digest(b"c" * 32)  # type: ignore[arg-type]
    found = {Intent(**{**parts, name: value}).digest(b"c" * 32) for name, value in others.items()}  # type: ignore[arg-type]
    found |= {base, Intent(**parts).digest(b"d" * 32)}  # type: ignore[arg-type]
    assert len(found) == len(others) + 2


def test_the_stronger_of_two_decisions_satisfies_both() -> None:
    pin, key = bits((FactorKind.PAYMENT_PIN, FactorKind.PASSKEY)), bits((FactorKind.PASSKEY,))
    for one, other, both in (
        (NOTHING, NOTHING, NOTHING),
        (NOTHING, Decision(1, pin), Decision(1, pin)),
        (Decision(1, pin), NOTHING, Decision(1, pin)),
        (Decision(1, pin), Decision(2, key), Decision(2, key)),
    ):
        assert stronger(one, other) == both
