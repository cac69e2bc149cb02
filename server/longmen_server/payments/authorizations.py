"""Orders whose money is held first: the rules, the rows, and the ids of the holds. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import CAPTURE, TransactionId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import CaptureId, OrderId

__all__ = [
    "HOLD_SECONDS_DEFAULT",
    "LEGS_MAX",
    "AuthorizationRow",
    "CaptureNumber",
    "CaptureRow",
    "capturable",
    "check_capture",
    "check_increment",
    "leg_id",
    "over_capture_percent",
]

HOLD_SECONDS_DEFAULT: Final = 7 * 24 * 3600
LEGS_MAX: Final = 10
"""Holds of one order: the first and nine increments. All are looked for by id at once."""


def _read_percents(path: Path) -> dict[str, int]:
    with path.open("rb") as file:
        return {str(code): int(per) for code, per in tomllib.load(file)["percent"].items()}


PERCENT_BY_CATEGORY: Final = _read_percents(Path(__file__).with_name("capture_policy.toml"))


@dataclass(slots=True)
class AuthorizationRow:
    """What is held for an order."""

    order_id: OrderId
    authorized: int
    """In all, increments included."""
    over_captured: int
    """What captures took beyond the holds."""
    percent: int
    """How much more than authorized may be captured."""
    legs: int
    created_at_us: int

    def copy(self) -> AuthorizationRow:
        """Return a copy for a command to change."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class CaptureRow:
    """One capture; it never changes."""

    capture_id: CaptureId
    order_id: OrderId
    capture_number: str
    amount: int
    final: bool
    transaction_id: TransactionId
    created_at_us: int


class CaptureNumber(NamedTuple):
    """A capture by its merchant's own number."""

    order_id: OrderId
    capture_number: str


def leg_id(order_id: OrderId, number: int) -> TransactionId:
    """Return the transaction id of an order's hold, from 0.

    It follows from the order's id, so that commands name holds before they have loaded the order.
    The time and the book of the order stay in it.
    """
    drawn = sha256(b"longmen order hold" + order_id + bytes([number])).digest()[:6]
    return TransactionId(order_id[:8] + bytes([0x80 | drawn[0] & 0x3F]) + drawn[1:] + order_id[14:])


def over_capture_percent(category_code: str) -> int:
    """Return how much more than authorized merchants of a category may capture, in per cent."""
    return PERCENT_BY_CATEGORY.get(category_code, 0)


def capturable(row: AuthorizationRow, captured: int) -> int:
    """Return the most that can yet be captured, tolerance included."""
    return row.authorized + row.authorized * row.percent // 100 - captured


def check_capture(row: AuthorizationRow, order: OrderRow, amount: int) -> None:
    """Refuse a capture beyond what is held and tolerated.

    Raises:
        Refusal: CAPTURE_EXCEEDS_AUTHORIZATION.
    """
    left = capturable(row, order.captured or 0)
    if amount > left:
        raise Refusal(
            "CAPTURE_EXCEEDS_AUTHORIZATION",
            "captures together would be more than is held",
            metadata={
                "capturable_minor_units": str(left),
                "currency_code": order.currency_code,
            },
            field="amount",
        )


def check_increment(row: AuthorizationRow) -> None:
    """Refuse one increment too many.

    Raises:
        Refusal: INCREMENT_LIMIT_REACHED.
    """
    if row.legs >= LEGS_MAX:
        raise Refusal(
            "INCREMENT_LIMIT_REACHED",
            "the authorization was incremented as often as it can be",
            metadata={"limit": str(LEGS_MAX - 1)},
        )


def number_reused(known: CaptureRow, fields: list[str]) -> Refusal:
    """Return the refusal of another content under a capture's number."""
    return Refusal(
        "CAPTURE_NUMBER_REUSED",
        "the number belongs to a capture with another content",
        metadata={"capture_id": CAPTURE.encode(known.capture_id), "fields": ",".join(fields)},
        field="capture_number",
    )
