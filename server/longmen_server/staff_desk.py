"""The composition of what serves staff: accounts, sign-ins, proposals, and who watches sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.approvals.service import ApprovalsService
from longmen_server.development import scopes_of_roles
from longmen_server.factors.checks import FactorChecks
from longmen_server.identity.doorkeeper import SessionDoorkeeper
from longmen_server.identity.queries import CustomerSessions
from longmen_server.identity.watch import SessionWatch
from longmen_server.messages.notices import Notices
from longmen_server.platform.issuer import IdentityIssuer
from longmen_server.platform.proofs import ProofChecker
from longmen_server.recovery.model import HOUR_US
from longmen_server.recovery.notices import ResetNotices
from longmen_server.staff.account_service import StaffAccountsService
from longmen_server.staff.branches import Branches
from longmen_server.staff.build import limits_of
from longmen_server.staff.queries import StaffSessions
from longmen_server.staff.service import StaffService
from longmen_server.staff.session_service import StaffSessionsService
from longmen_server.staff.tools import StaffTools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.app import Parts
    from longmen_server.config import Settings
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers

__all__ = [
    "build_branches",
    "build_doorkeeper",
    "build_reset_notices",
    "customer_watch",
    "staff_services",
    "staff_watch",
]


def customer_watch(settings: Settings, readers: Readers, clock: Clock) -> SessionWatch:
    """What knows the sessions of customers."""
    identity = settings.identity
    return SessionWatch(
        readers,
        clock,
        books=settings.books,
        store=CustomerSessions(),
        idle_s=identity.session_idle_s,
        token_s=identity.access_token_lifetime_s,
        settings=identity,
    )


def staff_watch(settings: Settings, readers: Readers, clock: Clock) -> SessionWatch:
    """What knows the sessions of staff."""
    return SessionWatch(
        readers,
        clock,
        books=settings.books[:1],
        store=StaffSessions(),
        idle_s=settings.staff.staff_session_idle_s,
        token_s=settings.staff.staff_session_idle_s,
        settings=settings.identity,
    )


def build_doorkeeper(parts: Parts) -> SessionDoorkeeper:
    """What judges calls of customers and staff who have signed in."""
    settings = parts.settings.identity
    proofs = ProofChecker(
        now_us=parts.trusted_clock.now_us,
        age_max_s=settings.proof_age_max_s,
        remembered_max=settings.proofs_remembered_max,
    )
    return SessionDoorkeeper(proofs, {"customer": parts.watch, "staff": parts.staff_watch})


def build_branches(parts: Parts) -> Branches:
    """What knows which branch customers are of."""
    return Branches(parts.readers, parts.settings.books)


def build_reset_notices(parts: Parts) -> ResetNotices:
    """What tells customers of resets of their factors."""
    return ResetNotices(parts.vault, Notices(parts.office))


def staff_services(parts: Parts, reading: ReadTools) -> Mapping[str, object]:
    """The servicers of staff."""
    settings = parts.settings
    assert settings.identity_key is not None, "the supervisor names the keys"
    tools = StaffTools.make(
        keys=parts.secrets,
        engine=parts.engine,
        readers=parts.readers,
        clock=parts.clock,
        issuer=IdentityIssuer(
            settings.identity_key,
            audience=settings.tokens_audience,
            lifetime_s=settings.staff.staff_session_idle_s,
            clock=parts.trusted_clock,
        ),
        watch=parts.staff_watch,
        page_tokens=parts.page_tokens,
        checks=FactorChecks(hasher=parts.hasher, secrets_=parts.secrets, settings=settings.factors),
        scopes_of=scopes_of_roles,
        book=settings.books[0],
        limits=limits_of(settings.staff),
    )
    return {
        "longmen.staff.v1.StaffService": StaffService(engine=parts.engine),
        "longmen.staff.v1.StaffAccountsService": StaffAccountsService(tools),
        "longmen.staff.v1.StaffSessionsService": StaffSessionsService(tools),
        "longmen.staff.v1.ApprovalsService": ApprovalsService(
            engine=parts.engine,
            reading=reading,
            staff=tools.limits,
            branches=build_branches(parts),
            rate_age_max_us=settings.fx.ages(production=settings.production),
            resets=build_reset_notices(parts),
            reset_cooling_us=settings.factors.factor_reset_cooling_hours * HOUR_US,
        ),
    }
