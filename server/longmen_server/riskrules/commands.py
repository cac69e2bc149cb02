"""The commands of rules: drafts are made and changed, sets promoted, rules silenced. Pure."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import rules_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.risk import rule_content
from longmen_server.risk.rule_content import Content
from longmen_server.risk.rules import Snooze
from longmen_server.risk.rules_lint import lint
from longmen_server.risk.shipped import shipped_content
from longmen_server.riskrules import encode, model
from longmen_server.riskrules.check import refuse_problems
from longmen_server.riskrules.model import Cause, RulebookRow, RuleSetRow, RuleSetState
from longmen_server.riskrules.tables import NOW, RULE_SET_ROWS, RULEBOOK, RULEBOOK_NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import RulesChangeId, RuleSetId
    from longmen_server.risk.rules import Rule
    from longmen_server.risk.rules_lint import Found
    from longmen_server.riskrules.model import Trial

__all__ = ["CreateDraft", "PromoteRuleSet", "SetRollout", "SnoozeRule", "UpdateDraft"]

_CHANGED: Final = int(event_pb2.EVENT_TYPE_RISK_RULES_CHANGED)
_CAUSES: Final = {
    RuleSetState.SHADOW: Cause.SHADOWED,
    RuleSetState.ACTIVE: Cause.PROMOTED,
    RuleSetState.RETIRED: Cause.RETIRED,
}


class _RulesCommand(Command):
    """A command that looks at the rules in force."""

    __slots__ = ()

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the latest version."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(RULEBOOK_NOW, NOW)


def in_force(working_set: WorkingSet) -> tuple[RulebookRow | None, Content]:
    """Return the latest version, None for the rules that came with the server, and its content."""
    row = working_set.get(RULEBOOK_NOW, NOW)
    return row, shipped_content() if row is None else rule_content.read(row.content)


def find(working_set: WorkingSet, rule_set_id: RuleSetId) -> RuleSetRow:
    """Return a set that was loaded.

    Raises:
        Refusal: RULE_SET_NOT_FOUND.
    """
    row = working_set.get(RULE_SET_ROWS, rule_set_id)
    if row is None:
        raise model.rule_set_not_found(rule_set_id)
    return row


def publish(
    working_set: WorkingSet,
    change_id: RulesChangeId,
    cause: Cause,
    sets: tuple[RuleSetId | None, RuleSetId | None],
    content: Content,
) -> RulebookRow:
    """Write the next version, and tell of it.

    Args:
        working_set: to write to.
        change_id: of the version.
        cause: of the version.
        sets: the one that decides and the one in shadow.
        content: the rules of both.
    """
    known = working_set.get(RULEBOOK_NOW, NOW)
    stored, digest = rule_content.write(content)
    row = RulebookRow(
        version=known.version + 1 if known else 1,
        change_id=change_id,
        cause=cause,
        created_at_us=working_set.next_stamp(),
        rule_set_id=sets[0],
        tried_id=sets[1],
        content=stored,
        digest=digest,
    )
    working_set.insert(RULEBOOK_NOW, NOW, row)
    working_set.insert(RULEBOOK, row.version, row)
    payload = encode.change(row, content)
    working_set.emit(Event(_CHANGED, change_id, 0, row.created_at_us, payload, payload))
    return row


class CreateDraft(_RulesCommand):
    """Make a draft."""

    __slots__ = ("base_id", "found", "name", "note", "rule_set_id", "rules")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        rule_set_id: RuleSetId,
        name: str,
        note: str,
        rules: Sequence[Rule],
        found: Sequence[Found],
        base_id: RuleSetId | None,
    ) -> None:
        super().__init__(book, request)
        self.found = found
        """What is wrong with the rules, which takes too long to look for among payments."""
        self.rule_set_id = rule_set_id
        self.name = name
        self.note = note
        self.rules = tuple(rules)
        """None are copied from the base."""
        self.base_id = base_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the latest version and the base."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK and self.base_id is not None:
            yield RowKey(RULE_SET_ROWS, self.base_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write the draft down, unless its rules cannot be evaluated."""
        refuse_problems(self.found, strict=False)
        base_id, rules = self.base_id, self.rules
        if base_id is not None:
            base = find(working_set, base_id)
            rules = rules or rule_content.read(base.content).rules
        else:
            book, content = in_force(working_set)
            base_id = book.rule_set_id if book else None
            rules = rules or without_snoozes(content.rules)
        stored, digest = rule_content.write(Content(rules))
        at_us = working_set.next_stamp()
        row = RuleSetRow(
            rule_set_id=self.rule_set_id,
            state=RuleSetState.DRAFT,
            revision=1,
            name=self.name,
            note=self.note,
            content=stored,
            digest=digest,
            base_id=base_id,
            created_at_us=at_us,
            updated_at_us=at_us,
            shadow_at_us=None,
            active_at_us=None,
            retired_at_us=None,
        )
        working_set.insert(RULE_SET_ROWS, row.rule_set_id, row)
        return pb.CreateDraftResponse(
            rule_set=encode.rule_set(row), committed_at=working_set.committed_at
        ).SerializeToString()


def without_snoozes(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return rules as somebody wrote them: snoozes are of the version, not of the set."""
    return tuple(replace(rule, snoozes=()) for rule in rules)


class UpdateDraft(Command):
    """Give a draft other rules."""

    __slots__ = ("found", "note", "revision", "rule_set_id", "rules")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        rule_set_id: RuleSetId,
        revision: int,
        rules: Sequence[Rule],
        found: Sequence[Found],
        note: str,
    ) -> None:
        super().__init__(book, request)
        self.found = found
        self.rule_set_id = rule_set_id
        self.revision = revision
        self.rules = tuple(rules)
        self.note = note

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the draft."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(RULE_SET_ROWS, self.rule_set_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write the rules down, unless they cannot be evaluated."""
        row = find(working_set, self.rule_set_id)
        model.check_draft(row)
        model.check_revision(row, self.revision)
        refuse_problems(self.found, strict=False)
        row = working_set.edit(RULE_SET_ROWS, self.rule_set_id)
        row.content, row.digest = rule_content.write(Content(self.rules))
        row.note = self.note
        row.revision += 1
        row.updated_at_us = working_set.next_stamp()
        return pb.UpdateDraftResponse(
            rule_set=encode.rule_set(row), committed_at=working_set.committed_at
        ).SerializeToString()


class PromoteRuleSet(_RulesCommand):
    """Let a set be tried, decide or retire."""

    __slots__ = ("agreed", "change_id", "revision", "rule_set_id", "state", "trial")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        change_id: RulesChangeId,
        rule_set_id: RuleSetId,
        revision: int,
        state: RuleSetState,
        agreed: bool,
        trial: Trial,
    ) -> None:
        super().__init__(book, request)
        self.change_id = change_id
        self.rule_set_id = rule_set_id
        self.revision = revision
        self.state = state
        self.agreed = agreed
        """Whether two people do it, who may promote what blocks much."""
        self.trial = trial
        """What the set did in shadow; of no weight where two people agree."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the latest version, the set, and the sets that it may replace."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            ids = {self.rule_set_id}
            row = working_set.get(RULEBOOK_NOW, NOW)
            if row is not None:
                ids |= {one for one in (row.rule_set_id, row.tried_id) if one is not None}
            for rule_set_id in sorted(ids):
                yield RowKey(RULE_SET_ROWS, rule_set_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take the step, and write the version that comes of it."""
        row = find(working_set, self.rule_set_id)
        model.check_revision(row, self.revision)
        model.check_step(row, self.state)
        rules = rule_content.read(row.content).rules
        if self.state != RuleSetState.RETIRED:
            refuse_problems(lint(rules), strict=True)
        if self.state == RuleSetState.ACTIVE and not self.agreed:
            model.check_trial(row, self.trial)
        was, at_us = RuleSetState(row.state), working_set.next_stamp()
        self._move(working_set, self.rule_set_id, self.state, at_us)
        version = 0
        if was != RuleSetState.DRAFT or self.state != RuleSetState.RETIRED:
            version = self._publish(working_set, was, rules, at_us).version
        row = find(working_set, self.rule_set_id)
        return pb.PromoteRuleSetResponse(
            rule_set=encode.rule_set(row, version=version), committed_at=working_set.committed_at
        ).SerializeToString()

    def _publish(
        self, working_set: WorkingSet, was: RuleSetState, rules: tuple[Rule, ...], at_us: int
    ) -> RulebookRow:
        """Write the version in which the set has its new state."""
        known, content = in_force(working_set)
        active = known.rule_set_id if known else None
        tried = known.tried_id if known else None
        kept, shadow = content.rules, content.tried
        if tried == self.rule_set_id:
            tried, shadow = None, ()
        if self.state == RuleSetState.SHADOW:
            if tried is not None:
                self._move(working_set, tried, RuleSetState.RETIRED, at_us)
            tried, shadow = self.rule_set_id, rules
        elif self.state == RuleSetState.ACTIVE:
            if active is not None:
                self._move(working_set, active, RuleSetState.RETIRED, at_us)
            active, kept = self.rule_set_id, with_snoozes_of(rules, kept, working_set.now_us)
        elif was == RuleSetState.ACTIVE:
            active, kept = None, shipped_content().rules
        sets, cause = (active, tried), _CAUSES[self.state]
        return publish(working_set, self.change_id, cause, sets, Content(kept, shadow))

    def _move(
        self, working_set: WorkingSet, rule_set_id: RuleSetId, state: RuleSetState, at_us: int
    ) -> None:
        """Give a set its new state, and note since when."""
        row = working_set.edit(RULE_SET_ROWS, rule_set_id)
        row.state = state
        row.revision += 1
        row.updated_at_us = at_us
        if state == RuleSetState.SHADOW:
            row.shadow_at_us = at_us
        elif state == RuleSetState.ACTIVE:
            row.active_at_us = at_us
        else:
            row.retired_at_us = at_us


def with_snoozes_of(rules: Iterable[Rule], before: Iterable[Rule], now_us: int) -> tuple[Rule, ...]:
    """Return rules with the snoozes that those before them still have: silence outlives a set."""
    running = {
        rule.rule_id: tuple(one for one in rule.snoozes if one.until_us > now_us) for rule in before
    }
    return tuple(replace(rule, snoozes=running.get(rule.rule_id, ())) for rule in rules)


class _ChangeRule(_RulesCommand):
    """Change how one of the active rules counts, by a new version."""

    __slots__ = ("change_id", "rule_id")
    cause: Cause

    def __init__(
        self, book: int, request: RequestKey | None, *, change_id: RulesChangeId, rule_id: str
    ) -> None:
        super().__init__(book, request)
        self.change_id = change_id
        self.rule_id = rule_id

    @abstractmethod
    def changed(self, working_set: WorkingSet, rule: Rule) -> Rule:
        """Return the rule as it is to be."""

    def change(self, working_set: WorkingSet) -> int:
        """Write the version with the rule changed and return its number.

        Raises:
            Refusal: RULE_NOT_FOUND, and what :meth:`changed` refuses.
        """
        known, content = in_force(working_set)
        by_id = {rule.rule_id: place for place, rule in enumerate(content.rules)}
        place = by_id.get(self.rule_id)
        if place is None:
            raise model.rule_not_found(self.rule_id)
        rules = list(content.rules)
        rules[place] = self.changed(working_set, rules[place])
        sets = (known.rule_set_id, known.tried_id) if known else (None, None)
        content = content._replace(rules=tuple(rules))
        return publish(working_set, self.change_id, self.cause, sets, content).version


class SnoozeRule(_ChangeRule):
    """Silence a rule for a while."""

    __slots__ = ("duration_us", "key", "reason")
    cause = Cause.SNOOZED

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        change_id: RulesChangeId,
        rule_id: str,
        duration_us: int,
        key: bytes,
        reason: str,
    ) -> None:
        super().__init__(book, request, change_id=change_id, rule_id=rule_id)
        self.duration_us = duration_us
        self.key = key
        """Of the payer it is for; empty for everybody."""
        self.reason = reason

    def changed(self, working_set: WorkingSet, rule: Rule) -> Rule:
        """Return the rule with one more snooze, in place of what is over or for the same payer."""
        now_us = working_set.now_us
        kept = [one for one in rule.snoozes if one.until_us > now_us and one.key != self.key]
        model.check_snooze(self.duration_us, len(kept))
        snooze = Snooze(now_us + self.duration_us, self.key, self.reason)
        return replace(rule, snoozes=(*kept, snooze))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Silence it."""
        return pb.SnoozeRuleResponse(
            version=self.change(working_set), committed_at=working_set.committed_at
        ).SerializeToString()


class SetRollout(_ChangeRule):
    """Let a rule count for a share of payers."""

    __slots__ = ("rollout",)
    cause = Cause.ROLLED_OUT

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        change_id: RulesChangeId,
        rule_id: str,
        rollout: int,
    ) -> None:
        super().__init__(book, request, change_id=change_id, rule_id=rule_id)
        self.rollout = rollout

    def changed(self, working_set: WorkingSet, rule: Rule) -> Rule:
        """Return the rule with its new share."""
        del working_set
        return replace(rule, rollout=self.rollout)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set the share."""
        return pb.SetRolloutResponse(
            version=self.change(working_set), committed_at=working_set.committed_at
        ).SerializeToString()
