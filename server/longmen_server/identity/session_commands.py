"""The commands of sessions and devices that exist: refreshing, ending, revoking, pairing."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from longmen.identity.v1 import device_service_pb2 as devices_pb
from longmen.identity.v1 import session_service_pb2 as sessions_pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.identity import encode, model
from longmen_server.identity.model import DeviceState, EndCause, Limits, Purpose
from longmen_server.identity.sealed_reply import pack
from longmen_server.identity.steps import (
    Challenge,
    Draft,
    end_session,
    end_sessions,
    open_session_keys,
    revoke_device,
    start,
)
from longmen_server.identity.tables import DEVICE, DEVICE_COUNT, SESSION
from longmen_server.limits.movement import Channel
from longmen_server.platform.ids import CUSTOMER as CUSTOMER_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge_device, settle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CustomerId, DeviceId, SessionId
    from longmen_server.risk.guard import Guard


class RefreshSession(Command):
    """Exchange a refresh token; one that was exchanged before ends the session."""

    __slots__ = ("draft", "family_digest", "limits", "proven", "secret_digest", "seen_at_us")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        draft: Draft,
        family_digest: bytes,
        secret_digest: bytes,
        proven: bool,
        seen_at_us: int,
        limits: Limits,
    ) -> None:
        """Take what the refresh token says, as digests.

        Args:
            book: the session's.
            request: the request's key.
            draft: the session's id, and digest and seal of its next tokens.
            family_digest: of the part that all refresh tokens of the session share.
            secret_digest: of the part that this one has alone.
            proven: whether the device's key has signed it.
            seen_at_us: when this worker last saw the session used; 0 for never.
            limits: the settings.
        """
        super().__init__(book, request)
        self.draft = draft
        self.family_digest = family_digest
        self.secret_digest = secret_digest
        self.proven = proven
        self.seen_at_us = seen_at_us
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the session."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(SESSION, self.draft.session_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give the session its next secret."""
        row = working_set.get(SESSION, self.draft.session_id)
        if row is None or not hmac.compare_digest(row.family_digest, self.family_digest):
            raise Refusal("REFRESH_TOKEN_INVALID", "no session has this refresh token")
        model.check_alive(row, self.seen_at_us, working_set.now_us, self.limits.session_idle_us)
        if not self.proven:
            raise model.device_proof_invalid()
        if not hmac.compare_digest(row.refresh_digest, self.secret_digest):
            raise Refusal(
                "REFRESH_TOKEN_REUSED", "the refresh token was used before; the session was ended"
            )
        row = working_set.edit(SESSION, row.session_id)
        row.refresh_digest = self.draft.refresh_digest
        row.seen_at_us = working_set.now_us
        working_set.next_stamp()
        reply = sessions_pb.RefreshSessionResponse(
            session=encode.session(row), committed_at=working_set.committed_at
        )
        return pack(reply.SerializeToString(), self.draft.sealed)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """End the session of a token that has two users: one of them is a thief."""
        if refusal.reason == "REFRESH_TOKEN_REUSED":
            end_session(working_set, self.draft.session_id, EndCause.REFRESH_TOKEN_REUSED)


class RevokeSession(Command):
    """End one session."""

    __slots__ = ("actor", "session_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, session_id: SessionId, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.session_id = session_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the session."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(SESSION, self.session_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """End it; one that has ended already stays as it is."""
        row = working_set.get(SESSION, self.session_id)
        if row is None or not self.actor.may_use(row.customer_id):
            raise model.session_not_found(self.session_id)
        if row.ended_at_us is None:
            end_session(working_set, self.session_id, EndCause.REVOKED)
        return sessions_pb.RevokeSessionResponse(
            committed_at=working_set.committed_at
        ).SerializeToString()


class _EndSessions(Command):
    """A command that ends sessions of a customer, whose row it locks first."""

    __slots__ = ("customer_id",)

    def __init__(self, book: int, request: RequestKey | None, *, customer_id: CustomerId) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer, then the sessions that have not ended."""
        yield from open_session_keys(working_set, stage, self.customer_id)


class RevokeAllSessions(_EndSessions):
    """End every session of a customer, or all but one."""

    __slots__ = ("keep",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        keep: SessionId | None,
    ) -> None:
        super().__init__(book, request, customer_id=customer_id)
        self.keep = keep

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet too, so that a customer who is none is told so."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """End them."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER_TEXT.encode(self.customer_id))
        ended = end_sessions(working_set, self.customer_id, EndCause.REVOKED, but=self.keep)
        return sessions_pb.RevokeAllSessionsResponse(
            revoked_count=ended, committed_at=working_set.committed_at
        ).SerializeToString()


class RevokeDevice(_EndSessions):
    """Forbid a device and end its sessions."""

    __slots__ = ("device_id",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        device_id: DeviceId,
    ) -> None:
        super().__init__(book, request, customer_id=customer_id)
        self.device_id = device_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the device too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            yield RowKey(DEVICE_COUNT, self.customer_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(DEVICE, self.device_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Forbid it for ever."""
        row = working_set.get(DEVICE, self.device_id)
        if row is None or row.customer_id != self.customer_id:
            raise model.device_not_found(self.device_id)
        if row.state == DeviceState.REVOKED:
            raise Refusal("DEVICE_ALREADY_REVOKED", "the device was revoked before")
        row = revoke_device(working_set, self.device_id)
        cause = EndCause.DEVICE_REVOKED
        end_sessions(working_set, self.customer_id, cause, device_id=self.device_id)
        return devices_pb.RevokeDeviceResponse(
            device=encode.stored_device(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class StartDeviceEnrolment(Command):
    """Make a pairing code for another device of a customer."""

    __slots__ = ("challenge", "customer_id", "gate", "guard", "limits", "sealed")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        challenge: Challenge,
        sealed: bytes,
        limits: Limits,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.challenge = challenge
        self.sealed = sealed
        self.limits = limits
        self.gate = gate
        """What has to approve; None where nothing has to."""
        self.guard = guard
        """Judges that another device is to come; None where nothing does."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet and its devices' number."""
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_LINK:
            yield RowKey(DEVICE_COUNT, self.customer_id)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if self.guard is not None:
            yield from self.guard.keys(working_set, stage, customer_id=self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make it, once approved, unless the customer has as many devices as are allowed."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER_TEXT.encode(self.customer_id))
        count = working_set.get(DEVICE_COUNT, self.customer_id)
        if count is not None and count.count >= self.limits.devices_max:
            raise model.device_limit_reached(self.limits)
        channel = Channel.BANK if self.gate is None else Channel.CUSTOMER
        judged = judge_device(working_set, self.guard, self.customer_id, channel)
        if self.gate is not None:
            intent = Intent(operation=Operation.DEVICE_ENROLMENT, text="Enrol another device.")
            self.gate.demand(working_set, intent, judged.least)
        settle(working_set, judged)
        row = start(
            working_set,
            self.challenge,
            Purpose.ENROLMENT,
            self.limits,
            customer_id=self.customer_id,
        )
        begun = encode.begun(row, self.limits)
        del begun["resend_time"]
        reply = devices_pb.StartDeviceEnrolmentResponse(
            **begun, committed_at=working_set.committed_at
        )
        return pack(reply.SerializeToString(), self.sealed)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what risk decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
