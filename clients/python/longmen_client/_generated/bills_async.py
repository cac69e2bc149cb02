"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import bill_pb2, bills_service_pb2
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


class AsyncBills:
    """BillsService keeps the directory of billers and their bills. Billers send what their
    customers owe them; customers find it by their account number with the biller, pay it once,
    have a receipt, and are reminded of accounts that they have linked.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_biller(
        self,
        *,
        merchant_id: str,
        name: str,
        category: bill_pb2.BillerCategory.ValueType,
        account_format: bill_pb2.AccountFormat,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.CreateBillerResponse]:
        """Publishes a merchant's bills in the directory.

        Args:
            merchant_id: Merchant id that is paid.
            name: Name for people.
            category: Category of the bills.
            account_format: Account format of its customers' numbers.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: billers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.CreateBillerRequest(
            merchant_id=merchant_id,
            name=name,
            category=category,
            account_format=account_format,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.BILLS_CREATE_BILLER, request, request.request_id, options
        )

    async def set_biller_state(
        self,
        *,
        biller_id: str,
        state: bill_pb2.BillerState.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.SetBillerStateResponse]:
        """Opens or closes a biller; one that is in the state already stays as it is.

        Args:
            biller_id: Biller id to change.
            state: State to bring it to.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: BILLER_NOT_FOUND.

        Scope: billers.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.SetBillerStateRequest(
            biller_id=biller_id, state=state, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.BILLS_SET_BILLER_STATE, request, request.request_id, options
        )

    def list_billers(
        self,
        *,
        category: bill_pb2.BillerCategory.ValueType = bill_pb2.BILLER_CATEGORY_UNSPECIFIED,
        merchant_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[bill_pb2.Biller, bills_service_pb2.ListBillersResponse]:
        """Lists the directory in the order of its ids: open billers, and to merchants their own
        closed ones too.

        Args:
            category: Category asked for; unspecified means all.
            merchant_id: Merchant id whose billers they are; empty means all of the directory.
                Merchants see closed ones of their own only so.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN.

        Scope: billers.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.ListBillersRequest(
            category=category,
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.BILLS_LIST_BILLERS, request, "billers", options)

    async def send_dues(
        self,
        *,
        biller_id: str,
        dues: Iterable[bill_pb2.SentDue],
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.SendDuesResponse]:
        """Takes a biller's bills, all of them or none.

        A bill that was sent before with the same content stays as it is; the refusal of a list
        names the item in the field of the violation.

        Args:
            biller_id: Biller id whose bills they are.
            dues: Dues that are sent, each with another bill number.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: BILLER_NOT_FOUND,
                BILLER_CLOSED, CURRENCY_MISMATCH, BILL_ACCOUNT_MALFORMED, BILL_NUMBER_REUSED.

        Scope: bills.send. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.SendDuesRequest(
            biller_id=biller_id, dues=dues, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.BILLS_SEND_DUES, request, request.request_id, options
        )

    async def cancel_due(
        self,
        *,
        due_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.CancelDueResponse]:
        """Takes a bill back that is not paid.

        Args:
            due_id: Due id to take back.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DUE_NOT_FOUND,
                DUE_NOT_PAYABLE.

        Scope: bills.send. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.CancelDueRequest(
            due_id=due_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.BILLS_CANCEL_DUE, request, request.request_id, options
        )

    def list_dues(
        self,
        *,
        biller_id: str,
        state: bill_pb2.DueState.ValueType = bill_pb2.DUE_STATE_UNSPECIFIED,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[bill_pb2.Due, bills_service_pb2.ListDuesResponse]:
        """Lists a biller's bills to its merchant, newest first.

        Args:
            biller_id: Biller id whose bills they are.
            state: State asked for, OPEN with all that are not paid and not taken back; unspecified
                means any.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: BILLER_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: bills.list. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.ListDuesRequest(
            biller_id=biller_id,
            state=state,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.BILLS_LIST_DUES, request, "dues", options)

    async def find_dues(
        self,
        *,
        biller_id: str,
        account_number: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> bills_service_pb2.FindDuesResponse:
        """Returns the bills of an account number that can be paid, the earliest due date first.

        Who guesses numbers is slowed down as who guesses passwords.

        Args:
            biller_id: Biller id whose bills they are.
            account_number: Account number with the biller.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: BILLER_NOT_FOUND,
                BILLER_CLOSED, BILL_ACCOUNT_MALFORMED.

        Scope: bills.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.FindDuesRequest(
            biller_id=biller_id, account_number=account_number, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.BILLS_FIND_DUES, request, options)

    async def pay_due(
        self,
        *,
        due_id: str,
        from_account_id: str,
        amount: Money,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.PayDueResponse]:
        """Pays a bill from a wallet account, once; the payer says the amount, which has to be the
        bill's.

        Args:
            due_id: Due id to pay.
            from_account_id: From account id that pays.
            amount: Amount that the payer agrees to.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DUE_NOT_FOUND,
                DUE_NOT_PAYABLE, BILLER_CLOSED, ACCOUNT_NOT_FOUND, AMOUNT_MISMATCH,
                CURRENCY_MISMATCH, DEBIT_ACCOUNT_CLOSED, DEBIT_ACCOUNT_FROZEN,
                CREDIT_ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, SINGLE_LIMIT_EXCEEDED, NEEDS_AUTH,
                STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: bills.pay. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.PayDueRequest(
            due_id=due_id,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.BILLS_PAY_DUE, request, request.request_id, options
        )

    async def get_bill_receipt(
        self,
        *,
        due_id: str,
        format: bill_pb2.ReceiptFormat.ValueType = bill_pb2.RECEIPT_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> bills_service_pb2.GetBillReceiptResponse:
        """Returns the receipt of a bill to who paid it, as a document too where that is asked for.

        Args:
            due_id: Due id that was paid.
            format: Format of a document; unspecified means none.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DUE_NOT_FOUND, OVERLOADED.

        Scope: bills.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.GetBillReceiptRequest(
            due_id=due_id, format=format, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.BILLS_GET_BILL_RECEIPT, request, options)

    async def link_bill_account(
        self,
        *,
        biller_id: str,
        account_number: str,
        customer_id: str = "",
        label: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.LinkBillAccountResponse]:
        """Keeps a customer's account with a biller for reminders.

        One that is linked already gets the label.

        Args:
            biller_id: Biller id.
            account_number: Account number with the biller.
            customer_id: Customer id who is reminded; a customer may leave the own id out.
            label: Label of the customer's own, such as "parents".
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                BILLER_NOT_FOUND, BILLER_CLOSED, BILL_ACCOUNT_MALFORMED, BILL_LINK_LIMIT_REACHED.

        Scope: bills.link. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.LinkBillAccountRequest(
            biller_id=biller_id,
            account_number=account_number,
            customer_id=customer_id,
            label=label,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.BILLS_LINK_BILL_ACCOUNT, request, request.request_id, options
        )

    async def unlink_bill_account(
        self,
        *,
        link_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[bills_service_pb2.UnlinkBillAccountResponse]:
        """Forgets a linked account.

        Args:
            link_id: Link id to forget.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: BILL_LINK_NOT_FOUND.

        Scope: bills.link. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.UnlinkBillAccountRequest(
            link_id=link_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.BILLS_UNLINK_BILL_ACCOUNT, request, request.request_id, options
        )

    async def list_bill_reminders(
        self,
        *,
        customer_id: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> bills_service_pb2.ListBillRemindersResponse:
        """Returns every linked account of a customer with its bills that can be paid, in the order
        they were linked.

        Args:
            customer_id: Customer id who is reminded; a customer may leave the own id out.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: bills.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = bills_service_pb2.ListBillRemindersRequest(
            customer_id=customer_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.BILLS_LIST_BILL_REMINDERS, request, options)
