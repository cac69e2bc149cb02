"""The gRPC server of one worker process: chain, limits, health, reflection, draining.

Every method is registered with raw bytes in and out, so that parsing happens inside the chain and
malformed bytes get an answer of ours. The chain is composed here, once per method.

A process listens several times on its port. A server of grpc.aio takes in one call, then waits for
its event loop to come round before it takes in the next; under load a turn of the loop is
milliseconds, and calls queue up in front of the door while batches behind it stay small. Several
servers share all but the door.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc
import grpc.aio

# Importing the descriptors of the error details lets reflection describe them to tools.
from google.rpc import error_details_pb2 as _error_details  # noqa: F401
from grpc_reflection.v1alpha import reflection

from longmen_server.transport import tls
from longmen_server.transport.health import SERVICE as HEALTH_SERVICE
from longmen_server.transport.health import Health
from longmen_server.transport.interceptors.admission import Admission
from longmen_server.transport.interceptors.audit import Audit
from longmen_server.transport.interceptors.authn import Authn
from longmen_server.transport.interceptors.authz import Authz
from longmen_server.transport.interceptors.branch import Branch
from longmen_server.transport.interceptors.context import Context, Draining
from longmen_server.transport.interceptors.errors import Errors
from longmen_server.transport.interceptors.quota import Quota
from longmen_server.transport.interceptors.telemetry import Telemetry
from longmen_server.transport.interceptors.validation import Validation
from longmen_server.transport.method import read_methods
from longmen_server.transport.proxies import Proxies
from longmen_server.transport.rates import parse_rates
from longmen_server.transport.registration import UnknownMethods, handler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.trace import Tracer

    from longmen_server.platform.metrics import Metrics
    from longmen_server.transport.chain import Interceptor
    from longmen_server.transport.interceptors.audit import Trail
    from longmen_server.transport.interceptors.authn import Doorkeeper, Keyring, TokenVerifier
    from longmen_server.transport.interceptors.branch import BranchGuard
    from longmen_server.transport.settings import EdgeSettings

MESSAGE_SLACK_BYTES = 65_536
"""How much more than the largest method limit gRPC's core lets through, so that requests somewhat
too large get the edge's own refusal, which names the limit."""

HEALTH_METHODS = 2
"""Methods of the health protocol, each with its own bound."""

HARD_WALL_CALLS = 64
"""How many more calls than all classes together gRPC's core lets in before it refuses without
details."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the edge needs of the rest of the process."""

    verifier: TokenVerifier
    """Verifies bearer tokens."""
    metrics: Metrics
    """Where calls are counted."""
    monotonic: Callable[[], float]
    """The clock of deadlines, in seconds."""
    now_us: Callable[[], int]
    """The trusted clock by which tokens expire, in microseconds since the epoch."""
    doorkeeper: Doorkeeper | None = None
    """Judges calls whose token is bound to a key; None takes no such token."""
    keyring: Keyring | None = None
    """Verifies API keys; None takes none."""
    trail: Trail | None = None
    """Keeps denials and looks; None keeps none."""
    branches: BranchGuard | None = None
    """Knows which branch customers are of; None binds nobody."""
    tracer: Tracer | None = None
    """Makes spans; None traces nothing."""
    trace_ratio: float = 0.0
    """Share, 0 to 1, of calls traced among those that bring no traceparent."""
    secret_fingerprint_key: bytes | None = None
    """Keys the fingerprints of requests with secrets; needed where a method takes any."""


class EdgeServer:
    """The gRPC servers of a process, all the same, to be started once and drained once."""

    def __init__(
        self,
        doors: Sequence[grpc.aio.Server],
        *,
        health: Health,
        port: int,
        systems_port: int,
        draining: Draining,
        settings: EdgeSettings,
    ) -> None:
        """Take the parts; use `build_server`."""
        self._doors = doors
        self._health = health
        self._draining = draining
        self._settings = settings
        self.port = port
        """The TCP port that is bound."""
        self.systems_port = systems_port
        """The one that demands client certificates; 0 when there is none of its own."""

    async def start(self) -> None:
        """Start to accept connections; NOT_SERVING until `set_ready` is told otherwise."""
        for door in self._doors:
            await door.start()

    def set_ready(self, *, ready: bool) -> None:
        """Tell the health protocol whether calls are welcome."""
        self._health.set_ready(ready=ready)

    async def drain(self, grace_s: float | None = None) -> None:
        """Stop without failing anybody: tell balancers, end streams, finish calls in flight.

        Args:
            grace_s: Seconds that calls in flight have to finish; what is left then is cancelled.
                None takes the setting.
        """
        self._health.begin_draining()
        await asyncio.sleep(self._settings.readiness_delay_s)
        self._draining.begin()
        grace = self._settings.drain_grace_s if grace_s is None else grace_s
        await asyncio.gather(*(door.stop(grace) for door in self._doors))

    async def wait_closed(self) -> None:
        """Wait until the server has stopped."""
        for door in self._doors:
            await door.wait_for_termination()


def build_server(
    services: Mapping[str, object], *, settings: EdgeSettings, surroundings: Surroundings
) -> EdgeServer:
    """Build the server of one worker process; call it on the event loop that will run it.

    Args:
        services: Servicer of each service by the service's full name; a servicer is an object with
            a
            method named like every RPC.
        settings: Limits and addresses.
        surroundings: The rest of the process.

    Raises:
        MethodError: If a method lacks its policy or its servicer's method.
        OSError: If the address cannot be bound or a TLS file not be read.
    """
    draining = Draining(begun=False, streams=set())
    interceptors = build_interceptors(settings, surroundings, draining)
    methods = {service: list(read_methods(service)) for service in services}
    handlers = {
        service: {
            method.name: handler(method, services[service], interceptors, settings)
            for method in group
        }
        for service, group in methods.items()
    }
    health = Health(services, settings)
    largest = max((m.request_bytes_max for group in methods.values() for m in group), default=0)
    options = channel_options(settings, largest)
    doors: list[grpc.aio.Server] = []
    for _ in range(settings.doors):
        door = _build_door(handlers, health, options, settings)
        # Where the system chose the port of the first, the others take the same.
        settings = _bind(door, settings)
        doors.append(door)
    port = int(settings.address.rpartition(":")[2])
    systems_port = int((settings.systems_address or ":0").rpartition(":")[2])
    return EdgeServer(
        doors,
        health=health,
        port=port,
        systems_port=systems_port,
        draining=draining,
        settings=settings,
    )


def _build_door(
    handlers: Mapping[str, Mapping[str, grpc.RpcMethodHandler[bytes, bytes]]],
    health: Health,
    options: list[tuple[str, int]],
    settings: EdgeSettings,
) -> grpc.aio.Server:
    """Build one of a process's servers; what it serves is shared with the others."""
    server = grpc.aio.server(
        options=options,
        maximum_concurrent_rpcs=sum(settings.in_work_max().values())
        + HEALTH_METHODS * settings.health_in_work_max
        + HARD_WALL_CALLS,
    )
    for service, methods in handlers.items():
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, dict(methods)),)
        )
    health.register(server)
    if settings.reflection:
        reflection.enable_server_reflection(
            (*handlers, HEALTH_SERVICE, reflection.SERVICE_NAME), server
        )
    server.add_generic_rpc_handlers((UnknownMethods(),))  # asked last, so it stays last
    return server


def build_interceptors(
    settings: EdgeSettings, surroundings: Surroundings, draining: Draining
) -> tuple[Interceptor, ...]:
    """Build the chain's interceptors, outermost first."""
    return (
        Telemetry(
            surroundings.metrics,
            tracer=surroundings.tracer,
            ratio=surroundings.trace_ratio,
        ),
        Errors(),
        Audit(surroundings.trail),
        Context(
            monotonic=surroundings.monotonic,
            minimum_budget_s=settings.minimum_budget_ms / 1000,
            draining=draining,
            proxies=Proxies(settings.trusted_proxies) if settings.trusted_proxies else None,
        ),
        Admission(
            settings.in_work_max(),
            targets_s=settings.latency_targets_s(),
            monotonic=surroundings.monotonic,
        ),
        Authn(
            surroundings.verifier,
            now_us=surroundings.now_us,
            remembered_max=settings.tokens_remembered_max,
            remembered_s=settings.tokens_remembered_s,
            doorkeeper=surroundings.doorkeeper,
            keyring=surroundings.keyring,
            certificates=settings.tls_client_authorities is not None,
        ),
        Authz(production=settings.production),
        Quota(
            settings.streams_per_principal_max,
            rates=parse_rates(settings.rates),
            monotonic=surroundings.monotonic,
            remembered_max=settings.rates_remembered_max,
        ),
        Validation(
            surroundings.secret_fingerprint_key, receive_timeout_s=settings.receive_timeout_s
        ),
        Branch(surroundings.branches),
    )


def channel_options(settings: EdgeSettings, request_bytes_max: int) -> list[tuple[str, int]]:
    """Return the options of gRPC's core, explicit since its defaults change silently."""
    return [
        ("grpc.max_receive_message_length", request_bytes_max + MESSAGE_SLACK_BYTES),
        ("grpc.max_metadata_size", settings.metadata_bytes_max),
        ("grpc.absolute_max_metadata_size", settings.metadata_bytes_max),
        ("grpc.max_concurrent_streams", settings.connections_streams_max),
        ("grpc.so_reuseport", 1),
        ("grpc.keepalive_time_ms", settings.keepalive_time_ms),
        ("grpc.keepalive_timeout_ms", settings.keepalive_timeout_ms),
        ("grpc.keepalive_permit_without_calls", 1),
        (
            "grpc.http2.min_recv_ping_interval_without_data_ms",
            settings.client_ping_interval_min_ms,
        ),
        ("grpc.max_connection_age_ms", settings.connection_age_max_ms),
        ("grpc.max_connection_age_grace_ms", settings.connection_age_grace_ms),
    ]


def _bind(server: grpc.aio.Server, settings: EdgeSettings) -> EdgeSettings:
    """Bind the addresses, with TLS when a certificate is given; return them with their ports."""
    address, systems = settings.address, settings.systems_address
    try:
        # Where systems have a port of their own, it alone demands client certificates.
        secrets = tls.credentials(settings, demands=systems is None)
        settings = replace(settings, address=_listen(server, address, secrets))
        if systems is not None:
            address = systems
            secrets = tls.credentials(settings, demands=True)
            settings = replace(settings, systems_address=_listen(server, systems, secrets))
    except RuntimeError as fault:
        message = f"cannot listen on {address}"
        raise OSError(message) from fault
    return settings


def _listen(server: grpc.aio.Server, address: str, secrets: grpc.ServerCredentials | None) -> str:
    """Listen on an address; return it with the port bound."""
    if secrets is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, secrets)
    return f"{address.rpartition(':')[0]}:{port}"
