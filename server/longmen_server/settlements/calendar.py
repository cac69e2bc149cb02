"""The institution's calendar, as data: business dates, when they end, and working days."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from longmen_server.platform.clock import from_microseconds, to_microseconds

__all__ = ["CALENDAR", "Calendar", "read_calendar"]

DAY: Final = dt.timedelta(days=1)
DAY_MINUTES: Final = 1440
DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days the institution works on, and when its business date ends."""

    zone: ZoneInfo
    cut_off: dt.timedelta
    """From local midnight to the end of the business date; 24 hours is the next midnight."""
    weekend: frozenset[int]
    """Weekdays that are free, Monday being 0."""
    holidays: frozenset[dt.date]
    worked: frozenset[dt.date]
    """Days that are worked though they would be free."""
    years: frozenset[int]
    """Years whose notice is known: others go by the weekday, and by the law's own holidays."""

    def end_us(self, day: dt.date) -> int:
        """Return when a business date ends, in microseconds; that moment is of the next one."""
        midnight = dt.datetime.combine(day, dt.time())
        return to_microseconds((midnight + self.cut_off).replace(tzinfo=self.zone))

    def midnight_us(self, day: dt.date) -> int:
        """Return when a calendar day ends at midnight, whatever the cut-off, in microseconds."""
        following = dt.datetime.combine(day + DAY, dt.time(), tzinfo=self.zone)
        return to_microseconds(following)

    def date_of(self, at_us: int) -> dt.date:
        """Return the business date of a moment."""
        day = from_microseconds(at_us).astimezone(self.zone).date()
        # The cut-off may lie before or after midnight by less than a day.
        while at_us >= self.end_us(day):
            day += DAY
        while at_us < self.end_us(day - DAY):
            day -= DAY
        return day

    def is_worked(self, day: dt.date) -> bool:
        """Whether the institution works on a day."""
        if day in self.worked:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays

    def lacks_year_after(self, day: dt.date) -> int | None:
        """Return the next year where its notice should be known by a day and is not, else None.

        The notice is out in the autumn; from December on days of the next year are counted to.
        """
        following = day.year + 1
        return following if day.month == DECEMBER and following not in self.years else None

    def after(self, day: dt.date, working_days: int) -> dt.date:
        """Return the day that lies so many working days after another: the n of T+n.

        T+0 is the day itself where it is worked, else the next that is.
        """
        while not self.is_worked(day):
            day += DAY
        for _ in range(working_days):
            day += DAY
            while not self.is_worked(day):
                day += DAY
        return day


def read_calendar(path: Path) -> Calendar:
    """Read a calendar; a malformed one raises ValueError or KeyError at start."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    minutes = document["cut_off_minutes"]
    if not 0 < minutes < 2 * DAY_MINUTES:
        raise ValueError(f"{path}: cut_off_minutes is {minutes}, not within two days")
    years = frozenset(year["year"] for year in document["year"])
    # A notice takes the place of what the law says of its year: it may move a day.
    lawful = [year for year in document.get("lawful", ()) if year["year"] not in years]
    holidays = [
        first + DAY * offset
        for year in (*document["year"], *lawful)
        for first, last in year["holidays"]
        for offset in range((last - first).days + 1)
    ]
    return Calendar(
        zone=ZoneInfo(document["zone"]),
        cut_off=dt.timedelta(minutes=minutes),
        weekend=frozenset(document["weekend"]),
        holidays=frozenset(holidays),
        worked=frozenset(day for year in document["year"] for day in year["worked"]),
        years=years,
    )


CALENDAR: Final = read_calendar(Path(__file__).with_name("calendar.toml"))
