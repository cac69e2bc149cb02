"""What the protection against fraud makes of a payment, and what the customer can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from longmen.risk.v1 import case_pb2
from longmen_app.outcomes import Appeal, Freeze, Held, Paid, Unapproved
from longmen_client.errors import NeedsAuth, RiskFrozen, RiskRejected
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from datetime import datetime

    from longmen.risk.v1 import risk_service_pb2
    from longmen_app._async.wallet import AsyncPayment, AsyncWallet
    from longmen_app.model import Transfer
    from longmen_client._reply import Reply


@dataclass(frozen=True, slots=True)
class AsyncDelayed:
    """The money is held for a while and then paid; until then it can be taken back."""

    transfer: Transfer
    until: datetime
    _wallet: AsyncWallet

    async def revoke(self) -> Transfer:
        """Take it back.

        Raises:
            LongmenError: such as TransferAlreadyCompleted, when it was paid meanwhile.
        """
        return await self._wallet.cancel(self.transfer.transfer_id)


@dataclass(frozen=True, slots=True)
class AsyncStopped:
    """It was not made, and will not be however often it is sent."""

    reason_code: str
    """May be shown."""
    reference: str
    """What an appeal names."""
    _wallet: AsyncWallet

    async def appeal(self, text: str = "", *, mine: bool = True) -> Appeal:
        """Tell the bank: that it was one's own payment, or that somebody else made it."""
        return await AsyncProtection(self._wallet).appeal(self.reference, text, mine=mine)


@dataclass(frozen=True, slots=True)
class AsyncFrozen:
    """The wallet is frozen, so nothing was looked at."""

    freeze_id: str
    _wallet: AsyncWallet

    async def lift(self) -> Freeze:
        """Lift it by two factors, where the bank leaves that to the customer.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: such as FreezeNotRevocable or StepUpUnavailable.
        """
        return await AsyncProtection(self._wallet).lift(self.freeze_id)


AsyncOutcome: TypeAlias = Paid | AsyncDelayed | Held | Unapproved | AsyncStopped | AsyncFrozen


class AsyncProtection:
    """The protection of one customer's wallet.

    match await AsyncProtection(wallet).attempt(await wallet.prepare(payee, amount)):
        case Paid(transfer):
            print("paid", transfer.transfer_id)
        case AsyncDelayed() as delayed:
            print("can be taken back until", delayed.until)
        case AsyncStopped() as stopped:
            print("stopped:", stopped.reason_code)
            await stopped.appeal("it is my rent")
        case other:
            print(other)
    """

    def __init__(self, wallet: AsyncWallet) -> None:
        self._wallet = wallet

    async def attempt(self, payment: AsyncPayment) -> AsyncOutcome:
        """Confirm a payment, and tell by a type what came of it.

        Raises:
            LongmenError: it failed for something else, such as InsufficientFunds.
        """
        try:
            made = await payment.confirm()
        except NeedsAuth as needed:
            methods = tuple(needed.metadata["methods"].split(","))
            return Unapproved(needed.metadata["challenge_id"], methods)
        except RiskRejected as stopped:
            told = stopped.metadata
            return AsyncStopped(told["reason_code"], told["appeal_reference"], self._wallet)
        except RiskFrozen as frozen:
            return AsyncFrozen(frozen.metadata["freeze_id"], self._wallet)
        if made.state == "HELD":
            return Held(made)
        if made.state == "SCHEDULED" and made.due is not None:
            return AsyncDelayed(made, made.due, self._wallet)
        return Paid(made)

    async def appeal(
        self, reference: str, text: str = "", *, mine: bool = True, request_id: str | None = None
    ) -> Appeal:
        """Tell the bank about a movement.

        Args:
            reference: the appeal reference that was told, which is the id of the decision.
            text: in the customer's words.
            mine: that it was the customer's own and stopped wrongly; False says that somebody else
                made it, or that the customer was deceived.
            request_id: of an appeal whose outcome is not known.

        Raises:
            LongmenError: such as NothingToAppeal or DecisionNotFound.
        """
        reply = await self._wallet.bank.cases.appeal_decision(
            decision_id=reference,
            claim=case_pb2.CLAIM_MINE if mine else case_pb2.CLAIM_NOT_MINE,
            text=text,
            request_id=request_id,
        )
        return Appeal.from_proto(reply.message.appealed)

    async def look_up(self, case_id: str) -> Appeal:
        """How an appeal stands.

        Raises:
            LongmenError: CaseNotFound.
        """
        reply = await self._wallet.bank.cases.get_case(case_id=case_id)
        return Appeal.from_proto(reply.case_found)

    async def freezes(self) -> list[Freeze]:
        """Every freeze of the wallet, newest first, those that were lifted too."""
        pager = self._wallet.bank.risk.list_freezes(customer_id=self._wallet.customer_id)
        return [Freeze.from_proto(one) async for one in pager]

    async def lift(self, freeze_id: str, *, request_id: str | None = None) -> Freeze:
        """Lift a freeze by two factors, where the bank leaves that to the customer.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: such as FreezeNotRevocable or StepUpUnavailable.
        """
        chosen = request_id or new_request_id()

        async def send() -> Reply[risk_service_pb2.LiftFreezeResponse]:
            return await self._wallet.bank.risk.lift_freeze(freeze_id=freeze_id, request_id=chosen)

        try:
            reply = await send()
        except NeedsAuth as needed:
            await self._wallet.approve(needed)
            reply = await send()
        self._wallet.remember(reply.committed_at)
        return Freeze.from_proto(reply.message.freeze)
