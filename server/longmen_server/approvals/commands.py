"""The commands of proposals. Execution is part of the approval: both happen or neither does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen.staff.v1 import approval_pb2
from longmen.staff.v1 import approvals_service_pb2 as pb
from longmen_server.approvals import diff, encode, model
from longmen_server.approvals.model import ApprovalRow, ApprovalState
from longmen_server.approvals.tables import APPROVAL_ROWS
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.platform.ids import APPROVAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.approvals.model import Person
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import ApprovalId

__all__ = ["ApproveProposal", "CancelProposal", "Propose", "RejectProposal"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_APPROVAL_CHANGED)


class Propose(Command):
    """Keep a command for somebody else to decide, after trying it without effect."""

    __slots__ = ("inner", "row")

    def __init__(
        self, book: int, request: RequestKey | None, *, row: ApprovalRow, inner: Command
    ) -> None:
        """Take the proposal, whose expiry still counts from zero, and the command to try."""
        super().__init__(book, request)
        self.row = row
        self.inner = inner

    @property
    def weight(self) -> int:
        """As much as the command tried."""
        return self.inner.weight

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the command needs."""
        return self.inner.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Try the command, take it back, and keep the proposal with what it would have changed."""
        mark, before = working_set.mark(), diff.snapshot(working_set)
        self.inner.decide(working_set)
        shown = approval_pb2.Approval(changes=list(diff.changes(before, working_set)))
        working_set.rollback(mark)
        row = self.row.copy()
        row.created_at_us = working_set.next_stamp()
        row.expires_at_us += row.created_at_us
        row.changes = shown.SerializeToString(deterministic=True)
        working_set.insert(APPROVAL_ROWS, row.approval_id, row)
        _tell(working_set, row, row.created_at_us)
        return pb.ProposeApprovalResponse(
            approval=encode.approval(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class _Decision(Command):
    """A command about one proposal."""

    __slots__ = ("approval_id", "person", "text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        approval_id: ApprovalId,
        person: Person,
        text: str,
    ) -> None:
        super().__init__(book, request)
        self.approval_id = approval_id
        self.person = person
        self.text = text

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the proposal."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(APPROVAL_ROWS, self.approval_id)

    def load(self, working_set: WorkingSet) -> ApprovalRow:
        """Return the proposal.

        Raises:
            Refusal: APPROVAL_NOT_FOUND.
        """
        row = working_set.get(APPROVAL_ROWS, self.approval_id)
        if row is None:
            raise model.approval_not_found(self.approval_id)
        return row

    def close(
        self, working_set: WorkingSet, state: ApprovalState, reply: bytes | None = None
    ) -> approval_pb2.Approval:
        """Write the decision down and return the proposal as it is now."""
        at_us = working_set.next_stamp()
        row = working_set.edit(APPROVAL_ROWS, self.approval_id)
        row.state = state
        row.decider = self.person.subject
        row.decider_person = self.person.person
        row.decided_at_us = at_us
        row.decision_text = self.text
        row.reply = reply
        _tell(working_set, row, at_us)
        return encode.approval(row, working_set.now_us)


class ApproveProposal(_Decision):
    """Execute a proposal."""

    __slots__ = ("built_hash", "inner", "payload_hash")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        approval_id: ApprovalId,
        person: Person,
        text: str,
        payload_hash: bytes,
        built_hash: bytes,
        inner: Command | None,
    ) -> None:
        """Take the decision.

        Args:
            book: of the proposal.
            request: under which it is decided.
            approval_id: the proposal.
            person: who approves.
            text: kept with the decision.
            payload_hash: of what the person has read.
            built_hash: of the payload that the command was built from, computed anew.
            inner: the command; None when no proposal was found to build it from.
        """
        super().__init__(book, request, approval_id=approval_id, person=person, text=text)
        self.payload_hash = payload_hash
        self.built_hash = built_hash
        self.inner = inner

    @property
    def weight(self) -> int:
        """As much as the command executed."""
        return 1 if self.inner is None else self.inner.weight

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the proposal and what its command needs."""
        yield from super().keys(working_set, stage)
        if self.inner is not None:
            yield from self.inner.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Execute, once; a refusal of the command undoes all and leaves the proposal pending."""
        row = self.load(working_set)
        if self.inner is None:
            raise model.approval_not_found(self.approval_id)
        model.check_open(row, working_set.now_us)
        model.check_other_person(row, self.person)
        model.check_hash(row, self.payload_hash)
        # Whatever stands in the row now: what is executed is what the hash was made of.
        model.check_hash(row, self.built_hash)
        reply = self.inner.decide(working_set)
        approval = self.close(working_set, ApprovalState.EXECUTED, reply)
        return pb.ApproveApprovalResponse(
            approval=approval, committed_at=working_set.committed_at
        ).SerializeToString()


class RejectProposal(_Decision):
    """Turn a proposal down."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Reject what somebody else proposed."""
        row = self.load(working_set)
        model.check_open(row, working_set.now_us)
        model.check_other_person(row, self.person)
        return pb.RejectApprovalResponse(
            approval=self.close(working_set, ApprovalState.REJECTED),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class CancelProposal(_Decision):
    """Take a proposal back."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Cancel what the same person proposed."""
        row = self.load(working_set)
        model.check_open(row, working_set.now_us)
        model.check_maker(row, self.person)
        return pb.CancelApprovalResponse(
            approval=self.close(working_set, ApprovalState.CANCELLED),
            committed_at=working_set.committed_at,
        ).SerializeToString()


def _tell(working_set: WorkingSet, row: ApprovalRow, at_us: int) -> None:
    """Tell by an event where a proposal stands; what it is about is nobody else's business."""
    payload = event_pb2.ApprovalChange(
        approval_id=APPROVAL.encode(row.approval_id),
        state=ApprovalState(row.state).name,
        method=row.method,
    ).SerializeToString(deterministic=True)
    working_set.emit(Event(_CHANGED, row.approval_id, 0, at_us, payload, payload))
