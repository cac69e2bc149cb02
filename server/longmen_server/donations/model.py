"""The rules of donations: who is a charity, and what is kept of a gift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import DONATION, MERCHANT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        AccountId,
        CustomerId,
        DonationId,
        MerchantId,
        OrderId,
        TransactionId,
    )

CHARITIES: Final = frozenset({"8398"})
"""Categories of charities: ISO 18245's charitable and social service organizations."""


@dataclass(slots=True, frozen=True)
class DonationRow:
    """One gift; it never changes."""

    donation_id: DonationId
    merchant_id: MerchantId
    account_id: AccountId
    """Of the donor."""
    donor_id: CustomerId
    """Under whose data key the message is sealed: the donor's, or the book's own."""
    order_id: OrderId
    transaction_id: TransactionId
    amount: int
    currency_code: str
    anonymous: bool
    message: bytes | None
    """Sealed; None without one."""
    donated_at_us: int


def check_charity(merchant_id: MerchantId, category_code: str) -> None:
    """Refuse to give to a merchant that is no charity.

    Raises:
        Refusal: NOT_A_CHARITY.
    """
    if category_code not in CHARITIES:
        raise Refusal(
            "NOT_A_CHARITY",
            "the merchant was not taken in as a charity",
            metadata={
                "merchant_id": MERCHANT.encode(merchant_id),
                "category_code": category_code,
            },
            field="merchant_id",
        )


def donation_not_found(donation_id: DonationId) -> Refusal:
    """Return the refusal for a gift that is not there, or not the caller's to see."""
    return Refusal(
        "DONATION_NOT_FOUND",
        "no such donation",
        metadata={"donation_id": DONATION.encode(donation_id)},
        field="donation_id",
    )
