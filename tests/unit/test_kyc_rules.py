"""The rules of identification: what can be genuine, and what the packs say on which day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import resources
from typing import Any

import pytest

from longmen_server.kyc import model
from longmen_server.kyc.model import (
    UNCLASSIFIED,
    EvidenceKind,
    check_bank_account,
    check_document,
    check_downgrade,
    check_upgrade,
    mask_number,
)
from longmen_server.kyc.packs import PackError, load_packs, read_packs
from longmen_server.platform.refusal import Refusal

Check = Callable[[int, int], None]
TODAY = date(2026, 6, 1)
CARD = EvidenceKind.RESIDENT_ID
PASSPORT = EvidenceKind.PASSPORT
PERMIT = EvidenceKind.TRAVEL_PERMIT

# -- Documents.

GOOD = {
    "a resident id": (CARD, "110101199003070134", "", "", date(1990, 3, 7)),
    "its check digit X, written small": (CARD, "11010519491231002x", "", "", date(1949, 12, 31)),
    "its birth date said again": (CARD, "11010519491231002X", "1949-12-31", "", None),
    "a region that is no more": (CARD, "110103199003070137", "", "", date(1990, 3, 7)),
    "a passport": (PASSPORT, "e12345678", "1990-03-07", "CHN", date(1990, 3, 7)),
    "a permit for Hong Kong": (PERMIT, "H12345678", "1990-03-07", "", None),
    "a permit for Taiwan": (PERMIT, "12345678", "1990-03-07", "", None),
    "somebody born today": (PASSPORT, "L898902C3", "2026-06-01", "UTO", TODAY),
}
BAD = {
    "a digit wrong": (CARD, "110101199003070135", "", "", "check_digit"),
    "two digits exchanged": (CARD, "110110199003070134", "", "", "check_digit"),
    "the check digit wrong": (CARD, "110105194912310021", "", "", "check_digit"),
    "the old fifteen digits": (CARD, "110101900307013", "", "", "format"),
    "a letter in the middle": (CARD, "1101011990030701X4", "", "", "format"),
    "the 30th of February": (CARD, "110101199002300014", "", "", "birth_date"),
    "born tomorrow": (CARD, "110101202606020018", "", "", "birth_date"),
    "born in 1900": (CARD, "110101190001010014", "", "", "birth_date"),
    "another birth date": (CARD, "11010519491231002X", "1949-12-30", "", "birth_date_mismatch"),
    "a resident id of a country": (CARD, "11010519491231002X", "", "CHN", "issuing_country"),
    "a passport of no country": (PASSPORT, "E12345678", "1990-03-07", "", "issuing_country"),
    "a passport without birth date": (PASSPORT, "E12345678", "", "CHN", "birth_date"),
    "a passport of ten characters": (PASSPORT, "E123456789", "1990-03-07", "CHN", "format"),
    "no such day": (PASSPORT, "E12345678", "1990-02-29", "CHN", "birth_date"),
    "a permit of another letter": (PERMIT, "X12345678", "1990-03-07", "", "format"),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_can_be_genuine_is_taken(case: str) -> None:
    kind, number, birth_date, country, born = GOOD[case]
    document = check_document(
        kind,
        name="林黛玉",
        number=number,
        birth_date=birth_date,
        issuing_country=country,
        today=TODAY,
    )
    assert document.number == number.upper()
    assert born in {None, document.birth_date}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_genuine_is_refused_by_its_rule(case: str) -> None:
    kind, number, birth_date, country, rule = BAD[case]
    with pytest.raises(Refusal) as caught:
        check_document(
            kind,
            name="林黛玉",
            number=number,
            birth_date=birth_date,
            issuing_country=country,
            today=TODAY,
        )
    assert caught.value.reason == "EVIDENCE_INVALID"
    assert caught.value.metadata == {"evidence": kind.name, "rule": rule}
    assert number not in caught.value.message


def test_numbers_of_two_countries_are_two_documents() -> None:
    one, other = (
        check_document(
            PASSPORT,
            name="Lin",
            number="E12345678",
            birth_date="1990-03-07",
            issuing_country=country,
            today=TODAY,
        ).indexed
        for country in ("CHN", "SGP")
    )
    assert one != other


@pytest.mark.parametrize(
    "number", ["6222021234567894", "GB82WEST12345698765432", "gb82west12345698765432", "00123456"]
)
def test_numbers_of_accounts_that_can_be_are_taken(number: str) -> None:
    assert check_bank_account(number) == number.upper()


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("6222021234567890", "check_digit"),
        ("GB82WEST12345698765433", "check_digit"),
        ("1234567X", "format"),
        ("123456789012345678901234567890123", "format"),
    ],
)
def test_numbers_of_accounts_that_cannot_be_are_refused(number: str, rule: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_bank_account(number)
    assert caught.value.metadata == {"evidence": "BANK_ACCOUNT", "rule": rule}


def test_masked_numbers_keep_their_ends() -> None:
    assert mask_number("11010519491231002X") == "1****************X"


# -- Classes.


@pytest.mark.parametrize("present", [UNCLASSIFIED, *model.CLASSES])
@pytest.mark.parametrize("target", model.CLASSES)
def test_a_class_is_better_or_lower_or_the_same(present: int, target: int) -> None:
    ways = [
        way
        for way, check in (("up", check_upgrade), ("down", check_downgrade))
        if _allowed(check, present, target)
    ]
    expected = [] if present == target else ["up"] if target < present else ["down"]
    assert ways == expected


def _refusal(check: Check, present: int, target: int) -> Refusal | None:
    try:
        check(present, target)
    except Refusal as refusal:
        return refusal
    return None


def _allowed(check: Check, present: int, target: int) -> bool:
    if _refusal(check, present, target) is None:
        return True
    with pytest.raises(Refusal) as caught:
        check(present, target)
    assert caught.value.reason == "KYC_CLASS_CONFLICT"
    assert caught.value.metadata == {"identification_class": str(present)}
    return False


# -- Packs.

YUAN = 100
FIGURES: dict[date, dict[int, tuple[Any, ...]]] = {
    date(2020, 8, 29): {
        4: (1_000, 500, 1_000, 10_000, False),
        3: (2_000, 2_000, 2_000, 50_000, False),
        2: (10_000, 5_000, 10_000, 300_000, False),
        1: (500_000, 50_000, 100_000, 500_000, False),
    },
    date(2021, 7, 16): {
        4: (10_000, 2_000, 5_000, 50_000, False),
        3: (20_000, 5_000, 10_000, None, False),
        2: (500_000, 50_000, 100_000, None, False),
        1: (None, None, None, None, False),
    },
    date(2026, 1, 1): {
        4: (10_000, 2_000, 5_000, 50_000, False),
        3: (20_000, 5_000, 10_000, None, True),
        2: (500_000, 50_000, 100_000, None, True),
        1: (None, None, None, None, True),
    },
}
"""Balance, single payment, day and year in CNY, and interest, as published."""


@pytest.mark.parametrize("day", FIGURES)
def test_a_pack_holds_from_its_day_on(day: date) -> None:
    pack = load_packs().at(day)
    assert pack.effective_from == day
    for number, (*amounts, interest) in FIGURES[day].items():
        rules = pack.classes[number]
        found = (rules.balance, rules.single, rules.day, rules.year)
        assert found == tuple(None if one is None else one * YUAN for one in amounts)
        assert rules.earns_interest == interest


def test_before_the_first_pack_the_first_holds_and_the_day_before_the_last_the_one_before() -> None:
    packs = load_packs()
    assert packs.at(date(1999, 1, 1)) == packs.packs[0]
    assert packs.at(date(2025, 12, 31)).effective_from == date(2021, 7, 16)


@pytest.mark.parametrize(
    ("currency", "limit"),
    [("CNY", 200_000), ("USD", 28_000), ("JPY", 40_000), ("XOF", 0)],
)
def test_limits_in_other_currencies_are_equivalents_and_nothing_where_there_is_none(
    currency: str, limit: int
) -> None:
    pack = load_packs().at(TODAY)
    assert pack.amount(pack.classes[4].single, currency) == limit
    assert pack.amount(pack.classes[1].single, currency) is None


TEXT = resources.files("longmen_server.kyc").joinpath("packs/ecny-2026.toml").read_text("utf-8")
FAULTS = {
    "a class twice": ("class = 3\n", "class = 4\n"),
    "an unknown need": ('needs = ["phone"]', 'needs = ["fingerprint"]'),
    "an unknown document": ('"passport"', '"library_card"'),
    "no source": ('source = "PBoC 2021', 'source = ""\nwas = "PBoC 2021'),
    "a limit of nothing": ("single = 200_000", "single = 0"),
    "a better class with a tighter limit": ("balance = 50_000_000", "balance = 1_500_000"),
    "a better class that needs less": (
        'needs = ["phone", "document", "bank_account"]',
        'needs = ["phone", "bank_account"]',
    ),
    "wallets without a document": ("wallets_per_id_number = 0", "wallets_per_id_number = 1"),
    "too many wallets": ("wallets_per_id_number = 1", "wallets_per_id_number = 6"),
    "no currency": ('currency = "CNY"', ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pack_that_makes_no_sense_is_refused(fault: str) -> None:
    before, after = FAULTS[fault]
    assert before in TEXT
    with pytest.raises(PackError):
        read_packs([TEXT.replace(before, after, 1)])


def test_two_packs_of_one_day_are_refused() -> None:
    with pytest.raises(PackError, match="different days"):
        read_packs([TEXT, TEXT])
