"""Sets of rules: what fires, for whom it counts, and what a rule does that cannot be evaluated."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from longmen_server.risk.model import ALLOW, Outcome, OutcomeKind
from longmen_server.risk.rules import Example, OnError, Rule, RuleMode, RuleSet, Snooze, share_of
from longmen_server.risk.rules_lint import lint, scene, try_examples

NOW = 1_760_000_000_000_000
KEY = bytes(16)
DECLINE = Outcome(OutcomeKind.DECLINE)
RULE = Rule(
    rule_id="large",
    expression="amount > 1000",
    outcome=Outcome(OutcomeKind.REVIEW),
    reason="LARGE",
    notice="PAYMENT_UNDER_REVIEW",
    owner="fraud",
    intent="Large amounts.",
)
ERRS = replace(RULE, rule_id="errs", expression="100 / (amount - 2000) > 1")


def fire(*rules: Rule, tried: tuple[Rule, ...] = (), key: bytes = KEY, **texts: str) -> Any:
    one = RuleSet(rules, tried=tried, version=3, digest=bytes(32))
    return one.fire(scene(None, {"amount": "2000", **texts}), now_us=NOW, key=key)


def fired(*rules: Rule, **more: Any) -> list[tuple[str, bool]]:
    return [(one.rule, one.shadow) for one in fire(*rules, **more)[0]]


def test_rules_fire_in_the_order_of_their_set() -> None:
    last = replace(RULE, rule_id="last", kinds=frozenset({"TRANSFER"}))
    first = replace(RULE, rule_id="first", kinds=frozenset({"TRANSFER", "PAYMENT"}))
    assert fired(first, RULE, last) == [("first", False), ("large", False), ("last", False)]
    assert fired(first, RULE, last, kind="PAYMENT") == [("first", False), ("large", False)]
    assert fired(first, RULE, last, amount="999") == []
    told, _ = fire(RULE)
    assert told[0].outcome == RULE.outcome
    assert told[0].reason == "PAYMENT_UNDER_REVIEW"


def test_a_rule_about_new_payees_looks_at_the_first_transfer_to_somebody() -> None:
    first = replace(RULE, rule_id="first", kinds=frozenset({"NEW_PAYEE", "WITHDRAWAL"}))
    assert fired(first, new_payee="true") == [("first", False)]
    assert fired(first, new_payee="false") == []
    assert fired(first, kind="WITHDRAWAL", new_payee="false") == [("first", False)]
    assert fired(first, kind="PAYMENT", new_payee="true") == []
    both = replace(RULE, rule_id="both", kinds=frozenset({"NEW_PAYEE", "TRANSFER"}))
    assert fired(both, first, new_payee="false") == [("both", False)]
    assert "new_payee" in RuleSet([first], version=0, digest=bytes(32)).features_of("TRANSFER")
    example = Example("somebody new", (("amount", "2000"),), fires=True)
    alone = replace(RULE, kinds=frozenset({"NEW_PAYEE"}), examples=(example,))
    assert [one.fired for one in try_examples([alone])] == [True]
    assert fired(alone, kind="NEW_PAYEE", new_payee="true") == [("large", False)]


def test_only_active_rules_in_force_count() -> None:
    assert fired(replace(RULE, mode=RuleMode.SHADOW)) == [("large", True)]
    assert fired(replace(RULE, mode=RuleMode.OFF)) == []
    assert fired(replace(RULE, expires_at_us=NOW)) == []
    assert fired(replace(RULE, expires_at_us=NOW + 1)) == [("large", False)]
    assert fired(RULE, tried=(RULE,)) == [("large", False), ("~large", True)]


def test_a_snoozed_rule_is_recorded_and_does_not_count() -> None:
    other = bytes(15) + b"\x01"
    for snooze, mine, theirs in (
        (Snooze(NOW + 1, b"", "known"), True, True),
        (Snooze(NOW, b"", "over"), False, False),
        (Snooze(NOW + 1, KEY, "one payer"), True, False),
    ):
        rule = replace(RULE, snoozes=(snooze,))
        assert fired(rule) == [("large", mine)]
        assert fired(rule, key=other) == [("large", theirs)]


def test_a_rollout_counts_for_the_same_payers_and_about_its_share() -> None:
    keys = [number.to_bytes(16, "big") for number in range(2_000)]
    half = {key for key in keys if share_of("large", key) < 5_000}
    tenth = {key for key in keys if share_of("large", key) < 1_000}
    assert 900 < len(half) < 1_100
    assert 150 < len(tenth) < 250
    assert tenth < half, "whoever was in stays in when the share grows"
    assert tenth != {key for key in keys if share_of("other", key) < 1_000}
    rule = replace(RULE, rollout=1_000)
    inside, outside = min(tenth), min(set(keys) - tenth)
    assert fired(rule, key=inside) == [("large", False)]
    assert fired(rule, key=outside) == [("large", True)]
    assert fired(replace(RULE, rollout=0), key=inside) == [("large", True)]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, DECLINE),
        ({"on_error": OnError.OUTCOME}, RULE.outcome),
        ({"on_error": OnError.SKIP}, ALLOW),
        ({"mode": RuleMode.SHADOW}, ALLOW),
        ({"rollout": 0}, ALLOW),
    ],
    ids=["closed", "outcome", "skip", "shadow", "rollout"],
)
def test_a_rule_that_errs_does_what_it_says_and_the_others_go_on(
    changes: dict[str, Any], outcome: Outcome
) -> None:
    told, faults = fire(replace(ERRS, **changes), RULE)
    assert [one.rule for one in told] == ["large"]
    assert [(one.source, one.outcome) for one in faults] == [("errs", outcome)]
    assert "divide by zero" in faults[0].message


def test_a_missing_or_impossible_feature_is_a_fault_of_those_who_read_it() -> None:
    rules = RuleSet(
        (RULE, replace(RULE, rule_id="night", expression="night")), version=1, digest=KEY
    )
    values = scene(None, {"night": "true"})
    del values["amount"]
    told, faults = rules.fire(values, now_us=NOW, key=KEY)
    assert [one.rule for one in told] == ["night"]
    assert [one.source for one in faults] == ["large"]
    values["amount"] = object()  # type: ignore[assignment]  # what no feature ever is
    told, faults = rules.fire(values, now_us=NOW, key=KEY)
    assert [one.rule for one in told] == ["night"]
    assert [(one.source, one.outcome) for one in faults] == [("large", DECLINE)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 2**70),
        ("amount", None),
        ("kind", "\udc80"),
        ("payee_lists", 5),
        ("payee_lists", (5,)),
        ("drain", "all"),
    ],
    ids=["too-large", "nothing", "half-a-pair", "no-list", "no-texts", "no-number"],
)
def test_values_that_no_feature_has_never_raise(name: str, value: Any) -> None:
    rule = replace(
        RULE, expression="amount > 1 && kind != 'X' && !('a' in payee_lists) && drain < 9.0"
    )
    values = {**scene(None, {"amount": "2000"}), name: value}
    told, faults = RuleSet((rule,), version=1, digest=KEY).fire(values, now_us=NOW, key=KEY)
    assert not told
    assert [(one.source, one.outcome) for one in faults] == [("large", DECLINE)]


def test_a_set_names_what_it_reads() -> None:
    rules = RuleSet((RULE, replace(RULE, rule_id="n", expression="night")), version=1, digest=KEY)
    assert rules.features == {"amount", "night", "kind"}


def test_fifty_rules_cost_about_as_much_as_a_handful() -> None:
    """A generous bound, far from the figures: it catches rules that are evaluated one by one."""
    names = ("payer_count_1h", "payer_sum_24h", "payee_payers_1h", "pair_sum_1h", "device_age")
    many = [
        replace(
            RULE,
            rule_id=f"rule_{number}",
            expression=f"{names[number % 5]} > {100 + number} && amount > {number} && !night",
        )
        for number in range(50)
    ]
    rules, values = RuleSet(many, version=1, digest=KEY), scene(None, {"amount": "2000"})
    one_by_one = [RuleSet([rule], version=1, digest=KEY) for rule in many]

    def fastest(sets: list[RuleSet]) -> int:
        taken = []
        for _ in range(30):
            began = time.perf_counter_ns()
            for one in sets:
                one.fire(values, now_us=NOW, key=KEY)
            taken.append(time.perf_counter_ns() - began)
        return min(taken)

    assert fastest([rules]) * 3 < fastest(one_by_one)


def problems(*rules: Rule) -> list[tuple[str, str, bool]]:
    return [(one.rule_id, one.code, one.is_error) for one in lint(rules)]


def example(*, fires: bool, name: str = "e", **values: str) -> Any:
    return Example(name, tuple(values.items()), fires)


GOOD = replace(RULE, examples=(example(fires=True, amount="1001"),))


@pytest.mark.parametrize(
    ("changes", "code", "is_error"),
    [
        ({"expression": "amout > 1"}, "UNKNOWN_FEATURE", True),
        ({"kinds": frozenset({"TRANSFERS"})}, "UNKNOWN_KIND", True),
        ({"notice": "HELLO"}, "UNKNOWN_NOTICE", True),
        ({"outcome": Outcome(OutcomeKind.STEP_UP, 3)}, "OUTCOME", True),
        ({"outcome": Outcome(OutcomeKind.STEP_UP, 0)}, "OUTCOME", True),
        ({"outcome": Outcome(OutcomeKind.DELAY, 59)}, "OUTCOME", True),
        ({"outcome": Outcome(OutcomeKind.FREEZE, 4)}, "OUTCOME", True),
        ({"outcome": Outcome(OutcomeKind.DECLINE, 1)}, "OUTCOME", True),
        ({"examples": (example(fires=True, amount="much"),)}, "EXAMPLE", True),
        ({"examples": (example(fires=True, amout="1"),)}, "EXAMPLE", True),
        ({"expression": "amount > 1000 || channel == 'web'"}, "NEVER", False),
        ({"expression": 'amount > 1000 || "TRANSFERS" == kind || kind == "TOPUP"'}, "NEVER", False),
        ({"examples": (example(fires=False, amount="1"),)}, "NO_EXAMPLE", False),
        ({"examples": (example(fires=True, amount="1"),)}, "EXAMPLE_FAILS", False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_lint_finds_what_is_wrong(changes: dict[str, Any], code: str, is_error: bool) -> None:  # noqa: FBT001  # a table's column
    assert problems(replace(GOOD, **changes)) == [("large", code, is_error)]


def test_lint_compares_rules_and_tells_errors_first() -> None:
    assert problems(GOOD) == []
    same = replace(GOOD, rule_id="same", expression="amount  >\n1000")
    assert problems(GOOD, same) == [("same", "SAME_AS", False)]
    assert problems(same, GOOD, GOOD)[0] == ("large", "DUPLICATE", True)


def test_examples_are_evaluated_with_defaults_for_the_rest() -> None:
    rule = replace(
        RULE,
        kinds=frozenset({"PAYMENT"}),
        examples=(
            example(name="large", fires=True, amount="2000"),
            example(name="small", fires=False, amount="20"),
            example(name="another kind", fires=False, amount="2000", kind="TRANSFER"),
        ),
    )
    assert [(one.example.name, one.fired, one.right) for one in try_examples([rule])] == [
        ("large", True, True),
        ("small", False, True),
        ("another kind", False, True),
    ]
    broken = replace(ERRS, examples=(example(fires=True, amount="2000"),))
    assert [(one.right, one.fault) for one in try_examples([broken])] == [
        (False, "INVALID_ARGUMENT: divide by zero")
    ]
