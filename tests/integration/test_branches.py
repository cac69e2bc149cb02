"""Staff of a branch serve its customers; those of other branches are not there for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from longmen_server.approvals.proposable import PROPOSABLE
from longmen_server.staff.branches import FIELDS
from longmen_server.transport.method import BRANCH_FIELDS
from tests.support.edge import Claims, Told
from tests.support.rpcs import METHODS, elsewhere, short
from tests.support.sample_requests import make_sample
from tests.support.small_bank import BY_NAME, SCOPES, STAFF_SUBJECT, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.transport.method import Method
    from tests.support.postgres import Database

OWN, OTHER = "sh-01", "sh-02"
BOUND = [method for method in METHODS if method.branch_field]
OWNERS = {
    "account_id": "select customer_id from wallet_account where account_id = %s",
    "device_id": "select customer_id from identity_device where device_id = %s",
    "session_id": "select customer_id from identity_session where session_id = %s",
}
"""Whose something is."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("branches")) as opened:
        yield opened


def worker(bank: SmallBank, branch: str, subject: str = STAFF_SUBJECT) -> str:
    """A token of somebody of a branch; of the whole bank when it is empty."""
    name = f"{subject} of {branch or 'the bank'}"
    bank.tokens.known[name] = Claims(kind="staff", subject=subject, scopes=SCOPES, branch=branch)
    return name


async def assign(bank: SmallBank, dsn: str, field: str, text: str) -> None:
    """Let the customer whose something is be of the other branch."""
    customer = text
    if field != "customer_id":
        with psycopg.connect(dsn) as connection:
            row = connection.execute(OWNERS[field].encode(), [text.partition("_")[2]]).fetchone()
        assert row is not None
        customer = f"cust_{row[0].hex}"
    await bank.do("StaffService/AssignBranch", customer_id=customer, branch=OTHER)


def same(answer: Told, missing: Told) -> bool:
    """Whether nothing tells what is another branch's from what is not there."""
    return (answer.code, answer.reason, answer.message, answer.metadata.keys(), answer.fields) == (
        missing.code,
        missing.reason,
        missing.message,
        missing.metadata.keys(),
        missing.fields,
    )


async def refused(bank: SmallBank, method: Method, request: Any, token: str, text: str) -> Told:
    """The refusal of a request, or of its proposal where staff only propose it."""
    copy = type(request)()
    copy.CopyFrom(request)
    setattr(copy, method.branch_field, text)
    if method.repeatable:
        copy.request_id = bank.new_request_id()
    if not method.staff_needs_approval:
        return await bank.refused(method, copy, token)
    propose = BY_NAME["ApprovalsService/ProposeApproval"]
    command = {proposal_name(method): copy}
    asked = propose.request_class(request_id=bank.new_request_id(), command=command)
    return await bank.refused(propose, asked, token)


def proposal_name(method: Method) -> str:
    """The field of proposals that a method's request goes into."""
    return next(name for name, kind in PROPOSABLE.items() if kind.method == method.path)


@pytest.mark.parametrize("method", BOUND, ids=short)
async def test_customers_of_another_branch_are_not_there(
    bank: SmallBank, module_database: Database, method: Method
) -> None:
    request: Any = await make_sample(bank, method, await bank.person())
    text = getattr(request, method.branch_field)
    assert text, "the sample names a customer"
    await assign(bank, module_database.admin_dsn, method.branch_field, text)
    before = bank.contents(but=frozenset({"request_record"}))
    missing = await refused(bank, method, request, worker(bank, OWN), elsewhere(text))
    assert missing.code.name == "NOT_FOUND"
    answer = await refused(bank, method, request, worker(bank, OWN), text)
    assert same(answer, missing), (answer, missing)
    assert bank.contents(but=frozenset({"request_record"})) == before
    if not method.staff_needs_approval:
        await bank.call(method, request, worker(bank, OTHER))


async def test_customers_of_no_branch_are_served_by_the_whole_bank(bank: SmallBank) -> None:
    person = await bank.person()
    method = BY_NAME["ProfileService/GetProfile"]
    request = method.request_class(customer_id=person.customer)
    answer = await bank.refused(method, request, worker(bank, OWN))
    assert (answer.code.name, answer.reason) == ("NOT_FOUND", "WALLET_NOT_FOUND")
    await bank.call(method, request, worker(bank, ""))


async def proposed(bank: SmallBank) -> Any:
    """The reply to a proposal about a customer of the own branch."""
    person = await bank.person()
    await bank.do("StaffService/AssignBranch", customer_id=person.customer, branch=OWN)
    command = {
        "unlock_factors": {"request_id": bank.new_request_id(), "customer_id": person.customer}
    }
    return await bank.do("ApprovalsService/ProposeApproval", worker(bank, OWN), command=command)


async def test_proposals_about_customers_of_another_branch_are_not_there(bank: SmallBank) -> None:
    approval_id = (await proposed(bank)).approval.approval_id
    for name in ("GetApproval", "RejectApproval"):
        method = BY_NAME[f"ApprovalsService/{name}"]
        answers = []
        for each in (approval_id, elsewhere(approval_id)):
            request: Any = method.request_class(approval_id=each)
            if method.repeatable:
                request.request_id, request.decision_text = bank.new_request_id(), "no"
            answers.append(await bank.refused(method, request, worker(bank, OTHER, "carl")))
        assert answers[0].reason == "APPROVAL_NOT_FOUND"
        assert same(*answers)
    for branch, sees in ((OTHER, False), (OWN, True), ("", True)):
        listed = await bank.do("ApprovalsService/ListApprovals", worker(bank, branch, "carl"))
        assert (approval_id in {each.approval_id for each in listed.approvals}) == sees


async def test_whoever_could_not_approve_cannot_reject(bank: SmallBank) -> None:
    made = await proposed(bank)
    name = "no right to unlock"
    bank.tokens.known[name] = Claims(
        kind="staff", subject="carl", scopes=SCOPES - {BY_NAME["StaffService/UnlockFactors"].scope}
    )
    method = BY_NAME["ApprovalsService/RejectApproval"]
    request = method.request_class(
        request_id=bank.new_request_id(),
        approval_id=made.approval.approval_id,
        decision_text="no",
    )
    told = await bank.refused(method, request, name)
    assert (told.code.name, told.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")


async def test_nobody_of_another_branch_approves(bank: SmallBank) -> None:
    made = await proposed(bank)
    approve = BY_NAME["ApprovalsService/ApproveApproval"]
    request = approve.request_class(
        request_id=bank.new_request_id(),
        approval_id=made.approval.approval_id,
        payload_hash=made.approval.payload_hash,
    )
    answer = await bank.refused(approve, request, worker(bank, OTHER, "carl"))
    assert (answer.code.name, answer.reason) == ("NOT_FOUND", "WALLET_NOT_FOUND")
    await bank.call(approve, request, worker(bank, OWN, "dora"))


def test_what_policies_may_name_is_what_can_be_looked_up() -> None:
    assert FIELDS.keys() == set(BRANCH_FIELDS)
    tellers = {m.path for m in METHODS if "teller" in m.staff_roles}
    customers = {
        method.path
        for method in METHODS
        if set(BRANCH_FIELDS) & set(method.request_class.DESCRIPTOR.fields_by_name)
    }
    assert tellers & customers <= {method.path for method in BOUND}
