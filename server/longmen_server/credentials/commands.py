"""The commands of API keys. Secrets never come here but sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen.events.v1 import event_pb2
from longmen_server.credentials import encode, model
from longmen_server.credentials.model import KeyChange
from longmen_server.credentials.tables import IDENTITY, KEY_ROWS, OWNERS_KEYS
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.credentials.model import KeyRow, Owner
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import ApiKeyId

__all__ = ["ClaimKey", "CreateKey", "RegisterSigningKey", "RevokeKey", "RotateKey"]

CLAIM_US: Final = model.CLAIM_HOURS * 3_600_000_000
_CHANGED: Final = event_pb2.EVENT_TYPE_KEY_CHANGED


def _tell(working_set: WorkingSet, row: KeyRow, change: KeyChange) -> None:
    """Tell by an event what became of a key, and let the journal keep a digest of it."""
    told = event_pb2.KeyChange(change=change.name, content_digest=row.content_digest)
    payload = told.SerializeToString(deterministic=True)
    working_set.emit(Event(_CHANGED, row.key_id, 0, working_set.next_stamp(), payload, payload))


def _owners_keys(working_set: WorkingSet, owner: Owner) -> Iterable[RowKey]:
    for key_id in working_set.get(OWNERS_KEYS, owner) or ():
        yield RowKey(KEY_ROWS, key_id)


def _add(working_set: WorkingSet, fresh: KeyRow) -> KeyRow:
    """Give a new key a slot among its owner's; its times still count from zero."""
    owner = fresh.for_owner
    known = working_set.get(OWNERS_KEYS, owner) or []
    rows = [working_set.get(KEY_ROWS, key_id) for key_id in known]
    present = [row for row in rows if row is not None and row.revoked_at_us is None]
    row = fresh.copy()
    row.slot, expired = model.free_slot(present, working_set.now_us)
    row.created_at_us = working_set.next_stamp()
    row.expires_at_us += row.created_at_us
    if row.claim_until_us is not None:
        row.claim_until_us += row.created_at_us
    if expired is not None:
        ended = working_set.edit(KEY_ROWS, expired.key_id)
        ended.revoked_at_us = row.created_at_us
        _tell(working_set, ended, KeyChange.REVOKED)
    working_set.insert(KEY_ROWS, row.key_id, row)
    working_set.insert(OWNERS_KEYS, owner, [*known, row.key_id])
    _tell(working_set, row, KeyChange.CREATED)
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
        _tell(working_set, row, KeyChange.REVOKED)
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
        _tell(working_set, row, KeyChange.SIGNING_KEY_SET)
        return pb.RegisterSigningKeyResponse(
            key=encode.api_key(row), committed_at=working_set.committed_at
        ).SerializeToString()


class ClaimKey(_KeyCommand):
    """Give a key its secret, which whoever claims it is shown and nobody else."""

    __slots__ = ("proven", "sealed_secret", "secret_hash")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        key_id: ApiKeyId,
        proven: bytes | None,
        secret_hash: bytes,
        sealed_secret: str,
    ) -> None:
        """Take the public key that the claim was signed with, None for none, and a fresh secret."""
        super().__init__(book, request, key_id=key_id)
        self.proven = proven
        self.secret_hash = secret_hash
        self.sealed_secret = sealed_secret

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set it, once."""
        found = working_set.get(KEY_ROWS, self.key_id)
        model.check_claim(found, self.proven, working_set.now_us)
        row = working_set.edit(KEY_ROWS, self.key_id)
        row.secret_hash = self.secret_hash
        row.claim_until_us = None
        _tell(working_set, row, KeyChange.CLAIMED)
        return pb.ClaimKeyResponse(
            key=encode.api_key(row),
            committed_at=working_set.committed_at,
            secret=self.sealed_secret,
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
        """Take the key to replace.

        Args:
            book: the key's.
            request: the request's key.
            key_id: of the key to replace.
            fresh_id: of the one that replaces it.
            owner: of both, which never changes; None when the key is not there.
            secret_hash: of the new secret; empty where that is to be claimed.
            sealed_secret: for the reply; empty where it is to be claimed.
            overlap_us: how long the old key is taken beside the new one.
        """
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
        fresh.claim_until_us = None
        if not self.secret_hash:
            if old.public_key is None:
                raise model.claim_key_missing()
            fresh.claim_until_us = CLAIM_US
        fresh.key_id = self.fresh_id
        fresh.secret_hash = self.secret_hash
        fresh.expires_at_us = old.expires_at_us - old.created_at_us
        row = _add(working_set, fresh)
        ending = working_set.edit(KEY_ROWS, self.key_id)
        ending.expires_at_us = min(ending.expires_at_us, row.created_at_us + self.overlap_us)
        _tell(working_set, ending, KeyChange.ENDING)
        return pb.RotateKeyResponse(
            key=encode.api_key(row),
            committed_at=working_set.committed_at,
            secret=self.sealed_secret,
        ).SerializeToString()
