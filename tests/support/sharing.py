"""An order that is shared, of which something came back and something is still held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import sharing_service_pb2 as pb
from longmen_server.platform.ids import ORDER, TransactionId
from longmen_server.sharing.commands import HoldShares, ReturnShare, ShareOrder
from longmen_server.sharing.model import ReceiverKey
from longmen_server.sharing.receivers import AskReceiver, ConfirmReceiver
from tests.support.ledger import BOOK
from tests.support.shop import BANK, Shop
from tests.support.wallets import cash

if TYPE_CHECKING:
    from tests.support.wallets import Wallets


async def fill_sharing(wallets: Wallets) -> None:
    """Two shops of which one shares an order of 1,000 with the other, and refunds a part."""
    buyer = await wallets.person(funds=5_000)
    shop, other = Shop(wallets, buyer), Shop(wallets, buyer)
    for one in (shop, other):
        await one.open(basis_points=0)
    key = ReceiverKey(shop.merchant_id, other.merchant_id)
    await shop.do(AskReceiver(BOOK, None, key=key))
    await shop.do(ConfirmReceiver(BOOK, None, key=key))
    order_id = await shop.sell(1_000)
    text = ORDER.encode(order_id)

    def transaction_id() -> TransactionId:
        return TransactionId(shop.fresh())

    await shop.do(
        HoldShares(
            BOOK,
            None,
            asked=pb.HoldSharesRequest(order_id=text, amount=cash(300)),
            order_id=order_id,
            actor=BANK,
            transaction_id=transaction_id(),
        )
    )
    await shop.do(
        ShareOrder(
            BOOK,
            None,
            asked=pb.ShareOrderRequest(order_id=text, share_number="1", amount=cash(100)),
            receiver_id=other.merchant_id,
            order_id=order_id,
            actor=BANK,
            transaction_id=transaction_id(),
        )
    )
    await shop.do(
        ReturnShare(
            BOOK,
            None,
            asked=pb.ReturnShareRequest(
                order_id=text, share_number="1", return_number="1", amount=cash(10)
            ),
            order_id=order_id,
            actor=BANK,
            transaction_id=transaction_id(),
        )
    )
    await shop.refund(order_id, 400)
