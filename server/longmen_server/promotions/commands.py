"""The commands that begin and end promotions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import rates_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_tradable
from longmen_server.platform.refusal import Refusal
from longmen_server.promotions import encode
from longmen_server.promotions.model import promotion_not_found
from longmen_server.promotions.tables import PROMOTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import PromotionId
    from longmen_server.promotions.model import PromotionRow

__all__ = ["CreatePromotion", "EndPromotion"]


class CreatePromotion(Command):
    """Begin a promotion, now or later."""

    __slots__ = ("budget_currency", "row")

    def __init__(
        self, book: int, request: RequestKey | None, *, row: PromotionRow, budget_currency: str
    ) -> None:
        super().__init__(book, request)
        self.row = row
        """As it is to be; when it was made is said as it is decided."""
        self.budget_currency = budget_currency

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it.

        Raises:
            Refusal: CURRENCY_MISMATCH, FX_CURRENCY_NOT_TRADABLE.
        """
        version = version_now(working_set)
        home = version.home_currency
        if self.budget_currency != home:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "budgets are in the home currency",
                metadata={"expected": home, "actual": self.budget_currency},
                field="budget.currency_code",
            )
        for code in self.row.currencies.split():
            check_tradable(code, version.tradable)
        row = self.row.copy()
        row.created_at_us = working_set.next_stamp()
        working_set.insert(PROMOTION, row.promotion_id, row)
        return pb.CreatePromotionResponse(
            promotion=encode.promotion(row, home), committed_at=working_set.committed_at
        ).SerializeToString()


class EndPromotion(Command):
    """End a promotion before its time; ending it again does no harm."""

    __slots__ = ("promotion_id",)

    def __init__(self, book: int, request: RequestKey | None, *, promotion_id: PromotionId) -> None:
        super().__init__(book, request)
        self.promotion_id = promotion_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name it."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(PROMOTION, self.promotion_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """End it.

        Raises:
            Refusal: FX_PROMOTION_NOT_FOUND.
        """
        row = working_set.get(PROMOTION, self.promotion_id)
        if row is None:
            raise promotion_not_found(self.promotion_id)
        if row.ended_at_us is None:
            row = working_set.edit(PROMOTION, self.promotion_id)
            row.ended_at_us = working_set.next_stamp()
        home = version_now(working_set).home_currency
        return pb.EndPromotionResponse(
            promotion=encode.promotion(row, home), committed_at=working_set.committed_at
        ).SerializeToString()
