"""Settings of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

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
