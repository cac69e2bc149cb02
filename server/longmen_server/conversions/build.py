"""Commands of conversions that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.conversions.reversing import ReverseConversion
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CONVERSION, TransactionId, book_of, new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen.fx.v1 import conversions_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["reverse_conversion"]


def reverse_conversion(
    request: pb.ReverseConversionRequest,
    key: RequestKey | None,
    clock: Clock,
    age_max_us: Callable[[int], int],
) -> ReverseConversion:
    """Return the command that takes a conversion back.

    Args:
        request: names it.
        key: of the request; None for what was proposed.
        clock: for its id.
        age_max_us: how old a rate may be, from what the price list says.
    """
    conversion_id = decode_id(CONVERSION, request.conversion_id, "conversion_id")
    book = book_of(conversion_id)
    return ReverseConversion(
        book,
        key,
        conversion_id=conversion_id,
        basis=request.basis,
        transaction_id=TransactionId(new_id(book, clock)),
        age_max_us=age_max_us,
    )
