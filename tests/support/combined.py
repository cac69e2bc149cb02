"""Orders of several merchants, to be paid together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.small_bank import cash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.small_bank import SmallBank


def combination(bank: SmallBank, merchant_ids: Sequence[str], *amounts: int) -> dict[str, Any]:
    """A combined order of merchants, a part each."""
    return {
        "combined_number": bank.new_request_id(),
        "parts": [
            {
                "merchant_id": merchant_id,
                "order_number": bank.new_request_id(),
                "amount": cash(amount),
                "description": "a pot of tea",
            }
            for merchant_id, amount in zip(merchant_ids, amounts, strict=True)
        ],
        "description": "at the market",
    }
