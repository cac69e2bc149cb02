"""What the services of staff have in common: drafts of sessions, looks at accounts and factors."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen.staff.v1 import staff_pb2
from longmen_server.engine.door import request_key, submit
from longmen_server.factors.model import NO_DEVICE
from longmen_server.factors.queries import find_factors
from longmen_server.identity.model import proof_message
from longmen_server.identity.sealed_reply import unpack
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.device_keys import DeviceKey, UnusableKeyError
from longmen_server.platform.ids import DEVICE, SESSION, STAFF, DeviceId, SessionId, StaffId
from longmen_server.platform.issuer import StaffClaims
from longmen_server.platform.refusal import Refusal
from longmen_server.staff import queries
from longmen_server.staff.model import factors_of, role_names
from longmen_server.staff.session_commands import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from google.protobuf.message import Message

    from longmen.identity.v1 import identity_pb2
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.factors.model import FactorRow
    from longmen_server.identity.watch import SessionWatch
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import VerificationId
    from longmen_server.platform.issuer import IdentityIssuer
    from longmen_server.platform.sealing import Sealer, SecretKeys
    from longmen_server.staff.model import Limits, SignInRow, StaffRow
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["Looked", "StaffTools", "device_of_key", "shadow_of"]

REPLIES: Final = "staff-replies"
SHADOWS: Final = "staff-shadows"
"""Purposes of keys made from the server's secret."""

_BOOK_BYTES: Final = 2
_ID_BYTES: Final = 16


class Looked(NamedTuple):
    """What a look before a sign-in's command has shown; decided it is on locked rows."""

    sign_in: SignInRow | None
    account: StaffRow | None
    factors: Sequence[FactorRow]
    staff_id: StaffId
    """Of the account; where there is none, one that nobody has."""


def device_of_key(thumbprint: str, book: int) -> DeviceId:
    """Return the id of the machine that has a key: the same key is always the same machine."""
    head = sha256(thumbprint.encode()).digest()[: _ID_BYTES - _BOOK_BYTES]
    return DeviceId(head + book.to_bytes(_BOOK_BYTES, "big"))


def shadow_of(key: bytes, text: bytes, book: int) -> StaffId:
    """Return an id that stands for an account that is not there, always the same one."""
    head = hmac.digest(key, text, "sha256")[: _ID_BYTES - _BOOK_BYTES]
    return StaffId(head + book.to_bytes(_BOOK_BYTES, "big"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTools:
    """What the services work with."""

    engine: Engine
    readers: Readers
    clock: Clock
    issuer: IdentityIssuer
    watch: SessionWatch
    page_tokens: PageTokens
    checks: FactorChecks
    replies: Sealer
    """Seals tokens and seeds in recorded replies."""
    shadow_key: bytes
    """Makes ids for logins that nobody has."""
    scopes_of: Callable[[Collection[str]], frozenset[str]]
    """What roles permit."""
    book: int
    """Where accounts of staff are kept."""
    limits: Limits

    @classmethod
    def make(cls, *, keys: SecretKeys, **parts: Any) -> StaffTools:
        """Make the tools, with the keys of their purposes."""
        return cls(replies=keys.sealer(REPLIES), shadow_key=keys.derive(SHADOWS), **parts)

    # -- looks ---------------------------------------------------------------------------------

    async def look_up(self, sign_in_id: VerificationId, call: Call) -> Looked:
        """Return a sign-in, its account and the account's factors."""
        async with self.readers.snapshot(deadline=call.deadline) as connection:
            sign_in = await queries.find_sign_in(connection, self.book, sign_in_id)
            staff_id = None if sign_in is None else sign_in.staff_id
            # Read in any case, so that it takes as long where there is no account.
            known = staff_id or shadow_of(self.shadow_key, sign_in_id, self.book)
            account = await queries.find_staff(connection, self.book, known)
            factors = await find_factors(connection, self.book, factors_of(known))
        return Looked(sign_in, account, factors, known)

    async def attempt_device(self, looked: Looked, key: DeviceKey, call: Call) -> bytes:
        """Return which machine's tries are counted.

        One that the account has signed in with before has its own, so that strangers cannot lock
        its owner out there; all others share theirs.
        """
        async with self.readers.connection(deadline=call.deadline) as connection:
            known = await queries.has_used_key(
                connection, self.book, looked.staff_id, key.thumbprint
            )
        return device_of_key(key.thumbprint, self.book) if known else NO_DEVICE

    # -- keys, drafts --------------------------------------------------------------------------

    def key_of(self, message: identity_pb2.DeviceKey) -> DeviceKey:
        """Return the key that a request brings.

        Raises:
            Refusal: DEVICE_KEY_INVALID.
        """
        try:
            return DeviceKey(message.algorithm, message.public_key)
        except UnusableKeyError:
            raise Refusal(
                "DEVICE_KEY_INVALID",
                "the public key is no key of its algorithm",
                field="device.public_key",
            ) from None

    def proves(
        self, message: identity_pb2.DeviceKey, key: DeviceKey, sign_in: SignInRow | None, call: Call
    ) -> bool:
        """Whether a device has signed the nonce of its sign-in."""
        if sign_in is None:
            return False
        method = call.method.rpartition("/")[2]
        return key.verifies(message.signature, proof_message(method, sign_in.nonce))

    def seal(self, reply: Message, call: Call) -> bytes:
        """Return the secret part of a reply as it is recorded."""
        return self.replies.seal(reply.SerializeToString(), request_key(call).digest)

    def token(
        self, account: StaffRow, *, session_id: SessionId, thumbprint: str
    ) -> staff_pb2.StaffSession:
        """Return an access token for an account as it is now."""
        roles = role_names(account.roles)
        issued = self.issuer.mint(
            kind="staff",
            subject=STAFF.encode(account.staff_id),
            scopes=self.scopes_of(roles),
            session_id=SESSION.encode(session_id),
            device_id=DEVICE.encode(device_of_key(thumbprint, self.book)),
            thumbprint=thumbprint,
            staff=StaffClaims(" ".join(roles), account.person, account.branch),
        )
        return staff_pb2.StaffSession(
            access_token=issued.token,
            access_token_expire_time=timestamp(issued.expires_at_us),
        )

    def draft(
        self,
        looked: Looked,
        call: Call,
        reply_type: type[Any],
        *,
        session_id: SessionId,
        thumbprint: str,
    ) -> Draft:
        """Return a session that may begin, its token sealed for the reply of a call."""
        account = looked.account
        reply = reply_type()
        if account is not None:
            token = self.token(account, session_id=session_id, thumbprint=thumbprint)
            reply.session.CopyFrom(token)
        return Draft(
            session_id=session_id,
            device_id=device_of_key(thumbprint, self.book),
            thumbprint=thumbprint,
            account_changed_at_us=-1 if account is None else account.changed_at_us,
            sealed=self.seal(reply, call),
        )

    # -- commands ------------------------------------------------------------------------------

    async def submit(self, command: Command, request: Message, call: Call) -> bytes:
        """Run a command and return its reply."""
        return await submit(self.engine, command, request=request, call=call)

    async def submit_sealed(self, command: Command, request: Message, call: Call) -> bytes:
        """Run a command whose recorded reply has its secrets sealed; return the whole reply."""
        recorded = await self.submit(command, request, call)
        return unpack(recorded, self.replies, request_key(call).digest)
