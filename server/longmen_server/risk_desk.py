"""The part of the composition root that judges movements of money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.jobs.name_screening import NameScreening
from longmen_server.jobs.risk_notices import RiskNotices
from longmen_server.messages.notices import Notices
from longmen_server.risk.desk import RiskDesk
from longmen_server.risk.service import RiskService
from longmen_server.risk.source import RulesSource
from longmen_server.riskcases.service import CasesService
from longmen_server.risklists.keeper import ListKeeper
from longmen_server.risklists.service import ListsService
from longmen_server.riskrules.service import RulesService
from longmen_server.screening.screener import Screener

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.app import Parts
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.config import Settings
    from longmen_server.jobs.job import Job
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.sealing import SecretKeys

__all__ = ["ListKeeper", "build_risk_desk", "build_screener", "risk_jobs", "risk_services"]

ADDRESSES: Final = "risk addresses"
"""Purpose of the key that makes network addresses what they are counted by."""


def build_risk_desk(
    settings: Settings, readers: Readers, clock: Clock, secrets: SecretKeys
) -> RiskDesk:
    """What gives every movement its guard."""
    return RiskDesk(
        source=RulesSource(),
        readers=readers,
        clock=clock,
        books=settings.books,
        address_key=secrets.derive(ADDRESSES),
        enabled=settings.risk.risk_enabled,
    )


def risk_services(
    parts: Parts, shared: Mapping[str, Any], reading: ReadTools, step_up: StepUpOffice
) -> Mapping[str, object]:
    """The servicers of risk, by their full names."""
    both: Any = {"engine": parts.engine, "reading": reading}
    return {
        "longmen.risk.v1.RulesService": RulesService(**both),
        "longmen.risk.v1.ListsService": ListsService(**both, keeper=parts.lists),
        "longmen.risk.v1.RiskService": RiskService(
            **shared,
            step_up=step_up,
            desk=parts.risk,
            default_book=parts.settings.books[0],
        ),
        "longmen.risk.v1.CasesService": CasesService(
            **shared, vault=parts.vault, default_book=parts.settings.books[0]
        ),
    }


def risk_jobs(parts: Parts) -> tuple[Job, ...]:
    """What risk does by time."""
    return (
        RiskNotices(parts.vault, Notices(parts.office)),
        NameScreening(parts.vault, build_screener(parts)),
    )


def build_screener(parts: Parts) -> Screener:
    """What looks customers' names up in lists of names."""
    likeness = parts.settings.risk.risk_screening_likeness_percent
    return Screener(parts.lists, parts.vault, likeness=likeness)
