"""The commands of registration and of beginning to sign in: what each needs and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import registration_service_pb2 as registration_pb
from longmen.identity.v1 import session_service_pb2 as sessions_pb
from longmen_server.accounts import encode as accounts_encode
from longmen_server.accounts.commands import open_wallet
from longmen_server.accounts.model import AliasKey, AliasKind
from longmen_server.accounts.tables import ALIAS
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.identity import encode, model
from longmen_server.identity.model import DeviceKeyKey, Limits, Purpose, SendingKey
from longmen_server.identity.sealed_reply import pack
from longmen_server.identity.steps import begin_session, enrol, send, start
from longmen_server.identity.tables import DEVICE_COUNT, DEVICE_KEY, SENDING, VERIFICATION
from longmen_server.kyc.model import WORST_CLASS, Cause
from longmen_server.kyc.standing import change_class
from longmen_server.messages.tables import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

    from longmen_server.accounts.commands import NewWallet
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.identity.model import VerificationRow
    from longmen_server.identity.steps import Challenge, Draft, Offer
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import CustomerId, VerificationId
    from longmen_server.platform.refusal import Refusal

# -- Registration.


class StartRegistration(Command):
    """Send a code, or tell that there is a wallet already; nobody can see which."""

    __slots__ = ("challenge", "code", "limits", "notice", "phone_index")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        phone_index: bytes,
        challenge: Challenge,
        code: MessageRow,
        notice: MessageRow,
        limits: Limits,
    ) -> None:
        super().__init__(book, request)
        self.phone_index = phone_index
        self.challenge = challenge
        self.code = code
        self.notice = notice
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the phone number's entry in the directory and what was sent to it before."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(ALIAS, AliasKey(AliasKind.PHONE_NUMBER, self.phone_index))
        elif stage == STAGE_LINK:
            yield RowKey(SENDING, SendingKey(Purpose.REGISTRATION, self.phone_index))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Send, unless something was sent not long ago."""
        send(
            working_set,
            SendingKey(Purpose.REGISTRATION, self.phone_index),
            self.challenge.verification_id,
            self.limits,
        )
        row = start(
            working_set,
            self.challenge,
            Purpose.REGISTRATION,
            self.limits,
            phone_index=self.phone_index,
        )
        alias = AliasKey(AliasKind.PHONE_NUMBER, self.phone_index)
        taken = working_set.get(ALIAS, alias) is not None
        working_set.append(MESSAGE, self.notice if taken else self.code)
        return registration_pb.StartRegistrationResponse(
            **encode.begun(row, self.limits), committed_at=working_set.committed_at
        ).SerializeToString()


class CodeCommand(Command):
    """A command that completes a verification by a code; wrong codes are counted."""

    __slots__ = ("code_digest", "draft", "limits", "offer", "phone_index", "verification_id")

    purpose: Purpose

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
    ) -> None:
        super().__init__(book, request)
        self.verification_id = verification_id
        self.phone_index = phone_index
        self.code_digest = code_digest
        self.offer = offer
        self.draft = draft
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the verification, then the latest one sent to the phone number."""
        if stage == STAGE_POINTER:
            yield RowKey(VERIFICATION, self.verification_id)
        elif stage == STAGE_LINK and self.phone_index:
            yield RowKey(SENDING, SendingKey(self.purpose, self.phone_index))
        if stage == STAGE_LINK:
            row = working_set.get(VERIFICATION, self.verification_id)
            if row is not None and row.customer_id is not None:
                key = DeviceKeyKey(row.customer_id, self.offer.key.thumbprint)
                yield RowKey(DEVICE_KEY, key)
                yield RowKey(DEVICE_COUNT, row.customer_id)

    def checked(self, working_set: WorkingSet) -> VerificationRow:
        """Return the verification if code and device are right.

        Raises:
            Refusal: VERIFICATION_NOT_FOUND, VERIFICATION_EXPIRED, VERIFICATION_ATTEMPTS_EXHAUSTED,
                VERIFICATION_CODE_INVALID, DEVICE_PROOF_INVALID.
        """
        row = model.check_verification(
            working_set.get(VERIFICATION, self.verification_id),
            self.verification_id,
            self.purpose,
            self.phone_index,
            working_set.now_us,
        )
        if row.device_id is None:
            if self.phone_index:
                sending = working_set.get(SENDING, SendingKey(self.purpose, self.phone_index))
                if sending is None or sending.verification_id != self.verification_id:
                    raise model.verification_expired()
            model.check_code(row, self.code_digest, self.limits)
        if not self.offer.proven:
            raise model.device_proof_invalid()
        return row

    def verified(self, working_set: WorkingSet) -> VerificationRow:
        """Use the verification up and return it.

        Raises:
            Refusal: as :meth:`checked`.
        """
        self.checked(working_set)
        row = working_set.edit(VERIFICATION, self.verification_id)
        row.used = True
        return row

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Count a wrong code, whatever else becomes of the request."""
        if refusal.reason == "VERIFICATION_CODE_INVALID":
            working_set.edit(VERIFICATION, self.verification_id).attempts += 1

    def sealed(self, reply: Message) -> bytes:
        """Return a reply with the tokens sealed beside it."""
        return pack(reply.SerializeToString(), self.draft.sealed)


class CompleteRegistration(CodeCommand):
    """Open a wallet, enrol its first device and sign it in."""

    __slots__ = ("new",)

    purpose = Purpose.REGISTRATION

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
        new: NewWallet,
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
        self.new = new

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the phone number's entry in the directory too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(ALIAS, self.new.alias)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register whoever has the phone and the key."""
        self.verified(working_set)
        wallet, pocket, account = open_wallet(working_set, self.new)
        customer_id = self.new.customer_id
        change_class(working_set, customer_id, WORST_CLASS, Cause.REGISTERED)
        device = enrol(working_set, customer_id, self.offer, self.limits, cools=False)
        session = begin_session(working_set, customer_id, device.device_id, self.draft, self.limits)
        return self.sealed(
            registration_pb.CompleteRegistrationResponse(
                wallet=accounts_encode.wallet(wallet, None),
                account=accounts_encode.wallet_account(pocket, account),
                device=encode.stored_device(device, working_set.now_us),
                session=encode.session(session),
                committed_at=working_set.committed_at,
            )
        )


# -- Signing in.


class StartLogin(Command):
    """Begin a sign-in: with a code unless the device is enrolled."""

    __slots__ = ("challenge", "code", "limits", "phone_index", "thumbprint")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        phone_index: bytes,
        thumbprint: str,
        challenge: Challenge,
        code: MessageRow,
        limits: Limits,
    ) -> None:
        super().__init__(book, request)
        self.phone_index = phone_index
        self.thumbprint = thumbprint
        self.challenge = challenge
        self.code = code
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the phone number's owner, the device and what was sent before."""
        if stage == STAGE_POINTER:
            yield RowKey(ALIAS, AliasKey(AliasKind.PHONE_NUMBER, self.phone_index))
        elif stage == STAGE_LINK:
            yield RowKey(SENDING, SendingKey(Purpose.LOGIN, self.phone_index))
            customer_id = self._customer(working_set)
            if customer_id is not None:
                yield RowKey(DEVICE_KEY, DeviceKeyKey(customer_id, self.thumbprint))

    def _customer(self, working_set: WorkingSet) -> CustomerId | None:
        alias = working_set.get(ALIAS, AliasKey(AliasKind.PHONE_NUMBER, self.phone_index))
        return alias.customer_id if alias and alias.target_book == self.book else None

    def decide(self, working_set: WorkingSet) -> bytes:
        """Begin; to a phone number without a wallet nothing is sent, which nobody can see."""
        customer_id = self._customer(working_set)
        device_id = None
        if customer_id is not None:
            device_id = working_set.get(DEVICE_KEY, DeviceKeyKey(customer_id, self.thumbprint))
        if device_id is None:
            key = SendingKey(Purpose.LOGIN, self.phone_index)
            send(working_set, key, self.challenge.verification_id, self.limits)
            if customer_id is not None:
                working_set.append(MESSAGE, self.code)
        row = start(
            working_set,
            self.challenge,
            Purpose.LOGIN,
            self.limits,
            phone_index=self.phone_index,
            customer_id=customer_id,
            device_id=device_id,
        )
        return sessions_pb.StartLoginResponse(
            **encode.begun(row, self.limits),
            code_required=device_id is None,
            committed_at=working_set.committed_at,
        ).SerializeToString()
