"""What a till sells without a network, in a file that survives a power loss.

Every sale is signed with the till's own key and on the disk before the goods are handed over; what
the bank answered stands beside it. One process uses a store at a time.

Needs the package cryptography (`pip install longmen-client[signing]`).
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from longmen.payments.v1 import offline_pb2
from longmen_client.device_key import DeviceKey
from longmen_client.ids import new_request_id
from longmen_client.money import Money
from longmen_merchant.journal import TRACES, today

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

__all__ = ["Forwarded", "OfflineError", "OfflineSale", "OfflineStore", "StoreTerms"]

CODE_DIGITS: Final = 18
_OURS: Final = "8"
_EMV_TAG: Final = b"\x5a\x09"
"""Of the number in EMV's consumer-presented form, nine bytes of two digits each."""

_SCHEMA: Final = """
create table if not exists terms (
    terminal_id text not null, key_id text not null, content blob not null
);
create table if not exists sale (
    sequence integer primary key, code text not null unique, minor_units integer not null,
    currency_code text not null, accepted_at_us integer not null, key_id text not null,
    content blob not null, result blob
);
create table if not exists trace (last integer not null);
"""


class OfflineError(Exception):
    """A sale cannot be stored, or the store cannot be used.

    Args:
        reason: in one word: NOT_PREPARED, CODE_MALFORMED, CODE_UNKNOWN_SCHEME, CODE_USED,
            OFFLINE_LIMIT_EXCEEDED, STORE_FULL, STORE_TOO_OLD, STORE_BUSY or STORE_DAMAGED.
        message: for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTerms:
    """What the bank lets the till take, as it was told last."""

    sale_limit: Money
    stored_count: int
    stored_limit: Money
    window_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineSale:
    """A sale that is stored: hand the goods over."""

    sequence: int
    order_number: str
    amount: Money
    accepted_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What became of a stored sale."""

    sequence: int
    order_number: str
    amount: Money
    outcome: str
    """PAID, COVERED (by the bank), LOST or REFUSED."""
    reason: str
    loss_bearer: str
    """BANK, MERCHANT, or empty where nothing was lost."""
    order_id: str

    @property
    def paid(self) -> bool:
        """Whether the merchant has the money."""
        return self.outcome in {"PAID", "COVERED"}


def _machine_us() -> int:
    return time.time_ns() // 1000  # noqa: TID251 - a till's own clock


class OfflineStore:
    """The stored sales of one till, its key and its terms.

    Args:
        path: of the store; the key stands beside it with the ending ".pem".
        clock: microseconds since 1970, the till's own.

    Raises:
        OfflineError: STORE_BUSY, STORE_DAMAGED.
    """

    def __init__(self, path: str | Path, *, clock: Callable[[], int] = _machine_us) -> None:
        self._path = Path(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=0
        )
        try:
            # Nothing is said to be stored before it is on the disk, its file's name included.
            self._database.execute("pragma locking_mode = exclusive")
            self._database.execute("pragma synchronous = extra")
            self._database.execute("begin exclusive")
            self._database.execute("commit")
            self._database.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._database.close()
            raise OfflineError("STORE_BUSY", f"{self._path} is used by another process") from error
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise OfflineError("STORE_DAMAGED", f"{self._path} is no store") from error
        self.key = DeviceKey.load_or_make(self._path.with_name(self._path.name + ".pem"))
        """What the till signs with."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, so that another process can use it."""
        self._database.close()

    # -- what the bank lets the till do --------------------------------------------------------

    @property
    def key_id(self) -> str:
        """The bank's id of the till's key; empty before it was registered."""
        found = self._database.execute("select key_id from terms").fetchone()
        return "" if found is None else str(found[0])

    @property
    def terms(self) -> StoreTerms | None:
        """What the till may take; None before it was prepared."""
        found = self._database.execute("select content from terms").fetchone()
        if found is None:
            return None
        told = offline_pb2.OfflineTerms.FromString(found[0])
        return StoreTerms(
            sale_limit=_money(told.sale_limit),
            stored_count=told.stored_count,
            stored_limit=_money(told.stored_limit),
            window_s=told.window_seconds,
        )

    def prepared(self, terminal_id: str, key_id: str, told: offline_pb2.OfflineTerms) -> None:
        """Keep what the bank has told."""
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from terms")
            self._database.execute(
                "insert into terms values (?, ?, ?)",
                (terminal_id, key_id, told.SerializeToString()),
            )

    # -- selling -------------------------------------------------------------------------------

    def accept(
        self, code: str, amount: Money, *, order_number: str = "", description: str = ""
    ) -> OfflineSale:
        """Store a sale. When this returns, it is on the disk.

        What a till can know without the bank is checked here; whether the code is genuine and the
        payer has the money it cannot know.

        Raises:
            OfflineError: it is not to be sold this way; nothing was stored.
        """
        _check_code(code)
        with self._lock, self._database:
            self._database.execute("begin immediate")
            terminal_id, key_id, told = self._told()
            now_us = self._clock()
            self._check_room(told, code, amount, now_us)
            sale = offline_pb2.OfflineSale(
                sequence=self._one("select coalesce(max(sequence), 0) + 1 from sale"),
                order_number=order_number or new_request_id(),
                code=code,
                trace_number=self._next_trace(),
                business_date=today(),
                description=description,
            )
            sale.amount.minor_units = amount.minor_units
            sale.amount.currency_code = amount.currency_code
            sale.accept_time.seconds = now_us // 1_000_000
            sale.accept_time.nanos = now_us % 1_000_000 * 1000
            sale.signature = self.key.sign(signed_text(sale, terminal_id, key_id))
            self._database.execute(
                "insert into sale values (?, ?, ?, ?, ?, ?, ?, null)",
                (
                    sale.sequence,
                    code,
                    amount.minor_units,
                    amount.currency_code,
                    now_us,
                    key_id,
                    sale.SerializeToString(),
                ),
            )
        return OfflineSale(
            sequence=sale.sequence,
            order_number=sale.order_number,
            amount=amount,
            accepted_at_us=now_us,
        )

    def _told(self) -> tuple[str, str, StoreTerms]:
        found = self._database.execute("select terminal_id, key_id from terms").fetchone()
        told = self.terms
        if found is None or told is None:
            raise OfflineError("NOT_PREPARED", "the till has never told the bank its key")
        return found[0], found[1], told

    def _check_room(self, told: StoreTerms, code: str, amount: Money, now_us: int) -> None:
        limit = told.sale_limit
        if amount.currency_code != limit.currency_code or amount > limit:
            raise OfflineError("OFFLINE_LIMIT_EXCEEDED", f"more than {limit} without a network")
        if self._one("select count(*) from sale where code = ?", code):
            raise OfflineError("CODE_USED", "the code was scanned before")
        count, total, oldest = self._database.execute(
            "select count(*), coalesce(sum(minor_units), 0), min(accepted_at_us) from sale"
            " where result is null"
        ).fetchone()
        if count >= told.stored_count or (
            total + amount.minor_units > told.stored_limit.minor_units
        ):
            raise OfflineError("STORE_FULL", "what is stored has to be forwarded first")
        if oldest is not None and now_us - oldest > told.window_s * 1_000_000:
            raise OfflineError("STORE_TOO_OLD", "what is stored should have been forwarded by now")

    def _next_trace(self) -> int:
        """Trace numbers count down from the highest, away from those of the till's journal."""
        last = self._one("select coalesce(min(last), ?) from trace", TRACES + 1)
        trace = last - 1 or TRACES
        self._database.execute("delete from trace")
        self._database.execute("insert into trace values (?)", (trace,))
        return trace

    def _one(self, sql: str, *parameters: object) -> int:
        return int(self._database.execute(sql, parameters).fetchone()[0])

    # -- forwarding ----------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many sales wait to be forwarded."""
        return self._one("select count(*) from sale where result is null")

    def next_batch(self, size: int) -> tuple[str, list[offline_pb2.OfflineSale]]:
        """The oldest sales that wait, signed with one key: that key's id, and they."""
        rows = self._database.execute(
            "select key_id, content from sale where result is null order by sequence limit ?",
            (size,),
        ).fetchall()
        if not rows:
            return "", []
        key_id = rows[0][0]
        batch = []
        for row in rows:
            if row[0] != key_id:
                break
            batch.append(offline_pb2.OfflineSale.FromString(row[1]))
        return key_id, batch

    def answered(self, results: Sequence[offline_pb2.OfflineResult]) -> list[Forwarded]:
        """Keep what the bank has answered."""
        with self._lock, self._database:
            self._database.execute("begin immediate")
            for one in results:
                self._database.execute(
                    "update sale set result = ? where sequence = ?",
                    (one.SerializeToString(), one.sequence),
                )
        return [self._forwarded(one.sequence) for one in results]

    def results(self) -> list[Forwarded]:
        """Every sale that was answered, oldest first."""
        rows = self._database.execute(
            "select sequence from sale where result is not null order by sequence"
        ).fetchall()
        return [self._forwarded(row[0]) for row in rows]

    def forget(self, sequence: int) -> None:
        """Drop answered sales up to one, once they are in the merchant's own books."""
        with self._lock:
            last = self._one("select coalesce(max(sequence), 0) from sale")
            # The last one stays, for the next sequence goes on from it.
            self._database.execute(
                "delete from sale where result is not null and sequence <= ? and sequence < ?",
                (sequence, last),
            )

    def _forwarded(self, sequence: int) -> Forwarded:
        content, stored = self._database.execute(
            "select content, result from sale where sequence = ?", (sequence,)
        ).fetchone()
        sale = offline_pb2.OfflineSale.FromString(content)
        result = offline_pb2.OfflineResult.FromString(stored)
        outcome = offline_pb2.OfflineOutcome.Name(result.outcome)
        bearer = offline_pb2.LossBearer.Name(result.loss_bearer)
        return Forwarded(
            sequence=sequence,
            order_number=sale.order_number,
            amount=_money(sale.amount),
            outcome=outcome.removeprefix("OFFLINE_OUTCOME_"),
            reason=result.reason,
            loss_bearer=bearer.removeprefix("LOSS_BEARER_").replace("UNSPECIFIED", ""),
            order_id=result.order_id,
        )


def signed_text(sale: offline_pb2.OfflineSale, terminal_id: str, key_id: str) -> bytes:
    """What a till signs of a sale, as OfflineService describes it."""
    at_us = sale.accept_time.seconds * 1_000_000 + sale.accept_time.nanos // 1000
    lines = (
        "LONGMEN-OFFLINE-1",
        key_id,
        terminal_id,
        str(sale.sequence),
        sale.order_number,
        str(sale.amount.minor_units),
        sale.amount.currency_code,
        sale.code,
        str(sale.trace_number),
        sale.business_date,
        str(at_us),
        sha256(sale.description.encode()).hexdigest(),
    )
    return "\n".join(lines).encode()


def _check_code(code: str) -> None:
    """Refuse what no device of ours can have shown, as far as its digits tell."""
    digits = code if code.isascii() and code.isdigit() else _digits_of(code)
    if not digits:
        raise OfflineError("CODE_MALFORMED", "scan again")
    if not digits.startswith(_OURS):
        raise OfflineError("CODE_UNKNOWN_SCHEME", "that is another wallet's code")
    if len(digits) != CODE_DIGITS or int(digits) % 97 != 1:
        raise OfflineError("CODE_MALFORMED", "scan again")


def _digits_of(code: str) -> str:
    """The digits inside EMV's consumer-presented form; empty when it is none."""
    try:
        data = base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError):
        return ""
    _, found, rest = data.partition(_EMV_TAG)
    digits = rest[: CODE_DIGITS // 2].hex()
    return digits if found and digits.isdigit() else ""


def _money(message: object) -> Money:
    return Money(message.minor_units, message.currency_code)  # type: ignore[attr-defined]
