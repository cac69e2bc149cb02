"""The institution's calendar: ends of business dates, and T+n over weekends and holidays."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from longmen_server.platform.clock import to_microseconds
from longmen_server.settlements.calendar import CALENDAR, read_calendar
from longmen_server.settlements.model import payout

if TYPE_CHECKING:
    from pathlib import Path

day = dt.date.fromisoformat


def at(text: str) -> int:
    return to_microseconds(dt.datetime.fromisoformat(f"{text}+08:00"))


@pytest.mark.parametrize(
    ("begin", "days", "expected"),
    [
        ("2026-03-02", 1, "2026-03-03"),
        ("2026-03-06", 1, "2026-03-09"),  # a Friday
        ("2026-03-07", 0, "2026-03-09"),  # a Saturday
        ("2026-03-07", 1, "2026-03-10"),
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", 1, "2026-02-24"),  # Spring Festival
        ("2026-09-30", 1, "2026-10-08"),  # the week of the National Day
        ("2026-10-09", 1, "2026-10-10"),
        ("2025-09-30", 1, "2025-10-09"),  # eight days, with Mid-Autumn
        ("2025-10-10", 1, "2025-10-11"),  # a Saturday that is worked
        ("2027-02-04", 1, "2027-02-09"),  # no notice yet: by the law, Spring Festival
        ("2027-09-14", 1, "2027-09-16"),  # Mid-Autumn
        ("2028-09-29", 1, "2028-10-04"),  # a weekend into the National Day
        ("2031-01-31", 1, "2031-02-03"),  # a year beyond: by the weekday
    ],
)
def test_working_days_are_counted_by_the_calendar(begin: str, days: int, expected: str) -> None:
    assert CALENDAR.after(day(begin), days) == day(expected)


def test_a_business_date_ends_at_the_cut_off() -> None:
    assert CALENDAR.date_of(at("2026-03-02T23:59:59.999999")) == day("2026-03-02")
    assert CALENDAR.date_of(at("2026-03-03T00:00:00")) == day("2026-03-03")
    early = replace(CALENDAR, cut_off=dt.timedelta(hours=22))
    assert early.date_of(at("2026-03-02T21:59:59")) == day("2026-03-02")
    assert early.date_of(at("2026-03-02T22:00:00")) == day("2026-03-03")
    late = replace(CALENDAR, cut_off=dt.timedelta(hours=26))
    assert late.date_of(at("2026-03-03T01:59:59")) == day("2026-03-02")
    for calendar in (CALENDAR, early, late):
        end_us = calendar.end_us(day("2026-03-02"))
        assert calendar.date_of(end_us - 1) == day("2026-03-02")
        assert calendar.date_of(end_us) == day("2026-03-03")


def test_a_year_that_is_missing_is_told_in_time() -> None:
    assert CALENDAR.lacks_year_after(day("2025-12-31")) is None
    assert CALENDAR.lacks_year_after(day("2026-11-30")) is None
    assert CALENDAR.lacks_year_after(day("2026-12-01")) == 2027


def test_a_notice_takes_the_place_of_the_law(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    lawful = "[[lawful]]\nyear = 2027\nholidays = [[2027-01-01, 2027-01-01]]\n"
    notice = "[[year]]\nyear = 2027\nholidays = [[2027-01-04, 2027-01-04]]\nworked = []\n"
    head = 'cut_off_minutes = 1440\nzone = "UTC"\nweekend = [5, 6]\n'
    path.write_text(head + "year = []\n" + lawful)
    assert not read_calendar(path).is_worked(day("2027-01-01"))
    path.write_text(head + notice + lawful)
    noticed = read_calendar(path)
    assert noticed.is_worked(day("2027-01-01"))
    assert not noticed.is_worked(day("2027-01-04"))


def test_a_cut_off_beyond_two_days_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    path.write_text('cut_off_minutes = 2880\nzone = "UTC"\nweekend = []\nyear = []\n')
    with pytest.raises(ValueError, match="cut_off_minutes"):
        read_calendar(path)


@pytest.mark.parametrize(
    ("carried", "net", "available", "paid"),
    [
        (0, 100, 100, 100),
        (0, 100, 60, 60),  # refunds since
        (-30, 100, 70, 70),
        (-130, 100, 0, 0),
        (20, -50, 0, 0),
        (0, 100, -5, 0),
    ],
)
def test_what_is_paid_out_is_owed_and_there(
    carried: int, net: int, available: int, paid: int
) -> None:
    assert payout(carried, net, available) == paid
