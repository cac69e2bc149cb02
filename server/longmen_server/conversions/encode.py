"""Quotes, conversions and positions as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import auto_conversion_pb2, quote_pb2
from longmen_server.conversions.model import QuotaSide
from longmen_server.conversions.quota import year_ends_us
from longmen_server.fx.model import shown
from longmen_server.fxrates.encode import exchange, money
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import (
    ACCOUNT,
    CONVERSION,
    CUSTOMER,
    PROMOTION,
    QUOTE,
    TRANSACTION,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen.type.v1 import money_pb2
    from longmen_server.conversions.model import ConversionRow, QuoteRow, ReversalRow
    from longmen_server.fx.policy import FxVersion
    from longmen_server.platform.ids import CustomerId, TransactionId


def quote(row: QuoteRow, now_us: int) -> quote_pb2.Quote:
    """Return a quote as it stands."""
    return quote_pb2.Quote(
        quote_id=QUOTE.encode(row.quote_id),
        from_account_id=ACCOUNT.encode(row.from_account_id),
        to_account_id=ACCOUNT.encode(row.to_account_id),
        state=int(row.state_at(now_us)),  # type: ignore[arg-type]  # enums of the contract are ints
        fixed_side=row.fixed_side,  # type: ignore[arg-type]
        lock_seconds=row.lock_seconds,
        exchange=exchange(row.deal, row.source_currency, row.target_currency),
        mid=row.shown_rate(0),
        client_rate=row.shown_rate(row.spread_basis_points),
        spread_basis_points=row.spread_basis_points,
        fee_basis_points=row.fee_basis_points,
        observe_time=timestamp(min(row.source_observed_us, row.target_observed_us)),
        create_time=timestamp(row.created_at_us),
        expire_time=timestamp(row.expires_at_us),
        conversion_id="" if row.conversion_id is None else CONVERSION.encode(row.conversion_id),
        promotion=promotion(row),
    )


def promotion(row: QuoteRow) -> quote_pb2.AppliedPromotion | None:
    """Return what a promotion took off the spread; None where none did."""
    if row.promotion_id is None:
        return None
    return quote_pb2.AppliedPromotion(
        promotion_id=PROMOTION.encode(row.promotion_id),
        undiscounted_basis_points=row.undiscounted_basis_points,
        discount_basis_points=row.undiscounted_basis_points - row.spread_basis_points,
        saved_minor_units=row.discount,
    )


def conversion(
    row: ConversionRow,
    offer: QuoteRow,
    taken_back: ReversalRow | None = None,
    paid_id: TransactionId | None = None,
) -> quote_pb2.Conversion:
    """Return a conversion, with its reversal and the payment it was made for, if there are any."""
    return quote_pb2.Conversion(
        reversal=None if taken_back is None else reversal(taken_back, offer),
        conversion_id=CONVERSION.encode(row.conversion_id),
        quote_id=QUOTE.encode(row.quote_id),
        transaction_id=TRANSACTION.encode(row.transaction_id),
        from_account_id=ACCOUNT.encode(offer.from_account_id),
        to_account_id=ACCOUNT.encode(offer.to_account_id),
        exchange=exchange(offer.deal, offer.source_currency, offer.target_currency),
        mid=offer.shown_rate(0),
        client_rate=offer.shown_rate(offer.spread_basis_points),
        spread_basis_points=offer.spread_basis_points,
        fee_basis_points=offer.fee_basis_points,
        promotion=promotion(offer),
        create_time=timestamp(row.created_at_us),
        paid_transaction_id="" if paid_id is None else TRANSACTION.encode(paid_id),
    )


def quota(year: int, used: Mapping[int, int], version: FxVersion) -> auto_conversion_pb2.FxQuota:
    """Return a year's quota with what is left of it.

    Args:
        year: the calendar year.
        used: minor units of the quota's currency by side; sides that were never used are absent.
        version: of the price list, which says how much and in what.
    """
    code, limit = version.quota_currency, version.quota
    bought, sold = used.get(QuotaSide.BUY, 0), used.get(QuotaSide.SELL, 0)

    def limited(amount: int) -> money_pb2.Money | None:
        return money(max(amount, 0), code) if limit else None

    return auto_conversion_pb2.FxQuota(
        year=year,
        limit=limited(limit),
        bought=money(bought, code),
        buyable=limited(limit - bought),
        sold=money(sold, code),
        sellable=limited(limit - sold),
        reset_time=timestamp(year_ends_us(year)),
    )


def reversal(row: ReversalRow, offer: QuoteRow) -> quote_pb2.ConversionReversal:
    """Return how a conversion was taken back."""
    return quote_pb2.ConversionReversal(
        transaction_id=TRANSACTION.encode(row.transaction_id),
        basis=row.basis,  # type: ignore[arg-type]  # enums of the contract are ints
        taken_amount=money(row.taken, offer.target_currency),
        returned_amount=money(row.returned, offer.source_currency),
        mid=shown(row.mid),
        create_time=timestamp(row.created_at_us),
    )


def reversed_(row: ReversalRow, customer_id: CustomerId | None) -> bytes:
    """Return the payload of the event of a conversion taken back."""
    return event_pb2.FxConversionReversed(
        conversion_id=CONVERSION.encode(row.conversion_id),
        customer_id="" if customer_id is None else CUSTOMER.encode(customer_id),
        transaction_id=TRANSACTION.encode(row.transaction_id),
    ).SerializeToString(deterministic=True)


def converted(row: ConversionRow) -> bytes:
    """Return the payload of the event of a conversion."""
    return event_pb2.FxConverted(
        conversion_id=CONVERSION.encode(row.conversion_id),
        customer_id="" if row.customer_id is None else CUSTOMER.encode(row.customer_id),
        transaction_id=TRANSACTION.encode(row.transaction_id),
    ).SerializeToString(deterministic=True)
