"""The parent process: prepares what a server needs, starts its workers and keeps them running.

It holds the data folder's lock, the port and the embedded Postgres, and runs no event loop, no gRPC
and no request. Workers are fresh processes, never forks. Whatever ends the parent ends them too:
their standard input closes.
"""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from longmen_server import migrate, personal_keys
from longmen_server.crew import Crew, signals
from longmen_server.development import development_issuer
from longmen_server.platform.certificates import check_certificate, development_tls
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.issuer import IDENTITY_KEY_FILE, IdentityIssuer
from longmen_server.platform.postgres import OWNER_ROLE, EmbeddedPostgres
from longmen_server.platform.server_check import check_server
from longmen_server.platform.tokens import (
    DEVELOPMENT_KEY_ID,
    KeyFileError,
    read_keys,
    write_private,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from longmen_server.config import Settings
    from longmen_server.platform.tokens import DevelopmentIssuer

__all__ = [
    "FolderBusyError",
    "Server",
    "StartError",
    "open_data",
    "open_database",
    "owned_database",
    "serve",
]

PAGE_KEY_FILE: Final = "page-tokens.key"
KEY_BYTES: Final = 32
"""As transport.page_token and platform.sealing want it, which the parent does not load."""
SECRETS_KEY_FILE: Final = "secrets.key"
RECEIPT_KEY_FILE: Final = "receipts.pem"


class StartError(Exception):
    """The server cannot start; the message is one line for the operator."""


class FolderBusyError(StartError):
    """Another server uses the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a running server tells whoever started it."""

    settings: Settings
    """With the port, database and keys that are really used."""
    issuer: DevelopmentIssuer | None
    """Signs development tokens; None when the server trusts an operator's keys."""
    embedded: bool
    """Whether Postgres is ours."""


def serve(
    settings: Settings, *, announce: Callable[[str], None], on_ready: Callable[[Server], None]
) -> None:
    """Run a server until SIGINT, SIGTERM or SIGHUP, then drain and stop everything.

    Args:
        settings: what the operator chose.
        announce: takes one-line messages while it runs.
        on_ready: called once when every worker takes calls.

    Raises:
        StartError, CrewError, LaunchError, StorageError, SchemaError, KeyFileError,
        CertificateError: it cannot start, or its Postgres cannot be kept running.
    """
    with ExitStack() as stack:
        stopping = stack.enter_context(signals())
        settings = replace(settings, data=stack.enter_context(open_data(settings)))
        settings, _reserved = stack.enter_context(reserve_port(settings, "port"))
        if settings.systems_port:
            settings, _systems = stack.enter_context(reserve_port(settings, "systems_port"))
        settings = prepare_tls(settings)
        settings, issuer = prepare_keys(settings)
        settings, postgres = stack.enter_context(open_database(settings, announce))
        to_try_out = postgres is not None and issuer is not None
        settings = replace(settings, samples=settings.samples and to_try_out)
        prepare_schema(settings, announce)
        # The workers serve with the certificate's files, however those came about.
        theirs = replace(settings, tls_development=False)
        crew = stack.enter_context(Crew(theirs, announce, stopping))
        crew.start()
        if crew.await_ready():
            server = Server(settings=settings, issuer=issuer, embedded=postgres is not None)
            on_ready(server)
            crew.keep_running(postgres)
        announce("draining")


@contextmanager
def open_data(settings: Settings) -> Iterator[Path]:
    """The data folder, made when missing and locked while we use it.

    Raises:
        StartError: it cannot be written, or another server uses it.
    """
    data = settings.data.absolute()
    # Root hands Postgres to a user who must be able to pass through, though not to read.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        data.mkdir(mode=mode, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(
            f"cannot write the data folder {data}: {error.strerror}; set LONGMEN_DATA"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(lock, 20).decode().strip() or "unknown"
            raise FolderBusyError(
                f"the data folder {data} is in use by another server (process {holder})"
            ) from error
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield data
    finally:
        os.close(lock)


@contextmanager
def reserve_port(settings: Settings, name: str) -> Iterator[tuple[Settings, socket.socket]]:
    """Make sure nobody else has a port of the settings, and keep it for the workers to share.

    Raises:
        StartError: it is busy, or the address is not ours.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host.strip("[]"), getattr(settings, name), type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without SO_REUSEPORT, which would share the port with a stranger's server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        reserved = socket.socket(family, socket.SOCK_STREAM)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        where = f"port {getattr(settings, name)} on {settings.host}"
        variable = f"LONGMEN_{name.upper()}"
        raise StartError(f"cannot listen on {where}: {error.strerror}; set {variable}") from error
    with reserved:
        # Bound but not listening: it takes no connections, only the number.
        yield replace(settings, **{name: reserved.getsockname()[1]}), reserved


@contextmanager
def open_database(
    settings: Settings, announce: Callable[[str], None]
) -> Iterator[tuple[Settings, EmbeddedPostgres | None]]:
    """The operator's database, or the embedded one, started; checked in either case.

    Raises:
        LaunchError: the embedded Postgres does not start.
        StorageError: the database is unreachable or unsafe.
    """
    if settings.dsn is not None:
        check_server(settings.dsn, production=settings.production)
        yield replace(settings, migrate_dsn=settings.migrate_dsn or settings.dsn), None
        return
    postgres = EmbeddedPostgres(settings.data.absolute(), announce)
    postgres.start()
    try:
        dsn = postgres.dsn()
        check_server(dsn)
        yield replace(settings, dsn=dsn, migrate_dsn=postgres.dsn(role=OWNER_ROLE)), postgres
    finally:
        postgres.stop()


def prepare_schema(settings: Settings, announce: Callable[[str], None]) -> None:
    """Migrate, or only check, as the settings say; then see that the keys are the database's.

    Raises:
        SchemaError: the schema is not what this server needs and may not, or cannot, be brought to
        it.
        PersonalKeysError, KeyFileError: the key file of personal data is not the database's.
    """
    assert settings.migrate_dsn is not None
    keys = personal_keys.key_file(settings)
    if not settings.migrate:
        migrate.check_schema(settings.migrate_dsn)
    else:
        before, after = migrate.upgrade(settings.migrate_dsn, personal_keys=keys)
        if before != after:
            announce(f"migrated the schema from {before or 'nothing'} to {after}")
    personal_keys.prepare(settings.migrate_dsn, keys, settings.books)


def prepare_tls(settings: Settings) -> Settings:
    """Make a development certificate if one is wanted, and examine the one to serve with.

    Raises:
        CertificateError: it cannot be made, or callers would not or should not believe it.
    """
    now = SystemClock().now()
    if settings.tls_development:
        made = development_tls(settings.data, settings.host, now=now)
        settings = replace(settings, tls_certificate=made.certificate, tls_key=made.key)
    if settings.tls_certificate is not None and settings.tls_key is not None:
        check_certificate(
            settings.tls_certificate,
            settings.tls_key,
            settings.tls_client_authorities,
            now=now,
        )
    return settings


def prepare_keys(settings: Settings) -> tuple[Settings, DevelopmentIssuer | None]:
    """Check the operator's keys or make development ones, and make the server's own secrets.

    Raises:
        KeyFileError: a key file cannot be used.
        StartError: a secret has the wrong size.
    """
    issuer = None
    if settings.tokens_jwks is not None:
        known = read_keys(settings.tokens_jwks)
        if settings.production and any(key.startswith(DEVELOPMENT_KEY_ID) for key in known):
            raise KeyFileError(f"{settings.tokens_jwks}: has a development key: not in production")
    else:
        issuer = development_issuer(settings)
        settings = replace(settings, tokens_jwks=issuer.jwks)
    if settings.receipt_key is None:
        settings = replace(settings, receipt_key=settings.data / "keys" / RECEIPT_KEY_FILE)
    identity_key = settings.identity_key or settings.data / "keys" / IDENTITY_KEY_FILE
    # Made, and its public side published, before any worker reads it.
    IdentityIssuer(
        identity_key,
        audience=settings.tokens_audience,
        lifetime_s=settings.identity.access_token_lifetime_s,
        clock=SystemClock(),
    )
    settings = replace(
        settings,
        identity_key=identity_key,
        page_token_key=prepare_random(settings, settings.page_token_key, PAGE_KEY_FILE),
        secrets_key=prepare_random(settings, settings.secrets_key, SECRETS_KEY_FILE),
    )
    return settings, issuer


def prepare_random(settings: Settings, chosen: Path | None, name: str) -> Path:
    """The operator's file of random bytes, checked, or one in the data folder, made when missing.

    Raises:
        StartError: it cannot be read, has the wrong size or, in production, can be read by others.
    """
    key = chosen
    if key is None:
        key = settings.data / "keys" / name
        key.parent.mkdir(mode=0o700, exist_ok=True)
        if not key.exists():
            write_private(key, os.urandom(KEY_BYTES))
    try:
        status = key.stat()
    except OSError as error:
        raise StartError(f"{key}: {error.strerror}") from error
    if settings.production and status.st_mode & 0o077:
        raise StartError(f"{key}: others can read this key; chmod 600 it")
    if status.st_size != KEY_BYTES:
        raise StartError(f"{key}: is not {KEY_BYTES} bytes")
    return key


@contextmanager
def owned_database(settings: Settings, announce: Callable[[str], None]) -> Iterator[str]:
    """The database as its owner, for work while no server runs; an embedded one is started for it.

    Raises:
        StartError, LaunchError, StorageError: as in `serve`.
    """
    if settings.dsn is not None:
        yield settings.migrate_dsn or settings.dsn
        return
    with open_data(settings), open_database(settings, announce) as (opened, _):
        assert opened.migrate_dsn is not None
        yield opened.migrate_dsn
