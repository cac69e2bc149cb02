"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money, wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncTransfers:
    """TransfersService moves money for customers: to another wallet by account id or phone number,
    at once or delayed and revocable, and between the wallet and the bank account behind it.
    Customers pay from their own accounts only; services act for any customer.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_transfer(
        self,
        *,
        from_account_id: str,
        payee: transfer_pb2.Payee,
        amount: Money,
        delay: transfer_pb2.TransferDelay.ValueType = transfer_pb2.TRANSFER_DELAY_UNSPECIFIED,
        description: str = "",
        reference: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.CreateTransferResponse]:
        """Pays from one wallet account to another, at once, or with a delay during which the payer
        can take it back.

        Args:
            from_account_id: From account id is the payer's account.
            payee: Payee of the transfer.
            amount: Amount to move, above zero.
            delay: Delay before the payee is paid.
            description: Description is text for payer and payee.
            reference: Reference is the payer's own reference.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                PAYEE_NOT_FOUND, PAYEE_CURRENCY_UNAVAILABLE, PAYER_IS_PAYEE, CURRENCY_MISMATCH,
                DEBIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, BALANCE_CEILING_EXCEEDED. Customers with
                a session may have to approve: NEEDS_AUTH, STEP_UP_UNAVAILABLE,
                CHALLENGE_CONTENT_CHANGED, DEVICE_COOLING.

        Scope: transfers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.CreateTransferRequest(
            from_account_id=from_account_id,
            payee=payee,
            amount=wire_money(amount),
            delay=delay,
            description=description,
            reference=reference,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.TRANSFERS_CREATE_TRANSFER, request, request.request_id, options
        )

    async def lookup_payee(
        self,
        *,
        payee: transfer_pb2.Payee,
        currency_code: str,
        options: CallOptions | None = None,
    ) -> transfers_service_pb2.LookupPayeeResponse:
        """Shows a payer whom an alias or account id belongs to, with the name masked, before
        confirming.

        Args:
            payee: Payee to look up.
            currency_code: Currency code to be paid in.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYEE_NOT_FOUND,
                PAYEE_CURRENCY_UNAVAILABLE, PHONE_NUMBER_INVALID.

        Scope: transfers.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.LookupPayeeRequest(payee=payee, currency_code=currency_code)
        return await self._caller.ask(methods.TRANSFERS_LOOKUP_PAYEE, request, options)

    async def get_transfer(
        self,
        *,
        transfer_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> transfers_service_pb2.GetTransferResponse:
        """Returns a transfer that the caller pays or receives.

        Args:
            transfer_id: Transfer id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSFER_NOT_FOUND.

        Scope: transfers.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.GetTransferRequest(
            transfer_id=transfer_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.TRANSFERS_GET_TRANSFER, request, options)

    def list_transfers(
        self,
        *,
        account_id: str,
        page_size: int = 0,
        page_token: str = "",
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        states: Iterable[transfer_pb2.TransferState.ValueType] = (),
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[transfer_pb2.Transfer, transfers_service_pb2.ListTransfersResponse]:
        """Lists the transfers of an account, newest first.

        Args:
            account_id: Account id that pays or receives.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            from_time: From time keeps transfers made at or after it.
            to_time: To time keeps transfers made before it.
            states: States keeps transfers in these states; empty means all.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                INVALID_PAGE_TOKEN, TIME_RANGE_INVALID.

        Scope: transfers.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.ListTransfersRequest(
            account_id=account_id,
            page_size=page_size,
            page_token=page_token,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            states=states,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.TRANSFERS_LIST_TRANSFERS, request, "transfers", options
        )

    async def hold_transfer(
        self,
        *,
        transfer_id: str,
        reason_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.HoldTransferResponse]:
        """Stops a delayed transfer from being released by time, until it is released or cancelled.

        For services and staff, such as risk control.

        Args:
            transfer_id: Transfer id to hold.
            reason_text: Reason text is kept with the change.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSFER_NOT_FOUND,
                TRANSFER_ALREADY_COMPLETED, TRANSFER_ALREADY_CANCELLED, TRANSFER_STATE_CONFLICT.

        Scope: transfers.hold. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.HoldTransferRequest(
            transfer_id=transfer_id,
            reason_text=reason_text,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.TRANSFERS_HOLD_TRANSFER, request, request.request_id, options
        )

    async def release_transfer(
        self,
        *,
        transfer_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.ReleaseTransferResponse]:
        """Pays a delayed transfer out at once; a held one by services and staff only.

        Args:
            transfer_id: Transfer id to release.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSFER_NOT_FOUND,
                TRANSFER_ALREADY_COMPLETED, TRANSFER_ALREADY_CANCELLED, TRANSFER_STATE_CONFLICT,
                CREDIT_ACCOUNT_CLOSED.

        Scope: transfers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.ReleaseTransferRequest(
            transfer_id=transfer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.TRANSFERS_RELEASE_TRANSFER, request, request.request_id, options
        )

    async def cancel_transfer(
        self,
        *,
        transfer_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.CancelTransferResponse]:
        """Takes a delayed transfer back before it reached the payee.

        Args:
            transfer_id: Transfer id to cancel.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSFER_NOT_FOUND,
                TRANSFER_ALREADY_COMPLETED, TRANSFER_ALREADY_CANCELLED, TRANSFER_STATE_CONFLICT.

        Scope: transfers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.CancelTransferRequest(
            transfer_id=transfer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.TRANSFERS_CANCEL_TRANSFER, request, request.request_id, options
        )

    async def top_up(
        self,
        *,
        account_id: str,
        amount: Money,
        bank_account: str,
        description: str = "",
        reference: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.TopUpResponse]:
        """Brings money from the customer's bank account into the wallet, through the bank-side
        clearing.

        Args:
            account_id: Account id to top up.
            amount: Amount to move, above zero.
            bank_account: Bank account is the outside account the money comes from, as the clearing
                names it.
            description: Description is text for payer and payee.
            reference: Reference is the payer's own reference.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, CLEARING_REFUSED, CREDIT_ACCOUNT_CLOSED, CREDIT_ACCOUNT_FROZEN,
                BALANCE_CEILING_EXCEEDED.

        Scope: transfers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.TopUpRequest(
            account_id=account_id,
            amount=wire_money(amount),
            bank_account=bank_account,
            description=description,
            reference=reference,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.TRANSFERS_TOP_UP, request, request.request_id, options
        )

    async def withdraw(
        self,
        *,
        account_id: str,
        amount: Money,
        bank_account: str,
        description: str = "",
        reference: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.WithdrawResponse]:
        """Sends money from the wallet to the customer's bank account.

        It is held until the clearing confirms or refuses it.

        Args:
            account_id: Account id to withdraw from.
            amount: Amount to move, above zero.
            bank_account: Bank account is the outside account the money goes to, as the clearing
                names it.
            description: Description is text for payer and payee.
            reference: Reference is the payer's own reference.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH, CLEARING_REFUSED, DEBIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                INSUFFICIENT_FUNDS. Customers with a session may have to approve: NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED, DEVICE_COOLING.

        Scope: transfers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.WithdrawRequest(
            account_id=account_id,
            amount=wire_money(amount),
            bank_account=bank_account,
            description=description,
            reference=reference,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.TRANSFERS_WITHDRAW, request, request.request_id, options
        )

    async def batch_transfers(
        self,
        *,
        from_account_id: str,
        items: Iterable[transfer_pb2.BatchItem],
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[transfers_service_pb2.BatchTransfersResponse]:
        """Pays up to 1,000 payees from one account, such as a payroll, and answers each in order.

        A refused item leaves the others alone.

        Args:
            from_account_id: From account id is the payer's account.
            items: Items to pay, in order.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND. Reasons
                of items: those of CreateTransfer. Customers with a session may have to approve:
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED, DEVICE_COOLING.

        Scope: transfers.write. Deadline: 10000 ms, at most 30000 ms.
        """
        request = transfers_service_pb2.BatchTransfersRequest(
            from_account_id=from_account_id, items=items, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.TRANSFERS_BATCH_TRANSFERS, request, request.request_id, options
        )
