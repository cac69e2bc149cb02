"""What the services of identity have in common: secrets, drafts of sessions, codes and proofs."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen.identity.v1 import identity_pb2
from longmen_server.accounts.personal import phone_index
from longmen_server.challenges.policy import load_policy
from longmen_server.engine.door import request_key, submit
from longmen_server.identity.model import SECOND_US, Limits, proof_message
from longmen_server.identity.sealed_reply import unpack
from longmen_server.identity.steps import Challenge, Draft, Offer
from longmen_server.ledger.encode import timestamp
from longmen_server.messages.model import Channel
from longmen_server.platform.device_keys import DeviceKey, UnusableKeyError, b64url, read_b64url
from longmen_server.platform.ids import (
    CUSTOMER,
    DEVICE,
    SESSION,
    DeviceId,
    SessionId,
    VerificationId,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.identity.settings import IdentitySettings
    from longmen_server.identity.watch import SessionWatch
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.notices import Notices
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.issuer import IdentityIssuer
    from longmen_server.platform.pii import Vault
    from longmen_server.platform.sealing import Sealer, SecretKeys
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["IdentityTools", "RefreshToken", "limits_of", "read_refresh_token"]

NONCE_BYTES: Final = 32
FAMILY_BYTES: Final = 16
SECRET_BYTES: Final = 32
ID_BYTES: Final = 16

CODES: Final = "verification-codes"
REPLIES: Final = "identity-replies"
"""Purposes of keys made from the server's secret."""


class RefreshToken(NamedTuple):
    """A refresh token's parts."""

    session_id: SessionId
    family: bytes
    """Random, the same in all tokens of a session: what tells a used token from an invented one."""
    secret: bytes
    """Random, 256 bits, of this token alone."""

    @property
    def text(self) -> str:
        """As it is handed out: 86 characters."""
        return b64url(self.session_id + self.family + self.secret)


def read_refresh_token(text: str) -> RefreshToken:
    """Return the parts of a refresh token.

    Raises:
        Refusal: REFRESH_TOKEN_INVALID.
    """
    try:
        data = read_b64url(text)
        session_id = SessionId(data[:ID_BYTES])
        SESSION.decode(SESSION.encode(session_id))
    except ValueError:
        raise Refusal("REFRESH_TOKEN_INVALID", "no session has this refresh token") from None
    return RefreshToken(
        session_id, data[ID_BYTES : ID_BYTES + FAMILY_BYTES], data[ID_BYTES + FAMILY_BYTES :]
    )


def limits_of(settings: IdentitySettings) -> Limits:
    """Return the settings that decisions depend on."""
    return Limits(
        code_lifetime_us=settings.code_lifetime_s * SECOND_US,
        code_attempts_max=settings.code_attempts_max,
        code_resend_us=settings.code_resend_s * SECOND_US,
        code_sends_per_day_max=settings.code_sends_per_day_max,
        session_idle_us=settings.session_idle_s * SECOND_US,
        session_absolute_us=settings.session_absolute_s * SECOND_US,
        devices_max=settings.devices_max,
        policy=load_policy(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityTools:
    """What the services work with."""

    engine: Engine
    readers: Readers
    clock: Clock
    office: PostOffice
    issuer: IdentityIssuer
    watch: SessionWatch
    page_tokens: PageTokens
    replies: Sealer
    """Seals tokens in recorded replies."""
    code_key: bytes
    """Keys the digests of codes."""
    vault: Vault
    """Finds phone numbers, and opens them for notices."""
    checks: FactorChecks
    """Looks at the factors of new devices."""
    notices: Notices
    """Makes what tells customers of sign-ins."""
    scopes: frozenset[str]
    """What customers' tokens permit: all that customers may do."""
    default_book: int
    """Where wallets are opened."""
    settings: IdentitySettings
    limits: Limits

    @classmethod
    def make(cls, *, keys: SecretKeys, settings: IdentitySettings, **parts: Any) -> IdentityTools:
        """Make the tools, with the keys of their purposes."""
        return cls(
            replies=keys.sealer(REPLIES),
            code_key=keys.derive(CODES),
            settings=settings,
            limits=limits_of(settings),
            **parts,
        )

    # -- codes and proofs ----------------------------------------------------------------------

    def phone_index(self, phone_number: str) -> bytes:
        """Return what stands for a phone number in tables."""
        return phone_index(self.vault, phone_number)

    def code_digest(self, verification_id: VerificationId, code: str) -> bytes:
        """Return what stands for a code in tables: a million codes cannot be tried without key."""
        return hmac.digest(self.code_key, verification_id + code.encode(), "sha256")

    def challenge(self, book: int, digits: int) -> tuple[Challenge, str]:
        """Return a new verification, and its code of so many digits."""
        verification_id = VerificationId(new_id(book, self.clock))
        code = f"{secrets.randbelow(10**digits):0{digits}}"
        digest = self.code_digest(verification_id, code)
        return Challenge(verification_id, digest, secrets.token_bytes(NONCE_BYTES)), code

    def sms(self, book: int, kind: str, phone_number: str, text: str) -> MessageRow:
        """Return a text message for a command to leave behind."""
        return self.office.accept(
            book,
            channel=Channel.SMS,
            kind=kind,
            recipient=phone_number,
            subject="",
            text=text,
            lifetime_us=self.limits.code_lifetime_us,
        )

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

    def offer(
        self,
        message: identity_pb2.DeviceKey,
        key: DeviceKey,
        *,
        method: str,
        nonce: bytes | None,
        device_id: DeviceId,
    ) -> Offer:
        """Return the device of a request, its proof judged; without a nonce none is good."""
        proven = nonce is not None and key.verifies(message.signature, proof_message(method, nonce))
        return Offer(device_id=device_id, key=key, name=message.name, proven=proven)

    # -- sessions ------------------------------------------------------------------------------

    def draft(
        self,
        call: Call,
        reply_type: type[Message],
        *,
        customer_id: CustomerId,
        device_id: DeviceId,
        thumbprint: str,
        token: RefreshToken,
        ends_at_us: int,
    ) -> Draft:
        """Return a session's next tokens, sealed for the reply of a call."""
        issued = self.issuer.mint(
            kind="customer",
            subject=CUSTOMER.encode(customer_id),
            scopes=self.scopes,
            session_id=SESSION.encode(token.session_id),
            device_id=DEVICE.encode(device_id),
            thumbprint=thumbprint,
            customer_id=customer_id,
        )
        tokens = identity_pb2.Tokens(
            access_token=issued.token,
            access_token_expire_time=timestamp(issued.expires_at_us),
            refresh_token=token.text,
            refresh_token_expire_time=timestamp(ends_at_us),
        )
        secret = reply_type(tokens=tokens).SerializeToString()
        return Draft(
            session_id=token.session_id,
            family_digest=sha256(token.family).digest(),
            refresh_digest=sha256(token.secret).digest(),
            sealed=self.replies.seal(secret, request_key(call).digest),
        )

    def next_refresh_token(self, token: RefreshToken) -> RefreshToken:
        """Return the refresh token that follows one."""
        return token._replace(secret=secrets.token_bytes(SECRET_BYTES))

    def new_refresh_token(self, book: int) -> RefreshToken:
        """Return the first refresh token of a new session."""
        return RefreshToken(
            SessionId(new_id(book, self.clock)),
            secrets.token_bytes(FAMILY_BYTES),
            secrets.token_bytes(SECRET_BYTES),
        )

    def absolute_end_us(self) -> int:
        """When a session that begins now ends at the latest."""
        return self.clock.now_us() + self.limits.session_absolute_us

    # -- commands ------------------------------------------------------------------------------

    async def submit(self, command: Command, request: Message, call: Call) -> bytes:
        """Run a command and return its reply."""
        return await submit(self.engine, command, request=request, call=call)

    async def submit_sealed(self, command: Command, request: Message, call: Call) -> bytes:
        """Run a command whose recorded reply has its secrets sealed; return the whole reply."""
        recorded = await self.submit(command, request, call)
        return unpack(recorded, self.replies, request_key(call).digest)

    def keeps(self, book: int) -> bool:
        """Whether this server keeps a book."""
        return book in self.engine.writers
