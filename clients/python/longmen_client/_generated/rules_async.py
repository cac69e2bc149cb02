"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import rule_pb2, rules_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_span, wire_time
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncRules:
    """RulesService keeps the rules that movements are judged by. Sets of rules are drafted, tried
    in shadow and promoted; nothing that once decided is ever overwritten, so that every
    decision can be made again from its record.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_draft(
        self,
        *,
        name: str,
        note: str = "",
        rules: Iterable[rule_pb2.Rule] = (),
        base_rule_set_id: str = "",
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rules_service_pb2.CreateDraftResponse]:
        """Makes a set of rules that can be changed and decides nothing.

        Without rules it is a copy of its base.

        Args:
            name: Name of the set.
            note: Note on what is new in it.
            rules: Rules of it; none copies those of the base.
            base_rule_set_id: Base rule set id it is made from; empty for the rules in force.
            book: Book of the rules; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND,
                RULE_SET_INVALID.

        Scope: risk.rules. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.CreateDraftRequest(
            name=name,
            note=note,
            rules=rules,
            base_rule_set_id=base_rule_set_id,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RULES_CREATE_DRAFT, request, request.request_id, options
        )

    async def update_draft(
        self,
        *,
        rule_set_id: str,
        revision: int,
        rules: Iterable[rule_pb2.Rule] = (),
        note: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rules_service_pb2.UpdateDraftResponse]:
        """Replaces the rules of a draft.

        They are type-checked: what cannot be evaluated is not saved.

        Args:
            rule_set_id: Rule set id of the draft.
            revision: Revision of the draft that the change was made from.
            rules: Rules that it has from now on.
            note: Note on what is new in it.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND,
                RULE_SET_INVALID, RULE_SET_NOT_DRAFT, RULE_SET_CHANGED.

        Scope: risk.rules. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.UpdateDraftRequest(
            rule_set_id=rule_set_id,
            revision=revision,
            rules=rules,
            note=note,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RULES_UPDATE_DRAFT, request, request.request_id, options
        )

    async def promote_rule_set(
        self,
        *,
        rule_set_id: str,
        revision: int,
        state: rule_pb2.RuleSetState.ValueType,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rules_service_pb2.PromoteRuleSetResponse]:
        """Lets a set be tried in shadow, decide, or retire.

        From the next seconds on every worker goes by it. Staff do it by two people; a service may
        promote what was tried in shadow and blocked little.

        Args:
            rule_set_id: Rule set id of the set.
            revision: Revision of the set that was looked at.
            state: State it gets: shadow, active or retired.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND,
                RULE_SET_INVALID, RULE_SET_CHANGED, RULE_SET_STATE, RULE_SET_NOT_TRIED,
                RULE_SET_BLOCKS_TOO_MUCH.

        Scope: risk.rules. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.PromoteRuleSetRequest(
            rule_set_id=rule_set_id,
            revision=revision,
            state=state,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RULES_PROMOTE_RULE_SET, request, request.request_id, options
        )

    async def snooze_rule(
        self,
        *,
        rule_id: str,
        duration: timedelta,
        reason_text: str,
        customer_id: str = "",
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rules_service_pb2.SnoozeRuleResponse]:
        """Silences a rule of the active set for a while, for everybody or for one payer.

        It is recorded when it fires, and does not count.

        Args:
            rule_id: Rule id of a rule of the active set.
            duration: Duration from now that it is silent; nothing wakes it up.
            reason_text: Reason text, kept with it.
            customer_id: Customer id of the payer it is for; empty for everybody.
            book: Book of the rules; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_NOT_FOUND,
                RULE_SNOOZE_LIMIT.

        Scope: risk.rules. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.SnoozeRuleRequest(
            rule_id=rule_id,
            duration=wire_span(duration),
            reason_text=reason_text,
            customer_id=customer_id,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RULES_SNOOZE_RULE, request, request.request_id, options
        )

    async def set_rollout(
        self,
        *,
        rule_id: str,
        rollout_basis_points: int = 0,
        book: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[rules_service_pb2.SetRolloutResponse]:
        """Sets for which share of payers a rule of the active set counts.

        Args:
            rule_id: Rule id of a rule of the active set.
            rollout_basis_points: Rollout basis points of payers it counts for, always the same
                ones.
            book: Book of the rules; 0 means the server's default book.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_NOT_FOUND.

        Scope: risk.rules. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.SetRolloutRequest(
            rule_id=rule_id,
            rollout_basis_points=rollout_basis_points,
            book=book,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.RULES_SET_ROLLOUT, request, request.request_id, options
        )

    def list_rule_sets(
        self,
        *,
        book: int = 0,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[rule_pb2.RuleSet, rules_service_pb2.ListRuleSetsResponse]:
        """Lists the sets of a book without their rules, newest first.

        Args:
            book: Book of the rules; 0 means the server's default book.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: INVALID_PAGE_TOKEN.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.ListRuleSetsRequest(
            book=book,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(self._caller, methods.RULES_LIST_RULE_SETS, request, "rule_sets", options)

    async def get_rule_set(
        self,
        *,
        rule_set_id: str = "",
        book: int = 0,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> rules_service_pb2.GetRuleSetResponse:
        """Returns a set with its rules, or the rules in force.

        Args:
            rule_set_id: Rule set id; empty for the rules in force.
            book: Book of the rules; 0 means the server's default book.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.GetRuleSetRequest(
            rule_set_id=rule_set_id, book=book, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.RULES_GET_RULE_SET, request, options)

    async def lint_rules(
        self,
        *,
        rule_set_id: str = "",
        rules: Iterable[rule_pb2.Rule] = (),
        book: int = 0,
        options: CallOptions | None = None,
    ) -> rules_service_pb2.LintRulesResponse:
        """Tells what is wrong with rules, saved or not.

        Args:
            rule_set_id: Rule set id of saved rules; empty for those below, or the rules in force
                where there are none.
            rules: Rules that are not saved.
            book: Book of the rules; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.LintRulesRequest(
            rule_set_id=rule_set_id, rules=rules, book=book
        )
        return await self._caller.ask(methods.RULES_LINT_RULES, request, options)

    async def test_rules(
        self,
        *,
        rule_set_id: str = "",
        rules: Iterable[rule_pb2.Rule] = (),
        values: Iterable[rule_pb2.FeatureText] = (),
        book: int = 0,
        options: CallOptions | None = None,
    ) -> rules_service_pb2.TestRulesResponse:
        """Evaluates the examples of rules, saved or not, and what fires for values.

        Args:
            rule_set_id: Rule set id of saved rules; empty for those below, or the rules in force
                where there are none.
            rules: Rules that are not saved.
            values: Values of a movement to try; all other features have their defaults. Without
                any, nothing is tried beyond the examples.
            book: Book of the rules; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND,
                RULE_SET_INVALID.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.TestRulesRequest(
            rule_set_id=rule_set_id, rules=rules, values=values, book=book
        )
        return await self._caller.ask(methods.RULES_TEST_RULES, request, options)

    async def diff_rule_sets(
        self,
        *,
        rule_set_id: str = "",
        other_rule_set_id: str = "",
        book: int = 0,
        options: CallOptions | None = None,
    ) -> rules_service_pb2.DiffRuleSetsResponse:
        """Tells how two sets differ, rule by rule and field by field.

        Args:
            rule_set_id: Rule set id of the first set; empty for the rules in force.
            other_rule_set_id: Other rule set id, of the second set; empty for the rules in force.
            book: Book of the rules; 0 means the server's default book.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND.

        Scope: risk.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = rules_service_pb2.DiffRuleSetsRequest(
            rule_set_id=rule_set_id, other_rule_set_id=other_rule_set_id, book=book
        )
        return await self._caller.ask(methods.RULES_DIFF_RULE_SETS, request, options)

    def backtest_rules(
        self,
        *,
        rule_set_id: str = "",
        rules: Iterable[rule_pb2.Rule] = (),
        from_time: datetime | None = None,
        to_time: datetime | None = None,
        decision_count: int = 0,
        cursor: str = "",
        book: int = 0,
        scorecard: bytes = b"",
        options: CallOptions | None = None,
    ) -> AsyncStream[rules_service_pb2.BacktestRulesResponse]:
        """Judges decisions of the past again by other rules or another scorecard, and tells what
        would have come out: progress while it reads, then the result.

        It reads what was recorded, in a part of the server of its own, and changes nothing. A long
        span comes in several calls, by the cursor of the result.

        Args:
            rule_set_id: Rule set id of saved rules; empty for those below, or the rules in force
                where there are none.
            rules: Rules that are not saved.
            from_time: From time, the first moment of interest.
            to_time: To time, the first moment that is not of interest any more.
            decision_count: Decision count is how many decisions to judge at most; 0 means 20000,
                more than 100000 means 100000.
            cursor: Cursor is next_cursor of the result before, for otherwise the same request.
            book: Book of the decisions; 0 means the server's default book.
            scorecard: Scorecard to try with the rules, as TOML in the form of the one that came
                with the server; empty for that one. It is not saved.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: RULE_SET_NOT_FOUND,
                RULE_SET_INVALID, SCORECARD_INVALID, TIME_RANGE_INVALID, INVALID_CURSOR, OVERLOADED.

        Scope: risk.read. Deadline: 120000 ms, at most 600000 ms.
        """
        request = rules_service_pb2.BacktestRulesRequest(
            rule_set_id=rule_set_id,
            rules=rules,
            from_time=wire_time(from_time),
            to_time=wire_time(to_time),
            decision_count=decision_count,
            cursor=cursor,
            book=book,
            scorecard=scorecard,
        )
        return self._caller.open(methods.RULES_BACKTEST_RULES, request, options)
