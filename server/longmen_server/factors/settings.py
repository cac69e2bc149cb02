"""The settings of factors: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

RESET_HOURS_MIN: Final = 24
RESET_HOURS_MAX: Final = 720


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorsSettings:
    """What passkeys are bound to, and how this bank is named on the customer's device."""

    passkey_site: str = "localhost"
    """Domain that passkeys are made for (the relying party id): the app's domain without scheme and
    port. A passkey never works for another one, so it has to stay for ever."""
    passkey_origins: tuple[str, ...] = ("https://localhost",)
    """Where the app that uses passkeys comes from, separated by commas: web origins, or for apps
    on Android android:apk-key-hash:..."""
    bank_name: str = "Longmen"
    """Name that authenticator apps and passkey dialogues show."""
    factor_reset_cooling_hours: int = 72
    """Hours that a reset of a customer's factors cools after two members of staff have approved it,
    24 to 720: over a weekend, so that the owner reads of it in time and can turn it down."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot work: the setting's name and what is wrong."""
        hours = self.factor_reset_cooling_hours
        if not RESET_HOURS_MIN <= hours <= RESET_HOURS_MAX:
            yield (
                "factor_reset_cooling_hours",
                f"{hours} is outside {RESET_HOURS_MIN} to {RESET_HOURS_MAX}",
            )
