"""Reads the European Central Bank's feeds: strictly, whole or not at all, each bad row named.

Formats: the daily XML (`Envelope/Cube/Cube[@time]/Cube[@currency,@rate]`) and the history, a CSV
whose first column is the date and which has one column per currency, `N/A` where there was no
rate; or a ZIP with that CSV alone in it. Columns of currencies that no longer exist are kept:
they are history. docs/fx.md describes what is refused.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat
from zoneinfo import ZoneInfo

from longmen_server.fx.model import BASE, parse_rate
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

__all__ = ["Sheet", "parse_feed"]

CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
GAP: Final = "N/A"
ZIP_MAGIC: Final = b"PK"
FIXING_TIME: Final = dt.time(14, 15)
"""When the rates of a day are fixed, in Frankfurt."""
FRANKFURT: Final = ZoneInfo("Europe/Berlin")
PLAIN_BYTES_MAX: Final = 16 * 1024 * 1024
"""Largest history after unpacking; 27 years are 2 MB."""
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What reading a damaged, encrypted or exotic archive raises."""
PROBLEMS_MAX: Final = 20
"""Problems told in one refusal."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rates of one day, in units per unit of the base."""

    day: dt.date
    rates: Mapping[str, Decimal]


class _FeedError(Exception):
    """The feed as a whole cannot be read."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem, line)
        self.problem = problem
        self.line = line


def parse_feed(content: bytes, *, today: dt.date) -> list[Sheet]:
    """Return the sheets of a feed, oldest first.

    Args:
        content: XML, CSV or ZIP; told apart by how it begins.
        today: the last day that may have rates.

    Raises:
        Refusal: FX_FEED_INVALID with every problem found, up to twenty.
    """
    try:
        if content.startswith(ZIP_MAGIC):
            content = _unzip(content)
        is_xml = content.lstrip().startswith(b"<")
        sheets, problems = _Xml(content).read() if is_xml else _read_csv(content)
    except _FeedError as error:
        raise _invalid([(error.line, error.problem)]) from error
    seen: set[dt.date] = set()
    for line, sheet in sheets:
        if sheet.day > today:
            problems.append((line, "date_in_future"))
        if sheet.day in seen:
            problems.append((line, "date_twice"))
        seen.add(sheet.day)
    if problems:
        raise _invalid(sorted(problems))
    if not sheets:
        raise _invalid([(0, "no_rates")])
    return sorted((sheet for _, sheet in sheets), key=lambda sheet: sheet.day)


def _invalid(problems: list[tuple[int, str]]) -> Refusal:
    told = "; ".join(f"line {line}: {problem}" for line, problem in problems[:PROBLEMS_MAX])
    return Refusal(
        "FX_FEED_INVALID",
        "the feed cannot be read whole, so nothing of it was taken",
        metadata={"problems": told, "problem_count": str(len(problems))},
        field="content",
    )


def _unzip(content: bytes) -> bytes:
    """Return the one file of an archive, if it is whole and not too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) != 1 or not entries[0].filename.endswith(".csv"):
                raise _FeedError("zip_without_its_csv")
            with archive.open(entries[0]) as file:
                # The size an archive tells of itself is not to be believed.
                plain = file.read(PLAIN_BYTES_MAX + 1)
    except UNREADABLE as error:
        raise _FeedError("zip_damaged") from error
    if len(plain) > PLAIN_BYTES_MAX:
        raise _FeedError("too_large")
    return plain


def _day(text: str) -> dt.date | None:
    if DAY.fullmatch(text) is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


Found = tuple[list[tuple[int, Sheet]], list[tuple[int, str]]]
"""Sheets and problems, each with the line it stands on."""


def _read_csv(content: bytes) -> Found:
    """Read a history; raises when there is none."""
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        raise _FeedError("not_ascii", content.count(b"\n", 0, error.start) + 1) from error
    if not lines:
        raise _FeedError("empty")
    header = [cell.strip() for cell in lines[0].split(",")]
    # The bank ends every line with a comma.
    codes = header[1:-1] if header[-1] == "" else header[1:]
    if header[0] != "Date" or not codes:
        raise _FeedError("no_date_column", 1)
    for code in codes:
        if CURRENCY.fullmatch(code) is None or code == BASE:
            raise _FeedError("unknown_column", 1)
    if len(set(codes)) != len(codes):
        raise _FeedError("column_twice", 1)
    sheets: list[tuple[int, Sheet]] = []
    problems: list[tuple[int, str]] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line.split(",")]
        day = _day(cells[0])
        if len(cells) != len(header):
            problems.append((number, "wrong_number_of_columns"))
        elif day is None:
            problems.append((number, "no_such_day"))
        else:
            rates, wrong = _cells(codes, cells[1:])
            problems.extend((number, f"{code}_not_a_rate_above_zero") for code in wrong)
            sheets.append((number, Sheet(day, rates)))
    return sheets, problems


def _cells(codes: list[str], cells: list[str]) -> tuple[dict[str, Decimal], list[str]]:
    """Return the rates of a line, and the codes of those that are none."""
    rates: dict[str, Decimal] = {}
    wrong: list[str] = []
    for code, cell in zip(codes, cells, strict=False):
        if cell == GAP:
            continue
        rate = parse_rate(cell)
        if rate is None:
            wrong.append(code)
        else:
            rates[code] = rate
    return rates, wrong


class _Xml:
    """One reading of an XML feed. No entity is ever expanded: declaring one ends the reading."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.path: list[str] = []
        self.sheets: list[tuple[int, Sheet]] = []
        self.problems: list[tuple[int, str]] = []
        self.rates: dict[str, Decimal] | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    @property
    def line(self) -> int:
        """Where the reading is."""
        return self.parser.CurrentLineNumber

    def read(self) -> Found:
        """Read it all; raises when it is not well-formed or something else."""
        try:
            self.parser.Parse(self.content, True)
        except expat.ExpatError as error:
            raise _FeedError("not_well_formed", error.lineno) from error
        return self.sheets, self.problems

    def doctype(self, *_: object) -> None:
        """Refuse what could declare entities."""
        raise _FeedError("doctype_not_allowed", self.line)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take a day or a rate."""
        local = name.rpartition(" ")[2]
        self.path.append(local)
        if len(self.path) == 1 and local != "Envelope":
            raise _FeedError("root_is_not_envelope", self.line)
        if self.path[1:] == ["Cube", "Cube"]:
            self.start_day(attributes)
        elif self.path[1:] == ["Cube", "Cube", "Cube"] and self.rates is not None:
            self.take_rate(attributes)

    def start_day(self, attributes: dict[str, str]) -> None:
        """Begin a sheet."""
        day = _day(attributes.get("time", ""))
        self.rates = {}
        if day is None:
            self.problems.append((self.line, "no_such_day"))
        else:
            self.sheets.append((self.line, Sheet(day, self.rates)))

    def take_rate(self, attributes: dict[str, str]) -> None:
        """Add a rate to the sheet, or a problem."""
        assert self.rates is not None, "a rate stands in a sheet"
        code, rate = attributes.get("currency", ""), parse_rate(attributes.get("rate", ""))
        if CURRENCY.fullmatch(code) is None or code == BASE:
            self.problems.append((self.line, "unknown_currency"))
        elif rate is None:
            self.problems.append((self.line, f"{code}_not_a_rate_above_zero"))
        elif code in self.rates:
            self.problems.append((self.line, f"{code}_twice"))
        else:
            self.rates[code] = rate

    def end(self, _: str) -> None:
        """Leave an element; a sheet without rates is a problem."""
        if self.path[1:] == ["Cube", "Cube"]:
            if not self.rates:
                self.problems.append((self.line, "no_rates"))
            self.rates = None
        self.path.pop()


def observed_us(day: dt.date) -> int:
    """Return when a day's rates were fixed, in microseconds since 1970 UTC."""
    at = dt.datetime.combine(day, FIXING_TIME, tzinfo=FRANKFURT)
    return int(at.timestamp()) * 1_000_000


def latest(sheets: Iterable[Sheet]) -> Iterator[tuple[str, dt.date, Decimal]]:
    """Return the newest rate of each currency with its day: gaps carry the rate before forward."""
    newest: dict[str, tuple[dt.date, Decimal]] = {}
    for sheet in sheets:
        for code, rate in sheet.rates.items():
            newest[code] = (sheet.day, rate)
    for code in sorted(newest):
        yield code, *newest[code]
