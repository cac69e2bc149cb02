"""Where calls come from that a proxy passes on.

A proxy that ends connections is everybody's peer. It notes in `x-forwarded-for` whom it has the
call from, behind what its caller has written there. So the list is read from its end: as long as
a note was made by a proxy that we trust, the address in it counts; what stands before it may be
anybody's invention.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["FORWARDED", "Proxies"]

FORWARDED: Final = "x-forwarded-for"
"""The metadata key that proxies note callers in, separated by commas."""

HOPS_MAX: Final = 8
"""Notes looked at: no chain of proxies is that long."""


class Proxies:
    """The proxies whose word is taken."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Take their addresses.

        Args:
            networks: CIDRs, without host bits.

        Raises:
            ValueError: one is none.
        """
        self._networks = [ipaddress.ip_network(text) for text in networks]

    def address_of(self, peer: str, metadata: Sequence[tuple[str, str | bytes]]) -> str:
        """Return where a call comes from.

        Args:
            peer: address of whoever is connected.
            metadata: of the call.
        """
        if not self._trusts(peer):
            return peer
        address = peer
        noted = ",".join(str(value) for key, value in metadata if key == FORWARDED)
        for text in reversed(noted.split(",")[-HOPS_MAX:]):
            host = text.strip()
            try:
                ipaddress.ip_address(host)
            except ValueError:
                break
            address = host
            if not self._trusts(host):
                break
        return address

    def _trusts(self, address: str) -> bool:
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self._networks)
