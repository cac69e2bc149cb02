"""What a client is told once, when it is made. Every field has a unit, a default and a reason."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from longmen_client.device_key import DeviceKey
    from longmen_client.signing import ApiKey

TokenProvider: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]
"""Gives the bearer token of the next attempt; asked each time, so it should keep its token while
it is good. After TOKEN_EXPIRED it is asked once more. Only asyncio clients take a provider that
is awaited."""


class ConfigError(ValueError):
    """A configuration that cannot work, or would not be safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Transport security; by default the system's authorities are trusted and nothing is shown."""

    ca_pem: bytes | None = None
    """Certificates of the authorities to trust, PEM; None trusts those of the system."""
    certificate_pem: bytes | None = None
    """Certificate chain of the client for mutual TLS, PEM."""
    private_key_pem: bytes | None = field(default=None, repr=False)
    """Private key of the client for mutual TLS, PEM."""
    server_name: str = ""
    """Name to expect in the server's certificate when it is not the target's."""

    def __post_init__(self) -> None:
        if (self.certificate_pem is None) != (self.private_key_pem is None):
            raise ConfigError("mutual TLS takes a certificate and its private key")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When and how a call is sent again. Only calls that are safe to repeat ever are.

    A call is repeated when it is a read, or a change with a request id, and the server could not
    be reached or said that the same request may be sent again at once or later. A refusal is
    never repeated.
    """

    max_attempts: int = 4
    """How often one call is sent at most, the first time included; 1 switches retries off."""
    initial_backoff_ms: int = 50
    """Upper bound of the first random delay, in milliseconds."""
    max_backoff_ms: int = 2_000
    """Upper bound of every random delay, in milliseconds."""
    backoff_multiplier: int = 3
    """Growth of the upper bound from one delay to the next."""
    retry_after_cap_ms: int = 10_000
    """Longest delay taken from the server, in milliseconds, so that no server can park a caller."""
    budget_tokens: int = 100
    """Retries in hand over all calls of the client. Each retry takes one, so that an outage is not
    answered with a storm."""
    budget_refill_permille: int = 100
    """Thousandths of a token that each success gives back: 100 allows one retry for ten
    successes."""
    reconnect_for_ms: int = 60_000
    """How long a broken stream tries to go on without a single message, in milliseconds."""

    def __post_init__(self) -> None:
        for name in ("max_attempts", "initial_backoff_ms", "max_backoff_ms", "backoff_multiplier"):
            if getattr(self, name) < 1:
                raise ConfigError(f"retry.{name} is at least 1")
        for name in ("retry_after_cap_ms", "budget_tokens", "budget_refill_permille"):
            if getattr(self, name) < 0:
                raise ConfigError(f"retry.{name} is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a client reaches a server.

    Raises:
        ConfigError: a value is out of range, or a token would travel unencrypted to another
        machine.
    """

    target: str = "127.0.0.1:50051"
    """Address of the server, ``host:port`` or a gRPC name such as ``dns:///bank.example:443``."""
    token: str | TokenProvider | None = field(default=None, repr=False)
    """Bearer token, or what provides one."""
    device_key: DeviceKey | None = field(default=None, repr=False)
    """Key that the token is bound to: every call carries a proof of it. None sends none."""
    key: ApiKey | None = None
    """API key, in the place of a token; with a signing key it signs every change."""
    tls: Tls | None = None
    """Transport security; None speaks plaintext."""
    plaintext_token_allowed: bool = False
    """Lets a token travel without TLS to another machine than this one, for private networks."""
    deadline_ms: int | None = None
    """Deadline of each call with all its retries, in milliseconds; None takes each method's default
    from the contract. Streams have none of it."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """When and how calls are sent again."""
    connections: int = 1
    """Connections to open. One connection ends in one worker process of the server: take several
    for load."""
    keepalive_ms: int = 60_000
    """Interval of pings while calls are open, in milliseconds, to notice a dead peer."""
    maximum_reply_bytes: int = 16 * 1024 * 1024
    """Largest reply accepted, in bytes: statements and journal blocks are the large ones."""
    application: str = ""
    """Name of the program, put before the client's own in the user agent."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further metadata of every call."""

    def __post_init__(self) -> None:
        if not self.target:
            raise ConfigError("the target is empty")
        for name, least in (
            ("connections", 1),
            ("keepalive_ms", 10_000),
            ("maximum_reply_bytes", 1),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is at least {least}")
        if self.deadline_ms is not None and self.deadline_ms < 1:
            raise ConfigError("deadline_ms is at least 1")
        exposed = self.tls is None and not is_local(self.target)
        if self.token is not None and self.key is not None:
            raise ConfigError("a client has a token or a key, not both")
        shown = self.token is not None or self.key is not None
        if shown and exposed and not self.plaintext_token_allowed:
            raise ConfigError(
                f"the token would travel unencrypted to {self.target}: "
                "give tls, or plaintext_token_allowed on a private network"
            )


def is_local(target: str) -> bool:
    """Whether a target is this machine: a loopback address, localhost or a Unix socket."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    host = target.rsplit("/", 1)[-1].rsplit(":", 1)[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What one call does differently from the client's configuration."""

    deadline_ms: int | None = None
    """Deadline of the call with all its retries, in milliseconds."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further metadata of the call."""
    retry: bool = True
    """False sends the request once."""

    def __post_init__(self) -> None:
        if self.deadline_ms is not None and self.deadline_ms < 1:
            raise ConfigError("deadline_ms is at least 1")


DEFAULT_OPTIONS = CallOptions()
