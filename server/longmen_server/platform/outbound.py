"""Calls to servers that somebody else named: which are made, and to which address.

A name is looked up once, every address it has must be a public one, and the call goes to that
address: so a name that answers otherwise a moment later leads nowhere else. OWASP ASVS 5.0, 1.3.6,
13.2.4 and 15.3.2.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

__all__ = ["BlockedUrlError", "Destination", "destination_of", "pinned_address", "resolve"]

HTTPS_PORT: Final = 443
PORTS_REFUSED: Final = frozenset({0, 22, 23, 25, 53, 110, 143, 465, 587, 993, 995})
"""Ports of other protocols, whose servers an HTTP request could be made to talk to."""


class BlockedUrlError(Exception):
    """A url is not called.

    Attributes:
        rule: Why, in a word: scheme, userinfo, fragment, host, port or address.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a url leads, before its name is looked up."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""


def destination_of(url: str, *, development: bool) -> Destination:
    """Return where a url leads.

    Args:
        url: as somebody gave it.
        development: lets http, and this machine itself, for servers to try out.

    Raises:
        BlockedUrlError: it is not one that is called.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BlockedUrlError("host") from None
    if parts.scheme != "https" and not (development and parts.scheme == "http"):
        raise BlockedUrlError("scheme")
    if parts.username is not None or parts.password is not None:
        raise BlockedUrlError("userinfo")
    if parts.fragment or "#" in url:
        raise BlockedUrlError("fragment")
    host = (parts.hostname or "").rstrip(".")
    if not host or not url.isascii() or any(c in url for c in "\\ \t\r\n"):
        raise BlockedUrlError("host")
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else 80
    if port in PORTS_REFUSED:
        raise BlockedUrlError("port")
    literal = _literal(host)
    if literal is not None:
        check_address(literal, development=development)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port, path)


def check_address(address: str, *, development: bool) -> None:
    """Refuse addresses that are not public.

    Raises:
        BlockedUrlError: with the rule "address".
    """
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        # What leads to an IPv4 address is judged as that one.
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None,))[0]
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    if development and found.is_loopback:
        return
    if not found.is_global or found.is_multicast:
        raise BlockedUrlError("address")


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _literal(host: str) -> str | None:
    """Return the address a host is written as, in any form that resolvers take; None for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # 2130706433, 0x7f.1 and 0177.0.0.1 are this machine.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, by the system's resolver.

    Raises:
        OSError: there are none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


async def pinned_address(
    destination: Destination, *, development: bool, look_up: Resolve = resolve
) -> str:
    """Return the one address to call.

    Raises:
        BlockedUrlError: one of the name's addresses is not public.
        OSError: the name has none.
    """
    addresses = await look_up(destination.host, destination.port)
    if not addresses:
        raise OSError("no address")
    for address in addresses:
        check_address(address.partition("%")[0], development=development)
    return addresses[0]
