"""Paying merchants: by scanning their codes, and by showing one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import order_pb2, payer_code_pb2
from longmen_app.payer_code import Clock, CodeMaker, Scan, machine_time
from longmen_client._errors import LongmenError
from longmen_client._retry import settles
from longmen_client.errors import NeedsAuth
from longmen_client.ids import RequestId, new_request_id
from longmen_client.money import Money

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_app._async.wallet import AsyncWallet


class AsyncPurchase:
    """A merchant's code that was scanned and waits for the customer's yes.

        purchase = await AsyncPurchase.scan(wallet, code)
        print(purchase.merchant_name, purchase.amount)   # the customer says yes to this
        await purchase.confirm()

    Confirming twice pays once.
    """

    def __init__(
        self, wallet: AsyncWallet, *, code: str, scanned: order_pb2.ScannedCode, account_id: str
    ) -> None:
        self.merchant_name = scanned.merchant_local_name or scanned.merchant_name
        """To show to the payer."""
        self.description = scanned.description
        self.amount = Money.from_proto(scanned.amount) if scanned.order_id else None
        """None for a printed code: the customer types the amount."""
        self.tip = Money.from_proto(scanned.tip) if scanned.tip.minor_units else None
        """Paid besides the amount; None without one."""
        self.asks_tip = scanned.tip_offer.mode == order_pb2.TIP_MODE_ASK
        """Whether the customer may add a tip."""
        self.request_id: RequestId = new_request_id()
        self._wallet = wallet
        self._code = code
        self._order_id = scanned.order_id
        self._account_id = account_id

    @classmethod
    async def scan(cls, wallet: AsyncWallet, code: str) -> AsyncPurchase:
        """Look a scanned code up.

        Raises:
            LongmenError: such as CodeMalformed or CodeUnknownScheme.
            LookupError: the wallet has no account in the merchant's currency.
        """
        found = (await wallet.bank.payments.parse_code(code=code)).scanned
        account_id = await wallet.account_id(found.currency_code)
        return cls(wallet, code=code, scanned=found, account_id=account_id)

    async def confirm(
        self, amount: Money | None = None, *, tip: Money | None = None
    ) -> order_pb2.Payment:
        """Pay; where the bank asks for it, approve first with what the wallet's approver gives.

        Args:
            amount: typed by the customer, for a printed code only.
            tip: given by the customer, where the code asks for one.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: look at `outcome_unknown`; when it is true, confirm this purchase again.
            ValueError: a printed code without an amount, an order with another one, or a tip that
                nobody has asked for.
        """
        due = self.amount or amount
        if due is None or (amount is not None and amount != due):
            raise ValueError("a printed code is paid with a typed amount, an order with its own")
        if tip is not None and not self.asks_tip:
            raise ValueError("the code asks for no tip")
        besides = tip or self.tip
        try:
            return await self._send(due, besides)
        except NeedsAuth as needed:
            await self._wallet.approve(needed)
            return await self._send(due, besides)

    async def _send(self, amount: Money, tip: Money | None) -> order_pb2.Payment:
        """Send the payment, the same each time."""
        payments = self._wallet.bank.payments
        if self._order_id:
            paid = await payments.pay_order(
                order_id=self._order_id,
                from_account_id=self._account_id,
                amount=amount,
                tip=tip,
                request_id=self.request_id,
            )
            self._wallet.remember(paid.committed_at)
            return paid.message.payment
        typed = await payments.pay_static_code(
            code=self._code,
            from_account_id=self._account_id,
            amount=amount,
            request_id=self.request_id,
        )
        self._wallet.remember(typed.committed_at)
        return typed.message.payment


class AsyncPayerCode:
    """Codes that this device shows to tills, with a network or without.

    codes = await AsyncPayerCode.enrol(wallet, "CNY")
    print(codes.maker.next_code())          # offline; keep codes.maker.save() like a key
    async for scan in codes.scans():        # while a code is on the screen
        if scan.asks:
            await codes.confirm(scan)       # or codes.decline(scan)
    """

    def __init__(self, wallet: AsyncWallet, maker: CodeMaker) -> None:
        self.maker = maker
        """Makes the codes."""
        self._wallet = wallet
        self._requests: dict[str, RequestId] = {}

    @classmethod
    async def enrol(
        cls, wallet: AsyncWallet, currency_code: str, *, clock: Clock = machine_time
    ) -> AsyncPayerCode:
        """Get a secret to make codes with; the one that the device had before is void.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: such as AccountNotFound.
            LookupError: the wallet has no account in the currency.
        """
        account_id = await wallet.account_id(currency_code)
        request_id = new_request_id()
        try:
            reply = await wallet.bank.payer_codes.enrol_payer_code(
                account_id=account_id, request_id=request_id
            )
        except NeedsAuth as needed:
            await wallet.approve(needed)
            reply = await wallet.bank.payer_codes.enrol_payer_code(
                account_id=account_id, request_id=request_id
            )
        told = reply.message
        maker = CodeMaker(
            secret=told.secret,
            handle=told.payer_code.handle,
            account_id=account_id,
            clock=clock,
        )
        codes = cls(wallet, maker)
        codes._take(told.payer_code)
        return codes

    async def renew(self) -> None:
        """Get the whole budget back; do it whenever there is a network.

        Raises:
            LongmenError: such as PayerCodeNotFound.
        """
        reply = await self._wallet.bank.payer_codes.renew_payer_code()
        self._take(reply.message.payer_code)

    async def revoke(self) -> None:
        """Let no code of this device be taken any more.

        Raises:
            LongmenError: such as PayerCodeNotFound.
        """
        await self._wallet.bank.payer_codes.revoke_payer_code()
        self.maker.renewed(0, 0.0)

    async def latest(self) -> Scan | None:
        """What the latest scan of the device asks; None before the first.

        Raises:
            LongmenError: such as PayerCodeNotFound.
        """
        found = await self._wallet.bank.payer_codes.get_payer_code()
        return _scan(found.scan) if found.HasField("scan") else None

    async def scans(self) -> AsyncIterator[Scan]:
        """What each scan from now on asks, until the caller leaves; first of all one that waits.

        Raises:
            LongmenError: such as PayerCodeNotFound.
        """
        first = True
        async with self._wallet.bank.payer_codes.watch_payer_code() as stream:
            async for message in stream:
                scan = _scan(message.scan) if message.HasField("scan") else None
                if scan is not None and (scan.asks or not first):
                    yield scan
                first = False

    async def confirm(self, scan: Scan) -> order_pb2.Payment:
        """Pay what a till asks; where the bank asks for it, approve first.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: such as OrderClosed, when the till has given up.
        """
        try:
            return await self._pay(scan)
        except NeedsAuth as needed:
            await self._wallet.approve(needed)
            return await self._pay(scan)

    async def decline(self, scan: Scan) -> None:
        """Turn down what a till asks; it may scan another code.

        Raises:
            LongmenError: such as OrderClosed.
        """
        await self._wallet.bank.payer_codes.decline_scan(order_id=scan.order_id)

    async def _pay(self, scan: Scan) -> order_pb2.Payment:
        # One request id for each order: confirming twice pays once.
        request_id = self._requests.setdefault(scan.order_id, new_request_id())
        try:
            reply = await self._wallet.bank.payments.pay_order(
                order_id=scan.order_id,
                from_account_id=self.maker.account_id,
                amount=scan.amount,
                tip=scan.tip,
                request_id=request_id,
            )
        except NeedsAuth:
            raise
        except LongmenError as error:
            if settles(error.details):
                # Refusals use request ids up, and an order is paid once whichever it is paid by.
                del self._requests[scan.order_id]
            raise
        self._wallet.remember(reply.committed_at)
        return reply.message.payment

    def _take(self, told: payer_code_pb2.PayerCode) -> None:
        self.maker.renewed(told.codes_left, told.renew_before_time.ToMilliseconds() / 1000)


def _scan(message: payer_code_pb2.Scan) -> Scan:
    """A scan of the contract in the words of the app."""
    return Scan(
        order_id=message.order_id,
        merchant_name=message.merchant_local_name or message.merchant_name,
        amount=Money.from_proto(message.amount),
        tip=Money.from_proto(message.tip) if message.tip.minor_units else None,
        description=message.description,
        state=order_pb2.OrderState.Name(message.state).removeprefix("ORDER_STATE_"),
    )
