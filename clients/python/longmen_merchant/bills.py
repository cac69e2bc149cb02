"""Reading bills: every line is proven by the hash at its end, and the totals by the lines.

    bill = read_bill(content)
    print(bill.sums["SALE"], bill.net)

A bill is what `SettlementsService.DownloadBill` sends, joined: CSV, compressed by gzip. Amounts are
minor units, as everywhere.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Bill", "BillError", "BillLine", "read_bill"]

COLUMNS: Final = (
    "line",
    "time",
    "type",
    "order_number",
    "refund_number",
    "order_id",
    "posting_id",
    "amount_minor_units",
    "currency_code",
    "balance_minor_units",
    "hash",
)
_GZIP: Final = 31
"""zlib's number for the gzip format."""
_TOTAL: Final = "TOTAL"


class BillError(ValueError):
    """A bill is not what the bank sent, or not all of it.

    Attributes:
        reason: Why, in a word: not_a_bill, hash_wrong, number_wrong, total_wrong or cut_off.
        line: The line of the file it was found in, the one with the columns' names being 1; 0 for
            the file as a whole.
    """

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"{reason} in line {line}" if line else reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class BillLine:
    """One movement of the merchant's account."""

    number: int
    """From 1."""
    time: str
    """When it was booked, ISO 8601 with the institution's offset."""
    type: str
    """SALE, REFUND, FEE, FEE_RETURN, SETTLEMENT or OTHER."""
    order_number: str
    refund_number: str
    order_id: str
    posting_id: str
    minor_units: int
    """Below zero where the merchant paid it."""
    currency_code: str
    balance_minor_units: int
    """What the bank owed after it."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A whole bill, proven."""

    lines: tuple[BillLine, ...]
    counts: Mapping[str, int]
    """Lines by type."""
    sums: Mapping[str, int]
    """Minor units by type, with their signs."""
    currency_code: str
    digest: str
    """Hash of the last line, in lower-case hexadecimal: it stands for the whole bill."""

    @property
    def net(self) -> int:
        """What the movements came to in all, in minor units."""
        return sum(self.sums.values())


def read_bill(content: bytes) -> Bill:
    """Return a bill whose every line and total is right.

    Args:
        content: the whole file, as it was sent.

    Raises:
        BillError: it is not to be believed.
    """
    rows = list(csv.reader(io.StringIO(_unpacked(content), newline="")))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise BillError("not_a_bill")
    digest, lines = b"", list[BillLine]()
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for place, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS):
            raise BillError("not_a_bill", place)
        digest = sha256(digest + "\x1f".join(row[:-1]).encode()).digest()
        if row[-1] != digest.hex():
            raise BillError("hash_wrong", place)
        if row[2].startswith(_TOTAL):
            _check_total(row, place, counts, sums)
            if row[2] == _TOTAL:
                if place != len(rows):
                    raise BillError("not_a_bill", place + 1)
                return Bill(tuple(lines), dict(counts), dict(sums), row[8], digest.hex())
            continue
        line = _line(row, place)
        if line.number != len(lines) + 1:
            raise BillError("number_wrong", place)
        lines.append(line)
        counts[line.type] += 1
        sums[line.type] += line.minor_units
    raise BillError("cut_off")


def _unpacked(content: bytes) -> str:
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        text = (unpacker.decompress(content) + unpacker.flush()).decode()
    except (zlib.error, UnicodeDecodeError):
        raise BillError("not_a_bill") from None
    if not unpacker.eof:
        raise BillError("cut_off")
    return text


def _line(row: Sequence[str], place: int) -> BillLine:
    number, amount, balance = (_whole(row[column], place) for column in (0, 7, 9))
    time, kind, order_number, refund_number, order_id, posting_id = row[1:7]
    return BillLine(
        number=number,
        time=time,
        type=kind,
        order_number=order_number,
        refund_number=refund_number,
        order_id=order_id,
        posting_id=posting_id,
        minor_units=amount,
        currency_code=row[8],
        balance_minor_units=balance,
    )


def _check_total(
    row: Sequence[str], place: int, counts: Mapping[str, int], sums: Mapping[str, int]
) -> None:
    kind = row[2].removeprefix(_TOTAL).removeprefix("_")
    found = (_whole(row[0], place), _whole(row[7], place))
    expected = (
        (counts.get(kind, 0), sums.get(kind, 0))
        if kind
        else (sum(counts.values()), sum(sums.values()))
    )
    if found != expected:
        raise BillError("total_wrong", place)


def _whole(text: str, place: int) -> int:
    try:
        return int(text)
    except ValueError:
        raise BillError("not_a_bill", place) from None
