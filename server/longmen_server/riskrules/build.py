"""Commands of rules that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import CUSTOMER, RULE_SET, RulesChangeId, book_of, new_id
from longmen_server.riskrules.commands import PromoteRuleSet, SetRollout, SnoozeRule
from longmen_server.riskrules.model import RuleSetState, Trial

if TYPE_CHECKING:
    from longmen.risk.v1 import rules_service_pb2 as pb
    from longmen_server.engine.command import RequestKey
    from longmen_server.platform.clock import Clock

__all__ = ["promote", "set_rollout", "snooze"]

NO_TRIAL = Trial(0, 0)


def promote(
    request: pb.PromoteRuleSetRequest,
    key: RequestKey | None,
    clock: Clock,
    *,
    agreed: bool,
    trial: Trial = NO_TRIAL,
) -> PromoteRuleSet:
    """Return the command that promotes a set."""
    rule_set_id = decode_id(RULE_SET, request.rule_set_id, "rule_set_id")
    book = book_of(rule_set_id)
    return PromoteRuleSet(
        book,
        key,
        change_id=RulesChangeId(new_id(book, clock)),
        rule_set_id=rule_set_id,
        revision=request.revision,
        state=RuleSetState(request.state),
        agreed=agreed,
        trial=trial,
    )


def snooze(
    request: pb.SnoozeRuleRequest, key: RequestKey | None, clock: Clock, *, book: int
) -> SnoozeRule:
    """Return the command that silences a rule."""
    customer_id = request.customer_id
    duration = request.duration
    return SnoozeRule(
        book,
        key,
        change_id=RulesChangeId(new_id(book, clock)),
        rule_id=request.rule_id,
        duration_us=duration.seconds * 1_000_000 + duration.nanos // 1_000,
        key=decode_id(CUSTOMER, customer_id, "customer_id") if customer_id else b"",
        reason=request.reason_text,
    )


def set_rollout(
    request: pb.SetRolloutRequest, key: RequestKey | None, clock: Clock, *, book: int
) -> SetRollout:
    """Return the command that lets a rule count for a share of payers."""
    return SetRollout(
        book,
        key,
        change_id=RulesChangeId(new_id(book, clock)),
        rule_id=request.rule_id,
        rollout=request.rollout_basis_points,
    )
