"""How often a principal may call: what the settings say, and the counting of it.

A rate is a number of calls per second that a principal may go on with for ever, and a burst that it
may have at once after it has been quiet. It is counted in each worker for itself: a principal with
connections to several workers has the rate in each.

A principal's whole past is one number, the time until which its calls so far would have kept it
busy at its rate (the generic cell rate algorithm), so that counting costs a fraction of a
microsecond and remembering some hundred bytes.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from longmen.type.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["CONTRACT_RATES", "Meter", "Rate", "network_of", "parse_rates", "rate_of"]

TEXT: Final = re.compile(
    r"(?P<kind>[a-z]+)\.(?P<what>[a-z_]+|[A-Za-z0-9]+/[A-Za-z0-9]+)"
    r"=(?P<per_second>[0-9]+(?:\.[0-9]+)?)/(?P<burst>[0-9]+)"
)
"""customer.payment=20/100, or customer.TransfersService/CreateTransfer=5/20."""

KINDS: Final = frozenset({"anonymous", "customer", "merchant", "service", "staff"})
REQUEST_CLASSES: Final = frozenset({"payment", "read", "admin", "stream"})
RATE_CLASSES: Final = frozenset(
    {"read", "change", "money", "sign_in", "message", "watch", "export", "operate"}
)
CLASSES: Final = REQUEST_CLASSES | RATE_CLASSES
"""What settings may name besides single methods: a rate class, or a whole request class."""

IPV6_PREFIX: Final = 64
"""Bits of an IPv6 address that a caller without a token is known by: the rest is at its choice."""

RETRY_MS_MAX: Final = 60_000
"""Longest wait told to a caller; who has to wait longer may ask again after it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often."""

    per_second: float
    """Calls per second in the long run, above zero."""
    burst: int
    """Calls at once after a quiet time, at least one."""

    @property
    def text(self) -> str:
        """As it stands in the settings."""
        return f"{self.per_second:g}/{self.burst}"


def parse_rates(texts: Iterable[str]) -> dict[tuple[str, str], Rate]:
    """Read the rates of the settings, by kind of principal and class or method.

    Raises:
        ValueError: one is not a rate, or names a kind or a class that does not exist.
    """
    rates: dict[tuple[str, str], Rate] = {}
    for text in texts:
        found = TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not kind.class=per_second/burst")
        kind, what = found["kind"], found["what"]
        if kind not in KINDS:
            raise ValueError(f"{text!r}: choose a kind of {', '.join(sorted(KINDS))}")
        if "/" not in what and what not in CLASSES:
            raise ValueError(f"{text!r}: choose a class of {', '.join(sorted(CLASSES))}")
        rate = Rate(float(found["per_second"]), int(found["burst"]))
        if rate.per_second <= 0 or rate.burst < 1:
            raise ValueError(f"{text!r}: both numbers are above zero")
        if (kind, what) in rates:
            raise ValueError(f"{text!r}: {kind}.{what} is named twice")
        rates[kind, what] = rate
    return rates


def contract_rates() -> Mapping[tuple[str, str], Rate]:
    """Return the rates that the contract declares, by kind of principal and rate class."""
    rates: dict[tuple[str, str], Rate] = {}
    for value in policy_pb2.RateClass.DESCRIPTOR.values:
        name = value.name.removeprefix("RATE_CLASS_").lower()
        for one in value.GetOptions().Extensions[policy_pb2.rate].rates:
            kind = policy_pb2.PrincipalKind.Name(one.principal_kind)
            key = kind.removeprefix("PRINCIPAL_KIND_").lower(), name
            rates[key] = Rate(one.calls_per_minute / 60, one.burst)
    return rates


CONTRACT_RATES: Final = contract_rates()


def rate_of(
    rates: Mapping[tuple[str, str], Rate],
    kind: str,
    *,
    method: str,
    rate_class: str,
    admission_class: str,
) -> tuple[str, Rate] | None:
    """Return what calls of a kind of principal are counted as, and the rate.

    The settings go first, the nearer to the method the earlier; then the contract. None means that
    the kind may call at will.

    Args:
        rates: those of the settings.
        kind: sort of principal.
        method: the method with its service, without the package: "LedgerService/GetAccount".
        rate_class: its rate class.
        admission_class: its request class.
    """
    for what in (method, rate_class, admission_class):
        rate = rates.get((kind, what))
        if rate is not None:
            return what, rate
    rate = CONTRACT_RATES.get((kind, rate_class))
    return None if rate is None else (rate_class, rate)


@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """Return what a caller without a token is counted by: the IPv4 address, or the IPv6 /64.

    An IPv4 address in IPv6's form is that address; what is no address, such as a Unix socket,
    counts as it is.
    """
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(host, ipaddress.IPv4Address):
        return address
    if host.ipv4_mapped is not None:
        return str(host.ipv4_mapped)
    return str(ipaddress.ip_network((host.packed, IPV6_PREFIX), strict=False))


class Meter:
    """Counts the calls of principals against one rate."""

    __slots__ = ("_busy_until", "_interval", "_most", "_now", "_tolerance", "rate")

    def __init__(self, rate: Rate, now: Callable[[], float], remembered_max: int) -> None:
        """Take what is counted with.

        Args:
            rate: the rate of each principal.
            now: monotonic seconds.
            remembered_max: most principals remembered. Those that have been quiet are forgotten
                first, which changes nothing for them.
        """
        self.rate = rate
        self._now = now
        self._interval = 1 / rate.per_second
        # A thousandth more, so that sums of rounded times do not cost anybody a call.
        self._tolerance = self._interval * (rate.burst - 1 + 0.001)
        self._most = remembered_max
        self._busy_until: dict[str, float] = {}

    def admits(self, subject: str) -> bool:
        """Count a call, unless it comes too soon."""
        now = self._now()
        known = self._busy_until
        begins = known.get(subject, now)
        if begins < now:  # noqa: PLR1730 - a comparison costs a quarter of a call of max
            begins = now
        if begins - now > self._tolerance:
            return False
        if len(known) >= self._most and subject not in known:
            known = self._busy_until = self._kept(now)
        known[subject] = begins + self._interval
        return True

    def wait_ms(self, subject: str) -> int:
        """Milliseconds, a minute's at most, until a principal is admitted that was not."""
        begins = self._busy_until.get(subject, 0.0)
        wait = math.ceil((begins - self._now() - self._tolerance) * 1000)
        return min(RETRY_MS_MAX, max(1, wait))

    def _kept(self, now: float) -> dict[str, float]:
        """Who is still remembered: all but the quiet, and of too many busy ones the latest.

        A tenth is freed at least, so that this is rare even while strangers flood in.
        """
        busy = [(subject, until) for subject, until in self._busy_until.items() if until > now]
        return dict(busy[max(0, len(busy) - self._most * 9 // 10) :])
