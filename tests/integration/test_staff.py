"""Staff: made by two people, enrolled and signed in on their own machines, held to their roles."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest

from longmen.credentials.v1 import credentials_service_pb2
from longmen.staff.v1 import staff_accounts_service_pb2, staff_pb2
from longmen_server.platform.refusal import Refusal
from tests.support.edge import told
from tests.support.identity import Device
from tests.support.poll import until
from tests.support.small_bank import SmallBank, open_small_bank
from tests.support.staff import PASSWORD, Worker, bootstrap, hiring, numbers
from tests.support.step_up import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

ACCOUNTS = "StaffAccountsService"
CLOCK = "AdminService/GetClock"


class Office:
    """A bank with two administrators at work."""

    def __init__(self, bank: SmallBank, ann: Worker, bob: Worker, secret: str) -> None:
        self.bank = bank
        self.ann = ann
        self.bob = bob
        self.secret = secret
        """What one of them enrolled by."""
        self._names = iter(range(1000))

    async def agree(self, command: dict[str, Any]) -> Any:
        """What one administrator proposes and the other approves."""
        return await self.bob.approve(await self.ann.propose(command))

    async def hired(self, *roles: str, **more: Any) -> Worker:
        """A member of staff with an account, not enrolled yet."""
        worker = Worker(self.bank, f"staff-{next(self._names)}")
        approval = await self.agree(hiring(worker, *roles, **more))
        reply = staff_accounts_service_pb2.CreateStaffResponse.FromString(approval.reply)
        worker.staff_id = reply.staff.staff_id
        return worker

    async def working(self, *roles: str, **more: Any) -> Worker:
        """A member of staff who has signed in."""
        return await (await self.hired(*roles, **more)).enrol()


@pytest.fixture(scope="module")
async def office(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("staff")) as bank:
        secrets = await bootstrap(bank, "ann", "bob")
        ann, bob = Worker(bank, "ann"), Worker(bank, "bob")
        for worker in (ann, bob):
            await worker.enrol(enrolment_secret=secrets[worker.login])
        yield Office(bank, ann, bob, secrets["ann"])


async def refusal(work: Any) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await work
    return told(caught.value)


async def outcome(work: Any) -> str:
    """The reason of a refusal; empty when there is none."""
    try:
        await work
    except grpc.aio.AioRpcError as error:
        return told(error).reason
    return ""


def code(answer: Told) -> tuple[str, str]:
    return answer.code.name, answer.reason


# -- The first two, and those after them.


async def test_a_bank_is_bootstrapped_once(office: Office) -> None:
    with pytest.raises(Refusal, match="there are administrators already"):
        await bootstrap(office.bank, "eve", "mallory")
    stranger = Worker(office.bank, "ann")
    answer = await refusal(stranger.enrol(enrolment_secret=office.secret))
    assert code(answer) == ("UNAUTHENTICATED", "ENROLMENT_REJECTED")


async def test_accounts_are_made_by_two_persons(office: Office) -> None:
    worker = Worker(office.bank, "two-people")
    command = hiring(worker, "teller", branch="sh-01")
    answer = await refusal(office.ann.do(f"{ACCOUNTS}/CreateStaff", **command["create_staff"]))
    assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    made = await office.ann.propose(command)
    shown = {one.field: one.after for one in made.changes}
    assert shown["roles"] == "teller"
    assert shown["enrols_with_key"] == worker.device.key.thumbprint
    # The account exists once it is approved; until then nobody enrols.
    assert await outcome(worker.enrol()) == "ENROLMENT_REJECTED"
    assert (await refusal(office.ann.approve(made))).reason == "APPROVAL_BY_MAKER"
    done = await office.bob.approve(made)
    reply = staff_accounts_service_pb2.CreateStaffResponse.FromString(done.reply)
    assert (reply.staff.state, reply.staff.branch) == (staff_pb2.STAFF_STATE_INVITED, "sh-01")
    thief = Worker(office.bank, worker.login)
    assert await outcome(thief.enrol()) == "ENROLMENT_REJECTED"
    await worker.enrol()
    assert worker.staff_id == reply.staff.staff_id
    listed = await office.ann.do(f"{ACCOUNTS}/ListStaff", login=worker.login)
    assert [one.state for one in listed.staff] == [staff_pb2.STAFF_STATE_ACTIVE]
    assert [one.person_id for one in listed.staff] == ["E-two-people"]
    again = await refusal(office.ann.propose(command | {}))
    assert code(again) == ("ALREADY_EXISTS", "STAFF_LOGIN_TAKEN")


async def test_nobody_decides_by_another_account_of_theirs(office: Office) -> None:
    second = await office.working("admin", person="E-ann")
    made = await office.ann.propose(hiring(Worker(office.bank, "nobody"), "auditor"))
    answer = await refusal(second.approve(made))
    assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_BY_MAKER")
    await second.do("ApprovalsService/CancelApproval", approval_id=made.approval_id)


async def test_an_expired_enrolment_is_reset(office: Office) -> None:
    worker = await office.hired("auditor")
    later(office.bank, 8 * 86_400)
    for admin in (office.ann, office.bob):
        await admin.sign_in()
    assert await outcome(worker.enrol()) == "ENROLMENT_REJECTED"
    reset = {
        "request_id": office.bank.new_request_id(),
        "staff_id": worker.staff_id,
        "key_thumbprint": worker.device.key.thumbprint,
    }
    await office.agree({"reset_staff": reset})
    await worker.enrol()


# -- Roles.


async def test_roles_hold_whoever_has_signed_in(office: Office) -> None:
    auditor = await office.working("auditor")
    owner = await office.bank.person()
    assert (await auditor.do("AuditService/ListAudit", page_size=1)).records
    assert await outcome(auditor.do("LedgerService/GetAccount", account_id=owner.account)) == ""
    freezing = {"account_id": owner.account, "reason_text": "no"}
    for who, name, fields in (
        (auditor, "AccountsService/FreezeAccount", freezing),
        (auditor, f"{ACCOUNTS}/SuspendStaff", {"staff_id": auditor.staff_id}),
        (office.ann, "AccountsService/FreezeAccount", freezing),
        (office.ann, "LedgerService/GetAccount", {"account_id": owner.account}),
        (office.ann, "ProfileService/GetProfile", {"customer_id": owner.customer}),
    ):
        answer = await refusal(who.do(name, **fields))
        assert code(answer) == ("PERMISSION_DENIED", "PERMISSION_DENIED"), (who.login, name)


async def test_an_administrator_cannot_propose_what_moves_money(office: Office) -> None:
    owner = await office.bank.person()
    order = {
        "create_transaction": {
            "request_id": office.bank.new_request_id(),
            "postings": [
                {
                    "debit_account_id": owner.account,
                    "credit_account_id": office.bank.payee.account,
                    "amount": {"minor_units": 9, "currency_code": "CNY"},
                }
            ],
        }
    }
    answer = await refusal(office.ann.propose(order))
    assert code(answer) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    clerk = await office.working("operations")
    made = await clerk.propose(order)
    # Administrators decide, too, but not what their own role could not propose.
    assert (await refusal(office.bob.approve(made))).reason == "PERMISSION_DENIED"
    risk = await office.working("risk_officer")
    await risk.approve(made)


async def test_an_administrator_gives_no_service_a_secret(office: Office) -> None:
    making = {"owner_kind": credentials_service_pb2.KEY_OWNER_KIND_SERVICE, "owner": "batch"}
    create, rotate = "CredentialsService/CreateKey", "CredentialsService/RotateKey"
    for scope in ("admin.read", "transfers.write", "ledger.write", "factors.unlock"):
        answer = await refusal(office.ann.do(create, scopes=[scope], **making))
        assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    # One of development is not rotated into an administrator's hands either.
    making["owner"] = "old"
    old = await office.bank.do(
        create, office.bank.token("staff"), scopes=["ledger.write"], **making
    )
    answer = await refusal(office.ann.do(rotate, key_id=old.key.key_id))
    assert code(answer) == ("FAILED_PRECONDITION", "CLAIM_KEY_MISSING")
    order = {
        "request_id": office.bank.new_request_id(),
        "scopes": ["ledger.write"],
        "identity": "spiffe://bank.example/batch",
        **making,
    }
    order["owner"] = "mover"
    answer = await refusal(office.ann.do("CredentialsService/RegisterCertificate", **order))
    assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    proposed = await office.ann.propose({"register_certificate": order})
    shown = {one.field: one.after for one in proposed.changes}
    assert shown["identity"] == "spiffe://bank.example/batch"
    assert shown["scopes"] == "ledger.write"
    await office.bob.approve(proposed)


async def test_a_change_of_roles_ends_sessions_and_takes_effect(office: Office) -> None:
    worker = await office.working("auditor")
    assert await outcome(worker.do("AuditService/ListAudit")) == ""
    grant = {
        "request_id": office.bank.new_request_id(),
        "staff_id": worker.staff_id,
        "roles": numbers("teller"),
        "branch": "sh-02",
    }
    await office.agree({"grant_staff": grant})

    async def ended() -> bool:
        return await outcome(worker.do("AuditService/ListAudit")) == "SESSION_REVOKED"

    await until(ended, "the session is refused", seconds=5)
    session = await worker.sign_in(steps=1)
    assert session.staff.branch == "sh-02"
    assert await outcome(worker.do("AuditService/ListAudit")) == "PERMISSION_DENIED"


async def test_a_suspended_account_is_shut_and_let_in_by_two(office: Office) -> None:
    worker = await office.working("auditor")
    await office.ann.do(f"{ACCOUNTS}/SuspendStaff", staff_id=worker.staff_id)
    assert await outcome(worker.do(CLOCK)) == "SESSION_REVOKED"
    assert await outcome(worker.sign_in(steps=1)) == "SIGN_IN_REJECTED"
    grant = {
        "request_id": office.bank.new_request_id(),
        "staff_id": worker.staff_id,
        "roles": numbers("auditor"),
    }
    await office.agree({"grant_staff": grant})
    await worker.sign_in(steps=1)


async def test_two_persons_stay_who_administer_staff(office: Office) -> None:
    answer = await refusal(office.ann.do(f"{ACCOUNTS}/SuspendStaff", staff_id=office.bob.staff_id))
    assert code(answer) == ("FAILED_PRECONDITION", "STAFF_LAST_ADMINS")
    assert answer.metadata == {"least": "2"}
    third = await office.working("admin")
    await office.ann.do(f"{ACCOUNTS}/SuspendStaff", staff_id=third.staff_id)


async def test_an_account_that_is_not_there_is_not_found(office: Office) -> None:
    for digits in ("0" * 28 + "0002", "0" * 28 + "7ffe"):
        staff_id = f"stf_{digits}"
        answer = await refusal(office.ann.do(f"{ACCOUNTS}/SuspendStaff", staff_id=staff_id))
        assert code(answer) == ("NOT_FOUND", "STAFF_NOT_FOUND")
        assert answer.metadata == {"staff_id": staff_id}


# -- Signing in.


async def test_whatever_is_wrong_has_one_answer(office: Office) -> None:
    worker = await office.working("teller")
    answers = [
        await refusal(worker.sign_in(password="vermilion heron 48", steps=1)),
        await refusal(worker.sign_in(second_factor={"totp_code": "000000"})),
        await refusal(worker.sign_in(second_factor={"backup_code": "aaaa-bbbb-cccc-dddd"})),
        await refusal(Worker(office.bank, "nobody-at-all", seed=worker.seed).sign_in()),
        # The code that ended the enrolment is used up.
        await refusal(worker.sign_in()),
    ]
    assert {(*code(one), one.message) for one in answers} == {
        ("UNAUTHENTICATED", "SIGN_IN_REJECTED", answers[0].message)
    }
    assert {tuple(one.metadata) for one in answers} == {()}


async def test_a_sign_in_is_of_its_machine_once_and_in_time(office: Office) -> None:
    worker = await office.working("teller")
    begun = await worker.start()
    stolen = Device().offer("CompleteStaffSignIn", b"another nonce")
    offered = {"second_factor": {"totp_code": worker.code(1)}, "password": PASSWORD}
    answer = await refusal(
        office.bank.do(
            "StaffSessionsService/CompleteStaffSignIn",
            "",
            sign_in_id=begun.sign_in_id,
            device=stolen,
            **offered,
        )
    )
    assert answer.reason == "SIGN_IN_REJECTED"
    await worker.sign_in(begun=begun, steps=1)
    assert await outcome(worker.sign_in(begun=begun, steps=1)) == "SIGN_IN_EXPIRED"
    begun = await worker.start()
    later(office.bank, 301)
    assert await outcome(worker.sign_in(begun=begun)) == "SIGN_IN_EXPIRED"


async def test_too_many_tries_lock_strangers_out_and_not_the_owners_machine(
    office: Office,
) -> None:
    worker = await office.working("teller")
    thief = Worker(office.bank, worker.login, seed=worker.seed)
    begun = [await thief.start() for _ in range(12)]
    reasons = await asyncio.gather(
        *(outcome(thief.sign_in(begun=one, password="wrong guess 99")) for one in begun)
    )
    assert set(reasons) <= {"SIGN_IN_REJECTED", "OVERLOADED"}
    # Right now, and all the same refused: this machine's tries are used up.
    assert await outcome(thief.sign_in(steps=1)) == "SIGN_IN_REJECTED"
    await worker.sign_in(steps=1)


async def test_weak_passwords_of_staff_are_refused(office: Office) -> None:
    worker = await office.hired("teller")
    begun = await worker.start()
    for password, rule in (
        ("short", "length.min"),
        (f"my {worker.login} 1234", "login"),
        ("aaaaaaaaaaaaaaaa", "common"),
    ):
        answer = await refusal(worker.step("EnrolStaff", begun, password=password))
        assert code(answer) == ("INVALID_ARGUMENT", "PASSWORD_WEAK")
        assert answer.metadata["rule"] == rule
    answer = await refusal(worker.step("ConfirmStaffEnrolment", begun, totp_code="000000"))
    assert answer.reason == "SIGN_IN_REJECTED"


async def test_a_passkey_signs_in(office: Office) -> None:
    worker = await office.working("auditor")
    started = await worker.do("StaffSessionsService/StartStaffPasskey")
    credential = worker.authenticator.create(started.options_json)
    await worker.do("StaffSessionsService/ConfirmStaffPasskey", credential_json=credential)
    begun = await worker.start()
    assertion = {"passkey_assertion_json": worker.authenticator.get(begun.passkey_options_json)}
    await worker.sign_in(begun=begun, second_factor=assertion)
    assert await outcome(worker.do(CLOCK)) == ""
    other = await worker.start()
    replayed = await refusal(worker.sign_in(begun=other, second_factor=assertion))
    assert replayed.reason == "SIGN_IN_REJECTED"


async def test_passkeys_are_added_soon_after_signing_in_only(office: Office) -> None:
    worker = await office.working("auditor")
    later(office.bank, 301)
    answer = await refusal(worker.do("StaffSessionsService/StartStaffPasskey"))
    assert code(answer) == ("FAILED_PRECONDITION", "SIGN_IN_STALE")
    assert answer.metadata == {"seconds": "300"}


# -- Sessions.


async def test_sessions_are_renewed_and_end_by_idling_by_age_and_by_signing_out(
    office: Office,
) -> None:
    worker = await office.working("auditor")
    first = worker.access_token
    renewed = await worker.do("StaffSessionsService/RenewStaffSession")
    worker.access_token = renewed.session.access_token
    assert worker.access_token not in {"", first}
    assert renewed.session.staff.login == worker.login
    later(office.bank, 899)
    assert await outcome(worker.do(CLOCK)) == ""
    later(office.bank, 901)
    answer = await refusal(worker.do(CLOCK))
    assert (answer.reason, answer.metadata) == ("SESSION_EXPIRED", {"limit": "idle"})
    await worker.sign_in()
    ended = ""
    while not ended:
        later(office.bank, 890)
        ended = await outcome(worker.do(CLOCK))
    assert ended == "SESSION_EXPIRED"
    await worker.sign_in()
    await worker.do("StaffSessionsService/SignOutStaff")
    assert await outcome(worker.do(CLOCK)) == "SESSION_REVOKED"
    for admin in (office.ann, office.bob):
        await admin.sign_in()


async def test_a_token_is_of_no_use_without_its_machines_key(office: Office) -> None:
    thief = Worker(office.bank, "ann", access_token=office.ann.access_token)
    assert await outcome(thief.do(CLOCK)) == "PROOF_INVALID"


async def test_the_trail_has_sign_ins_and_the_database_has_no_secret(
    office: Office, module_database: Database
) -> None:
    worker = await office.working("auditor")
    assert await outcome(worker.sign_in(password="not the password")) == "SIGN_IN_REJECTED"
    found = await worker.do("AuditService/ListAudit", principal_subject="anonymous", page_size=1000)
    kept = {(one.method.rpartition("/")[2], one.reason) for one in found.records}
    assert kept >= {
        ("CompleteStaffSignIn", "SIGN_IN_REJECTED"),
        ("EnrolStaff", ""),
        ("ConfirmStaffEnrolment", ""),
    }
    with psycopg.connect(module_database.admin_dsn) as connection:
        tables = ("staff_account", "factor", "request_record", "event", "staff_session")
        for table in tables:
            rows = connection.execute(f"select t::text from {table} t".encode()).fetchall()  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            for secret in (PASSWORD, worker.seed, office.secret, worker.access_token):
                assert secret not in text
                assert secret.encode().hex() not in text
