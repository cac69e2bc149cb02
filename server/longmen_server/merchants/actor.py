"""Who acts: the caller of a method, as far as merchants go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.actor import BANK_KINDS
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.model import MerchantActor, merchant_not_found
from longmen_server.platform.ids import MERCHANT, MalformedIdError
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import MerchantId
    from longmen_server.transport.context import Call

_BANK = MerchantActor(None)


def merchant_actor_of(call: Call) -> MerchantActor:
    """Return for whom a call is made.

    Raises:
        Refusal: PERMISSION_DENIED for a principal that is neither the bank's nor a merchant's.
    """
    principal = call.principal
    if principal.kind in BANK_KINDS:
        return _BANK
    if principal.kind == "merchant":
        try:
            return MerchantActor(MERCHANT.decode(principal.subject))
        except MalformedIdError:
            # A token whose subject is no merchant's id speaks for no merchant we keep.
            pass
    raise Refusal(
        "PERMISSION_DENIED", "the caller is no merchant", metadata={"method": call.method}
    )


def merchant_of(text: str, actor: MerchantActor) -> MerchantId:
    """Return the merchant that a request names, if the caller may act for it.

    Raises:
        Refusal: MERCHANT_NOT_FOUND.
    """
    merchant_id = decode_id(MERCHANT, text, "merchant_id")
    if not actor.may_use(merchant_id):
        raise merchant_not_found(merchant_id)
    return merchant_id
