"""TransfersService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.transfers.v1 import transfers_service_pb2 as pb
from longmen_server.accounts import queries as accounts
from longmen_server.accounts.actor import actor_of
from longmen_server.accounts.masking import mask_phone
from longmen_server.accounts.model import check_phone_number
from longmen_server.accounts.personal import masked_names, phone_index
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.paging import page_size, time_range
from longmen_server.ledger.queries.history import find_account_rows, reference_is_own
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import ACCOUNT, TRANSACTION, TransactionId, book_of, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers import bank_moves, commands, encode, queries, settlement
from longmen_server.transfers.bank_accounts import BankAccounts
from longmen_server.transfers.bank_moves import ClearingMove
from longmen_server.transfers.commands import (
    Payment,
    payee_currency_unavailable,
    payee_not_found,
)
from longmen_server.transfers.model import transfer_not_found

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from google.protobuf.message import Message

    from longmen.transfers.v1 import transfer_pb2
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import AccountId
    from longmen_server.platform.pii import Vault
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

_VERSION_BYTES: Final = 8
_RECEIVING_STATES: Final = frozenset({AccountState.OPEN, AccountState.DEBIT_FROZEN})


class TransfersService:
    """The methods of longmen.transfers.v1.TransfersService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        vault: Vault,
        zone: ZoneInfo,
        step_up: StepUpOffice,
        risk: RiskDesk,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            tokens: seals page tokens.
            vault: seals bank accounts, opens names and finds phone numbers.
            zone: the bank's time zone, whose midnight begins the next day.
            step_up: gives customers' payments the gate they have to pass.
            risk: gives every movement its guard.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._vault = vault
        self._bank_accounts = BankAccounts(vault, readers, clock.monotonic)
        self._zone = zone
        self._step_up = step_up
        self._risk = risk

    # -- making transfers ----------------------------------------------------------------------

    async def CreateTransfer(self, request: pb.CreateTransferRequest, call: Call) -> bytes:  # noqa: N802
        """Pay from one wallet account to another."""
        payer_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book = book_of(payer_id)
        key = request_key(call)
        command = commands.CreateTransfer(
            book,
            key,
            payer_id=payer_id,
            payment=self._payment(book, request, "payee"),
            delay=request.delay,
            actor=actor_of(call),
            zone=self._zone,
            gate=self._step_up.gate(call, key, book),
            guard=self._risk.guard(call, book),
            funding=self._step_up.funding,
        )
        try:
            return await self._submit(command, request, call, absent=account_not_found(payer_id))
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, payer_id, request.amount.minor_units)
            raise

    async def BatchTransfers(self, request: pb.BatchTransfersRequest, call: Call) -> bytes:  # noqa: N802
        """Pay many payees from one account."""
        payer_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book = book_of(payer_id)
        key = request_key(call)
        command = commands.BatchTransfers(
            book,
            key,
            payer_id=payer_id,
            payments=[
                self._payment(book, item, f"items[{index}].payee")
                for index, item in enumerate(request.items)
            ],
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
            guards=self._risk.guards(call, book, len(request.items)),
        )
        return await self._submit(command, request, call, absent=account_not_found(payer_id))

    async def TopUp(self, request: pb.TopUpRequest, call: Call) -> bytes:  # noqa: N802
        """Bring money in from the customer's bank account."""
        move = await self._clearing_move(request, call)
        book = book_of(move.account_id)
        command = bank_moves.TopUp(
            book,
            request_key(call),
            move=move,
            actor=actor_of(call),
            guard=self._risk.guard(call, book),
        )
        return await self._submit(command, request, call, absent=account_not_found(move.account_id))

    async def Withdraw(self, request: pb.WithdrawRequest, call: Call) -> bytes:  # noqa: N802
        """Send money to the customer's bank account."""
        move = await self._clearing_move(request, call)
        book, key = book_of(move.account_id), request_key(call)
        command = bank_moves.Withdraw(
            book,
            key,
            move=move,
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
            guard=self._risk.guard(call, book),
        )
        return await self._submit(command, request, call, absent=account_not_found(move.account_id))

    # -- changing transfers --------------------------------------------------------------------

    async def HoldTransfer(self, request: pb.HoldTransferRequest, call: Call) -> bytes:  # noqa: N802
        """Stop a transfer from being released by time."""
        transfer_id = decode_id(TRANSACTION, request.transfer_id, "transfer_id")
        book = book_of(transfer_id)
        command = settlement.HoldTransfer(
            book,
            request_key(call),
            transfer_id=transfer_id,
            settlement_id=self._new_id(book),
            actor=actor_of(call),
            reason_text=request.reason_text,
        )
        return await self._submit(command, request, call, absent=transfer_not_found(transfer_id))

    async def ReleaseTransfer(self, request: pb.ReleaseTransferRequest, call: Call) -> bytes:  # noqa: N802
        """Pay a transfer out now."""
        transfer_id = decode_id(TRANSACTION, request.transfer_id, "transfer_id")
        book = book_of(transfer_id)
        command = settlement.ReleaseTransfer(
            book,
            request_key(call),
            transfer_id=transfer_id,
            settlement_id=self._new_id(book),
            actor=actor_of(call),
        )
        return await self._submit(command, request, call, absent=transfer_not_found(transfer_id))

    async def CancelTransfer(self, request: pb.CancelTransferRequest, call: Call) -> bytes:  # noqa: N802
        """Take a transfer back."""
        transfer_id = decode_id(TRANSACTION, request.transfer_id, "transfer_id")
        book = book_of(transfer_id)
        command = settlement.CancelTransfer(
            book,
            request_key(call),
            transfer_id=transfer_id,
            settlement_id=self._new_id(book),
            actor=actor_of(call),
        )
        return await self._submit(command, request, call, absent=transfer_not_found(transfer_id))

    # -- reading -------------------------------------------------------------------------------

    async def LookupPayee(  # noqa: N802
        self, request: pb.LookupPayeeRequest, call: Call
    ) -> pb.LookupPayeeResponse:
        """Show whom a payment would go to, masked."""
        currency = request.currency_code
        phone = request.payee.phone_number
        payer = actor_of(call).customer_id
        if phone:
            check_phone_number(phone)
        async with self._readers.connection(deadline=call.deadline) as connection:
            if phone:
                payee = await self._payee_by_phone(connection, phone, currency)
            else:
                named = decode_id(ACCOUNT, request.payee.account_id, "payee.account_id")
                payee = await _receiving_account(connection, named)
            if payer is not None and book_of(payer) != book_of(payee.account_id):
                # Wallets of different books cannot pay each other.
                raise payee_not_found()
            if payee.currency_code != currency:
                raise payee_currency_unavailable(currency)
            payee_id = payee.account_id
            names = await accounts.find_names(connection, book_of(payee_id), [payee_id])
        masked = masked_names(self._vault, names)
        return pb.LookupPayeeResponse(
            masked_name=masked.get(payee_id, ""), account_id=ACCOUNT.encode(payee_id)
        )

    async def _payee_by_phone(
        self, connection: Connection, phone_number: str, currency_code: str
    ) -> AccountRow:
        index = phone_index(self._vault, phone_number)
        found = await accounts.find_payee_by_phone(connection, index, currency_code)
        if found is None:
            raise payee_not_found()
        _, payee_id = found
        if payee_id is None:
            raise payee_currency_unavailable(currency_code)
        return await _receiving_account(connection, payee_id)

    async def GetTransfer(  # noqa: N802
        self, request: pb.GetTransferRequest, call: Call
    ) -> pb.GetTransferResponse:
        """Return one transfer."""
        demand_freshness(request.at_least_as_fresh)
        actor = actor_of(call)
        transfer_id = decode_id(TRANSACTION, request.transfer_id, "transfer_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            result = await queries.find_transfer(connection, transfer_id, self._clock.now_us())
        if result is None:
            raise transfer_not_found(transfer_id)
        (posting, stands), from_owner, to_owner = result
        pays, receives = actor.may_use(from_owner), actor.may_use(to_owner)
        if not (pays or receives):
            raise transfer_not_found(transfer_id)
        own = pays or reference_is_own(posting.code, is_debit=False)
        return pb.GetTransferResponse(transfer=encode.transfer(posting, stands, with_reference=own))

    async def ListTransfers(  # noqa: N802
        self, request: pb.ListTransfersRequest, call: Call
    ) -> pb.ListTransfersResponse:
        """List an account's transfers, newest first."""
        demand_freshness(request.at_least_as_fresh)
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        between_us = time_range(request)
        position = self._tokens.open(request.page_token, request, call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            account = await accounts.find_deposit(connection, account_id, actor_of(call))
            versions = await accounts.versions_of(
                connection, account, last=int.from_bytes(position, "big"), between_us=between_us
            )
            page = await queries.list_transfers(
                connection,
                account_id,
                versions,
                request.states,
                now_us=self._clock.now_us(),
                limit=page_size(request.page_size),
            )
        token = ""
        if page.next_version:
            token = self._tokens.seal(
                page.next_version.to_bytes(_VERSION_BYTES, "big"), request, call
            )
        return pb.ListTransfersResponse(
            transfers=[
                encode.transfer(
                    posting,
                    stands,
                    with_reference=reference_is_own(
                        posting.code, is_debit=posting.debit_account_id == account_id
                    ),
                )
                for posting, stands in page.transfers
            ],
            next_page_token=token,
        )

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)

    def _new_id(self, book: int) -> TransactionId:
        return TransactionId(new_id(book, self._clock))

    def _payment(
        self, book: int, asked: pb.CreateTransferRequest | transfer_pb2.BatchItem, field: str
    ) -> Payment:
        payee = asked.payee
        named = payee.account_id
        return Payment(
            transaction_id=self._new_id(book),
            payee_id=decode_id(ACCOUNT, named, f"{field}.account_id") if named else None,
            phone_index=phone_index(self._vault, payee.phone_number) if not named else b"",
            amount=asked.amount.minor_units,
            currency_code=asked.amount.currency_code,
            description=asked.description,
            reference=asked.reference,
            payee_text="" if named else mask_phone(payee.phone_number),
        )

    async def _clearing_move(
        self, request: pb.TopUpRequest | pb.WithdrawRequest, call: Call
    ) -> ClearingMove:
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        book = book_of(account_id)
        if book not in self._engine.writers:
            raise account_not_found(account_id)
        transfer_id = self._new_id(book)
        return ClearingMove(
            transaction_id=transfer_id,
            account_id=account_id,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            bank_account=request.bank_account,
            sealed_account=await self._bank_accounts.seal(
                account_id, transfer_id, request.bank_account, deadline=call.deadline
            ),
            description=request.description,
            reference=request.reference,
        )


async def _receiving_account(connection: Connection, account_id: AccountId) -> AccountRow:
    """Return a customer's account that can be paid to.

    Raises:
        Refusal: PAYEE_NOT_FOUND, whether there is none or it takes no money; nobody is told which.
    """
    account = (await find_account_rows(connection, book_of(account_id), [account_id])).get(
        account_id
    )
    if (
        account is None
        or account.chart_code != CUSTOMER_DEPOSITS
        or account.state not in _RECEIVING_STATES
    ):
        raise payee_not_found()
    return account
