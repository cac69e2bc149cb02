"""The part of the composition root that exchanges currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from longmen_server.auto_conversions.funding import AutoFunding
from longmen_server.conversions.pockets import Pockets
from longmen_server.conversions.service import ConversionsService
from longmen_server.fxrates.seed import seed_rates
from longmen_server.fxrates.service import RatesService
from longmen_server.limit_orders.service import LimitOrdersService
from longmen_server.platform.refusal import Refusal
from longmen_server.positions.service import PositionsService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.config import Settings
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers

__all__ = ["fx_helps", "fx_services", "prepare_rates"]


def fx_helps(reading: ReadTools, settings: Settings) -> tuple[Pockets, AutoFunding]:
    """What helps payers who have too little: tells which other pocket would do, or takes it."""
    age_max_us = settings.fx.ages(production=settings.production)
    return Pockets(reading, age_max_us), AutoFunding(age_max_us)


def fx_services(
    engine: Engine, reading: ReadTools, settings: Settings, step_up: StepUpOffice
) -> Mapping[str, object]:
    """The servicers of exchange, by their full names.

    Args:
        engine: runs what changes something.
        reading: what reads are made of.
        settings: of the server.
        step_up: gives customers' exchanges the gate they have to pass.
    """
    age_max_us = settings.fx.ages(production=settings.production)
    return {
        "longmen.fx.v1.RatesService": RatesService(
            engine=engine,
            reading=reading,
            age_max_us=age_max_us,
            watch_interval_ms=settings.fx.fx_watch_interval_ms,
        ),
        "longmen.fx.v1.ConversionsService": ConversionsService(
            engine=engine, reading=reading, age_max_us=age_max_us, step_up=step_up
        ),
        "longmen.fx.v1.LimitOrdersService": LimitOrdersService(
            engine=engine, reading=reading, age_max_us=age_max_us, step_up=step_up
        ),
        "longmen.fx.v1.PositionsService": PositionsService(
            engine=engine, reading=reading, age_max_us=age_max_us
        ),
    }


async def prepare_rates(
    settings: Settings, engine: Engine, readers: Readers, clock: Clock, trusted_clock: Clock
) -> None:
    """Let books without rates begin with some.

    Args:
        settings: of the server.
        engine: where they are taken in.
        readers: to see whether there are some.
        clock: business time.
        trusted_clock: the machine's time.
    """
    for book in settings.books:
        days, now = settings.fx.fx_seed_days, trusted_clock.monotonic()
        try:
            await seed_rates(engine, readers, clock, book, days=days, now=now)
        except Refusal as refusal:
            # Rates can be imported at any time, and all else works without.
            structlog.stdlib.get_logger("longmen.worker").warning(
                "rates_refused", reason=refusal.reason
            )
