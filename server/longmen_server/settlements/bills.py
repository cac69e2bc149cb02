"""Bills: a merchant's movements of a business date as a file whose lines prove each other.

Every line ends with a hash over itself and the line before, so that a line that is missing or
changed shows in all that follow.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen_server.ledger.codes import PostingCode
from longmen_server.platform.clock import from_microseconds
from longmen_server.platform.ids import ORDER, encode_posting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from longmen_server.settlements.queries import BillEntry

__all__ = ["COLUMNS", "Bill", "line_type"]

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
"""docs/merchants.md says what each means."""

_TYPES: Final[dict[tuple[int, bool], str]] = {
    (PostingCode.PURCHASE, False): "SALE",
    (PostingCode.REFUND, True): "REFUND",
    (PostingCode.TIP, False): "TIP",
    (PostingCode.TIP_REFUND, True): "TIP_REFUND",
    (PostingCode.MERCHANT_FEE, True): "FEE",
    (PostingCode.FEE_RETURN, False): "FEE_RETURN",
    (PostingCode.SETTLEMENT, True): "SETTLEMENT",
    (PostingCode.PAYOUT_RETURN, False): "PAYOUT_RETURN",
    (PostingCode.SHARE_HELD, True): "SHARE_HELD",
    (PostingCode.SHARE_RELEASED, False): "SHARE_RELEASED",
    (PostingCode.SHARE, False): "SHARE",
    (PostingCode.SHARE_RETURN, True): "SHARE_GIVEN_BACK",
    (PostingCode.SHARE_RETURN, False): "SHARE_RETURN",
}
OTHER: Final = "OTHER"
TYPES: Final = (*_TYPES.values(), OTHER)
"""In the order of the totals."""

_GZIP: Final = 31
"""zlib's number for the gzip format with its largest window; its header has no time in it."""


def line_type(entry: BillEntry) -> str:
    """Return what a movement is called on a bill."""
    return _TYPES.get((entry.code, entry.is_debit), OTHER)


class Bill:
    """One bill as it is written, piece by piece."""

    def __init__(self, currency_code: str, zone: ZoneInfo) -> None:
        """Take the currency of the merchant's account and the zone of the times."""
        self._currency_code = currency_code
        self._zone = zone
        self._gzip = zlib.compressobj(wbits=_GZIP)
        self._hash = b""
        self._lines = 0
        self._counts: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._balance: int | None = None

    def begin(self) -> bytes:
        """Return the first piece: the names of the columns."""
        return self._gzip.compress(self._text([COLUMNS]))

    def add(self, entries: Iterable[BillEntry]) -> bytes:
        """Return the piece that has more lines; it may be empty while they are compressed."""
        return self._gzip.compress(self._text([self._line(entry) for entry in entries]))

    def end(self) -> bytes:
        """Return the last piece: the totals of each type and of all."""
        totals = [self._total(f"TOTAL_{kind}", kind) for kind in TYPES]
        whole = self._sealed(
            [
                str(self._lines),
                "",
                "TOTAL",
                "",
                "",
                "",
                "",
                str(sum(self._sums.values())),
                self._currency_code,
                "" if self._balance is None else str(self._balance),
            ]
        )
        return self._gzip.compress(self._text([*totals, whole])) + self._gzip.flush()

    def _line(self, entry: BillEntry) -> Sequence[str]:
        kind = line_type(entry)
        signed = -entry.amount if entry.is_debit else entry.amount
        self._lines += 1
        self._counts[kind] += 1
        self._sums[kind] += signed
        self._balance = entry.balance
        return self._sealed(
            [
                str(self._lines),
                self._time(entry.booked_at_us),
                kind,
                entry.reference or "",
                entry.refund_number or "",
                "" if entry.order_id is None else ORDER.encode(entry.order_id),
                encode_posting(entry.transaction_id, entry.ordinal),
                str(signed),
                self._currency_code,
                str(entry.balance),
            ]
        )

    def _total(self, name: str, kind: str) -> Sequence[str]:
        return self._sealed(
            [
                str(self._counts[kind]),
                "",
                name,
                "",
                "",
                "",
                "",
                str(self._sums[kind]),
                self._currency_code,
                "",
            ]
        )

    def _sealed(self, fields: list[str]) -> list[str]:
        content = "\x1f".join(fields).encode()
        self._hash = sha256(self._hash + content).digest()
        return [*fields, self._hash.hex()]

    def _time(self, at_us: int) -> str:
        at = from_microseconds(at_us).astimezone(self._zone)
        return at.isoformat(timespec="microseconds")

    @staticmethod
    def _text(rows: Sequence[Sequence[str]]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\r\n").writerows(rows)
        return buffer.getvalue().encode()
