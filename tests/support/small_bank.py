"""A whole server in this process: the composition root's parts, a real edge, and customers."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import Default

from longmen.events.v1 import event_pb2
from longmen_server.app import (
    FINGERPRINTS,
    Parts,
    build_services,
    open_parts,
)
from longmen_server.config import Settings
from longmen_server.jobs.clearing import Clearing
from longmen_server.jobs.job import Workplace
from longmen_server.jobs.merchant_days import MerchantDays
from longmen_server.jobs.runner import JobRunner
from longmen_server.messages.model import MessageRow
from longmen_server.personal_keys import prepare
from longmen_server.platform.database import connect
from longmen_server.platform.ids import CUSTOMER, new_id
from longmen_server.platform.issuer import IDENTITY_ISSUER, jwks_of
from longmen_server.platform.tokens import DevelopmentIssuer, TokenVerifier
from longmen_server.staff_desk import build_branches, build_doorkeeper
from longmen_server.transfers.clearing.instant import InstantClearing
from longmen_server.transport.server import Surroundings, build_server
from tests.support.clock import SettableClock
from tests.support.edge import Claims, Tokens, Told, settings, told
from tests.support.identity import claims_for
from tests.support.personal import key_file
from tests.support.rpcs import METHODS, short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from google.protobuf.message import Message

    from longmen_server.platform.clock import Clock
    from longmen_server.transport.interceptors.authn import TokenClaims
    from longmen_server.transport.method import Method
    from longmen_server.transport.server import EdgeServer
    from tests.support.identity import Device, SignedIn
    from tests.support.postgres import Database

MESSAGE_FIELDS = tuple(name for name in MessageRow.__slots__ if name != "recipient_index")
KINDS = ("service", "customer", "staff", "merchant")
SCOPES = frozenset(method.scope for method in METHODS)
BY_NAME = {short(method): method for method in METHODS}
ENDLESS = frozenset(
    {
        "AccountsService/WatchBalance",
        "EventsService/WatchEvents",
        "PayerCodesService/WatchPayerCode",
        "PaymentsService/WatchOrder",
        "RatesService/StreamRates",
    }
)
"""Streams that go on until the caller leaves; the others are read to their end."""
FUNDS = 10_000
BOOK = 1
GENEROUS = tuple(
    f"{kind}.{what}=500/2000"
    for kind in ("anonymous", "customer", "merchant", "staff")
    for what in ("payment", "read", "admin", "stream")
)
"""Rates that let tests of races send what they want; those of rates set their own."""
NEVER_US = 253_402_300_000_000_000
"""When the sessions of `session_token` end: in 9999, the last year that a Timestamp can tell."""
STAFF_SUBJECT = "stf_" + "0" * 28 + "0001"
"""Whom tokens of staff are of that a test makes up; the account is there where a test needs it."""
SERVICE = "service"
"""The token of a service that may do everything."""

ATTEMPTS = frozenset({"request_record"})
"""Where a refused request may leave a trace: that it was asked and what was answered."""

TRAIL = {
    "event": f"type <> {int(event_pb2.EVENT_TYPE_AUDITED)}",
    "journal_block": "false",
}
"""What is looked at of tables that the audit trail writes as well, at its own pace; the blocks
follow from the events."""


@dataclass(frozen=True)
class Person:
    """A customer with money on an account in CNY."""

    customer: str
    account: str
    phone: str


@dataclass(frozen=True)
class Answer:
    """What a call that succeeded gave."""

    messages: tuple[bytes, ...]
    """One for a unary method; of an endless stream only the first."""
    replayed: bool


class SmallBank:
    """A running server, a channel to it, and tokens of everybody."""

    def __init__(self, parts: Parts, tokens: Tokens, channel: Any, admin_dsn: str) -> None:
        self.parts = parts
        self.tokens = tokens
        self.channel = channel
        self.services: frozenset[str] = frozenset()
        self.merchants: dict[str, str] = {}
        """Whom a customer sells as, by the customer's id: merchants' tokens are theirs."""
        self.kept_samples: dict[tuple[str, object], tuple[Person, Message]] = {}
        """Good requests and whose they are, by method and how they are made."""
        self._database = psycopg.connect(admin_dsn, autocommit=True)
        self._phones = iter(range(13_800_000_000, 13_900_000_000))
        self.payee = Person("", "", "")
        """Somebody to pay to, who takes no other part."""
        self._tables = self._find_tables()
        tokens.known[SERVICE] = Claims(subject="channel", scopes=SCOPES)

    def close(self) -> None:
        self._database.close()

    # -- tokens --------------------------------------------------------------------------------

    def token(self, kind: str, person: Person | None = None, *, without: str = "") -> str:
        """A token of a kind with all scopes but one; customers' and merchants' are the person's.

        That of somebody anonymous is empty, which `call` sends as none.
        """
        if kind == "anonymous":
            return ""
        subject = person.customer if kind == "customer" and person else f"{kind}-1"
        if kind == "staff":
            subject = STAFF_SUBJECT
        if kind == "merchant" and person:
            subject = self.merchants.get(person.customer, subject)
        name = f"{kind}:{subject}:all-but-{without or 'none'}"
        customer_id = CUSTOMER.decode(person.customer) if kind == "customer" and person else None
        self.tokens.known[name] = Claims(
            kind=kind, subject=subject, scopes=SCOPES - {without}, customer_id=customer_id
        )
        return name

    def session_token(self, person: Person, device: int = 1) -> str:
        """A customer's token with a session on a bound device: payments have to be approved.

        The session is never idle, so that tests can move the clock.
        """
        session_id = new_id(BOOK, self.parts.clock)
        device_id = device.to_bytes(14, "big") + BOOK.to_bytes(2, "big")
        customer_id = CUSTOMER.decode(person.customer)
        self._database.execute(
            "insert into identity_session (created_at_us, seen_at_us, ends_at_us, book, end_cause,"
            " session_id, customer_id, device_id, family_digest, refresh_digest)"
            " values (%s, %s, %s, %s, 0, %s, %s, %s, '', '')",
            (
                self.parts.clock.now_us(),
                NEVER_US,
                NEVER_US,
                BOOK,
                session_id.hex(),
                customer_id.hex(),
                device_id.hex(),
            ),
        )
        name = f"session:{session_id.hex()}"
        self.tokens.known[name] = Claims(
            kind="customer",
            subject=person.customer,
            scopes=SCOPES,
            customer_id=customer_id,
            session_id=f"sess_{session_id.hex()}",
            device_id=f"dev_{device_id.hex()}",
        )
        return name

    def staff_session(self, name: str) -> str:
        """The id of a session of staff by a name of the test's, there and never idle."""
        session_id = sha256(name.encode()).digest()[:14] + BOOK.to_bytes(2, "big")
        self.execute(
            "insert into staff_session (created_at_us, seen_at_us, ends_at_us, book, end_cause,"
            " session_id, staff_id, device_id, thumbprint)"
            " values (0, %s, %s, %s, 0, %s, %s, %s, '') on conflict do nothing",
            NEVER_US,
            NEVER_US,
            BOOK,
            session_id.hex(),
            STAFF_SUBJECT.removeprefix("stf_"),
            session_id.hex(),
        )
        return f"sess_{session_id.hex()}"

    def token_of(self, kind: str, subject: str) -> str:
        """A token of somebody who may do everything, but is no customer."""
        name = f"{kind}:{subject}"
        self.tokens.known[name] = Claims(kind=kind, subject=subject, scopes=SCOPES)
        return name

    def insider(self, method: Method) -> str:
        """A token for a method that no customer needs to have: a service's wherever it may."""
        return SERVICE if "service" in method.principal_kinds else self.token("staff")

    def token_of_another(self, kind: str, person: Person) -> str:
        """A token of a kind that may do everything, and is not the one that `insider` gives."""
        if kind in {"customer", "merchant"}:
            return self.token(kind, person)
        return self.token_of(kind, f"other-{kind}")

    # -- calls ---------------------------------------------------------------------------------

    async def call(self, method: Method, request: Message | bytes, token: str | None) -> Answer:
        """The answer of a method; raise grpc.aio.AioRpcError unless it is OK."""
        payload = request if isinstance(request, bytes) else request.SerializeToString()
        metadata: Any = () if not token else (("authorization", f"Bearer {token}"),)
        if not method.streams:
            call = self.channel.unary_unary(f"/{method.path}")(
                payload, metadata=metadata, timeout=20
            )
            reply = await call
            trailers = dict(await call.trailing_metadata())
            return Answer((reply,), trailers.get("request-replayed") == "true")
        call = self.channel.unary_stream(f"/{method.path}")(payload, metadata=metadata, timeout=20)
        messages = []
        async for message in call:
            messages.append(message)
            if short(method) in ENDLESS:
                call.cancel()
                break
        return Answer(tuple(messages), replayed=False)

    async def refused(self, method: Method, request: Message | bytes, token: str | None) -> Told:
        """What the refusal of a call told; fail the test if it is answered."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.call(method, request, token)
        return told(caught.value)

    async def ask(
        self, method: Method, request: Message, token: str, *, new_id: bool = False
    ) -> Any:
        """The parsed reply of a unary method."""
        if new_id:
            setattr(request, "request_id", self.new_request_id())  # noqa: B010
        answer = await self.call(method, request, token)
        return reply_class(method).FromString(answer.messages[0])

    async def do(self, name: str, token: str = SERVICE, /, **fields: Any) -> Any:
        """The reply of a method by its name, as a service; what changes something gets an id."""
        method = BY_NAME[name]
        request = method.request_class(**fields)
        fresh = method.repeatable and "request_id" not in fields
        return await self.ask(method, request, token, new_id=fresh)

    def new_request_id(self) -> str:
        return str(uuid.UUID(bytes=new_id(BOOK, self.parts.clock)))

    def execute(self, statement: str, *parameters: Any) -> None:
        """Change the database behind the server's back."""
        self._database.execute(statement.encode(), parameters)

    def new_phone(self) -> str:
        """A phone number that nobody has yet."""
        return f"+86{next(self._phones)}"

    async def signed(
        self,
        name: str,
        who: SignedIn,
        /,
        *,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        signer: Device | None = None,
        proof: str | None = None,
        channel: Any = None,
        more: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Any:
        """The reply of a method to a device that has signed in, with a proof of its key.

        Fields of the request whose names are taken here come in `more`.
        """
        method = BY_NAME[name]
        request = method.request_class(**fields, **(more or {}))
        if method.repeatable and not fields.get("request_id"):
            setattr(request, "request_id", self.new_request_id())  # noqa: B010
        payload = request.SerializeToString()
        if proof is None:
            now_s = self.parts.trusted_clock.now_us() // 1_000_000
            said = claims_for(method.path, who.access_token, payload, now_s)
            said |= claims or {}
            kept = {key: value for key, value in said.items() if value is not None}
            proof = who.device.proof(kept, header=header, signer=signer)
        metadata = (("authorization", f"Bearer {who.access_token}"), ("dpop", proof))
        unary = (channel or self.channel).unary_unary(f"/{method.path}")
        reply = await unary(payload, metadata=metadata if proof else metadata[:1], timeout=20)
        return reply_class(method).FromString(reply)

    def last_message(self, phone: str) -> str:
        """The text of the latest message to a phone number, delivered or not."""
        rows = self._database.execute(
            "select message_id, channel, kind, created_at_us, expires_at_us, attempts, sealed"
            " from message_outbox where sealed is not null order by message_id desc limit 50"
        ).fetchall()
        for message_id, *rest in rows:
            row = MessageRow(**dict(zip(MESSAGE_FIELDS, (message_id.bytes, *rest), strict=True)))
            letter = self.parts.office.open(row)
            if letter.recipient == phone:
                return letter.text
        raise AssertionError(f"no message to {phone}")

    # -- people --------------------------------------------------------------------------------

    async def person(self) -> Person:
        """A new customer with money."""
        phone = self.new_phone()
        opened = await self.do(
            "AccountsService/OpenWallet",
            phone_number=phone,
            display_name="Alan Lee",
            currency_code="CNY",
        )
        person = Person(opened.wallet.customer_id, opened.account.account_id, phone)
        await self.do(
            "TransfersService/TopUp",
            account_id=person.account,
            amount=cash(FUNDS),
            bank_account="6222021234567890",
        )
        return person

    async def settle_clearing(self) -> None:
        """Let the clearing answer for every top-up and withdrawal so far."""
        parts = self.parts
        clearing = Clearing(InstantClearing(), parts.vault)
        assert parts.settings.dsn is not None
        jobs = JobRunner(
            dsn=parts.settings.dsn,
            engine=parts.engine,
            clock=parts.clock,
            books=[BOOK],
            jobs=[clearing],
            settings=parts.settings.jobs,
        )
        await jobs.run_once()
        await jobs.stop()

    async def close_days(self, days: int = 0) -> None:
        """Close and settle all business dates that have ended, as it will be some days from now."""
        later = SettableClock(self.parts.clock.now_us() + days * 86_400_000_000)
        async with self.workplace(later) as workplace:
            while (await MerchantDays().take(workplace)).more:
                pass

    @asynccontextmanager
    async def workplace(
        self, clock: Clock | None = None, *, items_max: int = 500
    ) -> AsyncIterator[Workplace]:
        """What a job works with, at its first time."""
        parts = self.parts
        assert parts.settings.dsn is not None
        connection = await connect(parts.settings.dsn, application_name="tests job")
        try:
            yield Workplace(
                book=BOOK,
                connection=connection,
                engine=parts.engine,
                clock=clock or parts.clock,
                items_max=items_max,
                progress=0,
            )
        finally:
            await connection.close()

    # -- the database --------------------------------------------------------------------------

    def contents(self, *, but: frozenset[str] = frozenset()) -> dict[str, tuple[int, int]]:
        """Number and versions of the rows of every table: equal means that nothing was written.

        A row's place and the transaction that wrote it tell its version, whatever its content:
        these tests look often, and what they look at grows with each.
        """
        version = "hashtidextended(ctid, hashxidextended(xmin, tableoid::bigint))"
        sums = [
            f"select '{table}', count(*), coalesce(bit_xor({version}), 0)"  # noqa: S608
            f" from {table} where {TRAIL.get(table, 'true')}"
            for table in self._tables
            if table not in but
        ]
        rows = self._database.execute(" union all ".join(sums).encode(), prepare=True)
        return {table: (count, versions) for table, count, versions in rows}

    def has_bytes(self, secret: bytes) -> bool:
        """Whether any row of any table has these bytes in it."""
        found = [
            f"select exists (select from {table} t where t::text like %s)"  # noqa: S608
            for table in self._tables
        ]
        rows = self._database.execute(
            " union all ".join(found).encode(), [f"%{secret.hex()}%"] * len(found)
        )
        return any(row[0] for row in rows)

    def _find_tables(self) -> list[str]:
        statement = (
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition order by relname"
        )
        return [row[0] for row in self._database.execute(statement)]


def reply_class(method: Method) -> type[Message]:
    """The class of a method's replies."""
    descriptor = Default().FindServiceByName(method.service).methods_by_name[method.name]
    return message_factory.GetMessageClass(descriptor.output_type)


def cash(minor_units: int, currency: str = "CNY") -> dict[str, Any]:
    """An amount, as a field of a request."""
    return {"minor_units": minor_units, "currency_code": currency}


@asynccontextmanager
async def open_small_bank(
    database: Database, folder: Path, **more: Any
) -> AsyncIterator[SmallBank]:
    """Run a server with everything a worker serves, on a database of its own.

    More surroundings of the edge can be given, such as a tracer.
    """
    (folder / "page_token.key").write_bytes(bytes(range(32)))
    (folder / "secrets.key").write_bytes(bytes(range(32, 64)))
    chosen = Settings(
        data=folder,
        dsn=database.app_dsn,
        page_token_key=folder / "page_token.key",
        secrets_key=folder / "secrets.key",
        identity_key=folder / "identity.pem",
        receipt_key=folder / "receipt.pem",
        personal_keys=key_file(),
        samples=False,
    )
    prepare(database.app_dsn, key_file(), chosen.books)
    tokens = Tokens({})
    async with open_parts(chosen, 0) as parts, open_worker(parts, tokens, **more) as channel:
        bank = SmallBank(parts, tokens, channel, database.admin_dsn)
        bank.services = frozenset(build_services(parts))
        try:
            bank.payee = await bank.person()
            yield bank
        finally:
            bank.close()


@asynccontextmanager
async def open_worker(parts: Parts, tokens: Tokens, **more: Any) -> AsyncIterator[Any]:
    """Serve with the parts of a worker; gives a channel to it."""
    server = worker_server(parts, tokens, more=more)
    await server.start()
    server.set_ready(ready=True)
    tokens.target = f"127.0.0.1:{server.port}"
    channel = grpc.aio.insecure_channel(tokens.target)
    try:
        yield channel
    finally:
        await channel.close()
        await server.drain(0)


def worker_server(
    parts: Parts, tokens: Tokens, *, more: dict[str, Any] | None = None, **changes: Any
) -> EdgeServer:
    """The server of a worker with these parts, with changes to the edge's settings.

    `more` surroundings can be given, such as a tracer.
    """
    return build_server(
        build_services(parts),
        settings=settings(**{"rates": GENEROUS, **changes}),
        surroundings=Surroundings(
            verifier=EitherVerifier(tokens, parts),
            metrics=parts.metrics,
            monotonic=parts.trusted_clock.monotonic,
            now_us=parts.trusted_clock.now_us,
            secret_fingerprint_key=parts.secrets.derive(FINGERPRINTS),
            doorkeeper=build_doorkeeper(parts),
            branches=build_branches(parts),
            trail=parts.trail,
            keyring=parts.keyring,
            **(more or {}),
        ),
    )


class EitherVerifier:
    """Takes the tokens that a test makes up, and the real ones of sessions."""

    def __init__(self, tokens: Tokens, parts: Parts) -> None:
        chosen = parts.settings
        assert chosen.identity_key is not None
        issuer = DevelopmentIssuer(
            chosen.data, issuer="development", audience="longmen", clock=parts.trusted_clock
        )
        self._tokens = tokens
        self._real = TokenVerifier(
            issuer.jwks,
            issuer="development",
            audience=chosen.tokens_audience,
            leeway_seconds=chosen.tokens_leeway_s,
            clock=parts.trusted_clock,
            session_jwks=jwks_of(chosen.identity_key),
            session_issuer=IDENTITY_ISSUER,
        )

    def verify(self, token: str) -> TokenClaims:
        """The claims of either kind of token."""
        return self._real.verify(token) if token.count(".") == 2 else self._tokens.verify(token)
