"""RegistrationService: requests in, commands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import registration_service_pb2 as pb
from longmen_server.accounts.commands import NewWallet
from longmen_server.accounts.encode import name_owner
from longmen_server.accounts.model import check_phone_number
from longmen_server.accounts.personal import Person, seal_customer
from longmen_server.engine.door import request_key
from longmen_server.identity import commands, model, texts
from longmen_server.identity.queries import find_verification
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import (
    VERIFICATION,
    AccountId,
    CustomerId,
    DeviceId,
    book_of,
    new_id,
)
from longmen_server.platform.money import currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.transport.context import Call

CODE_DIGITS = 6


class RegistrationService:
    """The methods of longmen.identity.v1.RegistrationService."""

    def __init__(self, tools: IdentityTools) -> None:
        self._tools = tools

    async def StartRegistration(  # noqa: N802
        self, request: pb.StartRegistrationRequest, call: Call
    ) -> bytes:
        """Send a code."""
        tools = self._tools
        phone = check_phone_number(request.phone_number)
        book = tools.default_book
        challenge, code = tools.challenge(book, CODE_DIGITS)
        text = texts.registration_code(code, tools.settings.code_lifetime_s // 60)
        command = commands.StartRegistration(
            book,
            request_key(call),
            phone_index=tools.phone_index(phone),
            challenge=challenge,
            code=tools.sms(book, "registration_code", phone, text),
            notice=tools.sms(book, "registered_notice", phone, texts.registered_notice()),
            limits=tools.limits,
        )
        return await tools.submit(command, request, call)

    async def CompleteRegistration(  # noqa: N802
        self, request: pb.CompleteRegistrationRequest, call: Call
    ) -> pb.CompleteRegistrationResponse:
        """Open a wallet."""
        tools = self._tools
        phone = check_phone_number(request.phone_number)
        if request.currency_code not in currencies():
            raise Refusal(
                "UNKNOWN_CURRENCY",
                "no such currency, or one without minor units",
                metadata={"currency_code": request.currency_code},
                field="currency_code",
            )
        verification_id = decode_id(VERIFICATION, request.verification_id, "verification_id")
        book = book_of(verification_id)
        if not tools.keeps(book):
            raise model.verification_not_found(verification_id)
        key = tools.key_of(request.device)
        async with tools.readers.connection(deadline=call.deadline) as connection:
            found = await find_verification(connection, book, verification_id)
        customer_id = CustomerId(new_id(book, tools.clock))
        person = Person(request.display_name, phone)
        new = NewWallet(
            customer_id=customer_id,
            account_id=AccountId(new_id(book, tools.clock)),
            person=seal_customer(
                tools.vault, customer_id, phone_number=phone, display_name=person.display_name
            ),
            currency_code=request.currency_code,
            nickname="",
        )
        device_id = DeviceId(new_id(book, tools.clock))
        command = commands.CompleteRegistration(
            book,
            request_key(call),
            verification_id=verification_id,
            phone_index=tools.phone_index(phone),
            code_digest=tools.code_digest(verification_id, request.code),
            offer=tools.offer(
                request.device,
                key,
                method="CompleteRegistration",
                nonce=None if found is None else found[2],
                device_id=device_id,
            ),
            draft=tools.draft(
                call,
                pb.CompleteRegistrationResponse,
                customer_id=customer_id,
                device_id=device_id,
                thumbprint=key.thumbprint,
                token=tools.new_refresh_token(book),
                ends_at_us=tools.absolute_end_us(),
            ),
            limits=tools.limits,
            new=new,
        )
        whole = await tools.submit_sealed(command, request, call)
        reply = pb.CompleteRegistrationResponse.FromString(whole)
        # As with OpenWallet, what is stored names nobody.
        name_owner(reply.wallet, person)
        reply.device.name = request.device.name
        return reply
