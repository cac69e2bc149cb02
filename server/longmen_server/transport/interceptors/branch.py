"""Whose customers may this member of staff ask about? Those of the own branch, where there is one.

For accounts of staff that are bound to a branch, customers of others are not there: methods whose
policy names a `branch_field` answer as if what the field names did not exist. It is asked for once
the request is known to be well formed, and before any rule of the method itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

__all__ = ["Branch", "BranchGuard"]


class BranchGuard(Protocol):
    """Knows which branch customers are of."""

    async def demand(self, call: Call, field: str, text: str) -> None:
        """Refuse with NOT_FOUND, as for what is not there, what is another branch's."""


class Branch:
    """Holds staff to the customers of their branch."""

    name = "branch"

    def __init__(self, guard: BranchGuard | None) -> None:
        """Take what knows branches; None binds nobody, for an edge that serves no bank."""
        self._guard = guard

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step for a method; those that no branch binds proceed without one."""
        guard, field = self._guard, method.branch_field
        if guard is None or not field:
            return proceed

        async def step(call: Call, request: Any) -> bytes:
            if call.principal.branch:
                await guard.demand(call, field, getattr(request, field))
            return await proceed(call, request)

        return step
