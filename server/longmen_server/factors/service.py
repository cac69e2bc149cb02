"""FactorsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import factor_service_pb2 as pb
from longmen_server.accounts import queries as accounts
from longmen_server.accounts.personal import open_person
from longmen_server.engine.door import request_key, submit
from longmen_server.factors import commands, encode, queries, texts
from longmen_server.factors.caller import device_of, owner_of, session_of
from longmen_server.factors.checks import common_passwords, normal
from longmen_server.factors.model import (
    PENDING_SLOT,
    FactorKind,
    FactorRow,
    blocked_until,
    check_password,
    check_pin,
)
from longmen_server.identity.sealed_reply import split
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, FACTOR, FactorId, book_of, new_id

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.accounts.personal import Person
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.identity.watch import SessionWatch
    from longmen_server.messages.notices import Notices
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
        notices: Notices,
        watch: SessionWatch,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            vault: opens phone numbers, which secrets may not be made of.
            checks: makes and checks secrets.
            step_up: gives changes the gate they have to pass.
            notices: makes what tells customers of changes.
            watch: to be told of sessions that changes end.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._vault = vault
        self._checks = checks
        self._step_up = step_up
        self._notices = notices
        self._watch = watch

    # -- passwords and PINs --------------------------------------------------------------------

    async def SetPassword(self, request: pb.SetPasswordRequest, call: Call) -> bytes:  # noqa: N802
        """Set or replace the password."""
        customer_id, book = owner_of(call)
        password = normal(request.password)
        person = await self._person(customer_id, call)
        words = self._checks.context_words
        check_password(password, common_passwords(), _phone_of(person), words)
        command = commands.SetPassword(
            book,
            request_key(call),
            owner=self._setting(call, person, FactorKind.PASSWORD),
            factor_id=self._new_id(book),
            phc=await self._checks.hash(customer_id, FactorKind.PASSWORD, password),
            length=len(password),
        )
        return await self._change(command, request, call)

    async def SetPaymentPin(self, request: pb.SetPaymentPinRequest, call: Call) -> bytes:  # noqa: N802
        """Set or replace the payment PIN."""
        customer_id, book = owner_of(call)
        person = await self._person(customer_id, call)
        check_pin(request.pin, _phone_of(person))
        command = commands.SetPaymentPin(
            book,
            request_key(call),
            owner=self._setting(call, person, FactorKind.PAYMENT_PIN),
            factor_id=self._new_id(book),
            phc=await self._checks.hash(customer_id, FactorKind.PAYMENT_PIN, request.pin),
        )
        return await self._change(command, request, call)

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
            owner=self._owner(call),
            factor_id=self._new_id(book),
            sealed_seed=sealed_seed,
            sealed_reply=self._checks.seal_reply(secret, key.digest),
        )
        sealed, rest = split(await self._submit(command, request, call))
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
        person = await self._person(customer_id, call)
        command = commands.ConfirmTotp(
            book,
            request_key(call),
            # Its start was approved.
            owner=self._setting(call, person, FactorKind.TOTP)._replace(gate=None),
            factor_id=None if row is None else row.factor_id,
            step=step,
        )
        return await self._change(command, request, call)

    # -- passkeys ------------------------------------------------------------------------------

    async def StartPasskey(self, request: pb.StartPasskeyRequest, call: Call) -> bytes:  # noqa: N802
        """Begin to register a passkey."""
        customer_id, book = owner_of(call)
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
            request_key(call),
            owner=self._owner(call),
            factor_id=self._new_id(book),
            challenge=challenge,
            options_json=options_json,
        )
        return await self._submit(command, request, call)

    async def ConfirmPasskey(  # noqa: N802
        self, request: pb.ConfirmPasskeyRequest, call: Call
    ) -> pb.ConfirmPasskeyResponse:
        """Keep the passkey that the device has made."""
        customer_id, book = owner_of(call)
        row = await self._pending(customer_id, FactorKind.PASSKEY, call)
        made = None
        if row is not None:
            made = self._checks.passkeys.register(request.credential_json, row.secret)
        person = await self._person(customer_id, call)
        command = commands.ConfirmPasskey(
            book,
            request_key(call),
            owner=self._setting(call, person, FactorKind.PASSKEY)._replace(gate=None),
            factor_id=None if row is None else row.factor_id,
            made=made,
            label=request.label,
        )
        reply = pb.ConfirmPasskeyResponse.FromString(await self._change(command, request, call))
        reply.factor.label = request.label
        return reply

    # -- the rest ------------------------------------------------------------------------------

    async def CreateBackupCodes(  # noqa: N802
        self, request: pb.CreateBackupCodesRequest, call: Call
    ) -> pb.CreateBackupCodesResponse:
        """Make ten backup codes."""
        customer_id, book = owner_of(call)
        key = request_key(call)
        person = await self._person(customer_id, call)
        codes = await self._checks.new_codes(customer_id)
        secret = pb.CreateBackupCodesResponse(codes=codes.shown).SerializeToString()
        command = commands.CreateBackupCodes(
            book,
            key,
            owner=self._setting(call, person, FactorKind.BACKUP_CODES),
            factor_id=self._new_id(book),
            hashes=codes.hashes,
            sealed_reply=self._checks.seal_reply(secret, key.digest),
        )
        sealed, rest = split(await self._change(command, request, call))
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
        factor_id = decode_id(FACTOR, request.factor_id, "factor_id")
        owner = self._owner(call)
        for row in await self._factors(customer_id, call):
            if row.factor_id == factor_id and row.is_active:
                text = texts.factor_removed(FactorKind(row.kind))
                person = await self._person(customer_id, call)
                notices = self._notices.to(book, person, "factor_removed", text)
                owner = owner._replace(notices=notices)
        command = commands.RemoveFactor(book, request_key(call), owner=owner, factor_id=factor_id)
        return await self._change(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    async def _change(self, command: Command, request: Message, call: Call) -> bytes:
        """Run what ends sessions; here they have ended at once, elsewhere within five seconds."""
        reply = await self._submit(command, request, call)
        await self._watch.look()
        return reply

    def _owner(self, call: Call) -> commands.Owner:
        customer_id, book = owner_of(call)
        gate = self._step_up.gate(call, request_key(call), book)
        return commands.Owner(customer_id, gate, session_of(call))

    def _setting(self, call: Call, person: Person | None, kind: FactorKind) -> commands.Owner:
        """Return the owner of a factor that is to be set, with what tells of it."""
        book = owner_of(call)[1]
        notices = self._notices.to(book, person, "factor_set", texts.factor_set(kind))
        return self._owner(call)._replace(notices=notices)

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

    async def _person(self, customer_id: CustomerId, call: Call) -> Person | None:
        """Return the customer's personal data; None where there is no wallet."""
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await accounts.find_wallet(connection, book_of(customer_id), customer_id)
        return None if found is None else open_person(self._vault, found)


def _phone_of(person: Person | None) -> str:
    """Return the phone number, which is no secret for one to be made of."""
    return "" if person is None else person.phone_number
