"""The command of staff that begins a reset, as it is proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.factors.model import bits
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.device_keys import read_b64url
from longmen_server.platform.ids import CUSTOMER, book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.recovery.commands import ResetFactors
from longmen_server.recovery.model import ResetRow, ResetState

if TYPE_CHECKING:
    from longmen.identity.v1 import factor_reset_service_pb2 as pb
    from longmen_server.engine.command import RequestKey

__all__ = ["reset_factors"]


def reset_factors(
    request: pb.ResetFactorsRequest, key: RequestKey | None, cooling_us: int
) -> ResetFactors:
    """Return the command that begins a reset.

    Raises:
        Refusal: DEVICE_KEY_INVALID when the thumbprint is none.
    """
    customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
    try:
        read_b64url(request.key_thumbprint)
    except ValueError:
        raise Refusal(
            "DEVICE_KEY_INVALID", "the thumbprint is none", field="key_thumbprint"
        ) from None
    row = ResetRow(
        customer_id=customer_id,
        state=ResetState.COOLING,
        kinds=bits(request.kinds),
        evidence=request.evidence,
        evidence_reference=request.evidence_reference,
        thumbprint=request.key_thumbprint,
        approved_at_us=0,
        effective_at_us=cooling_us,
        changed_at_us=0,
    )
    return ResetFactors(book_of(customer_id), key, row=row)
