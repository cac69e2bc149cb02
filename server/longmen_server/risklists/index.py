"""The lists in force, in memory: which lists something is on costs one look-up. Pure."""

from __future__ import annotations

import ipaddress
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.risk.model import ListedKind
from longmen_server.risklists.folding import fold, joined, turned
from longmen_server.risklists.pinyin import in_latin
from longmen_server.risklists.rows import ValueProblemError, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from longmen_server.risklists.rows import Entry

__all__ = ["ListIndex", "Match"]

MATCHES_MAX: Final = 20
"""Of one name: more are noise."""
SLICE: Final = 4_000
"""Names that are compared without a pause, which takes about a millisecond: nothing else runs in
the process meanwhile."""
WORDS_LEAST: Final = 2
"""Words that a name and an entry have in common at least when one of them has more."""
PART_LIKENESS: Final = 90
"""Per cent of likeness when all words of one are among those of the other."""
LATIN_LIKENESS_MAX: Final = 95
"""Per cent of likeness at most between Chinese characters and Latin letters: many characters are
read alike, so the same letters are not the same name."""


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
        self._names: list[tuple[str, Entry]] = []
        for list_name, kind, entries in sorted(lists, key=lambda one: one[:2]):
            for entry in entries:
                if kind == ListedKind.NAME:
                    self._names.append((list_name, entry))
                elif kind == ListedKind.ADDRESS:
                    self._add_network(list_name, entry.key)
                else:
                    what = (kind, entry.key)
                    self._on[what] = _with(self._on.get(what, ()), list_name)
        self._prepared: _Names | None = None
        """Made when a name is first looked up: movements never look for any."""

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
            same = (place for place, folded in enumerate(self._by_name().folded) if folded == key)
            return tuple(sorted({self._names[place][0] for place in same}))
        return self.of(kind, key)

    def screen(self, name: str, minimum: int) -> list[Match]:
        """Return entries of lists of names that are like a name, the likest first.

        Words may stand in another order, be parted otherwise, and all but two be left out on either
        side; a hundred thousand names take some tens of milliseconds, so never within a payment.

        Args:
            name: to look up.
            minimum: likeness in per cent from which on an entry is returned.
        """
        names = self._by_name()
        likeness: dict[int, int] = {}
        if minimum <= PART_LIKENESS:
            likeness = dict.fromkeys(names.parts_of(fold(name)), PART_LIKENESS)
        orders = turned(name)
        wanted = [(fold(name), names.folded), *((one, names.joined) for one in orders)]
        for text, among in wanted:
            for place, score in _alike(text, among, minimum):
                likeness[place] = max(likeness.get(place, 0), score)
        for place, score in self._in_latin(name, orders, minimum):
            likeness[place] = max(likeness.get(place, 0), min(score, LATIN_LIKENESS_MAX))
        likest = sorted(likeness.items(), key=lambda one: (-one[1], one[0]))
        matches = []
        for place, score in likest[:MATCHES_MAX]:
            list_name, entry = self._names[place]
            matches.append(Match(list_name, entry.value, entry.label, score))
        return matches

    def _in_latin(
        self, name: str, orders: tuple[str, ...], minimum: int
    ) -> Iterator[tuple[int, int]]:
        """Yield places of names in the other script, Chinese or Latin, with their likeness."""
        if minimum > LATIN_LIKENESS_MAX:
            return
        names = self._by_name()
        for text in in_latin(name):
            yield from _alike(text, names.joined, minimum)
        for text in orders:
            for number, score in _alike(text, names.latin, minimum):
                yield names.latin_places[number], score

    def _by_name(self) -> _Names:
        if self._prepared is None:
            self._prepared = _Names([entry.value for _, entry in self._names])
        return self._prepared


class _Names:
    """Names of lists by their places, in each form that they are compared in."""

    def __init__(self, values: list[str]) -> None:
        """Take names as they were written: how they are compared may have changed since."""
        self.folded = [fold(value) for value in values]
        self.joined = [joined(value) for value in values]
        self.latin: list[str] = []
        """Chinese names in Latin letters, in each way to write them."""
        self.latin_places: array[int] = array("I")
        """Places of those."""
        for place, value in enumerate(values):
            if not value.isascii():
                for text in in_latin(value):
                    self.latin.append(text)
                    self.latin_places.append(place)
        self._words: dict[str, array[int]] = {}
        for place, folded in enumerate(self.folded):
            for word in set(folded.split()):
                self._words.setdefault(word, array("I")).append(place)

    def parts_of(self, wanted: str) -> list[int]:
        """Return places of names that have all words of a name, or only words of it: two or more.

        A middle name or a patronymic that stands in a list is often missing in a document.
        """
        words = set(wanted.split())
        if len(words) < WORDS_LEAST:
            return []
        met = Counter(place for word in words for place in self._words.get(word, ()))
        return [
            place
            for place, count in met.items()
            if count >= WORDS_LEAST
            and (count == len(words) or count == len(set(self.folded[place].split())))
        ]


def _alike(text: str, among: list[str], minimum: int) -> Iterator[tuple[int, int]]:
    """Yield places of names that are like a text, with their likeness; other threads get turns."""
    from rapidfuzz import fuzz, process  # a second of a server's start, for what few call

    for start in range(0, len(among), SLICE):
        found = process.extract(
            text,
            among[start : start + SLICE],
            scorer=fuzz.ratio,
            score_cutoff=minimum,
            limit=MATCHES_MAX,
        )
        for _, score, offset in found:
            yield start + offset, int(score)


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)
