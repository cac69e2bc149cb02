"""The commands of codes by message: sending one for a challenge, and approving with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import challenge_service_pb2 as pb
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.commands import ChallengeCommand, approve
from longmen_server.challenges.gate import tell_as
from longmen_server.challenges.model import (
    CODE_TRIES_MAX,
    CodeRow,
    check_method,
    email_not_proven,
)
from longmen_server.challenges.tables import CHALLENGE_CODE
from longmen_server.engine.command import RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.factors.model import FactorKind, factor_rejected
from longmen_server.identity.model import Limits, Purpose, SendingKey
from longmen_server.identity.steps import send
from longmen_server.identity.tables import SENDING
from longmen_server.ledger.encode import timestamp
from longmen_server.messages.model import Channel
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import ChallengeId, CustomerId, VerificationId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.refusal import Refusal

__all__ = ["ApproveByMessage", "Outgoing", "SendChallengeCode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A code on its way, made out before it is decided whether it goes."""

    masked: str
    """Whom it goes to, as the customer is shown."""
    phone_index: bytes
    """Counts what is sent to the customer."""
    digest: bytes
    message: MessageRow


class SendChallengeCode(ChallengeCommand):
    """Send a code that approves one challenge; an earlier one is void."""

    __slots__ = ("channel", "limits", "outgoing")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
        channel: Channel,
        outgoing: Outgoing | None,
        limits: Limits,
    ) -> None:
        super().__init__(book, request, challenge_id=challenge_id, customer_id=customer_id)
        self.channel = channel
        self.outgoing = outgoing
        """None where there was no challenge of the customer's, or no address it may go to."""
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge and its code, the wallet, and what was sent before."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_LINK:
            yield RowKey(CHALLENGE_CODE, self.challenge_id)
            if self.outgoing is not None:
                yield RowKey(SENDING, SendingKey(Purpose.CHALLENGE, self.outgoing.phone_index))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Send it, unless the challenge takes none or one was sent not long ago."""
        challenge = self.load(working_set)
        check_method(challenge, FactorKind.MESSAGE_CODE)
        wallet = working_set.get(WALLET, self.customer_id)
        outgoing = self.outgoing
        is_proven = wallet is not None and wallet.email_proven_at_us is not None
        if outgoing is None or (self.channel == Channel.EMAIL and not is_proven):
            raise email_not_proven()
        key = SendingKey(Purpose.CHALLENGE, outgoing.phone_index)
        send(working_set, key, VerificationId(self.challenge_id), self.limits)
        now_us = working_set.now_us
        row = CodeRow(
            challenge_id=self.challenge_id,
            customer_id=self.customer_id,
            channel=self.channel,
            tries=0,
            sent_at_us=now_us,
            expires_at_us=min(now_us + self.limits.code_lifetime_us, challenge.expires_at_us),
            digest=outgoing.digest,
        )
        self._keep(working_set, row)
        working_set.append(MESSAGE, outgoing.message)
        tell_as(working_set, challenge, event_pb2.EVENT_TYPE_CHALLENGE_CODE_SENT)
        return pb.SendChallengeCodeResponse(
            recipient=outgoing.masked,
            expire_time=timestamp(row.expires_at_us),
            resend_time=timestamp(now_us + self.limits.code_resend_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _keep(self, working_set: WorkingSet, row: CodeRow) -> None:
        if working_set.get(CHALLENGE_CODE, self.challenge_id) is None:
            working_set.insert(CHALLENGE_CODE, self.challenge_id, row)
            return
        present = working_set.edit(CHALLENGE_CODE, self.challenge_id)
        for name in CodeRow.__slots__:
            setattr(present, name, getattr(row, name))


class ApproveByMessage(ChallengeCommand):
    """Approve with the code that was sent for the challenge.

    Nothing has to be reserved: the code is compared here, under the lock of its row.
    """

    __slots__ = ("digest",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        challenge_id: ChallengeId,
        customer_id: CustomerId,
        digest: bytes,
    ) -> None:
        super().__init__(book, request, challenge_id=challenge_id, customer_id=customer_id)
        self.digest = digest

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the challenge and its code."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            yield RowKey(CHALLENGE_CODE, self.challenge_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Approve, and use the code up; wrong, late, used and missing ones are refused alike."""
        check_method(self.load(working_set), FactorKind.MESSAGE_CODE)
        row = working_set.get(CHALLENGE_CODE, self.challenge_id)
        # Both are keyed digests: how long it takes to compare them tells nothing about the code.
        if row is None or not row.is_good(working_set.now_us) or row.digest != self.digest:
            raise factor_rejected()
        working_set.edit(CHALLENGE_CODE, self.challenge_id).tries = CODE_TRIES_MAX
        return approve(working_set, self.challenge_id, FactorKind.MESSAGE_CODE)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Count a wrong code."""
        row = working_set.get(CHALLENGE_CODE, self.challenge_id)
        if (
            refusal.reason == "FACTOR_REJECTED"
            and row is not None
            and row.is_good(working_set.now_us)
        ):
            working_set.edit(CHALLENGE_CODE, self.challenge_id).tries += 1
