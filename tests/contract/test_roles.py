"""Every RPC in every role of staff: what docs/roles.md says, and nothing else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest

from longmen.type.v1 import policy_pb2
from tests.support.edge import Claims, Edge, Tokens, running_edge, told
from tests.support.rpcs import METHODS
from tests.support.small_bank import SCOPES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.transport.method import Method

PAGE = Path(__file__).parents[2] / "docs/roles.md"
ROLES = ("teller", "operations", "risk_officer", "auditor", "admin")
NO_ROLE = "no role"


def documented() -> dict[str, dict[str, str]]:
    """What the page says: for each method "calls", "proposes" or nothing by role."""
    rows = re.findall(
        r"^\| `(longmen\.[^`]+)` \| `[^`]+` \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    return {
        path: dict(zip(ROLES, (cell.strip() for cell in cells.split("|")), strict=True))
        for path, cells in rows
    }


TABLE = documented()

OWN = frozenset(
    f"longmen.staff.v1.StaffSessionsService/{name}"
    for name in ("RenewStaffSession", "SignOutStaff", "StartStaffPasskey", "ConfirmStaffPasskey")
)
"""Methods by which everybody changes what is their own, such as the own session."""


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    """A server of every service, whose methods do nothing."""
    known = {
        role: Claims(kind="staff", subject=role, scopes=SCOPES, roles=frozenset({role}))
        for role in ROLES
    }
    known[NO_ROLE] = Claims(kind="staff", subject=NO_ROLE, scopes=SCOPES, roles=frozenset())
    known["two"] = Claims(
        kind="staff", subject="two", scopes=SCOPES, roles=frozenset({"teller", "auditor"})
    )
    services = sorted({method.service for method in METHODS})
    async with running_edge(*services, tokens=Tokens(known), rates=()) as opened:
        yield opened


async def answer(edge: Edge, method: Method, who: str) -> str:
    """The reason that an empty request is refused with; empty when the method has answered."""
    try:
        if method.streams:
            async for _ in edge.stream(method.path, token=who):
                pass
        else:
            await edge.call(method.path, b"", token=who)
    except grpc.aio.AioRpcError as error:
        refusal = told(error)
        if refusal.reason in {"PERMISSION_DENIED", "APPROVAL_REQUIRED"}:
            assert refusal.code == grpc.StatusCode.PERMISSION_DENIED
            assert refusal.metadata == {"method": method.path}
        return refusal.reason
    return ""


def test_the_page_has_every_method_and_no_other() -> None:
    assert TABLE.keys() == {method.path for method in METHODS}


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_call_exactly_what_the_page_says(edge: Edge, role: str) -> None:
    reasons = await asyncio.gather(*(answer(edge, method, role) for method in METHODS))
    for method, reason in zip(METHODS, reasons, strict=True):
        said = TABLE[method.path][role]
        if said == "calls":
            # Past the door: the empty request is good enough, or breaks a rule of its contract.
            assert reason in {"", "INVALID_REQUEST"}, method.path
        else:
            wanted = {"proposes": "APPROVAL_REQUIRED", "": "PERMISSION_DENIED"}[said]
            assert reason == wanted, method.path


async def test_whoever_has_no_role_may_call_nothing(edge: Edge) -> None:
    reasons = await asyncio.gather(*(answer(edge, method, NO_ROLE) for method in METHODS))
    assert set(reasons) == {"PERMISSION_DENIED"}


async def test_two_roles_may_what_either_may(edge: Edge) -> None:
    reasons = await asyncio.gather(*(answer(edge, method, "two") for method in METHODS))
    for method, reason in zip(METHODS, reasons, strict=True):
        said = TABLE[method.path]
        assert (reason == "PERMISSION_DENIED") == (not said["teller"] and not said["auditor"])


def test_nobody_has_rights_that_their_role_must_not_have() -> None:
    for method in METHODS:
        said = TABLE[method.path]
        moves_money = method.audit_class == policy_pb2.AUDIT_CLASS_MONEY
        if method.writes and method.path not in OWN:
            assert not said["auditor"], method.path
        if moves_money or method.scope == "ledger.write":
            assert not said["admin"], method.path
            assert not said["teller"], method.path
        if "staff" not in method.principal_kinds:
            assert not any(said.values()), method.path
