"""ApprovalsService: proposals in, decisions out. No rule and no SQL here."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen.staff.v1 import approval_pb2
from longmen.staff.v1 import approvals_service_pb2 as pb
from longmen_server.approvals import commands, encode, model, queries
from longmen_server.approvals.model import ApprovalRow, ApprovalState, Person
from longmen_server.approvals.proposable import Desk, command_of, kind_of
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.ids import APPROVAL, ApprovalId, book_of, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.recovery.notices import ResetNotices
    from longmen_server.staff.branches import Branches
    from longmen_server.staff.model import Limits
    from longmen_server.transport.context import Call

__all__ = ["ApprovalsService"]

LIFETIME_HOURS_DEFAULT: Final = 24
HOUR_US: Final = 3_600_000_000


class ApprovalsService:
    """The methods of longmen.staff.v1.ApprovalsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        reading: ReadTools,
        staff: Limits,
        branches: Branches,
        rate_age_max_us: Callable[[int], int],
        resets: ResetNotices,
        reset_cooling_us: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs commands.
            reading: what reading needs.
            staff: limits of staff.
            branches: knows which branch customers are of.
            rate_age_max_us: how old a rate may be, from what the price list says.
            resets: tells customers of resets that are approved.
            reset_cooling_us: how long those cool.
        """
        self._branches = branches
        self._engine = engine
        self._read = reading
        self._resets = resets
        self._desk = Desk(reading.clock, reading.book(0), staff, rate_age_max_us, reset_cooling_us)

    async def ProposeApproval(self, request: pb.ProposeApprovalRequest, call: Call) -> bytes:  # noqa: N802
        """Keep a command until somebody else decides it."""
        kind = kind_of(request.command)
        await self._demand_rights(request.command, call)
        inner = command_of(request.command, self._desk)
        payload = request.command.SerializeToString(deterministic=True)
        person = _person(call)
        row = ApprovalRow(
            approval_id=ApprovalId(new_id(inner.book, self._read.clock)),
            state=ApprovalState.PENDING,
            method=kind.method,
            payload=payload,
            payload_hash=sha256(payload).digest(),
            changes=b"",
            reason_text=request.reason_text,
            maker=person.subject,
            maker_session=person.session_id,
            maker_device=person.device_id,
            maker_person=person.person,
            created_at_us=0,
            expires_at_us=(request.lifetime_hours or LIFETIME_HOURS_DEFAULT) * HOUR_US,
            decider=None,
            decided_at_us=None,
            decision_text=None,
            reply=None,
            decider_person=None,
        )
        command = commands.Propose(inner.book, request_key(call), row=row, inner=inner)
        return await self._submit(command, request, call)

    async def GetApproval(  # noqa: N802
        self, request: pb.GetApprovalRequest, call: Call
    ) -> pb.GetApprovalResponse:
        """Return one proposal."""
        row = await self._find(request.approval_id, call)
        return pb.GetApprovalResponse(approval=encode.approval(row, self._read.clock.now_us()))

    async def ListApprovals(  # noqa: N802
        self, request: pb.ListApprovalsRequest, call: Call
    ) -> pb.ListApprovalsResponse:
        """Return a page of proposals."""
        position = self._read.page_tokens.open(request.page_token, request, call)
        book = self._read.book(request.book)
        size = page_size(request.page_size)
        now_us = self._read.clock.now_us()
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_page(
                connection,
                book,
                after=ApprovalId(position) if position else queries.NO_APPROVAL,
                state=ApprovalState(request.state) if request.state else None,
                maker=request.maker,
                now_us=now_us,
                limit=size + 1,
            )
        reply = pb.ListApprovalsResponse(
            approvals=[
                encode.approval(row, now_us)
                for row in rows[:size]
                if await self._may_see(row, call)
            ]
        )
        if len(rows) > size:
            last = rows[size - 1].approval_id
            reply.next_page_token = self._read.page_tokens.seal(last, request, call)
        return reply

    async def ApproveApproval(self, request: pb.ApproveApprovalRequest, call: Call) -> bytes:  # noqa: N802
        """Execute a proposal."""
        approval_id = self._id(request.approval_id)
        row = await self._read_row(approval_id, call)
        inner = None
        if row is not None:
            stored = _proposed(row)
            await self._demand_rights(stored, call)
            inner = command_of(stored, self._desk)
            async with self._read.readers.connection(deadline=call.deadline) as connection:
                await self._resets.of_proposed(connection, inner)
        command = commands.ApproveProposal(
            book_of(approval_id),
            request_key(call),
            approval_id=approval_id,
            person=_person(call),
            text=request.decision_text,
            payload_hash=request.payload_hash,
            built_hash=b"" if row is None else sha256(row.payload).digest(),
            inner=inner,
        )
        return await self._submit(command, request, call)

    async def RejectApproval(self, request: pb.RejectApprovalRequest, call: Call) -> bytes:  # noqa: N802
        """Turn a proposal down, by whoever could have approved it."""
        approval_id = self._id(request.approval_id)
        row = await self._read_row(approval_id, call)
        if row is not None:
            if not await self._may_see(row, call):
                raise model.approval_not_found(approval_id)
            await self._demand_rights(_proposed(row), call)
        command = commands.RejectProposal(
            book_of(approval_id),
            request_key(call),
            approval_id=approval_id,
            person=_person(call),
            text=request.decision_text,
        )
        return await self._submit(command, request, call)

    async def CancelApproval(self, request: pb.CancelApprovalRequest, call: Call) -> bytes:  # noqa: N802
        """Take a proposal back."""
        approval_id = self._id(request.approval_id)
        command = commands.CancelProposal(
            book_of(approval_id),
            request_key(call),
            approval_id=approval_id,
            person=_person(call),
            text=request.decision_text,
        )
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _demand_rights(self, command: approval_pb2.ProposedCommand, call: Call) -> None:
        """Refuse whoever could not call the method even with somebody else's approval.

        Raises:
            Refusal: PERMISSION_DENIED; NOT_FOUND for a customer of another branch.
        """
        kind = kind_of(command)
        who = call.principal
        has_role = who.roles is None or not kind.roles.isdisjoint(who.roles)
        if kind.scope not in who.scopes or not has_role:
            raise Refusal(
                "PERMISSION_DENIED",
                "the token does not permit the method proposed",
                metadata={"method": kind.method},
            )
        await self._demand_branch(command, call)

    async def _demand_branch(self, command: approval_pb2.ProposedCommand, call: Call) -> None:
        """Refuse a command about a customer of another branch.

        Raises:
            Refusal: NOT_FOUND, as for a customer who is not there.
        """
        field = kind_of(command).branch_field
        if call.principal.branch and field:
            inner = getattr(command, command.WhichOneof("command") or "")
            await self._branches.demand(call, field, getattr(inner, field))

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    def _id(self, text: str) -> ApprovalId:
        """Return a proposal's id, of a book that is kept here.

        Raises:
            Refusal: APPROVAL_NOT_FOUND.
        """
        approval_id = decode_id(APPROVAL, text, "approval_id")
        if book_of(approval_id) not in self._read.books:
            raise model.approval_not_found(approval_id)
        return approval_id

    async def _find(self, text: str, call: Call) -> ApprovalRow:
        """Return a proposal.

        Raises:
            Refusal: APPROVAL_NOT_FOUND.
        """
        approval_id = self._id(text)
        row = await self._read_row(approval_id, call)
        if row is None or not await self._may_see(row, call):
            raise model.approval_not_found(approval_id)
        return row

    async def _may_see(self, row: ApprovalRow, call: Call) -> bool:
        """Whether a proposal is there for the caller: one about another branch's customer is not.

        What somebody has proposed stays theirs to see, wherever the customer went since.
        """
        if not call.principal.branch or row.maker == call.principal.subject:
            return True
        try:
            await self._demand_branch(_proposed(row), call)
        except Refusal:
            return False
        return True

    async def _read_row(self, approval_id: ApprovalId, call: Call) -> ApprovalRow | None:
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            return await queries.find(connection, book_of(approval_id), approval_id)


def _proposed(row: ApprovalRow) -> approval_pb2.ProposedCommand:
    return approval_pb2.ProposedCommand.FromString(row.payload)


def _person(call: Call) -> Person:
    who = call.principal
    return Person(who.subject, who.person, who.session_id, who.device_id)
