"""SharingService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.payments.v1 import sharing_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.payments.model import order_not_found
from longmen_server.payments.queries import find_order
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import MERCHANT, ORDER, TransactionId, book_of, new_id
from longmen_server.sharing import commands, encode, model, queries, receivers
from longmen_server.sharing.model import ReceiverKey

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import OrderId
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["SharingService"]


class SharingService:
    """The methods of longmen.payments.v1.SharingService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, tokens: PageTokens
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has ended.
            tokens: seals page tokens.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens

    async def AskReceiver(self, request: pb.AskReceiverRequest, call: Call) -> bytes:  # noqa: N802
        """Name a merchant that shares are to go to."""
        key = self._own_key(request, call)
        command = receivers.AskReceiver(book_of(key.merchant_id), request_key(call), key=key)
        return await submit(self._engine, command, request=request, call=call)

    async def ConfirmReceiver(  # noqa: N802
        self, request: pb.ConfirmReceiverRequest, call: Call
    ) -> bytes:
        """Let shares go to a receiver."""
        command = receivers.confirm_receiver(request, request_key(call))
        if command.book not in self._engine.writers:
            raise model.receiver_not_found(command.key.receiver_id)
        return await submit(self._engine, command, request=request, call=call)

    async def RemoveReceiver(  # noqa: N802
        self, request: pb.RemoveReceiverRequest, call: Call
    ) -> bytes:
        """Let no more shares go to a receiver."""
        key = self._own_key(request, call)
        command = receivers.RemoveReceiver(book_of(key.merchant_id), request_key(call), key=key)
        return await submit(self._engine, command, request=request, call=call)

    async def ListReceivers(  # noqa: N802
        self, request: pb.ListReceiversRequest, call: Call
    ) -> pb.ListReceiversResponse:
        """List a merchant's receivers."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_receivers(
                connection, merchant_id, after=after, limit=size + 1
            )
        page = rows[:size]
        following = ""
        if len(rows) > size:
            following = self._tokens.seal(page[-1].receiver_id, request, call)
        return pb.ListReceiversResponse(
            receivers=[encode.receiver(row) for row in page], next_page_token=following
        )

    async def HoldShares(self, request: pb.HoldSharesRequest, call: Call) -> bytes:  # noqa: N802
        """Keep money of a paid order to be shared."""
        command = commands.HoldShares(**self._about(request.order_id, call), asked=request)
        return await submit(self._engine, command, request=request, call=call)

    async def ShareOrder(self, request: pb.ShareOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Give a receiver a part of what is held."""
        command = commands.ShareOrder(
            **self._about(request.order_id, call),
            asked=request,
            receiver_id=decode_id(MERCHANT, request.receiver_id, "receiver_id"),
        )
        return await submit(self._engine, command, request=request, call=call)

    async def ReleaseShares(  # noqa: N802
        self, request: pb.ReleaseSharesRequest, call: Call
    ) -> bytes:
        """End the sharing of an order."""
        command = commands.ReleaseShares(**self._about(request.order_id, call))
        return await submit(self._engine, command, request=request, call=call)

    async def ReturnShare(self, request: pb.ReturnShareRequest, call: Call) -> bytes:  # noqa: N802
        """Take a share back from its receiver."""
        command = commands.ReturnShare(**self._about(request.order_id, call), asked=request)
        return await submit(self._engine, command, request=request, call=call)

    async def GetSharing(  # noqa: N802
        self, request: pb.GetSharingRequest, call: Call
    ) -> pb.GetSharingResponse:
        """Show what became of an order's money that was held for others."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        order_id = decode_id(ORDER, request.order_id, "order_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await find_order(connection, order_id)
            if order is None or not actor.may_use(order.merchant_id):
                raise order_not_found(order_id)
            row = await queries.find_sharing(connection, order_id)
            shares = await queries.list_shares(connection, order_id)
        if row is None:
            raise model.sharing_not_found(order_id)
        return pb.GetSharingResponse(sharing=encode.sharing(row, self._clock.now_us(), shares))

    def _own_key(
        self, request: pb.AskReceiverRequest | pb.RemoveReceiverRequest, call: Call
    ) -> ReceiverKey:
        """Return both merchants of a request, of which the caller is the first or the bank.

        Raises:
            Refusal: MERCHANT_NOT_FOUND.
        """
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        if book_of(merchant_id) not in self._engine.writers:
            raise merchant_not_found(merchant_id)
        return ReceiverKey(merchant_id, decode_id(MERCHANT, request.receiver_id, "receiver_id"))

    def _about(self, text: str, call: Call) -> dict[str, Any]:
        """Return what every command about an order's shares is made of.

        Raises:
            Refusal: ORDER_NOT_FOUND when its book is not kept here.
        """
        order_id: OrderId = decode_id(ORDER, text, "order_id")
        book = book_of(order_id)
        if book not in self._engine.writers:
            raise order_not_found(order_id)
        return {
            "book": book,
            "request": request_key(call),
            "order_id": order_id,
            "actor": merchant_actor_of(call),
            "transaction_id": TransactionId(new_id(book, self._clock)),
        }
