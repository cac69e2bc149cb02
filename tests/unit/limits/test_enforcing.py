"""What limits let pass, refuse and count: stacks, ways around, holds, refunds, days, years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen_server.challenges.model import NOTHING
from longmen_server.factors.model import FactorKind, bits
from longmen_server.kyc.model import EvidenceKind
from longmen_server.limits.model import Period, Track
from longmen_server.limits.movement import MovementKind
from longmen_server.limits.rules import resets_at_us
from tests.support.limited import (
    DOLLARS,
    PAYER,
    PHONE,
    SERVICE,
    TILL,
    YUAN,
    LimitedWallet,
    moment,
)

if TYPE_CHECKING:
    from longmen_server.limits.movement import Asker
    from longmen_server.platform.refusal import Refusal

PAYMENT, STATIC = MovementKind.PAYMENT, MovementKind.STATIC_CODE_PAYMENT
CODE, TRANSFER = MovementKind.PAYER_CODE_PAYMENT, MovementKind.TRANSFER
PASSKEY, PIN = bits((FactorKind.PASSKEY,)), bits((FactorKind.PAYMENT_PIN,))
BY_PASSKEY, BY_PIN = PHONE._replace(approved=PASSKEY), PHONE._replace(approved=PIN)
PASSPORT = int(EvidenceKind.PASSPORT)


def which(refusal: Refusal | None) -> str:
    """The limit that refused; empty when nothing did."""
    return "" if refusal is None else refusal.metadata["limit"]


def spend(wallet: LimitedWallet, *amounts: int, **more: Any) -> None:
    for amount in amounts:
        assert wallet.refused(amount, **more) is None


def test_a_refusal_says_what_binds_what_is_left_until_when_and_what_lifts_it() -> None:
    wallet = LimitedWallet(4)
    spend(wallet, 2_000 * YUAN, 2_000 * YUAN)
    refused = wallet.refused(1_000 * YUAN + 1)
    assert refused is not None
    assert (refused.reason, refused.metadata) == (
        "LIMIT_EXCEEDED",
        {
            "limit": "CLASS_DAY",
            "period": "DAY",
            "currency_code": "CNY",
            "limit_minor_units": "500000",
            "remaining_minor_units": "100000",
            "resets_at": str(moment(2026, 11, 23)),
            "lifted_by": "UPGRADE,WAIT",
            "identification_class": "4",
        },
    )
    single = wallet.refused(2_000 * YUAN + 1)
    assert single is not None
    assert (single.reason, single.metadata) == (
        "SINGLE_LIMIT_EXCEEDED",
        {
            "limit": "CLASS_SINGLE",
            "period": "SINGLE",
            "currency_code": "CNY",
            "limit_minor_units": "200000",
            "lifted_by": "UPGRADE",
            "identification_class": "4",
        },
    )
    spend(wallet, 1_000 * YUAN)
    assert which(wallet.refused(1)) == "CLASS_DAY"


VISITS = [{"amount": 500_000, "payer_id": DOLLARS}] * 9 + [{"amount": 499_999, "payer_id": DOLLARS}]
"""USD 50,000.00 but for a cent: each amount is rounded up to a whole fen."""

STACKS: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("CLASS_DAY", {"identification_class": 4}, [{"amount": 1_000 * YUAN}] * 5),
    ("CLASS_DAY", {"identification_class": 3}, [{"amount": 5_000 * YUAN}] * 2),
    ("ACCOUNT_TYPE_3_DAY", {"account_type": 3}, [{"amount": 2_000 * YUAN}]),
    ("ACCOUNT_TYPE_2_DAY", {"account_type": 2}, [{"amount": 5_000 * YUAN}] * 2),
    ("QR_GRADE_D", {}, [{"amount": 250 * YUAN, "kind": STATIC, "asker": BY_PASSKEY}] * 2),
    ("QR_GRADE_B", {}, [{"amount": 5_000 * YUAN, "kind": PAYMENT, "asker": BY_PIN}]),
    ("VISITOR_YEAR", {"document": PASSPORT}, VISITS),
]


@pytest.mark.parametrize(
    ("limit", "who", "movements"),
    STACKS,
    ids=[f"{number}-{limit}" for number, (limit, _, _) in enumerate(STACKS)],
)
def test_every_stack_lets_its_whole_amount_pass_and_not_one_more(
    limit: str, who: dict[str, Any], movements: list[dict[str, Any]]
) -> None:
    wallet = LimitedWallet(**who)
    for fields in movements:
        assert wallet.refused(**fields) is None
    last = {**movements[-1], "amount": 1}
    assert which(wallet.refused(**last)) == limit


def test_several_stacks_bind_one_payment_and_the_tightest_refuses() -> None:
    wallet = LimitedWallet(2, account_type=3, document=PASSPORT)
    assert which(wallet.refused(2_001 * YUAN)) == "ACCOUNT_TYPE_3_DAY"
    assert which(wallet.refused(501 * YUAN, STATIC, BY_PIN)) == "QR_GRADE_D"
    assert which(wallet.refused(50_001 * YUAN)) == "CLASS_SINGLE"
    assert wallet.entries() == []


def test_visitors_had_less_before_the_caps_were_raised() -> None:
    wallet = LimitedWallet(document=PASSPORT, at=(2024, 2, 29, 12))
    over = wallet.refused(100_001, payer_id=DOLLARS)
    assert over is not None
    assert (over.reason, which(over)) == ("SINGLE_LIMIT_EXCEEDED", "VISITOR_SINGLE")
    wallet.at(2024, 3, 1, 12)
    assert wallet.refused(500_000, payer_id=DOLLARS) is None
    assert which(wallet.refused(500_001, payer_id=DOLLARS)) == "VISITOR_SINGLE"


# -- Ways around.


def test_splitting_a_payment_gains_nothing() -> None:
    wallet = LimitedWallet(4)
    passed = sum(wallet.refused(7 * YUAN) is None for _ in range(1_000))
    assert passed == 5_000 // 7


def test_another_currency_or_pocket_gains_nothing() -> None:
    wallet = LimitedWallet(4)
    spend(wallet, 28_000, 28_000, payer_id=DOLLARS)  # USD 280.00 are CNY 2,000.00 here
    refused = wallet.refused(1_000 * YUAN + 1)
    assert which(refused) == "CLASS_DAY"
    over = wallet.refused(14_001, payer_id=DOLLARS)
    assert over is not None
    assert (over.metadata["remaining_minor_units"], over.metadata["currency_code"]) == (
        "14000",
        "USD",
    )
    # Even one cent too little to be a whole fen counts one more fen: what is counted is rounded up.
    spend(wallet, 1, payer_id=DOLLARS)
    counter = wallet.counter(Track.SPEND)
    assert counter is not None
    assert counter.day_used == 400_000 + 8


def test_a_currency_without_an_equivalent_passes_no_limit_and_is_not_counted() -> None:
    assert which(LimitedWallet(4).refused(1, currency_code="CHF")) == "CLASS_SINGLE"
    free = LimitedWallet()
    assert free.refused(10**9, currency_code="CHF") is None
    assert free.entries() == []


def test_switching_the_way_to_pay_gains_nothing() -> None:
    wallet = LimitedWallet(kinds=PIN)
    spend(wallet, 500 * YUAN, kind=STATIC, asker=BY_PIN)
    # What is left without approval is what grade C has left after D.
    assert wallet.judge(500 * YUAN, CODE, TILL)[1] == NOTHING
    assert wallet.judge(1, CODE, TILL)[1].factors == 1
    spend(wallet, 4_000 * YUAN, kind=PAYMENT, asker=BY_PIN)
    assert which(wallet.refused(1, PAYMENT, BY_PIN)) == "QR_GRADE_B"
    # A signature by a key is of grade A, which is agreed with the customer.
    spend(wallet, 90_000 * YUAN, kind=PAYMENT, asker=BY_PASSKEY)


WAYS: list[tuple[str, int, int, tuple[int, int]]] = [
    ("little", 0, 1_000 * YUAN, (0, 0)),
    ("beyond C", PIN, 1_000 * YUAN + 1, (1, PIN)),
    ("beyond B", PIN | PASSKEY, 5_000 * YUAN + 1, (2, PASSKEY)),
]


@pytest.mark.parametrize(
    ("kinds", "amount", "expected"),
    [(kinds, amount, expected) for _, kinds, amount, expected in WAYS],
    ids=[name for name, *_ in WAYS],
)
def test_what_is_not_approved_yet_is_asked_to_be_rather_than_refused(
    kinds: int, amount: int, expected: tuple[int, int]
) -> None:
    wallet = LimitedWallet(kinds=kinds)
    _, demand = wallet.judge(amount, PAYMENT, PHONE)
    assert demand.factors == expected[0]
    assert demand.methods & expected[1] == expected[1]
    assert bool(wallet.entries()) == (not demand.factors)


def test_who_has_no_key_to_sign_with_is_refused_instead_of_asked_for_it() -> None:
    refused = LimitedWallet(kinds=PIN).refused(5_000 * YUAN + 1, PAYMENT, PHONE)
    assert refused is not None
    assert (which(refused), refused.metadata["lifted_by"]) == ("QR_GRADE_B", "STEP_UP,WAIT")


def test_the_eleventh_purchase_of_a_day_without_approval_is_asked_for() -> None:
    wallet = LimitedWallet(kinds=PIN)
    for _ in range(10):
        assert wallet.judge(YUAN, CODE, TILL)[1] == NOTHING
    assert wallet.judge(YUAN, CODE, TILL)[1].factors == 1
    assert wallet.judge(YUAN, STATIC, PHONE)[1].factors == 1
    wallet.at(2026, 11, 23)
    assert wallet.judge(YUAN, CODE, TILL)[1] == NOTHING


@pytest.mark.parametrize(
    ("kind", "is_own"),
    [(MovementKind.WITHDRAWAL, True), (TRANSFER, True), (MovementKind.TOP_UP, True)],
    ids=["withdrawal", "own accounts", "top-up"],
)
def test_what_is_no_payment_is_never_refused(kind: MovementKind, *, is_own: bool) -> None:
    wallet = LimitedWallet(4, account_type=3, document=PASSPORT)
    assert wallet.refused(10**9, kind, is_own=is_own) is None


# -- Holds and refunds.


def test_what_is_held_counts_until_it_is_freed() -> None:
    wallet = LimitedWallet(4)
    held = [wallet.hold(1_000 * YUAN) for _ in range(5)]
    assert which(wallet.refused(1)) == "CLASS_DAY"
    wallet.settle(held[0], 0, final=True)
    wallet.settle(held[1], 400 * YUAN, final=True)
    wallet.settle(held[2], 400 * YUAN, final=False)
    counter = wallet.counter(Track.SPEND)
    assert counter is not None
    sums = counter.day_used, counter.day_reserved, counter.day_count
    assert sums == (800 * YUAN, 2_600 * YUAN, 4)
    spend(wallet, 1_600 * YUAN)
    assert which(wallet.refused(1)) == "CLASS_DAY"


def test_a_hold_counts_in_the_day_it_was_let_through() -> None:
    wallet = LimitedWallet(4, at=(2026, 11, 22, 23, 59))
    held = wallet.hold(2_000 * YUAN)
    wallet.at(2026, 11, 23, 0, 0)
    spend(wallet, 2_000 * YUAN, 2_000 * YUAN, 1_000 * YUAN)
    wallet.settle(held, 0, final=True)
    counter = wallet.counter(Track.SPEND)
    assert counter is not None
    # Nothing is given back of the day that is over, and nothing twice of the year.
    assert (counter.day_used, counter.day_reserved) == (5_000 * YUAN, 0)
    assert (counter.year_used, counter.year_reserved) == (5_000 * YUAN, 0)
    assert which(wallet.refused(1)) == "CLASS_DAY"


@pytest.mark.parametrize("asker", [SERVICE, BY_PASSKEY], ids=["service", "session"])
def test_refunds_restore_what_the_pack_says_and_nothing_else(asker: Asker) -> None:
    wallet = LimitedWallet(4)
    wallet.own(Period.DAY, 3_000 * YUAN)
    payments = [wallet.judge(1_000 * YUAN, PAYMENT, asker)[0] for _ in range(3)]
    assert which(wallet.refused(1)) == "OWN_DAY"
    wallet.refund(payments[0], paid=1_000 * YUAN, returned=333 * YUAN)
    wallet.refund(payments[0], paid=1_000 * YUAN, returned=1_000 * YUAN)
    spend(wallet, 1_000 * YUAN)
    assert which(wallet.refused(1)) == "OWN_DAY"
    wallet.own(Period.DAY, None)
    # The cap of the class does not restore: 4,000 were spent of 5,000.
    spend(wallet, 1_000 * YUAN)
    assert which(wallet.refused(1)) == "CLASS_DAY"


# -- Days, years and own caps.


@pytest.mark.parametrize(
    ("before", "after", "limit"),
    [
        ((2026, 11, 22, 23, 59, 59), (2026, 11, 23), "CLASS_DAY"),
        ((2026, 12, 31, 23, 59, 59), (2027, 1, 1), "CLASS_DAY"),
    ],
    ids=["midnight", "new year"],
)
def test_a_day_ends_at_midnight_of_the_institution(
    before: tuple[int, ...], after: tuple[int, ...], limit: str
) -> None:
    wallet = LimitedWallet(4, at=before)
    spend(wallet, 2_000 * YUAN, 2_000 * YUAN, 1_000 * YUAN)
    refused = wallet.refused(1)
    assert which(refused) == limit
    assert refused is not None
    assert refused.metadata["resets_at"] == str(moment(*after))
    wallet.at(*after)
    spend(wallet, 2_000 * YUAN)


def test_a_year_ends_with_the_year_of_the_institution() -> None:
    wallet = LimitedWallet(4, at=(2026, 12, 1, 12))
    for day in range(1, 11):
        wallet.at(2026, 12, day, 12)
        spend(wallet, 2_000 * YUAN, 2_000 * YUAN, 1_000 * YUAN)
    wallet.at(2026, 12, 31, 23, 59, 59)
    refused = wallet.refused(1)
    assert which(refused) == "CLASS_YEAR"
    assert refused is not None
    assert refused.metadata["resets_at"] == str(moment(2027, 1, 1))
    wallet.at(2027, 1, 1)
    spend(wallet, 2_000 * YUAN)


def test_a_clock_that_is_behind_begins_no_day_anew() -> None:
    wallet = LimitedWallet(4, at=(2026, 11, 23))
    spend(wallet, 2_000 * YUAN)
    wallet.at(2026, 11, 22, 23, 59, 59)
    spend(wallet, 2_000 * YUAN)
    counter = wallet.counter(Track.SPEND)
    assert counter is not None
    assert (counter.day, counter.day_used) == (20261123, 4_000 * YUAN)
    assert {entry.day for entry in wallet.entries()} == {20261123}


def test_periods_end_when_they_say() -> None:
    assert resets_at_us(Period.SINGLE, 20261231) is None
    assert resets_at_us(Period.DAY, 20261231) == moment(2027, 1, 1)
    assert resets_at_us(Period.DAY, 20280228) == moment(2028, 2, 29)
    assert resets_at_us(Period.YEAR, 20280229) == moment(2029, 1, 1)


def test_a_raised_own_cap_holds_when_its_wait_is_over() -> None:
    wallet = LimitedWallet()
    wallet.own(Period.SINGLE, 100 * YUAN, 200 * YUAN, moment(2026, 11, 23, 12))
    assert which(wallet.refused(101 * YUAN)) == "OWN_SINGLE"
    wallet.at(2026, 11, 23, 12)
    spend(wallet, 200 * YUAN)
    assert which(wallet.refused(201 * YUAN)) == "OWN_SINGLE"


def test_the_sums_of_an_account_of_a_type_are_its_own() -> None:
    wallet = LimitedWallet(account_type=2)
    spend(wallet, 5_000 * YUAN)
    spend(wallet, 70_000, payer_id=DOLLARS)
    ours, theirs = wallet.counter(Track.ACCOUNT, PAYER), wallet.counter(Track.ACCOUNT, DOLLARS)
    assert ours is not None
    assert theirs is not None
    assert (ours.day_used, theirs.day_used) == (5_000 * YUAN, 5_000 * YUAN)
    spend(wallet, 5_000 * YUAN)
    assert which(wallet.refused(1)) == "ACCOUNT_TYPE_2_DAY"
