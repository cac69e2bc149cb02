"""The commands of cashiers, and who may open a shift. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import cashiers_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.stores import encode, model
from longmen_server.stores.model import CashierRow, CashierState, OwnNumber
from longmen_server.stores.tables import ANY_CASHIER, CASHIER, CASHIER_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.platform.ids import CashierId, MerchantId

__all__ = ["CreateCashier", "UpdateCashier", "find_worker"]


def find_worker(
    working_set: WorkingSet, cashier_id: CashierId | None, merchant_id: MerchantId
) -> CashierRow | None:
    """Return who opens a shift, or None where the merchant goes by labels.

    Raises:
        Refusal: CASHIER_NOT_FOUND, CASHIER_LEFT, CASHIER_UNREGISTERED.
    """
    if cashier_id is None:
        if working_set.get(ANY_CASHIER, merchant_id) is not None:
            raise model.cashier_unregistered(merchant_id)
        return None
    row = working_set.get(CASHIER, cashier_id)
    if row is None or row.merchant_id != merchant_id:
        raise model.cashier_not_found(cashier_id)
    if row.state != CashierState.ACTIVE:
        raise model.cashier_left(cashier_id)
    return row


class CreateCashier(Command):
    """Register somebody who works at a merchant's tills."""

    __slots__ = ("asked", "cashier_id", "number")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        cashier_id: CashierId,
        asked: pb.CreateCashierRequest,
    ) -> None:
        super().__init__(book, request)
        self.number = OwnNumber(merchant_id, asked.number)
        self.cashier_id = cashier_id
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, and the cashier who has the number already."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.number.merchant_id)
            yield RowKey(CASHIER_NUMBER, self.number)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register the cashier, unless the number is another's."""
        merchant_id, number = self.number
        if working_set.get(MERCHANT, merchant_id) is None:
            raise merchant_not_found(merchant_id)
        known = working_set.get(CASHIER_NUMBER, self.number)
        if known is not None:
            raise model.cashier_number_taken(known)
        at_us = working_set.next_stamp()
        row = CashierRow(
            cashier_id=self.cashier_id,
            merchant_id=merchant_id,
            number=number,
            name=self.asked.name,
            state=CashierState.ACTIVE,
            created_at_us=at_us,
            updated_at_us=at_us,
        )
        working_set.insert(CASHIER, row.cashier_id, row)
        working_set.insert(CASHIER_NUMBER, self.number, row.cashier_id)
        working_set.insert(ANY_CASHIER, merchant_id, row.cashier_id)
        return pb.CreateCashierResponse(
            cashier=encode.cashier(row), committed_at=working_set.committed_at
        ).SerializeToString()


class UpdateCashier(Command):
    """Say anew what a cashier is called, and whether the cashier still works there."""

    __slots__ = ("actor", "asked", "cashier_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        cashier_id: CashierId,
        actor: MerchantActor,
        asked: pb.UpdateCashierRequest,
    ) -> None:
        super().__init__(book, request)
        self.cashier_id = cashier_id
        self.actor = actor
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the cashier."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(CASHIER, self.cashier_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write it down."""
        known = working_set.get(CASHIER, self.cashier_id)
        if known is None or not self.actor.may_use(known.merchant_id):
            raise model.cashier_not_found(self.cashier_id)
        row = working_set.edit(CASHIER, self.cashier_id)
        row.name = self.asked.name
        row.state = int(self.asked.state)
        row.updated_at_us = working_set.next_stamp()
        return pb.UpdateCashierResponse(
            cashier=encode.cashier(row), committed_at=working_set.committed_at
        ).SerializeToString()
