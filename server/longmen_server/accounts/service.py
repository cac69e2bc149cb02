"""AccountsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen_server.accounts import commands, encode, model, queries
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.movements import filter_by_kinds, movement
from longmen_server.accounts.personal import Person, masked_names, open_person, seal_customer
from longmen_server.accounts.statement import Month, check_month
from longmen_server.accounts.statement_office import StatementOffice
from longmen_server.accounts.watch import balance_watcher
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import PAGE_SIZE_MAX, page_size, time_range
from longmen_server.ledger.queries.history import MINOR_UNITS_MAXIMUM
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    AccountId,
    CustomerId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.money import currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from zoneinfo import ZoneInfo

    from google.protobuf.message import Message

    from longmen.accounts.v1 import wallet_pb2
    from longmen_server.accounts.settings import AccountsSettings
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

FIRST_READ_SECONDS: Final = 5.0
"""How long the first look of a stream may take; the stream itself may last an hour."""

_VERSION_BYTES: Final = 8


class AccountsService:
    """The methods of longmen.accounts.v1.AccountsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        vault: Vault,
        default_book: int,
        zone: ZoneInfo,
        settings: AccountsSettings,
        step_up: StepUpOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids, months and deadlines.
            tokens: seals page tokens.
            vault: seals and opens personal data.
            default_book: book of wallets opened without one.
            zone: the bank's time zone, whose days bound months.
            settings: limits.
            step_up: gives customers' requests the gate they have to pass.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._vault = vault
        self._default_book = default_book
        self._zone = zone
        self._step_up = step_up
        self._office = StatementOffice(zone, settings)
        self._watcher = balance_watcher(
            readers, clock, interval_ms=settings.balance_watch_interval_ms
        )

    # -- wallets -------------------------------------------------------------------------------

    async def OpenWallet(  # noqa: N802
        self, request: pb.OpenWalletRequest, call: Call
    ) -> pb.OpenWalletResponse:
        """Register a customer."""
        _check_currency(request.currency_code)
        book = request.book or self._default_book
        customer_id = CustomerId(new_id(book, self._clock))
        person = Person(request.display_name, model.check_phone_number(request.phone_number))
        command = commands.OpenWallet(
            book,
            request_key(call),
            new=commands.NewWallet(
                customer_id=customer_id,
                account_id=AccountId(new_id(book, self._clock)),
                person=seal_customer(
                    self._vault,
                    customer_id,
                    phone_number=person.phone_number,
                    display_name=person.display_name,
                ),
                currency_code=request.currency_code,
                nickname=request.nickname,
            ),
        )
        reply = pb.OpenWalletResponse.FromString(await self._submit(command, request, call))
        encode.name_owner(reply.wallet, person)
        reply.account.nickname = request.nickname
        return reply

    async def GetWallet(self, request: pb.GetWalletRequest, call: Call) -> pb.GetWalletResponse:  # noqa: N802
        """Return a wallet with its accounts."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            wallet = await queries.find_wallet(connection, book, customer_id)
            if wallet is None:
                raise model.wallet_not_found(request.customer_id)
            pairs = await queries.list_pockets(
                connection, book, customer_id, after=None, limit=PAGE_SIZE_MAX
            )
        return pb.GetWalletResponse(
            wallet=encode.wallet(wallet.row, open_person(self._vault, wallet)),
            accounts=[encode.wallet_account(pocket, account) for pocket, account in pairs],
        )

    # -- accounts ------------------------------------------------------------------------------

    async def OpenAccount(  # noqa: N802
        self, request: pb.OpenAccountRequest, call: Call
    ) -> pb.OpenAccountResponse:
        """Open a pocket."""
        _check_currency(request.currency_code)
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        command = commands.OpenAccount(
            book,
            request_key(call),
            customer_id=customer_id,
            account_id=AccountId(new_id(book, self._clock)),
            currency_code=request.currency_code,
            nickname=request.nickname,
        )
        absent = model.wallet_not_found(CUSTOMER.encode(customer_id))
        recorded = await self._submit(command, request, call, absent=absent)
        reply = pb.OpenAccountResponse.FromString(recorded)
        reply.account.nickname = request.nickname
        return reply

    async def GetAccount(self, request: pb.GetAccountRequest, call: Call) -> pb.GetAccountResponse:  # noqa: N802
        """Return one account."""
        demand_freshness(request.at_least_as_fresh)
        async with self._readers.connection(deadline=call.deadline) as connection:
            account = await self._deposit(connection, request.account_id, call)
            pocket = await queries.find_pocket(connection, account)
        return pb.GetAccountResponse(account=encode.wallet_account(pocket, account))

    async def ListAccounts(  # noqa: N802
        self, request: pb.ListAccountsRequest, call: Call
    ) -> pb.ListAccountsResponse:
        """List a customer's accounts."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await queries.find_wallet(connection, book, customer_id) is None:
                raise model.wallet_not_found(request.customer_id)
            pairs = await queries.list_pockets(
                connection,
                book,
                customer_id,
                after=AccountId(after) if after else None,
                limit=size + 1,
            )
        page = pairs[:size]
        more = len(pairs) > size
        return pb.ListAccountsResponse(
            accounts=[encode.wallet_account(pocket, account) for pocket, account in page],
            next_page_token=(
                self._tokens.seal(page[-1][0].account_id, request, call) if more else ""
            ),
        )

    async def FreezeAccount(  # noqa: N802
        self, request: pb.FreezeAccountRequest, call: Call
    ) -> pb.FreezeAccountResponse:
        """Freeze an account."""
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        command = commands.FreezeAccount(
            book_of(account_id),
            request_key(call),
            account_id=account_id,
            actor=actor_of(call),
            only_outgoing=request.only_outgoing,
            reason_text=request.reason_text,
        )
        absent = account_not_found(account_id)
        recorded = await self._submit(command, request, call, absent=absent)
        reply = pb.FreezeAccountResponse.FromString(recorded)
        await self._name(reply.account, call)
        return reply

    async def UnfreezeAccount(  # noqa: N802
        self, request: pb.UnfreezeAccountRequest, call: Call
    ) -> pb.UnfreezeAccountResponse:
        """Lift a freeze."""
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        book, key = book_of(account_id), request_key(call)
        command = commands.UnfreezeAccount(
            book,
            key,
            account_id=account_id,
            actor=actor_of(call),
            reason_text=request.reason_text,
            gate=self._step_up.gate(call, key, book),
        )
        absent = account_not_found(account_id)
        recorded = await self._submit(command, request, call, absent=absent)
        reply = pb.UnfreezeAccountResponse.FromString(recorded)
        await self._name(reply.account, call)
        return reply

    async def CloseAccount(  # noqa: N802
        self, request: pb.CloseAccountRequest, call: Call
    ) -> pb.CloseAccountResponse:
        """Close an account."""
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        book = book_of(account_id)
        sweep_to = request.sweep_to_account_id
        command = commands.CloseAccount(
            book,
            request_key(call),
            account_id=account_id,
            actor=actor_of(call),
            sweep_to=decode_id(ACCOUNT, sweep_to, "sweep_to_account_id") if sweep_to else None,
            sweep_id=TransactionId(new_id(book, self._clock)),
        )
        absent = account_not_found(account_id)
        recorded = await self._submit(command, request, call, absent=absent)
        reply = pb.CloseAccountResponse.FromString(recorded)
        await self._name(reply.account, call)
        return reply

    # -- balances and histories ----------------------------------------------------------------

    async def GetBalance(self, request: pb.GetBalanceRequest, call: Call) -> pb.GetBalanceResponse:  # noqa: N802
        """Return what an account has."""
        demand_freshness(request.at_least_as_fresh)
        async with self._readers.connection(deadline=call.deadline) as connection:
            account = await self._deposit(connection, request.account_id, call)
        return pb.GetBalanceResponse(balance=encode.balance(account))

    async def WatchBalance(  # noqa: N802
        self, request: pb.WatchBalanceRequest, call: Call
    ) -> AsyncIterator[pb.WatchBalanceResponse]:
        """Send an account's balance at once, and then whenever it changes."""
        deadline = min(call.deadline, self._clock.monotonic() + FIRST_READ_SECONDS)
        async with self._readers.connection(deadline=deadline) as connection:
            account = await self._deposit(connection, request.account_id, call)
        async with self._watcher.watch(account.account_id, account.version) as watch:
            while True:
                yield pb.WatchBalanceResponse(balance=encode.balance(account))
                account = await watch.next()

    async def ListTransactions(  # noqa: N802
        self, request: pb.ListTransactionsRequest, call: Call
    ) -> pb.ListTransactionsResponse:
        """List an account's movements, newest first."""
        demand_freshness(request.at_least_as_fresh)
        wanted = filter_by_kinds(
            request.kinds,
            minimum=request.minimum_minor_units,
            maximum=request.maximum_minor_units or MINOR_UNITS_MAXIMUM,
            counterparty_id=(
                decode_id(ACCOUNT, request.counterparty_account_id, "counterparty_account_id")
                if request.counterparty_account_id
                else None
            ),
            text=request.text,
        )
        between_us = time_range(request)
        position = self._tokens.open(request.page_token, request, call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            account = await self._deposit(connection, request.account_id, call)
            versions = await queries.versions_of(
                connection, account, last=int.from_bytes(position, "big"), between_us=between_us
            )
            page = await queries.read_page(
                connection,
                account.account_id,
                versions,
                wanted,
                limit=page_size(request.page_size),
            )
            names = await queries.find_names(
                connection,
                book_of(account.account_id),
                {entry.counterparty_id for entry in page.entries},
            )
        masked = masked_names(self._vault, names)
        token = ""
        if page.next_version:
            token = self._tokens.seal(
                page.next_version.to_bytes(_VERSION_BYTES, "big"), request, call
            )
        return pb.ListTransactionsResponse(
            movements=[movement(entry, masked) for entry in page.entries], next_page_token=token
        )

    async def GetStatement(self, request: pb.GetStatementRequest, call: Call) -> bytes:  # noqa: N802
        """Return a month's statement."""
        demand_freshness(request.at_least_as_fresh)
        month = Month(request.year, request.month, self._zone)
        now_us = self._clock.now_us()
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            account = await self._deposit(connection, request.account_id, call)
            check_month(month, opened_at_us=account.created_at_us, now_us=now_us)
            history = await queries.read_month(
                connection,
                account,
                month.start_us,
                month.end_us,
                limit=self._office.lines_max + 1,
            )
            self._office.check_lines(month, history)
            names = await queries.find_names(
                connection,
                book_of(account.account_id),
                {entry.counterparty_id for entry in history.entries},
            )
        return await self._office.answer(
            account,
            month,
            history,
            masked_names(self._vault, names),
            wanted=request.format,
            now_us=now_us,
        )

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal | None = None
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if absent is not None and command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)

    async def _name(self, account: wallet_pb2.WalletAccount, call: Call) -> None:
        """Put the owner's name for an account into a reply that was recorded without."""
        account_id = decode_id(ACCOUNT, account.account_id, "account_id")
        async with self._readers.connection(deadline=call.deadline) as connection:
            account.nickname = await queries.find_nickname(connection, account_id)

    async def _deposit(self, connection: Connection, account_id: str, call: Call) -> AccountRow:
        """Return the account that a request names, if it is the caller's to see."""
        return await queries.find_deposit(
            connection, decode_id(ACCOUNT, account_id, "account_id"), actor_of(call)
        )


def _check_currency(code: str) -> None:
    if code not in currencies():
        raise Refusal(
            "UNKNOWN_CURRENCY",
            "no such currency, or one without minor units",
            metadata={"currency_code": code},
            field="currency_code",
        )
