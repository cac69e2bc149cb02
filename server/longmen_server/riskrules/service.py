"""RulesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias

from longmen.risk.v1 import rules_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size, time_range
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import RULE_SET, RuleSetId, book_of, first_id_at, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import rule_content
from longmen_server.risk.backtest import Backtest, Tried
from longmen_server.risk.rules_lint import (
    ValueProblemError,
    errors_of,
    fire_for,
    lint,
    try_examples,
)
from longmen_server.risk.shipped import shipped_content
from longmen_server.riskrules import backtest_encode, build, encode, model, queries
from longmen_server.riskrules.backtesting import BacktestRoom, Span
from longmen_server.riskrules.check import card_of, refuse_problems
from longmen_server.riskrules.commands import CreateDraft, UpdateDraft
from longmen_server.riskrules.model import RuleSetState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from longmen.risk.v1 import rule_pb2
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.database import Connection
    from longmen_server.risk.rules import Rule
    from longmen_server.transport.context import Call

    _AboutRules: TypeAlias = pb.LintRulesRequest | pb.TestRulesRequest | pb.BacktestRulesRequest

__all__ = ["RulesService"]

BACKTESTED_DEFAULT: Final = 20_000
BACKTESTED_MAX: Final = 100_000
"""Decisions that one backtest judges: a minute or so of half a thread."""
LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""


class RulesService:
    """The methods of longmen.risk.v1.RulesService."""

    def __init__(self, *, engine: Engine, reading: ReadTools) -> None:
        """Take what runs commands, and what reading needs."""
        self._engine = engine
        self._read = reading
        self._backtests = BacktestRoom()

    async def CreateDraft(self, request: pb.CreateDraftRequest, call: Call) -> bytes:  # noqa: N802
        """Make a draft. Two hundred rules take a good part of a second to check: off the loop."""
        base = request.base_rule_set_id
        base_id = self._decode(base) if base else None
        book = book_of(base_id) if base_id else self._read.book(request.book)
        rules = rule_content.from_messages(request.rules)
        command = CreateDraft(
            book,
            request_key(call),
            rule_set_id=RuleSetId(new_id(book, self._read.clock)),
            name=request.name,
            note=request.note,
            rules=rules,
            found=await asyncio.to_thread(lint, rules),
            base_id=base_id,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def UpdateDraft(self, request: pb.UpdateDraftRequest, call: Call) -> bytes:  # noqa: N802
        """Give a draft other rules."""
        rule_set_id = self._decode(request.rule_set_id)
        rules = rule_content.from_messages(request.rules)
        command = UpdateDraft(
            book_of(rule_set_id),
            request_key(call),
            rule_set_id=rule_set_id,
            revision=request.revision,
            rules=rules,
            found=await asyncio.to_thread(lint, rules),
            note=request.note,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def PromoteRuleSet(self, request: pb.PromoteRuleSetRequest, call: Call) -> bytes:  # noqa: N802
        """Let a set be tried, decide or retire."""
        rule_set_id = self._decode(request.rule_set_id)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            trial = await queries.trial_of(connection, book_of(rule_set_id), rule_set_id)
        command = build.promote(
            request, request_key(call), self._read.clock, agreed=False, trial=trial
        )
        return await submit(self._engine, command, request=request, call=call)

    async def SnoozeRule(self, request: pb.SnoozeRuleRequest, call: Call) -> bytes:  # noqa: N802
        """Silence a rule."""
        book = self._read.book(request.book)
        command = build.snooze(request, request_key(call), self._read.clock, book=book)
        return await submit(self._engine, command, request=request, call=call)

    async def SetRollout(self, request: pb.SetRolloutRequest, call: Call) -> bytes:  # noqa: N802
        """Let a rule count for a share of payers."""
        book = self._read.book(request.book)
        command = build.set_rollout(request, request_key(call), self._read.clock, book=book)
        return await submit(self._engine, command, request=request, call=call)

    async def ListRuleSets(  # noqa: N802
        self, request: pb.ListRuleSetsRequest, call: Call
    ) -> pb.ListRuleSetsResponse:
        """List sets."""
        demand_freshness(request.at_least_as_fresh)
        tokens, book = self._read.page_tokens, self._read.book(request.book)
        before, size = tokens.open(request.page_token, request, call), page_size(request.page_size)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            rows = await queries.list_rule_sets(connection, book, before=before, limit=size + 1)
            version = await queries.active_version(connection, book)
        page = rows[:size]
        more = len(rows) > size
        return pb.ListRuleSetsResponse(
            rule_sets=[encode.rule_set(row, version=version) for row in page],
            next_page_token=tokens.seal(page[-1].rule_set_id, request, call) if more else "",
        )

    async def GetRuleSet(  # noqa: N802
        self, request: pb.GetRuleSetRequest, call: Call
    ) -> pb.GetRuleSetResponse:
        """Return a set."""
        demand_freshness(request.at_least_as_fresh)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            found = await self._rule_set(connection, request.rule_set_id, request.book)
        return pb.GetRuleSetResponse(rule_set=found)

    async def LintRules(self, request: pb.LintRulesRequest, call: Call) -> pb.LintRulesResponse:  # noqa: N802
        """Tell what is wrong with rules."""
        rules = await self._rules(request, call)
        found = await asyncio.to_thread(lint, rules)
        return pb.LintRulesResponse(problems=map(encode.problem, found))

    async def TestRules(self, request: pb.TestRulesRequest, call: Call) -> pb.TestRulesResponse:  # noqa: N802
        """Evaluate examples, and values."""
        rules = await self._rules(request, call)
        refuse_problems(errors_of(await asyncio.to_thread(lint, rules)), strict=False)
        examples = await asyncio.to_thread(try_examples, rules)
        reply = pb.TestRulesResponse(examples=map(encode.result, examples))
        if request.values:
            texts = {one.feature: one.value for one in request.values}
            try:
                fired, faults = fire_for(rules, texts, now_us=self._read.clock.now_us())
            except ValueProblemError as error:
                raise Refusal(
                    "INVALID_REQUEST",
                    str(error),
                    metadata={"rules": "values.feature"},
                    field="values",
                ) from error
            reply.fired.extend(map(encode.fired, fired))
            reply.fired.extend(map(encode.fault, faults))
        return reply

    async def BacktestRules(  # noqa: N802
        self, request: pb.BacktestRulesRequest, call: Call
    ) -> AsyncGenerator[pb.BacktestRulesResponse, None]:
        """Judge decisions of the past by other rules, or by another scorecard."""
        card = card_of(request.scorecard)
        rules = await self._rules(request, call)
        refuse_problems(errors_of(await asyncio.to_thread(lint, rules)), strict=False)
        span = self._span(request, call)
        tried = await asyncio.to_thread(Tried, rules, digest=bytes(32))
        test = Backtest(tried, card)
        # Until a step is told nothing has been looked at, however little time the caller gave.
        cursor = self._seal(span.after, request, call)
        steps = self._backtests.run(
            test,
            span,
            readers=self._read.readers,
            clock=self._read.clock,
            deadline=call.deadline,
        )
        async with aclosing(steps):
            async for step in steps:
                cursor = "" if step.ended else self._seal(step.last_id, request, call)
                yield pb.BacktestRulesResponse(progress=backtest_encode.progress(step))
        yield pb.BacktestRulesResponse(result=backtest_encode.result(test, cursor))

    def _span(self, request: pb.BacktestRulesRequest, call: Call) -> Span:
        """Return which decisions a request is about.

        Raises:
            Refusal: TIME_RANGE_INVALID, INVALID_CURSOR, UNKNOWN_BOOK.
        """
        book = self._read.book(request.book)
        if request.rule_set_id:
            book = book_of(self._decode(request.rule_set_id))
        first_us, end_us = time_range(request)
        after = bytes(16) if first_us is None else first_id_at(first_us)
        before = LAST_ID if end_us is None else first_id_at(end_us)
        try:
            after = self._read.page_tokens.open(request.cursor, _bound(request), call) or after
        except Refusal as refusal:
            raise Refusal(
                "INVALID_CURSOR",
                "the cursor is not one of a backtest of the same rules and span",
                field="cursor",
            ) from refusal
        most = min(request.decision_count, BACKTESTED_MAX) or BACKTESTED_DEFAULT
        return Span(book, after, before, most)

    def _seal(self, last_id: bytes, request: pb.BacktestRulesRequest, call: Call) -> str:
        return self._read.page_tokens.seal(last_id, _bound(request), call)

    async def DiffRuleSets(  # noqa: N802
        self, request: pb.DiffRuleSetsRequest, call: Call
    ) -> pb.DiffRuleSetsResponse:
        """Tell how two sets differ."""
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            first, second = [
                rule_content.from_messages(
                    (await self._rule_set(connection, text, request.book)).rules
                )
                for text in (request.rule_set_id, request.other_rule_set_id)
            ]
        return pb.DiffRuleSetsResponse(differences=rule_content.changed(first, second))

    async def _rules(self, request: _AboutRules, call: Call) -> tuple[Rule, ...]:
        """Return the rules that a request is about: its own, a set's, or those in force."""
        if request.rules and not request.rule_set_id:
            return rule_content.from_messages(request.rules)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            found = await self._rule_set(connection, request.rule_set_id, request.book)
        return rule_content.from_messages(found.rules)

    async def _rule_set(
        self, connection: Connection, text: str, asked_book: int
    ) -> rule_pb2.RuleSet:
        """Return a set with its rules; those in force for an empty id.

        Raises:
            Refusal: RULE_SET_NOT_FOUND.
        """
        rule_set_id = self._decode(text) if text else None
        book = book_of(rule_set_id) if rule_set_id else self._read.book(asked_book)
        now = await queries.latest(connection, book)
        rule_set_id = rule_set_id or (now.rule_set_id if now else None)
        in_force = rule_content.read(now.content) if now else shipped_content()
        version = now.version if now else 0
        if rule_set_id is None:
            return encode.shipped(in_force, version)
        row = await queries.find_rule_set(connection, book, rule_set_id)
        if row is None:
            raise model.rule_set_not_found(rule_set_id)
        content = rule_content.read(row.content)
        if row.state == RuleSetState.ACTIVE:
            content = in_force
        trial = await queries.trial_of(connection, book, rule_set_id)
        return encode.rule_set(row, content=content, version=version, trial=trial)

    def _decode(self, text: str) -> RuleSetId:
        """Return a set's id, which is of a book that is kept here.

        Raises:
            Refusal: INVALID_REQUEST, RULE_SET_NOT_FOUND.
        """
        rule_set_id = decode_id(RULE_SET, text, "rule_set_id")
        if book_of(rule_set_id) not in self._engine.writers:
            raise model.rule_set_not_found(rule_set_id)
        return rule_set_id


def _bound(request: pb.BacktestRulesRequest) -> pb.BacktestRulesRequest:
    """Return what a cursor is bound to: the request but for how far it goes."""
    bound = pb.BacktestRulesRequest()
    bound.CopyFrom(request)
    bound.ClearField("cursor")
    bound.ClearField("decision_count")
    return bound
