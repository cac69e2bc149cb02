"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.staff.v1 import staff_accounts_service_pb2, staff_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.type.v1 import policy_pb2
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller


class StaffAccounts:
    """StaffAccountsService keeps the accounts of staff. Nobody makes an account, grants a role or
    lets somebody enrol anew alone: it is proposed, and another person approves. The first two
    administrators are made on the server's machine by `longmen staff bootstrap`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_staff(
        self,
        *,
        login: str,
        person_id: str,
        roles: Iterable[policy_pb2.StaffRole.ValueType],
        key_thumbprint: str,
        branch: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_accounts_service_pb2.CreateStaffResponse]:
        """Makes an account, whose owner then enrols with the key named.

        Args:
            login: Login is the name to sign in by: small letters, digits, dot, dash and underscore.
            person_id: Person id of the employee, as the personnel department knows them.
            roles: Roles of the account, all that it is to have.
            key_thumbprint: Key thumbprint (RFC 7638) of the key on the owner's own machine, which
                `longmen staff key` shows: only whoever has that key can enrol.
            branch: Branch that it is bound to; empty for the whole bank.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STAFF_LOGIN_TAKEN,
                APPROVAL_REQUIRED.

        Scope: staff.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_accounts_service_pb2.CreateStaffRequest(
            login=login,
            person_id=person_id,
            roles=roles,
            key_thumbprint=key_thumbprint,
            branch=branch,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.STAFF_ACCOUNTS_CREATE_STAFF, request, request.request_id, options
        )

    def grant_staff(
        self,
        *,
        staff_id: str,
        roles: Iterable[policy_pb2.StaffRole.ValueType],
        branch: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_accounts_service_pb2.GrantStaffResponse]:
        """Sets roles and branch of an account; all its sessions end.

        A suspended one is let in again.

        Args:
            staff_id: Staff id of the account.
            roles: Roles of the account, all that it is to have.
            branch: Branch that it is bound to; empty for the whole bank.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STAFF_NOT_FOUND,
                STAFF_LAST_ADMINS, APPROVAL_REQUIRED.

        Scope: staff.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_accounts_service_pb2.GrantStaffRequest(
            staff_id=staff_id, roles=roles, branch=branch, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STAFF_ACCOUNTS_GRANT_STAFF, request, request.request_id, options
        )

    def reset_staff(
        self,
        *,
        staff_id: str,
        key_thumbprint: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_accounts_service_pb2.ResetStaffResponse]:
        """Lets the owner of an account enrol anew: with another key, password and authenticator.

        Wrong tries are forgiven, sessions end.

        Args:
            staff_id: Staff id of the account.
            key_thumbprint: Key thumbprint (RFC 7638) of the key on the owner's own machine, which
                `longmen staff key` shows: only whoever has that key can enrol.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STAFF_NOT_FOUND,
                STAFF_LAST_ADMINS, APPROVAL_REQUIRED.

        Scope: staff.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_accounts_service_pb2.ResetStaffRequest(
            staff_id=staff_id,
            key_thumbprint=key_thumbprint,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.STAFF_ACCOUNTS_RESET_STAFF, request, request.request_id, options
        )

    def suspend_staff(
        self,
        *,
        staff_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[staff_accounts_service_pb2.SuspendStaffResponse]:
        """Shuts an account at once; all its sessions end.

        One administrator can do it alone, since a danger does not wait; letting in again needs two.

        Args:
            staff_id: Staff id of the account.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: STAFF_NOT_FOUND,
                STAFF_LAST_ADMINS.

        Scope: staff.suspend. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_accounts_service_pb2.SuspendStaffRequest(
            staff_id=staff_id, request_id=request_id or new_request_id()
        )
        return self._caller.change(
            methods.STAFF_ACCOUNTS_SUSPEND_STAFF, request, request.request_id, options
        )

    def list_staff(
        self,
        *,
        login: str = "",
        page_size: int = 0,
        page_token: str = "",
        options: CallOptions | None = None,
    ) -> Pager[staff_pb2.Staff, staff_accounts_service_pb2.ListStaffResponse]:
        """Returns accounts, the oldest first.

        Args:
            login: Login to keep the account of; empty keeps all.
            page_size: Page size is the most accounts in the page; 0 means 100, and at most 1000 are
                given.
            page_token: Page token of the page before; empty for the first.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN.

        Scope: staff.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = staff_accounts_service_pb2.ListStaffRequest(
            login=login, page_size=page_size, page_token=page_token
        )
        return Pager(self._caller, methods.STAFF_ACCOUNTS_LIST_STAFF, request, "staff", options)
