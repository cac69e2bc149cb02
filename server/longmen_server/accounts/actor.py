"""Who acts: the caller of a method, as far as ownership goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.model import Actor, wallet_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, CustomerId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.transport.context import Call

#: Principals that act for any customer; all others but customers act for none.
BANK_KINDS = frozenset({"service", "staff"})
_ANYONE = Actor(None)


def actor_of(call: Call) -> Actor:
    """Return for whom a call is made.

    Raises:
        Refusal: PERMISSION_DENIED for a principal that owns nothing and acts for nobody.
    """
    principal = call.principal
    if principal.kind in BANK_KINDS:
        return _ANYONE
    if principal.kind == "customer" and principal.customer_id is not None:
        return Actor(principal.customer_id)
    raise Refusal("PERMISSION_DENIED", "the caller has no wallet", metadata={"method": call.method})


def customer_of(text: str, actor: Actor) -> CustomerId:
    """Return the customer that a request names; a customer may leave the own id out.

    Raises:
        Refusal: INVALID_REQUEST when a service names none, WALLET_NOT_FOUND for another customer.
    """
    if not text:
        if actor.customer_id is None:
            raise Refusal(
                "INVALID_REQUEST",
                "services name the customer",
                metadata={"rules": "customer_id.required"},
                field="customer_id",
            )
        return actor.customer_id
    customer_id = decode_id(CUSTOMER, text, "customer_id")
    if not actor.may_use(customer_id):
        raise wallet_not_found(text)
    return customer_id
