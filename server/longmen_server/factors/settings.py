"""The settings of factors: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass


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
