"""LedgerService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from longmen_server.engine.door import request_key, submit
from longmen_server.ledger import build, commands, decode
from longmen_server.ledger.chart import CHART
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent, PostingKind
from longmen_server.ledger.read_service import LedgerReads
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
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
            decode.transfer(spec, field=f"transfers[{index}]", make_id=build.undecided_id)
            for index, spec in enumerate(request.transfers)
        ]
        intents = [intent for intent, _ in parsed]
        book = build.book_of_intent(intents[0])
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
        command = build.create_transaction(request, request_key(call), self._clock)
        return await self._submit(command, request, call)

    async def CapturePending(self, request: pb.CapturePendingRequest, call: Call) -> bytes:  # noqa: N802
        """Capture from a hold."""
        intent = self._on_hold(request, PostingKind.CAPTURE)
        if request.HasField("amount"):
            intent.amount = request.amount.minor_units
            intent.currency_code = request.amount.currency_code
        intent.final = request.final
        intent.effective_at_us = build.effective(request)
        command = commands.CapturePending(build.book_of_intent(intent), request_key(call), [intent])
        return await self._submit(command, request, call)

    async def VoidPending(self, request: pb.VoidPendingRequest, call: Call) -> bytes:  # noqa: N802
        """Free a hold."""
        intent = self._on_hold(request, PostingKind.VOID)
        command = commands.VoidPending(build.book_of_intent(intent), request_key(call), [intent])
        return await self._submit(command, request, call)

    async def ReverseTransaction(  # noqa: N802
        self, request: pb.ReverseTransactionRequest, call: Call
    ) -> bytes:
        """Take a transaction back."""
        command = build.reverse_transaction(request, request_key(call), self._clock)
        return await self._submit(command, request, call)

    async def CreateAccounts(self, request: pb.CreateAccountsRequest, call: Call) -> bytes:  # noqa: N802
        """Open accounts."""
        book = self._read.book(request.book)
        rows = [self._account(book, spec, index) for index, spec in enumerate(request.accounts)]
        command = commands.CreateAccounts(book, request_key(call), rows)
        return await self._submit(command, request, call)

    async def SetAccountState(self, request: pb.SetAccountStateRequest, call: Call) -> bytes:  # noqa: N802
        """Freeze, unfreeze or close an account."""
        command = build.set_account_state(request, request_key(call))
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    def _new_transaction_id(self, book: int) -> TransactionId:
        return TransactionId(new_id(book, self._clock))

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
