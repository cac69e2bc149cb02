"""The command that agrees on a merchant's sales without a network. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import offline_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.offline import encode
from longmen_server.offline.model import AcceptanceRow, LossBearer, check_acceptance
from longmen_server.offline.policy import policy_at
from longmen_server.offline.tables import ACCEPTANCE
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.ids import book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import MerchantId

__all__ = ["SetAcceptance", "set_acceptance"]


class SetAcceptance(Command):
    """Agree on whether a merchant's tills sell without a network, and at whose risk."""

    __slots__ = ("asked", "merchant_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        asked: pb.SetOfflineAcceptanceRequest,
    ) -> None:
        super().__init__(book, request)
        self.merchant_id = merchant_id
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant and what was agreed before."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.merchant_id)
            yield RowKey(ACCEPTANCE, self.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write it down, and tell it."""
        merchant_id, asked = self.merchant_id, self.asked
        merchant = working_set.get(MERCHANT, merchant_id)
        if merchant is None:
            raise merchant_not_found(merchant_id)
        bearer, budget = int(asked.loss_bearer), asked.day_budget.minor_units
        check_acceptance(enabled=asked.enabled, bearer=bearer, budget=budget)
        self._check_budget(working_set, merchant.currency_code)
        if working_set.get(ACCEPTANCE, merchant_id) is None:
            fresh = AcceptanceRow(merchant_id, False, LossBearer.MERCHANT, None, 0, 0)
            working_set.insert(ACCEPTANCE, merchant_id, fresh)
        row = working_set.edit(ACCEPTANCE, merchant_id)
        row.is_enabled = asked.enabled
        if asked.enabled:
            # Who bears losses stays when it ends: what was sold before is still forwarded.
            row.loss_bearer = bearer
            row.day_budget = budget
        row.version += 1
        row.changed_at_us = working_set.next_stamp()
        kind = event_pb2.EVENT_TYPE_OFFLINE_ACCEPTANCE_CHANGED
        payload = encode.acceptance_change(row)
        working_set.emit(Event(kind, merchant_id, 0, row.changed_at_us, payload, payload))
        policy = policy_at(working_set.now_us)
        return pb.SetOfflineAcceptanceResponse(
            acceptance=encode.acceptance(merchant_id, row, policy, merchant.currency_code),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _check_budget(self, working_set: WorkingSet, currency_code: str) -> None:
        """Refuse a budget in another currency, or beyond the bank's own figure.

        Raises:
            Refusal: CURRENCY_MISMATCH, OFFLINE_BUDGET_TOO_LARGE.
        """
        if not self.asked.HasField("day_budget"):
            return
        budget = self.asked.day_budget
        if budget.currency_code != currency_code:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the budget is in another currency than the merchant's",
                metadata={"expected": currency_code, "actual": budget.currency_code},
                field="day_budget.currency_code",
            )
        most = policy_at(working_set.now_us).covered_merchant_day_minor_units.get(currency_code, 0)
        if budget.minor_units > most:
            raise Refusal(
                "OFFLINE_BUDGET_TOO_LARGE",
                "the bank covers no more than its own figure a day",
                metadata={"limit_minor_units": str(most), "currency_code": currency_code},
                field="day_budget",
            )


def set_acceptance(
    request: pb.SetOfflineAcceptanceRequest, key: RequestKey | None
) -> SetAcceptance:
    """Return the command that agrees on a merchant's sales without a network; it is proposed."""
    merchant_id = decode_id(MERCHANT_TEXT, request.merchant_id, "merchant_id")
    return SetAcceptance(book_of(merchant_id), key, merchant_id=merchant_id, asked=request)
