"""The composition root: the only place that knows every part of a worker and wires them.

A worker opens its parts in the order of `open_parts`, serves until it is told to stop, and closes
them in the reverse order after the calls in flight have been answered.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import os
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvloop

from longmen_server.accounts.service import AccountsService
from longmen_server.admin.service import AdminService
from longmen_server.audit.places import places_of
from longmen_server.audit.service import AuditService
from longmen_server.audit.trail import AuditTrail
from longmen_server.audit.witness import witness
from longmen_server.challenges.office import StepUpOffice
from longmen_server.credentials.keyring import Keyring, Nonces
from longmen_server.credentials.service import CredentialsService
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.events.service import EventsService
from longmen_server.fx_desk import fx_helps, fx_services, prepare_rates
from longmen_server.identity_desk import identity_services, open_office
from longmen_server.jobs.anchors import Anchors
from longmen_server.jobs.clearing import Clearing
from longmen_server.jobs.deliveries import Deliveries
from longmen_server.jobs.due_resets import DueResets
from longmen_server.jobs.due_transfers import DueTransfers
from longmen_server.jobs.expired_holds import ExpiredHolds
from longmen_server.jobs.expired_orders import ExpiredOrders
from longmen_server.jobs.fx_days import FxDays
from longmen_server.jobs.housekeeping import Housekeeping
from longmen_server.jobs.limit_orders import LimitOrders
from longmen_server.jobs.reply_expiry import ReplyExpiry
from longmen_server.jobs.runner import JobRunner
from longmen_server.ledger.read_service import ReadTools
from longmen_server.ledger.receipt import ReceiptSigner
from longmen_server.ledger.service import LedgerService
from longmen_server.limits.service import LimitsService
from longmen_server.merchant_desk import merchant_jobs_running, merchant_services
from longmen_server.messages.carriers import carriers_of
from longmen_server.payment_desk import payment_services
from longmen_server.personal_keys import key_file
from longmen_server.platform.clock import DEFAULT_ZONE, Clock, OffsetClock, SystemClock
from longmen_server.platform.database import Readers
from longmen_server.platform.hashing import Hasher
from longmen_server.platform.issuer import IDENTITY_ISSUER, jwks_of
from longmen_server.platform.logs import configure_logs
from longmen_server.platform.metrics import Metrics
from longmen_server.platform.pii import Vault
from longmen_server.platform.readiness import watch_readiness
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import SecretKeys
from longmen_server.platform.telemetry import LoopLag, Telemetry
from longmen_server.platform.tokens import TokenVerifier
from longmen_server.proven import CHECKS
from longmen_server.risk_desk import ListKeeper, build_risk_desk, risk_jobs, risk_services
from longmen_server.samples import open_samples
from longmen_server.staff_desk import (
    build_branches,
    build_doorkeeper,
    build_reset_notices,
    customer_watch,
    staff_services,
    staff_watch,
)
from longmen_server.transfers.clearing.files import FileClearing
from longmen_server.transfers.clearing.instant import InstantClearing
from longmen_server.transfers.service import TransfersService
from longmen_server.transport.cursor import Cursors
from longmen_server.transport.method import read_methods
from longmen_server.transport.page_token import PageTokens
from longmen_server.transport.server import Surroundings, build_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    from longmen_server.config import Settings
    from longmen_server.identity.watch import SessionWatch
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.transfers.clearing.port import ClearingAdapter
    from longmen_server.transport.server import EdgeServer
    from longmen_server.transport.settings import EdgeSettings

__all__ = ["CLOCK_FILE", "Parts", "build_services", "run_worker"]

CLOCK_FILE: Final = "clock"
"""The offset of the test clock, in the data folder."""

GARBAGE_THRESHOLDS: Final = (50_000, 20, 50)
"""How often Python looks for reference cycles. Batches make many objects and few cycles, and every
look at them is a pause of all calls; the default would look seventy times as often."""

FINGERPRINTS: Final = "fingerprints"
"""Purpose of the key of fingerprints of requests with secrets."""

KEY_SECRETS: Final = "api key secrets"
"""Purpose of the key that seals secrets of API keys in the records of their making."""

OPEN_SECONDS: Final = 10.0
"""How long the pool of readers may take to open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the services of a worker are made of."""

    settings: Settings
    """Everything the operator chose."""
    worker_index: int
    """Which of the server's workers this is, from 0."""
    clock: Clock
    """Business time; can be set unless the server is in production."""
    trusted_clock: Clock
    """The machine's time, which no caller can set: for tokens and deadlines."""
    engine: Engine
    """Runs commands."""
    trail: AuditTrail
    """Keeps denials and looks in the audit trail."""
    keyring: Keyring
    """Verifies API keys."""
    readers: Readers
    """Lends connections to queries."""
    page_tokens: PageTokens
    """Seals where a list goes on."""
    vault: Vault
    """Seals and opens personal data."""
    secrets: SecretKeys
    """Keys made from the server's secret."""
    watch: SessionWatch
    """Knows which sessions of customers go on."""
    staff_watch: SessionWatch
    """Knows which sessions of staff go on."""
    risk: RiskDesk
    """Judges movements of money."""
    lists: ListKeeper
    """Lists of names as they are now."""
    office: PostOffice
    """Makes the messages that commands leave behind."""
    hasher: Hasher
    """Hashes passwords and PINs."""
    metrics: Metrics
    """Counts."""
    telemetry: Telemetry
    """Sends counts and spans away."""


def build_services(parts: Parts) -> Mapping[str, object]:
    """The servicer of each service, by its full name."""
    settings = parts.settings
    assert settings.page_token_key is not None, "the supervisor names the keys"
    assert settings.receipt_key is not None, "the supervisor names the keys"
    reading = ReadTools(
        readers=parts.readers,
        clock=parts.clock,
        books=settings.books,
        page_tokens=parts.page_tokens,
        cursors=Cursors(settings.page_token_key.read_bytes()),
    )
    shared: Any = {
        "engine": parts.engine,
        "readers": parts.readers,
        "clock": parts.clock,
        "tokens": parts.page_tokens,
    }
    classes: dict[str, int] = {}
    step_up = StepUpOffice(parts.clock, parts.risk, *fx_helps(reading, settings))
    services: dict[str, object] = {
        **identity_services(parts, step_up),
        "longmen.ledger.v1.LedgerService": LedgerService(
            engine=parts.engine,
            clock=parts.clock,
            reading=reading,
            signer=ReceiptSigner.load_or_create(settings.receipt_key),
        ),
        "longmen.events.v1.EventsService": EventsService(reading=reading),
        "longmen.accounts.v1.AccountsService": AccountsService(
            **shared,
            vault=parts.vault,
            default_book=settings.books[0],
            zone=DEFAULT_ZONE,
            settings=settings.accounts,
            step_up=step_up,
        ),
        "longmen.transfers.v1.TransfersService": TransfersService(
            **shared, vault=parts.vault, zone=DEFAULT_ZONE, step_up=step_up, risk=parts.risk
        ),
        **merchant_services(parts, shared),
        **payment_services(
            shared, secrets=parts.secrets, vault=parts.vault, settings=settings, step_up=step_up
        ),
        **fx_services(parts.engine, reading, settings, step_up),
        **risk_services(parts, shared, reading, step_up),
        "longmen.limits.v1.LimitsService": LimitsService(
            engine=parts.engine, reading=reading, step_up=step_up
        ),
        "longmen.admin.v1.AdminService": AdminService(
            settings=settings,
            worker_index=parts.worker_index,
            clock=parts.clock,
            engine=parts.engine,
            readers=parts.readers,
            checks=CHECKS,
        ),
        "longmen.credentials.v1.CredentialsService": CredentialsService(
            engine=parts.engine, reading=reading, sealer=parts.secrets.sealer(KEY_SECRETS)
        ),
        **staff_services(parts, reading),
        "longmen.audit.v1.AuditService": AuditService(reading=reading, classes=classes),
    }
    classes.update(
        (method.path, method.audit_class) for name in services for method in read_methods(name)
    )
    return services


def build_jobs(parts: Parts) -> JobRunner:
    """What happens by time, in every worker; leases let each job of a book run in one of them."""
    settings = parts.settings
    rate_ages = settings.fx.ages(production=settings.production)
    return JobRunner(
        dsn=database(settings),
        engine=parts.engine,
        clock=parts.clock,
        books=settings.books,
        jobs=(
            ExpiredHolds(),
            ExpiredOrders(),
            DueTransfers(),
            FxDays(rate_ages),
            LimitOrders(rate_ages, parts.vault, parts.office, parts.risk),
            DueResets(build_reset_notices(parts)),
            Clearing(clearing_adapter(settings), parts.vault),
            ReplyExpiry(kept_days=settings.jobs.reply_kept_days),
            Housekeeping(settings.jobs, settings.identity.session_absolute_s, parts.trusted_clock),
            *risk_jobs(parts),
        ),
        settings=settings.jobs,
    )


def build_deliveries(parts: Parts) -> JobRunner:
    """Messages and anchors: a runner of its own, so that slow receivers hold up no other job."""
    settings = parts.settings
    carriers = carriers_of(
        settings.messages,
        data=settings.data,
        production=settings.production,
        clock=parts.clock,
        trusted_clock=parts.trusted_clock,
    )
    deliveries = Deliveries(
        parts.office,
        carriers,
        attempts_max=settings.messages.messages_attempts_max,
        parallel_max=settings.messages.messages_parallel_max,
    )
    assert settings.receipt_key is not None, "the supervisor names the keys"
    anchors = Anchors(
        places_of(settings.audit),
        ReceiptSigner.load_or_create(settings.receipt_key),
        interval_s=settings.audit.anchor_interval_s,
    )
    return JobRunner(
        dsn=database(settings),
        engine=parts.engine,
        clock=parts.clock,
        books=settings.books,
        jobs=(deliveries, anchors),
        settings=settings.jobs,
    )


def clearing_adapter(settings: Settings) -> ClearingAdapter:
    """The way to the bank's clearing: files in a folder, or an instant answer for trying out."""
    if settings.clearing_folder is not None:
        return FileClearing(settings.clearing_folder)
    return InstantClearing()


def run_worker(settings: Settings, worker_index: int, *, on_ready: Callable[[], None]) -> None:
    """Serve in this process until SIGTERM, or until standard input ends because the parent did.

    Args:
        settings: with the address to share and the database to use filled in.
        worker_index: from 0.
        on_ready: called once, when the worker takes calls.
    """
    configure_logs(
        level=settings.log_level, as_json=writes_json(settings.log_format), worker=worker_index
    )
    uvloop.run(serve(settings, worker_index, on_ready))


def writes_json(log_format: str) -> bool:
    """Whether log lines are for machines."""
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())


async def serve(settings: Settings, worker_index: int, on_ready: Callable[[], None]) -> None:
    """Open everything, serve, drain, close everything."""
    stop = asyncio.Event()
    watch_for_the_end(stop)
    log = structlog.stdlib.get_logger("longmen.worker")
    async with (
        open_parts(settings, worker_index) as parts,
        open_server(parts) as server,
        running(build_jobs(parts)),
        running(build_deliveries(parts)),
        merchant_jobs_running(parts),
    ):
        await prepare_samples(parts)
        if parts.worker_index == 0:  # one worker is enough for that
            await prepare_rates(
                parts.settings, parts.engine, parts.readers, parts.clock, parts.trusted_clock
            )
        ready = asyncio.Event()

        async def tell(answer: bool) -> None:  # noqa: FBT001 - the watcher's one answer
            server.set_ready(ready=answer)
            if answer and not ready.is_set():
                ready.set()
                settle_memory()
                log.info("serving", port=server.port, books=settings.books)
                on_ready()

        watcher = asyncio.create_task(
            watch_readiness(
                database(settings),
                tell,
                interval_ms=settings.readiness_interval_ms,
                timeout_ms=settings.readiness_timeout_ms,
            )
        )
        watcher.add_done_callback(lambda _: stop.set())
        await stop.wait()
        log.info("draining")
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
    log.info("stopped")


async def prepare_samples(parts: Parts) -> None:
    """Open the sample accounts, where the supervisor wants them; one worker is enough for that."""
    if not parts.settings.samples or parts.worker_index != 0:
        return
    now = parts.trusted_clock.monotonic()
    try:
        await open_samples(parts.engine, parts.settings.books[0], now=now)
    except Refusal as refusal:
        # They are a convenience: without them the server is as good as any.
        structlog.stdlib.get_logger("longmen.worker").warning(
            "samples_refused", reason=refusal.reason
        )


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's sight, and let it look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def watch_for_the_end(stop: asyncio.Event) -> None:
    """Set the event on SIGTERM, and when the parent's end of our standard input closes."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), read)


def open_keyring(
    settings: Settings, readers: Readers, clock: Clock, trusted_clock: Clock
) -> Keyring:
    """What verifies API keys; it connects when the first signed call comes."""
    return Keyring(
        readers=readers,
        clock=clock,
        trusted_clock=trusted_clock,
        books=settings.books,
        nonces=Nonces(dsn=database(settings), clock=trusted_clock, book=settings.books[0]),
    )


async def watch_sessions(
    stack: AsyncExitStack, settings: Settings, readers: Readers, clock: Clock
) -> tuple[SessionWatch, SessionWatch]:
    """What knows the sessions of customers and of staff; both look on until the stack is closed."""
    watches = customer_watch(settings, readers, clock), staff_watch(settings, readers, clock)
    for each in watches:
        await each.look()
        await stack.enter_async_context(background(each.run()))
    return watches


def open_secrets(settings: Settings) -> SecretKeys:
    """The keys that are made from the server's secret."""
    assert settings.secrets_key is not None, "the supervisor names the keys"
    return SecretKeys.load(settings.secrets_key)


async def open_risk(
    stack: AsyncExitStack, settings: Settings, readers: Readers, clock: Clock, secrets: SecretKeys
) -> RiskDesk:
    """What judges movements; it looks for new rules until the stack is closed."""
    desk = build_risk_desk(settings, readers, clock, secrets)
    await desk.look()
    await stack.enter_async_context(background(desk.run()))
    return desk


@asynccontextmanager
async def open_parts(settings: Settings, worker_index: int) -> AsyncIterator[Parts]:
    """The parts below the edge, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        trusted_clock = SystemClock()
        clock = business_clock(settings)
        metrics = Metrics()
        telemetry = Telemetry(
            metrics,
            otlp_endpoint=settings.otlp_endpoint,
            prometheus_host=settings.host,
            prometheus_port=settings.metrics_port and settings.metrics_port + worker_index,
            version=importlib.metadata.version("longmen-server"),
            instance=f"worker-{worker_index}",
            now_us=trusted_clock.now_us,
        )
        telemetry.start()
        stack.push_async_callback(telemetry.stop)
        await stack.enter_async_context(background(LoopLag(metrics).run()))
        readers = Readers(
            database(settings),
            trusted_clock,
            minimum=settings.readers_min,
            maximum=settings.readers_max,
            wait_ms=settings.readers_wait_ms,
            name=f"longmen worker {worker_index} readers",
        )
        stack.push_async_callback(readers.close)
        await readers.open(timeout_seconds=OPEN_SECONDS)
        engine = Engine(
            dsn=database(settings),
            books=settings.books,
            clock=clock,
            failpoints=Failpoints(settings.failpoints),
            limits=settings.writer,
            witness=witness,
        )
        await engine.start()
        stack.push_async_callback(engine.stop)
        customers, staff = await watch_sessions(stack, settings, readers, clock)
        hasher = Hasher(settings.hashing)
        stack.callback(hasher.close)
        secrets = open_secrets(settings)
        trail = AuditTrail(
            engine=engine, clock=clock, book=settings.books[0], settings=settings.audit
        )
        await stack.enter_async_context(background(trail.run()))
        keyring = open_keyring(settings, readers, clock, trusted_clock)
        stack.push_async_callback(keyring.close)
        yield Parts(
            settings=settings,
            worker_index=worker_index,
            clock=clock,
            trusted_clock=trusted_clock,
            engine=engine,
            trail=trail,
            keyring=keyring,
            readers=readers,
            page_tokens=PageTokens(page_token_key(settings)),
            vault=Vault(key_file(settings), trusted_clock.monotonic),
            secrets=secrets,
            watch=customers,
            staff_watch=staff,
            risk=await open_risk(stack, settings, readers, clock, secrets),
            lists=ListKeeper(readers),
            office=open_office(secrets, clock),
            hasher=hasher,
            metrics=metrics,
            telemetry=telemetry,
        )


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on beside us until we are done."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def running(jobs: JobRunner) -> AsyncIterator[None]:
    """Run the jobs meanwhile; they stop before the server drains."""
    jobs.start()
    try:
        yield
    finally:
        await jobs.stop()


@asynccontextmanager
async def open_server(parts: Parts) -> AsyncIterator[EdgeServer]:
    """The edge, accepting connections; drained at the end."""
    settings = parts.settings
    assert settings.tokens_jwks is not None, "the supervisor names the keys"
    assert settings.identity_key is not None, "the supervisor names the keys"
    verifier = TokenVerifier(
        settings.tokens_jwks,
        issuer=settings.tokens_issuer,
        audience=settings.tokens_audience,
        leeway_seconds=settings.tokens_leeway_s,
        clock=parts.trusted_clock,
        session_jwks=jwks_of(settings.identity_key),
        session_issuer=IDENTITY_ISSUER,
        production=settings.production,
    )
    server = build_server(
        build_services(parts),
        settings=edge_settings(settings),
        surroundings=Surroundings(
            verifier=verifier,
            metrics=parts.metrics,
            monotonic=parts.trusted_clock.monotonic,
            now_us=parts.trusted_clock.now_us,
            trail=parts.trail,
            keyring=parts.keyring,
            tracer=parts.telemetry.tracer,
            trace_ratio=settings.trace_ratio,
            doorkeeper=build_doorkeeper(parts),
            branches=build_branches(parts),
            secret_fingerprint_key=parts.secrets.derive(FINGERPRINTS),
        ),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.drain()


def database(settings: Settings) -> str:
    """The database to serve from; the supervisor has filled it in."""
    assert settings.dsn is not None, "the supervisor names the database"
    return settings.dsn


def page_token_key(settings: Settings) -> bytes:
    """The key that seals page tokens; the supervisor has made it and checked its size."""
    assert settings.page_token_key is not None, "the supervisor names the key"
    return settings.page_token_key.read_bytes()


def business_clock(settings: Settings) -> Clock:
    """The clock that bookings and expiries obey."""
    return SystemClock() if settings.production else OffsetClock(settings.data / CLOCK_FILE)


def edge_settings(settings: Settings) -> EdgeSettings:
    """The edge's limits, with what it shares with the rest of the server filled in."""
    return replace(
        settings.edge,
        address=f"{settings.host}:{settings.port}",
        production=settings.production,
        reflection=settings.reflection,
        tls_certificate=settings.tls_certificate,
        tls_key=settings.tls_key,
        tls_client_authorities=settings.tls_client_authorities,
        systems_address=f"{settings.host}:{port}" if (port := settings.systems_port) else None,
    )
