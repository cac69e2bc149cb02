"""Commands of credentials that are proposed, and what one administrator may not give alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen.type.v1 import policy_pb2
from longmen_server.credentials import model
from longmen_server.credentials.commands import CreateKey
from longmen_server.credentials.model import KeyRow
from longmen_server.development import contract_methods
from longmen_server.platform.ids import ApiKeyId, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock
    from longmen_server.transport.context import Call

__all__ = ["LIFETIME_DAYS_DEFAULT", "check_given_alone", "register_certificate"]

LIFETIME_DAYS_DEFAULT: Final = 365
HOUR_US: Final = 3_600_000_000


def register_certificate(
    request: pb.RegisterCertificateRequest, key: RequestKey | None, clock: Clock, book: int
) -> CreateKey:
    """Return the command that lets a system call by its certificate.

    Raises:
        Refusal: KEY_INVALID_NETWORK, CERTIFICATE_IDENTITY_INVALID.
    """
    row = KeyRow(
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
        identity=model.check_identity(request.identity),
    )
    return CreateKey(book, key, row=row, sealed_secret="")


def check_given_alone(call: Call, owner_kind: int, scopes: Iterable[str]) -> None:
    """Refuse to let one administrator hold the secret of a service that moves money.

    Whoever makes or rotates a key sees its secret, and could call as its owner. Services that move
    money call by certificates, which two persons register. Merchants' keys act for the merchant
    alone, and sign what moves money.

    Raises:
        Refusal: PERMISSION_DENIED.
    """
    is_service = owner_kind == pb.KEY_OWNER_KIND_SERVICE
    if call.principal.roles is None or not is_service or scopes_of_two().isdisjoint(scopes):
        return
    raise Refusal(
        "PERMISSION_DENIED",
        "one person gives no service a secret that moves money: register its certificate",
        metadata={"method": call.method},
    )


@cache
def scopes_of_two() -> frozenset[str]:
    """Return the scopes that no administrator may use: of methods that move money or need two."""
    policies = [
        method.GetOptions().Extensions[policy_pb2.method_policy] for method in contract_methods()
    ]
    return frozenset(
        policy.scope
        for policy in policies
        if policy.audit_class == policy_pb2.AUDIT_CLASS_MONEY or policy.staff_needs_approval
    )
