"""The part of the composition root that serves merchants beyond their orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.merchants.service import MerchantsService
from longmen_server.plans.service import PlansService
from longmen_server.settlements.service import SettlementsService

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["merchant_services"]


def merchant_services(shared: Mapping[str, Any], *, default_book: int) -> Mapping[str, object]:
    """The servicers of what merchants are, pay and get, by their full names.

    Args:
        shared: what most servicers are made of: engine, readers, clock and tokens.
        default_book: book of merchants taken in without one.
    """
    return {
        "longmen.merchants.v1.MerchantsService": MerchantsService(
            **shared, default_book=default_book
        ),
        "longmen.merchants.v1.PlansService": PlansService(**shared),
        "longmen.merchants.v1.SettlementsService": SettlementsService(
            readers=shared["readers"], clock=shared["clock"], tokens=shared["tokens"]
        ),
    }
