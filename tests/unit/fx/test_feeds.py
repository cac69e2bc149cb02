"""The European Central Bank's feeds: read strictly, and every bad row named with its line."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from longmen_server.fxrates.feeds import Sheet, latest, observed_us, parse_feed
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = dt.date(2026, 10, 30)
HEADER = "Date,USD,JPY,CYP,\n"
DAILY = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube>
    <Cube time='2026-10-30'>
      <Cube currency='USD' rate='1.1172'/>
      <Cube currency='JPY' rate='175.68'/>
    </Cube>
  </Cube>
</gesmes:Envelope>
"""


def zipped(text: str, name: str = "eurofxref-hist.csv", times: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text * times)
    return buffer.getvalue()


def problems(content: bytes | str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(Refusal) as told:
        parse_feed(raw, today=TODAY)
    assert told.value.reason == "FX_FEED_INVALID"
    return told.value.metadata["problems"]


def test_the_daily_xml_is_one_sheet() -> None:
    assert parse_feed(DAILY.encode(), today=TODAY) == [
        Sheet(TODAY, {"USD": Decimal("1.1172"), "JPY": Decimal("175.68")})
    ]


@pytest.mark.parametrize("pack", [str.encode, zipped])
def test_the_history_has_gaps_and_columns_that_ended(pack: Callable[[str], bytes]) -> None:
    text = HEADER + "2026-10-30,1.1172,N/A,N/A,\n2007-12-31,1.4721,164.93,0.585274,\n"
    sheets = parse_feed(pack(text), today=TODAY)
    assert [sheet.day for sheet in sheets] == [dt.date(2007, 12, 31), TODAY]
    assert sheets[1].rates == {"USD": Decimal("1.1172")}
    assert list(latest(sheets)) == [
        ("CYP", dt.date(2007, 12, 31), Decimal("0.585274")),
        ("JPY", dt.date(2007, 12, 31), Decimal("164.93")),
        ("USD", TODAY, Decimal("1.1172")),
    ]


def test_rates_are_as_old_as_their_fixing() -> None:
    # 14:15 in Frankfurt is 13:15 UTC in winter and 12:15 in summer.
    for day, hour in ((dt.date(2026, 10, 30), 13), (dt.date(2026, 7, 1), 12)):
        fixed = dt.datetime(day.year, day.month, day.day, hour, 15, tzinfo=dt.UTC)
        assert observed_us(day) == fixed.timestamp() * 1_000_000


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-10-30,0,1,1,", "line 2: USD_not_a_rate_above_zero"),
        ("2026-10-30,-1,1,1,", "line 2: USD_not_a_rate_above_zero"),
        ("2026-10-30,NaN,1,1,", "line 2: USD_not_a_rate_above_zero"),
        ("2026-10-30,1e5,1,1,", "line 2: USD_not_a_rate_above_zero"),
        ("2026-10-30,1,,1,", "line 2: JPY_not_a_rate_above_zero"),
        ("2026-10-31,1,1,1,", "line 2: date_in_future"),
        ("2026-02-30,1,1,1,", "line 2: no_such_day"),
        ("30 October 2026,1,1,1,", "line 2: no_such_day"),
        ("2026-10-30,1,1,", "line 2: wrong_number_of_columns"),
        ("2026-10-30,1,1,1,\n2026-10-30,1,1,1,", "line 3: date_twice"),
        ("2026-10-29,1,1,1,\n2026-10-30,0,1,1,\n,",
         "line 3: USD_not_a_rate_above_zero; line 4: wrong_number_of_columns"),
    ],
)  # fmt: skip
def test_bad_lines_of_a_history_are_named(line: str, problem: str) -> None:
    assert problems(HEADER + line) == problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 0: empty"),
        ("Day,USD\n2026-10-30,1", "line 1: no_date_column"),
        ("Date,usd\n2026-10-30,1", "line 1: unknown_column"),
        ("Date,EUR\n2026-10-30,1", "line 1: unknown_column"),
        ("Date,USD,USD\n2026-10-30,1,1", "line 1: column_twice"),
        ("Date,USD\n2026-10-30,\u0661", "line 2: not_ascii"),
        ("Date,USD\n", "line 0: no_rates"),
        (zipped(HEADER)[:-30], "line 0: zip_damaged"),
        (zipped(HEADER)[:40], "line 0: zip_damaged"),
        (zipped(HEADER, name="rates.txt"), "line 0: zip_without_its_csv"),
        (zipped("0" * 1_000_000, times=17), "line 0: too_large"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_history_is_refused(content: bytes | str, problem: str) -> None:
    assert problems(content) == problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("gesmes:Envelope", "gesmes:Envelop", "line 2: root_is_not_envelope"),
        ("</gesmes:Envelope>", "", "line 11: not_well_formed"),
        ("rate='1.1172'", "rate='0'", "line 6: USD_not_a_rate_above_zero"),
        ("rate='1.1172'", "rate='-1'", "line 6: USD_not_a_rate_above_zero"),
        ("rate='1.1172'", "rate='NaN'", "line 6: USD_not_a_rate_above_zero"),
        ("rate='1.1172'", "", "line 6: USD_not_a_rate_above_zero"),
        ("currency='JPY'", "currency='USD'", "line 7: USD_twice"),
        ("currency='JPY'", "currency='yen'", "line 7: unknown_currency"),
        ("2026-10-30", "2026-10-31", "line 5: date_in_future"),
        ("2026-10-30", "today", "line 5: no_such_day"),
        ("time='2026-10-30'", "time='2026-10-30'/><Cube time='2026-10-29'", "line 5: no_rates"),
        ("<Cube>\n", "<Other>\n", "line 9: not_well_formed"),
    ],
)
def test_bad_parts_of_the_xml_are_named(old: str, new: str, problem: str) -> None:
    assert problems(DAILY.replace(old, new)) == problem


def test_entities_are_never_expanded() -> None:
    bomb = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<Envelope><Cube><Cube time='&b;'/></Cube></Envelope>"""
    assert problems(bomb) == "line 2: doctype_not_allowed"


def test_many_problems_are_counted_and_twenty_told() -> None:
    text = HEADER + "".join(f"2026-10-30,0,1,{n},\n" for n in range(1, 31))
    with pytest.raises(Refusal) as told:
        parse_feed(text.encode(), today=TODAY)
    assert told.value.metadata["problem_count"] == "59"
    assert told.value.metadata["problems"].count("line") == 20
