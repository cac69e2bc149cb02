"""StaffService: requests in, commands, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.model import wallet_not_found
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, book_of
from longmen_server.staff.build import unlock_factors
from longmen_server.staff.commands import AssignBranch

if TYPE_CHECKING:
    from longmen.staff.v1 import staff_service_pb2 as pb
    from longmen_server.engine.engine import Engine
    from longmen_server.transport.context import Call

__all__ = ["StaffService"]


class StaffService:
    """The methods of longmen.staff.v1.StaffService."""

    def __init__(self, *, engine: Engine) -> None:
        """Take what runs commands."""
        self._engine = engine

    async def UnlockFactors(self, request: pb.UnlockFactorsRequest, call: Call) -> bytes:  # noqa: N802
        """Forgive a customer's wrong tries."""
        command = unlock_factors(request, request_key(call))
        if command.book not in self._engine.writers:
            raise wallet_not_found(request.customer_id)
        return await submit(self._engine, command, request=request, call=call)

    async def AssignBranch(self, request: pb.AssignBranchRequest, call: Call) -> bytes:  # noqa: N802
        """Say which branch a customer is of."""
        customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
        book = book_of(customer_id)
        if book not in self._engine.writers:
            raise wallet_not_found(request.customer_id)
        command = AssignBranch(
            book, request_key(call), customer_id=customer_id, branch=request.branch
        )
        return await submit(self._engine, command, request=request, call=call)
