"""Rules that a test can count on: an outcome for each of a few amounts that nobody else uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.risk.desk import Loaded, RiskDesk
from longmen_server.risk.model import (
    Fault,
    Fired,
    FreezeScope,
    Outcome,
    OutcomeKind,
    Scored,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.risk.model import FeatureValue

NOTICE: Final = 66_601
STEP_UP: Final = 66_602
DELAY: Final = 66_603
REVIEW: Final = 66_604
DECLINE: Final = 66_605
FREEZE: Final = 66_606
FREEZE_PAYEE: Final = 66_607
SHADOW: Final = 66_608
FAULT: Final = 66_609
DELAY_S: Final = 3_600

OUTCOMES: Final = {
    NOTICE: Outcome(OutcomeKind.ALLOW_WITH_NOTICE),
    STEP_UP: Outcome(OutcomeKind.STEP_UP, 2),
    DELAY: Outcome(OutcomeKind.DELAY, DELAY_S),
    REVIEW: Outcome(OutcomeKind.REVIEW),
    DECLINE: Outcome(OutcomeKind.DECLINE),
    FREEZE: Outcome(OutcomeKind.FREEZE, FreezeScope.ONLY_OUT, revocable=False),
    FREEZE_PAYEE: Outcome(OutcomeKind.FREEZE, FreezeScope.FULL, Target.PAYEE),
    SHADOW: Outcome(OutcomeKind.DECLINE),
}
FEATURES: Final = frozenset(
    {
        *("amount_minor", "kind", "channel", "new_payee", "drain", "night", "payee_lists"),
        *("payer_count_1m", "payer_sum_24h", "payer_payees_10m", "payer_refused_count_1h"),
        *("payer_mean_30d", "payee_payers_24h", "pass_through", "device_age", "pair_count_24h"),
    }
)


class AmountRules:
    """One rule for each amount, and one that fails."""

    version = 7
    digest = b"a" * 32
    features = FEATURES

    def features_of(self, kind: str) -> frozenset[str]:
        """Return the same for every kind."""
        del kind
        return self.features

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return the rule of the amount."""
        del now_us, key
        amount = values["amount_minor"]
        if amount == FAULT:
            return (), (Fault("broken", "it fails", Outcome(OutcomeKind.DECLINE)),)
        outcome = OUTCOMES.get(amount)  # type: ignore[arg-type]
        if outcome is None:
            return (), ()
        name = "~tried" if amount == SHADOW else f"amount_{amount}"
        return (Fired(name, outcome, "UNUSUAL_AMOUNT", amount == SHADOW),), ()


class DeviceRules:
    """One rule about new devices, and none about money."""

    version = 8
    digest = b"d" * 32
    features = frozenset({"kind"})

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def features_of(self, kind: str) -> frozenset[str]:
        """Return the same for every kind."""
        del kind
        return self.features

    def fire(
        self, values: Mapping[str, FeatureValue], *, now_us: int, key: bytes
    ) -> tuple[Sequence[Fired], Sequence[Fault]]:
        """Return the rule, for a new device."""
        del now_us, key
        if values["kind"] != "NEW_DEVICE":
            return (), ()
        return (Fired("new_device", self.outcome, "NEW_DEVICE_CAUTION", shadow=False),), ()


class CountCard:
    """A scorecard that counts the payer's last minute."""

    version = 3
    digest = b"c" * 32
    features = frozenset({"payer_count_1m"})

    def score(self, values: Mapping[str, FeatureValue]) -> Scored:
        """Return a point for each movement."""
        points = float(values["payer_count_1m"])  # type: ignore[arg-type]
        return Scored(
            points, (("payer_count_1m", points),), Outcome(OutcomeKind.ALLOW), "MANY_MOVEMENTS"
        )


class AmountSource:
    """The rules above, under their one version."""

    def shipped(self) -> Loaded:
        """Return them."""
        return Loaded(AmountRules(), CountCard())

    async def version(self, connection: Connection, book: int) -> int:
        """Return that nothing changes."""
        del connection, book
        return 1

    async def load(self, connection: Connection, book: int) -> Loaded:
        """Return them."""
        del connection, book
        return self.shipped()

    async def past(
        self, connection: Connection, book: int, rules_version: int, card_version: int
    ) -> Loaded | None:
        """Return them for their own versions only."""
        del connection, book
        return self.shipped() if (rules_version, card_version) == (7, 3) else None


def open_desk(readers: Readers, clock: Clock, books: Sequence[int]) -> RiskDesk:
    """A desk with the rules above."""
    source: Any = AmountSource()
    return RiskDesk(
        source=source, readers=readers, clock=clock, books=books, address_key=b"k", enabled=True
    )
