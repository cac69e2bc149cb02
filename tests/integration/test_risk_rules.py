"""Rules of risk through the RPCs: saved only when they can be evaluated, tried, promoted by two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import outcome_pb2, rule_pb2
from longmen_server.risk.rules_lint import scene
from longmen_server.risk.shipped import shipped, shipped_content
from longmen_server.riskrules import queries
from tests.support.edge import told as told_by
from tests.support.poll import until
from tests.support.risk_rules import draft, rule
from tests.support.sample_requests import outside
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.risk.rules import RuleSet
    from tests.support.edge import Told
    from tests.support.postgres import Database

SHADOW = rule_pb2.RULE_SET_STATE_SHADOW
ACTIVE = rule_pb2.RULE_SET_STATE_ACTIVE
RETIRED = rule_pb2.RULE_SET_STATE_RETIRED
ALLOWED = 0
"""What a set in shadow asked for when nothing of it fired."""
NOW = 1_795_000_000_000_000


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("rules")) as opened:
        yield opened


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"RulesService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def promote(bank: SmallBank, one: rule_pb2.RuleSet, state: Any) -> rule_pb2.RuleSet:
    """Promote by two members of staff."""
    asked = {
        "rule_set_id": one.rule_set_id,
        "revision": one.revision,
        "state": state,
        "request_id": bank.new_request_id(),
    }
    await by_two(bank, promote_rule_set=asked)
    found: rule_pb2.RuleSet = await get(bank, one.rule_set_id)
    return found


async def by_two(bank: SmallBank, **command: Any) -> Any:
    maker, checker = (bank.token_of("staff", name) for name in ("ines", "omar"))
    proposed = (
        await bank.do(
            "ApprovalsService/ProposeApproval", maker, command=command, reason_text="tried"
        )
    ).approval
    decided = await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=proposed.approval_id,
        payload_hash=proposed.payload_hash,
        decision_text="yes",
    )
    return decided.approval


async def get(bank: SmallBank, rule_set_id: str = "") -> rule_pb2.RuleSet:
    found: rule_pb2.RuleSet = (
        await bank.do("RulesService/GetRuleSet", rule_set_id=rule_set_id)
    ).rule_set
    return found


async def in_force(bank: SmallBank) -> RuleSet:
    """What every worker judges by from the next second on."""
    parts = bank.parts
    deadline = parts.trusted_clock.monotonic() + 10
    async with parts.readers.connection(deadline=deadline) as connection:
        version = await queries.active_version(connection, BOOK)
        found = await queries.rules_of_version(connection, BOOK, version)
    assert found is not None
    return found


def above(amount: int) -> rule_pb2.Rule:
    """A rule that looks at what no payment of this file is."""
    return rule(expression=f"amount > {amount}", kinds=["MANDATE_CHARGE"])


def fires(rules: RuleSet, **texts: str) -> list[tuple[str, bool]]:
    values = scene(None, {"kind": "MANDATE_CHARGE", **texts})
    fired, faults = rules.fire(values, now_us=NOW, key=bytes(16))
    assert not faults
    return [(one.rule, one.shadow) for one in fired]


def decide(bank: SmallBank, version: int, tried: int, count: int) -> None:
    """Keep decisions as the judges of the payments of an hour would."""
    bank.execute(
        "insert into risk_decision (rules_version, card_version, decided_at_us, amount, strength,"
        " latency_us, book, kind, outcome, target, tried_outcome, is_made, decision_id,"
        " transaction_id, reason, rules_digest, card_digest, snapshot) select %s, 0, 0, 1, 0, 1,"
        " %s, 1, 1, 1, %s, true, uuidv7(), uuidv7(), '', '', '', '' from generate_series(1, %s)",
        version,
        BOOK,
        tried,
        count,
    )


async def test_a_book_begins_with_the_rules_that_are_shipped(bank: SmallBank) -> None:
    found = await get(bank)
    assert (found.rule_set_id, found.name, found.state) == ("", "shipped", ACTIVE)
    assert [one.rule_id for one in found.rules] == [r.rule_id for r in shipped_content().rules]
    assert found.digest == shipped().digest
    assert (await bank.do("RulesService/LintRules")).problems == []
    examples = (await bank.do("RulesService/TestRules")).examples
    assert len(examples) >= 2 * len(found.rules)
    assert [one.name for one in examples if one.fired != one.expected or one.fault] == []


async def test_what_cannot_be_evaluated_is_not_saved(bank: SmallBank) -> None:
    bad = rule(expression="amount > 1 &&\n  payee_pairs_1h > 3")
    told = await refused(bank, "CreateDraft", name="bad", rules=[rule(rule_id="good"), bad])
    assert told.reason == "RULE_SET_INVALID"
    assert told.metadata == {
        "problems": "very_large:2:3:UNKNOWN_FEATURE",
        "problem_count": "1",
        "rule_id": "very_large",
        "message": "there is no feature or function payee_pairs_1h; did you mean"
        " payee_payers_1h or payee_payers_1m or payee_payers_24h?",
        "excerpt": "  payee_pairs_1h > 3\n..^",
    }
    made = await draft(bank)
    known = {"rule_set_id": made.rule_set_id, "revision": 1}
    loop = rule(expression="payee_lists.all(a, payer_lists.exists(b, a == b))")
    told = await refused(bank, "UpdateDraft", **known, rules=[loop])
    assert (told.reason, told.metadata["problem_count"]) == ("RULE_SET_INVALID", "2")
    assert "very_large:1:13:UNBOUNDED_MACRO" in told.metadata["problems"]
    problems = (await bank.do("RulesService/LintRules", rules=[bad, loop])).problems
    assert [(one.code, one.line, one.severity) for one in problems] == [
        ("DUPLICATE", 0, rule_pb2.RULE_PROBLEM_SEVERITY_ERROR),
        ("UNKNOWN_FEATURE", 2, rule_pb2.RULE_PROBLEM_SEVERITY_ERROR),
        ("UNBOUNDED_MACRO", 1, rule_pb2.RULE_PROBLEM_SEVERITY_ERROR),
        ("UNBOUNDED_MACRO", 1, rule_pb2.RULE_PROBLEM_SEVERITY_ERROR),
    ]
    assert (await get(bank, made.rule_set_id)).revision == 1


async def test_a_draft_changes_from_the_revision_that_was_looked_at(bank: SmallBank) -> None:
    made = await draft(bank)
    known = {"rule_set_id": made.rule_set_id}
    other = rule(rule_id="other", mode=rule_pb2.RULE_MODE_SHADOW, rollout_basis_points=100)
    changed = await bank.do("RulesService/UpdateDraft", **known, revision=1, rules=[other])
    assert changed.rule_set.revision == 2
    late = await refused(bank, "UpdateDraft", **known, revision=1, rules=[rule()])
    assert (late.reason, late.metadata) == ("RULE_SET_CHANGED", {"revision": "2"})
    copy = await draft(bank, base_rule_set_id=made.rule_set_id)
    assert copy.base_rule_set_id == made.rule_set_id
    pair = {"rule_set_id": copy.rule_set_id, "other_rule_set_id": made.rule_set_id}
    found = (await bank.do("RulesService/DiffRuleSets", **pair)).differences
    assert [(one.rule_id, one.change) for one in found] == [
        ("other", rule_pb2.RULE_CHANGE_ADDED),
        ("very_large", rule_pb2.RULE_CHANGE_REMOVED),
    ]
    nobody = made.rule_set_id[:-8] + "00000001"
    for name, fields in (
        ("GetRuleSet", {}),
        ("LintRules", {}),
        ("TestRules", {}),
        ("DiffRuleSets", {}),
        ("UpdateDraft", {"revision": 1, "rules": [rule()]}),
        ("PromoteRuleSet", {"revision": 1, "state": ACTIVE}),
    ):
        told = await refused(bank, name, rule_set_id=nobody, **fields)
        assert (told.reason, told.metadata) == ("RULE_SET_NOT_FOUND", {"rule_set_id": nobody})
    told = await refused(bank, "CreateDraft", name="x", base_rule_set_id=nobody)
    assert told.reason == "RULE_SET_NOT_FOUND"


async def test_values_can_be_tried_without_a_trace(bank: SmallBank) -> None:
    before = bank.contents()
    large = [{"feature": "amount", "value": "1000000000"}]
    fired = (await bank.do("RulesService/TestRules", rules=[rule()], values=large)).fired
    assert [(one.rule_id, one.outcome.kind) for one in fired] == [
        ("very_large", outcome_pb2.OUTCOME_KIND_REVIEW)
    ]
    errs = rule(expression="1 / amount > 2", on_error=rule_pb2.ON_ERROR_SKIP)
    (fault,) = (
        await bank.do(
            "RulesService/TestRules", rules=[errs], values=[{"feature": "amount", "value": "0"}]
        )
    ).fired
    assert "divide by zero" in fault.fault
    assert fault.outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW
    wrong = [{"feature": "amount", "value": "a lot"}]
    told = await refused(bank, "TestRules", rules=[rule()], values=wrong)
    assert (told.reason, told.metadata) == ("INVALID_REQUEST", {"rules": "values.feature"})
    told = await refused(bank, "TestRules", rules=[rule(notice="HELLO")])
    assert told.metadata["problems"] == "very_large:0:0:UNKNOWN_NOTICE"
    assert bank.contents() == before


async def test_a_set_goes_from_draft_to_shadow_to_active_by_two_people(bank: SmallBank) -> None:
    made = await draft(bank, above(5000))
    asked = {"rule_set_id": made.rule_set_id, "revision": 1, "state": ACTIVE}
    alone = await refused(bank, "PromoteRuleSet", bank.token_of("staff", "ines"), **asked)
    assert alone.reason == "APPROVAL_REQUIRED"
    shadow = await promote(bank, made, SHADOW)
    assert (shadow.state, shadow.version) == (SHADOW, 0)
    rules = await in_force(bank)
    assert fires(rules, amount="6000") == [("~very_large", True)]
    told = await refused(
        bank,
        "UpdateDraft",
        rule_set_id=made.rule_set_id,
        revision=shadow.revision,
        rules=[rule()],
    )
    assert (told.reason, told.metadata) == ("RULE_SET_NOT_DRAFT", {"state": "SHADOW"})
    active = await promote(bank, shadow, ACTIVE)
    assert (active.state, active.version) == (ACTIVE, rules.version + 1)
    assert fires(await in_force(bank), amount="6000") == [("very_large", False)]
    second = await promote(bank, await draft(bank, above(7000)), ACTIVE)
    assert (await get(bank, active.rule_set_id)).state == RETIRED
    assert (await get(bank)).rule_set_id == second.rule_set_id
    again = await promote(bank, await get(bank, active.rule_set_id), ACTIVE)
    assert fires(await in_force(bank), amount="6000") == [("very_large", False)], "undone"
    told = await refused(
        bank,
        "PromoteRuleSet",
        rule_set_id=again.rule_set_id,
        revision=again.revision,
        state=SHADOW,
    )
    assert (told.reason, told.metadata) == (
        "RULE_SET_STATE",
        {"state": "ACTIVE", "wanted": "SHADOW"},
    )
    await promote(bank, again, RETIRED)
    assert (await get(bank)).rule_set_id == "", "the shipped rules decide again"
    events = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_RISK_RULES_CHANGED], page_size=99
    )
    told_versions = [one.risk_rules_change.version for one in events.events]
    assert told_versions == sorted(set(told_versions))
    tried = {one.risk_rules_change.shadow_rule_set_id for one in events.events}
    assert made.rule_set_id in tried


async def test_a_set_whose_examples_fail_is_saved_and_never_evaluated(bank: SmallBank) -> None:
    made = await draft(bank, rule(expression="amount > 9000000000"))
    warned = (await bank.do("RulesService/LintRules", rule_set_id=made.rule_set_id)).problems
    assert [one.code for one in warned] == ["EXAMPLE_FAILS"]
    for state in (SHADOW, ACTIVE):
        told = await refused(
            bank, "PromoteRuleSet", rule_set_id=made.rule_set_id, revision=1, state=state
        )
        assert told.reason == "RULE_SET_INVALID"
        assert told.metadata["message"] == "ten million: it does not fire"
    gone = await promote(bank, made, RETIRED)
    assert gone.state == RETIRED


async def test_one_caller_promotes_what_was_tried_and_blocked_little(bank: SmallBank) -> None:
    made = await draft(bank)
    asked = {"rule_set_id": made.rule_set_id, "state": ACTIVE}
    told = await refused(bank, "PromoteRuleSet", **asked, revision=1)
    assert (told.reason, told.metadata) == ("RULE_SET_NOT_TRIED", {"state": "DRAFT"})
    tried = (
        await bank.do("RulesService/PromoteRuleSet", **{**asked, "state": SHADOW}, revision=1)
    ).rule_set
    asked["revision"] = tried.revision
    told = await refused(bank, "PromoteRuleSet", **asked)
    assert (told.reason, told.metadata) == ("RULE_SET_NOT_TRIED", {"state": "SHADOW"})
    version = (await in_force(bank)).version
    decide(bank, version, ALLOWED, 97)
    decide(bank, version, outcome_pb2.OUTCOME_KIND_DECLINE, 3)
    found = (await get(bank, made.rule_set_id)).trial
    assert (found.decision_count, found.blocked_count, found.limit_basis_points) == (100, 3, 200)
    told = await refused(bank, "PromoteRuleSet", **asked)
    assert told.reason == "RULE_SET_BLOCKS_TOO_MUCH"
    assert told.metadata == {
        "blocked_count": "3",
        "decision_count": "100",
        "limit_basis_points": "200",
    }
    decide(bank, version, outcome_pb2.OUTCOME_KIND_STEP_UP, 50)
    await bank.do("RulesService/PromoteRuleSet", **asked)
    assert (await get(bank)).rule_set_id == made.rule_set_id
    await promote(bank, await get(bank, made.rule_set_id), RETIRED)


async def test_a_rule_is_silenced_for_a_while_and_rolled_out_by_shares(bank: SmallBank) -> None:
    person = await bank.person()
    await promote(bank, await draft(bank, above(5000)), ACTIVE)
    snooze = {"rule_id": "very_large", "duration": Duration(seconds=3_600), "reason_text": "noise"}
    alone = await refused(bank, "SnoozeRule", bank.token_of("staff", "ines"), **snooze)
    assert alone.reason == "APPROVAL_REQUIRED"
    before = (await in_force(bank)).version
    for customer in ("", person.customer):
        asked = {**snooze, "customer_id": customer, "request_id": bank.new_request_id()}
        await by_two(bank, snooze_rule=asked)
    silenced = (await get(bank)).snoozes
    assert [one.customer_id for one in silenced] == ["", person.customer]
    assert {one.rule_id for one in silenced} == {"very_large"}
    assert fires(await in_force(bank), amount="6000") == [("very_large", True)]
    follower = await promote(bank, await draft(bank, above(4000)), ACTIVE)
    assert len(follower.snoozes) == 2, "silence outlives a set"
    for seconds in (0, 31 * 86_400):
        told = await refused(
            bank, "SnoozeRule", **{**snooze, "duration": Duration(seconds=seconds)}
        )
        assert (told.reason, told.metadata) == (
            "RULE_SNOOZE_LIMIT",
            {"limit_seconds": "2592000", "limit_count": "100"},
        )
    share = {"rule_id": "very_large", "rollout_basis_points": 0}
    reply = await bank.do("RulesService/SetRollout", **share)
    assert reply.version == before + 4
    assert (await get(bank)).rules[0].rollout_basis_points == 0
    for name, fields in (("SnoozeRule", snooze), ("SetRollout", share)):
        told = await refused(bank, name, **{**fields, "rule_id": "nobodys"})
        assert (told.reason, told.metadata) == ("RULE_NOT_FOUND", {"rule_id": "nobodys"})
    await promote(bank, await get(bank), RETIRED)


async def test_a_promoted_rule_decides_within_seconds(bank: SmallBank) -> None:
    person = await bank.person()
    declined = rule(
        expression="amount_minor == 4242",
        outcome={"kind": outcome_pb2.OUTCOME_KIND_DECLINE},
        notice="PAYMENT_REFUSED",
        kinds=["TOP_UP"],
        examples=[],
    )
    active = await promote(bank, await draft(bank, declined), ACTIVE)
    method = BY_NAME["TransfersService/TopUp"]
    asked = {**outside(person), "amount": cash(4242)}

    async def stopped() -> bool:
        request: Any = method.request_class(**asked, request_id=bank.new_request_id())
        try:
            await bank.call(method, request, SERVICE)
        except grpc.aio.AioRpcError as error:
            return told_by(error).reason == "RISK_REJECTED"
        return False

    await until(stopped, "the rule decides", seconds=5)
    await promote(bank, active, RETIRED)

    async def let_through() -> bool:
        return not await stopped()

    await until(let_through, "the rule is gone", seconds=5)
