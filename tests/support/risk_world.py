"""A small world in memory to commit crimes in: wallets, devices and the shipped rules, no database.

Movements are computed, judged and counted by the code of the server. Whoever commits them knows no
PIN: what has to be approved, is held or declined does not happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from longmen_server.limits.movement import Channel, MovementKind
from longmen_server.risk.judge import evaluate
from longmen_server.risk.model import Outcome, OutcomeKind, SubjectKind
from longmen_server.risk.plan import Plan
from longmen_server.risk.scene import Scene, reference_amount
from longmen_server.risk.shipped import shipped
from longmen_server.risk.subjects import Section, Subject, SubjectKey, pair_key

DAY: Final = 86_400
HOUR: Final = 3_600
MINUTE: Final = 60
MORNING: Final = 1_794_967_200
"""Ten o'clock in Shanghai, 18 November 2026."""
EQUIVALENTS: Final = {"USD": 14, "EUR": 13, "HKD": 110, "JPY": 21, "GBP": 11, "SGD": 18}
"""About how many minor units are worth CNY 1."""
MADE: Final = frozenset({OutcomeKind.ALLOW, OutcomeKind.ALLOW_WITH_NOTICE})


def name_id(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()


@dataclass
class Wallet:
    """Somebody with a wallet."""

    name: str
    balance: int = 20_000_000
    """In reference units."""
    opened: int = -400 * DAY
    """Seconds after the beginning; by default more than a year before."""
    kind: str = "customer"
    identification: int = 2
    devices: dict[str, int] = field(default_factory=dict)
    """Seconds after the beginning when each was enrolled."""

    def __post_init__(self) -> None:
        self.devices.setdefault(f"{self.name}'s telephone", -300 * DAY)

    @property
    def id(self) -> bytes:
        return name_id(self.name)


class World:
    """What happens, one movement after another."""

    def __init__(self) -> None:
        self.now = 0
        self.rules = shipped()
        self.plan = Plan(self.rules.features)
        self.subjects: dict[SubjectKey, Subject] = {}
        self.moved = 0
        """Reference units that were moved."""
        self.asked = 0
        self.fired: set[str] = set()
        self.outcomes: list[Outcome] = []

    def wait(self, seconds: int) -> None:
        self.now += seconds

    def _subject(self, key: SubjectKey) -> Subject:
        return self.subjects.setdefault(key, Subject(key))

    def _party(self, wallet: Wallet) -> Subject:
        return self._subject(SubjectKey(SubjectKind.PARTY, wallet.id))

    def move(
        self,
        payer: Wallet,
        payee: Wallet,
        amount: int,
        *,
        kind: MovementKind = MovementKind.TRANSFER,
        channel: Channel = Channel.CUSTOMER,
        currency: str = "CNY",
        device: str = "",
        address: str = "198.51.100.7",
        history: bool = False,
    ) -> Outcome:
        """Try a movement of so many minor units; `history` is made without being judged."""
        device = device or next(iter(payer.devices))
        worth = reference_amount(amount, currency, "CNY", EQUIVALENTS)
        at_s = MORNING + self.now
        scene = Scene(
            kind=kind,
            channel=channel,
            amount=worth,
            amount_minor=amount,
            currency_code=currency,
            now_us=at_s * 1_000_000,
            payer_id=payer.id,
            payee_id=payee.id,
            payer_party=payer.id,
            payee_party=payee.id,
            payer_kind=payer.kind,
            payee_kind=payee.kind,
            payer_since_us=(MORNING + payer.opened) * 1_000_000,
            payee_since_us=(MORNING + payee.opened) * 1_000_000,
            device_id=name_id(device),
            device_since_us=(MORNING + payer.devices[device]) * 1_000_000,
            address=address,
            payer_class=payer.identification,
            payee_class=payee.identification,
            available=payer.balance,
            payer=self._party(payer),
            payee=self._party(payee),
            pair=self._subject(pair_key(payer.id, payee.id)),
            device=self._subject(SubjectKey(SubjectKind.DEVICE, name_id(device))),
            origin=self._subject(SubjectKey(SubjectKind.ADDRESS, name_id(address))),
        )
        outcome = Outcome(OutcomeKind.ALLOW)
        if not history:
            outcome = self._judge(scene, payer.id)
        if outcome.kind in MADE:
            self._count(scene, at_s)
            payer.balance -= worth
            payee.balance += worth
        elif scene.payer is not None:
            scene.payer.add(Section.REFUSED, at_s, worth)
        return outcome

    def _judge(self, scene: Scene, key: bytes) -> Outcome:
        values, faults = self.plan.compute(scene)
        assert not faults
        found = evaluate(self.rules, None, values, now_us=scene.now_us, key=key)
        assert not found.faults
        self.asked += scene.amount
        self.outcomes.append(found.outcome)
        self.fired |= {one.rule for one in found.fired}
        if found.outcome.kind in MADE:
            self.moved += scene.amount
        return found.outcome

    def _count(self, scene: Scene, at_s: int) -> None:
        assert scene.payer is not None
        assert scene.payee is not None
        scene.payer.add(Section.OUT, at_s, scene.amount)
        scene.payer.note(Section.PAYEES, at_s, scene.payee_party)
        scene.payer.note(Section.DEVICES, at_s, scene.device_id)
        scene.payee.add(Section.IN, at_s, scene.amount)
        scene.payee.note(Section.PAYERS, at_s, scene.payer_party)
        for subject in (scene.pair, scene.device, scene.origin):
            assert subject is not None
            subject.add(Section.OUT, at_s, scene.amount)
        for subject in (scene.device, scene.origin):
            assert subject is not None
            subject.note(Section.PAYERS, at_s, scene.payer_party)
            subject.note(Section.PAYEES, at_s, scene.payee_party)
