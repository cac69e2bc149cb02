"""Who calls, as far as factors go: whose they are, and on which device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.factors.model import NO_DEVICE
from longmen_server.platform.ids import SESSION, CustomerId, SessionId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.transport.context import Call

__all__ = ["device_of", "owner_of", "session_of"]


def owner_of(call: Call) -> tuple[CustomerId, int]:
    """Return the customer who calls, and the book of all that is the customer's.

    Raises:
        Refusal: PERMISSION_DENIED for a caller who is no customer.
    """
    customer_id = call.principal.customer_id
    if call.principal.kind != "customer" or customer_id is None:
        raise Refusal(
            "PERMISSION_DENIED", "only customers have factors", metadata={"method": call.method}
        )
    return customer_id, book_of(customer_id)


def device_of(call: Call) -> bytes:
    """Return the bound device that the call comes from; one id for all others."""
    device_id = call.principal.device_id
    return NO_DEVICE if device_id is None else bytes.fromhex(device_id.partition("_")[2])


def session_of(call: Call) -> SessionId | None:
    """Return the session that the call is made in; None for a token without one."""
    session_id = call.principal.session_id
    return None if session_id is None else SESSION.decode(session_id)
