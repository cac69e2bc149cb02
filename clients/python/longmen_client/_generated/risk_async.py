"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import decision_pb2, outcome_pb2, risk_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money, wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from longmen.identity.v1 import factor_pb2
    from longmen.limits.v1 import limit_pb2
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncRisk:
    """RiskService shows what risk decided about movements and why, computes decisions again from
    what was kept, and keeps the freezes of customers. Every movement of a customer's money is
    judged in the transaction that makes it; nothing here has to be called for that.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get_decision(
        self,
        *,
        decision_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> risk_service_pb2.GetDecisionResponse:
        """Returns a decision.

        Customers see their own, without what it rests on.

        Args:
            decision_id: Decision id.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DECISION_NOT_FOUND.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.GetDecisionRequest(
            decision_id=decision_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.RISK_GET_DECISION, request, options)

    def list_decisions(
        self,
        *,
        customer_id: str = "",
        book: int = 0,
        lowest_outcome: outcome_pb2.OutcomeKind.ValueType = outcome_pb2.OUTCOME_KIND_UNSPECIFIED,
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[decision_pb2.Decision, risk_service_pb2.ListDecisionsResponse]:
        """Lists decisions about a customer's movements, or about all of a book, newest first.

        Customers see their own.

        Args:
            customer_id: Customer id whose movements; empty for all of the book, and for the
                caller's own.
            book: Book to list, where no customer is named; 0 for the first.
            lowest_outcome: Lowest outcome to list; unspecified for all.
            from_time: From time, the first moment of interest.
            to_time: To time, the first moment that is not of interest any more.
            page_size: Page size is at most 500; 0 means 50.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN, TIME_RANGE_INVALID.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.ListDecisionsRequest(
            customer_id=customer_id,
            book=book,
            lowest_outcome=lowest_outcome,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.RISK_LIST_DECISIONS, request, "decisions", options)

    async def replay_decision(
        self,
        *,
        decision_id: str,
        options: CallOptions | None = None,
    ) -> risk_service_pb2.ReplayDecisionResponse:
        """Computes a decision again from its record and the rules of its version, and says whether
        it comes out the same.

        Args:
            decision_id: Decision id.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: DECISION_NOT_FOUND,
                DECISION_NOT_REPLAYABLE.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.ReplayDecisionRequest(decision_id=decision_id)
        return await self._caller.ask(methods.RISK_REPLAY_DECISION, request, options)

    async def simulate_transaction(
        self,
        *,
        kind: limit_pb2.LimitedKind.ValueType,
        from_account_id: str,
        amount: Money,
        to_account_id: str = "",
        merchant_id: str = "",
        channel: outcome_pb2.RiskChannel.ValueType = outcome_pb2.RISK_CHANNEL_UNSPECIFIED,
        device_id: str = "",
        network_address: str = "",
        factors: Iterable[factor_pb2.FactorKind.ValueType] = (),
        rule_set_id: str = "",
        terminal_id: str = "",
        options: CallOptions | None = None,
    ) -> risk_service_pb2.SimulateTransactionResponse:
        """Says what risk, limits, approvals and the ledger would make of one movement now, by the
        rules in force or by a set that is tried.

        It is decided by the code that decides on movements, and leaves nothing behind: nothing is
        kept, counted, held, frozen or told.

        Args:
            kind: Kind of the movement.
            from_account_id: From account id that would pay.
            amount: Amount that would be paid, above zero, in the currency of the account that pays.
            to_account_id: To account id that would be paid, of a transfer or a conversion.
            merchant_id: Merchant id that would be paid, of a payment.
            channel: Channel through which it would be asked for.
            device_id: Device id that would ask for it; empty for none.
            network_address: Network address that it would come from; empty, or what is no public
                address, tells nothing.
            factors: Factors that would have approved it; empty asks what has to approve it.
            rule_set_id: Rule set id to judge by; empty for the rules in force.
            terminal_id: Terminal id of the merchant's till that it would be paid at; empty for
                none, and where no merchant is paid.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                MERCHANT_NOT_FOUND, TERMINAL_NOT_FOUND, RULE_SET_NOT_FOUND, CURRENCY_MISMATCH.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.SimulateTransactionRequest(
            kind=kind,
            from_account_id=from_account_id,
            amount=wire_money(amount),
            to_account_id=to_account_id,
            merchant_id=merchant_id,
            channel=channel,
            device_id=device_id,
            network_address=network_address,
            factors=factors,
            rule_set_id=rule_set_id,
            terminal_id=terminal_id,
        )
        return await self._caller.ask(methods.RISK_SIMULATE_TRANSACTION, request, options)

    async def place_freeze(
        self,
        *,
        customer_id: str,
        scope: outcome_pb2.FreezeScope.ValueType,
        reason: str,
        reason_text: str = "",
        revocable: bool = False,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[risk_service_pb2.PlaceFreezeResponse]:
        """Stops a customer with all accounts from paying, from receiving, or both.

        Args:
            customer_id: Customer id to freeze.
            scope: Scope of the freeze.
            reason: Reason code that the customer is told, such as CONFIRMED_FRAUD.
            reason_text: Reason text for the bank.
            revocable: Revocable freezes can be lifted by the customer who proves two factors.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                FREEZE_EXISTS.

        Scope: risk.freeze. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.PlaceFreezeRequest(
            customer_id=customer_id,
            scope=scope,
            reason=reason,
            reason_text=reason_text,
            revocable=revocable,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RISK_PLACE_FREEZE, request, request.request_id, options
        )

    async def lift_freeze(
        self,
        *,
        freeze_id: str,
        reason_text: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[risk_service_pb2.LiftFreezeResponse]:
        """Lets a customer or merchant pay and receive again.

        For staff it takes a second person; customers lift what the rules allow them to, by proving
        two factors.

        Args:
            freeze_id: Freeze id.
            reason_text: Reason text for the bank.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: FREEZE_NOT_FOUND,
                FREEZE_LIFTED, FREEZE_NOT_REVOCABLE, NEEDS_AUTH, STEP_UP_UNAVAILABLE,
                CHALLENGE_CONTENT_CHANGED.

        Scope: risk.lift. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.LiftFreezeRequest(
            freeze_id=freeze_id, reason_text=reason_text, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.RISK_LIFT_FREEZE, request, request.request_id, options
        )

    def list_freezes(
        self,
        *,
        customer_id: str = "",
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[decision_pb2.Freeze, risk_service_pb2.ListFreezesResponse]:
        """Lists the freezes of a customer, newest first.

        Customers see their own.

        Args:
            customer_id: Customer id whose freezes; empty for the caller's own.
            page_size: Page size is at most 500; 0 means 50.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = risk_service_pb2.ListFreezesRequest(
            customer_id=customer_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.RISK_LIST_FREEZES, request, "freezes", options)
