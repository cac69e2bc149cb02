"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import mandate_pb2, mandates_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client.money import Money


class Mandates:
    """MandatesService keeps payers' leave for merchants to charge them by themselves: signed by
    the payer, with a cap for each charge and one for each cycle, announced before it is used
    where that was agreed, paused and ended whenever the payer wants.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def sign_mandate(
        self,
        *,
        from_account_id: str,
        merchant_id: str,
        mandate_number: str,
        single_cap: Money,
        cycle_cap: Money,
        cycle: mandate_pb2.MandateCycle.ValueType,
        notice_hours: int = 0,
        lifetime_days: int = 0,
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[mandates_service_pb2.SignMandateResponse]:
        """Gives a merchant leave.

        The same number with the same content returns the mandate as it stands.

        Args:
            from_account_id: From account id that is to be charged.
            merchant_id: Merchant id that may charge.
            mandate_number: Mandate number of the merchant's own.
            single_cap: Single cap is the most that one charge may take.
            cycle_cap: Cycle cap is the most that the charges of one cycle may take together; no
                less than the single cap.
            cycle: Cycle that the cap is for.
            notice_hours: Notice hours that a charge has to be announced before it is made; 0 needs
                none.
            lifetime_days: Lifetime days until it expires; 0 means a year.
            description: Description for both sides.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                MERCHANT_NOT_FOUND, CURRENCY_MISMATCH, MANDATE_NUMBER_REUSED, SINGLE_LIMIT_EXCEEDED,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: mandates.sign. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.SignMandateRequest(
            from_account_id=from_account_id,
            merchant_id=merchant_id,
            mandate_number=mandate_number,
            single_cap=wire_money(single_cap),
            cycle_cap=wire_money(cycle_cap),
            cycle=cycle,
            notice_hours=notice_hours,
            lifetime_days=lifetime_days,
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.MANDATES_SIGN_MANDATE, request, request.request_id, options
        )

    def get_mandate(
        self,
        *,
        mandate_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> mandates_service_pb2.GetMandateResponse:
        """Returns a mandate to its payer or its merchant.

        Args:
            mandate_id: Mandate id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MANDATE_NOT_FOUND.

        Scope: mandates.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.GetMandateRequest(
            mandate_id=mandate_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.MANDATES_GET_MANDATE, request, options)

    def list_mandates(
        self,
        *,
        account_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[mandate_pb2.Mandate, mandates_service_pb2.ListMandatesResponse]:
        """Lists the mandates on an account, newest first.

        Args:
            account_id: Account id whose mandates they are.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: mandates.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.ListMandatesRequest(
            account_id=account_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.MANDATES_LIST_MANDATES, request, "mandates", options)

    def set_mandate_state(
        self,
        *,
        mandate_id: str,
        state: mandate_pb2.MandateState.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[mandates_service_pb2.SetMandateStateResponse]:
        """Pauses, resumes or terminates a mandate.

        Merchants may only terminate it.

        Args:
            mandate_id: Mandate id to change.
            state: State to bring it to: active, paused or terminated.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MANDATE_NOT_FOUND,
                MANDATE_STATE_CONFLICT.

        Scope: mandates.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.SetMandateStateRequest(
            mandate_id=mandate_id, state=state, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.MANDATES_SET_MANDATE_STATE, request, request.request_id, options
        )

    def announce_charge(
        self,
        *,
        mandate_id: str,
        amount: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[mandates_service_pb2.AnnounceChargeResponse]:
        """Tells the payer of the next charge; it can be made once the notice agreed on is over.

        Args:
            mandate_id: Mandate id to charge.
            amount: Amount of the charge, above zero.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MANDATE_NOT_FOUND,
                MANDATE_NOT_ACTIVE, CURRENCY_MISMATCH, MANDATE_CAP_EXCEEDED.

        Scope: mandates.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.AnnounceChargeRequest(
            mandate_id=mandate_id,
            amount=wire_money(amount),
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.MANDATES_ANNOUNCE_CHARGE, request, request.request_id, options
        )

    def charge_mandate(
        self,
        *,
        mandate_id: str,
        merchant_id: str,
        order_number: str,
        amount: Money,
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[mandates_service_pb2.ChargeMandateResponse]:
        """Takes money from the payer for an order of the merchant's own number.

        The same number with the same content returns the order as it stands.

        Args:
            mandate_id: Mandate id to charge.
            merchant_id: Merchant id that charges.
            order_number: Order number of the merchant's own.
            amount: Amount to take, above zero.
            description: Description for merchant and payer.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MANDATE_NOT_FOUND,
                MANDATE_NOT_ACTIVE, CURRENCY_MISMATCH, MANDATE_CAP_EXCEEDED,
                MANDATE_NOTICE_REQUIRED, ORDER_NUMBER_REUSED, ORDER_CLOSED, PAYER_STATE,
                INSUFFICIENT_FUNDS (without figures: what the payer has is not the merchant's to
                know), CREDIT_ACCOUNT_FROZEN.

        Scope: mandates.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = mandates_service_pb2.ChargeMandateRequest(
            mandate_id=mandate_id,
            merchant_id=merchant_id,
            order_number=order_number,
            amount=wire_money(amount),
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.MANDATES_CHARGE_MANDATE, request, request.request_id, options
        )
