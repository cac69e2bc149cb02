from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.platform.clock import (
    ClockMovesBackError,
    OffsetClock,
    SystemClock,
    business_date,
    from_microseconds,
    to_microseconds,
)

if TYPE_CHECKING:
    from pathlib import Path

HOUR_US = 3_600_000_000


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_instants_convert_both_ways_exactly(at: dt.datetime) -> None:
    assert from_microseconds(to_microseconds(at)) == at


def test_a_naive_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_microseconds(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_the_business_day_turns_at_midnight_in_the_books_zone() -> None:
    last = to_microseconds(dt.datetime(2026, 6, 30, 15, 59, 59, 999_999, tzinfo=dt.UTC))
    assert business_date(last) == dt.date(2026, 6, 30)
    assert business_date(last + 1) == dt.date(2026, 7, 1)
    assert business_date(last + 1, ZoneInfo("UTC")) == dt.date(2026, 6, 30)


def test_the_system_clock_tells_the_machines_time() -> None:
    clock = SystemClock()
    before = dt.datetime.now(dt.UTC)  # noqa: TID251 - compared with
    shown = clock.now()
    assert before - dt.timedelta(milliseconds=1) <= shown
    assert shown <= dt.datetime.now(dt.UTC)  # noqa: TID251 - compared with
    assert not clock.settable


def test_a_set_clock_moves_every_reader_of_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    one, other = OffsetClock(path), OffsetClock(path)
    target = one.now_us() + 30 * 24 * HOUR_US
    one.set_us(target)
    assert target <= other.now_us() < target + HOUR_US
    one.close()
    other.close()


def test_a_set_clock_is_seen_by_another_process_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = OffsetClock(path)
    target = clock.now_us() + 400 * 24 * HOUR_US
    clock.set_us(target)
    clock.close()
    program = (
        "import sys; from pathlib import Path;"
        "from longmen_server.platform.clock import OffsetClock;"
        "print(OffsetClock(Path(sys.argv[1])).now_us())"
    )
    shown = subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=True)
    assert target <= int(shown.stdout) < target + HOUR_US


def test_a_clock_does_not_move_back(tmp_path: Path) -> None:
    clock = OffsetClock(tmp_path / "clock")
    clock.set_us(clock.now_us() + HOUR_US)
    shown = clock.now_us()
    with pytest.raises(ClockMovesBackError) as caught:
        clock.set_us(shown - HOUR_US)
    assert shown <= caught.value.now_us <= clock.now_us()
    clock.close()
