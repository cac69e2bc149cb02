"""The commands of the contact centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.staff.v1 import staff_service_pb2 as pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.factors.commands import UnlockFactor
from longmen_server.platform.ids import CUSTOMER, CustomerId
from longmen_server.staff.model import CustomerBranch
from longmen_server.staff.tables import CUSTOMER_BRANCH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet

__all__ = ["AssignBranch", "UnlockFactors"]

_ASSIGNED = event_pb2.EVENT_TYPE_BRANCH_ASSIGNED


class UnlockFactors(UnlockFactor):
    """Forgive a customer's wrong tries, if there is such a customer."""

    __slots__ = ()

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer's wallet and factors."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Forgive all tries until now."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        super().decide(working_set)
        return pb.UnlockFactorsResponse(committed_at=working_set.committed_at).SerializeToString()


class AssignBranch(Command):
    """Say which branch a customer is of."""

    __slots__ = ("branch", "customer_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, customer_id: CustomerId, branch: str
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.branch = branch

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet, and the branch before."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
            yield RowKey(CUSTOMER_BRANCH, self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set it, if there is such a customer."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        at_us = working_set.next_stamp()
        if working_set.get(CUSTOMER_BRANCH, self.customer_id) is None:
            fresh = CustomerBranch(self.customer_id, self.branch, at_us)
            working_set.insert(CUSTOMER_BRANCH, self.customer_id, fresh)
        else:
            row = working_set.edit(CUSTOMER_BRANCH, self.customer_id)
            row.branch, row.changed_at_us = self.branch, at_us
        told = event_pb2.BranchAssignment(branch=self.branch)
        payload = told.SerializeToString(deterministic=True)
        working_set.emit(Event(_ASSIGNED, self.customer_id, 0, at_us, payload, payload))
        return pb.AssignBranchResponse(committed_at=working_set.committed_at).SerializeToString()
