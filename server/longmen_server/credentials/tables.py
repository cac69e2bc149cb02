"""The table of API keys as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.credentials.model import KeyRow, Owner
from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import ApiKeyId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["COLUMNS", "IDENTITY", "KEY_ROWS", "OWNERS_KEYS"]

COLUMNS: Final = (
    "key_id, owner_kind, owner, slot, label, secret_hash, scopes, networks, public_key,"
    " created_at_us, expires_at_us, revoked_at_us, identity, claim_until_us"
)
"""The columns of a `KeyRow`, in its order."""


class _KeyFamily(RowFamily[ApiKeyId, KeyRow]):
    name = "api_key"
    stage = STAGE_LINK
    rank = 81

    def load(self, book: int, keys: Sequence[ApiKeyId]) -> Statement:
        return Statement(
            f"select {COLUMNS} from api_key where book = $1 and key_id = any($2)"
            " order by key_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ApiKeyId, KeyRow]:
        return record[0], KeyRow(*record)

    def copy(self, row: KeyRow) -> KeyRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[KeyRow], changed: Sequence[KeyRow]
    ) -> Iterable[Statement]:
        if changed:
            yield Statement(
                b"update api_key as k set public_key = u.p, expires_at_us = u.e,"
                b" revoked_at_us = u.r, secret_hash = u.h, claim_until_us = u.c"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (id, p, e, r, h, c)"
                b" where k.book = $1 and k.key_id = u.id",
                (
                    book,
                    UuidArray([row.key_id for row in changed]),
                    ByteaArray([row.public_key for row in changed]),
                    Int8Array([row.expires_at_us for row in changed]),
                    Int8Array([row.revoked_at_us for row in changed]),
                    ByteaArray([row.secret_hash for row in changed]),
                    Int8Array([row.claim_until_us for row in changed]),
                ),
            )
        if inserted:
            # After the update, which frees the slot that a new key may take.
            yield self._insert(book, inserted)

    def _insert(self, book: int, rows: Sequence[KeyRow]) -> Statement:
        return Statement(
            f"insert into api_key (book, {COLUMNS}) select $1, u.* from unnest($2, $3, $4, $5, $6,"
            " $7, $8, $9, $10, $11, $12, $13, $14, $15) as u".encode(),
            (
                book,
                UuidArray([row.key_id for row in rows]),
                Int2Array([row.owner_kind for row in rows]),
                TextArray([row.owner for row in rows]),
                Int2Array([row.slot for row in rows]),
                TextArray([row.label for row in rows]),
                ByteaArray([row.secret_hash for row in rows]),
                TextArray([row.scopes for row in rows]),
                TextArray([row.networks for row in rows]),
                ByteaArray([row.public_key for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.expires_at_us for row in rows]),
                Int8Array([row.revoked_at_us for row in rows]),
                TextArray([row.identity for row in rows]),
                Int8Array([row.claim_until_us for row in rows]),
            ),
        )


class _OwnersKeysFamily(PointerFamily[Owner, list[ApiKeyId]]):
    """Which keys an owner has that were not revoked.

    Two writers that give the same slot are told apart by the unique index: the later batch is
    repeated and then finds the first.
    """

    name = "api_key by owner"
    stage = STAGE_POINTER
    rank = 82

    def load(self, book: int, keys: Sequence[Owner]) -> Statement:
        return Statement(
            b"select u.k, u.o, array_agg(a.key_id order by a.key_id)"
            b" from unnest($2, $3) as u (k, o)"
            b" join api_key as a on a.book = $1 and a.owner_kind = u.k and a.owner = u.o"
            b" and a.revoked_at_us is null group by u.k, u.o",
            (
                book,
                Int2Array([owner.kind for owner in keys]),
                TextArray([owner.subject for owner in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[Owner, list[ApiKeyId]]:
        return Owner(record[0], record[1]), record[2]


class _IdentityFamily(PointerFamily[str, ApiKeyId]):
    """Which credential has an identity; told apart like the keys of an owner."""

    name = "api_key by identity"
    stage = STAGE_POINTER
    rank = 89

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            b"select identity, key_id from api_key where book = $1 and identity = any($2)"
            b" and identity <> '' and revoked_at_us is null",
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, ApiKeyId]:
        return record[0], record[1]


KEY_ROWS = _KeyFamily()
IDENTITY = _IdentityFamily()
OWNERS_KEYS = _OwnersKeysFamily()
