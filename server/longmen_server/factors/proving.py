"""Proving with a factor: counting tries before they are looked at, and taking what was found.

Three steps, wherever a customer proves something: a try is reserved, somebody looks at what was
offered, and the verdict is taken under the lock of the factor it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.command import RowKey
from longmen_server.factors.change import tell_factor
from longmen_server.factors.model import (
    AttemptKey,
    AttemptRow,
    FactorKey,
    FactorKind,
    FactorRow,
    Verdict,
    count_try,
    factor_rejected,
    forgive,
    is_blocked,
    is_forgiven,
)
from longmen_server.factors.tables import ATTEMPT, FACTOR, SECURITY
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import CustomerId

__all__ = ["ADMITTED", "REFUSED", "flag_copy", "reserve_try", "take_verdict", "verdict_keys"]

ADMITTED = b"\x08\x01"
REFUSED = b"\x08\x00"
"""Replies of commands that reserve a try: messages whose first field is 1 or 0, since the
verification reads every recorded reply."""


def reserve_try(working_set: WorkingSet, key: AttemptKey, notices: Iterable[MessageRow]) -> bool:
    """Count a try of a factor before anybody looks whether it is right; say whether one may look.

    So however many come at once, no more are looked at than the rules allow.

    Args:
        working_set: with the customer's security row and the tries.
        key: whose tries of what.
        notices: tell the customer of a block, if the try brings one about.
    """
    now_us = working_set.now_us
    security = working_set.get(SECURITY, key.customer_id)
    row = working_set.get(ATTEMPT, key)
    if is_blocked(row, security, now_us):
        return False
    if row is None:
        working_set.insert(ATTEMPT, key, AttemptRow(*key, 0, 0, 0, now_us))
    row = working_set.edit(ATTEMPT, key)
    if is_forgiven(row, security):
        forgive(row, now_us)
    if count_try(row, now_us):
        tell_factor(working_set, event_pb2.EVENT_TYPE_FACTOR_BLOCKED, key.customer_id, key.kind)
        for notice in notices:
            working_set.append(MESSAGE, notice)
    return True


def verdict_keys(customer_id: CustomerId, device_id: bytes, verdict: Verdict) -> Iterable[RowKey]:
    """Name what :func:`take_verdict` needs, all of the first stage."""
    yield RowKey(FACTOR, FactorKey(customer_id, verdict.kind, verdict.slot))
    yield RowKey(ATTEMPT, AttemptKey(customer_id, device_id, verdict.kind))


def take_verdict(
    working_set: WorkingSet, customer_id: CustomerId, device_id: bytes, verdict: Verdict
) -> None:
    """Take a right factor: use up what is good once, and take its tries back.

    Raises:
        Refusal: FACTOR_REJECTED for a wrong one, and for one that changed since it was looked at.
    """
    key = FactorKey(customer_id, verdict.kind, verdict.slot)
    factor = working_set.get(FACTOR, key)
    if not verdict.is_right or factor is None or not _still_holds(factor, verdict):
        raise factor_rejected()
    if verdict.kind in {FactorKind.TOTP, FactorKind.PASSKEY}:
        working_set.edit(FACTOR, key).counter = verdict.counter
    elif verdict.kind == FactorKind.BACKUP_CODES:
        working_set.edit(FACTOR, key).counter |= 1 << verdict.counter
    tries = AttemptKey(customer_id, device_id, verdict.kind)
    if working_set.get(ATTEMPT, tries) is not None:
        forgive(working_set.edit(ATTEMPT, tries), working_set.now_us)


def flag_copy(
    working_set: WorkingSet, refusal: Refusal, notices: Iterable[MessageRow] = ()
) -> None:
    """Flag the passkey of a refusal that tells of one counting backwards, and tell the customer."""
    if isinstance(refusal, CounterRegress):
        for notice in notices:
            working_set.append(MESSAGE, notice)
        working_set.edit(FACTOR, refusal.key).flagged = True
        type_ = event_pb2.EVENT_TYPE_PASSKEY_FLAGGED
        tell_factor(working_set, type_, refusal.key.customer_id, FactorKind.PASSKEY)


class CounterRegress(Refusal):
    """A passkey counted backwards: there may be a copy of it."""

    def __init__(self, key: FactorKey) -> None:
        """Refuse as any wrong factor, and remember which."""
        plain = factor_rejected()
        super().__init__(plain.reason, plain.message)
        self.key = key


def _still_holds(factor: FactorRow, verdict: Verdict) -> bool:
    """Whether the factor is the one that was looked at, and not used up meanwhile."""
    if not factor.is_active or factor.changed_at_us != verdict.changed_at_us:
        return False
    if factor.kind == FactorKind.TOTP:
        return verdict.counter > factor.counter
    if factor.kind == FactorKind.BACKUP_CODES:
        return not factor.counter >> verdict.counter & 1
    if factor.kind == FactorKind.PASSKEY:
        if factor.flagged:
            return False
        if (verdict.counter or factor.counter) and verdict.counter <= factor.counter:
            raise CounterRegress(factor.key)
    return True
