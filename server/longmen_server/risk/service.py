"""RiskService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.door import request_key, submit
from longmen_server.factors.model import FactorKind, bits
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size, time_range
from longmen_server.limits.movement import Channel, MovementKind
from longmen_server.limits.queries import find_standing
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.queries import find_merchant, find_terminal
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    DECISION,
    DEVICE,
    FREEZE,
    MERCHANT,
    RULE_SET,
    TERMINAL,
    FreezeId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import commands, encode, queries, rule_content
from longmen_server.risk.replay import replay
from longmen_server.risk.rows import decision_not_found, freeze_not_found, not_replayable
from longmen_server.risk.simulating import Act, Simulate
from longmen_server.riskrules.model import rule_set_not_found
from longmen_server.riskrules.queries import find_rule_set

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import CustomerId, DecisionId, MerchantId, TerminalId
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.risk.model import Rules
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

    async def SimulateTransaction(  # noqa: N802
        self, request: pb.SimulateTransactionRequest, call: Call
    ) -> bytes:
        """Say what would become of a movement."""
        payer_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book = book_of(payer_id)
        if book not in self._engine.writers:
            raise account_not_found(payer_id)
        merchant_id = device_id = payee_id = None
        if request.merchant_id:
            merchant_id = decode_id(MERCHANT, request.merchant_id, "merchant_id")
        if request.device_id:
            device_id = decode_id(DEVICE, request.device_id, "device_id")
        if request.to_account_id:
            payee_id = decode_id(ACCOUNT, request.to_account_id, "to_account_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            standing = await find_standing(connection, payer_id)
            if merchant_id is not None and await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            terminal_id = await _terminal(connection, request.terminal_id, merchant_id)
            rules = await self._tried(connection, book, request.rule_set_id)
        if standing is None:
            raise account_not_found(payer_id)
        if request.amount.currency_code != standing.currency_code:
            raise currency_mismatch(standing.currency_code, request.amount.currency_code)
        channel = Channel(request.channel or Channel.CUSTOMER)
        act = Act(
            kind=MovementKind(request.kind),
            payer_id=payer_id,
            customer_id=standing.owner_id,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            channel=channel,
            payee_id=payee_id,
            merchant_id=merchant_id,
            device_id=device_id,
            terminal_id=terminal_id,
            approved=bits(map(FactorKind, request.factors)) if request.factors else None,
        )
        guard = self._desk.rehearsal(
            book,
            in_session=channel == Channel.CUSTOMER,
            address=request.network_address,
            rules=rules,
        )
        command = Simulate(book, act=act, guard=guard)
        return await submit(self._engine, command, request=request, call=call)

    async def _tried(self, connection: Connection, book: int, text: str) -> Rules | None:
        """Return the rules of a set; None for those in force.

        Raises:
            Refusal: RULE_SET_NOT_FOUND.
        """
        if not text:
            return None
        rule_set_id = decode_id(RULE_SET, text, "rule_set_id")
        row = None
        if book_of(rule_set_id) == book:
            row = await find_rule_set(connection, book, rule_set_id)
        if row is None:
            raise rule_set_not_found(rule_set_id)
        # Beside the loop: two hundred rules take a good part of a second to compile.
        content = rule_content.read(row.content)
        return await asyncio.to_thread(content.compiled, version=0, digest=row.digest)

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


async def _terminal(
    connection: Connection, text: str, merchant_id: MerchantId | None
) -> TerminalId | None:
    """Return the id of a merchant's till; None where none is named.

    Raises:
        Refusal: TERMINAL_NOT_FOUND.
    """
    if not text:
        return None
    terminal_id = decode_id(TERMINAL, text, "terminal_id")
    found = await find_terminal(connection, terminal_id)
    if found is None or found.merchant_id != merchant_id:
        raise terminal_not_found(terminal_id)
    return terminal_id


async def _check_wallet(connection: Connection, customer_id: CustomerId) -> None:
    """Refuse a customer that there is not.

    Raises:
        Refusal: WALLET_NOT_FOUND.
    """
    if await find_wallet(connection, book_of(customer_id), customer_id) is None:
        raise wallet_not_found(CUSTOMER.encode(customer_id))


def currency_mismatch(expected: str, actual: str) -> Refusal:
    """Return the refusal of an amount that is in another currency than the account."""
    return Refusal(
        "CURRENCY_MISMATCH",
        "the amount is in another currency than the account",
        metadata={"expected": expected, "actual": actual},
        field="amount.currency_code",
    )
