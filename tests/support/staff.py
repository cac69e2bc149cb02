"""Members of staff with machines of their own, who enrol, sign in and call."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pyotp

from longmen.type.v1 import policy_pb2
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_server.platform.device_keys import read_b64url
from longmen_server.platform.ids import STAFF, StaffId, new_id
from longmen_server.staff.account_commands import Bootstrap
from longmen_server.staff.build import limits_of, new_account
from longmen_server.staff.model import Enrolment, Role, StaffState, enrolment_of, role_bits
from longmen_server.staff.settings import StaffSettings
from tests.support.identity import Device
from tests.support.small_bank import BOOK, STAFF_SUBJECT

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

PASSWORD = "vermilion heron 47"
ANONYMOUS = ""
SESSIONS = "StaffSessionsService"
LIMITS = limits_of(StaffSettings())


@dataclass
class Worker:
    """One account on one machine."""

    bank: SmallBank
    login: str
    staff_id: str = ""
    device: Device = field(default_factory=Device)
    authenticator: SoftwareAuthenticator = field(default_factory=SoftwareAuthenticator)
    seed: str = ""
    access_token: str = ""

    def code(self, steps: int = 0) -> str:
        """What the authenticator app shows, some steps from now."""
        now_s = self.bank.parts.clock.now_us() // 1_000_000
        return pyotp.TOTP(self.seed).at(now_s + 30 * steps)

    # -- signing in ----------------------------------------------------------------------------

    async def start(self) -> Any:
        return await self.bank.do(f"{SESSIONS}/StartStaffSignIn", ANONYMOUS, login=self.login)

    async def step(self, rpc: str, begun: Any, **fields: Any) -> Any:
        """A step of a sign-in, with the machine's signature over its nonce."""
        device = fields.pop("device", self.device).offer(rpc, begun.nonce)
        return await self.bank.do(
            f"{SESSIONS}/{rpc}", ANONYMOUS, sign_in_id=begun.sign_in_id, device=device, **fields
        )

    async def enrol(self, **more: Any) -> Worker:
        """Set password and authenticator up, and have the first session."""
        begun = await self.start()
        made = await self.step("EnrolStaff", begun, password=PASSWORD, **more)
        self.seed = made.seed
        done = await self.step("ConfirmStaffEnrolment", begun, totp_code=self.code())
        self.access_token = done.session.access_token
        self.staff_id = done.session.staff.staff_id
        return self

    async def sign_in(self, *, password: str = PASSWORD, steps: int = 0, **more: Any) -> Any:
        """Sign in with the code of the authenticator app, or with what is given instead."""
        begun = more.pop("begun", None) or await self.start()
        fields = {"second_factor": {"totp_code": self.code(steps)}, **more}
        reply = await self.step("CompleteStaffSignIn", begun, password=password, **fields)
        self.access_token = reply.session.access_token
        return reply.session

    # -- calling -------------------------------------------------------------------------------

    async def do(self, name: str, **fields: Any) -> Any:
        """The reply of a method to this member of staff."""
        return await self.bank.signed(name, self, **fields)  # type: ignore[arg-type]  # alike

    async def propose(self, command: dict[str, Any]) -> Any:
        return (await self.do("ApprovalsService/ProposeApproval", command=command)).approval

    async def approve(self, approval: Any) -> Any:
        reply = await self.do(
            "ApprovalsService/ApproveApproval",
            approval_id=approval.approval_id,
            payload_hash=approval.payload_hash,
        )
        return reply.approval


async def bootstrap(bank: SmallBank, *logins: str) -> dict[str, str]:
    """Make the first administrators; their secrets by login."""
    made = {login: secrets.token_urlsafe(32) for login in logins}
    fresh = [
        new_account(
            StaffId(new_id(BOOK, bank.parts.clock)),
            login=login,
            person=f"E-{login}",
            branch="",
            roles=[Role.ADMIN],
            enrolment=enrolment_of(Enrolment.SECRET, sha256(secret.encode()).digest()),
            lifetime_us=LIMITS.enrolment_us,
        )
        for login, secret in made.items()
    ]
    parts = bank.parts
    deadline = parts.trusted_clock.monotonic() + 20
    await parts.engine.submit(Bootstrap(BOOK, fresh=fresh), deadline=deadline)
    return made


def hiring(worker: Worker, *roles: str, branch: str = "", person: str = "") -> dict[str, Any]:
    """The command that makes a worker's account."""
    return {
        "create_staff": {
            "request_id": worker.bank.new_request_id(),
            "login": worker.login,
            "person_id": person or f"E-{worker.login}",
            "roles": numbers(*roles),
            "branch": branch,
            "key_thumbprint": worker.device.key.thumbprint,
        }
    }


def numbers(*roles: str) -> list[int]:
    """Roles as the contract has them."""
    return [policy_pb2.StaffRole.Value(f"STAFF_ROLE_{role.upper()}") for role in roles]


# -- Samples.


def hire(bank: SmallBank, login: str, *, waits: bool, subject: str = "") -> Worker:
    """A worker whose account is simply there, invited with the machine's key or active."""
    worker = Worker(bank, login, subject or STAFF.encode(StaffId(new_id(BOOK, bank.parts.clock))))
    thumbprint = read_b64url(worker.device.key.thumbprint)
    now_us = bank.parts.clock.now_us()
    bank.execute(
        "insert into staff_account (book, staff_id, login, person, branch, roles, state, enrolment,"
        " enrol_until_us, created_at_us, changed_at_us)"
        " values (%s, %s, %s, %s, '', %s, %s, %s, %s, %s, %s) on conflict do nothing",
        BOOK,
        worker.staff_id.removeprefix("stf_"),
        login,
        f"E-{login}",
        role_bits([Role.TELLER]),
        int(StaffState.INVITED if waits else StaffState.ACTIVE),
        enrolment_of(Enrolment.KEY, thumbprint) if waits else b"",
        now_us + LIMITS.enrolment_us,
        now_us,
        now_us,
    )
    return worker


def fresh_login(bank: SmallBank) -> str:
    """A login that nobody has."""
    return f"u{secrets.token_hex(6)}"


async def account_of_staff(bank: SmallBank, _: Person) -> dict[str, Any]:
    return {"staff_id": hire(bank, fresh_login(bank), waits=True).staff_id}


async def new_roles(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return {**await account_of_staff(bank, owner), "roles": numbers("teller"), "branch": "sh-01"}


async def new_key(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return {
        **await account_of_staff(bank, owner),
        "key_thumbprint": Device().key.thumbprint,
    }


def new_staff(bank: SmallBank, _: Person) -> dict[str, Any]:
    worker = Worker(bank, fresh_login(bank))
    command: dict[str, Any] = hiring(worker, "teller", branch="sh-01")["create_staff"]
    return {name: value for name, value in command.items() if name != "request_id"}


async def staff_to_list(bank: SmallBank, _: Person) -> dict[str, Any]:
    for _number in range(3):
        hire(bank, fresh_login(bank), waits=True)
    return {}


def known_login(bank: SmallBank, _: Person) -> dict[str, Any]:
    return {"login": hire(bank, fresh_login(bank), waits=True).login}


async def enrolling(bank: SmallBank, _: Person) -> dict[str, Any]:
    worker = hire(bank, fresh_login(bank), waits=True)
    begun = await worker.start()
    device = worker.device.offer("EnrolStaff", begun.nonce)
    return {"sign_in_id": begun.sign_in_id, "device": device, "password": PASSWORD}


async def enrolled(bank: SmallBank, _: Person) -> dict[str, Any]:
    worker = hire(bank, fresh_login(bank), waits=True)
    begun = await worker.start()
    worker.seed = (await worker.step("EnrolStaff", begun, password=PASSWORD)).seed
    return {
        "sign_in_id": begun.sign_in_id,
        "device": worker.device.offer("ConfirmStaffEnrolment", begun.nonce),
        "totp_code": worker.code(),
    }


async def signing_in(bank: SmallBank, _: Person) -> dict[str, Any]:
    worker = await hire(bank, fresh_login(bank), waits=True).enrol()
    begun = await worker.start()
    return {
        "sign_in_id": begun.sign_in_id,
        "device": worker.device.offer("CompleteStaffSignIn", begun.nonce),
        "password": PASSWORD,
        # The code that ended the enrolment is used up; the next one is good a step early.
        "second_factor": {"totp_code": worker.code(1)},
    }


def own_account(bank: SmallBank, _: Person) -> dict[str, Any]:
    """What the account of the samples' token needs: to be there."""
    hire(bank, "samples", waits=False, subject=STAFF_SUBJECT)
    return {}


async def own_passkey(bank: SmallBank, owner: Person) -> dict[str, Any]:
    own_account(bank, owner)
    started = await bank.do(f"{SESSIONS}/StartStaffPasskey", bank.token("staff"))
    device = SoftwareAuthenticator()
    return {"credential_json": device.create(started.options_json), "label": "desk"}
