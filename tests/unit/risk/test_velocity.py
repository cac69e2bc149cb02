"""What is counted of subjects: against counting everything, across edges, within its bytes."""

from __future__ import annotations

import base64
import random
import statistics

import pytest

from longmen_server.risk.model import SubjectKind
from longmen_server.risk.scene import reference_amount
from longmen_server.risk.subjects import (
    FORMAT,
    Section,
    Subject,
    SubjectKey,
    check_state,
    decode_sections,
)
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
    assert series.days(NOW_S, first, first) == 1
    assert series.days(NOW_S + 3 * 86_400, first, first + 3 * 86_400) == 2


@pytest.mark.parametrize("state", [b"", b"\x03", b"\x02\x01\x09\x00ab", b"\x02\x01"])
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


FIRST_FORMAT = base64.b85decode(
    "0Rg800RR9282|tR0(?7yYtZL`YXJFAYXATM0RjaE2MP-e4Gt0&7#bTK9UdPbAtECr0s;d80R;g92n+)O1Oo;J0|N"
    "m80S5vJ1p)^M0ssKF0RR9d+9Lok0RaH+fd~LJ9tZ%Wpa1~9?EnBzTBrchYN-GSfffLx0{{Rb(uDx;0ssIU35WpS9"
    "5Mib;4T0!DjNU-0000x1_1!V^Z)=Wzdrz{@C5+NZb$&ZN(KOr8Vvx??dkvp0002I0002;od5s|0000f1ONa80000"
    "A000040000(0000}0001O3jhED0000J000060000X0002B6#xJN000030000&00005000030ssK}0002L7a{;{E("
    "ZXV=>PyR+l&Cs(3Su$&<z0kherU)0RRB3Rb>Fh-Z20v;4T3DDH{M&QXc^F+64fJvqAt);RFCp8Vvw?g@FJ-gn>wa"
    "6u?IifRR)h9#K*ZFjY?|>z!7#P_tIQDuq*Pr3zL+q<%>6NiS9laT`@IRS8v)csNwZu&-1xDhX0x<cn1u1kF)~t}9"
    "bvSkhJszyNz}7}-pN$jcoLx(==cPZjIiG0cnt^s^=l4~J+jUzM3Ov;Rj})ei@|t0$cAM8H?55dgbR%HFo&#tMJdM"
    "Be5OF2ux0EXO1-b30b{H>6(S<TnaovPjH7h_5Il)L8Dtduu7iduvG)d}~q^d}~t_d}~w`d~4)$eQN@AeQP~*eQRC"
    "9eQRC9eQWI@e{1d`e`|h$fNPwAfNQ0JfNQ0JfNNcifNOh=fNQpmfNMtWfoo*#fop_2f@_33f@="
)
"""A state as the first format had it: 107 movements of 43 days, and as many payees."""
FIRST_FORMAT_S = NOW_S + 3_697_028
"""When the last of them was made."""


def test_a_state_in_the_first_format_goes_on() -> None:
    subject = Subject(SubjectKey(SubjectKind.PARTY, bytes(16)), 0, decode_sections(FIRST_FORMAT))
    for _ in range(2):
        windows = subject.series(Section.OUT).windows(FIRST_FORMAT_S + 5)
        assert [(each.count, each.sum, each.least, each.most) for each in windows] == [
            (2, 520, 5, 515),
            (2, 520, 5, 515),
            (2, 520, 5, 515),
            (4, 959, 5, 515),
            (36, 25_982_331, 2, 8_488_314),
            (88, 75_546_626, 2, 9_883_853),
        ]
        assert subject.tally(Section.PAYEES).windows(FIRST_FORMAT_S + 5) == [2, 2, 2, 4, 24, 24]
        again = subject.encode()
        assert again[0] == FORMAT
        assert len(again) <= 1_024
        subject = Subject(subject.key, 0, decode_sections(again))
    subject.add(Section.OUT, FIRST_FORMAT_S + 5, 480)
    assert subject.series(Section.OUT).windows(FIRST_FORMAT_S + 5)[0].sum == 1_000
    assert check_state(subject.encode())["OUT"] == check_state(FIRST_FORMAT)["OUT"] + 1


@pytest.mark.parametrize("length", [4, 13, 100])
def test_a_broken_state_in_the_first_format_is_told(length: int) -> None:
    series = FIRST_FORMAT[4 : 4 + length]
    with pytest.raises(ValueError, match="series"):
        decode_sections(b"\x01\x01" + len(series).to_bytes(2, "little") + series)


def test_late_and_early_movements_keep_their_order() -> None:
    """A clock that jumps by hours, and back: nothing is lost, however far a byte can tell."""
    series, sums = EMPTY, 0
    for step, amount in ((0, 5), (-7_200, 7), (-7_300, 8), (60, 70_000), (-9_000, 3), (61, 2**40)):
        series = Series.decode(series.add(NOW_S + step, amount).encode())
        sums += amount
        assert series.windows(NOW_S + 61)[-1].sum == sums


@pytest.mark.parametrize("code", ["CNY", "USD", "KWD", "XPF", "BHD"])
def test_no_amount_is_too_large_to_be_counted_in_reference_units(code: str) -> None:
    most = 2**63 - 1
    worth = reference_amount(most, code, "CNY", {"USD": 14, "KWD": 42})
    assert most // 100 < worth <= most
