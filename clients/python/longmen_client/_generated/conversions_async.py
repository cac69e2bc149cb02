"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import conversions_service_pb2, quote_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncConversions:
    """ConversionsService exchanges currencies. A quote shows mid-market rate, spread, fee and both
    amounts before anything is confirmed; it is executed once, in one transaction with both
    sides, or not at all. Customers see their own quotes and conversions only.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_quote(
        self,
        *,
        from_account_id: str,
        to_account_id: str,
        amount: Money,
        lock_seconds: int = 0,
        tier: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.CreateQuoteResponse]:
        """Offers an exchange between two accounts of one customer.

        The amount's currency fixes the side: in that of the account charged, what is paid; in that
        of the account paid, what is got.

        Args:
            from_account_id: From account id is charged.
            to_account_id: To account id is paid.
            amount: Amount that is fixed, above zero.
            lock_seconds: Lock seconds that the rate is promised for: 0, 60, 1800, 14400 or 86400.
            tier: Tier of the customer, which only the bank's systems name; empty means standard.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND,
                FX_RATE_STALE, FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE, FX_ORDER_LIMIT.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.CreateQuoteRequest(
            from_account_id=from_account_id,
            to_account_id=to_account_id,
            amount=wire_money(amount),
            lock_seconds=lock_seconds,
            tier=tier,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_CREATE_QUOTE, request, request.request_id, options
        )

    async def get_quote(
        self,
        *,
        quote_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> conversions_service_pb2.GetQuoteResponse:
        """Returns a quote.

        Args:
            quote_id: Quote id of the offer.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_QUOTE_NOT_FOUND.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.GetQuoteRequest(
            quote_id=quote_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.CONVERSIONS_GET_QUOTE, request, options)

    async def cancel_quote(
        self,
        *,
        quote_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.CancelQuoteResponse]:
        """Gives a quote up.

        A cancelled one stays cancelled.

        Args:
            quote_id: Quote id of the offer.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_QUOTE_NOT_FOUND,
                FX_QUOTE_USED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.CancelQuoteRequest(
            quote_id=quote_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CONVERSIONS_CANCEL_QUOTE, request, request.request_id, options
        )

    async def execute_quote(
        self,
        *,
        quote_id: str,
        source_amount: Money,
        target_amount: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.ExecuteQuoteResponse]:
        """Exchanges what was offered; the caller says both amounts, which have to be the quote's.

        Too late, it offers a fresh quote.

        Args:
            quote_id: Quote id of the offer.
            source_amount: Source amount that was shown, fee included.
            target_amount: Target amount that was shown.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_QUOTE_NOT_FOUND,
                AMOUNT_MISMATCH, FX_QUOTE_USED, FX_QUOTE_CANCELLED, FX_QUOTE_EXPIRED, FX_RATE_MOVED,
                FX_PROMOTION_SPENT, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND, INSUFFICIENT_FUNDS,
                DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN, FX_POSITION_LIMIT, FX_QUOTA_EXCEEDED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.ExecuteQuoteRequest(
            quote_id=quote_id,
            source_amount=wire_money(source_amount),
            target_amount=wire_money(target_amount),
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_EXECUTE_QUOTE, request, request.request_id, options
        )

    async def convert(
        self,
        *,
        from_account_id: str,
        to_account_id: str,
        amount: Money,
        counter_currency_code: str,
        tier: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.ConvertResponse]:
        """Exchanges a small amount at once, at the rate of the moment.

        Args:
            from_account_id: From account id is charged.
            to_account_id: To account id is paid.
            amount: Amount that is fixed, above zero.
            counter_currency_code: Counter currency code is that of the account that the amount is
                not in.
            tier: Tier of the customer, which only the bank's systems name; empty means standard.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_QUOTE_NEEDED,
                FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND, FX_RATE_STALE,
                FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE, FX_ORDER_LIMIT, CURRENCY_MISMATCH,
                ACCOUNT_NOT_FOUND, INSUFFICIENT_FUNDS, DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, FX_POSITION_LIMIT, FX_QUOTA_EXCEEDED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.ConvertRequest(
            from_account_id=from_account_id,
            to_account_id=to_account_id,
            amount=wire_money(amount),
            counter_currency_code=counter_currency_code,
            tier=tier,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_CONVERT, request, request.request_id, options
        )

    async def quote_abroad(
        self,
        *,
        from_account_id: str,
        amount: Money,
        target_currency_code: str,
        payee_account_id: str = "",
        lock_seconds: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.QuoteAbroadResponse]:
        """Offers to pay somebody else in another currency: another customer's account, or a
        beneficiary abroad by the bank's correspondent in the currency.

        Rate and fee are shown before anything is confirmed; the quote is taken by PayAbroad.

        Args:
            from_account_id: From account id is charged.
            amount: Amount that is fixed, above zero: in the payer's currency what is paid, in the
                payee's what is got.
            target_currency_code: Target currency code of the payee.
            payee_account_id: Payee account id is another customer's; empty means a beneficiary
                abroad, who is paid by the correspondent.
            lock_seconds: Lock seconds that the rate is promised for: 0, 60, 1800, 14400 or 86400.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                PAYEE_NOT_FOUND, PAYEE_CURRENCY_UNAVAILABLE, FX_PAYEE_IS_PAYER, CURRENCY_MISMATCH,
                FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE, FX_RATE_NOT_FOUND, FX_RATE_STALE,
                FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE, FX_ORDER_LIMIT.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.QuoteAbroadRequest(
            from_account_id=from_account_id,
            amount=wire_money(amount),
            target_currency_code=target_currency_code,
            payee_account_id=payee_account_id,
            lock_seconds=lock_seconds,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_QUOTE_ABROAD, request, request.request_id, options
        )

    async def pay_abroad(
        self,
        *,
        quote_id: str,
        source_amount: Money,
        target_amount: Money,
        reference: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.PayAbroadResponse]:
        """Pays what was offered by QuoteAbroad, from the payer's currency into the payee's in one
        transaction.

        The caller says both amounts, which have to be the quote's. Too late, it offers a fresh
        quote.

        Args:
            quote_id: Quote id of the offer.
            source_amount: Source amount that was shown, fee included.
            target_amount: Target amount that was shown.
            reference: Reference under which the bank's gateway keeps the beneficiary abroad, for
                the correspondent; empty for another customer. It is kept with the books and is no
                place for names.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_QUOTE_NOT_FOUND,
                AMOUNT_MISMATCH, FX_QUOTE_USED, FX_QUOTE_CANCELLED, FX_QUOTE_EXPIRED, FX_RATE_MOVED,
                FX_PROMOTION_SPENT, FX_PAYEE_IS_PAYER, FX_REFERENCE_NEEDED, PAYEE_NOT_FOUND,
                INSUFFICIENT_FUNDS, SINGLE_LIMIT_EXCEEDED, BALANCE_LIMIT_EXCEEDED,
                DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN, FX_POSITION_LIMIT, FX_QUOTA_EXCEEDED.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.PayAbroadRequest(
            quote_id=quote_id,
            source_amount=wire_money(source_amount),
            target_amount=wire_money(target_amount),
            reference=reference,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_PAY_ABROAD, request, request.request_id, options
        )

    async def set_auto_conversion(
        self,
        *,
        account_id: str,
        enabled: bool = False,
        source_account_ids: Iterable[str] = (),
        payment_max: Money | None = None,
        day_max: Money | None = None,
        basis_points_max: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.SetAutoConversionResponse]:
        """Lets payments from a pocket that has too little exchange what is missing out of other
        pockets by themselves, or no longer: in the transaction of the payment, at the price of the
        moment, within the caps given here.

        It is off until it is set. Turning it on or changing it is approved like an exchange of what
        a day may cost.

        Args:
            account_id: Account id of the pocket that is filled up.
            enabled: Enabled is whether payments may exchange what they lack.
            source_account_ids: Source account ids are the pockets to exchange from, in the order
                they are tried; five at most, each once.
            payment_max: Payment max is the most that is exchanged for one payment, in the pocket's
                currency.
            day_max: Day max is the most that is exchanged in one day of the institution, in the
                pocket's currency.
            basis_points_max: Basis points max that spread and fee may cost together; 0 to 1,000.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE. Customers with a
                session have to approve: NEEDS_AUTH, STEP_UP_UNAVAILABLE.

        Scope: fx.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.SetAutoConversionRequest(
            account_id=account_id,
            enabled=enabled,
            source_account_ids=source_account_ids,
            payment_max=wire_money(payment_max),
            day_max=wire_money(day_max),
            basis_points_max=basis_points_max,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CONVERSIONS_SET_AUTO_CONVERSION, request, request.request_id, options
        )

    async def list_auto_conversions(
        self,
        *,
        customer_id: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> conversions_service_pb2.ListAutoConversionsResponse:
        """Lists what a customer has agreed to, by pocket.

        Args:
            customer_id: Customer id whose they are; customers may leave their own out.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.ListAutoConversionsRequest(
            customer_id=customer_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.CONVERSIONS_LIST_AUTO_CONVERSIONS, request, options)

    async def get_fx_quota(
        self,
        *,
        customer_id: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> conversions_service_pb2.GetFxQuotaResponse:
        """Returns what a customer has used of the present year's quotas of foreign currency, and
        what is left.

        Args:
            customer_id: Customer id whose quota it is; customers may leave their own out.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.GetFxQuotaRequest(
            customer_id=customer_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.CONVERSIONS_GET_FX_QUOTA, request, options)

    async def get_conversion(
        self,
        *,
        conversion_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> conversions_service_pb2.GetConversionResponse:
        """Returns a conversion.

        Args:
            conversion_id: Conversion id of the exchange.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_CONVERSION_NOT_FOUND.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.GetConversionRequest(
            conversion_id=conversion_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.CONVERSIONS_GET_CONVERSION, request, options)

    async def reverse_conversion(
        self,
        *,
        conversion_id: str,
        basis: quote_pb2.ReversalBasis.ValueType = quote_pb2.REVERSAL_BASIS_UNSPECIFIED,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[conversions_service_pb2.ReverseConversionResponse]:
        """Takes a conversion back, once: at its own rate while the price list allows it, at today's
        after.

        Args:
            conversion_id: Conversion id of the exchange.
            basis: Basis demanded; unspecified leaves it to the price list.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FX_CONVERSION_NOT_FOUND,
                FX_NOT_REVERSIBLE, FX_CONVERSION_REVERSED, FX_REVERSAL_TOO_LATE, FX_RATE_NOT_FOUND,
                FX_RATE_STALE, FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE, INSUFFICIENT_FUNDS,
                DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN.

        Scope: fx.reverse. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.ReverseConversionRequest(
            conversion_id=conversion_id, basis=basis, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CONVERSIONS_REVERSE_CONVERSION, request, request.request_id, options
        )

    def list_conversions(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[quote_pb2.Conversion, conversions_service_pb2.ListConversionsResponse]:
        """Lists a customer's conversions, newest first.

        Args:
            customer_id: Customer id whose they are; customers may leave their own out.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: fx.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = conversions_service_pb2.ListConversionsRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.CONVERSIONS_LIST_CONVERSIONS, request, "conversions", options
        )
