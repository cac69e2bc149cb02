"""The limits of the edge: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - config reads the types when the server runs

INTERNAL = {"internal": True}
"""Marks fields that the composition root fills in from the server's general settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """What the edge of one worker process is bound by."""

    address: str = field(default="127.0.0.1:50051", metadata=INTERNAL)
    """Where to listen, host:port; port 0 lets the system choose. Loopback unless told otherwise."""
    production: bool = field(default=False, metadata=INTERNAL)
    """Whether methods for tests, such as setting the clock, are switched off."""
    reflection: bool = field(default=True, metadata=INTERNAL)
    """Whether the contract can be listed by grpcurl and the like."""
    tls_certificate: Path | None = field(default=None, metadata=INTERNAL)
    """PEM file with the server's certificate chain; None serves plaintext."""
    tls_key: Path | None = field(default=None, metadata=INTERNAL)
    """PEM file with the certificate's private key."""
    tls_client_authorities: Path | None = field(default=None, metadata=INTERNAL)
    """PEM file with the authorities whose client certificates are demanded; None demands none."""
    systems_address: str | None = field(default=None, metadata=INTERNAL)
    """Where systems with client certificates are listened for, host:port, apart from everybody
    else; None demands certificates of all where there are authorities."""
    doors: int = 8
    """How often one worker listens on the port. gRPC lets one call in through each with every turn
    of the event loop, and the more calls meet in a turn the less each costs: a transfer under load
    takes an eighth less CPU with eight than with one."""

    payments_in_work_max: int = 1_024
    """Calls that change something in work at once: about 300 ms of work for one worker. Whoever
    would have to wait longer is better told to come back."""
    reads_in_work_max: int = 256
    """Calls that only look, in work at once: several times the readers' connections."""
    admin_in_work_max: int = 16
    """Operators' calls in work at once."""
    streams_open_max: int = 512
    """Streams open in one worker: each has its memory and its flow-control window."""
    streams_per_principal_max: int = 64
    """Streams one principal may have open in one worker."""
    health_in_work_max: int = 64
    """Questions for the health of one worker at once, and watches of it as many. Whoever asks shows
    no token: without a bound of their own they could take the places of all others."""
    payments_latency_ms: int = 2_000
    """Milliseconds that calls that change something should take at most. When most take longer,
    ever fewer are let in at once, down to an eighth, until that is over; 0 never lets in fewer."""
    reads_latency_ms: int = 1_000
    """The same for calls that only look."""
    rates: tuple[str, ...] = ()
    """How often one principal may call in each worker where that differs from what the contract
    declares (longmen.type.v1.RateClass), separated by commas: kind.class=calls per second/burst for
    a rate class or a whole request class, or kind.Service/Method=... for a single method, which
    then counts for itself. Services are the bank's own and may call at will unless they are
    named. Callers without a token are counted by address."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies before the server, as CIDRs separated by commas. What they note in
    x-forwarded-for is taken for the caller's address: in rates, networks of keys and the audit
    trail."""
    rates_remembered_max: int = 100_000
    """Principals remembered for each rate, about 150 bytes each."""
    stream_send_timeout_s: float = 30.0
    """Seconds a stream's reader may leave a message unread before the stream is ended."""
    receive_timeout_s: float = 5.0
    """Seconds a caller has to send the request of a call that was begun: it holds a place in its
    class meanwhile, which those who never send could otherwise take from all others."""

    minimum_budget_ms: int = 2
    """Milliseconds a call must have left to be begun at all: less is over before a commit can
    be."""
    tokens_remembered_max: int = 10_000
    """Verified tokens remembered per worker, about 1 kB each."""
    tokens_remembered_s: float = 5.0
    """Seconds after which a remembered token is verified again, so that a key taken out of the key
    file stops working within this; one verification costs about a tenth of a millisecond."""

    connections_streams_max: int = 4_096
    """Concurrent calls on one HTTP/2 connection; load tools put hundreds on one."""
    metadata_bytes_max: int = 16_384
    """Metadata that gRPC's core accepts. The edge's own limit is lower; this is the wall behind
    it."""
    keepalive_time_ms: int = 60_000
    """Milliseconds of silence after which the server pings a client, to find dead peers."""
    keepalive_timeout_ms: int = 20_000
    """Milliseconds a pinged client has to answer."""
    client_ping_interval_min_ms: int = 10_000
    """Milliseconds between a client's pings that are put up with; core's own default of five
    minutes disconnects clients with common keepalive settings."""
    connection_age_max_ms: int = 1_800_000
    """Milliseconds after which a connection is asked to reconnect, so that clients spread anew over
    workers and find new servers; core adds 10 % of jitter."""
    connection_age_grace_ms: int = 60_000
    """Milliseconds such a connection has to finish its calls."""

    readiness_delay_s: float = 0.5
    """Seconds between turning NOT_SERVING and refusing new connections while draining, for
    balancers to notice."""
    drain_grace_s: float = 20.0
    """Seconds that calls in flight have to finish while draining."""

    def latency_targets_s(self) -> dict[str, float]:
        """Return the seconds that calls of a class should take at most."""
        return {
            "payment": self.payments_latency_ms / 1000,
            "read": self.reads_latency_ms / 1000,
        }

    def in_work_max(self) -> dict[str, int]:
        """Return the most calls in work for each admission class."""
        return {
            "payment": self.payments_in_work_max,
            "read": self.reads_in_work_max,
            "admin": self.admin_in_work_max,
            "stream": self.streams_open_max,
        }
