"""RiskService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size, time_range
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CUSTOMER, DECISION, FREEZE, FreezeId, book_of, new_id
from longmen_server.risk import commands, encode, queries
from longmen_server.risk.replay import replay
from longmen_server.risk.rows import decision_not_found, freeze_not_found, not_replayable

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import CustomerId, DecisionId
    from longmen_server.platform.refusal import Refusal
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.risk.rows import DecisionRow
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["RiskService"]


class RiskService:
    """The methods of longmen.risk.v1.RiskService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        step_up: StepUpOffice,
        desk: RiskDesk,
        default_book: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
            step_up: gives customers' requests the gate they have to pass.
            desk: knows the rules, those of the past too.
            default_book: what is listed where nobody is named.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up
        self._desk = desk
        self._default_book = default_book

    # -- decisions -----------------------------------------------------------------------------

    async def GetDecision(  # noqa: N802
        self, request: pb.GetDecisionRequest, call: Call
    ) -> pb.GetDecisionResponse:
        """Return one decision."""
        demand_freshness(request.at_least_as_fresh)
        decision_id = decode_id(DECISION, request.decision_id, "decision_id")
        actor = actor_of(call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await self._decision(connection, decision_id)
            owner_id = await queries.owner_of(connection, row)
        if not actor.may_use(owner_id):
            raise decision_not_found(decision_id)
        return pb.GetDecisionResponse(
            decision=encode.decision(row, owner_id, for_bank=actor.is_bank)
        )

    async def ListDecisions(  # noqa: N802
        self, request: pb.ListDecisionsRequest, call: Call
    ) -> pb.ListDecisionsResponse:
        """List decisions, newest first."""
        demand_freshness(request.at_least_as_fresh)
        actor = actor_of(call)
        party = None
        if request.customer_id or not actor.is_bank:
            party = customer_of(request.customer_id, actor)
        book = book_of(party) if party is not None else request.book or self._default_book
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if party is not None:
                await _check_wallet(connection, party)
            rows = await queries.list_decisions(
                connection,
                book,
                party=party,
                lowest=request.lowest_outcome,
                between_us=time_range(request),
                before=before,
                limit=size + 1,
            )
            page = rows[:size]
            owners = [party or await queries.owner_of(connection, row) for row in page]
        token = ""
        if len(rows) > size:
            token = self._tokens.seal(page[-1].decision_id, request, call)
        return pb.ListDecisionsResponse(
            decisions=[
                encode.decision(row, owner, for_bank=actor.is_bank)
                for row, owner in zip(page, owners, strict=True)
            ],
            next_page_token=token,
        )

    async def ReplayDecision(  # noqa: N802
        self, request: pb.ReplayDecisionRequest, call: Call
    ) -> pb.ReplayDecisionResponse:
        """Compute a decision again."""
        decision_id = decode_id(DECISION, request.decision_id, "decision_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await self._decision(connection, decision_id)
            owner_id = await queries.owner_of(connection, row)
            past = await self._desk.source.past(
                connection, book_of(decision_id), row.rules_version, row.card_version
            )
        found = None if past is None else replay(row, past.rules, past.card)
        if found is None:
            raise not_replayable(row)
        return pb.ReplayDecisionResponse(
            decision=encode.decision(row, owner_id, for_bank=True),
            replayed=encode.replayed(found.outcome, found.evaluation),
            same=found.same,
        )

    async def _decision(self, connection: Connection, decision_id: DecisionId) -> DecisionRow:
        row = await queries.find_decision(connection, decision_id)
        if row is None:
            raise decision_not_found(decision_id)
        return row

    # -- freezes -------------------------------------------------------------------------------

    async def PlaceFreeze(self, request: pb.PlaceFreezeRequest, call: Call) -> bytes:  # noqa: N802
        """Freeze a customer."""
        customer_id = decode_id(CUSTOMER, request.customer_id, "customer_id")
        book = book_of(customer_id)
        command = commands.PlaceFreeze(
            book,
            request_key(call),
            customer_id=customer_id,
            freeze_id=FreezeId(new_id(book, self._clock)),
            scope=request.scope,
            reason=request.reason,
            reason_text=request.reason_text,
            revocable=request.revocable,
            by=f"{call.principal.kind}:{call.principal.subject}",
        )
        absent = wallet_not_found(request.customer_id)
        return await self._submit(command, request, call, absent=absent)

    async def LiftFreeze(self, request: pb.LiftFreezeRequest, call: Call) -> bytes:  # noqa: N802
        """Lift a freeze."""
        freeze_id = decode_id(FREEZE, request.freeze_id, "freeze_id")
        book, key = book_of(freeze_id), request_key(call)
        command = commands.LiftFreeze(
            book,
            key,
            freeze_id=freeze_id,
            actor=actor_of(call),
            reason_text=request.reason_text,
            gate=self._step_up.gate(call, key, book),
        )
        return await self._submit(command, request, call, absent=freeze_not_found(freeze_id))

    async def ListFreezes(  # noqa: N802
        self, request: pb.ListFreezesRequest, call: Call
    ) -> pb.ListFreezesResponse:
        """List the freezes of a customer."""
        demand_freshness(request.at_least_as_fresh)
        actor = actor_of(call)
        party = customer_of(request.customer_id, actor)
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _check_wallet(connection, party)
            rows = await queries.list_freezes(
                connection, book_of(party), party, before=before, limit=size + 1
            )
        page = rows[:size]
        token = ""
        if len(rows) > size:
            token = self._tokens.seal(page[-1].freeze_id, request, call)
        return pb.ListFreezesResponse(
            freezes=[encode.freeze(row, for_bank=actor.is_bank) for row in page],
            next_page_token=token,
        )

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)


async def _check_wallet(connection: Connection, customer_id: CustomerId) -> None:
    """Refuse a customer that there is not.

    Raises:
        Refusal: WALLET_NOT_FOUND.
    """
    if await find_wallet(connection, book_of(customer_id), customer_id) is None:
        raise wallet_not_found(CUSTOMER.encode(customer_id))
