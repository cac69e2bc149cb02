"""Accounts of staff in a book, made by their own commands: two administrators and a decision."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_server.approvals.commands import ApproveProposal, Propose
from longmen_server.approvals.model import ApprovalRow, ApprovalState, Person
from longmen_server.credentials.build import new_key
from longmen_server.credentials.commands import CLAIM_US, ClaimKey, CreateKey, RotateKey
from longmen_server.platform.ids import (
    ApiKeyId,
    ApprovalId,
    DeviceId,
    FactorId,
    SessionId,
    StaffId,
    VerificationId,
    new_id,
)
from longmen_server.staff.account_commands import Bootstrap, GrantStaff
from longmen_server.staff.build import limits_of, new_account
from longmen_server.staff.model import Enrolment, Role, SignInRow, enrolment_of, role_bits
from longmen_server.staff.session_commands import ConfirmEnrolment, Draft, Enrol, StartSignIn
from longmen_server.staff.settings import StaffSettings
from tests.support.ledger import BOOK

if TYPE_CHECKING:
    from longmen_server.platform.clock import Clock
    from tests.support.ledger import Ledger

LIMITS = limits_of(StaffSettings())
KEY = enrolment_of(Enrolment.KEY, bytes(32))


async def fill_staff(ledger: Ledger) -> None:
    """Two administrators, one of whom has signed in, and a proposal that the other approved."""
    clock = ledger.clock
    ids = [StaffId(new_id(BOOK, clock)) for _ in range(2)]
    fresh = [
        new_account(
            staff_id,
            login=f"admin-{number}",
            person=f"E-{number}",
            branch="",
            roles=[Role.ADMIN],
            enrolment=KEY,
            lifetime_us=LIMITS.enrolment_us,
        )
        for number, staff_id in enumerate(ids)
    ]
    await ledger.submit(Bootstrap(BOOK, fresh=fresh))
    await _enrol(ledger, clock, ids[0])
    await _keys(ledger, clock)
    inner = GrantStaff(
        BOOK, None, staff_id=ids[1], roles=role_bits([Role.ADMIN, Role.AUDITOR]), branch="sh-01"
    )
    row = _proposal(clock)
    await ledger.submit(Propose(BOOK, None, row=row, inner=inner))
    await ledger.submit(
        ApproveProposal(
            BOOK,
            None,
            approval_id=row.approval_id,
            person=Person("admin-1", "E-1", None, None),
            text="",
            payload_hash=row.payload_hash,
            built_hash=row.payload_hash,
            inner=inner,
        )
    )


async def _keys(ledger: Ledger, clock: Clock) -> None:
    """A key that waits for its claimant, and one that was claimed and then rotated."""
    rows = []
    for owner in ("waits", "till"):
        request = pb.CreateKeyRequest(
            owner_kind=pb.KEY_OWNER_KIND_MERCHANT, owner=owner, scopes=["orders.write"]
        )
        rows.append(new_key(request, clock, BOOK))
        rows[-1].public_key, rows[-1].claim_until_us = b"key", CLAIM_US
        await ledger.submit(CreateKey(BOOK, None, row=rows[-1], sealed_secret=""))
    row = rows[-1]
    claimed = ClaimKey(
        BOOK, None, key_id=row.key_id, proven=b"key", secret_hash=bytes(32), sealed_secret=""
    )
    await ledger.submit(claimed)
    await ledger.submit(
        RotateKey(
            BOOK,
            None,
            key_id=row.key_id,
            fresh_id=ApiKeyId(new_id(BOOK, clock)),
            owner=row.for_owner,
            secret_hash=b"",
            sealed_secret="",
            overlap_us=1,
        )
    )


async def _enrol(ledger: Ledger, clock: Clock, staff_id: StaffId) -> None:
    sign_in_id = VerificationId(new_id(BOOK, clock))
    begun = SignInRow(sign_in_id, staff_id, bytes(32), 0, 0, used=False)
    await ledger.submit(StartSignIn(BOOK, None, row=begun, options_json="", limits=LIMITS))
    factor_ids = FactorId(new_id(BOOK, clock)), FactorId(new_id(BOOK, clock))
    await ledger.submit(
        Enrol(
            BOOK,
            None,
            sign_in_id=sign_in_id,
            staff_id=staff_id,
            limits=LIMITS,
            offered=(KEY,),
            phc="",
            sealed_seed=b"",
            sealed_reply=b"",
            factor_ids=factor_ids,
        )
    )
    await ledger.submit(
        ConfirmEnrolment(
            BOOK,
            None,
            sign_in_id=sign_in_id,
            staff_id=staff_id,
            limits=LIMITS,
            offered=(KEY,),
            factor_id=factor_ids[1],
            step=1,
            draft=Draft(
                session_id=SessionId(new_id(BOOK, clock)),
                device_id=DeviceId(new_id(BOOK, clock)),
                thumbprint="",
                account_changed_at_us=clock.now_us() + 1,
                sealed=b"",
            ),
        )
    )


def _proposal(clock: Clock) -> ApprovalRow:
    payload = b""
    return ApprovalRow(
        approval_id=ApprovalId(new_id(BOOK, clock)),
        state=ApprovalState.PENDING,
        method="",
        payload=payload,
        payload_hash=sha256(payload).digest(),
        changes=b"",
        reason_text="",
        maker="admin-0",
        maker_session=None,
        maker_device=None,
        maker_person="E-0",
        created_at_us=0,
        expires_at_us=3_600_000_000,
        decider=None,
        decided_at_us=None,
        decision_text=None,
        reply=None,
        decider_person=None,
    )
