"""Commands of identification that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.kyc.commands import ConfirmInPerson
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, book_of

if TYPE_CHECKING:
    from longmen.identity.v1 import kyc_service_pb2 as pb
    from longmen_server.engine.command import RequestKey

__all__ = ["confirm_in_person"]


def confirm_in_person(
    request: pb.ConfirmInPersonRequest, key: RequestKey | None
) -> ConfirmInPerson:
    """Return the command that notes that a customer was seen."""
    customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
    return ConfirmInPerson(book_of(customer_id), key, customer_id=customer_id)
