"""What signing in and enrolling by a pairing code have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.accounts.personal import Person, open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.command import RequestKey
from longmen_server.engine.door import request_key
from longmen_server.engine.request_log import request_digest
from longmen_server.factors.judging import judge, kind_of, usable_passkeys
from longmen_server.factors.model import Verdict, bit
from longmen_server.factors.proving import ADMITTED
from longmen_server.factors.queries import find_factors
from longmen_server.factors.texts import factor_blocked, passkey_flagged
from longmen_server.identity import login_commands, model, texts
from longmen_server.identity.queries import find_device, find_key_holder, find_verification
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import DEVICE, VERIFICATION, CustomerId, DeviceId, book_of, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen.identity.v1 import factor_pb2
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.identity.login_commands import CompleteLogin
    from longmen_server.identity.steps import Draft
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import VerificationId
    from longmen_server.risk.guard import Guard
    from longmen_server.transport.context import Call

__all__ = ["complete"]

NOBODY: Final = CustomerId(bytes(16))
_TRY: Final = "#try"
"""What the request of a reserved try has behind the method of its sign-in."""


class _Found(NamedTuple):
    """What is known of a verification before it is decided; only the decision counts."""

    customer_id: CustomerId | None
    holder: DeviceId | None
    """The enrolled device that has the offered key."""
    nonce: bytes | None
    person: Person | None


async def complete(
    tools: IdentityTools,
    command_type: type[CompleteLogin],
    reply_type: type[Message],
    request: Any,
    call: Call,
    *,
    code: str,
    phone_number: str,
    proof: factor_pb2.FactorProof | None = None,
    office: StepUpOffice | None = None,
) -> bytes:
    """Complete a verification that ends in a session, decided on locked rows; return the reply.

    Args:
        tools: the area's.
        command_type: what decides.
        reply_type: class of the reply, which has the field tokens.
        request: with verification_id and device.
        call: its call.
        code: what the caller has been sent or shown.
        phone_number: that it was sent to; empty for a pairing code.
        proof: of a factor, for a new device, if one was offered.
        office: gives what judges new devices, where anything does.

    Raises:
        Refusal: VERIFICATION_NOT_FOUND, DEVICE_KEY_INVALID, and what the command decides.
    """
    verification_id = decode_id(VERIFICATION, request.verification_id, "verification_id")
    book = book_of(verification_id)
    if not tools.keeps(book):
        raise model.verification_not_found(verification_id)
    key = tools.key_of(request.device)
    found = await _find(tools, verification_id, key.thumbprint, call)
    device_id = found.holder or DeviceId(new_id(book, tools.clock))
    shared: dict[str, Any] = {
        "verification_id": verification_id,
        "phone_index": tools.phone_index(phone_number) if phone_number else b"",
        "code_digest": tools.code_digest(verification_id, code),
        "offer": tools.offer(
            request.device,
            key,
            method=call.method.rpartition("/")[2],
            nonce=found.nonce,
            device_id=device_id,
        ),
        "draft": _draft(tools, reply_type, call, book, found, device_id, key.thumbprint),
        "limits": tools.limits,
    }
    verdict = None
    if proof is not None and found.holder is None:
        verdict = await _judge(tools, proof, request, call, found, shared)
    command = command_type(
        book,
        request_key(call),
        **shared,
        customer_id=found.customer_id,
        enrols=found.holder is None,
        notices=_notices(tools, book, found, request.device.name),
        verdict=verdict,
        alarms=tools.notices.to(book, found.person, "passkey_flagged", passkey_flagged()),
        guard=_guard(office, call, book, verdict),
    )
    try:
        whole = await tools.submit_sealed(command, request, call)
    except Refusal as refusal:
        await _tell_options(tools, refusal, found, verification_id, call)
        raise
    return await _named(tools, reply_type.FromString(whole), book, call)


async def _tell_options(
    tools: IdentityTools,
    refusal: Refusal,
    found: _Found,
    verification_id: VerificationId,
    call: Call,
) -> None:
    """Add what a passkey has to sign to the refusal of a device that has offered no factor."""
    if refusal.reason == "FACTOR_REQUIRED":
        options = await _passkey_options(tools, verification_id, found, call)
        refusal.metadata = {**refusal.metadata, "passkey_options_json": options}


def _guard(
    office: StepUpOffice | None, call: Call, book: int, verdict: Verdict | None
) -> Guard | None:
    """Return what judges a new device, with what it has offered to prove it by."""
    guard = None if office is None else office.guard(call, book)
    if guard is None or verdict is None:
        return guard
    return replace(guard, approved=bit(verdict.kind))


async def _named(tools: IdentityTools, reply: Any, book: int, call: Call) -> bytes:
    """Return a reply with the name of its device, which stored replies do not repeat."""
    async with tools.readers.connection(deadline=call.deadline) as connection:
        device = await find_device(connection, book, DEVICE.decode(reply.device.device_id))
    reply.device.name = "" if device is None else device.name
    answer: bytes = reply.SerializeToString()
    return answer


def _draft(
    tools: IdentityTools,
    reply_type: type[Message],
    call: Call,
    book: int,
    found: _Found,
    device_id: DeviceId,
    thumbprint: str,
) -> Draft:
    """Return the session that may begin."""
    return tools.draft(
        call,
        reply_type,
        customer_id=found.customer_id or NOBODY,
        device_id=device_id,
        thumbprint=thumbprint,
        token=tools.new_refresh_token(book),
        ends_at_us=tools.absolute_end_us(),
    )


async def _find(
    tools: IdentityTools, verification_id: VerificationId, thumbprint: str, call: Call
) -> _Found:
    """Look up whom a verification is about, in as many steps where it is about nobody."""
    book = book_of(verification_id)
    async with tools.readers.connection(deadline=call.deadline) as connection:
        row = await find_verification(connection, book, verification_id)
        customer_id, _, nonce = row or (None, None, None)
        whom = customer_id or NOBODY
        holder = await find_key_holder(connection, book, whom, thumbprint)
        wallet = await find_wallet(connection, book, whom)
    person = None if wallet is None else open_person(tools.vault, wallet)
    return _Found(customer_id, holder, nonce, person)


def _notices(tools: IdentityTools, book: int, found: _Found, name: str) -> list[MessageRow]:
    """Return what tells the customer of a new device, or that one has signed in."""
    if found.holder is None:
        return tools.notices.to(book, found.person, "device_notice", texts.device_notice(name))
    return tools.notices.once(book, found.person, "sign_in_notice", texts.sign_in_notice(name))


async def _judge(
    tools: IdentityTools,
    proof: factor_pb2.FactorProof,
    request: Any,
    call: Call,
    found: _Found,
    shared: dict[str, Any],
) -> Verdict:
    """Look at the factor of a new device, once its code was right and a try is reserved.

    The try has a request id of its own beside the sign-in's, so that sending it again counts none.
    Nothing is looked at for somebody who has not the code, whoever there is to sign in.
    """
    kind, customer_id = kind_of(proof), found.customer_id or NOBODY
    verification_id: VerificationId = shared["verification_id"]
    book = book_of(verification_id)
    principal, key = call.principal, request_key(call)
    digest = request_digest(
        principal=f"{principal.kind}:{principal.subject}",
        method=call.method + _TRY,
        request_id=call.request_id or "",
    )
    command = login_commands.ReserveLoginTry(
        book,
        RequestKey(digest, key.content),
        **shared,
        customer_id=customer_id,
        kind=kind,
        notices=tools.notices.to(book, found.person, "factor_blocked", factor_blocked(kind)),
    )
    admitted = await tools.submit(command, request, call) == ADMITTED
    call.replayed = False  # that is for the sign-in itself to say
    async with tools.readers.connection(deadline=call.deadline) as connection:
        factors = await find_factors(connection, book, customer_id)
    verdict = await judge(
        tools.checks,
        proof,
        customer_id=customer_id,
        factors=factors,
        passkey_challenge=model.passkey_challenge(verification_id, found.nonce or b""),
        now_us=tools.clock.now_us(),
    )
    return verdict if admitted else Verdict.wrong(kind)


async def _passkey_options(
    tools: IdentityTools, verification_id: VerificationId, found: _Found, call: Call
) -> str:
    """Return what the customer's passkeys have to sign; empty when there are none."""
    customer_id = found.customer_id or NOBODY
    async with tools.readers.connection(deadline=call.deadline) as connection:
        factors = await find_factors(connection, book_of(verification_id), customer_id)
    passkeys = usable_passkeys(factors)
    if not passkeys:
        return ""
    challenge = model.passkey_challenge(verification_id, found.nonce or b"")
    return tools.checks.passkeys.request_options(challenge, passkeys)
