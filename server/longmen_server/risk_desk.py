"""The part of the composition root that judges movements and keeps what they are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.risklists.service import ListsService
from longmen_server.riskrules.service import RulesService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools

__all__ = ["risk_services"]


def risk_services(engine: Engine, reading: ReadTools) -> Mapping[str, object]:
    """The servicers of risk, by their full names.

    Args:
        engine: runs what changes something.
        reading: what reads are made of.
    """
    return {
        "longmen.risk.v1.RulesService": RulesService(engine=engine, reading=reading),
        "longmen.risk.v1.ListsService": ListsService(engine=engine, reading=reading),
    }
