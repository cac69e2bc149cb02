"""Reading API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.credentials.model import KeyRow
from longmen_server.credentials.tables import COLUMNS
from longmen_server.platform.adapters import Uuid, UuidArray
from longmen_server.platform.ids import ApiKeyId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.database import Connection

__all__ = ["NO_KEY", "find", "find_by_identity", "list_page", "use_nonces"]

NO_KEY: Final = ApiKeyId(bytes(16))
"""An id before every other one."""

_FIND: Final = f"select {COLUMNS} from api_key where book = $1 and key_id = $2".encode()

_BY_IDENTITY: Final = (
    f"select {COLUMNS} from api_key where book = $1 and identity = $2 and identity <> ''"
    " order by revoked_at_us desc nulls first, key_id desc limit 1"
).encode()

_LIST: Final = (
    f"select {COLUMNS} from api_key where book = $1 and key_id > $2"
    " and ($3::text = '' or owner = $3) order by key_id limit $4"
).encode()

_USE: Final = (
    b"insert into signature_nonce (expires_at_us, book, nonce_key)"
    b" select $2, $1, u.n from unnest($3) as u (n) on conflict do nothing returning nonce_key"
)
_FORGET: Final = b"delete from signature_nonce where book = $1 and expires_at_us < $2"


async def find(connection: Connection, book: int, key_id: ApiKeyId) -> KeyRow | None:
    """Return one key; None when there is none."""
    cursor = await connection.execute(_FIND, (book, Uuid(key_id)))
    record = await cursor.fetchone()
    return None if record is None else KeyRow(*record)


async def find_by_identity(connection: Connection, book: int, identity: str) -> KeyRow | None:
    """Return what an identity is registered as; of several that were, the latest to be revoked."""
    cursor = await connection.execute(_BY_IDENTITY, (book, identity))
    record = await cursor.fetchone()
    return None if record is None else KeyRow(*record)


async def list_page(
    connection: Connection, book: int, *, after: ApiKeyId, owner: str, limit: int
) -> list[KeyRow]:
    """Return keys in the order they were made, after one of them."""
    cursor = await connection.execute(_LIST, (book, Uuid(after), owner, limit))
    return [KeyRow(*record) for record in await cursor.fetchall()]


async def use_nonces(
    connection: Connection, book: int, nonces: Sequence[bytes], *, expires_at_us: int
) -> set[bytes]:
    """Note nonces as used and return those that nobody had used before."""
    cursor = await connection.execute(_USE, (book, expires_at_us, UuidArray(nonces)))
    return {record[0] for record in await cursor.fetchall()}


async def forget_nonces(connection: Connection, book: int, *, before_us: int) -> None:
    """Forget nonces of signatures that are too old to be taken anyway."""
    await connection.execute(_FORGET, (book, before_us))
