"""What is counted of subjects: against counting everything, across edges, within its bytes."""

from __future__ import annotations

import random
import statistics

import pytest

from longmen_server.risk.model import SubjectKind
from longmen_server.risk.subjects import Section, Subject, SubjectKey, decode_sections
from longmen_server.risk.velocity import EMPTY, EMPTY_TALLY, TALLY_MAX, WINDOWS, Series, Tally

NOW_S = 1_800_000_000
SPANS = list(WINDOWS.values())
BUCKETS = (10, 60, 600, 3_600, 86_400, 86_400)
"""How much more than itself each window may count."""


def life(seed: int) -> list[tuple[int, int]]:
    """Movements of forty days: bursts, quiet weeks, and the same second twice."""
    chance = random.Random(seed)
    at, movements = NOW_S, []
    while at < NOW_S + 40 * 86_400:
        movements.append((at, chance.randint(1, 10 ** chance.randint(1, 9))))
        at += chance.choice([0, 1, 9, 30, 59, 400, 3_000, 20_000, 90_000, 300_000])
    return movements


@pytest.mark.parametrize("seed", range(6))
def test_a_window_misses_nothing_and_counts_one_bucket_more_at_most(seed: int) -> None:
    series, seen = EMPTY, []
    for index, (at, amount) in enumerate(life(seed)):
        series = series.add(at, amount)
        seen.append((at, amount))
        if index % 7 == 0:
            series = Series.decode(series.encode())
        if index % 5 == 0:
            check(series, seen, at + index)


def check(series: Series, seen: list[tuple[int, int]], now_s: int) -> None:
    for span, bucket, totals in zip(SPANS, BUCKETS, series.windows(now_s), strict=True):
        inside = [amount for at, amount in seen if at > now_s - span]
        around = [amount for at, amount in seen if at > now_s - span - bucket]
        assert len(inside) <= totals.count <= len(around)
        assert sum(inside) <= totals.sum <= sum(around)
        if inside:
            assert totals.most >= max(inside)
            assert totals.least <= min(inside)
        if inside == around and inside:
            assert (totals.least, totals.most) == (min(inside), max(inside))
            assert totals.mean == pytest.approx(statistics.fmean(inside))
            assert totals.deviation == pytest.approx(
                statistics.pstdev(inside), rel=1e-3, abs=1e-2 * max(inside)
            )


def test_what_is_long_over_is_forgotten() -> None:
    series = EMPTY.add(NOW_S, 5).add(NOW_S + 100, 7)
    assert not series.is_empty
    later = series.at(NOW_S + 40 * 86_400)
    assert later.is_empty
    assert [totals.count for totals in later.windows(NOW_S + 40 * 86_400)] == [0] * 6
    assert later.encode() == b""


def test_a_busy_payer_takes_less_than_a_kilobyte() -> None:
    """Three payments a day for a month, the last day one an hour."""
    payer = Subject(SubjectKey(SubjectKind.PARTY, bytes(16)))
    at = NOW_S
    for day in range(31):
        for hour in range(24 if day == 30 else 3):
            at = NOW_S + day * 86_400 + hour * 3_600
            payer.add(Section.OUT, at, 100_000 + hour)
            payer.note(Section.PAYEES, at, random.Random(day).randbytes(16))
    assert len(payer.encode()) <= 1_024


def test_nothing_that_happens_makes_a_state_large() -> None:
    """A merchant of ten thousand sales a day, all at other times and of other amounts."""
    series, chance = EMPTY, random.Random(1)
    for at in range(NOW_S, NOW_S + 35 * 86_400, 300):
        series = series.add(at, chance.randint(1, 2**40))
    assert len(series.encode()) <= 4_096


@pytest.mark.parametrize("back_s", [1, 9, 30, 61])
def test_a_clock_that_steps_back_loses_nothing(back_s: int) -> None:
    series = EMPTY.add(NOW_S, 5).add(NOW_S - back_s, 7)
    month = series.windows(NOW_S)[-1]
    assert (month.count, month.sum) == (2, 12)


def test_sums_stay_within_a_row() -> None:
    series = EMPTY
    for _ in range(5):
        series = series.add(NOW_S, 2**62)
    assert Series.decode(series.encode()).windows(NOW_S)[0].sum == 2**63 - 1


def test_a_tally_tells_apart_up_to_its_size() -> None:
    chance = random.Random(3)
    people = [chance.randbytes(16) for _ in range(TALLY_MAX + 5)]
    tally = EMPTY_TALLY
    for count, who in enumerate(people, start=1):
        tally = tally.note(NOW_S + count, who).note(NOW_S + count, who)
        assert tally.windows(NOW_S + count)[-1] == min(count, TALLY_MAX)
    assert Tally.decode(tally.encode()).windows(NOW_S + 29) == tally.windows(NOW_S + 29)
    assert tally.knows(NOW_S + 29, people[-1])
    assert not tally.knows(NOW_S + 29, people[0]), "the one met longest ago goes first"


def test_a_tally_forgets_by_time() -> None:
    tally = EMPTY_TALLY.note(NOW_S, b"a" * 16).note(NOW_S + 3_000, b"b" * 16)
    assert tally.windows(NOW_S + 3_001) == [1, 1, 2, 2, 2, 2]
    assert tally.windows(NOW_S + 31 * 86_400) == [0] * 6


def test_labels_count_by_the_day_of_the_movement() -> None:
    series = EMPTY.mark(NOW_S, 10).mark(NOW_S + 3 * 86_400, 20)
    first = NOW_S - NOW_S % 86_400
    assert series.days(first, first).count == 1
    assert series.days(first, first + 3 * 86_400).count == 2


@pytest.mark.parametrize("state", [b"", b"\x02", b"\x01\x01\x09\x00ab"])
def test_a_broken_state_is_told(state: bytes) -> None:
    with pytest.raises(ValueError, match="subject"):
        decode_sections(state)


@pytest.mark.parametrize("data", [b"\x01", b"\x01\x00\x00\x00\x00\x09\x00\x00", b"\xff" * 40])
def test_a_broken_series_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="series"):
        Series.decode(data)


def test_sections_that_nobody_reads_stay_as_they_are() -> None:
    subject = Subject(SubjectKey(SubjectKind.PARTY, bytes(16)))
    subject.add(Section.IN, NOW_S, 3)
    kept = decode_sections(subject.encode())
    again = Subject(subject.key, 0, kept)
    again.add(Section.OUT, NOW_S, 4)
    read = Subject(subject.key, 0, decode_sections(again.encode()))
    assert read.series(Section.IN).windows(NOW_S)[0].sum == 3
    assert read.series(Section.OUT).windows(NOW_S)[0].sum == 4
