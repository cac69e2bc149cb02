"""The commands of cases: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import cases_service_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.platform.ids import FREEZE
from longmen_server.risk import holds, labels
from longmen_server.risk.commands import LiftFreeze
from longmen_server.risk.rows import decision_not_found
from longmen_server.riskcases import encode, model, opening
from longmen_server.riskcases.model import CaseRow, CaseState, Cause, Claim, NoteRow, Verdict
from longmen_server.riskcases.tables import CASE_ROW, NOTE
from longmen_server.screening import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import (
        CaseId,
        CustomerId,
        DecisionId,
        FreezeId,
        TransactionId,
    )
    from longmen_server.risk.rows import DecisionRow
    from longmen_server.riskcases.model import Evidence

__all__ = ["AddNote", "AppealDecision", "AssignCase", "CloseCase", "OpenCase"]


class CaseCommand(Command):
    """A command about one case."""

    __slots__ = ("by", "case_id")

    def __init__(self, book: int, request: RequestKey | None, *, case_id: CaseId, by: str) -> None:
        super().__init__(book, request)
        self.case_id = case_id
        self.by = by
        """Kind and subject of who asks."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the case."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(CASE_ROW, self.case_id)

    def open_row(self, working_set: WorkingSet) -> CaseRow:
        """Return the case for the command to change.

        Raises:
            Refusal: CASE_NOT_FOUND, CASE_CLOSED.
        """
        present = working_set.get(CASE_ROW, self.case_id)
        if present is None:
            raise model.case_not_found(self.case_id)
        model.check_open(present)
        return working_set.edit(CASE_ROW, self.case_id)

    def note(
        self, working_set: WorkingSet, row: CaseRow, text: str, evidence: Evidence | None = None
    ) -> NoteRow:
        """Add a note to a case that the command has for change.

        Raises:
            Refusal: CASE_FULL.
        """
        model.check_room(row)
        row.notes += 1
        row.changed_at_us = working_set.next_stamp()
        note = NoteRow(
            case_id=row.case_id,
            number=row.notes,
            written_at_us=row.changed_at_us,
            author=self.by,
            text=text,
            evidence_reference="" if evidence is None else evidence.reference,
            evidence_sha256=b"" if evidence is None else evidence.sha256,
        )
        working_set.append(NOTE, note)
        return note


class OpenCase(CaseCommand):
    """Have a movement looked at."""

    __slots__ = ("decision", "decision_id", "owner_id", "text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        by: str,
        decision_id: DecisionId,
        decision: DecisionRow | None,
        owner_id: CustomerId | None,
        text: str,
    ) -> None:
        """Take the decision, which never changes, whose it is, and why it is to be looked at.

        The decision is None where there is none: that is refused in its turn, after replays.
        """
        super().__init__(book, request, case_id=opening.case_of(decision_id, decision), by=by)
        self.decision_id = decision_id
        self.decision = decision
        self.owner_id = owner_id
        self.text = text

    def decide(self, working_set: WorkingSet) -> bytes:
        """Open the case, unless there is one."""
        if self.decision is None:
            raise decision_not_found(self.decision_id)
        if working_set.get(CASE_ROW, self.case_id) is not None:
            raise model.case_exists(self.case_id)
        opening.open_case(working_set, self.decision, Cause.BANK, self.owner_id)
        row = working_set.edit(CASE_ROW, self.case_id)
        self.note(working_set, row, self.text)
        return pb.OpenCaseResponse(
            opened=encode.case(row, None), committed_at=working_set.committed_at
        ).SerializeToString()


class AppealDecision(CaseCommand):
    """Take down what a customer says about a decision."""

    __slots__ = ("claim", "customer_id", "decision", "decision_id", "owner_id", "text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        by: str,
        decision_id: DecisionId,
        decision: DecisionRow | None,
        owner_id: CustomerId | None,
        customer_id: CustomerId,
        claim: Claim,
        text: str,
    ) -> None:
        """Take the decision, whose movement it was about, and what a customer says of it.

        The customer is the one who paid, or one whom the decision froze. The decision is None
        where there is none: that is refused in its turn, after replays.
        """
        super().__init__(book, request, case_id=opening.case_of(decision_id, decision), by=by)
        self.decision_id = decision_id
        self.decision = decision
        self.owner_id = owner_id
        self.customer_id = customer_id
        self.claim = claim
        self.text = text

    def decide(self, working_set: WorkingSet) -> bytes:
        """Note it on the case, which is opened if there is none."""
        if self.decision is None:
            raise decision_not_found(self.decision_id)
        if working_set.get(CASE_ROW, self.case_id) is None:
            model.check_claim(self.claim, self.decision.outcome, self.decision.decision_id)
            cause = Cause.APPEAL if self.claim == Claim.MINE else Cause.DISPUTE
            opening.open_case(working_set, self.decision, cause, self.owner_id)
        row = self.open_row(working_set)
        self.note(
            working_set, row, f"{self.claim.name}: {self.text}" if self.text else self.claim.name
        )
        row.is_appealed = True
        return pb.AppealDecisionResponse(
            appealed=encode.case(row, self.customer_id), committed_at=working_set.committed_at
        ).SerializeToString()


class AssignCase(CaseCommand):
    """Give a case to somebody."""

    __slots__ = ("assignee",)

    def __init__(
        self, book: int, request: RequestKey | None, *, case_id: CaseId, by: str, assignee: str
    ) -> None:
        super().__init__(book, request, case_id=case_id, by=by)
        self.assignee = assignee

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it to them, whoever had it."""
        row = self.open_row(working_set)
        row.assignee = self.assignee
        row.changed_at_us = working_set.next_stamp()
        return pb.AssignCaseResponse(
            assigned=encode.case(row, None), committed_at=working_set.committed_at
        ).SerializeToString()


class AddNote(CaseCommand):
    """Note something on a case."""

    __slots__ = ("evidence", "text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        case_id: CaseId,
        by: str,
        text: str,
        evidence: Evidence | None,
    ) -> None:
        super().__init__(book, request, case_id=case_id, by=by)
        self.text = text
        self.evidence = evidence

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write it down."""
        note = self.note(working_set, self.open_row(working_set), self.text, self.evidence)
        return pb.AddCaseNoteResponse(
            note=encode.note(note), committed_at=working_set.committed_at
        ).SerializeToString()


class CloseCase(CaseCommand):
    """Give the verdict, and do what follows from it."""

    __slots__ = ("lift", "reason_text", "settlement_id", "verdict")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        case_id: CaseId,
        by: str,
        verdict: Verdict,
        reason_text: str,
        settlement_id: TransactionId,
        freeze_id: FreezeId | None,
    ) -> None:
        """Take the verdict.

        Args:
            book: of the case.
            request: under which it is given.
            case_id: the case.
            by: kind and subject of who gives it.
            verdict: what came out.
            reason_text: why.
            settlement_id: fresh, of the posting that lets held money go or gives it back.
            freeze_id: of the freeze to lift with it, or for a full one to replace; None for none.
        """
        super().__init__(book, request, case_id=case_id, by=by)
        self.verdict = verdict
        self.reason_text = reason_text
        self.settlement_id = settlement_id
        self.lift = (
            None
            if freeze_id is None
            else LiftFreeze(
                book, None, freeze_id=freeze_id, actor=Actor(None), reason_text=reason_text
            )
        )

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the case, the transfer that may be held, the freeze, and what labels count in."""
        yield from super().keys(working_set, stage)
        yield from holds.keys(working_set, stage, self._transfer_id)
        if self.lift is not None:
            yield from self.lift.keys(working_set, stage)
        row = working_set.get(CASE_ROW, self.case_id)
        if row is not None and row.is_screening:
            yield from verdicts.verdict_keys(working_set, stage, row)
        if row is not None and row.payee_party is not None:
            yield from labels.label_keys(stage, row.payee_party, row.terminal_id or b"")

    @property
    def _transfer_id(self) -> TransactionId:
        return self.case_id  # type: ignore[return-value]  # a case is named after its movement

    def decide(self, working_set: WorkingSet) -> bytes:
        """Close the case; money, freeze and labels go with it or nothing does."""
        row = self.open_row(working_set)
        model.check_verdict(row, self.verdict)
        if row.is_screening:
            reply = self._end_screening(working_set, row)
        else:
            reply = self._end_movement(working_set, row)
        row.state = CaseState.CLOSED
        row.verdict = self.verdict
        row.closed_by = self.by
        row.reason_text = self.reason_text
        row.closed_at_us = row.changed_at_us = opening.tell(working_set, row)
        reply.closed.CopyFrom(encode.case(row, None))
        reply.committed_at = working_set.committed_at
        return reply.SerializeToString()

    def _end_movement(self, working_set: WorkingSet, row: CaseRow) -> pb.CloseCaseResponse:
        """Let held money go or give it back, lift the freeze, count what was fraud."""
        honest = self.verdict == Verdict.FALSE_POSITIVE
        settle = holds.release if honest else holds.give_back
        customer = row.customer_id or b""
        settled = settle(working_set, self._transfer_id, self.settlement_id, customer)
        if self.lift is not None:
            if bytes(self.lift.freeze_id) != row.decision_id or not honest:
                raise model.other_freeze(row, self.lift.freeze_id)
            self.lift.decide(working_set)
        if not honest and row.payee_party is not None:
            labels.flag(
                working_set,
                row.payee_party,
                row.terminal_id or b"",
                made_at_us=row.decided_at_us,
                amount=row.amount,
            )
        return pb.CloseCaseResponse(
            money_released=settled and honest,
            money_returned=settled and not honest,
            freeze_lifted=self.lift is not None,
        )

    def _end_screening(self, working_set: WorkingSet, row: CaseRow) -> pb.CloseCaseResponse:
        """Let the customer be identified further, or freeze whoever a list names."""
        replaced = None if self.lift is None else self.lift.freeze_id
        if self.verdict == Verdict.FALSE_POSITIVE:
            if replaced is not None:
                raise model.other_freeze(row, replaced)
            verdicts.clear(working_set, row)
            return pb.CloseCaseResponse()
        placed = verdicts.confirm(
            working_set, row, by=self.by, reason_text=self.reason_text, replaced=replaced
        )
        return pb.CloseCaseResponse(freeze_id="" if placed is None else FREEZE.encode(placed))
