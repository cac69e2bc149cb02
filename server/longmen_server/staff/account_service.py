"""StaffAccountsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_accounts_service_pb2 as pb
from longmen_server.engine.door import request_key
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.ids import STAFF, StaffId, book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.staff import encode, model, queries
from longmen_server.staff.account_commands import SuspendStaff

if TYPE_CHECKING:
    from longmen_server.staff.tools import StaffTools
    from longmen_server.transport.context import Call

__all__ = ["StaffAccountsService"]


class StaffAccountsService:
    """The methods of longmen.staff.v1.StaffAccountsService.

    Three of them are for staff alone, who propose them: approvals execute them, and the door lets
    nobody in here. Should a policy ever be loosened by mistake, they refuse all the same.
    """

    def __init__(self, tools: StaffTools) -> None:
        """Take what the methods work with."""
        self._tools = tools

    async def CreateStaff(self, request: pb.CreateStaffRequest, call: Call) -> bytes:  # noqa: N802
        """Make an account, by proposal only."""
        del request
        raise only_proposed(call)

    async def GrantStaff(self, request: pb.GrantStaffRequest, call: Call) -> bytes:  # noqa: N802
        """Set roles and branch, by proposal only."""
        del request
        raise only_proposed(call)

    async def ResetStaff(self, request: pb.ResetStaffRequest, call: Call) -> bytes:  # noqa: N802
        """Let the owner enrol anew, by proposal only."""
        del request
        raise only_proposed(call)

    async def SuspendStaff(self, request: pb.SuspendStaffRequest, call: Call) -> bytes:  # noqa: N802
        """Shut an account."""
        tools = self._tools
        staff_id = self._id(request.staff_id)
        command = SuspendStaff(tools.book, request_key(call), staff_id=staff_id)
        reply = await tools.submit(command, request, call)
        await tools.watch.look()
        return reply

    async def ListStaff(  # noqa: N802
        self, request: pb.ListStaffRequest, call: Call
    ) -> pb.ListStaffResponse:
        """Return a page of accounts."""
        tools = self._tools
        position = tools.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with tools.readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_page(
                connection,
                tools.book,
                after=StaffId(position) if position else queries.NO_STAFF,
                login=request.login,
                limit=size + 1,
            )
        reply = pb.ListStaffResponse(staff=[encode.staff(row) for row in rows[:size]])
        if len(rows) > size:
            reply.next_page_token = tools.page_tokens.seal(rows[size - 1].staff_id, request, call)
        return reply

    def _id(self, text: str) -> StaffId:
        """Return an account's id, of the book that accounts are kept in.

        Raises:
            Refusal: STAFF_NOT_FOUND.
        """
        staff_id = decode_id(STAFF, text, "staff_id")
        if book_of(staff_id) != self._tools.book:
            raise model.staff_not_found(staff_id)
        return staff_id


def only_proposed(call: Call) -> Refusal:
    """Return the refusal of what two persons do."""
    return Refusal(
        "APPROVAL_REQUIRED",
        "staff propose this to somebody else, who approves it",
        metadata={"method": call.method},
    )
