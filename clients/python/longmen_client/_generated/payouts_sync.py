"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import payout_pb2, payouts_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Payouts:
    """PayoutsService keeps the bank accounts that merchants are paid on, and shows what was paid.
    A merchant registers an account, the bank confirms it, and from then on every settlement
    goes there through the clearing. What the clearing refuses, or the other bank sends back, is
    owed to the merchant again in the transaction that records it, and the account is suspended
    until somebody has looked at it.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def register_payout_account(
        self,
        *,
        merchant_id: str,
        bank_account: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payouts_service_pb2.RegisterPayoutAccountResponse]:
        """Takes a bank account that the merchant wants to be paid on, in place of an earlier
        candidate.

        Nothing is paid there before it is confirmed.

        Args:
            merchant_id: Merchant id whose account it is.
            bank_account: Bank account: its number, letters and digits, blanks and dashes between
                them as people write it.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CLEARING_REFUSED.

        Scope: payouts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payouts_service_pb2.RegisterPayoutAccountRequest(
            merchant_id=merchant_id,
            bank_account=bank_account,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.PAYOUTS_REGISTER_PAYOUT_ACCOUNT, request, request.request_id, options
        )

    def confirm_payout_account(
        self,
        *,
        merchant_id: str,
        payout_account_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payouts_service_pb2.ConfirmPayoutAccountResponse]:
        """Lets settlements be paid to the candidate, or again to an account that was suspended.

        What waited for an account goes out.

        Args:
            merchant_id: Merchant id whose account it is.
            payout_account_id: Payout account id that is to be paid to.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                PAYOUT_ACCOUNT_NOT_FOUND, PAYOUT_ACCOUNT_ACTIVE.

        Scope: payouts.confirm. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payouts_service_pb2.ConfirmPayoutAccountRequest(
            merchant_id=merchant_id,
            payout_account_id=payout_account_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.PAYOUTS_CONFIRM_PAYOUT_ACCOUNT, request, request.request_id, options
        )

    def get_payout_account(
        self,
        *,
        merchant_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payouts_service_pb2.GetPayoutAccountResponse:
        """Shows where a merchant is paid, and the candidate for it.

        Args:
            merchant_id: Merchant id whose account is asked for.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: payouts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payouts_service_pb2.GetPayoutAccountRequest(
            merchant_id=merchant_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.PAYOUTS_GET_PAYOUT_ACCOUNT, request, options)

    def get_payout(
        self,
        *,
        settlement_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payouts_service_pb2.GetPayoutResponse:
        """Shows the payout of a settlement.

        Args:
            settlement_id: Settlement id whose payout is asked for.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYOUT_NOT_FOUND.

        Scope: payouts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payouts_service_pb2.GetPayoutRequest(
            settlement_id=settlement_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.PAYOUTS_GET_PAYOUT, request, options)

    def list_payouts(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[payout_pb2.Payout, payouts_service_pb2.ListPayoutsResponse]:
        """Lists a merchant's payouts, newest first.

        Args:
            merchant_id: Merchant id whose payouts are asked for.
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

        Scope: payouts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payouts_service_pb2.ListPayoutsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.PAYOUTS_LIST_PAYOUTS, request, "payouts", options)
