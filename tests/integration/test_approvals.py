"""Two people: nothing that needs both is done by one, and what is approved is done once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import account_pb2, ledger_service_pb2
from longmen.staff.v1 import approval_pb2
from longmen_server.approvals.proposable import PROPOSABLE
from tests.support.edge import Claims, told
from tests.support.rpcs import METHODS
from tests.support.sample_requests import freeze_order
from tests.support.small_bank import (
    BY_NAME,
    FUNDS,
    SCOPES,
    Person,
    SmallBank,
    cash,
    open_small_bank,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("approvals")) as opened:
        yield opened


def worker(bank: SmallBank, subject: str, session: str = "", device: str = "") -> str:
    """A token of a member of staff in a session, on a device."""
    name = f"{subject}/{session}/{device}"
    bank.tokens.known[name] = Claims(
        kind="staff",
        subject=subject,
        scopes=SCOPES,
        session_id=bank.staff_session(session) if session else None,
        device_id=device or None,
    )
    return name


def correction(bank: SmallBank, owner: Person, amount: int = 9) -> dict[str, Any]:
    """A transaction by hand, from a customer to the standing payee."""
    return {
        "create_transaction": {
            "request_id": bank.new_request_id(),
            "postings": [
                {
                    "debit_account_id": owner.account,
                    "credit_account_id": bank.payee.account,
                    "amount": cash(amount),
                }
            ],
            "code": 7,
        }
    }


async def propose(bank: SmallBank, token: str, command: dict[str, Any], **more: Any) -> Any:
    reply = await bank.do("ApprovalsService/ProposeApproval", token, command=command, **more)
    return reply.approval


async def approve(bank: SmallBank, token: str, approval: Any, **other: Any) -> Any:
    fields = {
        "approval_id": approval.approval_id,
        "payload_hash": approval.payload_hash,
        **other,
    }
    return await bank.do("ApprovalsService/ApproveApproval", token, **fields)


async def refusal(work: Any) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await work
    return told(caught.value)


async def balance(bank: SmallBank, person: Person) -> int:
    reply = await bank.do("LedgerService/GetAccount", account_id=person.account)
    return int(reply.account.balances.posted)


async def test_a_correction_is_shown_approved_and_booked(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner), reason_text="typo")
    shown = {(one.subject, one.field): (one.before, one.after) for one in made.changes}
    assert shown[owner.account, "posted"] == (f"{FUNDS} CNY", f"{FUNDS - 9} CNY")
    assert await balance(bank, owner) == FUNDS
    done = (await approve(bank, worker(bank, "bob"), made, decision_text="seen")).approval
    assert done.state == approval_pb2.APPROVAL_STATE_EXECUTED
    assert (done.maker, done.decider, done.decision_text) == ("ann", "bob", "seen")
    reply = ledger_service_pb2.CreateTransactionResponse.FromString(done.reply)
    assert reply.transaction.transaction_id.startswith("txn_")
    assert await balance(bank, owner) == FUNDS - 9
    read = await bank.do(
        "ApprovalsService/GetApproval", worker(bank, "eve"), approval_id=made.approval_id
    )
    assert read.approval == done


async def test_both_people_are_in_the_audit_trail(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "maker-a"), freeze_order(owner))
    await approve(bank, worker(bank, "checker-a"), made)
    for subject, rpc in (("maker-a", "ProposeApproval"), ("checker-a", "ApproveApproval")):
        reply = await bank.do("AuditService/ListAudit", principal_subject=subject)
        (record,) = reply.records
        assert record.method == f"longmen.staff.v1.ApprovalsService/{rpc}"
        assert record.reason == ""


@pytest.mark.parametrize(
    ("maker", "decider"),
    [
        (("ann", "", ""), ("ann", "", "")),
        (("ann", "s1", "d1"), ("ann", "s2", "d2")),
        (("ann", "s1", "d1"), ("bob", "s1", "d2")),
        (("ann", "s1", "d1"), ("bob", "s2", "d1")),
    ],
    ids=["same token", "same person", "same session", "same device"],
)
async def test_nobody_decides_what_they_proposed(
    bank: SmallBank, maker: tuple[str, str, str], decider: tuple[str, str, str]
) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, *maker), correction(bank, owner))
    answer = await refusal(approve(bank, worker(bank, *decider), made))
    assert (answer.code.name, answer.reason) == ("PERMISSION_DENIED", "APPROVAL_BY_MAKER")
    answer = await refusal(
        bank.do(
            "ApprovalsService/RejectApproval",
            worker(bank, *decider),
            approval_id=made.approval_id,
        )
    )
    assert answer.reason == "APPROVAL_BY_MAKER"
    assert await balance(bank, owner) == FUNDS


async def test_what_is_approved_is_what_was_read(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner))
    answer = await refusal(approve(bank, worker(bank, "bob"), made, payload_hash=bytes(32)))
    assert answer.reason == "APPROVAL_HASH_MISMATCH"
    assert await balance(bank, owner) == FUNDS


async def test_a_payload_changed_in_the_database_is_not_executed(
    bank: SmallBank, module_database: Database
) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner, 9))
    other = approval_pb2.ProposedCommand()
    other.CopyFrom(made.command)
    other.create_transaction.postings[0].amount.minor_units = 9_000
    with psycopg.connect(module_database.admin_dsn, autocommit=True) as connection:
        connection.execute(
            "update approval set payload = %s where approval_id = %s",
            (other.SerializeToString(), made.approval_id.removeprefix("appr_")),
        )
    answer = await refusal(approve(bank, worker(bank, "bob"), made))
    assert answer.reason == "APPROVAL_HASH_MISMATCH"
    assert await balance(bank, owner) == FUNDS


async def decided(bank: SmallBank, token: str, approval: Any) -> Told | None:
    """The refusal of an approval, None for its success; sent again while there is no room."""
    while True:
        try:
            await approve(bank, token, approval)
        except grpc.aio.AioRpcError as error:
            if told(error).reason != "OVERLOADED":
                return told(error)
        else:
            return None


async def test_fifty_approvals_at_once_execute_once(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner))
    answers = await asyncio.gather(
        *(decided(bank, worker(bank, f"checker-{n}"), made) for n in range(50))
    )
    errors = [one for one in answers if one is not None]
    assert len(errors) == 49
    assert {(one.reason, one.metadata["state"]) for one in errors} == {
        ("APPROVAL_DECIDED", "EXECUTED")
    }
    assert await balance(bank, owner) == FUNDS - 9


async def test_what_cannot_be_done_is_refused_when_proposed(bank: SmallBank) -> None:
    owner = await bank.person()
    answer = await refusal(propose(bank, worker(bank, "ann"), correction(bank, owner, FUNDS + 1)))
    assert answer.reason == "INSUFFICIENT_FUNDS"


async def test_a_command_refused_at_last_leaves_the_proposal_pending(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner, FUNDS))
    await bank.do(
        "TransfersService/CreateTransfer",
        from_account_id=owner.account,
        payee={"account_id": bank.payee.account},
        amount=cash(1),
    )
    answer = await refusal(approve(bank, worker(bank, "bob"), made))
    assert answer.reason == "INSUFFICIENT_FUNDS"
    read = await bank.do(
        "ApprovalsService/GetApproval", worker(bank, "bob"), approval_id=made.approval_id
    )
    assert read.approval.state == approval_pb2.APPROVAL_STATE_PENDING
    await bank.do(
        "TransfersService/TopUp",
        account_id=owner.account,
        amount=cash(1),
        bank_account="6222021234567890",
    )
    await approve(bank, worker(bank, "bob"), made)
    assert await balance(bank, owner) == 0


async def test_a_proposal_expires(bank: SmallBank) -> None:
    owner = await bank.person()
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner), lifetime_hours=1)
    seconds = made.expiry_time.seconds + 1
    await bank.do("AdminService/SetClock", time={"seconds": seconds})
    answer = await refusal(approve(bank, worker(bank, "bob"), made))
    assert answer.reason == "APPROVAL_EXPIRED"
    listed = await bank.do(
        "ApprovalsService/ListApprovals",
        worker(bank, "bob"),
        state=approval_pb2.APPROVAL_STATE_EXPIRED,
    )
    assert made.approval_id in {one.approval_id for one in listed.approvals}
    assert await balance(bank, owner) == FUNDS


async def test_rejected_and_cancelled_proposals_are_over(bank: SmallBank) -> None:
    owner = await bank.person()
    ends = (
        ("RejectApproval", "bob", "REJECTED"),
        ("CancelApproval", "ann", "CANCELLED"),
    )
    for rpc, who, state in ends:
        made = await propose(bank, worker(bank, "ann"), correction(bank, owner))
        await bank.do(
            f"ApprovalsService/{rpc}",
            worker(bank, who),
            approval_id=made.approval_id,
            decision_text="no",
        )
        answer = await refusal(approve(bank, worker(bank, "carl"), made))
        assert (answer.reason, answer.metadata) == ("APPROVAL_DECIDED", {"state": state})
    assert await balance(bank, owner) == FUNDS


async def test_only_its_maker_cancels_a_proposal(bank: SmallBank) -> None:
    made = await propose(bank, worker(bank, "ann"), freeze_order(await bank.person()))
    answer = await refusal(
        bank.do(
            "ApprovalsService/CancelApproval", worker(bank, "bob"), approval_id=made.approval_id
        )
    )
    assert (answer.code.name, answer.reason) == ("PERMISSION_DENIED", "APPROVAL_OF_OTHERS")


async def test_a_proposal_that_is_not_there_is_not_found(bank: SmallBank) -> None:
    method = BY_NAME["ApprovalsService/GetApproval"]
    for digits in ("0" * 28 + "0001", "0" * 28 + "7ffe"):
        request = method.request_class(approval_id=f"appr_{digits}")
        answer = await bank.refused(method, request, worker(bank, "ann"))
        assert (answer.code.name, answer.reason) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")


async def test_both_need_the_scope_of_what_is_proposed(bank: SmallBank) -> None:
    owner = await bank.person()
    bank.tokens.known["clerk"] = Claims(
        kind="staff", subject="clerk", scopes=SCOPES - {"ledger.write"}
    )
    made = await propose(bank, worker(bank, "ann"), correction(bank, owner))
    for work in (
        propose(bank, "clerk", correction(bank, owner)),
        approve(bank, "clerk", made),
    ):
        answer = await refusal(work)
        assert (answer.code.name, answer.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
        assert answer.metadata == {"method": "longmen.ledger.v1.LedgerService/CreateTransaction"}


async def test_two_people_forgive_a_customers_wrong_tries(bank: SmallBank) -> None:
    owner = await bank.person()
    order = {
        "unlock_factors": {
            "request_id": bank.new_request_id(),
            "customer_id": owner.customer,
        }
    }
    made = await propose(bank, worker(bank, "ann"), order)
    (shown,) = made.changes
    assert (shown.subject, shown.field) == (owner.customer, "wrong_tries_forgiven_until")

    async def forgiven() -> int:
        types = [event_pb2.EVENT_TYPE_FACTOR_UNBLOCKED]
        reply = await bank.do("EventsService/ListEvents", types=types)
        return [event.subject_id for event in reply.events].count(owner.customer)

    assert await forgiven() == 0
    await approve(bank, worker(bank, "bob"), made)
    assert await forgiven() == 1


async def test_nobody_is_unlocked_who_is_no_customer(bank: SmallBank) -> None:
    order = {
        "unlock_factors": {
            "request_id": bank.new_request_id(),
            "customer_id": f"cust_{'0' * 28}0001",
        }
    }
    answer = await refusal(propose(bank, worker(bank, "ann"), order))
    assert (answer.code.name, answer.reason) == ("NOT_FOUND", "WALLET_NOT_FOUND")


async def test_services_need_nobody(bank: SmallBank) -> None:
    owner = await bank.person()
    reply = await bank.do(
        "LedgerService/SetAccountState", **freeze_order(owner)["set_account_state"]
    )
    assert reply.account.state == account_pb2.ACCOUNT_STATE_DEBIT_FROZEN


def test_what_staff_cannot_do_alone_can_be_proposed() -> None:
    fields = approval_pb2.ProposedCommand.DESCRIPTOR.fields_by_name
    assert set(fields.keys()) == set(PROPOSABLE)
    by_path = {method.path: method for method in METHODS}
    for name, kind in PROPOSABLE.items():
        method = by_path[kind.method]
        assert method.scope == kind.scope
        assert method.is_proposed
        descriptor = fields[name].message_type
        assert descriptor is not None
        assert descriptor.full_name == method.request_class.DESCRIPTOR.full_name
    needing = {method.path for method in METHODS if method.is_proposed}
    assert needing == {kind.method for kind in PROPOSABLE.values()}
