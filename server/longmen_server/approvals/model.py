"""Proposals and their rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from longmen_server.platform.ids import APPROVAL
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import ApprovalId


class ApprovalState(IntEnum):
    """Where a proposal stands; values of longmen.staff.v1.ApprovalState."""

    PENDING = 1
    EXECUTED = 2
    REJECTED = 3
    CANCELLED = 4
    EXPIRED = 5


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff at work."""

    subject: str
    person: str
    """The human being, who may have several accounts; empty where that is not known."""
    session_id: str | None
    device_id: str | None


@dataclass(slots=True)
class ApprovalRow:
    """A proposal as stored, in the order of its columns."""

    approval_id: ApprovalId
    state: int
    method: str
    payload: bytes
    """The serialised ProposedCommand."""
    payload_hash: bytes
    changes: bytes
    """The changes shown to whoever decides, as a serialised Approval with nothing else in it."""
    reason_text: str
    maker: str
    maker_session: str | None
    maker_device: str | None
    maker_person: str
    created_at_us: int
    expires_at_us: int
    decider: str | None
    decided_at_us: int | None
    decision_text: str | None
    reply: bytes | None
    decider_person: str | None

    def copy(self) -> ApprovalRow:
        """Return a copy for a command to change."""
        return replace(self)

    def state_at(self, now_us: int) -> ApprovalState:
        """Return the state at a time: a pending proposal expires by itself."""
        if self.state == ApprovalState.PENDING and now_us >= self.expires_at_us:
            return ApprovalState.EXPIRED
        return ApprovalState(self.state)


def approval_not_found(approval_id: ApprovalId) -> Refusal:
    """Return the refusal for a proposal that is not there."""
    return Refusal(
        "APPROVAL_NOT_FOUND",
        "there is no such proposal",
        metadata={"approval_id": APPROVAL.encode(approval_id)},
        field="approval_id",
    )


def check_open(row: ApprovalRow, now_us: int) -> None:
    """Refuse to decide what is decided or too old.

    Raises:
        Refusal: APPROVAL_DECIDED, APPROVAL_EXPIRED.
    """
    state = row.state_at(now_us)
    if state == ApprovalState.EXPIRED:
        raise Refusal("APPROVAL_EXPIRED", "nobody decided the proposal in its time")
    if state != ApprovalState.PENDING:
        raise Refusal(
            "APPROVAL_DECIDED",
            f"the proposal was {state.name.lower()} before",
            metadata={"state": state.name},
        )


def check_other_person(row: ApprovalRow, person: Person) -> None:
    """Refuse whoever made the proposal, by whatever account, session or device.

    Raises:
        Refusal: APPROVAL_BY_MAKER.
    """
    same_session = person.session_id is not None and person.session_id == row.maker_session
    same_device = person.device_id is not None and person.device_id == row.maker_device
    same_person = bool(person.person) and person.person == row.maker_person
    if person.subject == row.maker or same_person or same_session or same_device:
        raise Refusal("APPROVAL_BY_MAKER", "another person has to decide the proposal")


def check_maker(row: ApprovalRow, person: Person) -> None:
    """Refuse to let anybody take back what somebody else proposed.

    Raises:
        Refusal: APPROVAL_OF_OTHERS.
    """
    same_person = bool(person.person) and person.person == row.maker_person
    if person.subject != row.maker and not same_person:
        raise Refusal("APPROVAL_OF_OTHERS", "only its maker can cancel a proposal")


def check_hash(row: ApprovalRow, payload_hash: bytes) -> None:
    """Refuse to approve something else than what was proposed.

    Raises:
        Refusal: APPROVAL_HASH_MISMATCH.
    """
    if row.payload_hash != payload_hash:
        raise Refusal(
            "APPROVAL_HASH_MISMATCH",
            "what is to be approved is not what was proposed",
            field="payload_hash",
        )
