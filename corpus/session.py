"""A server to send the corpus to: started, given customers, watched, and asked to pay after it."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import psutil

from bench.servers import LongmenServer
from corpus.world import METHODS, NOWHERE, World
from longmen_client.ids import new_request_id
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.ids import CUSTOMER
from longmen_server.platform.tokens import DevelopmentIssuer
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from longmen_server.transport.method import Method

BY_NAME: Final = {short(method): method for method in METHODS}
LIFETIME_S: Final = 3 * 3_600
KINDS: Final = ("service", "staff", "merchant", "customer")
FUNDS: Final = 100_000_000
WITHOUT_LIMIT: Final = ",".join(
    f"{kind}.{what}=1000000/1000000"
    for kind in ("anonymous", *KINDS)
    for what in ("payment", "read", "admin", "stream")
)
"""Rates that no run comes near: a few principals send everything."""

INCIDENT: Final = re.compile(r"call_failed|Traceback")
CORES_OWN: Final = "grpc._cython"
"""In lines in which grpc tells of metadata that it could not decode."""


@dataclass(slots=True)
class Session:
    """A running server and what is needed to talk to it."""

    server: LongmenServer
    channel: grpc.aio.Channel
    issuer: DevelopmentIssuer
    tokens: dict[str, str]
    """Authorization metadata by method."""
    world: World

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.target.rpartition(":")[2])

    def rss_mb(self) -> float:
        """Memory of all workers, in 10⁶ bytes."""
        return sum(psutil.Process(p).memory_info().rss for p in self.server.worker_pids()) / 1e6

    def workers(self) -> list[int]:
        """Process numbers of the workers: another one means that one has died."""
        return self.server.worker_pids()

    def incidents(self) -> list[str]:
        """Lines of the server's log that tell of something unforeseen."""
        return [
            line
            for line in self.server.log().splitlines()
            if INCIDENT.search(line) and CORES_OWN not in line
        ]

    async def do(self, name: str, **values: Any) -> Any:
        """Call a method that answers once."""
        method = BY_NAME[name]
        if method.repeatable:
            values["request_id"] = str(new_request_id())
        request = method.request_class(**values)
        unary: Any = self.channel.unary_unary(f"/{method.path}")
        metadata = (("authorization", self.tokens[method.path]),)
        reply = await unary(request.SerializeToString(), metadata=metadata, timeout=10)
        return reply_class(method).FromString(reply)

    async def pay(self) -> None:
        """The canary: a payment between two customers whom no case has touched."""
        before = await self.do("AccountsService/GetBalance", account_id=self.world.payee)
        await self.do(
            "TransfersService/CreateTransfer",
            from_account_id=self.world.payer,
            payee={"account_id": self.world.payee},
            amount={"minor_units": 7, "currency_code": "CNY"},
        )
        after = await self.do("AccountsService/GetBalance", account_id=self.world.payee)
        if after.balance.available.minor_units - before.balance.available.minor_units != 7:
            raise AssertionError("the canary's payment has not arrived")

    async def stored(self, reference: str) -> bool:
        """Whether a transaction with just this reference is found."""
        found = await self.do("LedgerService/ListTransactions", reference=reference)
        return bool(found.transactions) and all(
            posting.reference == reference
            for transaction in found.transactions
            for posting in transaction.postings
        )


def reply_class(method: Method) -> Any:
    """The class of a method's replies."""
    from google.protobuf import descriptor_pool, message_factory

    service = descriptor_pool.Default().FindServiceByName(method.service)
    return message_factory.GetMessageClass(service.methods_by_name[method.name].output_type)


def authorizations(issuer: DevelopmentIssuer, customer: str) -> dict[str, str]:
    """A token that may call it, for every method."""
    scopes = {method.scope for method in METHODS}
    minted = {
        kind: issuer.mint(
            kind=kind,
            subject=customer if kind == "customer" else f"corpus-{kind}",
            scopes=scopes,
            lifetime_seconds=LIFETIME_S,
            customer_id=CUSTOMER.decode(customer) if kind == "customer" else None,
        )
        for kind in KINDS
    }
    found = {}
    for method in METHODS:
        # Methods for everybody take a service's token as well as none.
        kind = next((kind for kind in KINDS if kind in method.principal_kinds), KINDS[0])
        found[method.path] = f"Bearer {minted[kind]}"
    return found


@asynccontextmanager
async def open_session(folder: Path) -> AsyncIterator[Session]:
    """Start a server of one worker and open accounts in it."""
    with LongmenServer(folder, 1, {"LONGMEN_RATES": WITHOUT_LIMIT}) as server:
        issuer = DevelopmentIssuer(
            folder / "data",
            issuer="longmen-development",
            audience="longmen",
            clock=SystemClock(),
        )
        nobody = f"cust_{'0' * 28}0001"
        async with grpc.aio.insecure_channel(server.target) as channel:
            session = Session(server, channel, issuer, authorizations(issuer, nobody), NOWHERE)
            await _populate(session)
            yield session


async def _populate(session: Session) -> None:
    """Open two wallets for the canary and two for the cases."""
    wallets = []
    for number in range(4):
        opened = await session.do(
            "AccountsService/OpenWallet",
            phone_number=f"+861380000000{number}",
            display_name="Corpus",
            currency_code="CNY",
        )
        await session.do(
            "TransfersService/TopUp",
            account_id=opened.account.account_id,
            amount={"minor_units": FUNDS, "currency_code": "CNY"},
            bank_account="6222021234567890",
        )
        wallets.append(opened)
    transfer = await session.do(
        "TransfersService/CreateTransfer",
        from_account_id=wallets[2].account.account_id,
        payee={"account_id": wallets[3].account.account_id},
        amount={"minor_units": 1, "currency_code": "CNY"},
    )
    session.world = World(
        account=wallets[2].account.account_id,
        other_account=wallets[3].account.account_id,
        customer=wallets[2].wallet.customer_id,
        transaction=transfer.transfer.transfer_id,
        payer=wallets[0].account.account_id,
        payee=wallets[1].account.account_id,
    )
    session.tokens = authorizations(session.issuer, session.world.customer)
