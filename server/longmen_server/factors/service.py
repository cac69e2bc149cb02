"""FactorsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import factor_service_pb2 as pb
from longmen_server.accounts import queries as accounts
from longmen_server.accounts.personal import open_person
from longmen_server.engine.door import request_key, submit
from longmen_server.factors import commands, encode, queries
from longmen_server.factors.caller import device_of, owner_of
from longmen_server.factors.checks import common_passwords, normal
from longmen_server.factors.model import (
    PENDING_SLOT,
    FactorKind,
    FactorRow,
    blocked_until,
    check_password,
    check_pin,
)
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, FACTOR, FactorId, book_of, new_id

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call

__all__ = ["FactorsService"]

PASSKEY_CHALLENGE_BYTES: Final = 32


class FactorsService:
    """The methods of longmen.identity.v1.FactorsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        vault: Vault,
        checks: FactorChecks,
        step_up: StepUpOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            vault: opens phone numbers, which secrets may not be made of.
            checks: makes and checks secrets.
            step_up: gives changes the gate they have to pass.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._vault = vault
        self._checks = checks
        self._step_up = step_up

    # -- passwords and PINs --------------------------------------------------------------------

    async def SetPassword(self, request: pb.SetPasswordRequest, call: Call) -> bytes:  # noqa: N802
        """Set or replace the password."""
        customer_id, book = owner_of(call)
        password = normal(request.password)
        check_password(password, common_passwords(), await self._phone_of(customer_id, call))
        key = request_key(call)
        command = commands.SetPassword(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=self._new_id(book),
            phc=await self._checks.hash(customer_id, FactorKind.PASSWORD, password),
            length=len(password),
        )
        return await self._submit(command, request, call)

    async def SetPaymentPin(self, request: pb.SetPaymentPinRequest, call: Call) -> bytes:  # noqa: N802
        """Set or replace the payment PIN."""
        customer_id, book = owner_of(call)
        check_pin(request.pin, await self._phone_of(customer_id, call))
        key = request_key(call)
        command = commands.SetPaymentPin(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=self._new_id(book),
            phc=await self._checks.hash(customer_id, FactorKind.PAYMENT_PIN, request.pin),
        )
        return await self._submit(command, request, call)

    # -- one-time codes ------------------------------------------------------------------------

    async def StartTotp(  # noqa: N802
        self, request: pb.StartTotpRequest, call: Call
    ) -> pb.StartTotpResponse:
        """Make a seed for an authenticator app."""
        customer_id, book = owner_of(call)
        key = request_key(call)
        seed, sealed_seed = self._checks.new_seed(customer_id)
        uri = self._checks.seed_uri(seed, CUSTOMER.encode(customer_id))
        secret = pb.StartTotpResponse(seed=seed, uri=uri).SerializeToString()
        command = commands.StartTotp(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=self._new_id(book),
            sealed_seed=sealed_seed,
            sealed_reply=self._checks.seal_reply(secret, key.digest),
        )
        sealed, rest = commands.split_sealed(await self._submit(command, request, call))
        reply = pb.StartTotpResponse.FromString(self._checks.open_reply(sealed, key.digest))
        reply.MergeFromString(rest)
        return reply

    async def ConfirmTotp(self, request: pb.ConfirmTotpRequest, call: Call) -> bytes:  # noqa: N802
        """Put the seed into use."""
        customer_id, book = owner_of(call)
        row = await self._pending(customer_id, FactorKind.TOTP, call)
        now_us = self._clock.now_us()
        step = None
        if row is not None:
            step = self._checks.find_step(customer_id, row, request.code, now_us)
        command = commands.ConfirmTotp(
            book,
            request_key(call),
            customer_id=customer_id,
            factor_id=None if row is None else row.factor_id,
            step=step,
        )
        return await self._submit(command, request, call)

    # -- passkeys ------------------------------------------------------------------------------

    async def StartPasskey(self, request: pb.StartPasskeyRequest, call: Call) -> bytes:  # noqa: N802
        """Begin to register a passkey."""
        customer_id, book = owner_of(call)
        key = request_key(call)
        challenge = secrets.token_bytes(PASSKEY_CHALLENGE_BYTES)
        present = await self._factors(customer_id, call)
        options_json = self._checks.passkeys.creation_options(
            challenge,
            user_id=customer_id,
            user_name=CUSTOMER.encode(customer_id),
            present=[r for r in present if r.is_active and r.kind == FactorKind.PASSKEY],
        )
        command = commands.StartPasskey(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=self._new_id(book),
            challenge=challenge,
            options_json=options_json,
        )
        return await self._submit(command, request, call)

    async def ConfirmPasskey(  # noqa: N802
        self, request: pb.ConfirmPasskeyRequest, call: Call
    ) -> bytes:
        """Keep the passkey that the device has made."""
        customer_id, book = owner_of(call)
        row = await self._pending(customer_id, FactorKind.PASSKEY, call)
        made = None
        if row is not None:
            made = self._checks.passkeys.register(request.credential_json, row.secret)
        command = commands.ConfirmPasskey(
            book,
            request_key(call),
            customer_id=customer_id,
            factor_id=None if row is None else row.factor_id,
            made=made,
            label=request.label,
        )
        return await self._submit(command, request, call)

    # -- the rest ------------------------------------------------------------------------------

    async def CreateBackupCodes(  # noqa: N802
        self, request: pb.CreateBackupCodesRequest, call: Call
    ) -> pb.CreateBackupCodesResponse:
        """Make ten backup codes."""
        customer_id, book = owner_of(call)
        key = request_key(call)
        codes = await self._checks.new_codes(customer_id)
        secret = pb.CreateBackupCodesResponse(codes=codes.shown).SerializeToString()
        command = commands.CreateBackupCodes(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=self._new_id(book),
            hashes=codes.hashes,
            sealed_reply=self._checks.seal_reply(secret, key.digest),
        )
        sealed, rest = commands.split_sealed(await self._submit(command, request, call))
        reply = pb.CreateBackupCodesResponse.FromString(self._checks.open_reply(sealed, key.digest))
        reply.MergeFromString(rest)
        return reply

    async def ListFactors(  # noqa: N802
        self, request: pb.ListFactorsRequest, call: Call
    ) -> pb.ListFactorsResponse:
        """Show what the customer can prove to be one with."""
        del request
        customer_id, book = owner_of(call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            rows = await queries.find_factors(connection, book, customer_id)
            security = await queries.find_security(connection, book, customer_id)
            tries = await queries.find_attempts(connection, book, customer_id, device_of(call))
        now_us = self._clock.now_us()
        until = {kind: blocked_until(row, security) for kind, row in tries.items()}
        return pb.ListFactorsResponse(
            factors=[
                encode.factor(row, until.get(row.kind, 0) if until.get(row.kind, 0) > now_us else 0)
                for row in rows
                if row.is_active
            ]
        )

    async def RemoveFactor(self, request: pb.RemoveFactorRequest, call: Call) -> bytes:  # noqa: N802
        """Take a factor away."""
        customer_id, book = owner_of(call)
        key = request_key(call)
        command = commands.RemoveFactor(
            book,
            key,
            customer_id=customer_id,
            gate=self._step_up.gate(call, key, book),
            factor_id=decode_id(FACTOR, request.factor_id, "factor_id"),
        )
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    def _new_id(self, book: int) -> FactorId:
        return FactorId(new_id(book, self._clock))

    async def _factors(self, customer_id: CustomerId, call: Call) -> list[FactorRow]:
        async with self._readers.connection(deadline=call.deadline) as connection:
            return await queries.find_factors(connection, book_of(customer_id), customer_id)

    async def _pending(
        self, customer_id: CustomerId, kind: FactorKind, call: Call
    ) -> FactorRow | None:
        """Return what waits to be confirmed, if its time is not over."""
        now_us = self._clock.now_us()
        for row in await self._factors(customer_id, call):
            if row.kind == kind and row.slot == PENDING_SLOT and row.is_pending(now_us):
                return row
        return None

    async def _phone_of(self, customer_id: CustomerId, call: Call) -> str:
        """Return the customer's phone number, which is no secret to be made of."""
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await accounts.find_wallet(connection, book_of(customer_id), customer_id)
        return "" if found is None else open_person(self._vault, found).phone_number
