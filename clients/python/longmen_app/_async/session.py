"""A device that registers, signs in and stays signed in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from longmen.identity.v1 import identity_pb2
from longmen_client._async.client import AsyncClient

if TYPE_CHECKING:
    from types import TracebackType

    from longmen.identity.v1 import factor_pb2
    from longmen_client._config import Config
    from longmen_client.device_key import DeviceKey

_EARLY = timedelta(seconds=30)
"""How long before its end an access token is exchanged."""


@dataclass(frozen=True, slots=True)
class AsyncPending:
    """A registration or sign-in that waits for its code."""

    phone_number: str
    verification_id: str
    nonce: bytes
    code_required: bool


class AsyncSession:
    """One device of one customer. `bank` is the client to call by once it has signed in.

        async with AsyncSession(Config(target=target), DeviceKey.load_or_make(path)) as session:
            pending = await session.start_login("+8613800138000")
            await session.complete_login(pending, code=asked_of_the_customer)
            wallet = AsyncWallet(session.bank)

    Args:
        config: how to reach the server; a token in it is not used.
        device: the device's key.
        device_name: for the customer to know the device by.
    """

    def __init__(self, config: Config, device: DeviceKey, *, device_name: str = "") -> None:
        self.customer_id = ""
        """Who has signed in; empty before."""
        self.session_id = ""
        self._device = device
        self._device_name = device_name
        self._tokens = identity_pb2.Tokens()
        self._door = AsyncClient(dataclasses.replace(config, token=None, device_key=None))
        self.bank = AsyncClient(
            dataclasses.replace(config, token=self.access_token, device_key=device)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; the session goes on until it ends or is revoked."""
        await self.bank.aclose()
        await self._door.aclose()

    # -- registering and signing in ------------------------------------------------------------

    async def start_registration(self, phone_number: str) -> AsyncPending:
        """Have a code sent for a new wallet.

        Raises:
            LongmenError: such as CodeSentRecently.
        """
        reply = await self._door.registration.start_registration(phone_number=phone_number)
        begun = reply.message
        return AsyncPending(phone_number, begun.verification_id, begun.nonce, code_required=True)

    async def complete_registration(
        self, pending: AsyncPending, *, code: str, display_name: str, currency_code: str
    ) -> None:
        """Open the wallet, and sign in.

        Raises:
            LongmenError: such as VerificationCodeInvalid.
        """
        reply = await self._door.registration.complete_registration(
            verification_id=pending.verification_id,
            phone_number=pending.phone_number,
            code=code,
            device=self._offer("CompleteRegistration", pending.nonce),
            display_name=display_name,
            currency_code=currency_code,
        )
        self._keep(reply.message)

    async def start_login(self, phone_number: str) -> AsyncPending:
        """Begin to sign in; a device that is enrolled needs no code.

        Raises:
            LongmenError: such as CodeSentRecently.
        """
        reply = await self._door.sessions.start_login(
            phone_number=phone_number, key_thumbprint=self._device.thumbprint
        )
        begun = reply.message
        return AsyncPending(
            phone_number, begun.verification_id, begun.nonce, code_required=begun.code_required
        )

    async def complete_login(
        self,
        pending: AsyncPending,
        *,
        code: str = "",
        proof: factor_pb2.FactorProof | None = None,
    ) -> None:
        """Sign in.

        Args:
            pending: what `start_login` gave.
            code: that was sent to the phone number; empty if none was required.
            proof: of one of the customer's factors, for a device that is new: after
                `FactorRequired`, by one of the methods that it names.

        Raises:
            LongmenError: such as VerificationCodeInvalid or FactorRequired.
        """
        reply = await self._door.sessions.complete_login(
            verification_id=pending.verification_id,
            phone_number=pending.phone_number,
            code=code,
            device=self._offer("CompleteLogin", pending.nonce),
            proof=proof,
        )
        self._keep(reply.message)

    # -- staying signed in ---------------------------------------------------------------------

    async def access_token(self) -> str:
        """The access token for the next call, exchanged for a new one shortly before its end.

        Raises:
            LongmenError: the session has ended; sign in again.
        """
        end = self._tokens.access_token_expire_time.ToDatetime(tzinfo=UTC)
        if self._tokens.access_token and _now() >= end - _EARLY:
            await self.refresh()
        return self._tokens.access_token

    async def refresh(self) -> None:
        """Exchange the tokens.

        Raises:
            LongmenError: such as SessionExpired.
        """
        token = self._tokens.refresh_token
        challenge = sha256(token.encode()).digest()
        reply = await self._door.sessions.refresh_session(
            refresh_token=token, signature=self._device.prove("RefreshSession", challenge)
        )
        self._keep(reply.message)

    async def sign_out(self) -> None:
        """End the session.

        Raises:
            LongmenError: it could not be ended.
        """
        current = self.session_id
        if not current:  # it was restored
            found = [one async for one in self.bank.sessions.list_sessions() if one.current]
            current = found[0].session_id
        await self.bank.sessions.revoke_session(session_id=current)
        self._tokens = identity_pb2.Tokens()

    def save(self) -> bytes:
        """What `restore` takes to go on after a restart. It is a secret: keep it like a key."""
        return identity_pb2.Tokens.SerializeToString(self._tokens)

    def restore(self, saved: bytes) -> None:
        """Go on with a session that was saved."""
        self._tokens = identity_pb2.Tokens.FromString(saved)

    def _offer(self, method: str, nonce: bytes) -> identity_pb2.DeviceKey:
        return identity_pb2.DeviceKey(
            algorithm=self._device.algorithm,  # type: ignore[arg-type]  # enums are ints
            public_key=self._device.public_key,
            signature=self._device.prove(method, nonce),
            name=self._device_name,
        )

    def _keep(self, reply: Any) -> None:
        self._tokens = reply.tokens
        self.customer_id = reply.session.customer_id
        self.session_id = reply.session.session_id


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a client has no other clock
