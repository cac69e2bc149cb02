"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.limits.v1 import limit_pb2, limits_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.identity.v1 import factor_pb2
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client._sync.caller import Caller
    from longmen_client.money import Money


class Limits:
    """LimitsService tells customers and the bank what binds movements of money, lets customers
    bind themselves, and reports what was counted.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def explain_limits(
        self,
        *,
        account_id: str,
        kind: limit_pb2.LimitedKind.ValueType,
        amount: Money,
        factors: Iterable[factor_pb2.FactorKind.ValueType] = (),
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> limits_service_pb2.ExplainLimitsResponse:
        """Says of a movement that is not made which limits bind it, what they leave, when they
        reset and what gets past them.

        It is decided by the code that decides on movements, and counts nothing.

        Args:
            account_id: Account id that would pay.
            kind: Kind of the movement.
            amount: Amount that would be paid, above zero, in the account's currency.
            factors: Factors that would approve it; empty asks what has to approve it.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                CURRENCY_MISMATCH.

        Scope: limits.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.ExplainLimitsRequest(
            account_id=account_id,
            kind=kind,
            amount=wire_money(amount),
            factors=factors,
            at_least_as_fresh=at_least_as_fresh,
        )
        return self._caller.ask(methods.LIMITS_EXPLAIN_LIMITS, request, options)

    def list_limits(
        self,
        *,
        account_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> limits_service_pb2.ListLimitsResponse:
        """Lists every limit of an account with what is left of it, and the customer's own limits.

        Args:
            account_id: Account id whose limits they are.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND.

        Scope: limits.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.ListLimitsRequest(
            account_id=account_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.LIMITS_LIST_LIMITS, request, options)

    def set_own_limit(
        self,
        *,
        period: limit_pb2.LimitPeriod.ValueType,
        customer_id: str = "",
        amount: Money | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limits_service_pb2.SetOwnLimitResponse]:
        """Lets a customer spend less than the bank would let, at once.

        To raise or remove a limit it has to be approved, and holds after a wait, so that whoever
        has the phone for a moment gains nothing by it.

        Args:
            period: Period that it is for.
            customer_id: Customer id whose limit it is; customers leave it out.
            amount: Amount that may be spent, in the institution's base currency; 0 lets nothing
                pass. Absent for no limit.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CURRENCY_MISMATCH, NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: limits.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.SetOwnLimitRequest(
            period=period,
            customer_id=customer_id,
            amount=wire_money(amount),
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LIMITS_SET_OWN_LIMIT, request, request.request_id, options
        )

    def set_account_type(
        self,
        *,
        account_id: str,
        account_type: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[limits_service_pb2.SetAccountTypeResponse]:
        """Says which type of bank settlement account a wallet account is; its limits hold at once,
        for what was spent from now on.

        Args:
            account_id: Account id of a wallet.
            account_type: Account type, 1 to 3; 0 for none.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND.

        Scope: limits.admin. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.SetAccountTypeRequest(
            account_id=account_id,
            account_type=account_type,
            request_id=request_id or new_request_id(),
        )
        return self._caller.change(
            methods.LIMITS_SET_ACCOUNT_TYPE, request, request.request_id, options
        )

    def list_limit_totals(
        self,
        *,
        track: limit_pb2.LimitTrack.ValueType,
        first_day: str,
        last_day: str = "",
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[limit_pb2.LimitTotal, limits_service_pb2.ListLimitTotalsResponse]:
        """Lists what customers' movements of some days came to on a track: printed codes by
        customer, exemptions from approval, and whatever else is counted; by day and customer.

        Args:
            track: Track to report.
            first_day: First day of the institution, YYYY-MM-DD.
            last_day: Last day, not before the first; empty means the first.
            book: Book of the movements; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN,
                UNKNOWN_BOOK.

        Scope: limits.report. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.ListLimitTotalsRequest(
            track=track,
            first_day=first_day,
            last_day=last_day,
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(self._caller, methods.LIMITS_LIST_LIMIT_TOTALS, request, "totals", options)

    def list_large_value_candidates(
        self,
        *,
        day: str,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[limit_pb2.LimitTotal, limits_service_pb2.ListLargeValueCandidatesResponse]:
        """Lists customers whose movements of a day came to what has to be reported; by customer.

        Args:
            day: Day of the institution, YYYY-MM-DD.
            book: Book of the movements; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN,
                UNKNOWN_BOOK.

        Scope: limits.report. Deadline: 5000 ms, at most 30000 ms.
        """
        request = limits_service_pb2.ListLargeValueCandidatesRequest(
            day=day,
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(
            self._caller, methods.LIMITS_LIST_LARGE_VALUE_CANDIDATES, request, "candidates", options
        )
