"""Commands of rates that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.fx.model import BASE, parse_rate
from longmen_server.fxrates.commands import SetRate
from longmen_server.fxrates.model import same_currency
from longmen_server.ledger.paging import bounded_us
from longmen_server.platform.ids import RateImportId, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.fx.v1 import rates_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["set_rate"]


def set_rate(
    request: pb.SetRateRequest, key: RequestKey | None, clock: Clock, *, book: int, agreed: bool
) -> SetRate:
    """Return the command that sets a rate.

    Raises:
        Refusal: FX_SAME_CURRENCY for the base, INVALID_REQUEST for a rate of zero.
    """
    if request.currency_code == BASE:
        raise same_currency(BASE)
    rate = parse_rate(request.rate)
    if rate is None:
        raise Refusal(
            "INVALID_REQUEST",
            "a rate is above zero",
            metadata={"rules": "rate.positive"},
            field="rate",
        )
    observed = request.observe_time
    return SetRate(
        book,
        key,
        import_id=RateImportId(new_id(book, clock)),
        currency_code=request.currency_code,
        rate=rate,
        observed_at_us=bounded_us(observed.seconds * 1_000_000 + observed.nanos // 1_000),
        agreed=agreed,
    )
