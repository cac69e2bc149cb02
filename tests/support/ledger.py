"""A ledger on a real database without the network: commands in, reads out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen.ledger.v1 import transaction_pb2
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.ledger import commands
from longmen_server.ledger.chart import CHART, CUSTOMER_DEPOSITS
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent, PostingKind
from longmen_server.ledger.read_service import LedgerReads, ReadTools
from longmen_server.ledger.receipt import ReceiptSigner
from longmen_server.platform.database import Readers
from longmen_server.platform.ids import AccountId, CustomerId, TransactionId, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Call, Principal
from longmen_server.transport.cursor import Cursors
from longmen_server.transport.page_token import PageTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.engine.command import Command
    from tests.support.clock import SettableClock

BOOK = 1
PATIENCE = 30.0
"""Seconds any call of a test may take."""
SEALING_KEY = bytes(range(32))
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
READER = Principal(
    kind="service", subject="tests", scopes=frozenset(), customer_id=None, token_id="t"
)


class Wire:
    """What a call of no network has of one."""

    def peer(self) -> str:
        """Where every call comes from."""
        return "ipv4:192.0.2.7:40000"


class Ledger:
    """One process of the ledger: an engine, and the service that reads."""

    def __init__(self, engine: Engine, readers: Readers, clock: SettableClock) -> None:
        self.engine = engine
        self.readers = readers
        self.clock = clock
        self.tools = ReadTools(
            readers=readers,
            clock=clock,
            books=(BOOK,),
            page_tokens=PageTokens(SEALING_KEY),
            cursors=Cursors(SEALING_KEY),
        )
        self.reads = LedgerReads(self.tools, ReceiptSigner(SIGNING_KEY))

    def call(self, method: str) -> Call:
        wire: Any = Wire()
        call = Call(f"longmen.ledger.v1.LedgerService/{method}", wire)
        call.principal = READER
        call.deadline = self.clock.monotonic() + PATIENCE
        return call

    async def read(self, method: str, request: Any) -> Any:
        """The reply of a reading method."""
        return await getattr(self.reads, method)(request, self.call(method))

    async def submit(self, command: Command) -> bytes:
        outcome = await self.engine.submit(command, deadline=self.clock.monotonic() + PATIENCE)
        return outcome.reply

    def new_account_id(self) -> AccountId:
        return AccountId(new_id(BOOK, self.clock))

    def new_transaction_id(self) -> TransactionId:
        return TransactionId(new_id(BOOK, self.clock))

    async def open(
        self,
        count: int = 1,
        *,
        code: int = CUSTOMER_DEPOSITS,
        currency: str = "CNY",
        floor: int | None = None,
        ceiling: int | None = None,
        owner: CustomerId | None = None,
    ) -> list[AccountId]:
        rows = [
            AccountRow(
                self.new_account_id(),
                currency,
                int(CHART[code].account_type),
                code,
                AccountState.OPEN,
                *(0, 0, 0, 0),
                floor,
                ceiling,
                *(0, 0, 0),
                owner,
                None,
            )
            for _ in range(count)
        ]
        await self.submit(commands.CreateAccounts(BOOK, None, rows))
        return [row.account_id for row in rows]

    async def book(self, *intents: PostingIntent) -> list[transaction_pb2.TransferResult]:
        """The results of intents booked independently of each other."""
        reply = await self.submit(
            commands.CreateTransfers(
                BOOK,
                None,
                list(intents),
                chosen=[True] * len(intents),
                linked=[False] * len(intents),
            )
        )
        return list(pb.CreateTransfersResponse.FromString(reply).results)

    async def move(
        self, debit: AccountId, credit: AccountId, amount: int, **details: Any
    ) -> TransactionId:
        """Book one movement that has to succeed."""
        intent = self.intent(debit, credit, amount, **details)
        (result,) = await self.book(intent)
        if result.outcome != transaction_pb2.TransferResult.OUTCOME_CREATED:
            raise Refusal(str(result.reason), "the test expected it to be booked")
        return intent.transaction_id

    def intent(
        self, debit: AccountId, credit: AccountId, amount: int, **details: Any
    ) -> PostingIntent:
        details = {"currency_code": "CNY", "transaction_id": self.new_transaction_id(), **details}
        return PostingIntent(
            debit_account_id=debit, credit_account_id=credit, amount=amount, **details
        )

    async def hold(
        self, debit: AccountId, credit: AccountId, amount: int, **details: Any
    ) -> TransactionId:
        return await self.move(debit, credit, amount, kind=PostingKind.PENDING, **details)

    async def settle(
        self, pending: TransactionId, kind: PostingKind, amount: int = 0, **details: Any
    ) -> TransactionId:
        """Capture, void or expire what a hold has left, or an amount of it."""
        intent = PostingIntent(
            transaction_id=self.new_transaction_id(),
            kind=kind,
            pending=(pending, 0),
            amount=amount,
            currency_code="CNY" if amount else "",
            **details,
        )
        makers: dict[PostingKind, type[Any]] = {
            PostingKind.CAPTURE: commands.CapturePending,
            PostingKind.VOID: commands.VoidPending,
            PostingKind.EXPIRE: commands.ExpireHolds,
        }
        await self.submit(makers[kind](BOOK, None, [intent]))
        return intent.transaction_id

    async def transact(self, *intents: PostingIntent) -> TransactionId:
        """Book several postings as one transaction."""
        transaction_id = self.new_transaction_id()
        for intent in intents:
            intent.transaction_id = transaction_id
        await self.submit(
            commands.CreateTransaction(
                BOOK, None, list(intents), transaction_id=transaction_id, chosen=True
            )
        )
        return transaction_id

    async def reverse(self, original: TransactionId, **details: Any) -> TransactionId:
        reversal = self.new_transaction_id()
        await self.submit(
            commands.ReverseTransaction(
                BOOK, None, original_id=original, reversal_id=reversal, **details
            )
        )
        return reversal

    async def set_state(self, account_id: AccountId, state: AccountState) -> None:
        await self.submit(
            commands.SetAccountState(
                BOOK, None, account_id=account_id, state=state, reason_text="a test"
            )
        )


@asynccontextmanager
async def open_ledger(dsn: str, clock: SettableClock) -> AsyncIterator[Ledger]:
    """A ledger that is running."""
    engine = Engine(dsn=dsn, books=[BOOK], clock=clock, failpoints=Failpoints())
    readers = Readers(dsn, clock, minimum=1, maximum=4, wait_ms=5_000, name="tests readers")
    await readers.open(timeout_seconds=PATIENCE)
    await engine.start()
    try:
        yield Ledger(engine, readers, clock)
    finally:
        await engine.stop()
        await readers.close()
