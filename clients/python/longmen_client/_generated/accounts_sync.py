"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client._sync.stream import Stream


class Accounts:
    """AccountsService is a customer's view of the ledger: a wallet, one account (pocket) for each
    currency, history and statements. Customers see and change their own wallet only; services
    act for any customer. Another customer's id answers as one that does not exist.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def open_wallet(
        self,
        *,
        phone_number: str,
        display_name: str,
        currency_code: str,
        nickname: str = "",
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[accounts_service_pb2.OpenWalletResponse]:
        """Registers a customer by phone number and opens the first account.

        Args:
            phone_number: Phone number in E.164 form, such as +8613800138000. It is the customer's
                first alias.
            display_name: Display name is the customer's name as payers are shown it, masked.
            currency_code: Currency code of the first account.
            nickname: Nickname is what the customer calls the account.
            book: Book to register in; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PHONE_NUMBER_INVALID,
                PHONE_NUMBER_TAKEN, UNKNOWN_CURRENCY, UNKNOWN_BOOK.

        Scope: accounts.open. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.OpenWalletRequest(
            phone_number=phone_number,
            display_name=display_name,
            currency_code=currency_code,
            nickname=nickname,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.ACCOUNTS_OPEN_WALLET, request, request.request_id, options
        )

    def get_wallet(
        self,
        *,
        customer_id: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> accounts_service_pb2.GetWalletResponse:
        """Returns a wallet with its accounts.

        Args:
            customer_id: Customer id; a customer may leave it empty for the own one.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: accounts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.GetWalletRequest(
            customer_id=customer_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.ACCOUNTS_GET_WALLET, request, options)

    def open_account(
        self,
        *,
        currency_code: str,
        customer_id: str = "",
        nickname: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[accounts_service_pb2.OpenAccountResponse]:
        """Opens a pocket in another currency.

        Args:
            currency_code: Currency code of the account.
            customer_id: Customer id; a customer may leave it empty for the own one.
            nickname: Nickname is what the customer calls the account.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED, POCKET_EXISTS, UNKNOWN_CURRENCY.

        Scope: accounts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.OpenAccountRequest(
            currency_code=currency_code,
            customer_id=customer_id,
            nickname=nickname,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.ACCOUNTS_OPEN_ACCOUNT, request, request.request_id, options
        )

    def get_account(
        self,
        *,
        account_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> accounts_service_pb2.GetAccountResponse:
        """Returns one account.

        Args:
            account_id: Account id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND.

        Scope: accounts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.GetAccountRequest(
            account_id=account_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.ACCOUNTS_GET_ACCOUNT, request, options)

    def list_accounts(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[wallet_pb2.WalletAccount, accounts_service_pb2.ListAccountsResponse]:
        """Lists a customer's accounts in the order they were opened.

        Args:
            customer_id: Customer id; a customer may leave it empty for the own one.
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

        Scope: accounts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.ListAccountsRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.ACCOUNTS_LIST_ACCOUNTS, request, "accounts", options)

    def get_balance(
        self,
        *,
        account_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> accounts_service_pb2.GetBalanceResponse:
        """Returns what an account has and what of it is available.

        Args:
            account_id: Account id to read.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND.

        Scope: accounts.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.GetBalanceRequest(
            account_id=account_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.ACCOUNTS_GET_BALANCE, request, options)

    def list_transactions(
        self,
        *,
        account_id: str,
        page_size: int = 0,
        page_token: str = "",
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        kinds: Iterable[wallet_pb2.MovementKind.ValueType] = (),
        minimum_minor_units: int = 0,
        maximum_minor_units: int = 0,
        counterparty_account_id: str = "",
        text: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[wallet_pb2.Movement, accounts_service_pb2.ListTransactionsResponse]:
        """Lists an account's movements, newest first, narrowed by the filters given.

        Args:
            account_id: Account id to list.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            from_time: From time keeps movements booked at or after it.
            to_time: To time keeps movements booked before it.
            kinds: Kinds keeps movements of these kinds; empty means all.
            minimum_minor_units: Minimum minor units keeps movements of at least this amount,
                whichever way they went.
            maximum_minor_units: Maximum minor units keeps movements of at most this amount; 0 means
                no maximum.
            counterparty_account_id: Counterparty account id keeps movements with this other side.
            text: Text keeps movements with this text, in any case, in description or reference.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                INVALID_PAGE_TOKEN, TIME_RANGE_INVALID.

        Scope: accounts.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.ListTransactionsRequest(
            account_id=account_id,
            page_size=page_size,
            page_token=page_token,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            kinds=kinds,
            minimum_minor_units=minimum_minor_units,
            maximum_minor_units=maximum_minor_units,
            counterparty_account_id=counterparty_account_id,
            text=text,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(
            self._caller, methods.ACCOUNTS_LIST_TRANSACTIONS, request, "movements", options
        )

    def get_statement(
        self,
        *,
        account_id: str,
        year: int,
        month: int,
        format: wallet_pb2.StatementFormat.ValueType = wallet_pb2.STATEMENT_FORMAT_UNSPECIFIED,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> accounts_service_pb2.GetStatementResponse:
        """Returns the statement of one month by the bank's calendar: opening balance, every
        movement, closing balance.

        Args:
            account_id: Account id to state.
            year: Year of the month, such as 2026.
            month: Month from 1 to 12.
            format: Format of the document beside the structured statement.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                STATEMENT_MONTH_INVALID, STATEMENT_TOO_LARGE.

        Scope: accounts.read. Deadline: 30000 ms, at most 60000 ms.
        """
        request = accounts_service_pb2.GetStatementRequest(
            account_id=account_id,
            year=year,
            month=month,
            format=format,
            at_least_as_fresh=at_least_as_fresh,
        )
        return self._caller.ask(methods.ACCOUNTS_GET_STATEMENT, request, options)

    def freeze_account(
        self,
        *,
        account_id: str,
        only_outgoing: bool = False,
        reason_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[accounts_service_pb2.FreezeAccountResponse]:
        """Stops an account from paying, or from paying and receiving.

        A customer may freeze an own account at any time.

        Args:
            account_id: Account id to freeze.
            only_outgoing: Only outgoing leaves the account able to receive.
            reason_text: Reason text is kept with the change.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                ACCOUNT_STATE_CONFLICT.

        Scope: accounts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.FreezeAccountRequest(
            account_id=account_id,
            only_outgoing=only_outgoing,
            reason_text=reason_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.ACCOUNTS_FREEZE_ACCOUNT, request, request.request_id, options
        )

    def unfreeze_account(
        self,
        *,
        account_id: str,
        reason_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[accounts_service_pb2.UnfreezeAccountResponse]:
        """Lifts a freeze.

        What the bank froze a customer cannot lift; the own freeze is lifted with the approval of a
        factor, if the customer has one.

        Args:
            account_id: Account id to unfreeze.
            reason_text: Reason text is kept with the change.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                ACCOUNT_STATE_CONFLICT, FROZEN_BY_BANK, NEEDS_AUTH, STEP_UP_UNAVAILABLE,
                CHALLENGE_CONTENT_CHANGED.

        Scope: accounts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.UnfreezeAccountRequest(
            account_id=account_id,
            reason_text=reason_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.ACCOUNTS_UNFREEZE_ACCOUNT, request, request.request_id, options
        )

    def close_account(
        self,
        *,
        account_id: str,
        sweep_to_account_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[accounts_service_pb2.CloseAccountResponse]:
        """Closes an account for ever.

        Money on it is swept to another account of the same customer and currency or, by a service,
        to any.

        Args:
            account_id: Account id to close.
            sweep_to_account_id: Sweep to account id takes what is left; needed only when something
                is.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                ACCOUNT_STATE_CONFLICT, ACCOUNT_HAS_HOLDS, SWEEP_ACCOUNT_REQUIRED,
                CREDIT_ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH.

        Scope: accounts.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = accounts_service_pb2.CloseAccountRequest(
            account_id=account_id,
            sweep_to_account_id=sweep_to_account_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.ACCOUNTS_CLOSE_ACCOUNT, request, request.request_id, options
        )

    def watch_balance(
        self,
        *,
        account_id: str,
        options: CallOptions | None = None,
    ) -> Stream[accounts_service_pb2.WatchBalanceResponse]:
        """Sends an account's balance at once and then whenever it changes.

        It may skip states in between, never the last.

        Args:
            account_id: Account id to watch.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                QUOTA_EXCEEDED.

        Scope: accounts.read. Deadline: 3600000 ms, at most 3600000 ms.
        """
        request = accounts_service_pb2.WatchBalanceRequest(account_id=account_id)
        return self._caller.open(methods.ACCOUNTS_WATCH_BALANCE, request, options)
