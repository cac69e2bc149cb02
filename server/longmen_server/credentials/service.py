"""CredentialsService: keys in and out. No rule and no SQL here."""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_server.credentials import commands, encode, model, queries
from longmen_server.credentials.build import create_key, new_key, register_signing_key
from longmen_server.credentials.signing import is_signed
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.ids import API_KEY, ApiKeyId, book_of, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.sealing import Sealer
    from longmen_server.transport.context import Call

__all__ = ["SECRET_BYTES", "CredentialsService"]

SECRET_BYTES: Final = 32
OVERLAP_HOURS_DEFAULT: Final = 24
HOUR_US: Final = 3_600_000_000


class CredentialsService:
    """The methods of longmen.credentials.v1.CredentialsService."""

    def __init__(self, *, engine: Engine, reading: ReadTools, sealer: Sealer) -> None:
        """Take what runs commands, what reading needs, and what seals secrets in records."""
        self._engine = engine
        self._read = reading
        self._sealer = sealer

    async def CreateKey(self, request: pb.CreateKeyRequest, call: Call) -> pb.CreateKeyResponse:  # noqa: N802
        """Make a key; only somebody who tries the server out comes here and sees its secret."""
        book, key = self._read.book(0), request_key(call)
        if request.claim_key:
            command = create_key(request, key, self._read.clock, book)
        else:
            secret = secrets.token_bytes(SECRET_BYTES)
            row = new_key(request, self._read.clock, book)
            row.secret_hash = sha256(secret).digest()
            command = commands.CreateKey(book, key, row=row, sealed_secret=self._seal(secret, call))
        recorded = await submit(self._engine, command, request=request, call=call)
        reply = pb.CreateKeyResponse.FromString(recorded)
        reply.secret = self._opened(reply.secret, call)
        return reply

    async def ClaimKey(self, request: pb.ClaimKeyRequest, call: Call) -> pb.ClaimKeyResponse:  # noqa: N802
        """Show a key's secret to its claimant."""
        key_id = decode_id(API_KEY, request.key_id, "key_id")
        book = book_of(key_id)
        if book not in self._read.books:
            model.check_claim(None, None, 0)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            row = await queries.find(connection, book, key_id)
        # What is read here only says which key has signed; it is decided on the locked row.
        public_key = b"" if row is None else row.public_key or b""
        text = model.claim_text(key_id)
        secret = secrets.token_bytes(SECRET_BYTES)
        command = commands.ClaimKey(
            book,
            request_key(call),
            key_id=key_id,
            proven=public_key if is_signed(public_key, request.signature, text) else None,
            secret_hash=sha256(secret).digest(),
            sealed_secret=self._seal(secret, call),
        )
        recorded = await submit(self._engine, command, request=request, call=call)
        reply = pb.ClaimKeyResponse.FromString(recorded)
        reply.secret = self._opened(reply.secret, call)
        return reply

    async def ListKeys(self, request: pb.ListKeysRequest, call: Call) -> pb.ListKeysResponse:  # noqa: N802
        """Return a page of keys."""
        position = self._read.page_tokens.open(request.page_token, request, call)
        book = self._read.book(request.book)
        size = page_size(request.page_size)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_page(
                connection,
                book,
                after=ApiKeyId(position) if position else queries.NO_KEY,
                owner=request.owner,
                limit=size + 1,
            )
        reply = pb.ListKeysResponse(keys=[encode.api_key(row) for row in rows[:size]])
        if len(rows) > size:
            last = rows[size - 1].key_id
            reply.next_page_token = self._read.page_tokens.seal(last, request, call)
        return reply

    async def RevokeKey(self, request: pb.RevokeKeyRequest, call: Call) -> bytes:  # noqa: N802
        """End a key."""
        key_id = self._id(request.key_id)
        command = commands.RevokeKey(book_of(key_id), request_key(call), key_id=key_id)
        return await submit(self._engine, command, request=request, call=call)

    async def RegisterSigningKey(  # noqa: N802
        self, request: pb.RegisterSigningKeyRequest, call: Call
    ) -> bytes:
        """Give a key its signing key."""
        self._id(request.key_id)
        command = register_signing_key(request, request_key(call))
        return await submit(self._engine, command, request=request, call=call)

    async def RotateKey(self, request: pb.RotateKeyRequest, call: Call) -> pb.RotateKeyResponse:  # noqa: N802
        """Replace a key."""
        key_id = self._id(request.key_id)
        book = book_of(key_id)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            row = await queries.find(connection, book, key_id)
        # Members of staff are shown no secret: whoever has the key's signing key claims it.
        is_shown = call.principal.roles is None
        secret = secrets.token_bytes(SECRET_BYTES)
        command = commands.RotateKey(
            book,
            request_key(call),
            key_id=key_id,
            fresh_id=ApiKeyId(new_id(book, self._read.clock)),
            owner=None if row is None else row.for_owner,
            secret_hash=sha256(secret).digest() if is_shown else b"",
            sealed_secret=self._seal(secret, call) if is_shown else "",
            overlap_us=(request.overlap_hours or OVERLAP_HOURS_DEFAULT) * HOUR_US,
        )
        recorded = await submit(self._engine, command, request=request, call=call)
        reply = pb.RotateKeyResponse.FromString(recorded)
        reply.secret = self._opened(reply.secret, call)
        return reply

    async def RegisterCertificate(  # noqa: N802
        self, request: pb.RegisterCertificateRequest, call: Call
    ) -> bytes:
        """Refuse: two persons do this, by a proposal, and the door lets nobody in here."""
        del request
        raise Refusal(
            "APPROVAL_REQUIRED",
            "staff propose this to somebody else, who approves it",
            metadata={"method": call.method},
        )

    # -- helpers -------------------------------------------------------------------------------

    def _id(self, text: str) -> ApiKeyId:
        """Return a key's id, of a book that is kept here.

        Raises:
            Refusal: KEY_NOT_FOUND.
        """
        key_id = decode_id(API_KEY, text, "key_id")
        if book_of(key_id) not in self._read.books:
            raise model.key_not_found(key_id)
        return key_id

    def _seal(self, secret: bytes, call: Call) -> str:
        """Return a secret as the request's record keeps it."""
        return base64.urlsafe_b64encode(self._sealer.seal(secret, _place(call))).decode()

    def _opened(self, recorded: str, call: Call) -> str:
        """Return a secret from a request's record, as its owner will show it; none for none."""
        if not recorded:
            return ""
        secret = self._sealer.open(base64.urlsafe_b64decode(recorded), _place(call))
        return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _place(call: Call) -> bytes:
    """What a sealed secret is good for: this request and no other record."""
    return request_key(call).digest
