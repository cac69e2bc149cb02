"""The limits of staff: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSettings:
    """What sign-ins and sessions of staff are bound by."""

    staff_sign_in_s: int = 300
    """Seconds that a member of staff has for a sign-in, from its start to its end."""
    staff_enrolment_s: int = 7 * 86_400
    """Seconds for which a new account waits for its owner; then it has to be reset."""
    staff_session_idle_s: int = 900
    """Seconds without a call after which a session of staff has ended (PCI DSS 8.2.8). Also the
    life of its access tokens, so that whoever goes on calling can renew them."""
    staff_session_absolute_s: int = 43_200
    """Seconds after which a session of staff has ended however it was used: a working day."""
    staff_fresh_s: int = 300
    """Seconds after signing in during which a member of staff may add a passkey."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot work: the name of a setting and what is wrong with it."""
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                yield name, f"{value} is outside {low} to {high}"


_RANGES = (
    ("staff_sign_in_s", 30, 600),
    ("staff_enrolment_s", 300, 30 * 86_400),
    ("staff_session_idle_s", 60, 900),
    ("staff_session_absolute_s", 300, 43_200),
    ("staff_fresh_s", 30, 900),
)
