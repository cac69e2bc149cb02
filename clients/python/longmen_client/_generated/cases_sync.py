"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import case_pb2, cases_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Cases:
    """CasesService keeps the cases: movements that risk held or that froze somebody, those that
    customers appeal or dispute, and customers whose names are like one on a list of names. A
    case is closed by a second person; with it held money goes on or back, a freeze is lifted,
    what turned out to be fraud counts in the features of whoever was paid, and whoever a list
    means is frozen.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_cases(
        self,
        *,
        book: int = 0,
        state: case_pb2.CaseState.ValueType = case_pb2.CASE_STATE_UNSPECIFIED,
        assignee: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        cause: case_pb2.CaseCause.ValueType = case_pb2.CASE_CAUSE_UNSPECIFIED,
        options: CallOptions | None = None,
    ) -> Pager[case_pb2.Case, cases_service_pb2.ListCasesResponse]:
        """Lists the queue: cases of a book by the time they were opened, the longest waiting first.

        Args:
            book: Book to list; 0 for the first.
            state: State to list; unspecified for open ones.
            assignee: Assignee whose cases; empty for everybody's.
            page_size: Page size is the most cases in the page; 0 means 100, and at most 1000 are
                given.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            cause: Cause of the cases to list; unspecified for any.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN.

        Scope: cases.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.ListCasesRequest(
            book=book,
            state=state,
            assignee=assignee,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
            cause=cause,
        )
        return Pager(self._caller, methods.CASES_LIST_CASES, request, "cases", options)

    def get_case(
        self,
        *,
        case_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> cases_service_pb2.GetCaseResponse:
        """Returns a case.

        The bank sees its notes, and of a screening what was matched; customers see cases about
        their own movements without them, and never a screening.

        Args:
            case_id: Case id.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASE_NOT_FOUND.

        Scope: cases.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.GetCaseRequest(
            case_id=case_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.CASES_GET_CASE, request, options)

    def open_case(
        self,
        *,
        decision_id: str,
        text: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cases_service_pb2.OpenCaseResponse]:
        """Has somebody look at a movement that no rule stopped.

        Args:
            decision_id: Decision id of the decision about the movement.
            text: Text of the first note: why it is looked at.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DECISION_NOT_FOUND,
                CASE_EXISTS.

        Scope: cases.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.OpenCaseRequest(
            decision_id=decision_id, text=text, request_id=request_id or new_request_id()
        )
        return self._caller.change(methods.CASES_OPEN_CASE, request, request.request_id, options)

    def appeal_decision(
        self,
        *,
        decision_id: str,
        claim: case_pb2.Claim.ValueType,
        text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cases_service_pb2.AppealDecisionResponse]:
        """Says what a customer has to say about a decision: that the movement was the own one, or
        somebody else's.

        It opens a case, or goes to the one there is.

        Args:
            decision_id: Decision id, which is the reference that the customer was told.
            claim: Claim that is made.
            text: Text in the customer's words.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DECISION_NOT_FOUND,
                NOTHING_TO_APPEAL, CASE_CLOSED, CASE_FULL.

        Scope: cases.appeal. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.AppealDecisionRequest(
            decision_id=decision_id,
            claim=claim,
            text=text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.CASES_APPEAL_DECISION, request, request.request_id, options
        )

    def assign_case(
        self,
        *,
        case_id: str,
        assignee: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cases_service_pb2.AssignCaseResponse]:
        """Gives a case to a member of staff, or takes it.

        Args:
            case_id: Case id.
            assignee: Assignee: subject of the member of staff; empty for the caller.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASE_NOT_FOUND, CASE_CLOSED.

        Scope: cases.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.AssignCaseRequest(
            case_id=case_id, assignee=assignee, request_id=request_id or new_request_id()
        )
        return self._caller.change(methods.CASES_ASSIGN_CASE, request, request.request_id, options)

    def add_case_note(
        self,
        *,
        case_id: str,
        text: str,
        evidence: case_pb2.Evidence | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cases_service_pb2.AddCaseNoteResponse]:
        """Notes something on a case, with the evidence it rests on.

        Notes are never changed.

        Args:
            case_id: Case id.
            text: Text.
            evidence: Evidence it rests on, if there is any.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASE_NOT_FOUND, CASE_CLOSED,
                CASE_FULL.

        Scope: cases.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.AddCaseNoteRequest(
            case_id=case_id, text=text, evidence=evidence, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.CASES_ADD_CASE_NOTE, request, request.request_id, options
        )

    def close_case(
        self,
        *,
        case_id: str,
        verdict: case_pb2.CaseVerdict.ValueType,
        reason_text: str,
        freeze_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[cases_service_pb2.CloseCaseResponse]:
        """Gives the verdict.

        A false positive lets held money go on and lifts the freeze that is named; confirmed fraud
        gives held money back and counts against whoever was paid, and their till. Of a screening, a
        false positive lets the customer be identified further, and the same entries of lists open
        no case again while the name stays the same; a confirmed match freezes the customer fully.
        All of it happens in one transaction. For staff it takes a second person.

        Args:
            case_id: Case id.
            verdict: Verdict.
            reason_text: Reason text, for whoever looks at it later.
            freeze_id: Freeze id of the freeze to lift with it, which has to be the one of the
                case's decision; empty for none. Only with a false positive. With a confirmed match
                it is the freeze that holds already, if one does, which the full one takes the place
                of.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: CASE_NOT_FOUND, CASE_CLOSED,
                CASE_VERDICT_MISMATCH, CASE_OF_OTHER_FREEZE, FREEZE_EXISTS, FREEZE_NOT_FOUND,
                FREEZE_LIFTED, CREDIT_ACCOUNT_FROZEN, CREDIT_ACCOUNT_CLOSED.

        Scope: cases.close. Deadline: 5000 ms, at most 30000 ms.
        """
        request = cases_service_pb2.CloseCaseRequest(
            case_id=case_id,
            verdict=verdict,
            reason_text=reason_text,
            freeze_id=freeze_id,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(methods.CASES_CLOSE_CASE, request, request.request_id, options)
