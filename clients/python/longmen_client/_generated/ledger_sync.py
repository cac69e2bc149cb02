"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.ledger.v1 import account_pb2, ledger_service_pb2, transaction_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_money, wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client._sync.stream import Stream
    from longmen_client.money import Money


class Ledger:
    """LedgerService is the double-entry ledger itself. Its callers are systems of the bank, which
    are trusted to name any account; customers use AccountsService and TransfersService.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_accounts(
        self,
        *,
        accounts: Iterable[ledger_service_pb2.AccountSpec],
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.CreateAccountsResponse]:
        """Opens up to 1,000 accounts of one book, all or none.

        Args:
            accounts: Accounts to open.
            book: Book to open them in; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_ID_CONFLICT,
                UNKNOWN_CURRENCY, UNKNOWN_CHART_CODE, UNKNOWN_BOOK, BOOK_MISMATCH,
                LIMITS_CONTRADICT.

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.CreateAccountsRequest(
            accounts=accounts, book=book, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.LEDGER_CREATE_ACCOUNTS, request, request.request_id, options
        )

    def get_account(
        self,
        *,
        account_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.GetAccountResponse:
        """Returns one account with its balances.

        Args:
            account_id: Account id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.GetAccountRequest(
            account_id=account_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LEDGER_GET_ACCOUNT, request, options)

    def list_accounts(
        self,
        *,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        owner_id: str = "",
        chart_code: int = 0,
        currency_code: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[account_pb2.Account, ledger_service_pb2.ListAccountsResponse]:
        """Lists the accounts of a book in the order of their ids.

        Args:
            book: Book to list; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            owner_id: Owner id keeps only this customer's accounts; empty means all.
            chart_code: Chart code keeps only accounts of this place in the chart; 0 means all.
            currency_code: Currency code keeps only accounts in this currency; empty means all.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN,
                UNKNOWN_BOOK.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.ListAccountsRequest(
            book=book,
            page_size=page_size,
            page_token=page_token,
            owner_id=owner_id,
            chart_code=chart_code,
            currency_code=currency_code,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.LEDGER_LIST_ACCOUNTS, request, "accounts", options)

    def create_transfers(
        self,
        *,
        transfers: Iterable[transaction_pb2.TransferSpec],
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.CreateTransfersResponse]:
        """Takes up to 1,000 transfers of one book and answers each in order: what became of it,
        why, and both balances after.

        Transfers are independent of each other but for linked chains. The call itself succeeds
        whatever becomes of its transfers. Reasons of items: those of the block "Postings" of
        ErrorReason, in that order of precedence.

        Args:
            transfers: Transfers to make, in order.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: ledger.write. Deadline: 10000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.CreateTransfersRequest(
            transfers=transfers, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.LEDGER_CREATE_TRANSFERS, request, request.request_id, options
        )

    def create_transaction(
        self,
        *,
        postings: Iterable[transaction_pb2.TransferSpec],
        transaction_id: str = "",
        effective_time: datetime | None = None,
        code: int = 0,
        reference: str = "",
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.CreateTransactionResponse]:
        """Makes one transaction of up to 100 postings, all or nothing.

        Args:
            postings: Postings of the transaction, in order. Their own transaction_id, linked, code,
                reference, description and effective_time stay empty.
            transaction_id: Transaction id that the caller chooses; empty lets the server make one.
            effective_time: Effective time of all postings; absent means when they are booked.
            code: Code is the caller's own classification of the transaction.
            reference: Reference is the caller's own reference.
            description: Description is text for people.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: those of the block
                "Postings" of ErrorReason; metadata has the index of the posting that was refused as
                "index".

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.CreateTransactionRequest(
            postings=postings,
            transaction_id=transaction_id,
            effective_time=wire_time(effective_time),
            code=code,
            reference=reference,
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LEDGER_CREATE_TRANSACTION, request, request.request_id, options
        )

    def capture_pending(
        self,
        *,
        pending_posting_id: str,
        amount: Money | None = None,
        final: bool = False,
        effective_time: datetime | None = None,
        reference: str = "",
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.CapturePendingResponse]:
        """Turns all or part of what a pending posting holds into a final movement.

        It may be repeated until the hold is used up.

        Args:
            pending_posting_id: Pending posting id to capture from.
            amount: Amount to capture; absent means all that is left.
            final: Final frees whatever the hold has left after this capture.
            effective_time: Effective time of the capture; absent means when it is booked.
            reference: Reference is the caller's own reference.
            description: Description is text for people.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PENDING_POSTING_NOT_FOUND,
                POSTING_NOT_PENDING, PENDING_POSTING_CAPTURED, PENDING_POSTING_VOIDED,
                PENDING_POSTING_EXPIRED, CURRENCY_MISMATCH, CAPTURE_AMOUNT_EXCEEDED,
                EFFECTIVE_TIME_IN_FUTURE.

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.CapturePendingRequest(
            pending_posting_id=pending_posting_id,
            amount=wire_money(amount),
            final=final,
            effective_time=wire_time(effective_time),
            reference=reference,
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LEDGER_CAPTURE_PENDING, request, request.request_id, options
        )

    def void_pending(
        self,
        *,
        pending_posting_id: str,
        reference: str = "",
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.VoidPendingResponse]:
        """Frees whatever a pending posting still holds.

        Args:
            pending_posting_id: Pending posting id to void.
            reference: Reference is the caller's own reference.
            description: Description is text for people.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PENDING_POSTING_NOT_FOUND,
                POSTING_NOT_PENDING, PENDING_POSTING_CAPTURED, PENDING_POSTING_VOIDED,
                PENDING_POSTING_EXPIRED.

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.VoidPendingRequest(
            pending_posting_id=pending_posting_id,
            reference=reference,
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LEDGER_VOID_PENDING, request, request.request_id, options
        )

    def reverse_transaction(
        self,
        *,
        transaction_id: str,
        effective_time: datetime | None = None,
        reference: str = "",
        description: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.ReverseTransactionResponse]:
        """Takes a transaction back by an equal and opposite one, linked to it.

        It happens once.

        Args:
            transaction_id: Transaction id to take back.
            effective_time: Effective time of the reversal; absent means when it is booked.
            reference: Reference is the caller's own reference.
            description: Description is text for people, such as why.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSACTION_NOT_FOUND,
                ALREADY_REVERSED, NOT_REVERSIBLE and those of the block "Postings".

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.ReverseTransactionRequest(
            transaction_id=transaction_id,
            effective_time=wire_time(effective_time),
            reference=reference,
            description=description,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LEDGER_REVERSE_TRANSACTION, request, request.request_id, options
        )

    def get_transaction(
        self,
        *,
        transaction_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.GetTransactionResponse:
        """Returns one transaction with its postings.

        Args:
            transaction_id: Transaction id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSACTION_NOT_FOUND.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.GetTransactionRequest(
            transaction_id=transaction_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LEDGER_GET_TRANSACTION, request, options)

    def lookup_transfers(
        self,
        *,
        transaction_ids: Iterable[str],
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.LookupTransfersResponse:
        """Tells of up to 1,000 transaction ids what became of each: created, refused, or never
        seen.

        Args:
            transaction_ids: Transaction ids to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.LookupTransfersRequest(
            transaction_ids=transaction_ids, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LEDGER_LOOKUP_TRANSFERS, request, options)

    def list_transactions(
        self,
        *,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        code: int | None = None,
        reference: str = "",
        newest_first: bool = False,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[transaction_pb2.Transaction, ledger_service_pb2.ListTransactionsResponse]:
        """Lists the transactions of a book by booked time and id.

        Args:
            book: Book to list; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            from_time: From time keeps transactions booked at or after it; absent means from the
                first.
            to_time: To time keeps transactions booked before it; absent means to the last.
            code: Code keeps transactions with this classification; absent means all.
            reference: Reference keeps transactions with exactly this reference; empty means all.
            newest_first: Newest first turns the order round.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN,
                TIME_RANGE_INVALID, UNKNOWN_BOOK.

        Scope: ledger.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.ListTransactionsRequest(
            book=book,
            page_size=page_size,
            page_token=page_token,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            code=code,
            reference=reference,
            newest_first=newest_first,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(
            self._caller, methods.LEDGER_LIST_TRANSACTIONS, request, "transactions", options
        )

    def list_entries(
        self,
        *,
        account_id: str,
        page_size: int = 0,
        page_token: str = "",
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        from_version: int = 0,
        to_version: int = 0,
        newest_first: bool = False,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[transaction_pb2.Entry, ledger_service_pb2.ListEntriesResponse]:
        """Lists an account's history in the order of its versions, with the running balance after
        each.

        Args:
            account_id: Account id whose history to list.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            from_time: From time keeps entries booked at or after it; absent means from the first.
            to_time: To time keeps entries booked before it; absent means to the last.
            from_version: From version keeps entries of this version and above; 0 means from the
                first.
            to_version: To version keeps entries of this version and below; 0 means to the last.
            newest_first: Newest first turns the order round.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                INVALID_PAGE_TOKEN, TIME_RANGE_INVALID.

        Scope: ledger.read. Deadline: 10000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.ListEntriesRequest(
            account_id=account_id,
            page_size=page_size,
            page_token=page_token,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            from_version=from_version,
            to_version=to_version,
            newest_first=newest_first,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.LEDGER_LIST_ENTRIES, request, "entries", options)

    def get_balances(
        self,
        *,
        account_ids: Iterable[str],
        as_of_effective_time: datetime | None = None,
        known_at_booked_time: datetime | None = None,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.GetBalancesResponse:
        """Returns the balances of up to 100 accounts of one book: now, or at a moment of the past
        on either axis of time.

        Effective time asks what had happened by then as far as is known; known at asks what the
        books showed then. With both, it asks what the books showed at known at of what had happened
        by effective time. Pending counters of the past are as of booked time.

        Args:
            account_ids: Account ids to read.
            as_of_effective_time: As of effective time counts postings with an effective time up to
                and including it; absent means all.
            known_at_booked_time: Known at booked time counts postings booked up to and including
                it; absent means all.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                BOOK_MISMATCH.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.GetBalancesRequest(
            account_ids=account_ids,
            as_of_effective_time=wire_time(as_of_effective_time),
            known_at_booked_time=wire_time(known_at_booked_time),
            at_least_as_fresh=at_least_as_fresh,
        )
        return self._caller.ask(methods.LEDGER_GET_BALANCES, request, options)

    def get_trial_balance(
        self,
        *,
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.GetTrialBalanceResponse:
        """Sums a book by currency and chart code; in each currency debits equal credits.

        Args:
            book: Book to sum; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK.

        Scope: ledger.read. Deadline: 30000 ms, at most 60000 ms.
        """
        request = ledger_service_pb2.GetTrialBalanceRequest(
            book=book, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LEDGER_GET_TRIAL_BALANCE, request, options)

    def get_receipt(
        self,
        *,
        posting_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> ledger_service_pb2.GetReceiptResponse:
        """Proves that a posting stands in the journal, in a form that can be verified offline with
        the server's public key.

        Args:
            posting_id: Posting id to prove.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TRANSACTION_NOT_FOUND.

        Scope: ledger.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.GetReceiptRequest(
            posting_id=posting_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LEDGER_GET_RECEIPT, request, options)

    def export_journal(
        self,
        *,
        book: int = 0,
        cursor: str = "",
        options: CallOptions | None = None,
    ) -> Stream[ledger_service_pb2.ExportJournalResponse]:
        """Streams the journal of a book block by block, in the order of each writer's chain, from a
        cursor.

        A block of more than a megabyte comes in several messages, one behind the other, so that no
        message is larger than any client takes.

        Args:
            book: Book to export; 0 means the server's default book.
            cursor: Cursor of the last message received before; empty starts at the beginning.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_CURSOR,
                UNKNOWN_BOOK.

        Scope: ledger.export. Deadline: 600000 ms, at most 3600000 ms.
        """
        request = ledger_service_pb2.ExportJournalRequest(book=book, cursor=cursor)
        return self._caller.open(methods.LEDGER_EXPORT_JOURNAL, request, options)

    def set_account_state(
        self,
        *,
        account_id: str,
        state: account_pb2.AccountState.ValueType,
        reason_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[ledger_service_pb2.SetAccountStateResponse]:
        """Freezes, unfreezes, marks as closing or closes an account.

        Closed is for ever and needs a zero balance and no holds.

        Args:
            account_id: Account id to change.
            state: State to bring the account to.
            reason_text: Reason text is kept with the change.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                ACCOUNT_STATE_CONFLICT, ACCOUNT_NOT_EMPTY, ACCOUNT_HAS_HOLDS.

        Scope: ledger.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = ledger_service_pb2.SetAccountStateRequest(
            account_id=account_id,
            state=state,
            reason_text=reason_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LEDGER_SET_ACCOUNT_STATE, request, request.request_id, options
        )
