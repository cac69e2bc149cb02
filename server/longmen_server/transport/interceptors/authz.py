"""May this principal call this method? No, unless its policy names kind, scope and role.

Whose account a request names is not asked here: the areas check ownership where they load the rows,
and answer NOT_FOUND for what belongs to somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method


class Authz:
    """Enforces the policy of each method."""

    name = "authz"

    def __init__(self, *, production: bool) -> None:
        """Say whether this is a production server, where some methods are switched off."""
        self._production = production

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that lets entitled principals proceed."""
        kinds = method.principal_kinds
        scope = method.scope
        needs_approval = method.staff_needs_approval
        roles_need_approval = method.roles_need_approval
        roles = method.staff_roles
        disabled = method.non_production_only and self._production

        async def step(call: Call, request: Any) -> bytes:
            principal = call.principal
            if principal.kind not in kinds or scope not in principal.scopes:
                raise Refusal(
                    "PERMISSION_DENIED",
                    "the token does not permit this method",
                    metadata={"method": method.path},
                )
            if principal.kind == "staff":
                if principal.roles is not None and roles.isdisjoint(principal.roles):
                    raise Refusal(
                        "PERMISSION_DENIED",
                        "none of the caller's roles may call this method",
                        metadata={"method": method.path},
                    )
                if needs_approval or (roles_need_approval and principal.roles is not None):
                    raise Refusal(
                        "APPROVAL_REQUIRED",
                        "staff propose this to somebody else, who approves it",
                        metadata={"method": method.path},
                    )
            if disabled:
                raise Refusal(
                    "METHOD_DISABLED",
                    "the method is switched off on this server",
                    metadata={"method": method.path},
                )
            return await proceed(call, request)

        return step
