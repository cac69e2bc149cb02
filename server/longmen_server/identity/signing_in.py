"""What signing in and enrolling by a pairing code have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.door import request_key
from longmen_server.identity import model, texts
from longmen_server.identity.queries import find_key_holder, find_verification
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import VERIFICATION, CustomerId, DeviceId, book_of, new_id

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.identity.commands import CompleteLogin
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.transport.context import Call

__all__ = ["complete"]

NOBODY = CustomerId(bytes(16))


async def complete(
    tools: IdentityTools,
    command_type: type[CompleteLogin],
    reply_type: type[Message],
    request: Any,
    call: Call,
    *,
    code: str,
    phone_number: str,
) -> bytes:
    """Complete a verification that ends in a session, and return the reply.

    What is read here only tells for whom the tokens are made; it is decided on locked rows.

    Args:
        tools: the area's.
        command_type: what decides.
        reply_type: class of the reply, which has the field tokens.
        request: with verification_id and device.
        call: its call.
        code: what the caller has been sent or shown.
        phone_number: that it was sent to; empty for a pairing code.

    Raises:
        Refusal: VERIFICATION_NOT_FOUND, DEVICE_KEY_INVALID, and what the command decides.
    """
    verification_id = decode_id(VERIFICATION, request.verification_id, "verification_id")
    book = book_of(verification_id)
    if not tools.keeps(book):
        raise model.verification_not_found(verification_id)
    key = tools.key_of(request.device)
    holder, notified = None, phone_number
    async with tools.readers.connection(deadline=call.deadline) as connection:
        found = await find_verification(connection, book, verification_id)
        customer_id, _, nonce = found or (None, None, None)
        if customer_id is not None:
            holder = await find_key_holder(connection, book, customer_id, key.thumbprint)
            if not notified:
                wallet = await find_wallet(connection, book, customer_id)
                notified = "" if wallet is None else open_person(tools.vault, wallet).phone_number
    device_id = holder or DeviceId(new_id(book, tools.clock))
    notice = tools.sms(book, "device_notice", notified, texts.device_notice(request.device.name))
    command = command_type(
        book,
        request_key(call),
        verification_id=verification_id,
        phone_index=tools.phone_index(phone_number) if phone_number else b"",
        code_digest=tools.code_digest(verification_id, code),
        offer=tools.offer(
            request.device,
            key,
            method=call.method.rpartition("/")[2],
            nonce=nonce,
            device_id=device_id,
        ),
        draft=tools.draft(
            call,
            reply_type,
            customer_id=customer_id or NOBODY,
            device_id=device_id,
            thumbprint=key.thumbprint,
            token=tools.new_refresh_token(book),
            ends_at_us=tools.absolute_end_us(),
        ),
        limits=tools.limits,
        customer_id=customer_id,
        enrols=holder is None,
        notice=notice if notified else None,
    )
    return await tools.submit_sealed(command, request, call)
