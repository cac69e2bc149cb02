"""The part of the composition root that serves merchants beyond their orders."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from longmen_server.jobs.ended_sharings import EndedSharings
from longmen_server.jobs.merchant_days import MerchantDays
from longmen_server.jobs.released_orders import ReleasedOrders
from longmen_server.jobs.runner import JobRunner
from longmen_server.jobs.webhook_queue import WebhookQueue
from longmen_server.jobs.webhook_sender import WebhookSender
from longmen_server.merchants.service import MerchantsService
from longmen_server.payouts.service import PayoutsService
from longmen_server.plans.service import PlansService
from longmen_server.settlements.service import SettlementsService
from longmen_server.stores.cashiers_service import CashiersService
from longmen_server.stores.service import StoresService
from longmen_server.webhooks.poster import Poster
from longmen_server.webhooks.service import WebhooksService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from longmen_server.app import Parts

__all__ = ["merchant_jobs_running", "merchant_services", "webhook_sender"]

WEBHOOK_SECRETS: Final = "webhook secrets"
"""Purpose of the key that seals what endpoints are signed with."""


def merchant_services(parts: Parts, shared: Mapping[str, Any]) -> Mapping[str, object]:
    """The servicers of what merchants are, pay, get and are told, by their full names.

    Args:
        parts: of the worker.
        shared: what most servicers are made of: engine, readers, clock and tokens.
    """
    return {
        "longmen.merchants.v1.MerchantsService": MerchantsService(
            **shared, default_book=parts.settings.books[0]
        ),
        "longmen.merchants.v1.StoresService": StoresService(**shared),
        "longmen.merchants.v1.CashiersService": CashiersService(**shared),
        "longmen.merchants.v1.PlansService": PlansService(**shared),
        "longmen.merchants.v1.PayoutsService": PayoutsService(**shared, vault=parts.vault),
        "longmen.merchants.v1.SettlementsService": SettlementsService(
            readers=parts.readers, clock=parts.clock, tokens=parts.page_tokens
        ),
        "longmen.merchants.v1.WebhooksService": WebhooksService(
            **shared,
            sealer=parts.secrets.sealer(WEBHOOK_SECRETS),
            development=not parts.settings.production,
        ),
    }


def webhook_sender(parts: Parts) -> WebhookSender:
    """What posts to merchants' endpoints."""
    settings = parts.settings
    return WebhookSender(
        poster=Poster(
            clock=parts.trusted_clock,
            timeout_s=settings.webhooks.webhook_timeout_s,
            development=not settings.production,
        ),
        sealer=parts.secrets.sealer(WEBHOOK_SECRETS),
        office=parts.office,
        clock=parts.clock,
        settings=settings.webhooks,
    )


@asynccontextmanager
async def merchant_jobs_running(parts: Parts) -> AsyncIterator[None]:
    """Close business dates and post webhooks meanwhile: a runner of its own, for both take long."""
    settings = parts.settings
    assert settings.dsn is not None, "the supervisor names the database"
    sender = webhook_sender(parts)
    runner = JobRunner(
        dsn=settings.dsn,
        engine=parts.engine,
        clock=parts.clock,
        books=settings.books,
        jobs=(ReleasedOrders(), EndedSharings(), MerchantDays(), WebhookQueue(), sender),
        settings=settings.jobs,
    )
    runner.start()
    try:
        yield
    finally:
        await runner.stop()
        await sender.close()
