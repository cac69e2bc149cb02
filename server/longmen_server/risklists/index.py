"""The lists in force, in memory: which lists something is on costs one look-up. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.risk.model import ListedKind
from longmen_server.risklists.folding import fold
from longmen_server.risklists.rows import ValueProblemError, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.risklists.rows import Entry

__all__ = ["ListIndex", "Match"]

MATCHES_MAX: Final = 20
"""Of one name: more are noise."""


class Match(NamedTuple):
    """An entry like a name."""

    list_name: str
    entry: str
    label: str
    likeness: int
    """In per cent."""


class ListIndex:
    """Lists of a book, ready to be looked into. It never changes: another import makes another."""

    def __init__(self, lists: Iterable[tuple[str, ListedKind, Iterable[Entry]]]) -> None:
        """Take names, kinds and entries of lists."""
        self._on: dict[tuple[ListedKind, str], tuple[str, ...]] = {}
        self._networks: dict[tuple[int, int], dict[int, tuple[str, ...]]] = {}
        """Lists by version and length of prefix, then by the prefix's bits."""
        self._names: list[tuple[str, str, Entry]] = []
        for list_name, kind, entries in sorted(lists, key=lambda one: one[:2]):
            for entry in entries:
                if kind == ListedKind.NAME:
                    self._names.append((entry.key, list_name, entry))
                elif kind == ListedKind.ADDRESS:
                    self._add_network(list_name, entry.key)
                else:
                    key = (kind, entry.key)
                    self._on[key] = _with(self._on.get(key, ()), list_name)
        self._folded = [folded for folded, _, _ in self._names]

    def __bool__(self) -> bool:
        """Whether anything can be found in it besides names."""
        return bool(self._on or self._networks)

    def _add_network(self, list_name: str, text: str) -> None:
        network = ipaddress.ip_network(text)
        bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        tier = self._networks.setdefault((network.version, network.prefixlen), {})
        tier[bits] = _with(tier.get(bits, ()), list_name)

    def of(self, kind: ListedKind, text: str) -> tuple[str, ...]:
        """Return the names of the lists that something is on, in their order."""
        if kind == ListedKind.ADDRESS:
            return self._of_address(text)
        return self._on.get((kind, text), ())

    def _of_address(self, text: str) -> tuple[str, ...]:
        if not self._networks:
            return ()
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return ()  # where a request came from is not always known
        address = getattr(address, "ipv4_mapped", None) or address
        number = int(address)
        found: tuple[str, ...] = ()
        for (version, length), tier in self._networks.items():
            if version == address.version:
                found += tier.get(number >> (address.max_prefixlen - length), ())
        return tuple(sorted(set(found)))

    def check(self, kind: ListedKind, text: str) -> tuple[str, ...]:
        """Return the lists of a value as somebody writes it.

        Raises:
            ValueProblemError: it is no value of the kind.
        """
        if kind == ListedKind.ADDRESS and "/" in text:
            raise ValueProblemError("NOT_AN_ADDRESS")
        key = normalise(kind, text)
        if kind == ListedKind.ADDRESS:
            return self._of_address(key.partition("/")[0])
        if kind == ListedKind.NAME:
            return tuple(sorted({one for folded, one, _ in self._names if folded == key}))
        return self.of(kind, key)

    def screen(self, name: str, minimum: int) -> list[Match]:
        """Return entries of lists of names that are like a name, the likest first.

        Words may stand in another order and be left out on either side; a hundred thousand names
        take some tens of milliseconds, so never within a payment.
        """
        from rapidfuzz import fuzz, process  # a second of a server's start, for what few call

        wanted = fold(name)
        found = process.extract(
            wanted,
            self._folded,
            scorer=fuzz.token_sort_ratio,
            score_cutoff=minimum,
            limit=MATCHES_MAX,
        )
        matches = []
        for _, score, place in found:
            _, list_name, entry = self._names[place]
            matches.append(Match(list_name, entry.value, entry.label, int(score)))
        return matches


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)
