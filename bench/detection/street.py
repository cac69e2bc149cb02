"""Streams transactions through the server's own features: those that payments are judged by.

Everything is kept in memory, as the engine's working set has it; no other code computes a feature.
A label comes when it would: seven days after its transaction, as a case that is confirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.detection.protocol import DELAY_S
from longmen_server.limits.movement import Channel, MovementKind
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.plan import Plan
from longmen_server.risk.scene import Scene
from longmen_server.risk.subjects import Section, Subject, SubjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.detection.simulator import Stream
    from longmen_server.risk.model import FeatureValue

__all__ = ["REFERENCE_UNITS", "Street", "instant_us"]

FIRST_S: Final = 1_522_540_800
"""2018-04-01T00:00:00Z, where the handbook's days begin."""
REFERENCE_UNITS: Final = 8
"""Reference units (fen) for a hundredth of the simulator's money, which is taken for euros."""


def instant_us(at_s: int) -> int:
    """Return the time of a transaction in microseconds since the epoch."""
    return (FIRST_S + at_s) * 1_000_000


class Street:
    """Every customer and every till of a simulation, with what the server keeps of them."""

    def __init__(self, stream: Stream, names: Iterable[str]) -> None:
        """Take the transactions, and the features that are wanted."""
        self._stream = stream
        self._plan = Plan(names)
        wanted = {feature.name for feature in self._plan.features}
        self._notes_payees = any(name.startswith("payer_payees") for name in wanted)
        self._notes_payers = any(name.startswith("terminal_payers") for name in wanted)
        self._pairs_matter = any(name == "new_payee" or name[:5] == "pair_" for name in wanted)
        self._subjects: dict[tuple[int, int, int], Subject] = {}

    def values(self, wanted: list[bool]) -> Iterator[Mapping[str, FeatureValue] | None]:
        """Return the features of each transaction before it is made; None where not wanted.

        Args:
            wanted: for each transaction from the first on; as many are streamed.
        """
        stream, until = self._stream, len(wanted)
        at = stream.at_s[:until].tolist()
        customers = stream.customer[:until].tolist()
        tills = stream.terminal[:until].tolist()
        amounts = (stream.cents[:until] * REFERENCE_UNITS).tolist()
        frauds = stream.fraud[:until].tolist()
        labelled = 0
        for row, now in enumerate(at):
            while at[labelled] <= now - DELAY_S:
                if frauds[labelled]:
                    till = self._subject(SubjectKind.TERMINAL, tills[labelled])
                    till.flag(FIRST_S + at[labelled], amounts[labelled])
                labelled += 1
            scene = self._scene(now, customers[row], tills[row], amounts[row])
            if wanted[row]:
                values, faults = self._plan.compute(scene)
                assert not faults, faults
                yield values
            else:
                yield None
            self._remember(scene)

    def _scene(self, now: int, customer: int, till: int, amount: int) -> Scene:
        payer = self._subject(SubjectKind.PARTY, customer)
        terminal = self._subject(SubjectKind.TERMINAL, till)
        return Scene(
            kind=MovementKind.PAYMENT,
            channel=Channel.CUSTOMER,
            amount=amount,
            amount_minor=amount,
            currency_code="CNY",
            now_us=instant_us(now),
            payer_id=payer.key.subject,
            payee_id=terminal.key.subject,
            payer_kind="customer",
            payee_kind="merchant",
            available=10**12,
            payer=payer,
            terminal=terminal,
            pair=self._subject(SubjectKind.PAIR, customer, till) if self._pairs_matter else None,
        )

    def _remember(self, scene: Scene) -> None:
        assert scene.payer is not None
        assert scene.terminal is not None
        now = scene.now_s
        scene.payer.add(Section.OUT, now, scene.amount)
        scene.terminal.add(Section.IN, now, scene.amount)
        if self._notes_payees:
            scene.payer.note(Section.PAYEES, now, scene.payee_id)
        if self._notes_payers:
            scene.terminal.note(Section.PAYERS, now, scene.payer_id)
        if scene.pair is not None:
            scene.pair.add(Section.OUT, now, scene.amount)

    def _subject(self, kind: SubjectKind, number: int, other: int = 0) -> Subject:
        subject = self._subjects.get((kind, number, other))
        if subject is None:
            # Tallies tell others apart by some bytes in the middle of an id.
            key = SubjectKey(kind, other.to_bytes(4, "big") + number.to_bytes(9, "big") + bytes(3))
            subject = self._subjects[kind, number, other] = Subject(key)
        return subject
