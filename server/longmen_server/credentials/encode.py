"""Keys as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import API_KEY

if TYPE_CHECKING:
    from longmen_server.credentials.model import KeyRow

__all__ = ["api_key"]


def api_key(row: KeyRow) -> pb.ApiKey:
    """Return a key without its secret."""
    message = pb.ApiKey(
        key_id=API_KEY.encode(row.key_id),
        owner_kind=row.owner_kind,  # type: ignore[arg-type]  # enums are ints
        owner=row.owner,
        label=row.label,
        scopes=row.scopes.split(),
        networks=row.networks.split(),
        created_time=timestamp(row.created_at_us),
        expiry_time=timestamp(row.expires_at_us),
        signs=row.public_key is not None,
        certificate_identity=row.identity,
    )
    if row.claim_until_us is not None:
        message.claim_expiry_time.CopyFrom(timestamp(row.claim_until_us))
    if row.revoked_at_us is not None:
        message.revoked_time.CopyFrom(timestamp(row.revoked_at_us))
    return message
