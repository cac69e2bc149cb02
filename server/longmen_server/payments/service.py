"""PaymentsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.accounts.actor import actor_of
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.queries import find_merchant, find_terminal
from longmen_server.payments import commands, encode, endings, model, queries, returns, scan
from longmen_server.payments.charging import PayByCode
from longmen_server.payments.commands import Sale
from longmen_server.payments.images import picture
from longmen_server.payments.model import Answer, OrderNumber, TerminalReference
from longmen_server.payments.references import (
    giving_till,
    lookup_keys,
    sale_reference,
    till_reference,
)
from longmen_server.payments.static_codes import PayStaticCode
from longmen_server.payments.tip_requests import asked_tip, tip_minor_units
from longmen_server.payments.watch import order_watcher
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    ORDER,
    OrderId,
    RefundId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.merchants.model import MerchantActor, MerchantRow
    from longmen_server.payer_codes.desk import CodeDesk
    from longmen_server.payments.model import OrderRow
    from longmen_server.payments.settings import PaymentsSettings
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import MerchantId
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

FIRST_READ_SECONDS: Final = 5.0
"""How long the first look of a stream may take; the stream itself may last an hour."""

ATTEMPTS_MAX: Final = 1_000
"""Scans for an order that are listed."""


class PaymentsService:
    """The methods of longmen.payments.v1.PaymentsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        settings: PaymentsSettings,
        step_up: StepUpOffice,
        code_desk: CodeDesk,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            tokens: seals page tokens.
            settings: limits.
            step_up: gives customers' payments the gate they have to pass.
            code_desk: reads scanned codes.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up
        self._code_desk = code_desk
        self._watcher = order_watcher(readers, clock, interval_ms=settings.order_watch_interval_ms)

    # -- orders --------------------------------------------------------------------------------

    async def CreateOrder(self, request: pb.CreateOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Register a sale."""
        sale = self._sale(request, call, model.EXPIRES_SECONDS_DEFAULT)
        merchant_id = sale.merchant_id
        command = commands.CreateOrder(book_of(merchant_id), request_key(call), sale=sale)
        return await self._submit(command, request, call, absent=merchant_not_found(merchant_id))

    async def GetOrderCode(  # noqa: N802
        self, request: pb.GetOrderCodeRequest, call: Call
    ) -> pb.GetOrderCodeResponse:
        """Return the code of an order."""
        demand_freshness(request.at_least_as_fresh)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await self._order(connection, request.order_id, call)
            if not order.amount:
                raise model.order_not_found(order.order_id)
            merchant = await _merchant(connection, order.merchant_id)
        text = scan.order_code(merchant, order)
        drawn = await asyncio.to_thread(picture, text, request.format)
        return pb.GetOrderCodeResponse(code=text, image=drawn.image, media_type=drawn.media_type)

    async def GetStaticCode(  # noqa: N802
        self, request: pb.GetStaticCodeRequest, call: Call
    ) -> pb.GetStaticCodeResponse:
        """Return the code that a merchant prints."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        async with self._readers.connection(deadline=call.deadline) as connection:
            merchant = await _merchant(connection, merchant_id)
        text = scan.static_code(merchant)
        drawn = await asyncio.to_thread(picture, text, request.format)
        return pb.GetStaticCodeResponse(code=text, image=drawn.image, media_type=drawn.media_type)

    async def GetOrder(self, request: pb.GetOrderRequest, call: Call) -> pb.GetOrderResponse:  # noqa: N802
        """Return an order."""
        demand_freshness(request.at_least_as_fresh)
        async with self._readers.connection(deadline=call.deadline) as connection:
            order = await self._order(connection, request.order_id, call)
        return pb.GetOrderResponse(order=encode.order(order, self._clock.now_us()))

    async def LookupOrder(  # noqa: N802
        self, request: pb.LookupOrderRequest, call: Call
    ) -> pb.LookupOrderResponse:
        """Tell what became of an order."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        key = lookup_keys(request, actor)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if isinstance(key, TerminalReference):
                known, order = await self._by_reference(connection, key, actor)
            else:
                await _merchant(connection, key.merchant_id)
                order = await queries.order_by_number(connection, key)
                known = order is not None
        now_us = self._clock.now_us()
        answer = model.answer_of(order, now_us)
        if known and order is None:
            answer = Answer.NOT_PAID_AND_CLOSED
        return pb.LookupOrderResponse(
            answer=int(answer),  # type: ignore[arg-type]  # enums of the contract are ints
            order=None if order is None else encode.order(order, now_us),
        )

    async def ListOrders(  # noqa: N802
        self, request: pb.ListOrdersRequest, call: Call
    ) -> pb.ListOrdersResponse:
        """List a merchant's orders."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _merchant(connection, merchant_id)
            rows = await queries.list_orders(
                connection,
                merchant_id,
                request.states,
                before=before,
                now_us=now_us,
                limit=size + 1,
            )
        page = rows[:size]
        return pb.ListOrdersResponse(
            orders=[encode.order(row, now_us) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].order_id, request, call) if len(rows) > size else ""
            ),
        )

    async def WatchOrder(  # noqa: N802
        self, request: pb.WatchOrderRequest, call: Call
    ) -> AsyncIterator[pb.WatchOrderResponse]:
        """Send an order at once, and then whenever it changes."""
        deadline = min(call.deadline, self._clock.monotonic() + FIRST_READ_SECONDS)
        async with self._readers.connection(deadline=deadline) as connection:
            order = await self._order(connection, request.order_id, call)
        async with self._watcher.watch(order.order_id, order.version) as watch:
            while True:
                yield pb.WatchOrderResponse(order=encode.order(order, self._clock.now_us()))
                order = await watch.next()

    async def CloseOrder(self, request: pb.CloseOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Let an order never be paid."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        command = endings.CloseOrder(
            book_of(order_id),
            request_key(call),
            order_id=order_id,
            actor=merchant_actor_of(call),
        )
        return await self._submit(command, request, call, absent=model.order_not_found(order_id))

    async def ResolveOrder(self, request: pb.ResolveOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Let a number be paid or closed for ever."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        book = book_of(merchant_id)
        command = endings.ResolveOrder(
            book,
            request_key(call),
            number=OrderNumber(merchant_id, request.order_number),
            order_id=self._new_order_id(book),
        )
        return await self._submit(command, request, call, absent=merchant_not_found(merchant_id))

    # -- money back ----------------------------------------------------------------------------

    async def ReverseByTerminalRef(  # noqa: N802
        self, request: pb.ReverseByTerminalRefRequest, call: Call
    ) -> bytes:
        """Undo a sale by the till's reference."""
        actor = merchant_actor_of(call)
        reference = till_reference(request)
        book = book_of(reference.terminal_id)
        command = returns.ReverseByTerminalRef(
            book,
            request_key(call),
            reference=reference,
            actor=actor,
            transaction_id=self._new_transaction_id(book),
        )
        absent = terminal_not_found(reference.terminal_id)
        return await self._submit(command, request, call, absent=absent)

    async def RefundOrder(self, request: pb.RefundOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Return all or part of a payment."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book = book_of(order_id)
        command = returns.RefundOrder(
            book,
            request_key(call),
            order_id=order_id,
            asked=request,
            actor=merchant_actor_of(call),
            refund_id=RefundId(new_id(book, self._clock)),
            transaction_id=self._new_transaction_id(book),
            terminal_id=giving_till(request),
        )
        return await self._submit(command, request, call, absent=model.order_not_found(order_id))

    async def ListRefunds(  # noqa: N802
        self, request: pb.ListRefundsRequest, call: Call
    ) -> pb.ListRefundsResponse:
        """List the refunds of an order."""
        demand_freshness(request.at_least_as_fresh)
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await self._order(connection, request.order_id, call)
            rows = await queries.list_refunds(
                connection, order.order_id, after=after, limit=size + 1
            )
        page = rows[:size]
        return pb.ListRefundsResponse(
            refunds=[encode.refund(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].refund_id, request, call) if len(rows) > size else ""
            ),
        )

    # -- paying --------------------------------------------------------------------------------

    async def ParseCode(self, request: pb.ParseCodeRequest, call: Call) -> pb.ParseCodeResponse:  # noqa: N802
        """Show whom and what a code is for."""
        code = scan.read_code(request.code)
        order = None
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            merchant = await _merchant(connection, code.merchant_id)
            if code.order_id is not None:
                order = await queries.find_order(connection, code.order_id)
                if order is None or order.merchant_id != code.merchant_id:
                    raise model.order_not_found(code.order_id)
                model.check_amount(order, code.amount or 0, code.currency_code)
        shown = encode.scanned(code, merchant, order, self._clock.now_us())
        return pb.ParseCodeResponse(scanned=shown)

    async def PayOrder(self, request: pb.PayOrderRequest, call: Call) -> bytes:  # noqa: N802
        """Pay an order."""
        order_id = decode_id(ORDER, request.order_id, "order_id")
        book = book_of(order_id)
        key = request_key(call)
        payer_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        command = commands.PayOrder(
            book,
            key,
            order_id=order_id,
            payer_id=payer_id,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            actor=actor_of(call),
            transaction_id=self._new_transaction_id(book),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
            tip=tip_minor_units(request),
            funding=self._step_up.funding,
        )
        absent = model.order_not_found(order_id)
        try:
            return await self._submit(command, request, call, absent=absent)
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, payer_id, command.amount + command.tip)
            raise

    async def PayStaticCode(self, request: pb.PayStaticCodeRequest, call: Call) -> bytes:  # noqa: N802
        """Pay a merchant's printed code."""
        payer_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book = book_of(payer_id)
        code, sale = self._static_sale(book, request)
        key = request_key(call)
        command = PayStaticCode(
            book,
            key,
            code=code,
            sale=sale,
            payer_id=payer_id,
            actor=actor_of(call),
            transaction_id=self._new_transaction_id(book),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
            funding=self._step_up.funding,
        )
        try:
            return await self._submit(command, request, call, absent=account_not_found(payer_id))
        except Refusal as refusal:
            amount = 0 if sale is None else sale.amount
            await self._step_up.advise(refusal, call, payer_id, amount)
            raise

    async def PayByCode(self, request: pb.PayByCodeRequest, call: Call) -> bytes:  # noqa: N802
        """Charge a payer by a scanned code."""
        sale = self._sale(request, call, model.SCAN_EXPIRES_SECONDS_DEFAULT)
        book = book_of(sale.merchant_id)
        if book not in self._engine.writers:
            raise merchant_not_found(sale.merchant_id)
        command = PayByCode(
            book,
            request_key(call),
            sale=sale,
            scan=self._code_desk.scan(request.code),
            policy=self._step_up.policy,
            transaction_id=self._new_transaction_id(book),
            guard=self._step_up.guard(call, book),
            funding=self._step_up.funding,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def ListAttempts(  # noqa: N802
        self, request: pb.ListAttemptsRequest, call: Call
    ) -> pb.ListAttemptsResponse:
        """List the scans for an order."""
        demand_freshness(request.at_least_as_fresh)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            order = await self._order(connection, request.order_id, call)
            rows = await queries.list_attempts(connection, order.order_id, limit=ATTEMPTS_MAX)
        return pb.ListAttemptsResponse(attempts=[encode.attempt(row) for row in rows])

    # -- helpers -------------------------------------------------------------------------------

    def _sale(
        self, request: pb.CreateOrderRequest | pb.PayByCodeRequest, call: Call, lifetime_s: int
    ) -> Sale:
        """Return what a merchant's request sells.

        Raises:
            Refusal: MERCHANT_NOT_FOUND when it is not the caller's, INVALID_REQUEST.
        """
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        return Sale(
            order_id=self._new_order_id(book_of(merchant_id)),
            merchant_id=merchant_id,
            order_number=request.order_number,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            expires_seconds=request.expires_in_seconds or lifetime_s,
            description=request.description,
            reference=sale_reference(request),
            supersede=request.supersede,
            **asked_tip(request),
        )

    def _static_sale(
        self, book: int, request: pb.PayStaticCodeRequest
    ) -> tuple[scan.Scanned | Refusal, Sale | None]:
        """Read a code; what is wrong with it is the command's to say, after looking for replays."""
        try:
            code = scan.read_code(request.code)
        except Refusal as refusal:
            return refusal, None
        order_id = self._new_order_id(book)
        sale = Sale(
            order_id=order_id,
            merchant_id=code.merchant_id,
            # Nobody gave a number, and the merchant's have to be unique: our own is.
            order_number=ORDER.encode(order_id),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            expires_seconds=model.EXPIRES_SECONDS_DEFAULT,
            description=request.description,
            reference=None,
        )
        return code, sale

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)

    async def _order(self, connection: Connection, text: str, call: Call) -> OrderRow:
        """Return the order that a request names, if it is the caller's to see."""
        actor = merchant_actor_of(call)
        order_id = decode_id(ORDER, text, "order_id")
        order = await queries.find_order(connection, order_id)
        if order is None or not actor.may_use(order.merchant_id):
            raise model.order_not_found(order_id)
        return order

    async def _by_reference(
        self, connection: Connection, reference: TerminalReference, actor: MerchantActor
    ) -> tuple[bool, OrderRow | None]:
        terminal = await find_terminal(connection, reference.terminal_id)
        if terminal is None or not actor.may_use(terminal.merchant_id):
            raise terminal_not_found(reference.terminal_id)
        return await queries.order_by_reference(connection, reference)

    def _new_order_id(self, book: int) -> OrderId:
        return OrderId(new_id(book, self._clock))

    def _new_transaction_id(self, book: int) -> TransactionId:
        return TransactionId(new_id(book, self._clock))


async def _merchant(connection: Connection, merchant_id: MerchantId) -> MerchantRow:
    row = await find_merchant(connection, merchant_id)
    if row is None:
        raise merchant_not_found(merchant_id)
    return row
