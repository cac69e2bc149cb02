"""LedgerService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from longmen_server.engine.door import request_key, submit
from longmen_server.ledger import commands, decode
from longmen_server.ledger.chart import CHART
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent, PostingKind
from longmen_server.ledger.read_service import LedgerReads
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    ORDINAL_MAXIMUM,
    TRANSACTION,
    AccountId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.money import currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen.ledger.v1 import ledger_service_pb2 as pb
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.ledger.receipt import ReceiptSigner
    from longmen_server.platform.clock import Clock
    from longmen_server.transport.context import Call

    CaptureOrVoid = TypeVar("CaptureOrVoid", pb.CapturePendingRequest, pb.VoidPendingRequest)


class LedgerService(LedgerReads):
    """The ledger for systems of the bank: what changes something; LedgerReads has what looks."""

    def __init__(
        self, *, engine: Engine, clock: Clock, reading: ReadTools, signer: ReceiptSigner
    ) -> None:
        super().__init__(reading, signer)
        self._engine = engine
        self._clock = clock

    async def CreateTransfers(self, request: pb.CreateTransfersRequest, call: Call) -> bytes:  # noqa: N802
        """Take many transfers, each with a result of its own."""
        parsed = [
            decode.transfer(spec, field=f"transfers[{index}]", make_id=self._undecided_id)
            for index, spec in enumerate(request.transfers)
        ]
        intents = [intent for intent, _ in parsed]
        book = _book(intents[0])
        self._give_ids(book, intents)
        command = commands.CreateTransfers(
            book,
            request_key(call),
            intents,
            chosen=[chosen for _, chosen in parsed],
            linked=[spec.linked for spec in request.transfers],
        )
        return await self._submit(command, request, call)

    async def CreateTransaction(self, request: pb.CreateTransactionRequest, call: Call) -> bytes:  # noqa: N802
        """Make one transaction of several postings."""
        _check_bare_postings(request)
        intents = [
            decode.transfer(spec, field=f"postings[{index}]", make_id=self._undecided_id)[0]
            for index, spec in enumerate(request.postings)
        ]
        book = _book(intents[0])
        chosen = bool(request.transaction_id)
        transaction_id = (
            decode.decode_id(TRANSACTION, request.transaction_id, "transaction_id")
            if chosen
            else self._new_transaction_id(book)
        )
        for intent in intents:
            intent.transaction_id = transaction_id
            intent.code = request.code
            intent.reference = request.reference or None
            intent.description = request.description or None
            intent.effective_at_us = _effective(request)
        command = commands.CreateTransaction(
            book, request_key(call), intents, transaction_id=transaction_id, chosen=chosen
        )
        return await self._submit(command, request, call)

    async def CapturePending(self, request: pb.CapturePendingRequest, call: Call) -> bytes:  # noqa: N802
        """Capture from a hold."""
        intent = self._on_hold(request, PostingKind.CAPTURE)
        if request.HasField("amount"):
            intent.amount = request.amount.minor_units
            intent.currency_code = request.amount.currency_code
        intent.final = request.final
        intent.effective_at_us = _effective(request)
        command = commands.CapturePending(_book(intent), request_key(call), [intent])
        return await self._submit(command, request, call)

    async def VoidPending(self, request: pb.VoidPendingRequest, call: Call) -> bytes:  # noqa: N802
        """Free a hold."""
        intent = self._on_hold(request, PostingKind.VOID)
        command = commands.VoidPending(_book(intent), request_key(call), [intent])
        return await self._submit(command, request, call)

    async def ReverseTransaction(  # noqa: N802
        self, request: pb.ReverseTransactionRequest, call: Call
    ) -> bytes:
        """Take a transaction back."""
        original_id = decode.decode_id(TRANSACTION, request.transaction_id, "transaction_id")
        book = book_of(original_id)
        command = commands.ReverseTransaction(
            book,
            request_key(call),
            original_id=original_id,
            reversal_id=self._new_transaction_id(book),
            effective_at_us=_effective(request),
            reference=request.reference or None,
            description=request.description or None,
        )
        return await self._submit(command, request, call)

    async def CreateAccounts(self, request: pb.CreateAccountsRequest, call: Call) -> bytes:  # noqa: N802
        """Open accounts."""
        book = self._read.book(request.book)
        rows = [self._account(book, spec, index) for index, spec in enumerate(request.accounts)]
        command = commands.CreateAccounts(book, request_key(call), rows)
        return await self._submit(command, request, call)

    async def SetAccountState(self, request: pb.SetAccountStateRequest, call: Call) -> bytes:  # noqa: N802
        """Freeze, unfreeze or close an account."""
        account_id = decode.decode_id(ACCOUNT, request.account_id, "account_id")
        command = commands.SetAccountState(
            book_of(account_id),
            request_key(call),
            account_id=account_id,
            state=request.state,
            reason_text=request.reason_text,
        )
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    def _new_transaction_id(self, book: int) -> TransactionId:
        return TransactionId(new_id(book, self._clock))

    @staticmethod
    def _undecided_id() -> TransactionId:
        """The id of an intent whose book is not known yet; :meth:`_give_ids` replaces it."""
        return TransactionId(b"")

    def _give_ids(self, book: int, intents: list[PostingIntent]) -> None:
        for intent in intents:
            if not intent.transaction_id:
                intent.transaction_id = self._new_transaction_id(book)

    def _on_hold(
        self, request: pb.CapturePendingRequest | pb.VoidPendingRequest, kind: PostingKind
    ) -> PostingIntent:
        pending = decode.decode_posting_id(request.pending_posting_id, "pending_posting_id")
        return PostingIntent(
            transaction_id=self._new_transaction_id(book_of(pending[0])),
            kind=kind,
            pending=pending,
            reference=request.reference or None,
            description=request.description or None,
        )

    def _account(self, book: int, spec: pb.AccountSpec, index: int) -> AccountRow:
        field = f"accounts[{index}]"
        line = CHART.get(spec.chart_code)
        if line is None:
            raise Refusal(
                "UNKNOWN_CHART_CODE",
                "the chart of accounts has no such code",
                metadata={"chart_code": str(spec.chart_code)},
                field=f"{field}.chart_code",
            )
        if spec.currency_code not in currencies():
            raise Refusal(
                "UNKNOWN_CURRENCY",
                "no such currency, or one without minor units",
                metadata={"currency_code": spec.currency_code},
                field=f"{field}.currency_code",
            )
        floor = None if spec.unlimited else line.floor_minor_units
        return AccountRow(
            account_id=(
                decode.decode_id(ACCOUNT, spec.account_id, f"{field}.account_id")
                if spec.account_id
                else AccountId(new_id(book, self._clock))
            ),
            currency_code=spec.currency_code,
            account_type=line.account_type,
            chart_code=line.code,
            state=AccountState.OPEN,
            debits_posted=0,
            credits_posted=0,
            debits_pending=0,
            credits_pending=0,
            floor_minor_units=(
                spec.floor_minor_units if spec.HasField("floor_minor_units") else floor
            ),
            ceiling_minor_units=(
                spec.ceiling_minor_units if spec.HasField("ceiling_minor_units") else None
            ),
            version=0,
            booked_at_us=0,
            created_at_us=0,
            owner_id=(
                decode.decode_id(CUSTOMER, spec.owner_id, f"{field}.owner_id")
                if spec.owner_id
                else None
            ),
            description=spec.description or None,
        )


def _book(intent: PostingIntent) -> int:
    """Return the book of an intent: that of its hold or of its debit account."""
    if intent.pending is not None:
        return book_of(intent.pending[0])
    assert intent.debit_account_id is not None, "the contract demands accounts or a pending posting"
    return book_of(intent.debit_account_id)


def _effective(
    request: pb.CreateTransactionRequest | pb.CapturePendingRequest | pb.ReverseTransactionRequest,
) -> int | None:
    if not request.HasField("effective_time"):
        return None
    return decode.instant_us(request.effective_time, "effective_time")


#: Postings of one transaction, those included that final captures add.
_POSTINGS_MAX = ORDINAL_MAXIMUM + 1


def _check_bare_postings(request: pb.CreateTransactionRequest) -> None:
    """Refuse on a posting what only its transaction may say, and more postings than addresses."""
    if len(request.postings) + sum(spec.final for spec in request.postings) > _POSTINGS_MAX:
        raise Refusal(
            "INVALID_REQUEST",
            "a transaction has at most 100 postings; a final capture may make two",
            metadata={"rules": "create_transaction.postings"},
            field="postings",
        )
    for index, spec in enumerate(request.postings):
        said = {
            "transaction_id": spec.transaction_id,
            "linked": spec.linked,
            "code": spec.code,
            "reference": spec.reference,
            "description": spec.description,
            "effective_time": spec.HasField("effective_time"),
        }
        for name, value in said.items():
            if value:
                raise Refusal(
                    "INVALID_REQUEST",
                    "the transaction says this for all its postings",
                    metadata={"rules": "create_transaction.bare_postings"},
                    field=f"postings[{index}].{name}",
                )
