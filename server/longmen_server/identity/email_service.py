"""EmailsService: requests in, commands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.door import request_key
from longmen_server.factors.caller import owner_of
from longmen_server.identity import model, texts
from longmen_server.identity.email_commands import ConfirmEmail, StartEmailProof
from longmen_server.ledger.decode import decode_id
from longmen_server.messages.model import Channel
from longmen_server.platform.ids import VERIFICATION, book_of

if TYPE_CHECKING:
    from longmen.identity.v1 import email_service_pb2 as pb
    from longmen_server.accounts.personal import FoundWallet
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.transport.context import Call

__all__ = ["EmailsService"]

CODE_DIGITS = 6


class EmailsService:
    """The methods of longmen.identity.v1.EmailsService."""

    def __init__(self, tools: IdentityTools, step_up: StepUpOffice) -> None:
        """Take what the methods work with, and what gives requests the gate they have to pass."""
        self._tools = tools
        self._step_up = step_up

    async def StartEmailProof(  # noqa: N802
        self, request: pb.StartEmailProofRequest, call: Call
    ) -> bytes:
        """Send a code."""
        tools, key = self._tools, request_key(call)
        customer_id, book = owner_of(call)
        found = await self._find(call)
        # Where there is nothing to prove the command says so, or replays.
        row = None if found is None or found.row.erased_at_us is not None else found.row
        address = "" if found is None or row is None else open_person(tools.vault, found).email
        challenge, code = tools.challenge(book, CODE_DIGITS)
        minutes = tools.settings.code_lifetime_s // 60
        command = StartEmailProof(
            book,
            key,
            customer_id=customer_id,
            phone_index=b"" if row is None else row.phone_index or b"",
            sealed=b"" if row is None else row.email or b"",
            challenge=challenge,
            code=tools.office.accept(
                book,
                channel=Channel.EMAIL,
                kind="email_code",
                recipient=address,
                subject=texts.EMAIL_SUBJECT,
                text=texts.email_code(code, minutes),
                lifetime_us=tools.limits.code_lifetime_us,
            ),
            limits=tools.limits,
            gate=self._step_up.gate(call, key, book),
        )
        return await tools.submit(command, request, call)

    async def ConfirmEmail(self, request: pb.ConfirmEmailRequest, call: Call) -> bytes:  # noqa: N802
        """Prove the address."""
        tools = self._tools
        customer_id, book = owner_of(call)
        verification_id = decode_id(VERIFICATION, request.verification_id, "verification_id")
        if book_of(verification_id) != book or not tools.keeps(book):
            raise model.verification_not_found(verification_id)
        found = await self._find(call)
        person = None if found is None else open_person(tools.vault, found)
        command = ConfirmEmail(
            book,
            request_key(call),
            customer_id=customer_id,
            verification_id=verification_id,
            code_digest=tools.code_digest(verification_id, request.code),
            limits=tools.limits,
            notices=tools.notices.to(book, person, "email_proven", texts.email_proven()),
        )
        return await tools.submit(command, request, call)

    async def _find(self, call: Call) -> FoundWallet | None:
        customer_id, book = owner_of(call)
        async with self._tools.readers.connection(deadline=call.deadline) as connection:
            return await find_wallet(connection, book, customer_id)
