"""A book with everything in it, made by real engines, and its verification."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from psycopg import IsolationLevel

from longmen.transfers.v1 import transfer_pb2
from longmen_server.engine.command import RequestKey
from longmen_server.kyc import commands as kyc
from longmen_server.kyc.model import Category, EvidenceKind, SealedEvidence
from longmen_server.ledger import commands
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.ledger.model import AccountState, PostingKind
from longmen_server.ledger.verification.report import Finding, Progress, Report, Summary
from longmen_server.ledger.verification.run import verify
from longmen_server.limit_orders.alerts import CreateRateAlert
from longmen_server.limit_orders.model import RateDirection
from longmen_server.limits.commands import SetAccountType, SetOwnLimit
from longmen_server.limits.model import Period
from longmen_server.platform.database import connect
from longmen_server.platform.ids import CaseId, CustomerId, RateAlertId, new_id
from longmen_server.platform.postgres import APP_ROLE
from longmen_server.platform.refusal import Refusal
from longmen_server.proven import CHECKS
from tests.support.fx_book import fill_exchange
from tests.support.ledger import BOOK, Ledger, open_ledger
from tests.support.market import fill_market
from tests.support.payouts import fill_payouts
from tests.support.recovery_book import fill_recovery
from tests.support.risk_book import fill_risk
from tests.support.risk_judged import fill_decisions
from tests.support.screening import fill_screenings
from tests.support.sharing import fill_sharing
from tests.support.shop import fill_shop
from tests.support.staff_book import fill_staff
from tests.support.wallets import cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from longmen_server.engine.command import Command
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection
    from tests.support.clock import SettableClock
    from tests.support.wallets import Person, Wallets


async def fill_book(dsn: str, clock: SettableClock) -> None:
    """Do everything the ledger can do, by two processes at once."""
    async with open_ledger(dsn, clock) as one, open_ledger(dsn, clock) as two:
        (bank,) = await one.open(code=BANK_CLEARING)
        owner = CustomerId(new_id(BOOK, clock))
        people = await one.open(6, floor=0, ceiling=1_000_000, owner=owner)
        (deep,) = await two.open(floor=50)
        for person in people:
            await two.move(bank, person, 10_000)
        await asyncio.gather(
            *(
                ledger.move(people[i % 5], people[5], 10 + i)
                for i, ledger in enumerate([one, two] * 20)
            )
        )
        await _holds(one, two, clock)
        await _requests(two)
        original = await one.transact(
            one.intent(people[0], people[1], 30), one.intent(people[1], people[2], 20)
        )
        await one.move(bank, deep, 20)
        await two.reverse(original, reference="taken back")
        await one.set_state(people[3], AccountState.FROZEN)
        await two.set_state(people[3], AccountState.OPEN)
        await two.set_state(people[4], AccountState.DEBIT_FROZEN)
        (leaving,) = await one.open(floor=0)
        await one.move(bank, leaving, 5, description="十元", effective_at_us=clock.now_us() - 9)
        await one.move(leaving, bank, 5, closes_debit_account=True, code=7)
        await fill_staff(one)
        await fill_exchange(one, clock)
        await fill_risk(one, clock)
    await _wallets(dsn, clock)


async def _wallets(dsn: str, clock: SettableClock) -> None:
    """Wallets with accounts of every fate, and transfers and instructions in every state."""
    async with open_wallets(dsn, clock) as wallets:
        rich, other, leaving = [await wallets.person(funds=10_000) for _ in range(3)]
        await wallets.ask(
            "OpenAccount", rich.principal, customer_id=rich.customer, currency_code="USD"
        )
        await wallets.ask(
            "CloseAccount",
            account_id=leaving.account,
            sweep_to_account_id=rich.account,
        )
        for method in ("ReleaseTransfer", "CancelTransfer", "HoldTransfer"):
            made = await wallets.pay(rich, other, 10, delay=transfer_pb2.TRANSFER_DELAY_TWO_HOURS)
            await wallets.ask(method, rich.principal, transfer_id=made.transfer.transfer_id)
        await _classes(wallets, rich, other)
        await _alert(wallets, rich)
        await wallets.jobs.run_once()
        for bank_account in ("6222021234567890", "REFUSE-AC04"):
            for method in ("TopUp", "Withdraw"):
                await _instruct(wallets, method, rich, bank_account)
        await wallets.jobs.run_once()
        await wallets.jobs.run_once()
        await fill_payouts(dsn, wallets)
        await fill_sharing(wallets)
        await _instruct(wallets, "Withdraw", rich, "6222021234567890")
        await fill_market(wallets, dsn, clock)
        await fill_shop(dsn, wallets)
        await fill_decisions(wallets)
        await fill_screenings(wallets)
        await fill_recovery(wallets, clock)
        await wallets.pay(rich, other, 10, delay=transfer_pb2.TRANSFER_DELAY_TWO_HOURS)


async def _alert(wallets: Wallets, person: Person) -> None:
    """An alert of a rate that is far away."""
    await wallets.submit(
        CreateRateAlert(
            BOOK,
            None,
            alert_id=RateAlertId(new_id(BOOK, wallets.clock)),
            customer_id=person.customer_id,
            pair=("USD", "CNY"),
            rate="9",
            direction=RateDirection.AT_LEAST,
            valid_days=30,
            age_max_us=lambda listed_us: listed_us,
        )
    )


async def _classes(wallets: Wallets, one: Person, other: Person) -> None:
    """Classes given, raised and lowered, with evidence that counts and evidence that does not."""
    for person, index in ((one, b"one document"), (other, b"another one")):
        document = SealedEvidence(EvidenceKind.RESIDENT_ID, b"sealed", index)
        account = SealedEvidence(EvidenceKind.BANK_ACCOUNT, b"sealed")
        who: Any = {"customer_id": person.customer_id}
        down: Any = {**who, "cause": 4, "reason_text": None}
        about: Any = {**who, "case_id": CaseId(new_id(BOOK, wallets.clock))}
        for command in (
            kyc.SubmitEvidence(BOOK, None, category=Category.DOCUMENT, evidence=document, **about),
            kyc.DowngradeKyc(BOOK, None, target=3, **down),
            kyc.SubmitEvidence(
                BOOK, None, category=Category.BANK_ACCOUNT, evidence=account, **about
            ),
            kyc.UpgradeKyc(BOOK, None, target=2, screened=None, **about),
        ):
            await wallets.submit(command)
    await wallets.submit(
        SetOwnLimit(
            BOOK,
            None,
            customer_id=one.customer_id,
            period=Period.DAY,
            amount=1_000_000,
            currency_code="CNY",
            gate=None,
        )
    )
    await wallets.submit(SetAccountType(BOOK, None, account_id=one.account_id, account_type=2))
    lowered = kyc.DowngradeKyc(
        BOOK, None, customer_id=other.customer_id, target=4, cause=1, reason_text=None
    )
    await wallets.submit(lowered)


async def _instruct(wallets: Wallets, method: str, person: Person, bank_account: str) -> None:
    await wallets.ask(
        method,
        person.principal,
        account_id=person.account,
        amount=cash(70),
        bank_account=bank_account,
    )


async def _holds(one: Ledger, two: Ledger, clock: SettableClock) -> None:
    """Holds in every state."""
    (bank,) = await one.open(code=BANK_CLEARING)
    payer, shop = await two.open(2, floor=0)
    await one.move(bank, payer, 1_000)
    await two.hold(payer, shop, 11)
    part = await one.hold(payer, shop, 100)
    await two.settle(part, PostingKind.CAPTURE, 30)
    whole = await one.hold(payer, shop, 100)
    await one.settle(whole, PostingKind.CAPTURE, 60)
    await two.settle(whole, PostingKind.CAPTURE)
    final = await one.hold(payer, shop, 100)
    await two.settle(final, PostingKind.CAPTURE, 70, final=True)
    voided = await one.hold(payer, shop, 100)
    await two.settle(voided, PostingKind.CAPTURE, 10)
    await two.settle(voided, PostingKind.VOID)
    expired = await one.hold(payer, shop, 100, hold_duration_us=1_000_000)
    clock.advance(2)
    await two.settle(expired, PostingKind.EXPIRE)


async def _requests(ledger: Ledger) -> None:
    """Requests that were granted and refused, and a chosen id that was refused."""
    poor, rich = await ledger.open(2, floor=0)
    await ledger.book(ledger.intent(poor, rich, 1))
    for number, amount in enumerate((1, 2)):
        intent = ledger.intent(poor, rich, amount)
        key = RequestKey(bytes([number]) * 16, bytes(32 + 6 * number))
        await _quietly(
            ledger,
            commands.CreateTransaction(
                BOOK, key, [intent], transaction_id=intent.transaction_id, chosen=True
            ),
        )
        transfers = commands.CreateTransfers(
            BOOK,
            RequestKey(bytes([9, number] * 8), bytes(38)),
            [intent],
            chosen=[True],
            linked=[False],
        )
        await _quietly(ledger, transfers)


async def _quietly(ledger: Ledger, command: Command) -> None:
    try:
        await ledger.submit(command)
    except Refusal as refusal:
        assert refusal.reason == "INSUFFICIENT_FUNDS"  # noqa: PT017 - others fail the test


@asynccontextmanager
async def lent(dsn: str) -> AsyncIterator[Connection]:
    """A connection as a verification wants it."""
    connection = await connect(dsn, application_name="tests verification")
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def reports_of(dsn: str, clock: Clock, *, book: int = BOOK) -> list[Report]:
    """Everything a verification says."""
    return [
        report
        async for report in verify(book=book, lend=lambda: lent(dsn), clock=clock, checks=CHECKS)
    ]


async def proof_of(
    dsn: str, clock: Clock, *, book: int = BOOK
) -> tuple[list[Finding], Summary, list[Progress]]:
    """Findings, summary and progress of a verification."""
    return _sorted(await reports_of(dsn, clock, book=book))


async def proof_within(
    connection: Connection, clock: Clock, statements: Iterable[str], *, book: int = BOOK
) -> tuple[list[Finding], Summary, list[Progress]]:
    """What a verification says of a book after changes that are taken back afterwards.

    The verification reads as the role that serves does, by the connection that has made the
    changes: no other sees them. A copy of the book for each change would take ten times as long.

    Args:
        connection: to the book as its superuser, in no transaction.
        clock: the verification's.
        statements: the changes; every one must change something.
        book: which is verified.
    """
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with connection.transaction(force_rollback=True):
        for statement in statements:
            cursor = await connection.execute(statement.encode(), prepare=False)
            assert cursor.rowcount != 0, statement
        await connection.execute(f"set local role {APP_ROLE}".encode())
        await connection.execute(b"set transaction read only")
        changed = nullcontext(connection)
        reports = [
            report
            async for report in verify(
                book=book, lend=lambda: changed, clock=clock, checks=CHECKS, at_once=1
            )
        ]
    return _sorted(reports)


def _sorted(reports: list[Report]) -> tuple[list[Finding], Summary, list[Progress]]:
    """Findings, summary and progress."""
    summary = reports[-1]
    assert isinstance(summary, Summary)
    return (
        [report for report in reports if isinstance(report, Finding)],
        summary,
        [report for report in reports if isinstance(report, Progress)],
    )
