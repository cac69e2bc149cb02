"""A till: charges, refunds and resumes so that every sale ends in a definite answer."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Self

from longmen.payments.v1 import order_pb2
from longmen_client._async.client import AsyncClient
from longmen_client._config import CallOptions, RetryPolicy
from longmen_client._errors import LongmenError
from longmen_client._retry import settles
from longmen_client.ids import new_request_id
from longmen_client.money import Money
from longmen_merchant._async import offline
from longmen_merchant.journal import Entry, Journal, Stage, today
from longmen_merchant.model import (
    DECLINED,
    UNREACHABLE,
    Charge,
    Limits,
    Outcome,
    RefundMade,
    Resumed,
    charge_of,
    is_about_the_caller,
    is_in_doubt,
    state_name,
)

if TYPE_CHECKING:
    from types import TracebackType

    from longmen.payments.v1 import payments_service_pb2
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import Config
    from longmen_merchant.offline import Forwarded, OfflineStore

_PERSISTENT = RetryPolicy(max_attempts=1_000, budget_tokens=10_000, max_backoff_ms=500)
"""A till has one caller and one thing to do: it tries until the attempt's time is over."""

_WAITING = frozenset(
    {
        order_pb2.ORDER_STATE_CREATED,
        order_pb2.ORDER_STATE_NEEDS_AUTH,
        order_pb2.ORDER_STATE_PROCESSING,
        order_pb2.ORDER_STATE_AUTHORIZED,
    }
)

_ASK = order_pb2.TipOffer(mode=order_pb2.TIP_MODE_ASK)


class AsyncSale:
    """One sale of a till, from its amount to its end."""

    def __init__(self, till: AsyncTill, entry: Entry, description: str) -> None:
        self._till = till
        self._entry = entry
        self._description = description
        self._supersede = till.has_open_sale()
        self._may_have_arrived = False
        """Whether an attempt at the present scan ended without saying what the bank did."""
        self.order_id = ""
        """Empty until the bank has answered."""
        self.code = ""
        """What a payer can scan, after `AsyncTill.show`."""

    @property
    def order_number(self) -> str:
        """The merchant's number of the sale, unique for ever."""
        return self._entry.number

    @property
    def amount(self) -> Money:
        """What is to be paid, without the tip."""
        return Money(self._entry.minor_units, self._entry.currency_code)

    @property
    def tip(self) -> Money | None:
        """What is paid besides; None without a tip."""
        minor_units = self._entry.tip_minor_units
        return Money(minor_units, self._entry.currency_code) if minor_units else None

    async def scan(self, code: str) -> Charge:
        """Charge the payer whose code was scanned; a sale that is still open takes another code.

        Args:
            code: the digits as scanned.

        Raises:
            LongmenError: the till is set up wrong, such as with a revoked key; nothing was paid.
        """
        till, ends = self._till, self._till.end_of_charge()
        self._may_have_arrived = False
        self._mark(Stage.SENT, request_id=new_request_id())
        try:
            order = await self._send(code, ends)
        except LongmenError as error:
            return await self._failed(error)
        self.order_id = order.order_id
        till.superseded(self.order_number)
        return await till.await_payer(self, order, ends)

    async def wait(self) -> Charge:
        """Wait until the payer who scans the till's code has paid, or the sale is over.

        Raises:
            LongmenError: as `scan`.
        """
        waiting = order_pb2.Order(order_id=self.order_id, state=order_pb2.ORDER_STATE_PENDING_PAYER)
        return await self._till.await_payer(
            self, waiting, self._till.end_of_charge(), shown=bool(self.code)
        )

    async def cancel(self) -> Charge:
        """Give the sale up; if the payer was faster it is paid all the same, and said so."""
        return await self._till.settle(self._entry)

    async def register(self) -> None:
        """Register the sale and get the code to show."""
        self._mark(Stage.SENT, request_id=new_request_id())
        till, entry = self._till, self._entry
        try:
            reply = await till.bank.payments.create_order(
                merchant_id=till.merchant_id,
                order_number=entry.number,
                amount=self.amount,
                tip=self.tip,
                tip_offer=_ASK if entry.ask_tip else None,
                description=self._description,
                expires_in_seconds=till.limits.expires_s,
                terminal_id=till.terminal_id,
                trace_number=entry.trace_number,
                business_date=entry.business_date,
                supersede=self._supersede,
                request_id=entry.request_id,
                options=till.options(till.end_of_settling()),
            )
        except LongmenError as error:
            if not is_in_doubt(error):
                till.journal.end(entry.number)
            raise
        self.order_id = reply.message.order.order_id
        self.code = reply.message.code
        till.superseded(entry.number)

    def _mark(self, stage: Stage, *, request_id: str = "") -> None:
        entry = dataclasses.replace(
            self._entry, stage=stage, request_id=request_id or self._entry.request_id
        )
        self._entry = entry
        self._till.journal.put(entry)

    async def _send(self, code: str, ends: float) -> order_pb2.Order:
        """Send the scan until it is answered, always as the same request."""
        till, entry = self._till, self._entry
        while True:
            try:
                reply = await till.bank.payments.pay_by_code(
                    merchant_id=till.merchant_id,
                    order_number=entry.number,
                    amount=self.amount,
                    tip=self.tip,
                    code=code,
                    description=self._description,
                    expires_in_seconds=till.limits.expires_s,
                    terminal_id=till.terminal_id,
                    trace_number=entry.trace_number,
                    business_date=entry.business_date,
                    supersede=self._supersede,
                    request_id=entry.request_id,
                    options=till.options(ends),
                )
            except LongmenError as error:
                if not is_in_doubt(error) or not till.goes_on(ends):
                    raise
                self._may_have_arrived = True
            else:
                return reply.message.order

    async def _failed(self, error: LongmenError) -> Charge:
        """What a scan that was not taken means."""
        till, entry = self._till, self._entry
        # Who is turned away at the door learns nothing of what was sent before.
        unsaid = is_in_doubt(error) or (self._may_have_arrived and not settles(error.details))
        if unsaid or error.details.reason == "ORDER_PAID":
            return await till.settle(entry)
        if is_about_the_caller(error):
            till.journal.end(entry.number)
            raise error
        # The bank has the sale and it is open, unless it is the sale itself that was refused.
        still_open = error.details.reason not in _SALE_REFUSED
        if still_open:
            self._mark(Stage.OPEN)
        else:
            till.journal.end(entry.number)
        return Charge(
            outcome=Outcome.NOT_PAID,
            order_number=entry.number,
            amount=self.amount,
            order_id=self.order_id,
            reason=error.details.reason or error.details.code.name,
            metadata=error.metadata,
            may_scan_again=still_open,
        )


_SALE_REFUSED = frozenset(
    {
        "MERCHANT_NOT_FOUND",
        "TERMINAL_NOT_FOUND",
        "TERMINAL_BUSY",
        "TERMINAL_REFERENCE_REUSED",
        "TERMINAL_REFERENCE_REVERSED",
        "ORDER_NUMBER_REUSED",
        "ORDER_CLOSED",
        "ORDER_EXPIRED",
        "ORDER_REVERSED",
        "CURRENCY_MISMATCH",
    }
)
"""Reasons that leave no open order behind."""


class AsyncTill:
    """One terminal of a merchant.

    Whatever the network does, `charge` ends within `Limits.charge_ms` and `Limits.settle_ms` with
    PAID or NOT_PAID. It asks under one request id until it is answered; when the time is over it
    lets the bank resolve the sale, after which that is paid or never will be; and when the bank
    cannot be reached even for that, the sale is given up and the reversal kept in the journal,
    which is good even if the sale arrives after it.

    Args:
        config: how to reach the server; with an API key whose requests are signed.
        merchant_id: who sells.
        terminal_id: which till this is.
        journal: what it has not finished.
        limits: how long it waits.
    """

    def __init__(
        self,
        config: Config,
        *,
        merchant_id: str,
        terminal_id: str,
        journal: Journal,
        limits: Limits | None = None,
    ) -> None:
        self.bank = AsyncClient(dataclasses.replace(config, retry=_PERSISTENT))
        self.merchant_id = merchant_id
        self.terminal_id = terminal_id
        self.journal = journal
        self.limits = limits or Limits()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close connections and journal; what is not finished stays in the file."""
        await self.bank.aclose()
        self.journal.close()

    # -- selling -------------------------------------------------------------------------------

    def begin(
        self,
        amount: Money,
        *,
        order_number: str = "",
        description: str = "",
        tip: Money | None = None,
        ask_tip: bool = False,
    ) -> AsyncSale:
        """Begin a sale; nothing is sent before a code is scanned.

        Args:
            amount: to be paid, without the tip.
            order_number: the merchant's own, never used before; empty lets the till make one.
            description: for merchant and payer.
            tip: that the payer has named at the till, in the currency of the amount.
            ask_tip: whether the code that the till shows lets the payer's app ask for a tip.

        Raises:
            ValueError: the tip is in another currency.
        """
        if tip is not None and tip.currency_code != amount.currency_code:
            raise ValueError("the tip is in another currency than the amount")
        entry = Entry(
            number=order_number or new_request_id(),
            stage=Stage.SENT,
            minor_units=amount.minor_units,
            currency_code=amount.currency_code,
            request_id=new_request_id(),
            settle_id=new_request_id(),
            trace_number=self.journal.next_trace(),
            business_date=today(),
            tip_minor_units=0 if tip is None else tip.minor_units,
            ask_tip=ask_tip,
        )
        return AsyncSale(self, entry, description)

    async def charge(
        self,
        code: str,
        amount: Money,
        *,
        order_number: str = "",
        description: str = "",
        tip: Money | None = None,
    ) -> Charge:
        """Charge a payer by a scanned code. The answer is definite.

        Raises:
            LongmenError: the till is set up wrong, such as with a revoked key; nothing was paid.
        """
        sale = self.begin(amount, order_number=order_number, description=description, tip=tip)
        return await sale.scan(code)

    async def show(
        self,
        amount: Money,
        *,
        order_number: str = "",
        description: str = "",
        tip: Money | None = None,
        ask_tip: bool = False,
    ) -> AsyncSale:
        """Register a sale whose code the payer scans; then `AsyncSale.wait` for the payment.

        Raises:
            LongmenError: it could not be registered.
        """
        sale = self.begin(
            amount, order_number=order_number, description=description, tip=tip, ask_tip=ask_tip
        )
        await sale.register()
        return sale

    async def refund(
        self, order_id: str, amount: Money, *, refund_number: str = "", reason_text: str = ""
    ) -> RefundMade:
        """Return money of an order, once for each refund number.

        Raises:
            LongmenError: it was refused; or it is not known, then it stays in the journal and
                `resume` sends it again.
        """
        entry = Entry(
            number=refund_number or new_request_id(),
            stage=Stage.REFUND,
            minor_units=amount.minor_units,
            currency_code=amount.currency_code,
            request_id=new_request_id(),
            settle_id="",
            business_date=today(),
            order_id=order_id,
            reason_text=reason_text,
        )
        self.journal.put(entry)
        return await self._send_refund(entry)

    async def lookup(self, order_number: str) -> payments_service_pb2.LookupOrderResponse:
        """What became of an order, as one of four honest answers.

        Raises:
            LongmenError: it could not be asked.
        """
        return await self.bank.payments.lookup_order(
            merchant_id=self.merchant_id, order_number=order_number
        )

    def watch(self, order_id: str) -> AsyncStream[payments_service_pb2.WatchOrderResponse]:
        """An order at once, and then whenever it changes."""
        return self.bank.payments.watch_order(order_id=order_id)

    async def report(self, software_version: str = "") -> None:
        """Tell the bank that the till is alive.

        Raises:
            LongmenError: it could not be told.
        """
        await self.bank.merchants.report_terminal(
            terminal_id=self.terminal_id, software_version=software_version
        )

    async def resume(self) -> Resumed:
        """Finish what a power loss or a broken network has cut off; one failure stops no other.

        Call it when the till starts, and again while anything is pending. What the bank refuses is
        told as an error of the result: a refund is over with that, a reversal stays in the journal.
        """
        charges: list[Charge] = []
        refunds: list[RefundMade] = []
        failed: list[LongmenError] = []
        for entry in self.journal.entries:
            try:
                if entry.stage is Stage.REFUND:
                    refunds.append(await self._send_refund(entry, sent_before=True))
                elif entry.stage is Stage.REVERSE:
                    charges.append(await self._reverse(entry))
                else:
                    charges.append(await self.settle(entry))
            except LongmenError as error:
                failed.append(error)
        return Resumed(charges=tuple(charges), refunds=tuple(refunds), errors=tuple(failed))

    # -- without a network ---------------------------------------------------------------------

    async def prepare_offline(self, store: OfflineStore) -> None:
        """Make the till ready to sell without a network; again every day, for the terms change.

        Raises:
            LongmenError: the bank could not be asked.
        """
        await offline.prepare(self, store)

    async def forward_offline(self, store: OfflineStore) -> list[Forwarded]:
        """Send what was sold without a network, and learn what became of each sale.

        Raises:
            LongmenError: the bank cannot be reached; what it has answered is kept in the store.
        """
        return await offline.forward(self, store)

    # -- what sales are made of ----------------------------------------------------------------

    async def await_payer(
        self, sale: AsyncSale, order: order_pb2.Order, ends: float, *, shown: bool = False
    ) -> Charge:
        """Wait until the payer has decided, or the time is over."""
        waiting = _WAITING | {order_pb2.ORDER_STATE_PENDING_PAYER} if shown else _WAITING
        if order.state in waiting and self.goes_on(ends):
            order = await self._watched(order, waiting, ends)
        if order.state == order_pb2.ORDER_STATE_PENDING_PAYER and not shown:
            sale._mark(Stage.OPEN)  # noqa: SLF001 - a till and its sales are one
            told = charge_of(order, sale.order_number, sale.amount, DECLINED)
            return dataclasses.replace(told, may_scan_again=True)
        if order.state in waiting or order.state == order_pb2.ORDER_STATE_EXPIRED:
            # By the clock it is over; a payment that had begun by then may be on its way.
            return await self.settle(sale._entry)  # noqa: SLF001
        self.journal.end(sale.order_number)
        return charge_of(order, sale.order_number, sale.amount)

    async def _watched(
        self, order: order_pb2.Order, waiting: frozenset[int], ends: float
    ) -> order_pb2.Order:
        """The order once it is no longer waiting, or as it was when the time was over."""
        options = CallOptions(deadline_ms=max(1, int((ends - time.monotonic()) * 1000)))
        try:
            async with self.bank.payments.watch_order(
                order_id=order.order_id, options=options
            ) as stream:
                async for message in stream:
                    order = message.order
                    if order.state not in waiting:
                        break
        except LongmenError:
            # The stream is a convenience: whatever it ends with, the bank is asked next.
            return order
        return order

    async def settle(self, entry: Entry) -> Charge:
        """Have the bank end a sale one way or the other, or give it up."""
        amount = Money(entry.minor_units, entry.currency_code)
        ends = self.end_of_settling()
        while True:
            try:
                reply = await self.bank.payments.resolve_order(
                    merchant_id=self.merchant_id,
                    order_number=entry.number,
                    request_id=entry.settle_id,
                    options=self.options(ends),
                )
            except LongmenError as error:
                if is_in_doubt(error) and self.goes_on(ends):
                    continue
                break
            self.journal.end(entry.number)
            return charge_of(reply.message.order, entry.number, amount)
        # From here on the sale is not paid: the reversal sees to that, however late it arrives.
        self.journal.put(
            dataclasses.replace(entry, stage=Stage.REVERSE, settle_id=new_request_id())
        )
        return Charge(
            outcome=Outcome.NOT_PAID,
            order_number=entry.number,
            amount=amount,
            reason=UNREACHABLE,
            reversal_pending=True,
        )

    async def _reverse(self, entry: Entry) -> Charge:
        """Have the bank undo a sale that was given up."""
        amount = Money(entry.minor_units, entry.currency_code)
        ends, pending = self.end_of_settling(), False
        while True:
            try:
                await self.bank.payments.reverse_by_terminal_ref(
                    terminal_id=self.terminal_id,
                    trace_number=entry.trace_number,
                    business_date=entry.business_date,
                    request_id=entry.settle_id,
                    options=self.options(ends),
                )
            except LongmenError as error:
                if not is_in_doubt(error):
                    raise
                if self.goes_on(ends):
                    continue
                pending = True
            break
        if not pending:
            self.journal.end(entry.number)
        return Charge(
            outcome=Outcome.NOT_PAID,
            order_number=entry.number,
            amount=amount,
            reason=UNREACHABLE,
            reversal_pending=pending,
        )

    async def _send_refund(self, entry: Entry, *, sent_before: bool = False) -> RefundMade:
        amount = Money(entry.minor_units, entry.currency_code)
        ends, unsaid = self.end_of_settling(), sent_before
        while True:
            try:
                reply = await self.bank.payments.refund_order(
                    order_id=entry.order_id,
                    refund_number=entry.number,
                    amount=amount,
                    reason_text=entry.reason_text,
                    # Wherever it was sold: this till counts it. Journals of old name no day.
                    terminal_id=self.terminal_id if entry.business_date else "",
                    business_date=entry.business_date,
                    request_id=entry.request_id,
                    options=self.options(ends),
                )
            except LongmenError as error:
                if is_in_doubt(error):
                    unsaid = True
                    if self.goes_on(ends):
                        continue
                elif settles(error.details) or not unsaid:
                    self.journal.end(entry.number)
                # Otherwise it stays: being turned away at the door says nothing of what was sent.
                raise
            self.journal.end(entry.number)
            return RefundMade(
                refund_id=reply.message.refund.refund_id,
                refund_number=entry.number,
                order_id=entry.order_id,
                amount=amount,
                order_state=state_name(reply.message.order.state),
            )

    def has_open_sale(self) -> bool:
        """Whether a sale is open whose scans were refused; the next one takes its place."""
        return any(one.stage is Stage.OPEN for one in self.journal.entries)

    def superseded(self, number: str) -> None:
        """Forget the sales that another one has taken the place of."""
        for one in self.journal.entries:
            if one.stage is Stage.OPEN and one.number != number:
                self.journal.end(one.number)

    def end_of_charge(self) -> float:
        """Until when a payer has time, in monotonic seconds."""
        return time.monotonic() + self.limits.charge_ms / 1000

    def end_of_settling(self) -> float:
        """Until when a sale in doubt is asked about, in monotonic seconds."""
        return time.monotonic() + self.limits.settle_ms / 1000

    def goes_on(self, ends: float) -> bool:
        """Whether there is time for another attempt."""
        return time.monotonic() < ends

    def options(self, ends: float) -> CallOptions:
        """How long the next attempt may take."""
        left_ms = int((ends - time.monotonic()) * 1000)
        return CallOptions(deadline_ms=max(1, min(left_ms, self.limits.attempt_ms)))
