"""Commands of credentials that staff propose, and the records they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.credentials import model
from longmen_server.credentials.commands import CLAIM_US, CreateKey, RegisterSigningKey
from longmen_server.credentials.model import KeyRow
from longmen_server.credentials.signing import check_public_key
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import API_KEY, ApiKeyId, book_of, new_id

if TYPE_CHECKING:
    from longmen.credentials.v1 import credentials_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["create_key", "new_key", "register_certificate", "register_signing_key"]

LIFETIME_DAYS_DEFAULT: Final = 365
HOUR_US: Final = 3_600_000_000


def new_key(
    request: pb.CreateKeyRequest | pb.RegisterCertificateRequest, clock: Clock, book: int
) -> KeyRow:
    """Return the record that a request asks for, without secret; its times count from zero.

    Raises:
        Refusal: KEY_INVALID_NETWORK.
    """
    return KeyRow(
        key_id=ApiKeyId(new_id(book, clock)),
        owner_kind=request.owner_kind,
        owner=request.owner,
        slot=0,
        label=request.label,
        secret_hash=b"",
        scopes=" ".join(sorted(set(request.scopes))),
        networks=model.check_networks(request.networks),
        public_key=None,
        created_at_us=0,
        expires_at_us=(request.lifetime_days or LIFETIME_DAYS_DEFAULT) * 24 * HOUR_US,
        revoked_at_us=None,
    )


def create_key(
    request: pb.CreateKeyRequest, key: RequestKey | None, clock: Clock, book: int
) -> CreateKey:
    """Return the command that makes a key whose secret waits for its claimant.

    Raises:
        Refusal: KEY_INVALID_NETWORK, CLAIM_KEY_MISSING, SIGNING_KEY_INVALID.
    """
    if not request.claim_key:
        raise model.claim_key_missing()
    check_public_key(request.claim_key, "claim_key")
    row = new_key(request, clock, book)
    row.public_key = request.claim_key
    row.claim_until_us = CLAIM_US
    return CreateKey(book, key, row=row, sealed_secret="")


def register_signing_key(
    request: pb.RegisterSigningKeyRequest, key: RequestKey | None
) -> RegisterSigningKey:
    """Return the command that gives a key its signing key.

    Raises:
        Refusal: SIGNING_KEY_INVALID.
    """
    check_public_key(request.public_key)
    key_id = decode_id(API_KEY, request.key_id, "key_id")
    return RegisterSigningKey(book_of(key_id), key, key_id=key_id, public_key=request.public_key)


def register_certificate(
    request: pb.RegisterCertificateRequest, key: RequestKey | None, clock: Clock, book: int
) -> CreateKey:
    """Return the command that lets a system call by its certificate.

    Raises:
        Refusal: KEY_INVALID_NETWORK, CERTIFICATE_IDENTITY_INVALID.
    """
    row = new_key(request, clock, book)
    row.identity = model.check_identity(request.identity)
    return CreateKey(book, key, row=row, sealed_secret="")
