"""Where commands of customers get their gates from, by the policy of each method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from longmen_server.challenges.gate import Gate
from longmen_server.challenges.policy import load_policy
from longmen_server.platform.ids import DEVICE, ChallengeId, new_id

if TYPE_CHECKING:
    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.model import Policy
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.ids import AccountId
    from longmen_server.platform.refusal import Refusal
    from longmen_server.risk.desk import RiskDesk
    from longmen_server.risk.guard import Guard
    from longmen_server.transport.context import Call

__all__ = ["StepUpOffice"]


class Adviser(Protocol):
    """What tells a payer who has too little what else would do."""

    async def advise(self, refusal: Refusal, call: Call, payer_id: AccountId, amount: int) -> None:
        """Add to a refusal what is advised, if anything is."""


class StepUpOffice:
    """Gives each request of a customer with a session the gate it has to pass."""

    def __init__(
        self,
        clock: Clock,
        risk: RiskDesk | None = None,
        adviser: Adviser | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        """Take what requests are given; None stands for nothing.

        Args:
            clock: that ids are made by.
            risk: judges movements.
            adviser: tells payers who have too little what else would do.
            funding: exchanges what a payment lacks, for payers who have agreed to it.
        """
        self._clock = clock
        self._risk = risk
        self._adviser = adviser
        self.funding = funding
        self._policy = load_policy()

    @property
    def policy(self) -> Policy:
        """What has to be approved, for payments whose payer does not call."""
        return self._policy

    def guard(self, call: Call, book: int) -> Guard | None:
        """Return what judges the movement that a call asks for; None where nothing does."""
        return None if self._risk is None else self._risk.guard(call, book)

    def guards(self, call: Call, book: int, count: int) -> list[Guard]:
        """Return what judges so many movements of a call, one each; none where nothing does."""
        return [] if self._risk is None else self._risk.guards(call, book, count)

    async def advise(self, refusal: Refusal, call: Call, payer_id: AccountId, amount: int) -> None:
        """Add to the refusal of a payment what its payer could do instead.

        Args:
            refusal: of any reason; what is no want of money stays as it is.
            call: that is refused.
            payer_id: the account that was to be charged.
            amount: of the whole payment, in minor units of the account's currency.
        """
        if self._adviser is not None:
            await self._adviser.advise(refusal, call, payer_id, amount)

    def gate(self, call: Call, request: RequestKey, book: int) -> Gate | None:
        """Return the gate of a request; None for callers that are never stepped up.

        Those are services, which answer for their own customers, and tokens without a session,
        which development has and production has not.
        """
        principal = call.principal
        if principal.customer_id is None or principal.session_id is None:
            return None
        device_id = principal.device_id
        return Gate(
            customer_id=principal.customer_id,
            request=request,
            challenge_id=ChallengeId(new_id(book, self._clock)),
            policy=self._policy,
            device_id=None if device_id is None else DEVICE.decode(device_id),
        )
