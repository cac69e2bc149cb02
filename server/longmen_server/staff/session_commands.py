"""The commands of sign-ins and sessions of staff: what each needs, and what it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen.staff.v1 import staff_sessions_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.factors.model import (
    PENDING_SLOT,
    AttemptKey,
    FactorKey,
    FactorKind,
    Verdict,
    forgive,
    passkey_rejected,
)
from longmen_server.factors.proving import ADMITTED, REFUSED
from longmen_server.factors.tables import ATTEMPT, FACTOR, SECURITY
from longmen_server.identity.sealed_reply import pack
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import FACTOR as FACTOR_TEXT
from longmen_server.platform.ids import VERIFICATION
from longmen_server.platform.refusal import Refusal
from longmen_server.staff import encode, factors, model
from longmen_server.staff.account_commands import tell_change
from longmen_server.staff.model import (
    Change,
    EndCause,
    Limits,
    SessionRow,
    SignInRow,
    StaffRow,
    StaffState,
    factors_of,
)
from longmen_server.staff.sessions import begin_session, end_session
from longmen_server.staff.tables import SIGN_IN, STAFF_ROWS, STAFF_SESSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.factors.model import Passkey
    from longmen_server.platform.ids import (
        CustomerId,
        DeviceId,
        FactorId,
        SessionId,
        StaffId,
        VerificationId,
    )


class Draft(NamedTuple):
    """A session that may begin, or go on with another token."""

    session_id: SessionId
    device_id: DeviceId
    thumbprint: str
    account_changed_at_us: int
    """Of the account whose roles the token was made with."""
    sealed: bytes
    """The token, sealed for the reply: no record of it has it in clear."""


class StartSignIn(Command):
    """Begin a sign-in or an enrolment, whether there is such an account or not."""

    __slots__ = ("limits", "options_json", "row")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        row: SignInRow,
        options_json: str,
        limits: Limits,
    ) -> None:
        super().__init__(book, request)
        self.row = row
        self.options_json = options_json
        self.limits = limits

    def decide(self, working_set: WorkingSet) -> bytes:
        """Begin it."""
        row = self.row.copy()
        row.created_at_us = working_set.now_us
        row.expires_at_us = working_set.now_us + self.limits.sign_in_us
        working_set.insert(SIGN_IN, row.sign_in_id, row)
        return pb.StartStaffSignInResponse(
            sign_in_id=VERIFICATION.encode(row.sign_in_id),
            nonce=row.nonce,
            passkey_options_json=self.options_json,
            expire_time=timestamp(row.expires_at_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class ReserveTry(Command):
    """Count a try to sign in before anybody looks whether it is right.

    However many come at once, no more are looked at than the rules allow. A blocked one goes the
    same way as a wrong one, and so does one of a login that nobody has.
    """

    __slots__ = ("attempt", "staff_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, attempt: AttemptKey, staff_id: StaffId
    ) -> None:
        super().__init__(book, request)
        self.attempt = attempt
        self.staff_id = staff_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the account's tries."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.attempt.customer_id)
            yield RowKey(ATTEMPT, self.attempt)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Count, unless no try is taken at present."""
        admitted, locks = factors.reserve(working_set, self.attempt)
        if locks:
            tell_change(working_set, self.staff_id, Change.LOCKED)
        return ADMITTED if admitted else REFUSED


class _SignIn(Command):
    """A command that uses a sign-in up; the account and its factors are loaded and locked."""

    __slots__ = ("limits", "sign_in_id", "staff_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        sign_in_id: VerificationId,
        staff_id: StaffId,
        limits: Limits,
    ) -> None:
        super().__init__(book, request)
        self.sign_in_id = sign_in_id
        self.staff_id = staff_id
        self.limits = limits

    @property
    def owner(self) -> CustomerId:
        """Whose factors they are."""
        return factors_of(self.staff_id)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the sign-in, the account and its factors."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(SIGN_IN, self.sign_in_id)
            yield from factors.factor_keys(self.owner)
        elif stage == STAGE_LINK:
            yield RowKey(STAFF_ROWS, self.staff_id)

    def open(self, working_set: WorkingSet) -> StaffRow | None:
        """Return the account of a sign-in that can go on.

        Raises:
            Refusal: SIGN_IN_EXPIRED.
        """
        model.check_open(working_set.get(SIGN_IN, self.sign_in_id), working_set.now_us)
        return working_set.get(STAFF_ROWS, self.staff_id)

    def begin(self, working_set: WorkingSet, draft: Draft) -> SessionRow:
        """Use the sign-in up and begin a session."""
        working_set.edit(SIGN_IN, self.sign_in_id).used = True
        now_us = working_set.now_us
        row = SessionRow(
            session_id=draft.session_id,
            staff_id=self.staff_id,
            device_id=draft.device_id,
            thumbprint=draft.thumbprint,
            created_at_us=now_us,
            seen_at_us=now_us,
            ends_at_us=now_us + self.limits.session_absolute_us,
            ended_at_us=None,
            end_cause=0,
        )
        begin_session(working_set, row)
        return row


class Enrol(_SignIn):
    """Set the first password, and keep a seed until it is confirmed."""

    __slots__ = ("factor_ids", "offered", "phc", "sealed_reply", "sealed_seed")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        sign_in_id: VerificationId,
        staff_id: StaffId,
        limits: Limits,
        offered: Sequence[bytes],
        phc: str,
        sealed_seed: bytes,
        sealed_reply: bytes,
        factor_ids: tuple[FactorId, FactorId],
    ) -> None:
        """Take what was proven and what is to be set.

        Args:
            book: the account's.
            request: the request's key.
            sign_in_id: the sign-in.
            staff_id: the account, as far as is known.
            limits: the settings.
            offered: what opens an enrolment, each as `model.enrolment_of` gives it.
            phc: the password, hashed.
            sealed_seed: of the authenticator app.
            sealed_reply: the seed, sealed for the reply.
            factor_ids: of the password and the authenticator.
        """
        super().__init__(book, request, sign_in_id=sign_in_id, staff_id=staff_id, limits=limits)
        self.offered = offered
        self.phc = phc
        self.sealed_seed = sealed_seed
        self.sealed_reply = sealed_reply
        self.factor_ids = factor_ids

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set both, for whoever the account waits for."""
        row = self.open(working_set)
        model.check_enrolment(row, self.offered, working_set.now_us)
        # From here the key alone goes on, so that a secret opens one enrolment and no other.
        account = working_set.edit(STAFF_ROWS, self.staff_id)
        account.enrolment = self.offered[0]
        account.changed_at_us = max(working_set.now_us, account.changed_at_us + 1)
        password_id, totp_id = self.factor_ids
        owner = self.owner
        factors.put(working_set, owner, FactorKind.PASSWORD, password_id, self.phc.encode())
        factors.put(
            working_set, owner, FactorKind.TOTP, totp_id, self.sealed_seed, slot=PENDING_SLOT
        )
        reply = pb.EnrolStaffResponse(committed_at=working_set.committed_at)
        return pack(reply.SerializeToString(), self.sealed_reply)


class ConfirmEnrolment(_SignIn):
    """Put the authenticator into use, and sign in."""

    __slots__ = ("draft", "factor_id", "offered", "step")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        sign_in_id: VerificationId,
        staff_id: StaffId,
        limits: Limits,
        offered: Sequence[bytes],
        factor_id: FactorId | None,
        step: int | None,
        draft: Draft,
    ) -> None:
        """Take the key that was proven, the seed that was looked at and the step of its code."""
        super().__init__(book, request, sign_in_id=sign_in_id, staff_id=staff_id, limits=limits)
        self.offered = offered
        self.factor_id = factor_id
        self.step = step
        self.draft = draft

    def decide(self, working_set: WorkingSet) -> bytes:
        """End the waiting."""
        found = self.open(working_set)
        account = model.check_enrolment(found, self.offered, working_set.now_us)
        pending = working_set.get(FACTOR, FactorKey(self.owner, FactorKind.TOTP, PENDING_SLOT))
        if self.step is None or pending is None or pending.factor_id != self.factor_id:
            raise model.rejected()
        if account.changed_at_us != self.draft.account_changed_at_us:
            raise _changed()
        seed = factors.confirm(working_set, self.owner, FactorKind.TOTP, self.factor_id)
        factors.put(
            working_set,
            self.owner,
            FactorKind.TOTP,
            seed.factor_id,
            seed.secret,
            counter=self.step,
        )
        row = working_set.edit(STAFF_ROWS, self.staff_id)
        row.state, row.enrolment = StaffState.ACTIVE, b""
        row.changed_at_us = max(working_set.now_us, row.changed_at_us + 1)
        tell_change(working_set, self.staff_id, Change.ENROLLED)
        session = self.begin(working_set, self.draft)
        reply = pb.ConfirmStaffEnrolmentResponse(
            session=encode.session(session, row), committed_at=working_set.committed_at
        )
        return pack(reply.SerializeToString(), self.draft.sealed)


class CompleteSignIn(_SignIn):
    """Take the verdicts over password and second factor, and begin a session."""

    __slots__ = ("attempt", "draft", "proven", "verdicts")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        sign_in_id: VerificationId,
        staff_id: StaffId,
        limits: Limits,
        attempt: AttemptKey,
        verdicts: tuple[Verdict, Verdict],
        proven: bool,
        draft: Draft,
    ) -> None:
        super().__init__(book, request, sign_in_id=sign_in_id, staff_id=staff_id, limits=limits)
        self.attempt = attempt
        self.verdicts = verdicts
        self.proven = proven
        """Whether the device's signature over the nonce was good."""
        self.draft = draft

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the tries as well."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(ATTEMPT, self.attempt)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Sign in; there is one answer to whatever is wrong."""
        account = self.open(working_set)
        right = all(self._holds(working_set, verdict) for verdict in self.verdicts)
        if account is None or account.state != StaffState.ACTIVE or not right or not self.proven:
            raise model.rejected()
        if account.changed_at_us != self.draft.account_changed_at_us:
            raise _changed()
        for verdict in self.verdicts:
            factors.use_up(working_set, self.owner, verdict)
        if working_set.get(ATTEMPT, self.attempt) is not None:
            forgive(working_set.edit(ATTEMPT, self.attempt), working_set.now_us)
        session = self.begin(working_set, self.draft)
        reply = pb.CompleteStaffSignInResponse(
            session=encode.session(session, account), committed_at=working_set.committed_at
        )
        return pack(reply.SerializeToString(), self.draft.sealed)

    def _holds(self, working_set: WorkingSet, verdict: Verdict) -> bool:
        key = FactorKey(self.owner, verdict.kind, verdict.slot)
        return factors.still_holds(working_set.get(FACTOR, key), verdict)


class _OwnSession(Command):
    """A command of a member of staff about the session of the call, if it has one."""

    __slots__ = ("session_id", "staff_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        session_id: SessionId | None,
    ) -> None:
        super().__init__(book, request)
        self.staff_id = staff_id
        self.session_id = session_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name account and session."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(STAFF_ROWS, self.staff_id)
        elif stage == STAGE_ACCOUNT and self.session_id is not None:
            yield RowKey(STAFF_SESSION, self.session_id)

    def session(self, working_set: WorkingSet) -> SessionRow | None:
        """The session; None for a development token, which has none."""
        if self.session_id is None:
            return None
        return working_set.get(STAFF_SESSION, self.session_id)


class RenewSession(_OwnSession):
    """Give a session its next token."""

    __slots__ = ("account_changed_at_us", "sealed")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        session_id: SessionId | None,
        account_changed_at_us: int,
        sealed: bytes,
    ) -> None:
        """Take the token, sealed, and when the account had changed that it was made for."""
        super().__init__(book, request, staff_id=staff_id, session_id=session_id)
        self.account_changed_at_us = account_changed_at_us
        self.sealed = sealed

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it; the watch has let the call pass, so that the session goes on."""
        row = self.session(working_set)
        account = working_set.get(STAFF_ROWS, self.staff_id)
        reply = pb.RenewStaffSessionResponse(committed_at=working_set.committed_at)
        if row is None or account is None:
            return pack(reply.SerializeToString(), self.sealed)
        if row.ended_at_us is not None or account.changed_at_us != self.account_changed_at_us:
            raise Refusal("SESSION_REVOKED", "the session was ended")
        reply.session.CopyFrom(encode.session(row, account))
        return pack(reply.SerializeToString(), self.sealed)


class SignOut(_OwnSession):
    """End the session of the call."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """End it; one that has ended, or none, is left as it is."""
        if self.session(working_set) is not None and self.session_id is not None:
            end_session(working_set, self.session_id, EndCause.SIGNED_OUT)
        return pb.SignOutStaffResponse(committed_at=working_set.committed_at).SerializeToString()


class _Passkey(_OwnSession):
    """A command about the caller's own passkeys, not long after signing in."""

    __slots__ = ("limits",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        session_id: SessionId | None,
        limits: Limits,
    ) -> None:
        super().__init__(book, request, staff_id=staff_id, session_id=session_id)
        self.limits = limits

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the factors too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield from factors.factor_keys(factors_of(self.staff_id))

    def check(self, working_set: WorkingSet) -> None:
        """Refuse whoever is no member of staff, or has signed in too long ago.

        Raises:
            Refusal: STAFF_NOT_FOUND, SIGN_IN_STALE.
        """
        if working_set.get(STAFF_ROWS, self.staff_id) is None:
            raise model.staff_not_found(self.staff_id)
        model.check_fresh(self.session(working_set), working_set.now_us, self.limits)


class StartPasskey(_Passkey):
    """Keep the challenge of a registration until it is confirmed."""

    __slots__ = ("challenge", "factor_id", "options_json")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        session_id: SessionId | None,
        limits: Limits,
        factor_id: FactorId,
        challenge: bytes,
        options_json: str,
    ) -> None:
        super().__init__(book, request, staff_id=staff_id, session_id=session_id, limits=limits)
        self.factor_id = factor_id
        self.challenge = challenge
        self.options_json = options_json

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it."""
        self.check(working_set)
        factors.put(
            working_set,
            factors_of(self.staff_id),
            FactorKind.PASSKEY,
            self.factor_id,
            self.challenge,
            slot=PENDING_SLOT,
        )
        return pb.StartStaffPasskeyResponse(
            options_json=self.options_json, committed_at=working_set.committed_at
        ).SerializeToString()


class ConfirmPasskey(_Passkey):
    """Keep a passkey whose registration was right."""

    __slots__ = ("factor_id", "label", "made")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        staff_id: StaffId,
        session_id: SessionId | None,
        limits: Limits,
        factor_id: FactorId | None,
        made: Passkey | None,
        label: str,
    ) -> None:
        super().__init__(book, request, staff_id=staff_id, session_id=session_id, limits=limits)
        self.factor_id = factor_id
        self.made = made
        self.label = label

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it in a free place."""
        self.check(working_set)
        owner = factors_of(self.staff_id)
        pending = factors.confirm(working_set, owner, FactorKind.PASSKEY, self.factor_id)
        if self.made is None:
            raise passkey_rejected()
        row = factors.add_passkey(working_set, owner, pending.factor_id, self.made, self.label)
        tell_change(working_set, self.staff_id, Change.PASSKEY_ADDED)
        return pb.ConfirmStaffPasskeyResponse(
            factor_id=FACTOR_TEXT.encode(row.factor_id), committed_at=working_set.committed_at
        ).SerializeToString()


def _changed() -> Refusal:
    """The refusal of a session whose token was made for roles that have changed meanwhile."""
    return Refusal("SIGN_IN_EXPIRED", "the account has changed meanwhile; begin again")
