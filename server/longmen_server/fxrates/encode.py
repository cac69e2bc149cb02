"""Rates as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import rate_pb2
from longmen.type.v1 import money_pb2
from longmen_server.fx.model import BASE, client_rate, shown
from longmen_server.fxrates.model import BASE_RATE, age_seconds, moved_basis_points
from longmen_server.ledger.encode import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from longmen_server.fx.model import Deal, Terms
    from longmen_server.fxrates.model import Pair, RateRow


def money(minor_units: int, currency_code: str) -> money_pb2.Money | None:
    """Return an amount, or None for nothing."""
    if not minor_units:
        return None
    return money_pb2.Money(minor_units=minor_units, currency_code=currency_code)


def currency(
    code: str, exponent: int, row: RateRow | None, *, tradable: bool, now_us: int
) -> rate_pb2.Currency:
    """Return a currency with its present rate."""
    message = rate_pb2.Currency(currency_code=code, exponent=exponent, tradable=tradable)
    if code == BASE:
        message.rate = BASE_RATE.rate
    elif row is not None:
        message.rate = row.rate
        message.source = row.source
        message.observe_time.CopyFrom(timestamp(row.observed_at_us))
        message.import_time.CopyFrom(timestamp(row.imported_at_us))
        message.age_seconds = age_seconds(row, now_us)
        message.held_rate = row.held_rate or ""
    return message


def rate(pair: Pair, terms: Terms, now_us: int) -> rate_pb2.Rate:
    """Return what a pair costs."""
    mid, spread = pair.mid, terms.spread_basis_points
    older = pair.older
    return rate_pb2.Rate(
        source_currency_code=pair.source.currency_code,
        target_currency_code=pair.target.currency_code,
        mid=shown(mid),
        bid=shown(client_rate(mid, spread)),
        ask=shown(1 / client_rate(1 / mid, spread)),
        spread_basis_points=spread,
        fee_basis_points=terms.fee_basis_points,
        source=older.source,
        observe_time=timestamp(older.observed_at_us),
        age_seconds=age_seconds(older, now_us),
    )


def exchange(deal: Deal, source: str, target: str) -> rate_pb2.Exchange:
    """Return an exchange in amounts."""
    return rate_pb2.Exchange(
        source_amount=money(deal.source, source),
        fee=money(deal.fee, source),
        target_amount=money(deal.target, target),
        spread=money(deal.spread, target),
        rounding=money(deal.residue, target),
    )


def held(row: RateRow, new: Decimal) -> rate_pb2.HeldRate:
    """Return a rate that was not taken."""
    return rate_pb2.HeldRate(
        currency_code=row.currency_code,
        present_rate=row.rate,
        held_rate=f"{new:f}",
        moved_basis_points=moved_basis_points(row.decimal, new),
    )


def change(source: str, codes: Iterable[str], held_codes: Iterable[str] = ()) -> bytes:
    """Return the payload of the event of changed rates."""
    return event_pb2.FxRatesChange(
        source=source, currency_codes=codes, held_currency_codes=held_codes
    ).SerializeToString(deterministic=True)
