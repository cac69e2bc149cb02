"""Packs of limits: those that come along, and which files are refused."""

from __future__ import annotations

from datetime import date

import pytest

from longmen_server.limits.packs import PackError, load_packs, read_packs

GOOD = """
stack = "QR_GRADE"
effective_from = 2018-04-01
currency = "CNY"
source = "a rule"
[[cap]]
name = "X"
period = "day"
tracks = ["code_d"]
amount = 5
restores = false
lifted_by = ["wait"]
"""


def test_every_stack_is_dated_and_says_where_it_is_from() -> None:
    packs = load_packs()
    assert all(pack.source for pack in packs.packs)
    assert set(packs.at(date(2026, 11, 22))) == {
        *("QR_GRADE", "PASSWORD_FREE", "VISITOR", "ACCOUNT_TYPE", "OWN", "REPORTS")
    }
    assert "QR_GRADE" not in packs.at(date(2018, 3, 31))
    amounts = {
        packed.cap.name: packed.cap.amount for packed in packs.at(date(2024, 2, 29))["VISITOR"].caps
    }
    assert amounts == {"VISITOR_SINGLE": 100_000, "VISITOR_YEAR": 1_000_000}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"QR_GRADE"', '"QR"', "a stack is one of"),
        ('source = "a rule"', 'source = ""', "names its source"),
        ("amount = 5", "amount = 0", "above zero"),
        ("amount = 5", "amount = 5\ncount = 1", "either an amount or a number"),
        ("amount = 5", "", "either an amount or a number"),
        ('"day"', '"week"', "KeyError"),
        ('["code_d"]', '["code_e"]', "KeyError"),
        ('["code_d"]', "[]", "sums something up"),
        ('["wait"]', '["luck"]', "KeyError"),
        ('["wait"]', "[]", "something lifts it"),
        ('["code_d"]', '["account"]', "sum up accounts"),
        ("amount = 5", "amount = 5\naccount_type = 4", "no such type"),
        (
            'period = "day"\ntracks = ["code_d"]\namount = 5',
            'period = "year"\ntracks = ["code_d"]\ncount = 5',
            "by day",
        ),
        ('currency = "CNY"', 'currency = "CNY"\ndocuments = ["library_card"]', "KeyError"),
        ('currency = "CNY"', 'currency = "CNY"\nexcept_classes = [9]', "no such class"),
        ('currency = "CNY"', 'currency = "CNY"\nraise_wait_hours = 9999', "hours"),
        ('currency = "CNY"', 'currency = "CNY"\nlarge_value = -1', "positive"),
        ("restores = false", "", "KeyError"),
    ],
    ids=[str(number) for number in range(18)],
)
def test_a_pack_that_makes_no_sense_is_refused(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(PackError, match=told):
        read_packs([GOOD.replace(old, new)])


def test_a_stack_has_one_pack_a_day() -> None:
    with pytest.raises(PackError, match="different days"):
        read_packs([GOOD, GOOD])
