"""SessionsService: requests in, commands or queries, replies out."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from longmen.identity.v1 import session_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import check_phone_number, wallet_not_found
from longmen_server.engine.door import request_key
from longmen_server.identity import commands, encode, model, session_commands, texts
from longmen_server.identity.login_commands import CompleteLogin
from longmen_server.identity.queries import (
    find_device,
    find_session,
    list_sessions,
    wallet_exists,
)
from longmen_server.identity.signing_in import complete
from longmen_server.identity.tools import read_refresh_token
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.device_keys import DeviceKey
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CUSTOMER, SESSION, CustomerId, DeviceId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.identity.model import SessionRow
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.transport.context import Call

CODE_DIGITS = 6
NOBODY = bytes(16)


class SessionsService:
    """The methods of longmen.identity.v1.SessionsService."""

    def __init__(self, tools: IdentityTools, step_up: StepUpOffice) -> None:
        """Take the area's tools, and what judges new devices."""
        self._tools = tools
        self._step_up = step_up

    # -- signing in ----------------------------------------------------------------------------

    async def StartLogin(self, request: pb.StartLoginRequest, call: Call) -> bytes:  # noqa: N802
        """Begin a sign-in."""
        tools = self._tools
        phone = check_phone_number(request.phone_number)
        book = tools.default_book
        challenge, code = tools.challenge(book, CODE_DIGITS)
        text = texts.login_code(code, tools.settings.code_lifetime_s // 60)
        command = commands.StartLogin(
            book,
            request_key(call),
            phone_index=tools.phone_index(phone),
            thumbprint=request.key_thumbprint,
            challenge=challenge,
            code=tools.sms(book, "login_code", phone, text),
            limits=tools.limits,
        )
        return await tools.submit(command, request, call)

    async def CompleteLogin(  # noqa: N802
        self, request: pb.CompleteLoginRequest, call: Call
    ) -> bytes:
        """Begin a session."""
        phone = check_phone_number(request.phone_number)
        return await complete(
            self._tools,
            CompleteLogin,
            pb.CompleteLoginResponse,
            request,
            call,
            code=request.code,
            phone_number=phone,
            proof=request.proof if request.HasField("proof") else None,
            office=self._step_up,
        )

    async def RefreshSession(  # noqa: N802
        self, request: pb.RefreshSessionRequest, call: Call
    ) -> bytes:
        """Exchange a refresh token."""
        tools = self._tools
        token = read_refresh_token(request.refresh_token)
        book = book_of(token.session_id)
        if not tools.keeps(book):
            raise Refusal("REFRESH_TOKEN_INVALID", "no session has this refresh token")
        async with tools.readers.connection(deadline=call.deadline) as connection:
            row = await find_session(connection, book, token.session_id)
            device = None if row is None else await find_device(connection, book, row.device_id)
        proven, thumbprint = False, ""
        if device is not None:
            key = DeviceKey(device.algorithm, device.public_key)
            challenge = sha256(request.refresh_token.encode()).digest()
            message = model.proof_message("RefreshSession", challenge)
            proven, thumbprint = key.verifies(request.signature, message), key.thumbprint
        session_id = SESSION.encode(token.session_id)
        command = session_commands.RefreshSession(
            book,
            request_key(call),
            draft=tools.draft(
                call,
                pb.RefreshSessionResponse,
                customer_id=CustomerId(NOBODY) if row is None else row.customer_id,
                device_id=DeviceId(NOBODY) if row is None else row.device_id,
                thumbprint=thumbprint,
                token=tools.next_refresh_token(token),
                ends_at_us=0 if row is None else row.ends_at_us,
            ),
            family_digest=sha256(token.family).digest(),
            secret_digest=sha256(token.secret).digest(),
            proven=proven,
            seen_at_us=tools.watch.seen_us(session_id),
            limits=tools.limits,
        )
        try:
            return await tools.submit_sealed(command, request, call)
        except Refusal as refusal:
            if refusal.reason == "REFRESH_TOKEN_REUSED":
                tools.watch.end(session_id)
            raise

    # -- sessions that go on -------------------------------------------------------------------

    async def ListSessions(  # noqa: N802
        self, request: pb.ListSessionsRequest, call: Call
    ) -> pb.ListSessionsResponse:
        """List sessions."""
        demand_freshness(request.at_least_as_fresh)
        tools = self._tools
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        after = tools.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        found: list[SessionRow] = []
        async with tools.readers.connection(deadline=call.deadline) as connection:
            if not await wallet_exists(connection, book, customer_id):
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            found = await list_sessions(
                connection,
                book,
                customer_id,
                now_us=tools.clock.now_us(),
                after=after,
                limit=size + 1,
            )
        page, more = found[:size], len(found) > size
        current = call.principal.session_id
        return pb.ListSessionsResponse(
            sessions=[encode.session(row, current) for row in page],
            next_page_token=(
                tools.page_tokens.seal(page[-1].session_id, request, call) if more else ""
            ),
        )

    async def RevokeSession(  # noqa: N802
        self, request: pb.RevokeSessionRequest, call: Call
    ) -> bytes:
        """End a session."""
        tools = self._tools
        session_id = decode_id(SESSION, request.session_id, "session_id")
        book = book_of(session_id)
        if not tools.keeps(book):
            raise model.session_not_found(session_id)
        command = session_commands.RevokeSession(
            book, request_key(call), session_id=session_id, actor=actor_of(call)
        )
        reply = await tools.submit(command, request, call)
        tools.watch.end(request.session_id)
        return reply

    async def RevokeAllSessions(  # noqa: N802
        self, request: pb.RevokeAllSessionsRequest, call: Call
    ) -> bytes:
        """End all sessions."""
        tools = self._tools
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        if not tools.keeps(book):
            raise wallet_not_found(CUSTOMER.encode(customer_id))
        current = call.principal.session_id
        keep = SESSION.decode(current) if request.keep_current and current else None
        command = session_commands.RevokeAllSessions(
            book, request_key(call), customer_id=customer_id, keep=keep
        )
        reply = await tools.submit(command, request, call)
        await tools.watch.look()
        return reply
