"""The desk of risk in a worker: the rules, the scorecard and the lists in force, always at hand.

They are read once and kept. Each second the desk asks for the number of each book's rules, which is
one cheap look, and reads what has changed; so a promotion holds within two seconds everywhere, and
no payment waits for it. What cannot be read leaves in force what was.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import psycopg
import structlog

from longmen_server.limits.movement import MovementKind
from longmen_server.platform.ids import DecisionId, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import Guard
from longmen_server.risk.plan import Plan
from longmen_server.risk.rules import FIRST_PAID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.risk.model import Card, Fault, FeatureValue, Fired, Lists, Rules
    from longmen_server.transport.context import Call

__all__ = ["Loaded", "NoRules", "RiskDesk", "Snapshot", "Source"]

LOOK_SECONDS: Final = 1.0
"""How often the desk looks whether the rules have changed."""
READ_SECONDS: Final = 10.0
"""How long reading them may take."""
PREFIX_V6: Final = 64
"""Bits of an IPv6 address that tell whose it is: the rest anybody may choose."""

OWN_CALLERS: Final = frozenset({"customer", "anonymous"})
"""Whose address is the customer's own: whoever signs in is nobody yet."""

log = structlog.get_logger("longmen.risk")


class Loaded(NamedTuple):
    """What is in force in a book."""

    rules: Rules
    card: Card | None = None
    lists: Lists | None = None


class Source(Protocol):
    """Where rules, scorecards and lists come from."""

    def shipped(self) -> Loaded:
        """Return what is in force before anything was saved."""

    async def version(self, connection: Connection, book: int) -> int:
        """Return a number that changes whenever something else is in force."""

    async def load(self, connection: Connection, book: int) -> Loaded:
        """Return what is in force."""

    async def past(
        self, connection: Connection, book: int, rules_version: int, card_version: int
    ) -> Loaded | None:
        """Return what was in force under these numbers; None when it is gone."""


class NoRules:
    """The empty set of rules."""

    version = 0
    digest = bytes(32)
    features: frozenset[str] = frozenset()

    def features_of(self, kind: str) -> frozenset[str]:
        """Return that nothing is read."""
        del kind
        return self.features

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return that nothing fires."""
        del values, now_us, key
        return (), ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is in force, ready to judge by."""

    rules: Rules
    card: Card | None
    lists: Lists | None
    plans: Mapping[MovementKind, Plan]
    """What is computed of each kind of movement: what is read of it, and nothing else."""
    reads_pairs: bool
    """Whether anything looks at pairs: they are counted only then, since there are so many."""

    @classmethod
    def of(cls, loaded: Loaded) -> Snapshot:
        """Return the snapshot of what was loaded."""
        scored = frozenset[str]() if loaded.card is None else loaded.card.features
        read = loaded.rules.features | scored
        # Whether a payee is new is asked of the pair as well.
        reads_pairs = FIRST_PAID in read or any(name.startswith("pair_") for name in read)
        plans = {kind: Plan(loaded.rules.features_of(kind.name) | scored) for kind in MovementKind}
        # Where nothing is on any list no movement has to be looked up.
        return cls(loaded.rules, loaded.card, loaded.lists or None, plans, reads_pairs)


class RiskDesk:
    """Gives every movement its guard."""

    def __init__(
        self,
        *,
        source: Source,
        readers: Readers,
        clock: Clock,
        books: Sequence[int],
        address_key: bytes,
        enabled: bool,
    ) -> None:
        """Take what the desk works with.

        Args:
            source: of rules, scorecards and lists.
            readers: connections to read them by.
            clock: for ids, and monotonic.
            books: whose rules are kept at hand.
            address_key: makes network addresses what they are counted by.
            enabled: whether anything is judged at all.
        """
        self._source = source
        self._readers = readers
        self._clock = clock
        self._address_key = address_key
        self._enabled = enabled
        self._versions: dict[int, int] = {}
        shipped = Snapshot.of(source.shipped())
        self._snapshots = dict.fromkeys(books, shipped)

    @property
    def source(self) -> Source:
        """Where rules come from."""
        return self._source

    def snapshot(self, book: int) -> Snapshot:
        """Return what is in force in a book that is kept here."""
        return self._snapshots[book]

    def guard(self, call: Call, book: int) -> Guard | None:
        """Return the guard of a movement that a call asks for; None where nothing is judged."""
        if not self._enabled or book not in self._snapshots:
            return None
        address = ""
        if call.principal.kind in OWN_CALLERS:
            address = public_address(call.address)
        return Guard(
            snapshot=self._snapshots[book],
            decision_id=DecisionId(new_id(book, self._clock)),
            in_session=call.principal.customer_id is not None
            and call.principal.session_id is not None,
            address=address,
            address_tag=self._tag(address),
        )

    def rehearsal(
        self, book: int, *, in_session: bool, address: str, rules: Rules | None = None
    ) -> Guard:
        """Return the guard of a movement that nobody makes.

        Args:
            book: of the movement, one that is kept here.
            in_session: whether somebody could be asked to approve it.
            address: where it would come from; empty where that tells nothing.
            rules: to judge by; None for those in force.
        """
        snapshot = self._snapshots[book]
        if rules is not None:
            snapshot = Snapshot.of(Loaded(rules, snapshot.card, snapshot.lists))
        known = public_address(address)
        return Guard(
            snapshot=snapshot,
            decision_id=DecisionId(new_id(book, self._clock)),
            in_session=in_session,
            address=known,
            address_tag=self._tag(known),
        )

    def _tag(self, address: str) -> bytes:
        """Return what an address is counted by; nothing for one that tells nothing."""
        if not address:
            return b""
        return blake2b(address.encode(), key=self._address_key, digest_size=16).digest()

    def guards(self, call: Call, book: int, count: int) -> list[Guard]:
        """Return the guards of so many movements of one call; none where nothing is judged."""
        first = self.guard(call, book)
        if first is None:
            return []
        fresh = (DecisionId(new_id(book, self._clock)) for _ in range(count - 1))
        return [first, *(replace(first, decision_id=decision_id) for decision_id in fresh)]

    def unattended(self, book: int) -> Guard | None:
        """Return the guard of a movement that the server makes by itself, where nobody is asked."""
        if not self._enabled or book not in self._snapshots:
            return None
        return Guard(
            snapshot=self._snapshots[book], decision_id=DecisionId(new_id(book, self._clock))
        )

    async def look(self) -> None:
        """Read what has changed since the last look."""
        deadline = self._clock.monotonic() + READ_SECONDS
        for book in self._snapshots:
            async with self._readers.connection(deadline=deadline) as connection:
                version = await self._source.version(connection, book)
                if version == self._versions.get(book):
                    continue
                loaded = await self._source.load(connection, book)
            self.use(book, loaded)
            self._versions[book] = version

    def use(self, book: int, loaded: Loaded) -> None:
        """Judge by something else from now on, until what is saved changes."""
        self._snapshots[book] = Snapshot.of(loaded)

    async def run(self) -> None:
        """Look on until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (psycopg.Error, Refusal, OSError) as error:
                log.warning("risk_rules_not_read", error=type(error).__name__)
            except Exception:  # rules that cannot be read leave in force what was
                log.exception("risk_rules_broken")


def public_address(text: str) -> str:
    """Return whose address it is, as far as an address tells: empty for one of no network at all.

    Private and local addresses are those of proxies and of tests; they are of everybody.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if not address.is_global:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, PREFIX_V6), strict=False))
    return text
