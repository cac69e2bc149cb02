"""Baskets: orders of several merchants that are paid together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_client.errors import NeedsAuth
from longmen_client.ids import RequestId, new_request_id
from longmen_client.money import Money

if TYPE_CHECKING:
    from longmen.payments.v1 import combined_pb2
    from longmen_app._async.wallet import AsyncWallet


class AsyncBasket:
    """A combined order that waits for the customer's yes.

        basket = await AsyncBasket.find(wallet, combined_order_id)
        print(basket.total, [part.merchant_name for part in basket.order.parts])
        await basket.pay()                           # once the customer says yes to this

    Paying twice pays once.
    """

    def __init__(
        self, wallet: AsyncWallet, order: combined_pb2.CombinedOrder, account_id: str
    ) -> None:
        self.order = order
        """Everything about it, each merchant's part included."""
        self.total = Money.from_proto(order.total)
        """To show to the payer: all parts together."""
        self.request_id: RequestId = new_request_id()
        self._wallet = wallet
        self._account_id = account_id

    @classmethod
    async def find(cls, wallet: AsyncWallet, combined_order_id: str) -> AsyncBasket:
        """Look a combined order up.

        Raises:
            LongmenError: such as CombinedOrderNotFound.
            LookupError: the wallet has no account in its currency.
        """
        found = await wallet.bank.combined_orders.get_combined_order(
            combined_order_id=combined_order_id
        )
        order = found.combined_order
        account_id = await wallet.account_id(order.total.currency_code)
        return cls(wallet, order, account_id)

    async def pay(self) -> combined_pb2.CombinedOrder:
        """Pay every part or none; where the bank asks for it, approve first.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: look at `outcome_unknown`; when it is true, pay this basket again.
        """
        try:
            return await self._send()
        except NeedsAuth as needed:
            await self._wallet.approve(needed)
            return await self._send()

    async def _send(self) -> combined_pb2.CombinedOrder:
        """Send the payment, the same each time."""
        reply = await self._wallet.bank.combined_orders.pay_combined_order(
            combined_order_id=self.order.combined_order_id,
            from_account_id=self._account_id,
            total=self.total,
            request_id=self.request_id,
        )
        self._wallet.remember(reply.committed_at)
        self.order = reply.message.combined_order
        return self.order
