"""The part of the composition root that serves who customers are, and how they prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.challenges.codes import MessageCodes
from longmen_server.challenges.service import ChallengesService
from longmen_server.development import scopes_for
from longmen_server.factors.checks import FactorChecks
from longmen_server.factors.service import FactorsService
from longmen_server.identity.device_service import DevicesService
from longmen_server.identity.email_service import EmailsService
from longmen_server.identity.service import RegistrationService
from longmen_server.identity.session_service import SessionsService
from longmen_server.identity.tools import IdentityTools
from longmen_server.kyc.service import KycService
from longmen_server.messages.notices import Notices
from longmen_server.messages.post_office import PostOffice
from longmen_server.platform.issuer import IdentityIssuer
from longmen_server.profile.service import ProfileService
from longmen_server.recovery.notices import ResetNotices
from longmen_server.recovery.service import FactorResetsService
from longmen_server.risk_desk import build_screener

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.app import Parts
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.sealing import SecretKeys

__all__ = ["identity_services", "open_office"]

RECIPIENTS: Final = "message recipients"
"""Purpose of the key by which the messages of a recipient are found."""
MESSAGES: Final = "messages"
"""Purpose of the key that seals messages in the database."""


def open_office(secrets: SecretKeys, clock: Clock) -> PostOffice:
    """What makes messages."""
    return PostOffice(secrets.sealer(MESSAGES), clock, index_key=secrets.derive(RECIPIENTS))


def identity_services(parts: Parts, step_up: StepUpOffice) -> Mapping[str, object]:
    """The servicers of longmen.identity, by their full names."""
    settings = parts.settings
    shared: Any = {name: getattr(parts, name) for name in ("engine", "readers", "clock", "vault")}
    proving: Any = {
        "checks": FactorChecks(
            hasher=parts.hasher, secrets_=parts.secrets, settings=settings.factors
        ),
        "notices": Notices(parts.office),
    }
    assert settings.identity_key is not None, "the supervisor names the keys"
    tools = IdentityTools.make(
        keys=parts.secrets,
        settings=settings.identity,
        **shared,
        **proving,
        office=parts.office,
        issuer=IdentityIssuer(
            settings.identity_key,
            audience=settings.tokens_audience,
            lifetime_s=settings.identity.access_token_lifetime_s,
            clock=parts.trusted_clock,
        ),
        watch=parts.watch,
        page_tokens=parts.page_tokens,
        scopes=scopes_for("customer"),
        default_book=settings.books[0],
    )
    servicers = {
        "ProfileService": ProfileService(
            **shared, notices=proving["notices"], office=parts.office, watch=parts.watch
        ),
        "KycService": KycService(**shared, screener=build_screener(parts)),
        "FactorsService": FactorsService(**shared, **proving, step_up=step_up, watch=parts.watch),
        "ChallengesService": ChallengesService(
            **shared, **proving, codes=MessageCodes(parts.office, parts.secrets, tools.limits)
        ),
        "EmailsService": EmailsService(tools, step_up),
        "FactorResetsService": FactorResetsService(
            engine=parts.engine,
            readers=parts.readers,
            notices=ResetNotices(parts.vault, proving["notices"]),
            step_up=step_up,
        ),
        "RegistrationService": RegistrationService(tools),
        "SessionsService": SessionsService(tools, step_up),
        "DevicesService": DevicesService(tools, step_up),
    }
    return {f"longmen.identity.v1.{name}": servicer for name, servicer in servicers.items()}
