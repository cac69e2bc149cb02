"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import bill_pb2, donation_pb2, donations_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncDonations:
    """DonationsService lets customers give to merchants that were taken in as charities, by name
    or without, and gives them receipts for each gift and each year.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def donate(
        self,
        *,
        merchant_id: str,
        from_account_id: str,
        amount: Money,
        anonymous: bool = False,
        message: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[donations_service_pb2.DonateResponse]:
        """Gives to a charity from a wallet account.

        Args:
            merchant_id: Merchant id of the charity.
            from_account_id: From account id that gives.
            amount: Amount given.
            anonymous: Anonymous keeps the donor's name from the charity.
            message: Message to the charity. It is kept encrypted.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                NOT_A_CHARITY, ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, DEBIT_ACCOUNT_CLOSED,
                DEBIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS,
                SINGLE_LIMIT_EXCEEDED, NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: donations.give. Deadline: 5000 ms, at most 30000 ms.
        """
        request = donations_service_pb2.DonateRequest(
            merchant_id=merchant_id,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            anonymous=anonymous,
            message=message,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.DONATIONS_DONATE, request, request.request_id, options
        )

    async def get_donation(
        self,
        *,
        donation_id: str,
        format: bill_pb2.ReceiptFormat.ValueType = bill_pb2.RECEIPT_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> donations_service_pb2.GetDonationResponse:
        """Returns a gift to its donor, with a receipt as a document where that is asked for, and to
        its charity.

        Args:
            donation_id: Donation id to look up.
            format: Format of a document; unspecified means none.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DONATION_NOT_FOUND,
                OVERLOADED.

        Scope: donations.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = donations_service_pb2.GetDonationRequest(
            donation_id=donation_id, format=format, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.DONATIONS_GET_DONATION, request, options)

    def list_donations(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[donation_pb2.Donation, donations_service_pb2.ListDonationsResponse]:
        """Lists the gifts to a charity, newest first.

        Args:
            merchant_id: Merchant id of the charity.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: donations.list. Deadline: 5000 ms, at most 30000 ms.
        """
        request = donations_service_pb2.ListDonationsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.DONATIONS_LIST_DONATIONS, request, "donations", options
        )

    async def get_donation_summary(
        self,
        *,
        year: int,
        customer_id: str = "",
        format: bill_pb2.ReceiptFormat.ValueType = bill_pb2.RECEIPT_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> donations_service_pb2.GetDonationSummaryResponse:
        """Returns what a customer gave in a year, charity by charity, with a receipt as a document
        where that is asked for.

        Args:
            year: Year by the institution's calendar.
            customer_id: Customer id who gave; a customer may leave the own id out.
            format: Format of a document; unspecified means none.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                OVERLOADED.

        Scope: donations.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = donations_service_pb2.GetDonationSummaryRequest(
            year=year, customer_id=customer_id, format=format, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.DONATIONS_GET_DONATION_SUMMARY, request, options)
