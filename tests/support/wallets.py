"""Wallets on a real database without the network: every method of both services, and the jobs."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from longmen.accounts.v1 import accounts_service_pb2 as accounts_pb
from longmen.risk.v1 import cases_service_pb2 as cases_pb
from longmen.risk.v1 import risk_service_pb2 as risk_pb
from longmen.transfers.v1 import transfers_service_pb2 as transfers_pb
from longmen.type.v1 import money_pb2
from longmen_server.accounts.service import AccountsService
from longmen_server.accounts.settings import AccountsSettings
from longmen_server.challenges.office import StepUpOffice
from longmen_server.jobs.clearing import Clearing
from longmen_server.jobs.due_transfers import DueTransfers
from longmen_server.jobs.expired_holds import ExpiredHolds
from longmen_server.jobs.reply_expiry import ReplyExpiry
from longmen_server.jobs.runner import JobRunner
from longmen_server.jobs.settings import JobSettings
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.fingerprint import fingerprint
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, AccountId, CustomerId
from longmen_server.risk.service import RiskService
from longmen_server.riskcases.service import CasesService
from longmen_server.transfers.clearing.instant import InstantClearing
from longmen_server.transfers.service import TransfersService
from longmen_server.transport.context import Call, Principal
from tests.support.ledger import BOOK, PATIENCE, Ledger, open_ledger
from tests.support.personal import open_vault
from tests.support.risk import open_desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.platform.pii import Vault
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.transfers.clearing.port import ClearingAdapter
    from tests.support.clock import SettableClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
SERVICE = Principal(
    kind="service", subject="channel", scopes=frozenset(), customer_id=None, token_id="t"
)
STAFF = Principal(kind="staff", subject="risk", scopes=frozenset(), customer_id=None, token_id="t")
WATCH_INTERVAL_MS = 5


class Wire:
    """What a servicer may do to a call: mark its answer as an earlier one."""

    def set_trailing_metadata(self, _: Any) -> None:
        """Nobody reads it here; the call remembers the mark."""

    def peer(self) -> str:
        """Where every call comes from."""
        return "ipv4:192.0.2.7:40000"


@dataclass(frozen=True)
class Person:
    """A customer with a first account."""

    customer_id: CustomerId
    account_id: AccountId
    phone: str

    @property
    def customer(self) -> str:
        return CUSTOMER.encode(self.customer_id)

    @property
    def account(self) -> str:
        return ACCOUNT.encode(self.account_id)

    @property
    def principal(self) -> Principal:
        return Principal(
            kind="customer",
            subject=self.customer,
            scopes=frozenset(),
            customer_id=self.customer_id,
            token_id="t",
        )


class Wallets(Ledger):
    """One process of the server, as far as wallets and transfers go."""

    accounts: AccountsService
    transfers: TransfersService
    risk: RiskService
    cases: CasesService
    desk: RiskDesk
    jobs: JobRunner
    vault: Vault

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.replayed = False
        self._phones = iter(range(13_800_000_000, 13_900_000_000))

    def serve(self, dsn: str, adapter: ClearingAdapter, settings: JobSettings) -> None:
        """Make the services and the jobs."""
        self.vault = open_vault(dsn)
        shared: Any = {
            "engine": self.engine,
            "readers": self.readers,
            "clock": self.clock,
            "tokens": self.tools.page_tokens,
            "vault": self.vault,
            "zone": SHANGHAI,
        }
        limits = AccountsSettings(
            balance_watch_interval_ms=WATCH_INTERVAL_MS, statement_lines_max=50
        )
        step_up = StepUpOffice(self.clock)
        self.accounts = AccountsService(
            **shared, default_book=BOOK, settings=limits, step_up=step_up
        )
        self.desk = open_desk(self.readers, self.clock, (BOOK,))
        self.transfers = TransfersService(**shared, step_up=step_up, risk=self.desk)
        without = {name: shared[name] for name in ("engine", "readers", "clock", "tokens")}
        self.risk = RiskService(**without, step_up=step_up, desk=self.desk, default_book=BOOK)
        self.cases = CasesService(**without, vault=self.vault, default_book=BOOK)
        self.jobs = self.new_runner(dsn, adapter, settings)

    def new_runner(
        self, dsn: str, adapter: ClearingAdapter, settings: JobSettings | None = None
    ) -> JobRunner:
        return JobRunner(
            dsn=dsn,
            engine=self.engine,
            clock=self.clock,
            books=[BOOK],
            jobs=[
                DueTransfers(),
                ExpiredHolds(),
                Clearing(adapter, self.vault),
                ReplyExpiry(kept_days=30),
            ],
            settings=settings or JobSettings(),
        )

    # -- calls ---------------------------------------------------------------------------------

    def call_for(self, method: str, request: Any, principal: Principal) -> Call:
        """A call as the edge would hand it on."""
        wire: Any = Wire()
        call = Call(method, wire)
        call.principal = principal
        call.deadline = self.clock.monotonic() + PATIENCE
        field = request.DESCRIPTOR.fields_by_name.get("request_id")
        if field is not None:
            call.request_id = request.request_id
            content = request.SerializeToString(deterministic=True)
            call.request_digest = fingerprint(content, skip=field.number)
        return call

    async def ask(self, method: str, principal: Principal = SERVICE, /, **fields: Any) -> Any:
        """The reply of a method, by its name; what changes something gets a request id."""
        module: Any = accounts_pb
        service: Any = self.accounts
        if hasattr(self.transfers, method):
            module, service = transfers_pb, self.transfers
        elif hasattr(self.risk, method):
            module, service = risk_pb, self.risk
        elif hasattr(self.cases, method):
            module, service = cases_pb, self.cases
        request = getattr(module, f"{method}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = self.new_request_id()
        call = self.call_for(f"longmen.wallets.tests/{method}", request, principal)
        try:
            reply = await getattr(service, method)(request, call)
        finally:
            self.replayed = call.replayed
        if isinstance(reply, bytes):
            return getattr(module, f"{method}Response").FromString(reply)
        return reply

    # -- shortcuts -----------------------------------------------------------------------------

    def new_request_id(self) -> str:
        return str(uuid.UUID(bytes=self.new_transaction_id()))

    def new_phone(self) -> str:
        """A phone number that nobody has yet."""
        return f"+86{next(self._phones)}"

    async def events(self, subject: bytes) -> list[tuple[int, bytes]]:
        """Types and payloads of what was told about something, in order."""
        async with self.readers.connection(deadline=self.clock.monotonic() + PATIENCE) as link:
            cursor = await link.execute(
                b"select type, payload from event where book = $1 and subject = $2"
                b" order by booked_at_us",
                (BOOK, Uuid(subject)),
            )
            return [(record[0], record[1]) for record in await cursor.fetchall()]

    async def person(
        self, name: str = "Alan Lee", *, funds: int = 0, currency: str = "CNY"
    ) -> Person:
        """A new customer, with money if asked for."""
        phone = self.new_phone()
        opened = await self.ask(
            "OpenWallet", phone_number=phone, display_name=name, currency_code=currency
        )
        person = Person(
            CUSTOMER.decode(opened.wallet.customer_id),
            ACCOUNT.decode(opened.account.account_id),
            phone,
        )
        if funds:
            await self.top_up(person, funds, currency=currency)
        return person

    async def top_up(self, person: Person, amount: int, *, currency: str = "CNY") -> Any:
        return await self.ask(
            "TopUp",
            account_id=person.account,
            amount=cash(amount, currency),
            bank_account="6222021234567890",
        )

    async def pay(self, payer: Person, payee: Person, amount: int, **details: Any) -> Any:
        """Pay by account id, as the payer."""
        return await self.ask(
            "CreateTransfer",
            payer.principal,
            from_account_id=payer.account,
            payee={"account_id": payee.account},
            amount=cash(amount),
            **details,
        )

    async def balance(self, person: Person) -> tuple[int, int, int, int]:
        """Posted, available, held and incoming of a person's first account."""
        balance = (await self.ask("GetBalance", account_id=person.account)).balance
        return (
            balance.posted.minor_units,
            balance.available.minor_units,
            balance.held.minor_units,
            balance.incoming.minor_units,
        )


def cash(minor_units: int, currency: str = "CNY") -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code=currency)


@asynccontextmanager
async def open_wallets(
    dsn: str,
    clock: SettableClock,
    *,
    adapter: ClearingAdapter | None = None,
    settings: JobSettings | None = None,
) -> AsyncIterator[Wallets]:
    """A server without its edge."""
    async with open_ledger(dsn, clock) as ledger:
        wallets = Wallets(ledger.engine, ledger.readers, clock)
        wallets.serve(dsn, adapter or InstantClearing(), settings or JobSettings())
        try:
            yield wallets
        finally:
            await wallets.jobs.stop()
