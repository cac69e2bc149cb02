"""CasesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import cases_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CASE, DECISION, book_of
from longmen_server.risk.queries import find_decision, owner_of
from longmen_server.risk.rows import decision_not_found
from longmen_server.riskcases import commands, encode, queries
from longmen_server.riskcases.build import close_case
from longmen_server.riskcases.model import CaseState, Claim, Evidence, case_not_found
from longmen_server.screening.encode import screening_match
from longmen_server.screening.personal import open_match
from longmen_server.screening.queries import matches_of

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen.risk.v1 import case_pb2
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CaseId, CustomerId, DecisionId
    from longmen_server.platform.pii import Vault
    from longmen_server.risk.rows import DecisionRow
    from longmen_server.screening.model import MatchRow
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["CasesService"]


class CasesService:
    """The methods of longmen.risk.v1.CasesService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        vault: Vault,
        default_book: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
            vault: opens what names were matched with.
            default_book: what is listed where none is named.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._vault = vault
        self._default_book = default_book

    # -- reads ---------------------------------------------------------------------------------

    async def ListCases(  # noqa: N802
        self, request: pb.ListCasesRequest, call: Call
    ) -> pb.ListCasesResponse:
        """List the queue, the longest waiting first."""
        demand_freshness(request.at_least_as_fresh)
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            rows = await queries.list_cases(
                connection,
                request.book or self._default_book,
                state=CaseState(request.state or CaseState.OPEN),
                assignee=request.assignee,
                cause=request.cause,
                after=after,
                limit=size + 1,
            )
        page = rows[:size]
        token = ""
        if len(rows) > size:
            token = self._tokens.seal(queries.position_of(page[-1]), request, call)
        return pb.ListCasesResponse(
            cases=[encode.case(row, None) for row in page], next_page_token=token
        )

    async def GetCase(  # noqa: N802
        self, request: pb.GetCaseRequest, call: Call
    ) -> pb.GetCaseResponse:
        """Return one case; whom a screening is about is not told of it."""
        demand_freshness(request.at_least_as_fresh)
        case_id = decode_id(CASE, request.case_id, "case_id")
        actor = actor_of(call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_case(connection, case_id)
            if row is None or not actor.may_use(row.customer_id):
                raise case_not_found(case_id)
            if row.is_screening and not actor.is_bank:
                raise case_not_found(case_id)
            notes = await queries.notes_of(connection, case_id) if actor.is_bank else []
            matches = await matches_of(connection, row) if row.is_screening else []
        return pb.GetCaseResponse(
            case_found=encode.case(row, actor.customer_id),
            notes=[encode.note(note) for note in notes],
            matches=[self._match(*match) for match in matches],
        )

    # -- changes -------------------------------------------------------------------------------

    async def OpenCase(self, request: pb.OpenCaseRequest, call: Call) -> bytes:  # noqa: N802
        """Open a case."""
        decision_id, decision, owner_id = await self._decision(request.decision_id, call)
        command = commands.OpenCase(
            book_of(decision_id),
            request_key(call),
            by=_who(call),
            decision_id=decision_id,
            decision=decision,
            owner_id=owner_id,
            text=request.text,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def AppealDecision(  # noqa: N802
        self, request: pb.AppealDecisionRequest, call: Call
    ) -> bytes:
        """Take down what a customer says."""
        customer_id = customer_of("", actor_of(call))
        decision_id, decision, owner_id = await self._decision(
            request.decision_id, call, customer_id
        )
        command = commands.AppealDecision(
            book_of(decision_id),
            request_key(call),
            by=_who(call),
            decision_id=decision_id,
            decision=decision,
            owner_id=owner_id,
            customer_id=customer_id,
            claim=Claim(request.claim),
            text=request.text,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def AssignCase(self, request: pb.AssignCaseRequest, call: Call) -> bytes:  # noqa: N802
        """Give a case to somebody."""
        case_id = decode_id(CASE, request.case_id, "case_id")
        command = commands.AssignCase(
            book_of(case_id),
            request_key(call),
            case_id=case_id,
            by=_who(call),
            assignee=request.assignee or call.principal.subject,
        )
        return await self._submit(command, case_id, request, call)

    async def AddCaseNote(self, request: pb.AddCaseNoteRequest, call: Call) -> bytes:  # noqa: N802
        """Note something."""
        case_id = decode_id(CASE, request.case_id, "case_id")
        evidence = None
        if request.HasField("evidence"):
            evidence = Evidence(request.evidence.reference, request.evidence.sha256)
        command = commands.AddNote(
            book_of(case_id),
            request_key(call),
            case_id=case_id,
            by=_who(call),
            text=request.text,
            evidence=evidence,
        )
        return await self._submit(command, case_id, request, call)

    async def CloseCase(self, request: pb.CloseCaseRequest, call: Call) -> bytes:  # noqa: N802
        """Give the verdict."""
        command = close_case(request, request_key(call), self._clock, by=_who(call))
        return await self._submit(command, command.case_id, request, call)

    # -- helpers -------------------------------------------------------------------------------

    def _match(self, wrapped_key: bytes, row: MatchRow) -> case_pb2.ScreeningMatch:
        """Return a match, readable."""
        key = self._vault.data_key(book_of(row.customer_id), row.customer_id, wrapped_key)
        return screening_match(row, *open_match(key, row))

    async def _decision(
        self, text: str, call: Call, customer_id: CustomerId | None = None
    ) -> tuple[DecisionId, DecisionRow | None, CustomerId | None]:
        """Return a decision, None where the caller may see none, and whose movement it was about.

        Args:
            text: the decision's id.
            call: that asks.
            customer_id: who has to have paid, or to have been frozen by it; None for the bank.

        Raises:
            Refusal: DECISION_NOT_FOUND for one of a book that is not kept here.
        """
        decision_id = decode_id(DECISION, text, "decision_id")
        if book_of(decision_id) not in self._engine.writers:
            raise decision_not_found(decision_id)
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await find_decision(connection, decision_id)
            if row is None:
                return decision_id, None, None
            owner_id = await owner_of(connection, row)
            if (
                customer_id is not None
                and customer_id != owner_id
                and not await queries.was_frozen(connection, decision_id, customer_id)
            ):
                return decision_id, None, None
        return decision_id, row, owner_id

    async def _submit(
        self, command: Command, case_id: CaseId, request: Message, call: Call
    ) -> bytes:
        """Run a command; a case of a book that is not kept here is not there."""
        if command.book not in self._engine.writers:
            raise case_not_found(case_id)
        return await submit(self._engine, command, request=request, call=call)


def _who(call: Call) -> str:
    return f"{call.principal.kind}:{call.principal.subject}"
