"""The commands of factors: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import factor_service_pb2 as pb
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.factors import encode
from longmen_server.factors.change import (
    active_kinds,
    put_factor,
    refresh_security,
    tell_factor,
)
from longmen_server.factors.model import (
    ENROLMENT_US,
    MAIN_SLOT,
    PASSKEYS_MAX,
    PENDING_SLOT,
    FactorKey,
    FactorKind,
    FactorRow,
    FactorState,
    SecurityRow,
    check_password_length,
    enrolment_not_found,
    factor_not_found,
    factor_rejected,
    limit_reached,
    passkey_rejected,
    places,
)
from longmen_server.factors.tables import FACTOR, SECURITY
from longmen_server.identity.model import EndCause
from longmen_server.identity.sealed_reply import pack
from longmen_server.identity.steps import end_sessions, open_session_keys
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import FACTOR as FACTOR_TEXT
from longmen_server.platform.ids import CustomerId, FactorId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.factors.model import Passkey
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import SessionId
    from longmen_server.platform.refusal import Refusal

__all__ = [
    "ConfirmPasskey",
    "ConfirmTotp",
    "CreateBackupCodes",
    "Owner",
    "RemoveFactor",
    "SetPassword",
    "SetPaymentPin",
    "StartPasskey",
    "StartTotp",
    "UnlockFactor",
]

_ENROLLED = event_pb2.EVENT_TYPE_FACTOR_ENROLLED


class Owner(NamedTuple):
    """The customer whose factors change, and how the call for it came."""

    customer_id: CustomerId
    gate: Gate | None = None
    """What has to approve; None where nothing has to."""
    session_id: SessionId | None = None
    """The session of the call, which goes on; None lets none go on."""
    notices: Sequence[MessageRow] = ()
    """Messages that tell the customer of the change."""


class FactorCommand(Command):
    """A command about a customer's factors; all their places are loaded and locked.

    One that changes what the customer proves to be one with ends every session but its own: whoever
    else has signed in did so by what a stranger may know. Its own goes on: its tokens are bound to
    its device's key, and an approval is given to a request and never to a session, so that no
    earlier token gains anything by it.
    """

    __slots__ = ("customer_id", "gate", "owner")

    changes: ClassVar[bool] = True
    """Whether it changes what counts; False for what only prepares a change."""

    def __init__(self, book: int, request: RequestKey | None, *, owner: Owner) -> None:
        super().__init__(book, request)
        self.owner = owner
        self.customer_id = owner.customer_id
        self.gate = owner.gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name every place of the customer's factors."""
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)
            for key in places(self.customer_id):
                yield RowKey(FACTOR, key)
        if self.changes:
            yield from open_session_keys(working_set, stage, self.customer_id)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)

    def changed(self, working_set: WorkingSet) -> None:
        """End every session but the one that the change is made in, and tell the customer."""
        cause = EndCause.CREDENTIAL_CHANGED
        end_sessions(working_set, self.customer_id, cause, but=self.owner.session_id)
        for notice in self.owner.notices:
            working_set.append(MESSAGE, notice)

    def demand(self, working_set: WorkingSet, text: str) -> None:
        """Have the change approved.

        Raises:
            Refusal: as :meth:`Gate.demand`.
        """
        if self.gate is not None:
            self.gate.demand(working_set, Intent(operation=Operation.FACTOR_CHANGE, text=text))

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def set_factor(
        self,
        working_set: WorkingSet,
        kind: FactorKind,
        factor_id: FactorId,
        secret: bytes,
        *,
        slot: int = MAIN_SLOT,
        counter: int = 0,
        credential_id: bytes = b"",
        label: str = "",
    ) -> FactorRow:
        """Put a factor into use, tell it, and end the other sessions."""
        now_us = working_set.now_us
        present = working_set.get(FACTOR, FactorKey(self.customer_id, kind, slot))
        # Strictly later than before, so that a check of the old one is never taken for the new.
        changed_at_us = max(now_us, present.changed_at_us + 1 if present is not None else 0)
        row = FactorRow(
            customer_id=self.customer_id,
            kind=kind,
            slot=slot,
            factor_id=factor_id,
            state=FactorState.ACTIVE,
            flagged=False,
            counter=counter,
            expires_at_us=0,
            created_at_us=now_us,
            changed_at_us=changed_at_us,
            secret=secret,
            credential_id=credential_id,
            label=label,
        )
        put_factor(working_set, row)
        refresh_security(working_set, self.customer_id)
        tell_factor(working_set, _ENROLLED, self.customer_id, kind, factor_id)
        self.changed(working_set)
        return row

    def start(
        self, working_set: WorkingSet, kind: FactorKind, factor_id: FactorId, secret: bytes
    ) -> None:
        """Keep what has to be confirmed; an earlier one is void."""
        now_us = working_set.now_us
        present = working_set.get(FACTOR, FactorKey(self.customer_id, kind, PENDING_SLOT))
        changed_at_us = max(now_us, present.changed_at_us + 1 if present is not None else 0)
        row = FactorRow(
            customer_id=self.customer_id,
            kind=kind,
            slot=PENDING_SLOT,
            factor_id=factor_id,
            state=FactorState.PENDING,
            flagged=False,
            counter=0,
            expires_at_us=now_us + ENROLMENT_US,
            created_at_us=now_us,
            changed_at_us=changed_at_us,
            secret=secret,
            credential_id=b"",
            label="",
        )
        put_factor(working_set, row)

    def confirm(
        self, working_set: WorkingSet, kind: FactorKind, factor_id: FactorId | None
    ) -> FactorRow:
        """Return the pending factor that was looked at, and end its waiting.

        Raises:
            Refusal: ENROLMENT_NOT_FOUND when there is none, its time is over, or it is another by
                now.
        """
        key = FactorKey(self.customer_id, kind, PENDING_SLOT)
        row = working_set.get(FACTOR, key)
        if row is None or not row.is_pending(working_set.now_us) or row.factor_id != factor_id:
            raise enrolment_not_found()
        ended = working_set.edit(FACTOR, key)
        ended.state = FactorState.REMOVED
        ended.secret = b""
        return row


class SetSecret(FactorCommand):
    """Set a password or a PIN, hashed."""

    __slots__ = ("factor_id", "phc")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
        phc: str,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        self.phc = phc

    def replace(self, working_set: WorkingSet, kind: FactorKind) -> FactorRow:
        """Put the hash into its place."""
        return self.set_factor(working_set, kind, self.factor_id, self.phc.encode())


class SetPassword(SetSecret):
    """Set or replace the password."""

    __slots__ = ("length",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
        phc: str,
        length: int,
    ) -> None:
        super().__init__(book, request, owner=owner, factor_id=factor_id, phc=phc)
        self.length = length
        """Characters of the password, which may be fewer where there is another factor."""

    def decide(self, working_set: WorkingSet) -> bytes:
        """Replace it, once approved."""
        check_password_length(self.length, active_kinds(working_set, self.customer_id))
        self.demand(working_set, "Set a new password for signing in.")
        row = self.replace(working_set, FactorKind.PASSWORD)
        return pb.SetPasswordResponse(
            factor=encode.factor(row), committed_at=working_set.committed_at
        ).SerializeToString()


class SetPaymentPin(SetSecret):
    """Set or replace the payment PIN."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Replace it, once approved."""
        self.demand(working_set, "Set a new payment PIN.")
        row = self.replace(working_set, FactorKind.PAYMENT_PIN)
        return pb.SetPaymentPinResponse(
            factor=encode.factor(row), committed_at=working_set.committed_at
        ).SerializeToString()


class StartTotp(FactorCommand):
    """Keep a new seed until it is confirmed."""

    __slots__ = ("factor_id", "sealed_reply", "sealed_seed")

    changes = False

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
        sealed_seed: bytes,
        sealed_reply: bytes,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        self.sealed_seed = sealed_seed
        self.sealed_reply = sealed_reply

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it, once approved. The reply shows the seed to its asker and to no dump."""
        self.demand(working_set, "Set up an authenticator app.")
        self.start(working_set, FactorKind.TOTP, self.factor_id, self.sealed_seed)
        reply = pb.StartTotpResponse(committed_at=working_set.committed_at)
        return pack(reply.SerializeToString(), self.sealed_reply)


class ConfirmTotp(FactorCommand):
    """Put a seed into use whose code was right."""

    __slots__ = ("factor_id", "step")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId | None,
        step: int | None,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        """The pending one the code was compared with."""
        self.step = step
        """The step of the code; None when it was wrong."""

    def decide(self, working_set: WorkingSet) -> bytes:
        """Use the seed from now on, and its present code no more."""
        row = self.confirm(working_set, FactorKind.TOTP, self.factor_id)
        if self.step is None:
            raise factor_rejected()
        active = self.set_factor(
            working_set, FactorKind.TOTP, row.factor_id, row.secret, counter=self.step
        )
        return pb.ConfirmTotpResponse(
            factor=encode.factor(active), committed_at=working_set.committed_at
        ).SerializeToString()


class StartPasskey(FactorCommand):
    """Keep the challenge of a registration until it is confirmed."""

    __slots__ = ("challenge", "factor_id", "options_json")

    changes = False

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
        challenge: bytes,
        options_json: str,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        self.challenge = challenge
        self.options_json = options_json

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it, once approved."""
        free_slot(working_set, self.customer_id)
        self.demand(working_set, "Add a passkey.")
        self.start(working_set, FactorKind.PASSKEY, self.factor_id, self.challenge)
        return pb.StartPasskeyResponse(
            options_json=self.options_json, committed_at=working_set.committed_at
        ).SerializeToString()


class ConfirmPasskey(FactorCommand):
    """Keep a passkey whose registration was right."""

    __slots__ = ("factor_id", "label", "made")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId | None,
        made: Passkey | None,
        label: str,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        """The pending one whose challenge the credential was compared with."""
        self.made = made
        """None when it was not good."""
        self.label = label

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it in a free place."""
        pending = self.confirm(working_set, FactorKind.PASSKEY, self.factor_id)
        made = self.made
        if made is None:
            raise passkey_rejected()
        row = self.set_factor(
            working_set,
            FactorKind.PASSKEY,
            pending.factor_id,
            made.public_key,
            slot=free_slot(working_set, self.customer_id),
            counter=made.counter,
            credential_id=made.credential_id,
            label=self.label,
        )
        return pb.ConfirmPasskeyResponse(
            factor=encode.stored_factor(row), committed_at=working_set.committed_at
        ).SerializeToString()


class CreateBackupCodes(FactorCommand):
    """Keep new backup codes, hashed; earlier ones are void."""

    __slots__ = ("factor_id", "hashes", "sealed_reply")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
        hashes: bytes,
        sealed_reply: bytes,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id
        self.hashes = hashes
        self.sealed_reply = sealed_reply

    def decide(self, working_set: WorkingSet) -> bytes:
        """Replace them, once approved. The reply shows the codes to its asker and to no dump."""
        self.demand(working_set, "Make new backup codes; earlier ones become void.")
        row = self.set_factor(working_set, FactorKind.BACKUP_CODES, self.factor_id, self.hashes)
        reply = pb.CreateBackupCodesResponse(
            factor=encode.factor(row), committed_at=working_set.committed_at
        )
        return pack(reply.SerializeToString(), self.sealed_reply)


class RemoveFactor(FactorCommand):
    """Take a factor away."""

    __slots__ = ("factor_id",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        owner: Owner,
        factor_id: FactorId,
    ) -> None:
        super().__init__(book, request, owner=owner)
        self.factor_id = factor_id

    def decide(self, working_set: WorkingSet) -> bytes:
        """Remove it, once approved."""
        row = self._find(working_set)
        kind = FactorKind(row.kind)
        self.demand(working_set, f"Remove a factor: {kind.name.lower().replace('_', ' ')}.")
        gone = working_set.edit(FACTOR, row.key)
        gone.state = FactorState.REMOVED
        gone.secret = b""
        gone.changed_at_us = max(working_set.now_us, row.changed_at_us + 1)
        refresh_security(working_set, self.customer_id)
        type_ = event_pb2.EVENT_TYPE_FACTOR_REMOVED
        tell_factor(working_set, type_, self.customer_id, kind, self.factor_id)
        self.changed(working_set)
        return pb.RemoveFactorResponse(committed_at=working_set.committed_at).SerializeToString()

    def _find(self, working_set: WorkingSet) -> FactorRow:
        for key in places(self.customer_id):
            row = working_set.get(FACTOR, key)
            if row is not None and row.is_active and row.factor_id == self.factor_id:
                return row
        raise factor_not_found(FACTOR_TEXT.encode(self.factor_id))


class UnlockFactor(Command):
    """Lift every block of a customer: the bank's decision, made by two people elsewhere."""

    __slots__ = ("customer_id",)

    def __init__(self, book: int, request: RequestKey | None, *, customer_id: CustomerId) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer's row."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Forgive all tries until now; the reply is empty."""
        unblock(working_set, self.customer_id)
        return b""


def unblock(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """Forgive all wrong tries of a customer until now, on every device."""
    if working_set.get(SECURITY, customer_id) is None:
        fresh = SecurityRow(customer_id, 0, 0, 0, working_set.now_us)
        working_set.insert(SECURITY, customer_id, fresh)
    working_set.edit(SECURITY, customer_id).unblocked_at_us = working_set.now_us
    type_ = event_pb2.EVENT_TYPE_FACTOR_UNBLOCKED
    tell_factor(working_set, type_, customer_id, FactorKind.PAYMENT_PIN)


def free_slot(working_set: WorkingSet, customer_id: CustomerId) -> int:
    """Return a place for one more passkey.

    Raises:
        Refusal: FACTOR_LIMIT_REACHED.
    """
    for slot in range(PASSKEYS_MAX):
        row = working_set.get(FACTOR, FactorKey(customer_id, FactorKind.PASSKEY, slot))
        if row is None or not row.is_active:
            return slot
    raise limit_reached()
