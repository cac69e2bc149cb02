"""What offers and exchanges need of promotions: the discount there is, and its money. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.promotions.model import Discount, PromotionRow, best
from longmen_server.promotions.tables import PROMOTION, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import PromotionId

__all__ = ["discount", "give_back", "has_left", "running_keys", "spend", "spending_keys"]


def running_keys(working_set: WorkingSet) -> Iterable[RowKey]:
    """Name the promotions that run, for whoever offers."""
    yield RowKey(RUNNING, working_set.now_us)


def spending_keys(working_set: WorkingSet, pair: tuple[str, str], home: str) -> Iterable[RowKey]:
    """Name the promotions that an exchange may spend of, once it is known which run."""
    for row in _running(working_set):
        if row.fits(pair, row.tier, home, working_set.now_us):
            yield RowKey(PROMOTION, row.promotion_id)


def discount(
    working_set: WorkingSet,
    pair: tuple[str, str],
    tier: str,
    home: str,
    *,
    spread: int,
    home_value: int,
) -> Discount | None:
    """Return what is taken off an exchange now; None for nothing."""
    rows = list(_running(working_set))
    if not rows:
        return None
    return best(
        rows,
        pair,
        tier,
        home,
        spread=spread,
        home_value=home_value,
        now_us=working_set.now_us,
    )


def has_left(working_set: WorkingSet, promotion_id: PromotionId, saved: int) -> bool:
    """Whether a promotion's money pays for what a customer saves; its row is loaded."""
    row = working_set.get(PROMOTION, promotion_id)
    return row is not None and saved <= row.left


def spend(working_set: WorkingSet, promotion_id: PromotionId, saved: int) -> None:
    """Count what a customer saves; the caller has made sure that there is as much."""
    row = working_set.edit(PROMOTION, promotion_id)
    row.used += saved
    assert row.used <= row.budget, "whoever spends looks at what is left first"


def give_back(working_set: WorkingSet, promotion_id: PromotionId, saved: int) -> None:
    """Count no longer what a customer saved by an exchange that was taken back at its own rate."""
    row = working_set.edit(PROMOTION, promotion_id)
    row.used -= saved
    assert row.used >= 0, "only what was spent comes back"


def _running(working_set: WorkingSet) -> Iterator[PromotionRow]:
    """Yield what runs, as this batch has left it where it is spent of."""
    table = working_set.tables.get(RUNNING)
    for row in () if table is None else table.rows.values():
        if row is not None:
            yield working_set.get(PROMOTION, row.promotion_id) or row
