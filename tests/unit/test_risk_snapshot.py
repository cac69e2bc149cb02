"""What a decision rested on: kept in few bytes, read again as it was."""

from __future__ import annotations

import pytest

from longmen.risk.v1 import decision_pb2
from longmen_server.risk.model import (
    Evaluation,
    Fault,
    FeatureValue,
    Fired,
    FreezeScope,
    Outcome,
    OutcomeKind,
    Target,
)
from longmen_server.risk.plan import Plan
from longmen_server.risk.snapshot import encode_snapshot, read_snapshot

NAMES = ("kind", "amount", "night", "drain", "amount_log", "payer_lists", "payee_lists")
VALUES: dict[str, FeatureValue] = {
    "kind": "TRANSFER",
    "amount": 2**62,
    "night": True,
    "drain": 0.25,
    "amount_log": -1.5e300,
    "payer_lists": ("deny", "mules"),
    "payee_lists": (),
}
FREEZE = Outcome(OutcomeKind.FREEZE, FreezeScope.ONLY_OUT, Target.PAYEE, True)
FIRED = (
    Fired("large", FREEZE, "LARGE", False),
    Fired("~tried", Outcome(OutcomeKind.DECLINE), "X", True),
)
FAULTS = (Fault("drain", "division by zero", Outcome(OutcomeKind.STEP_UP, 2)),)
KEY = bytes(range(16))


@pytest.mark.parametrize(
    "evaluation",
    [
        Evaluation(Outcome(OutcomeKind.ALLOW), "", (), None, (), ()),
        Evaluation(Outcome(OutcomeKind.ALLOW), "", (), 0.0, (("base", -36.5),), ()),
        Evaluation(FREEZE, "LARGE", FIRED, -12.75, (("base", -36.5), ("amount", 1e-9)), FAULTS),
    ],
    ids=["nothing", "scored", "all"],
)
def test_a_snapshot_is_read_as_it_was_kept(evaluation: Evaluation) -> None:
    plan = Plan(NAMES)
    kept = encode_snapshot(plan, VALUES, evaluation, KEY, can_approve=True)
    read = read_snapshot(kept)
    assert read.values == VALUES
    assert (read.fired, read.faults) == (tuple(evaluation.fired), tuple(evaluation.faults))
    assert (read.score, read.contributions) == (evaluation.score, evaluation.contributions)
    assert (read.key, read.can_approve) == (KEY, True)
    assert kept == encode_snapshot(plan, dict(VALUES), evaluation, KEY, can_approve=True)
    message = decision_pb2.DecisionSnapshot.FromString(kept)
    assert message.ByteSize() == len(kept), "no part is there twice, and none is unknown"
    assert not read_snapshot(
        encode_snapshot(plan, VALUES, evaluation, KEY, can_approve=False)
    ).can_approve


def test_a_plan_without_features_of_a_type_has_none_of_its_values() -> None:
    nothing = Evaluation(Outcome(OutcomeKind.ALLOW), "", (), None, (), ())
    for name in NAMES:
        read = read_snapshot(encode_snapshot(Plan([name]), VALUES, nothing, b"", can_approve=False))
        assert read.values == {name: VALUES[name]}
