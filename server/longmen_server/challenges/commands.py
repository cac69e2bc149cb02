"""The commands of challenges: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
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
from longmen_server.factors.change import reserve_try, tell_factor
from longmen_server.factors.model import (
    AttemptKey,
    FactorKey,
    FactorKind,
    FactorRow,
    Verdict,
    bit,
    factor_rejected,
    forgive,
)
from longmen_server.factors.tables import ATTEMPT, FACTOR, SECURITY
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import ChallengeId, CustomerId

__all__ = ["ADMITTED", "ApproveChallenge", "DeclineChallenge", "ReserveTry"]

ADMITTED = b"\x01"
REFUSED = b"\x00"
"""Replies of ReserveTry."""


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


class CounterRegress(Refusal):
    """A passkey counted backwards: there may be a copy of it."""

    def __init__(self, key: FactorKey) -> None:
        """Refuse as any wrong factor, and remember which."""
        plain = factor_rejected()
        super().__init__(plain.reason, plain.message)
        self.key = key


class ApproveChallenge(ChallengeCommand):
    """Take the verdict over one factor, and approve if it was the last one needed."""

    __slots__ = ("device_id", "verdict")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
        device_id: bytes,
        verdict: Verdict,
    ) -> None:
        super().__init__(book, request, challenge_id=challenge_id, customer_id=customer_id)
        self.device_id = device_id
        self.verdict = verdict

    @property
    def _factor(self) -> FactorKey:
        return FactorKey(self.customer_id, self.verdict.kind, self.verdict.slot)

    @property
    def _attempt(self) -> AttemptKey:
        return AttemptKey(self.customer_id, self.device_id, self.verdict.kind)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge, the factor and the device's tries."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(FACTOR, self._factor)
            yield RowKey(ATTEMPT, self._attempt)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Approve with one factor."""
        row = self.load(working_set)
        verdict = self.verdict
        check_method(row, verdict.kind)
        factor = working_set.get(FACTOR, self._factor)
        if not verdict.is_right or factor is None or not self._still_holds(factor):
            raise factor_rejected()
        self._use_up(working_set)
        if working_set.get(ATTEMPT, self._attempt) is not None:
            forgive(working_set.edit(ATTEMPT, self._attempt), working_set.now_us)
        row = working_set.edit(CHALLENGE, self.challenge_id)
        row.approved |= bit(verdict.kind)
        row.changed_at_us = working_set.now_us
        if row.state == ChallengeState.PENDING and is_enough(row.approved, row.factors_needed):
            row = set_state(working_set, self.challenge_id, ChallengeState.APPROVED)
        return pb.ApproveChallengeResponse(
            challenge=encode.challenge(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Flag a passkey that counted backwards."""
        if isinstance(refusal, CounterRegress):
            working_set.edit(FACTOR, refusal.key).flagged = True
            tell_factor(
                working_set,
                event_pb2.EVENT_TYPE_PASSKEY_FLAGGED,
                self.customer_id,
                FactorKind.PASSKEY,
            )

    def _still_holds(self, factor: FactorRow) -> bool:
        """Whether the factor is the one that was looked at, and not used up meanwhile."""
        verdict = self.verdict
        if not factor.is_active or factor.changed_at_us != verdict.changed_at_us:
            return False
        if factor.kind == FactorKind.TOTP:
            return verdict.counter > factor.counter
        if factor.kind == FactorKind.BACKUP_CODES:
            return not factor.counter >> verdict.counter & 1
        if factor.kind == FactorKind.PASSKEY:
            if factor.flagged:
                return False
            if (verdict.counter or factor.counter) and verdict.counter <= factor.counter:
                raise CounterRegress(factor.key)
        return True

    def _use_up(self, working_set: WorkingSet) -> None:
        """Remember what may not be used again."""
        verdict = self.verdict
        if verdict.kind in {FactorKind.TOTP, FactorKind.PASSKEY}:
            working_set.edit(FACTOR, self._factor).counter = verdict.counter
        elif verdict.kind == FactorKind.BACKUP_CODES:
            working_set.edit(FACTOR, self._factor).counter |= 1 << verdict.counter


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
