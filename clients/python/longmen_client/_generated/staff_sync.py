"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class Staff:
    """StaffService is for the bank's contact centre and its staff."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def unlock_factors(
        self,
        *,
        customer_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_service_pb2.UnlockFactorsResponse]:
        """Forgives all wrong tries of a customer until now, on every device.

        Staff propose it, and another person approves.

        Args:
            customer_id: Customer id of whose tries are forgiven.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                APPROVAL_REQUIRED.

        Scope: factors.unlock. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_service_pb2.UnlockFactorsRequest(
            customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STAFF_UNLOCK_FACTORS, request, request.request_id, options
        )

    def assign_branch(
        self,
        *,
        customer_id: str,
        branch: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_service_pb2.AssignBranchResponse]:
        """Says which branch a customer is of.

        Staff who are bound to a branch serve the customers of theirs and see no others; customers
        of no branch are served by staff who are bound to none.

        Args:
            customer_id: Customer id of the customer.
            branch: Branch that the customer is of; empty for none.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: customers.branch. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_service_pb2.AssignBranchRequest(
            customer_id=customer_id, branch=branch, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STAFF_ASSIGN_BRANCH, request, request.request_id, options
        )
