"""Decisions and freezes as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import decision_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.limits.movement import MOVELESS, MovementKind
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, DECISION, FREEZE, MERCHANT, TRANSACTION
from longmen_server.risk.model import Outcome, OutcomeKind, Target
from longmen_server.risk.rows import FreezeState, PartyKind
from longmen_server.risk.snapshot import encode_outcome, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.risk.model import Evaluation, FeatureValue
    from longmen_server.risk.rows import DecisionRow, FreezeRow
    from longmen_server.risk.snapshot import Kept

__all__ = ["decision", "freeze", "replayed"]


def decision(
    row: DecisionRow, customer_id: bytes | None, *, for_bank: bool
) -> decision_pb2.Decision:
    """Return a decision; for customers without what it rests on, which would teach how to pass.

    Raises:
        ValueError: for the bank, when the snapshot cannot be read.
    """
    message = decision_pb2.Decision(
        decision_id=DECISION.encode(row.decision_id),
        outcome=encode_outcome(outcome_of(row)),
        reason=row.reason,
        kind=MovementKind(row.kind).name,
        transaction_id="" if row.kind in MOVELESS else TRANSACTION.encode(row.transaction_id),
        decided_time=timestamp(row.decided_at_us),
        from_account_id="" if row.payer_id is None else ACCOUNT.encode(row.payer_id),
        to_account_id="" if row.payee_id is None else ACCOUNT.encode(row.payee_id),
        customer_id="" if customer_id is None else CUSTOMER.encode(customer_id),  # type: ignore[arg-type]
    )
    if not for_bank:
        return message
    message.rules_version = row.rules_version
    message.rules_digest = row.rules_digest
    message.card_version = row.card_version
    message.card_digest = row.card_digest
    message.latency_us = row.latency_us
    kept = read_snapshot(row.snapshot)
    _add_score(message, kept.score, kept.contributions)
    _add_findings(message, kept)
    for name, value in kept.values.items():
        message.features.append(_reading(name, value))
    return message


def outcome_of(row: DecisionRow) -> Outcome:
    """Return the outcome of a decision."""
    return Outcome(OutcomeKind(row.outcome), row.strength, Target(row.target))


def replayed(outcome: Outcome, evaluation: Evaluation) -> decision_pb2.Decision:
    """Return what a decision comes out as now."""
    message = decision_pb2.Decision(outcome=encode_outcome(outcome), reason=evaluation.reason)
    _add_score(message, evaluation.score, evaluation.contributions)
    _add_findings(message, evaluation)
    return message


def _add_score(
    message: decision_pb2.Decision,
    score: float | None,
    contributions: Iterable[tuple[str, float]],
) -> None:
    if score is not None:
        message.score = _decimal(score)
    for name, points in contributions:
        message.contributions.add(feature=name, points=_decimal(points))


def _add_findings(message: decision_pb2.Decision, found: Kept | Evaluation) -> None:
    for fired in found.fired:
        message.fired.add(
            rule=fired.rule,
            outcome=encode_outcome(fired.outcome),
            reason=fired.reason,
            shadow=fired.shadow,
        )
    for fault in found.faults:
        message.faults.add(
            source=fault.source, message=fault.message, outcome=encode_outcome(fault.outcome)
        )


def _reading(name: str, value: FeatureValue) -> decision_pb2.FeatureReading:
    if isinstance(value, bool):
        return decision_pb2.FeatureReading(feature=name, bool_value=value)
    if isinstance(value, int):
        return decision_pb2.FeatureReading(feature=name, int_value=value)
    if isinstance(value, float):
        return decision_pb2.FeatureReading(feature=name, decimal_value=_decimal(value))
    if isinstance(value, str):
        return decision_pb2.FeatureReading(feature=name, string_value=value)
    texts = decision_pb2.FeatureStrings(values=value)
    return decision_pb2.FeatureReading(feature=name, strings_value=texts)


def _decimal(value: float) -> str:
    """Return a number with as many digits as tell it apart from every other one."""
    return repr(float(value))


def freeze(row: FreezeRow, *, for_bank: bool) -> decision_pb2.Freeze:
    """Return a freeze; for customers without who placed it, and what they wrote."""
    is_customer = row.party_kind == PartyKind.CUSTOMER
    is_merchant = row.party_kind == PartyKind.MERCHANT
    message = decision_pb2.Freeze(
        freeze_id=FREEZE.encode(row.freeze_id),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        scope=row.scope,  # type: ignore[arg-type]
        reason=row.reason,
        customer_id=CUSTOMER.encode(row.party) if is_customer else "",  # type: ignore[arg-type]
        merchant_id=MERCHANT.encode(row.party) if is_merchant else "",  # type: ignore[arg-type]
        account_id="" if row.account_id is None else ACCOUNT.encode(row.account_id),
        decision_id=DECISION.encode(row.freeze_id) if row.by_decision else "",  # type: ignore[arg-type]
        revocable=row.revocable,
        placed_time=timestamp(row.placed_at_us),
        lifted_by=row.lifted_by,
    )
    if row.state == FreezeState.LIFTED:
        message.lifted_time.CopyFrom(timestamp(row.changed_at_us))
    if for_bank:
        message.placed_by = row.placed_by
        message.reason_text = row.reason_text
    return message
