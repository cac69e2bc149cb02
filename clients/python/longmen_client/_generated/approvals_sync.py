"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import approval_pb2, approvals_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Approvals:
    """ApprovalsService lets one member of staff propose what staff cannot do alone, and another
    one decide. Both need the scope of the method proposed besides those of these methods.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def propose_approval(
        self,
        *,
        command: approval_pb2.ProposedCommand,
        reason_text: str = "",
        lifetime_hours: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[approvals_service_pb2.ProposeApprovalResponse]:
        """Keeps a command until somebody else decides it.

        It is tried at once without effect, so that what cannot be done is refused now, and the
        changes it would make are shown.

        Args:
            command: Command to execute once approved.
            reason_text: Reason text for whoever decides.
            lifetime_hours: Lifetime hours until the proposal expires; 0 means 24.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PERMISSION_DENIED, and every
                reason of the method proposed.

        Scope: approval.propose. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.ProposeApprovalRequest(
            command=command,
            reason_text=reason_text,
            lifetime_hours=lifetime_hours,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.APPROVALS_PROPOSE_APPROVAL, request, request.request_id, options
        )

    def get_approval(
        self,
        *,
        approval_id: str,
        options: CallOptions | None = None,
    ) -> approvals_service_pb2.GetApprovalResponse:
        """Returns one proposal.

        Args:
            approval_id: Approval id of the proposal.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: APPROVAL_NOT_FOUND.

        Scope: approval.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.GetApprovalRequest(approval_id=approval_id)
        return self._caller.ask(methods.APPROVALS_GET_APPROVAL, request, options)

    def list_approvals(
        self,
        *,
        book: int = 0,
        state: approval_pb2.ApprovalState.ValueType = approval_pb2.APPROVAL_STATE_UNSPECIFIED,
        maker: str = "",
        page_size: int = 0,
        page_token: str = "",
        options: CallOptions | None = None,
    ) -> Pager[approval_pb2.Approval, approvals_service_pb2.ListApprovalsResponse]:
        """Returns proposals, the oldest first.

        Args:
            book: Book to list; 0 means the server's default book.
            state: State to keep; unspecified keeps all.
            maker: Maker to keep the proposals of; empty keeps all.
            page_size: Page size is the most proposals in the page; 0 means 100, and at most 1000
                are given.
            page_token: Page token of the page before; empty for the first.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                INVALID_PAGE_TOKEN.

        Scope: approval.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.ListApprovalsRequest(
            book=book, state=state, maker=maker, page_size=page_size, page_token=page_token
        )
        return Pager(self._caller, methods.APPROVALS_LIST_APPROVALS, request, "approvals", options)

    def approve_approval(
        self,
        *,
        approval_id: str,
        payload_hash: bytes,
        decision_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[approvals_service_pb2.ApproveApprovalResponse]:
        """Executes a proposal, in the same transaction.

        A command that is refused leaves the proposal pending.

        Args:
            approval_id: Approval id of the proposal.
            payload_hash: Payload hash of the proposal as it was read, so that nothing else is
                approved.
            decision_text: Decision text kept with the proposal.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: APPROVAL_NOT_FOUND,
                APPROVAL_BY_MAKER, APPROVAL_HASH_MISMATCH, APPROVAL_DECIDED, APPROVAL_EXPIRED,
                PERMISSION_DENIED, and every reason of the method proposed.

        Scope: approval.approve. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.ApproveApprovalRequest(
            approval_id=approval_id,
            payload_hash=payload_hash,
            decision_text=decision_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.APPROVALS_APPROVE_APPROVAL, request, request.request_id, options
        )

    def reject_approval(
        self,
        *,
        approval_id: str,
        decision_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[approvals_service_pb2.RejectApprovalResponse]:
        """Turns a proposal of somebody else down.

        Args:
            approval_id: Approval id of the proposal.
            decision_text: Decision text kept with the proposal.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: APPROVAL_NOT_FOUND,
                APPROVAL_BY_MAKER, APPROVAL_DECIDED, APPROVAL_EXPIRED.

        Scope: approval.approve. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.RejectApprovalRequest(
            approval_id=approval_id,
            decision_text=decision_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.APPROVALS_REJECT_APPROVAL, request, request.request_id, options
        )

    def cancel_approval(
        self,
        *,
        approval_id: str,
        decision_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[approvals_service_pb2.CancelApprovalResponse]:
        """Takes a proposal back.

        Args:
            approval_id: Approval id of the proposal.
            decision_text: Decision text kept with the proposal.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: APPROVAL_NOT_FOUND,
                APPROVAL_OF_OTHERS, APPROVAL_DECIDED, APPROVAL_EXPIRED.

        Scope: approval.propose. Deadline: 5000 ms, at most 30000 ms.
        """
        request = approvals_service_pb2.CancelApprovalRequest(
            approval_id=approval_id,
            decision_text=decision_text,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.APPROVALS_CANCEL_APPROVAL, request, request.request_id, options
        )
