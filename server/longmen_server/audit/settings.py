"""Settings of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - config reads the types when the server runs
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AuditSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """How denials and looks get into the trail; what changes something is kept with its change."""

    audit_flush_ms: int = 200
    """How long denials and looks are collected before they are written, together. It bounds what a
    crash of the machine can lose of them; changes lose nothing."""
    audit_waiting_max: int = 2048
    """Distinct denials and looks that may wait to be written. Beyond it refusals are only counted
    by method and reason, and calls that have to be in the trail are refused."""
    audit_delay_ms_max: int = 10_000
    """How long the oldest of them may wait, because the database does not take it, before calls
    that have to be in the trail are refused."""
    anchor_folder: Path | None = None
    """Folder that signed heads of the journals are appended to, a file for each book: on a volume
    that is somebody else's, and that this machine can add to and not change. Without it and
    without a url nothing shows that a whole journal was rewritten or cut off."""
    anchor_url: str | None = None
    """Where signed heads of the journals are posted as JSON, one at a time, for somebody else to
    keep; https, except to this machine."""
    anchor_interval_s: int = 3_600
    """Seconds between two of them: what was rewritten since the last one does not show by it."""
    anchor_timeout_s: float = 5.0
    """Seconds that a post of one may take."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot work: the name of a setting and what is wrong with it."""
        url = self.anchor_url
        if url is not None and not url.startswith(("https://", *_THIS_MACHINE)):
            yield "anchor_url", "must be https, except to this machine"
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                yield name, f"{value} is outside {low} to {high}"


_THIS_MACHINE: Final = tuple(
    f"http://{host}{end}" for host in ("127.0.0.1", "localhost", "[::1]") for end in (":", "/")
)
_RANGES: Final = (("anchor_interval_s", 60, 86_400), ("anchor_timeout_s", 0.1, 60))
