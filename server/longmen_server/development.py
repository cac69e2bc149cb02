"""Development tokens: how somebody who tries Longmen out gets to call it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool

import longmen
from longmen.type.v1 import policy_pb2
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.ids import CUSTOMER, MalformedIdError
from longmen_server.platform.tokens import DevelopmentIssuer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from google.protobuf.descriptor import MethodDescriptor

    from longmen_server.config import Settings

__all__ = [
    "DevelopmentError",
    "contract_methods",
    "development_issuer",
    "mint",
    "scopes_for",
    "scopes_of_roles",
]


class DevelopmentError(Exception):
    """No development token can be had; the message is one line for the operator."""


def development_issuer(settings: Settings) -> DevelopmentIssuer:
    """The signer of development tokens of a data folder.

    Raises:
        DevelopmentError: the server trusts other keys, or is in production.
        KeyFileError: the key cannot be read or made.
    """
    if settings.production:
        raise DevelopmentError("a production server takes no development tokens")
    if settings.tokens_jwks is not None:
        raise DevelopmentError(
            f"the server trusts the keys of {settings.tokens_jwks}; get a token from their owner"
        )
    return DevelopmentIssuer(
        settings.data.absolute(),
        issuer=settings.tokens_issuer,
        audience=settings.tokens_audience,
        clock=SystemClock(),
    )


def mint(
    settings: Settings,
    *,
    kind: str,
    subject: str,
    scopes: Collection[str],
    customer: str | None,
    lifetime_seconds: int,
    roles: Collection[str] = (),
    branch: str = "",
) -> str:
    """A development token.

    Args:
        settings: of the server that shall accept it.
        kind: service, customer, staff or merchant.
        subject: who it speaks for.
        scopes: what it may do; none means all that the kind may.
        customer: text of the customer's id, for customers only.
        lifetime_seconds: how long it lasts.
        roles: of staff, in lower case; none means that the token is held to no role.
        branch: of staff.

    Raises:
        DevelopmentError: it makes no sense, or this server takes none.
        KeyFileError: the key cannot be read or made.
    """
    if kind != "staff" and (roles or branch):
        raise DevelopmentError("only staff have roles and a branch")
    unknown = sorted(set(scopes) - scopes_for(kind))
    if unknown:
        raise DevelopmentError(f"no method that a {kind} may call has the scope {unknown[0]}")
    try:
        return development_issuer(settings).mint(
            kind=kind,
            subject=subject,
            scopes=scopes or (scopes_of_roles(roles) if roles else scopes_for(kind)),
            customer_id=None if customer is None else CUSTOMER.decode(customer),
            lifetime_seconds=lifetime_seconds,
            roles=roles or None,
            branch=branch,
        )
    except MalformedIdError as error:
        raise DevelopmentError(f"{customer} is {error}") from error
    except ValueError as error:
        raise DevelopmentError(str(error)) from error


def scopes_for(kind: str) -> frozenset[str]:
    """Every scope that some method demands of a kind of principal, read from the contract."""
    wanted = policy_pb2.PrincipalKind.Value(f"PRINCIPAL_KIND_{kind.upper()}")
    policies = (
        method.GetOptions().Extensions[policy_pb2.method_policy] for method in contract_methods()
    )
    return frozenset(policy.scope for policy in policies if wanted in policy.principal_kinds)


def scopes_of_roles(roles: Collection[str]) -> frozenset[str]:
    """Every scope of a method that one of some roles of staff may call or propose."""
    wanted = {policy_pb2.StaffRole.Value(f"STAFF_ROLE_{role.upper()}") for role in roles}
    policies = (
        method.GetOptions().Extensions[policy_pb2.method_policy] for method in contract_methods()
    )
    return frozenset(policy.scope for policy in policies if wanted & set(policy.staff_roles))


def contract_methods() -> Iterator[MethodDescriptor]:
    """Every method of the contract."""
    pool = descriptor_pool.Default()
    for module in pkgutil.walk_packages(longmen.__path__, "longmen."):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            for service in file.services_by_name.values():
                yield from pool.FindServiceByName(service.full_name).methods
