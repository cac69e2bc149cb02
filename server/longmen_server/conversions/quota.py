"""The annual quota of foreign currency: counted with the exchange, given back with its reversal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from longmen_server.conversions.model import (
    QuotaKey,
    QuotaRow,
    QuotaWanted,
    check_quota,
    quota_side,
)
from longmen_server.conversions.tables import QUOTA
from longmen_server.engine.command import RowKey
from longmen_server.fx.model import value
from longmen_server.fxrates.model import pair_of
from longmen_server.platform.clock import DEFAULT_ZONE, business_date, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from longmen_server.conversions.model import ConversionRow, QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import RateRow
    from longmen_server.platform.ids import AccountId

__all__ = ["counted_keys", "give_back", "quota_keys", "use_quota", "year_ends_us"]


def year_ends_us(year: int) -> int:
    """Return when a year's quotas end: at midnight of the institution, in microseconds."""
    return to_microseconds(datetime(year + 1, 1, 1, tzinfo=DEFAULT_ZONE))


def quota_keys(working_set: WorkingSet, payer_id: AccountId) -> Iterable[RowKey]:
    """Name the quotas of the present year of an account's owner."""
    yield RowKey(QUOTA, QuotaWanted(payer_id, business_date(working_set.now_us).year))


def counted_keys(row: ConversionRow, payer_id: AccountId) -> Iterable[RowKey]:
    """Name the quotas of the year of a conversion."""
    yield RowKey(QUOTA, QuotaWanted(payer_id, business_date(row.created_at_us).year))


def quota_of(row: ConversionRow) -> QuotaKey | None:
    """Return what a conversion was counted against."""
    if row.customer_id is None or not row.quota_side:
        return None
    return QuotaKey(row.customer_id, business_date(row.created_at_us).year, row.quota_side)


def use_quota(
    working_set: WorkingSet, quote: QuoteRow, version: FxVersion, rates: Mapping[str, RateRow]
) -> tuple[int, int]:
    """Count an exchange against its customer's quota; return which, and how much.

    Raises:
        Refusal: FX_QUOTA_EXCEEDED.
    """
    side = quota_side(quote.source_currency, quote.target_currency, version.home_currency)
    if side is None or quote.customer_id is None:
        return 0, 0
    source, unit = quote.source_currency, version.quota_currency
    more = value(quote.deal.exchanged, pair_of(rates, source, unit).ratio)
    key = QuotaKey(quote.customer_id, business_date(working_set.now_us).year, side)
    present = working_set.get(QUOTA, key)
    check_quota(key, present.used if present else 0, more, version.quota, unit)
    if present is None:
        working_set.insert(QUOTA, key, QuotaRow(*key, more))
    else:
        working_set.edit(QUOTA, key).used += more
    return side, more


def give_back(working_set: WorkingSet, row: ConversionRow) -> None:
    """Count a conversion no longer that was taken back at its own rate."""
    key = quota_of(row)
    if key is not None and working_set.get(QUOTA, key) is not None:
        working_set.edit(QUOTA, key).used -= row.quota_value
