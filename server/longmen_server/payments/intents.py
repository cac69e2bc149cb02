"""What a customer is told that a purchase will do: the text an approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import Intent, Operation
from longmen_server.platform.ids import ACCOUNT, MERCHANT
from longmen_server.platform.money import Money

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId, MerchantId

__all__ = ["of_purchase"]


def of_purchase(
    merchant_id: MerchantId, payer_id: AccountId, amount: int, currency_code: str
) -> Intent:
    """Return what paying a merchant is; which order it pays, the request's own content says."""
    payee = MERCHANT.encode(merchant_id)
    told = str(Money(amount, currency_code))
    return Intent(
        operation=Operation.PURCHASE,
        text=f"Pay {told} from {ACCOUNT.encode(payer_id)} to merchant {payee}.",
        amount=amount,
        currency_code=currency_code,
        payee=payee,
    )
