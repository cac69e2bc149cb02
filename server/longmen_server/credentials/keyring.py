"""Who calls with an API key: found in the database, remembered for a moment, verified each time.

A remembered key is read again after a few seconds, so what is revoked is no longer taken then by
any worker; when it cannot be read, the call is refused. Nonces of signatures are noted in the
database, for all workers, many at a time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from functools import partial
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen.type.v1 import policy_pb2
from longmen_server.credentials import queries, signing
from longmen_server.platform.database import connect
from longmen_server.platform.ids import API_KEY, ApiKeyId, MalformedIdError, book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from longmen_server.credentials.model import KeyRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

__all__ = ["Keyring", "Nonces"]

K = TypeVar("K")

REMEMBERED_SECONDS: Final = 3.0
"""How long a key is taken without being read again; revoking is promised within five seconds."""
REMEMBERED_MAX: Final = 10_000
LOOKUPS_MAX: Final = 4
"""Keys that are read at a time, so that a flood of invented ones leaves connections to others."""
LOOKUPS_WAITING_MAX: Final = 64
SECRET_CHARACTERS: Final = 43

KINDS: Final = {
    int(pb.KEY_OWNER_KIND_SERVICE): "service",
    int(pb.KEY_OWNER_KIND_MERCHANT): "merchant",
}


def invalid() -> Refusal:
    """The refusal of a key that is not good, whatever is wrong with it."""
    return Refusal("KEY_INVALID", "the API key is not valid")


class Keyring:
    """Verifies API keys, and the signatures of calls that come with them."""

    def __init__(
        self,
        *,
        readers: Readers,
        clock: Clock,
        trusted_clock: Clock,
        books: Sequence[int],
        nonces: Nonces,
    ) -> None:
        """Take what verifying needs.

        Args:
            readers: where keys are read.
            clock: by which keys expire.
            trusted_clock: by which signatures grow old.
            books: that this server keeps.
            nonces: where those of signatures are noted.
        """
        self._trusted_clock = trusted_clock
        self._readers = readers
        self._clock = clock
        self._books = books
        self._nonces = nonces
        self._remembered: dict[ApiKeyId, tuple[KeyRow, float]] = {}
        self._by_identity: dict[str, tuple[KeyRow, float]] = {}
        self._turn = asyncio.Semaphore(LOOKUPS_MAX)
        self._waiting = 0

    async def close(self) -> None:
        """Let go of the database."""
        await self._nonces.close()

    async def admit_certificate(self, call: Call, identities: Sequence[str]) -> None:
        """Set the principal of a call that comes with a client certificate and nothing else.

        Such calls are not signed: TLS has proven who sends every byte of them.

        Args:
            call: the call.
            identities: names in the certificate, of which the first that is registered counts.

        Raises:
            Refusal: CERTIFICATE_UNKNOWN, CERTIFICATE_REFUSED, KEY_NETWORK_REFUSED; OVERLOADED when
                it cannot be told.
        """
        row = await self._registered(call, identities)
        if row is None:
            raise Refusal(
                "CERTIFICATE_UNKNOWN", "nobody has registered the identity in the certificate"
            )
        if not row.is_good(self._clock.now_us()):
            raise Refusal(
                "CERTIFICATE_REFUSED", "the identity in the certificate is registered no longer"
            )
        call.principal = _principal(row)
        if not row.allows(call.address):
            raise Refusal("KEY_NETWORK_REFUSED", "the key cannot be used from this address")

    async def _registered(self, call: Call, identities: Sequence[str]) -> KeyRow | None:
        book = self._books[0]
        for identity in identities:
            read = partial(queries.find_by_identity, book=book, identity=identity)
            row = await self._lookup(self._by_identity, identity, read, call.deadline)
            if row is not None:
                return row
        return None

    async def admit(
        self, call: Call, credential: str, method: Method, identities: Sequence[str] = ()
    ) -> None:
        """Set the principal of a call that comes with a key.

        Args:
            call: the call.
            credential: the key as its owner shows it.
            method: what is called.
            identities: names in the client certificate, which has to be the same owner's; then the
                call need not be signed.

        Raises:
            Refusal: KEY_INVALID, KEY_NETWORK_REFUSED, SIGNATURE_MISSING, SIGNATURE_INVALID,
                SIGNATURE_REPLAYED, CERTIFICATE_MISMATCH; OVERLOADED, STORAGE_UNAVAILABLE when it
                cannot be told.
        """
        key_id, secret = _parse(credential)
        if book_of(key_id) not in self._books:
            raise invalid()
        row = await self._find(key_id, call.deadline)
        given = sha256(secret).digest()
        # Compared in any case, so that an unknown key takes as long as a wrong secret.
        same = hmac.compare_digest(given, bytes(32) if row is None else row.secret_hash)
        if row is None or not same or not row.is_good(self._clock.now_us()):
            raise invalid()
        call.principal = _principal(row)
        if not row.allows(call.address):
            raise Refusal("KEY_NETWORK_REFUSED", "the key cannot be used from this address")
        if identities:
            other = await self._registered(call, identities)
            known = other is not None and other.is_good(self._clock.now_us())
            if other is None or not known or other.for_owner != row.for_owner:
                raise Refusal(
                    "CERTIFICATE_MISMATCH", "key and certificate are not the same caller's"
                )
            return
        moves_money = method.audit_class == policy_pb2.AUDIT_CLASS_MONEY
        if moves_money and (row.public_key is not None or call.principal.kind == "merchant"):
            await self._check_signature(call, row, method)

    async def _check_signature(self, call: Call, row: KeyRow, method: Method) -> None:
        """Verify a call's signature; the digest of its request is compared when that is read."""
        signature = signing.read_signature(call.wire.invocation_metadata() or ())
        if row.public_key is None:
            raise Refusal("SIGNATURE_MISSING", "the key has no signing key registered")
        key_text = API_KEY.encode(row.key_id)
        signing.verify(
            signature,
            method=method.path,
            key_id=key_text,
            public_key=row.public_key,
            now_us=self._trusted_clock.now_us(),
        )
        call.signed_digest = bytes.fromhex(signature.digest)
        nonce = blake2b(f"{key_text}\n{signature.nonce}".encode(), digest_size=16).digest()
        await self._nonces.use(nonce)

    async def _find(self, key_id: ApiKeyId, deadline: float) -> KeyRow | None:
        return await self._lookup(
            self._remembered,
            key_id,
            partial(queries.find, book=book_of(key_id), key_id=key_id),
            deadline,
        )

    async def _lookup(
        self,
        remembered: dict[K, tuple[KeyRow, float]],
        key: K,
        read: Callable[[Connection], Awaitable[KeyRow | None]],
        deadline: float,
    ) -> KeyRow | None:
        """Return a row that is remembered, or read."""
        now = self._clock.monotonic()
        known = remembered.get(key)
        if known is not None and now < known[1]:
            return known[0]
        if self._waiting >= LOOKUPS_WAITING_MAX:
            raise Refusal(
                "OVERLOADED", "too many unknown keys are being read", metadata={"class": "keys"}
            )
        self._waiting += 1
        try:
            async with self._turn, self._readers.connection(deadline=deadline) as connection:
                row = await read(connection)
        finally:
            self._waiting -= 1
        remembered.pop(key, None)
        if row is not None:
            # Only keys that are there are remembered: a flood of invented ones pushes none out.
            if len(remembered) >= REMEMBERED_MAX:
                del remembered[next(iter(remembered))]
            remembered[key] = (row, now + REMEMBERED_SECONDS)
        return row


class Nonces:
    """Notes the nonces of signatures, for all workers; those that come together are one write."""

    def __init__(self, *, dsn: str, clock: Clock, book: int) -> None:
        """Take where they are noted; the connection is made when first needed."""
        self._dsn = dsn
        self._clock = clock
        self._book = book
        self._connection: Connection | None = None
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None

    async def use(self, nonce: bytes) -> None:
        """Note a nonce as used.

        Raises:
            Refusal: SIGNATURE_REPLAYED when it was used before, STORAGE_UNAVAILABLE when that
                cannot be told.
        """
        if nonce in self._waiting:
            raise _replayed()
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[nonce] = future
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="nonces")
        if not await future:
            raise _replayed()

    async def close(self) -> None:
        """Finish what is waiting and disconnect."""
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._connection is not None:
            await self._connection.close()

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting
            self._waiting = {}
            try:
                fresh = await self._write(sorted(batch))
            except (psycopg.Error, OSError):
                self._connection = None
                for future in batch.values():
                    if not future.done():
                        future.set_exception(
                            Refusal("STORAGE_UNAVAILABLE", "nonces cannot be noted at the moment")
                        )
                continue
            for nonce, future in batch.items():
                if not future.done():
                    future.set_result(nonce in fresh)

    async def _write(self, nonces: list[bytes]) -> set[bytes]:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(
                self._dsn,
                application_name="longmen nonces",
                # What a crash of the machine loses is younger than a second; whoever replays it
                # repeats a request id, which changes nothing.
                settings={"synchronous_commit": "off", "statement_timeout": 5000},
            )
        now_us = self._clock.now_us()
        horizon_us = 2 * signing.AGE_SECONDS_MAX * 1_000_000
        fresh = await queries.use_nonces(
            self._connection, self._book, nonces, expires_at_us=now_us + horizon_us
        )
        await queries.forget_nonces(self._connection, self._book, before_us=now_us)
        return fresh


def _principal(row: KeyRow) -> Principal:
    """Return whom a credential speaks for."""
    return Principal(
        kind=KINDS[row.owner_kind],
        subject=row.owner,
        scopes=frozenset(row.scopes.split()),
        customer_id=None,
        token_id=API_KEY.encode(row.key_id),
    )


def _parse(credential: str) -> tuple[ApiKeyId, bytes]:
    """Return id and secret of a key as a caller shows it.

    Raises:
        Refusal: KEY_INVALID.
    """
    name, _, text = credential.partition(".")
    if len(text) != SECRET_CHARACTERS:
        raise invalid()
    try:
        secret = base64.b64decode(text + "=", altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(secret).decode() != text + "=":
            raise invalid()  # the last character has bits that decoding ignores
        return API_KEY.decode(name), secret
    except (MalformedIdError, binascii.Error, ValueError):
        raise invalid() from None


def _replayed() -> Refusal:
    return Refusal("SIGNATURE_REPLAYED", "a call with this nonce came before")
