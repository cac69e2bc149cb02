"""Commands of the contact centre that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, book_of
from longmen_server.staff.commands import UnlockFactors

if TYPE_CHECKING:
    from longmen.staff.v1 import staff_service_pb2 as pb
    from longmen_server.engine.command import RequestKey

__all__ = ["unlock_factors"]


def unlock_factors(request: pb.UnlockFactorsRequest, key: RequestKey | None) -> UnlockFactors:
    """Return the command that forgives a customer's wrong tries."""
    customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
    return UnlockFactors(book_of(customer_id), key, customer_id=customer_id)
