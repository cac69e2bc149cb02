"""FactorResetsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_reset_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.engine.door import request_key, submit
from longmen_server.identity.queries import wallet_exists
from longmen_server.platform.ids import CUSTOMER, book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.recovery import encode, model
from longmen_server.recovery.commands import CancelFactorReset
from longmen_server.recovery.queries import find_reset

if TYPE_CHECKING:
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.recovery.notices import ResetNotices
    from longmen_server.transport.context import Call

__all__ = ["FactorResetsService"]


class FactorResetsService:
    """The methods of longmen.identity.v1.FactorResetsService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, notices: ResetNotices, step_up: StepUpOffice
    ) -> None:
        """Take what runs commands, what reads, what tells customers, and what they approve with."""
        self._engine = engine
        self._readers = readers
        self._notices = notices
        self._step_up = step_up

    async def ResetFactors(self, request: pb.ResetFactorsRequest, call: Call) -> bytes:  # noqa: N802
        """Refuse: two persons do this, by a proposal, and the door lets nobody in here."""
        del request
        raise Refusal(
            "APPROVAL_REQUIRED",
            "staff propose this to somebody else, who approves it",
            metadata={"method": call.method},
        )

    async def GetFactorReset(  # noqa: N802
        self, request: pb.GetFactorResetRequest, call: Call
    ) -> pb.GetFactorResetResponse:
        """Show the latest reset."""
        customer_id = self._customer(request.customer_id, call)
        book = book_of(customer_id)
        async with self._readers.connection(deadline=call.deadline) as connection:
            if not await wallet_exists(connection, book, customer_id):
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            row = await find_reset(connection, book, customer_id)
        if row is None:
            raise model.not_found(customer_id)
        return pb.GetFactorResetResponse(reset=encode.reset(row))

    async def CancelFactorReset(  # noqa: N802
        self, request: pb.CancelFactorResetRequest, call: Call
    ) -> bytes:
        """Turn a reset down."""
        customer_id = self._customer(request.customer_id, call)
        book, key = book_of(customer_id), request_key(call)
        async with self._readers.connection(deadline=call.deadline) as connection:
            notices = await self._notices.of_cancelling(connection, customer_id)
        command = CancelFactorReset(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            notices=notices,
        )
        return await submit(self._engine, command, request=request, call=call)

    def _customer(self, text: str, call: Call) -> CustomerId:
        """Return the customer that a request is about, of a book that is kept here.

        Raises:
            Refusal: WALLET_NOT_FOUND, and as :func:`customer_of`.
        """
        customer_id = customer_of(text, actor_of(call))
        if book_of(customer_id) not in self._engine.writers:
            raise wallet_not_found(CUSTOMER.encode(customer_id))
        return customer_id
