"""What is known around a movement before anything is computed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.platform.money import MINOR_UNITS_MAXIMUM, exponent_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.limits.movement import Channel, MovementKind
    from longmen_server.risk.model import Lists
    from longmen_server.risk.subjects import Section, Subject
    from longmen_server.risk.velocity import Totals

__all__ = ["Scene", "reference_amount"]

SECOND_US: Final = 1_000_000
DEAREST: Final = 25
"""Reference units that a unit of a currency counts as which no pack knows: about the dearest there
is, so that nobody gets below a threshold by an uncommon currency."""


def reference_amount(
    amount: int, currency_code: str, reference: str, equivalents: Mapping[str, int]
) -> int:
    """Return an amount in reference units, rounded down; one too large to be kept is the largest.

    Args:
        amount: in minor units.
        currency_code: of the amount.
        reference: the reference currency.
        equivalents: minor units of other currencies for 100 of the reference.
    """
    if currency_code == reference:
        return amount
    equivalent = equivalents.get(currency_code)
    if equivalent:
        return min(amount * 100 // equivalent, MINOR_UNITS_MAXIMUM)
    dearest = amount * DEAREST * 100 // 10 ** exponent_of(currency_code)
    return min(int(dearest), MINOR_UNITS_MAXIMUM)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A movement with all that is known around it, before anything is computed."""

    kind: MovementKind
    channel: Channel
    amount: int
    """In reference units."""
    amount_minor: int
    currency_code: str
    now_us: int
    is_own: bool = False
    payer_id: bytes = b""
    payee_id: bytes = b""
    payer_party: bytes = b""
    """Customer, merchant or account that pays; empty for nobody."""
    payee_party: bytes = b""
    customer_id: bytes = b""
    merchant_id: bytes = b""
    device_id: bytes = b""
    address: str = ""
    payer_kind: str = "none"
    payee_kind: str = "none"
    payer_since_us: int | None = None
    payee_since_us: int | None = None
    device_since_us: int | None = None
    payer_class: int = 0
    payee_class: int = 0
    available: int = 0
    """Of the payer's account, in reference units."""
    payer: Subject | None = None
    payee: Subject | None = None
    pair: Subject | None = None
    device: Subject | None = None
    origin: Subject | None = None
    """The address."""
    terminal: Subject | None = None
    lists: Lists | None = None

    @property
    def merchant(self) -> Subject | None:
        """The payee, if it is a merchant."""
        return self.payee if self.payee_kind == "merchant" else None

    @property
    def now_s(self) -> int:
        """The time in seconds."""
        return self.now_us // SECOND_US

    def totals(self, role: str, section: Section, place: int) -> Totals | None:
        """Return what a window of a subject holds; None where there is no such subject.

        Raises:
            ValueError: what is stored of it cannot be read.
        """
        subject: Subject | None = getattr(self, role)
        return None if subject is None else subject.series(section).window(self.now_s, place)
