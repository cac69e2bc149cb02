"""Exchanging currencies between the pockets of a wallet: offered, shown, confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_client.errors import FxQuoteExpired, FxRateMoved, InsufficientFunds, NeedsAuth
from longmen_client.ids import RequestId, new_request_id
from longmen_client.money import Money

if TYPE_CHECKING:
    from longmen.fx.v1 import quote_pb2
    from longmen_app._async.wallet import AsyncWallet


class AsyncExchange:
    """An exchange that was offered and waits for the customer's yes.

        offer = await AsyncExchange.offer(wallet, Money.of("1000.00", "CNY"), "CNY", "USD")
        print(offer.pays, offer.gets, offer.rate, offer.fee)   # the customer says yes to this
        await offer.confirm()

    Somebody else is paid in another currency the same way, by `AsyncExchange.abroad`. Confirming
    twice exchanges once.
    """

    def __init__(
        self, wallet: AsyncWallet, quote: quote_pb2.Quote, reference: str | None = None
    ) -> None:
        made = quote.exchange
        self.pays = Money.from_proto(made.source_amount)
        """What leaves the wallet, fee included."""
        self.gets = Money.from_proto(made.target_amount)
        self.fee = Money(made.fee.minor_units, self.pays.currency_code)
        """Part of what is paid."""
        self.spread = Money(made.spread.minor_units, self.gets.currency_code)
        """What the bank earns by the difference of `mid` and `rate`."""
        self.mid = quote.mid
        """The mid-market rate, a plain decimal."""
        self.rate = quote.client_rate
        """What one unit of what is paid gets, the fee apart."""
        self.until = quote.expire_time.ToDatetime()
        """When the offer ends, in UTC."""
        self.quote_id = quote.quote_id
        self.request_id: RequestId = new_request_id()
        """Keep it to be able to ask again after a restart."""
        self._wallet = wallet
        self._reference = reference
        """Of a payment to somebody else; None for an exchange between the own pockets."""

    @classmethod
    async def abroad(
        cls,
        wallet: AsyncWallet,
        amount: Money,
        pay: str,
        get: str,
        *,
        payee_account_id: str = "",
        reference: str = "",
        lock_seconds: int = 0,
    ) -> AsyncExchange:
        """Ask what paying somebody else in another currency would be.

        Args:
            wallet: whose pocket is charged.
            amount: what is paid or what is got: its currency says which.
            pay: currency to pay in.
            get: currency that the payee gets.
            payee_account_id: another customer's account in it; empty for a beneficiary abroad.
            reference: of the beneficiary abroad, at the bank's gateway.
            lock_seconds: how long the rate is promised: 0, 60, 1800, 14400 or 86400.

        Raises:
            LongmenError: such as PayeeNotFound or FxRateStale.
            LookupError: the wallet has no account to pay from.
        """
        reply = await wallet.bank.conversions.quote_abroad(
            from_account_id=await wallet.account_id(pay),
            payee_account_id=payee_account_id,
            amount=amount,
            target_currency_code=get,
            lock_seconds=lock_seconds,
        )
        wallet.remember(reply.committed_at)
        return cls(wallet, reply.message.quote, reference)

    @classmethod
    async def offer(
        cls,
        wallet: AsyncWallet,
        amount: Money,
        pay: str,
        get: str,
        *,
        lock_seconds: int = 0,
        open_pocket: bool = False,
    ) -> AsyncExchange:
        """Ask for an offer.

        Args:
            wallet: whose pockets.
            amount: what is paid or what is got: its currency says which.
            pay: currency to pay in.
            get: currency to get.
            lock_seconds: how long the rate is promised: 0, 60, 1800, 14400 or 86400.
            open_pocket: whether to open a pocket for what is got, if there is none.

        Raises:
            LongmenError: such as FxRateStale or FxAmountTooSmall.
            LookupError: the wallet has no account in one of the currencies.
        """
        try:
            to_account_id = await wallet.account_id(get)
        except LookupError:
            if not open_pocket:
                raise
            await wallet.open_pocket(get)
            to_account_id = await wallet.account_id(get)
        reply = await wallet.bank.conversions.create_quote(
            from_account_id=await wallet.account_id(pay),
            to_account_id=to_account_id,
            amount=amount,
            lock_seconds=lock_seconds,
        )
        wallet.remember(reply.committed_at)
        return cls(wallet, reply.message.quote)

    @classmethod
    async def cover(
        cls, wallet: AsyncWallet, short: InsufficientFunds, *, lock_seconds: int = 0
    ) -> AsyncExchange:
        """Ask for an offer of what a payment lacks, out of the pocket that its refusal names.

            try:
                await payment.confirm()
            except InsufficientFunds as short:
                offer = await AsyncExchange.cover(wallet, short)
                print(offer.pays, offer.gets, offer.rate)   # the customer says yes to this
                await offer.confirm()
                await payment.again().confirm()

        Args:
            wallet: who pays.
            short: what the payment was refused with.
            lock_seconds: how long the rate is promised: 0, 60, 1800, 14400 or 86400.

        Raises:
            LongmenError: such as FxRateStale.
            LookupError: no other pocket of the wallet would do.
        """
        pocket = short.metadata.get("pocket_account_id")
        if not pocket:
            raise LookupError("no other pocket of the wallet would do")
        currency = short.metadata["currency_code"]
        reply = await wallet.bank.conversions.create_quote(
            from_account_id=pocket,
            to_account_id=await wallet.account_id(currency),
            amount=Money(int(short.metadata["missing_minor_units"]), currency),
            lock_seconds=lock_seconds,
        )
        wallet.remember(reply.committed_at)
        return cls(wallet, reply.message.quote)

    async def confirm(self) -> quote_pb2.Conversion:
        """Exchange; where the bank asks for it, approve first with the wallet's approver.

        Raises:
            FxQuoteExpired, FxRateMoved: the offer is gone; pass the error to `fresh`.
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: look at `outcome_unknown`; when it is true, confirm this offer again.
        """
        try:
            return await self._send()
        except NeedsAuth as needed:
            await self._wallet.approve(needed)
            return await self._send()

    async def fresh(self, error: FxQuoteExpired | FxRateMoved) -> AsyncExchange:
        """Return the offer that the bank made instead, at the price of the moment."""
        found = await self._wallet.bank.conversions.get_quote(
            quote_id=error.metadata["fresh_quote_id"]
        )
        return AsyncExchange(self._wallet, found.quote, self._reference)

    async def give_up(self) -> None:
        """Tell the bank that the customer said no; offers also end by themselves."""
        await self._wallet.bank.conversions.cancel_quote(quote_id=self.quote_id)

    async def _send(self) -> quote_pb2.Conversion:
        """Send it, the same each time."""
        bank = self._wallet.bank.conversions
        if self._reference is None:
            taken = await bank.execute_quote(
                quote_id=self.quote_id,
                source_amount=self.pays,
                target_amount=self.gets,
                request_id=self.request_id,
            )
            self._wallet.remember(taken.committed_at)
            return taken.message.conversion
        paid = await bank.pay_abroad(
            quote_id=self.quote_id,
            source_amount=self.pays,
            target_amount=self.gets,
            reference=self._reference,
            request_id=self.request_id,
        )
        self._wallet.remember(paid.committed_at)
        return paid.message.conversion
