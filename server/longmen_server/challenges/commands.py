"""The commands of challenges: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import challenge_service_pb2 as pb
from longmen_server.challenges import encode
from longmen_server.challenges.gate import set_state
from longmen_server.challenges.model import (
    ChallengeRow,
    ChallengeState,
    challenge_not_found,
    check_method,
    check_open,
    is_enough,
)
from longmen_server.challenges.tables import CHALLENGE
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.factors.model import AttemptKey, FactorKind, Verdict, bit
from longmen_server.factors.proving import (
    ADMITTED,
    REFUSED,
    flag_copy,
    reserve_try,
    take_verdict,
    verdict_keys,
)
from longmen_server.factors.tables import ATTEMPT, SECURITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import ChallengeId, CustomerId
    from longmen_server.platform.refusal import Refusal

__all__ = ["ApproveChallenge", "DeclineChallenge", "ReserveTry", "approve"]


class ChallengeCommand(Command):
    """A command about one challenge of a customer."""

    __slots__ = ("challenge_id", "customer_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
    ) -> None:
        super().__init__(book, request)
        self.challenge_id = challenge_id
        self.customer_id = customer_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(CHALLENGE, self.challenge_id)

    def load(self, working_set: WorkingSet) -> ChallengeRow:
        """Return the challenge if it can still be approved.

        Raises:
            Refusal: CHALLENGE_NOT_FOUND, CHALLENGE_EXPIRED, CHALLENGE_CLOSED.
        """
        row = working_set.get(CHALLENGE, self.challenge_id)
        if row is None or row.customer_id != self.customer_id:
            raise challenge_not_found(self.challenge_id)
        check_open(row, working_set.now_us)
        return row


class ReserveTry(ChallengeCommand):
    """Count a try of a factor before anybody looks whether it is right.

    So however many come at once, no more are looked at than the rules allow. A blocked try is not
    refused here: it goes the same way as a wrong one, and is told apart by nothing.
    """

    __slots__ = ("device_id", "kind", "notices")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
        device_id: bytes,
        kind: FactorKind,
        notices: Sequence[MessageRow],
    ) -> None:
        super().__init__(book, request, challenge_id=challenge_id, customer_id=customer_id)
        self.device_id = device_id
        self.kind = kind
        self.notices = notices
        """Tell the customer of a block, if the try brings one about."""

    @property
    def _attempt(self) -> AttemptKey:
        return AttemptKey(self.customer_id, self.device_id, self.kind)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge, the customer's row and the device's tries."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)
            yield RowKey(ATTEMPT, self._attempt)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Count, unless no try is taken at present."""
        check_method(self.load(working_set), self.kind)
        admitted = reserve_try(working_set, self._attempt, self.notices)
        return ADMITTED if admitted else REFUSED


class ApproveChallenge(ChallengeCommand):
    """Take the verdict over one factor, and approve if it was the last one needed."""

    __slots__ = ("device_id", "notices", "verdict")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
        device_id: bytes,
        verdict: Verdict,
        notices: Sequence[MessageRow] = (),
    ) -> None:
        super().__init__(book, request, challenge_id=challenge_id, customer_id=customer_id)
        self.device_id = device_id
        self.verdict = verdict
        self.notices = notices
        """Tell the customer of a passkey that counted backwards."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge, the factor and the device's tries."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield from verdict_keys(self.customer_id, self.device_id, self.verdict)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Approve with one factor."""
        row = self.load(working_set)
        check_method(row, self.verdict.kind)
        take_verdict(working_set, self.customer_id, self.device_id, self.verdict)
        return approve(working_set, self.challenge_id, self.verdict.kind)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Flag a passkey that counted backwards."""
        flag_copy(working_set, refusal, self.notices)


def approve(working_set: WorkingSet, challenge_id: ChallengeId, kind: int) -> bytes:
    """Note that one kind of factor approves a challenge, and return the reply."""
    row = working_set.edit(CHALLENGE, challenge_id)
    row.approved |= bit(kind)
    row.changed_at_us = working_set.now_us
    if row.state == ChallengeState.PENDING and is_enough(row.approved, row.factors_needed):
        row = set_state(working_set, challenge_id, ChallengeState.APPROVED)
    return pb.ApproveChallengeResponse(
        challenge=encode.challenge(row, working_set.now_us),
        committed_at=working_set.committed_at,
    ).SerializeToString()


class DeclineChallenge(ChallengeCommand):
    """Turn a request down."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Close the challenge."""
        self.load(working_set)
        row = set_state(working_set, self.challenge_id, ChallengeState.DECLINED)
        return pb.DeclineChallengeResponse(
            challenge=encode.challenge(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()
