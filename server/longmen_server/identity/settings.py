"""The limits of signing in: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """What registration, sessions and devices are bound by."""

    code_lifetime_s: int = 300
    """Seconds a code sent to a phone is good for; ASVS 6.6 allows ten minutes at most."""
    code_attempts_max: int = 5
    """Wrong codes a verification takes; with a million codes that is one chance in 200,000."""
    code_resend_s: int = 60
    """Seconds between two codes to a phone number: messages take some to arrive, and cost money."""
    code_sends_per_day_max: int = 10
    """Codes to a phone number in a day, so that guessing goes on nowhere and nobody is pestered."""
    access_token_lifetime_s: int = 600
    """Seconds an access token lasts; ASVS and the bank's rules allow fifteen minutes."""
    session_idle_s: int = 300
    """Seconds without a call after which a session has ended: five minutes where payments can be
    made (Reg. 2018/389, Art. 4(3)(d))."""
    session_absolute_s: int = 43_200
    """Seconds after which a session has ended however it was used: twelve hours."""
    session_poll_ms: int = 2_000
    """Milliseconds between two looks of a worker at which sessions have ended elsewhere; with the
    look itself that stays below the five seconds promised."""
    session_poll_grace_s: float = 10.0
    """Seconds without a successful look after which a worker takes no customer's token: it cannot
    tell any more who was signed out. Longer than a failover, so that one goes unnoticed."""
    sessions_remembered_max: int = 100_000
    """Sessions whose last use a worker remembers, about 200 bytes each."""
    devices_max: int = 5
    """Devices a customer may have at the same time."""
    proof_age_max_s: int = 60
    """Seconds by which the time of a proof may differ from the server's."""
    proofs_remembered_max: int = 200_000
    """Proofs a worker remembers in order to refuse them a second time; about 100 bytes each."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot work: the name of a setting and what is wrong with it."""
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                yield name, f"{value} is outside {low} to {high}"


_RANGES = (
    ("code_lifetime_s", 30, 600),
    ("code_attempts_max", 1, 5),
    ("code_resend_s", 1, 3600),
    ("code_sends_per_day_max", 1, 100),
    ("access_token_lifetime_s", 60, 900),
    ("session_idle_s", 60, 300),
    ("session_absolute_s", 300, 43_200),
    ("session_poll_ms", 100, 4_000),
    ("session_poll_grace_s", 5, 60),
    ("sessions_remembered_max", 100, 10_000_000),
    ("devices_max", 1, 100),
    ("proof_age_max_s", 5, 300),
    ("proofs_remembered_max", 1_000, 10_000_000),
)
