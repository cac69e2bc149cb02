"""PlansService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import plans_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.plans import build, encode, queries
from longmen_server.platform.freshness import demand_freshness

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["PlansService"]


class PlansService:
    """The methods of longmen.merchants.v1.PlansService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, tokens: PageTokens
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens

    async def SetPlan(self, request: pb.SetPlanRequest, call: Call) -> bytes:  # noqa: N802
        """Make a plan."""
        command = build.set_plan(request, request_key(call), self._clock)
        if command.book not in self._engine.writers:
            raise merchant_not_found(command.merchant_id)
        return await submit(self._engine, command, request=request, call=call)

    async def ListPlans(  # noqa: N802
        self, request: pb.ListPlansRequest, call: Call
    ) -> pb.ListPlansResponse:
        """List a merchant's plans."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_plans(connection, merchant_id, before=before, limit=size + 1)
        page = rows[:size]
        return pb.ListPlansResponse(
            plans=[encode.plan(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].plan_id, request, call) if len(rows) > size else ""
            ),
        )
