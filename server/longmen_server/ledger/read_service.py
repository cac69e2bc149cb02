"""The methods of LedgerService that only look: no rule and no SQL here.

Reads never touch the engine. Each borrows a connection whose statements end with the call's
deadline, and gives it back before a message is sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger import decode, receipt
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.encode import microseconds, timestamp
from longmen_server.ledger.export import parts
from longmen_server.ledger.paging import bounded_us, page_size, time_range
from longmen_server.ledger.queries import accounts, balances, entries, journal, transactions
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    TRANSACTION,
    AccountId,
    TransactionId,
    book_of,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from longmen_server.ledger.receipt import ReceiptSigner
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.cursor import Cursors
    from longmen_server.transport.page_token import PageTokens

__all__ = ["LedgerReads", "ReadTools"]

_TRANSACTION_POSITION: Final = struct.Struct(">q16s")
_ENTRY_POSITION: Final = struct.Struct(">q")

EXPORT: Final = "journal"
"""The kind of ExportJournal's cursors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTools:
    """What reading services are made of."""

    readers: Readers
    clock: Clock
    books: Sequence[int]
    """Books that this server keeps; the first is the default."""
    page_tokens: PageTokens
    cursors: Cursors

    def book(self, asked: int) -> int:
        """Return the book a request is about; 0 asks for the default.

        Raises:
            Refusal: UNKNOWN_BOOK.
        """
        book = asked or self.books[0]
        if book not in self.books:
            raise Refusal(
                "UNKNOWN_BOOK",
                "this server keeps no such book",
                metadata={"book": str(book)},
                field="book",
            )
        return book


class LedgerReads:
    """The reading half of LedgerService."""

    def __init__(self, tools: ReadTools, signer: ReceiptSigner) -> None:
        self._read = tools
        self._signer = signer

    async def GetAccount(self, request: pb.GetAccountRequest, call: Call) -> pb.GetAccountResponse:  # noqa: N802
        """Return one account."""
        demand_freshness(request.at_least_as_fresh)
        account_id = decode.decode_id(ACCOUNT, request.account_id, "account_id")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await accounts.find_account(connection, book_of(account_id), account_id)
        if found is None:
            raise account_not_found(account_id)
        return pb.GetAccountResponse(account=found)

    async def ListAccounts(  # noqa: N802
        self, request: pb.ListAccountsRequest, call: Call
    ) -> pb.ListAccountsResponse:
        """Return a page of accounts."""
        demand_freshness(request.at_least_as_fresh)
        book = self._read.book(request.book)
        position = self._read.page_tokens.open(request.page_token, request, call)
        wanted = accounts.AccountFilter(
            owner_id=(
                decode.decode_id(CUSTOMER, request.owner_id, "owner_id")
                if request.owner_id
                else None
            ),
            chart_code=request.chart_code,
            currency_code=request.currency_code,
        )
        size = page_size(request.page_size)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await accounts.list_accounts(
                connection,
                book,
                wanted,
                after=AccountId(position) if position else None,
                limit=size + 1,
            )
        reply = pb.ListAccountsResponse(accounts=found[:size])
        if len(found) > size:
            last = ACCOUNT.decode(reply.accounts[-1].account_id)
            reply.next_page_token = self._read.page_tokens.seal(last, request, call)
        return reply

    async def GetTransaction(  # noqa: N802
        self, request: pb.GetTransactionRequest, call: Call
    ) -> pb.GetTransactionResponse:
        """Return one transaction."""
        demand_freshness(request.at_least_as_fresh)
        transaction_id = decode.decode_id(TRANSACTION, request.transaction_id, "transaction_id")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await transactions.find_transactions(
                connection, book_of(transaction_id), [transaction_id]
            )
        if transaction_id not in found:
            raise _transaction_not_found(request.transaction_id, "transaction_id")
        return pb.GetTransactionResponse(transaction=found[transaction_id])

    async def LookupTransfers(  # noqa: N802
        self, request: pb.LookupTransfersRequest, call: Call
    ) -> pb.LookupTransfersResponse:
        """Tell of each id what became of it."""
        demand_freshness(request.at_least_as_fresh)
        ids = [
            decode.decode_id(TRANSACTION, text, f"transaction_ids[{index}]")
            for index, text in enumerate(request.transaction_ids)
        ]
        found: dict[TransactionId, pb.TransferLookup] = {}
        for book in sorted({book_of(each) for each in ids}):
            of_book = [each for each in dict.fromkeys(ids) if book_of(each) == book]
            async with self._read.readers.snapshot(deadline=call.deadline) as connection:
                found |= await transactions.look_up(connection, book, of_book)
        return pb.LookupTransfersResponse(lookups=[found[each] for each in ids])

    async def ListTransactions(  # noqa: N802
        self, request: pb.ListTransactionsRequest, call: Call
    ) -> pb.ListTransactionsResponse:
        """Return a page of transactions."""
        demand_freshness(request.at_least_as_fresh)
        book = self._read.book(request.book)
        from_us, to_us = time_range(request)
        wanted = transactions.TransactionFilter(
            from_us=from_us,
            to_us=to_us,
            code=request.code if request.HasField("code") else None,
            reference=request.reference,
        )
        token = self._read.page_tokens.open(request.page_token, request, call)
        after = None
        if token:
            booked_at_us, transaction_id = _TRANSACTION_POSITION.unpack(token)
            after = transactions.Position(booked_at_us, TransactionId(transaction_id))
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            found, position = await transactions.list_transactions(
                connection,
                book,
                wanted,
                after=after,
                newest_first=request.newest_first,
                limit=page_size(request.page_size),
            )
        reply = pb.ListTransactionsResponse(transactions=found)
        if position is not None:
            sealed = _TRANSACTION_POSITION.pack(*position)
            reply.next_page_token = self._read.page_tokens.seal(sealed, request, call)
        return reply

    async def ListEntries(  # noqa: N802
        self, request: pb.ListEntriesRequest, call: Call
    ) -> pb.ListEntriesResponse:
        """Return a page of an account's history."""
        demand_freshness(request.at_least_as_fresh)
        account_id = decode.decode_id(ACCOUNT, request.account_id, "account_id")
        from_us, to_us = time_range(request)
        token = self._read.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            versions = await entries.versions_between(
                connection,
                account_id,
                entries.VersionRange(max(1, request.from_version), request.to_version or None),
                from_us=from_us,
                to_us=to_us,
            )
            if versions is None:
                raise account_not_found(account_id)
            if token:
                versions = versions.beyond(
                    *_ENTRY_POSITION.unpack(token), newest_first=request.newest_first
                )
            found = await entries.list_entries(
                connection,
                account_id,
                versions,
                newest_first=request.newest_first,
                limit=size + 1,
            )
        reply = pb.ListEntriesResponse(entries=found[:size])
        if len(found) > size:
            sealed = _ENTRY_POSITION.pack(reply.entries[-1].version)
            reply.next_page_token = self._read.page_tokens.seal(sealed, request, call)
        return reply

    async def GetBalances(  # noqa: N802
        self, request: pb.GetBalancesRequest, call: Call
    ) -> pb.GetBalancesResponse:
        """Return balances of now, or of a moment of the past."""
        demand_freshness(request.at_least_as_fresh)
        account_ids = _one_book(request)
        book = book_of(account_ids[0])
        moment = balances.Moment(
            effective_us=(
                bounded_us(microseconds(request.as_of_effective_time))
                if request.HasField("as_of_effective_time")
                else None
            ),
            known_us=(
                bounded_us(microseconds(request.known_at_booked_time))
                if request.HasField("known_at_booked_time")
                else None
            ),
        )
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            if moment.effective_us is None and moment.known_us is None:
                found = await balances.balances_now(connection, book, account_ids)
            else:
                found = await balances.balances_at(connection, book, account_ids, moment)
        for account_id in account_ids:
            if account_id not in found:
                raise account_not_found(account_id)
        return pb.GetBalancesResponse(balances=[found[each] for each in account_ids])

    async def GetTrialBalance(  # noqa: N802
        self, request: pb.GetTrialBalanceRequest, call: Call
    ) -> pb.GetTrialBalanceResponse:
        """Return the sums of a book."""
        demand_freshness(request.at_least_as_fresh)
        book = self._read.book(request.book)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            read_at_us = self._read.clock.now_us()
            lines, balanced = await balances.trial_balance(connection, book)
        return pb.GetTrialBalanceResponse(
            lines=lines, balanced=balanced, read_time=timestamp(read_at_us)
        )

    async def GetReceipt(self, request: pb.GetReceiptRequest, call: Call) -> pb.GetReceiptResponse:  # noqa: N802
        """Prove a posting."""
        demand_freshness(request.at_least_as_fresh)
        transaction_id, ordinal = decode.decode_posting_id(request.posting_id, "posting_id")
        book = book_of(transaction_id)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            found = await journal.block_of_posting(connection, book, transaction_id, ordinal)
        if found is None:
            raise _transaction_not_found(TRANSACTION.encode(transaction_id), "posting_id")
        full, index = found
        return pb.GetReceiptResponse(receipt=receipt.make_receipt(book, full, index, self._signer))

    async def ExportJournal(  # noqa: N802
        self, request: pb.ExportJournalRequest, call: Call
    ) -> AsyncIterator[pb.ExportJournalResponse]:
        """Stream the journal from a cursor to its present end."""
        book = self._read.book(request.book)
        position = self._read.cursors.open(request.cursor, kind=EXPORT, book=book)
        while True:
            async with self._read.readers.snapshot(deadline=call.deadline) as connection:
                page = await journal.next_blocks(connection, book, position)
            if not page:
                return
            for full in page:
                # Whoever resumes in the middle of a block gets all of it again.
                cursor = self._read.cursors.seal(position, kind=EXPORT, book=book)
                position[full.block.writer] = full.block.number
                for block, continues in parts(book, full):
                    if not continues:
                        cursor = self._read.cursors.seal(position, kind=EXPORT, book=book)
                    yield pb.ExportJournalResponse(block=block, cursor=cursor, continues=continues)


def _one_book(request: pb.GetBalancesRequest) -> list[AccountId]:
    """Return the accounts of a request, which are all of one book.

    Raises:
        Refusal: BOOK_MISMATCH.
    """
    ids = [
        decode.decode_id(ACCOUNT, text, f"account_ids[{index}]")
        for index, text in enumerate(request.account_ids)
    ]
    for index, account_id in enumerate(ids):
        if book_of(account_id) != book_of(ids[0]):
            field = f"account_ids[{index}]"
            raise Refusal(
                "BOOK_MISMATCH",
                "the accounts belong to different books",
                metadata={"field": field},
                field=field,
            )
    return ids


def _transaction_not_found(transaction_id: str, field: str) -> Refusal:
    return Refusal(
        "TRANSACTION_NOT_FOUND",
        "no such transaction",
        metadata={"transaction_id": transaction_id},
        field=field,
    )
