"""The commands that complete a sign-in: by a code, a key and, where there is one, a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from longmen.identity.v1 import device_service_pb2 as devices_pb
from longmen.identity.v1 import session_service_pb2 as sessions_pb
from longmen_server.challenges.model import method_not_accepted
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.factors.model import NO_DEVICE, AttemptKey, FactorKind, bit
from longmen_server.factors.proving import (
    ADMITTED,
    REFUSED,
    flag_copy,
    reserve_try,
    take_verdict,
    verdict_keys,
)
from longmen_server.factors.tables import ATTEMPT, SECURITY
from longmen_server.identity import encode, model
from longmen_server.identity.commands import CodeCommand
from longmen_server.identity.model import DeviceState, Purpose
from longmen_server.identity.steps import begin_session, enrol
from longmen_server.identity.tables import CUSTOMER, DEVICE
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.clock import business_date
from longmen_server.recovery.change import check_let_in, claim
from longmen_server.recovery.tables import FACTOR_RESET
from longmen_server.risk.guard import judge_device, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.message import Message

    from longmen_server.engine.command import RequestKey
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.factors.model import Verdict
    from longmen_server.identity.model import DeviceRow, Limits, SessionRow, VerificationRow
    from longmen_server.identity.steps import Draft, Offer
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import CustomerId, VerificationId
    from longmen_server.platform.refusal import Refusal
    from longmen_server.risk.guard import Guard

__all__ = ["CompleteDeviceEnrolment", "CompleteLogin", "ReserveLoginTry"]


def methods_needed(working_set: WorkingSet, customer_id: CustomerId, limits: Limits) -> int:
    """Return the kinds of which one signs a new device in; 0 when the customer has none."""
    security = working_set.get(SECURITY, customer_id)
    version = limits.policy.at(business_date(working_set.now_us))
    return version.sign_in_methods(0 if security is None else security.kinds)


class ReserveLoginTry(CodeCommand):
    """Count a try of a factor that a new device offers, once its code was right.

    Whoever does not have the phone reserves nothing: the tries of devices that are not bound are
    counted together, and nobody else may use the owner's up.
    """

    __slots__ = ("customer_id", "kind", "notices")

    purpose = Purpose.LOGIN

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        verification_id: VerificationId,
        phone_index: bytes,
        code_digest: bytes,
        offer: Offer,
        draft: Draft,
        limits: Limits,
        customer_id: CustomerId,
        kind: FactorKind,
        notices: Sequence[MessageRow],
    ) -> None:
        super().__init__(
            book,
            request,
            verification_id=verification_id,
            phone_index=phone_index,
            code_digest=code_digest,
            offer=offer,
            draft=draft,
            limits=limits,
        )
        self.customer_id = customer_id
        self.kind = kind
        self.notices = notices
        """Tell the customer of a block, if the try brings one about."""

    @property
    def _attempt(self) -> AttemptKey:
        return AttemptKey(self.customer_id, NO_DEVICE, self.kind)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer's row and tries too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)
            yield RowKey(ATTEMPT, self._attempt)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Count, unless no try is taken at present, or none has to be."""
        if self.checked(working_set).customer_id != self.customer_id:
            raise model.verification_not_found(self.verification_id)
        methods = methods_needed(working_set, self.customer_id, self.limits)
        if not methods:
            return REFUSED
        if not methods & bit(self.kind):
            raise method_not_accepted(methods)
        if self.kind == FactorKind.PASSKEY:
            return ADMITTED  # no guess: it works while a PIN is blocked
        return ADMITTED if reserve_try(working_set, self._attempt, self.notices) else REFUSED


class CompleteLogin(CodeCommand):
    """Sign a device in, and enrol it first if it is new."""

    __slots__ = ("alarms", "customer_id", "enrols", "guard", "notices", "verdict")

    purpose = Purpose.LOGIN

    proves: ClassVar[bool] = True
    """Whether a new device has to prove a factor here."""

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        verification_id: VerificationId,
        phone_index: bytes,
        code_digest: bytes,
        offer: Offer,
        draft: Draft,
        limits: Limits,
        customer_id: CustomerId | None,
        enrols: bool,
        notices: Sequence[MessageRow],
        verdict: Verdict | None = None,
        alarms: Sequence[MessageRow] = (),
        guard: Guard | None = None,
    ) -> None:
        super().__init__(
            book,
            request,
            verification_id=verification_id,
            phone_index=phone_index,
            code_digest=code_digest,
            offer=offer,
            draft=draft,
            limits=limits,
        )
        self.customer_id = customer_id
        """Whom the tokens were made for; the verification's, read before."""
        self.enrols = enrols
        """Whether the device was found to be new."""
        self.notices = notices
        """Tell the customer of a new device, or of the sign-in."""
        self.verdict = verdict
        """What looking at the factor came to that was offered; None when none was."""
        self.alarms = alarms
        """Tell the customer of a passkey that counted backwards."""
        self.guard = guard if enrols and self.proves else None
        """Judges a device that is new; one that is paired was judged when it was begun."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer, the factor, and the device if it is enrolled."""
        yield from super().keys(working_set, stage)
        if self.customer_id is None:
            return
        if stage == STAGE_POINTER:
            yield RowKey(CUSTOMER, self.customer_id)
            yield RowKey(SECURITY, self.customer_id)
            yield RowKey(FACTOR_RESET, self.customer_id)
            if self.verdict is not None:
                yield from verdict_keys(self.customer_id, NO_DEVICE, self.verdict)
        elif stage == STAGE_ACCOUNT and not self.enrols:
            yield RowKey(DEVICE, self.offer.device_id)
        if self.guard is not None:
            yield from self.guard.keys(working_set, stage, customer_id=self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Sign in whoever has the phone, or an enrolled device, and the key."""
        row = self.verified(working_set)
        customer_id = row.customer_id
        if customer_id is None or customer_id != self.customer_id:
            raise model.verification_not_found(self.verification_id)
        owner = working_set.get(CUSTOMER, customer_id)
        if owner is not None and row.created_at_us < owner.sessions_void_at_us:
            # Whoever began it may be whom a changed password was to keep out.
            raise model.verification_expired()
        # No code was asked for: nobody but the enrolled device may come of it.
        if row.device_id not in {None, self.offer.device_id}:
            raise model.device_proof_invalid()
        if self.enrols:
            if self.proves:
                self._prove(working_set, customer_id)
            judged = judge_device(working_set, self.guard, customer_id)
            device = enrol(working_set, customer_id, self.offer, self.limits, cools=True)
            claim(working_set, customer_id)
            settle(working_set, judged)
            self._tell(working_set)
        else:
            device = self._enrolled(working_set, row)
            if working_set.now_us - device.told_at_us >= model.TOLD_EVERY_US:
                working_set.edit(DEVICE, device.device_id).told_at_us = working_set.now_us
                self._tell(working_set)
        session = begin_session(working_set, customer_id, device.device_id, self.draft, self.limits)
        return self.sealed(self.reply(working_set, device, session))

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Count a wrong code, flag a passkey that counted backwards, keep what risk decided."""
        super().refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        flag_copy(working_set, refusal, self.alarms)

    def _prove(self, working_set: WorkingSet, customer_id: CustomerId) -> None:
        """Take the factor that a new device has to offer beside the code.

        Raises:
            Refusal: FACTOR_REQUIRED, METHOD_NOT_ACCEPTED, FACTOR_REJECTED,
                FACTOR_RESET_OTHER_DEVICE.
        """
        methods = methods_needed(working_set, customer_id, self.limits)
        if not methods:
            check_let_in(working_set, customer_id, self.offer.key.thumbprint)
            return
        if self.verdict is None:
            raise model.factor_required(methods)
        if not methods & bit(self.verdict.kind):
            raise method_not_accepted(methods)
        take_verdict(working_set, customer_id, NO_DEVICE, self.verdict)

    def _tell(self, working_set: WorkingSet) -> None:
        for notice in self.notices:
            working_set.append(MESSAGE, notice)

    def reply(self, working_set: WorkingSet, device: DeviceRow, session: SessionRow) -> Message:
        """Return the reply without its tokens."""
        return sessions_pb.CompleteLoginResponse(
            device=encode.stored_device(device, working_set.now_us),
            session=encode.session(session),
            committed_at=working_set.committed_at,
        )

    def _enrolled(self, working_set: WorkingSet, row: VerificationRow) -> DeviceRow:
        """Return the enrolled device, if the key offered is still its.

        Raises:
            Refusal: DEVICE_PROOF_INVALID.
        """
        device = working_set.get(DEVICE, self.offer.device_id)
        if (
            device is None
            or device.customer_id != row.customer_id
            or device.state != DeviceState.ACTIVE
            or device.thumbprint != self.offer.key.thumbprint
        ):
            raise model.device_proof_invalid()
        return device


class CompleteDeviceEnrolment(CompleteLogin):
    """Enrol a device by a pairing code, whose making was approved, and sign it in."""

    __slots__ = ()

    purpose = Purpose.ENROLMENT
    proves = False

    def reply(self, working_set: WorkingSet, device: DeviceRow, session: SessionRow) -> Message:
        """Return the reply without its tokens."""
        return devices_pb.CompleteDeviceEnrolmentResponse(
            device=encode.stored_device(device, working_set.now_us),
            session=encode.session(session),
            committed_at=working_set.committed_at,
        )
