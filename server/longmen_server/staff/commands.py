"""The commands of the contact centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_service_pb2 as pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.factors.commands import UnlockFactor
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet

__all__ = ["UnlockFactors"]


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
