"""StaffSessionsService: requests in, commands, replies out. No rule and no SQL here."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from longmen.staff.v1 import staff_sessions_service_pb2 as pb
from longmen_server.engine.command import RequestKey
from longmen_server.engine.door import request_key
from longmen_server.engine.request_log import request_digest
from longmen_server.factors.checks import common_passwords, normal
from longmen_server.factors.model import (
    MAIN_SLOT,
    PENDING_SLOT,
    AttemptKey,
    FactorKind,
    Verdict,
    check_password,
    password_weak,
)
from longmen_server.factors.proving import ADMITTED
from longmen_server.factors.queries import find_factors
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.device_keys import read_b64url
from longmen_server.platform.ids import (
    SESSION,
    STAFF,
    VERIFICATION,
    FactorId,
    MalformedIdError,
    SessionId,
    StaffId,
    VerificationId,
    new_id,
)
from longmen_server.staff import model, queries, session_commands
from longmen_server.staff.model import Enrolment, SignInRow, enrolment_of, factors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from longmen_server.factors.model import FactorRow
    from longmen_server.platform.device_keys import DeviceKey
    from longmen_server.staff.tools import Looked, StaffTools
    from longmen_server.transport.context import Call

__all__ = ["StaffSessionsService"]

NONCE_BYTES: Final = 32
_TRY: Final = "/try"
"""After the method's name: scope of the request id that a try is counted under."""


class StaffSessionsService:
    """The methods of longmen.staff.v1.StaffSessionsService."""

    def __init__(self, tools: StaffTools) -> None:
        """Take what the methods work with."""
        self._tools = tools

    # -- signing in ----------------------------------------------------------------------------

    async def StartStaffSignIn(  # noqa: N802
        self, request: pb.StartStaffSignInRequest, call: Call
    ) -> bytes:
        """Begin a sign-in."""
        tools = self._tools
        async with tools.readers.connection(deadline=call.deadline) as connection:
            account = await queries.find_by_login(connection, tools.book, request.login)
        nonce = secrets.token_bytes(NONCE_BYTES)
        row = SignInRow(
            sign_in_id=VerificationId(new_id(tools.book, tools.clock)),
            staff_id=None if account is None else account.staff_id,
            nonce=nonce,
            created_at_us=0,
            expires_at_us=0,
            used=False,
        )
        command = session_commands.StartSignIn(
            tools.book,
            request_key(call),
            row=row,
            # No passkey is named: that would tell who has an account.
            options_json=tools.checks.passkeys.request_options(nonce, []),
            limits=tools.limits,
        )
        return await tools.submit(command, request, call)

    async def CompleteStaffSignIn(  # noqa: N802
        self, request: pb.CompleteStaffSignInRequest, call: Call
    ) -> bytes:
        """Begin a session."""
        tools = self._tools
        key, looked, sign_in_id = await self._begin(request, call)
        attempt = AttemptKey(
            factors_of(looked.staff_id),
            await tools.attempt_device(looked, key, call),
            FactorKind.PASSWORD,
        )
        admitted = await self._reserve(attempt, looked.staff_id, request, call)
        verdicts = await self._judge(request, looked)
        if not admitted:
            verdicts = (Verdict.wrong(verdicts[0].kind), Verdict.wrong(verdicts[1].kind))
        command = session_commands.CompleteSignIn(
            tools.book,
            request_key(call),
            sign_in_id=sign_in_id,
            staff_id=looked.staff_id,
            limits=tools.limits,
            attempt=attempt,
            verdicts=verdicts,
            proven=tools.proves(request.device, key, looked.sign_in, call),
            draft=self._draft(looked, key, call, pb.CompleteStaffSignInResponse),
        )
        return await tools.submit_sealed(command, request, call)

    # -- enrolling -----------------------------------------------------------------------------

    async def EnrolStaff(self, request: pb.EnrolStaffRequest, call: Call) -> bytes:  # noqa: N802
        """Set the first password and give a seed."""
        tools = self._tools
        key, looked, sign_in_id = await self._begin(request, call)
        password = normal(request.password)
        check_staff_password(password, "" if looked.account is None else looked.account.login)
        offered = self._offered(request, key, looked, call, request.enrolment_secret)
        owner = factors_of(looked.staff_id)
        seed, sealed_seed = tools.checks.new_seed(owner)
        login = "" if looked.account is None else looked.account.login
        secret = pb.EnrolStaffResponse(seed=seed, uri=tools.checks.seed_uri(seed, login))
        command = session_commands.Enrol(
            tools.book,
            request_key(call),
            sign_in_id=sign_in_id,
            staff_id=looked.staff_id,
            limits=tools.limits,
            offered=offered,
            phc=await tools.checks.hash(owner, FactorKind.PASSWORD, password),
            sealed_seed=sealed_seed,
            sealed_reply=tools.seal(secret, call),
            factor_ids=(self._factor_id(), self._factor_id()),
        )
        return await tools.submit_sealed(command, request, call)

    async def ConfirmStaffEnrolment(  # noqa: N802
        self, request: pb.ConfirmStaffEnrolmentRequest, call: Call
    ) -> bytes:
        """Put the authenticator into use and begin the first session."""
        tools = self._tools
        key, looked, sign_in_id = await self._begin(request, call)
        owner = factors_of(looked.staff_id)
        now_us = tools.clock.now_us()
        row = pending(looked.factors, FactorKind.TOTP, now_us)
        step = None
        if row is not None:
            step = tools.checks.find_step(owner, row, request.totp_code, now_us)
        command = session_commands.ConfirmEnrolment(
            tools.book,
            request_key(call),
            sign_in_id=sign_in_id,
            staff_id=looked.staff_id,
            limits=tools.limits,
            offered=self._offered(request, key, looked, call, ""),
            factor_id=None if row is None else row.factor_id,
            step=step,
            draft=self._draft(looked, key, call, pb.ConfirmStaffEnrolmentResponse),
        )
        return await tools.submit_sealed(command, request, call)

    # -- sessions that go on -------------------------------------------------------------------

    async def RenewStaffSession(  # noqa: N802
        self, request: pb.RenewStaffSessionRequest, call: Call
    ) -> bytes:
        """Give the session its next token; one of development has none and gets none."""
        tools = self._tools
        staff_id, session_id = own_ids(call)
        reply, changed_at_us = pb.RenewStaffSessionResponse(), 0
        thumbprint = call.principal.proof_thumbprint
        if session_id is not None and thumbprint is not None:
            async with tools.readers.connection(deadline=call.deadline) as connection:
                account = await queries.find_staff(connection, tools.book, staff_id)
            if account is not None:
                token = tools.token(account, session_id=session_id, thumbprint=thumbprint)
                reply.session.CopyFrom(token)
                changed_at_us = account.changed_at_us
        command = session_commands.RenewSession(
            tools.book,
            request_key(call),
            staff_id=staff_id,
            session_id=session_id,
            account_changed_at_us=changed_at_us,
            sealed=tools.seal(reply, call),
        )
        return await tools.submit_sealed(command, request, call)

    async def SignOutStaff(self, request: pb.SignOutStaffRequest, call: Call) -> bytes:  # noqa: N802
        """End the session of the call."""
        tools = self._tools
        staff_id, session_id = own_ids(call)
        command = session_commands.SignOut(
            tools.book, request_key(call), staff_id=staff_id, session_id=session_id
        )
        reply = await tools.submit(command, request, call)
        if session_id is not None:
            tools.watch.end(SESSION.encode(session_id))
        return reply

    # -- passkeys ------------------------------------------------------------------------------

    async def StartStaffPasskey(  # noqa: N802
        self, request: pb.StartStaffPasskeyRequest, call: Call
    ) -> bytes:
        """Begin to register a passkey."""
        tools = self._tools
        staff_id, session_id = own_ids(call)
        challenge = secrets.token_bytes(NONCE_BYTES)
        present = await self._factors(staff_id, call)
        command = session_commands.StartPasskey(
            tools.book,
            request_key(call),
            staff_id=staff_id,
            session_id=session_id,
            limits=tools.limits,
            factor_id=self._factor_id(),
            challenge=challenge,
            options_json=tools.checks.passkeys.creation_options(
                challenge,
                user_id=staff_id,
                user_name=STAFF.encode(staff_id),
                present=usable_passkeys(present),
            ),
        )
        return await tools.submit(command, request, call)

    async def ConfirmStaffPasskey(  # noqa: N802
        self, request: pb.ConfirmStaffPasskeyRequest, call: Call
    ) -> bytes:
        """Keep the passkey that the device has made."""
        tools = self._tools
        staff_id, session_id = own_ids(call)
        present = await self._factors(staff_id, call)
        row = pending(present, FactorKind.PASSKEY, tools.clock.now_us())
        made = None
        if row is not None:
            made = tools.checks.passkeys.register(request.credential_json, row.secret)
        command = session_commands.ConfirmPasskey(
            tools.book,
            request_key(call),
            staff_id=staff_id,
            session_id=session_id,
            limits=tools.limits,
            factor_id=None if row is None else row.factor_id,
            made=made,
            label=request.label,
        )
        return await tools.submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _begin(self, request: Any, call: Call) -> tuple[DeviceKey, Looked, VerificationId]:
        """Return the device's key and what is known of a sign-in.

        Raises:
            Refusal: DEVICE_KEY_INVALID.
        """
        sign_in_id = decode_id(VERIFICATION, request.sign_in_id, "sign_in_id")
        key = self._tools.key_of(request.device)
        return key, await self._tools.look_up(sign_in_id, call), sign_in_id

    def _draft(
        self, looked: Looked, key: DeviceKey, call: Call, reply_type: type[Message]
    ) -> session_commands.Draft:
        tools = self._tools
        session_id = SessionId(new_id(tools.book, tools.clock))
        return tools.draft(
            looked, call, reply_type, session_id=session_id, thumbprint=key.thumbprint
        )

    def _offered(
        self, request: Any, key: DeviceKey, looked: Looked, call: Call, secret: str
    ) -> Sequence[bytes]:
        """Return what a caller has proven to have, as enrolments are opened by it.

        Whoever has enrolled with a secret goes on with the key that came with it, so that the code
        that ends the enrolment needs the secret no more.
        """
        if not self._tools.proves(request.device, key, looked.sign_in, call):
            return ()
        offered = [enrolment_of(Enrolment.KEY, read_b64url(key.thumbprint))]
        if secret:
            digest = sha256(secret.encode()).digest()
            offered.append(enrolment_of(Enrolment.SECRET, digest))
        return offered

    async def _reserve(
        self, attempt: AttemptKey, staff_id: StaffId, request: Message, call: Call
    ) -> bool:
        """Count a try, and say whether it may be looked at.

        It has a request id of its own, so that sending a sign-in again counts no further try.
        """
        key = request_key(call)
        digest = request_digest(
            principal=f"{call.principal.kind}:{call.principal.subject}",
            method=call.method + _TRY,
            request_id=call.request_id or "",
        )
        command = session_commands.ReserveTry(
            self._tools.book,
            RequestKey(digest, key.content),
            attempt=attempt,
            staff_id=staff_id,
        )
        reply = await self._tools.submit(command, request, call)
        call.replayed = False  # that is for the sign-in itself to say
        return reply == ADMITTED

    async def _judge(
        self, request: pb.CompleteStaffSignInRequest, looked: Looked
    ) -> tuple[Verdict, Verdict]:
        """Look at the password and at the second factor; always at both."""
        checks = self._tools.checks
        owner = factors_of(looked.staff_id)
        row = active(looked.factors, FactorKind.PASSWORD)
        first = await checks.check_secret(owner, row, FactorKind.PASSWORD, request.password)
        proof = request.second_factor
        if proof.totp_code:
            totp = active(looked.factors, FactorKind.TOTP)
            now_us = self._tools.clock.now_us()
            return first, checks.check_totp(owner, totp, proof.totp_code, now_us)
        # Any other kind of proof has no assertion, and is wrong like a broken one.
        nonce = b"" if looked.sign_in is None else looked.sign_in.nonce
        passkeys = usable_passkeys(looked.factors)
        return first, checks.check_passkey(passkeys, proof.passkey_assertion_json, nonce)

    async def _factors(self, staff_id: StaffId, call: Call) -> Sequence[FactorRow]:
        async with self._tools.readers.connection(deadline=call.deadline) as connection:
            return await find_factors(connection, self._tools.book, factors_of(staff_id))

    def _factor_id(self) -> FactorId:
        return FactorId(new_id(self._tools.book, self._tools.clock))


def own_ids(call: Call) -> tuple[StaffId, SessionId | None]:
    """Return account and session of a caller of staff.

    Raises:
        Refusal: STAFF_NOT_FOUND for a development token that is of no account.
    """
    who = call.principal
    session_id = None if who.session_id is None else SESSION.decode(who.session_id)
    try:
        staff_id = STAFF.decode(who.subject)
    except MalformedIdError:
        return StaffId(bytes(16)), session_id
    return staff_id, session_id


def check_staff_password(password: str, login: str) -> None:
    """Refuse a password that guessers try first.

    Raises:
        Refusal: PASSWORD_WEAK.
    """
    if len(password) < model.PASSWORD_MIN:
        raise password_weak("length.min", model.PASSWORD_MIN)
    if login and login in password.lower():
        raise password_weak("login", model.PASSWORD_MIN)
    check_password(password, common_passwords(), "")


def active(factors: Sequence[FactorRow], kind: FactorKind) -> FactorRow | None:
    """Return the factor of a kind that counts."""
    places = (f for f in factors if f.is_active and f.kind == kind and f.slot == MAIN_SLOT)
    return next(places, None)


def pending(factors: Sequence[FactorRow], kind: FactorKind, now_us: int) -> FactorRow | None:
    """Return the factor of a kind that waits to be confirmed."""
    places = (f for f in factors if f.kind == kind and f.slot == PENDING_SLOT)
    return next((f for f in places if f.is_pending(now_us)), None)


def usable_passkeys(factors: Sequence[FactorRow]) -> list[FactorRow]:
    """Return the passkeys that sign in."""
    return [f for f in factors if f.is_active and f.kind == FactorKind.PASSKEY]
