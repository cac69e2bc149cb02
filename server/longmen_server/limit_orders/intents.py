"""What a customer is told that a limit order will do: the text an approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import Intent, Operation
from longmen_server.platform.ids import ACCOUNT
from longmen_server.platform.money import Money

if TYPE_CHECKING:
    from longmen_server.limit_orders.model import OrderRow

__all__ = ["of_limit_order"]


def of_limit_order(row: OrderRow) -> Intent:
    """Return what an order is: amount, limit and both accounts."""
    payer, payee = ACCOUNT.encode(row.from_account_id), ACCOUNT.encode(row.to_account_id)
    pays = Money(row.amount, row.source_currency)
    limit = f"1 {row.source_currency} gets {row.rate} {row.target_currency} or more"
    return Intent(
        operation=Operation.CONVERSION,
        text=f"Exchange {pays} from {payer} to {payee} once {limit}.",
        amount=row.amount,
        currency_code=row.source_currency,
        payee=payee,
    )
