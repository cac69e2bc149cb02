"""The commands of API keys. Secrets never come here but sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_server.credentials import encode, model
from longmen_server.credentials.tables import IDENTITY, KEY_ROWS, OWNERS_KEYS
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.credentials.model import KeyRow, Owner
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import ApiKeyId

__all__ = ["CreateKey", "RegisterSigningKey", "RevokeKey", "RotateKey"]


def _owners_keys(working_set: WorkingSet, owner: Owner) -> Iterable[RowKey]:
    for key_id in working_set.get(OWNERS_KEYS, owner) or ():
        yield RowKey(KEY_ROWS, key_id)


def _add(working_set: WorkingSet, fresh: KeyRow) -> KeyRow:
    """Give a new key a slot among its owner's; its expiry still counts from zero."""
    owner = fresh.for_owner
    known = working_set.get(OWNERS_KEYS, owner) or []
    rows = [working_set.get(KEY_ROWS, key_id) for key_id in known]
    present = [row for row in rows if row is not None and row.revoked_at_us is None]
    row = fresh.copy()
    row.slot, expired = model.free_slot(present, working_set.now_us)
    row.created_at_us = working_set.next_stamp()
    row.expires_at_us += row.created_at_us
    if expired is not None:
        working_set.edit(KEY_ROWS, expired.key_id).revoked_at_us = row.created_at_us
    working_set.insert(KEY_ROWS, row.key_id, row)
    working_set.insert(OWNERS_KEYS, owner, [*known, row.key_id])
    return row


class CreateKey(Command):
    """Make a key, or what stands for a certificate."""

    __slots__ = ("row", "sealed_secret")

    def __init__(
        self, book: int, request: RequestKey | None, *, row: KeyRow, sealed_secret: str
    ) -> None:
        super().__init__(book, request)
        self.row = row
        self.sealed_secret = sealed_secret

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the owner's keys."""
        if stage == STAGE_POINTER:
            yield RowKey(OWNERS_KEYS, self.row.for_owner)
            if self.row.identity:
                yield RowKey(IDENTITY, self.row.identity)
        elif stage == STAGE_LINK:
            yield from _owners_keys(working_set, self.row.for_owner)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make it unless the owner has two, or somebody has its identity."""
        identity = self.row.identity
        model.check_identity_free(working_set.get(IDENTITY, identity), identity)
        row = _add(working_set, self.row)
        if identity:
            working_set.insert(IDENTITY, identity, row.key_id)
            return pb.RegisterCertificateResponse(
                key=encode.api_key(row), committed_at=working_set.committed_at
            ).SerializeToString()
        return pb.CreateKeyResponse(
            key=encode.api_key(row),
            committed_at=working_set.committed_at,
            secret=self.sealed_secret,
        ).SerializeToString()


class _KeyCommand(Command):
    """A command about one key."""

    __slots__ = ("key_id",)

    def __init__(self, book: int, request: RequestKey | None, *, key_id: ApiKeyId) -> None:
        super().__init__(book, request)
        self.key_id = key_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the key."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(KEY_ROWS, self.key_id)

    def load(self, working_set: WorkingSet) -> KeyRow:
        """Return the key.

        Raises:
            Refusal: KEY_NOT_FOUND, KEY_REVOKED.
        """
        row = working_set.get(KEY_ROWS, self.key_id)
        if row is None:
            raise model.key_not_found(self.key_id)
        model.check_not_revoked(row)
        return row


class RevokeKey(_KeyCommand):
    """End a key for ever."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Revoke it."""
        self.load(working_set)
        row = working_set.edit(KEY_ROWS, self.key_id)
        row.revoked_at_us = working_set.next_stamp()
        return pb.RevokeKeyResponse(
            key=encode.api_key(row), committed_at=working_set.committed_at
        ).SerializeToString()


class RegisterSigningKey(_KeyCommand):
    """Give a key its signing key."""

    __slots__ = ("public_key",)

    def __init__(
        self, book: int, request: RequestKey | None, *, key_id: ApiKeyId, public_key: bytes
    ) -> None:
        super().__init__(book, request, key_id=key_id)
        self.public_key = public_key

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it, in the place of an earlier one."""
        model.check_has_secret(self.load(working_set))
        row = working_set.edit(KEY_ROWS, self.key_id)
        row.public_key = self.public_key
        return pb.RegisterSigningKeyResponse(
            key=encode.api_key(row), committed_at=working_set.committed_at
        ).SerializeToString()


class RotateKey(_KeyCommand):
    """Replace a key by another one after an overlap."""

    __slots__ = ("fresh_id", "overlap_us", "owner", "sealed_secret", "secret_hash")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        key_id: ApiKeyId,
        fresh_id: ApiKeyId,
        owner: Owner | None,
        secret_hash: bytes,
        sealed_secret: str,
        overlap_us: int,
    ) -> None:
        """Take the key to replace; its owner, which never changes, is None when it is not there."""
        super().__init__(book, request, key_id=key_id)
        self.fresh_id = fresh_id
        self.owner = owner
        self.secret_hash = secret_hash
        self.sealed_secret = sealed_secret
        self.overlap_us = overlap_us

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the key and the other keys of its owner."""
        yield from super().keys(working_set, stage)
        if self.owner is None:
            return
        if stage == STAGE_POINTER:
            yield RowKey(OWNERS_KEYS, self.owner)
        elif stage == STAGE_LINK:
            yield from _owners_keys(working_set, self.owner)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make the new key and let the old one end."""
        old = self.load(working_set)
        model.check_has_secret(old)
        fresh = old.copy()
        fresh.key_id = self.fresh_id
        fresh.secret_hash = self.secret_hash
        fresh.expires_at_us = old.expires_at_us - old.created_at_us
        row = _add(working_set, fresh)
        ending = working_set.edit(KEY_ROWS, self.key_id)
        ending.expires_at_us = min(ending.expires_at_us, row.created_at_us + self.overlap_us)
        return pb.RotateKeyResponse(
            key=encode.api_key(row),
            committed_at=working_set.committed_at,
            secret=self.sealed_secret,
        ).SerializeToString()
