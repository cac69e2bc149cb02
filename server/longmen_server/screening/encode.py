"""Matches as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import case_pb2
from longmen_server.ledger.encode import timestamp

if TYPE_CHECKING:
    from longmen_server.screening.model import MatchRow

__all__ = ["screening_match"]


def screening_match(row: MatchRow, entry: str, label: str) -> case_pb2.ScreeningMatch:
    """Return a match with what was sealed of it, for the bank alone."""
    return case_pb2.ScreeningMatch(
        list_name=row.list_name,
        entry=entry,
        label=label,
        likeness=row.likeness,
        find_time=timestamp(row.found_at_us),
    )
