"""The rules of combined orders: what one is, and when two are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longmen_server.platform.ids import COMBINED
from longmen_server.platform.money import MINOR_UNITS_MAXIMUM
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.ids import CombinedId, MerchantId, OrderId

__all__ = [
    "CombinedRow",
    "PartRow",
    "check_parts",
    "check_total",
    "combined_not_found",
    "number_reused",
    "split_ids",
]


@dataclass(slots=True)
class CombinedRow:
    """One combined order. How its parts stand, their orders say."""

    combined_id: CombinedId
    combined_number: str
    currency_code: str
    total: int
    description: str
    expires_at_us: int
    created_at_us: int
    paid_at_us: int | None
    order_ids: bytes
    """Of its parts in their order, one after the other."""

    def copy(self) -> CombinedRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class PartRow:
    """What one part is to be."""

    merchant_id: MerchantId
    order_number: str
    amount: int
    currency_code: str
    description: str


def check_parts(parts: Sequence[tuple[MerchantId, str]]) -> None:
    """Refuse parts of one merchant twice, or in several currencies.

    Args:
        parts: merchant and currency of each.

    Raises:
        Refusal: INVALID_REQUEST, CURRENCY_MISMATCH.
    """
    if len({merchant_id for merchant_id, _ in parts}) < len(parts):
        raise Refusal(
            "INVALID_REQUEST",
            "each part is of another merchant",
            metadata={"rules": "combined.one_part_a_merchant"},
            field="parts",
        )
    first = parts[0][1]
    for _, currency_code in parts:
        if currency_code != first:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the parts are in several currencies",
                metadata={"expected": first, "actual": currency_code},
                field="parts.amount.currency_code",
            )


def check_total(total: int) -> None:
    """Refuse parts that are more together than an amount can be.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if total > MINOR_UNITS_MAXIMUM:
        raise Refusal(
            "INVALID_REQUEST",
            "the parts together are more than an amount can be",
            metadata={"rules": "combined.total"},
            field="parts",
        )


def combined_not_found(combined_id: CombinedId) -> Refusal:
    """Return the refusal for a combined order that is not there."""
    return Refusal(
        "COMBINED_ORDER_NOT_FOUND",
        "no such combined order",
        metadata={"combined_order_id": COMBINED.encode(combined_id)},
        field="combined_order_id",
    )


def number_reused(known: CombinedRow, fields: Sequence[str]) -> Refusal:
    """Return the refusal of another content under a number that is taken."""
    return Refusal(
        "COMBINED_NUMBER_REUSED",
        "the number belongs to a combined order with another content",
        metadata={
            "combined_order_id": COMBINED.encode(known.combined_id),
            "fields": ",".join(fields),
        },
        field="combined_number",
    )


def split_ids(order_ids: bytes) -> list[OrderId]:
    """Return the orders of a row's parts."""
    return [order_ids[at : at + 16] for at in range(0, len(order_ids), 16)]  # type: ignore[misc]
