"""What a customer is told that an exchange will do: the text an approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import Intent, Operation
from longmen_server.platform.ids import ACCOUNT
from longmen_server.platform.money import Money

if TYPE_CHECKING:
    from longmen_server.conversions.model import QuoteRow

__all__ = ["of_conversion"]


def of_conversion(quote: QuoteRow) -> Intent:
    """Return what an exchange is: both amounts and both accounts."""
    payee = ACCOUNT.encode(quote.to_account_id)
    pays = Money(quote.source, quote.source_currency)
    gets = Money(quote.target, quote.target_currency)
    return Intent(
        operation=Operation.CONVERSION,
        text=f"Exchange {pays} from {ACCOUNT.encode(quote.from_account_id)} for {gets} to {payee}.",
        amount=quote.source,
        currency_code=quote.source_currency,
        payee=payee,
    )
