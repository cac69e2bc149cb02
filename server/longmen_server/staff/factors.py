"""A member of staff's factors in a working set: kept by the factors area, changed and judged here.

Customers' factors are changed through challenges and tell the customer's events; those of staff
have neither, so only rows, places and verdicts are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.factors.change import put_factor
from longmen_server.factors.model import (
    ENROLMENT_US,
    MAIN_SLOT,
    PASSKEYS_MAX,
    PENDING_SLOT,
    AttemptRow,
    FactorKey,
    FactorKind,
    FactorRow,
    FactorState,
    count_try,
    enrolment_not_found,
    forgive,
    is_blocked,
    is_forgiven,
    limit_reached,
    places,
)
from longmen_server.factors.tables import ATTEMPT, FACTOR, SECURITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.factors.model import AttemptKey, Passkey, Verdict
    from longmen_server.platform.ids import CustomerId, FactorId

__all__ = [
    "add_passkey",
    "confirm",
    "factor_keys",
    "put",
    "reserve",
    "still_holds",
    "use_up",
]


def factor_keys(owner: CustomerId) -> Iterable[RowKey]:
    """Name every place of an owner's factors."""
    for key in places(owner):
        yield RowKey(FACTOR, key)


def put(
    working_set: WorkingSet,
    owner: CustomerId,
    kind: FactorKind,
    factor_id: FactorId,
    secret: bytes,
    *,
    slot: int = MAIN_SLOT,
    counter: int = 0,
    passkey: Passkey | None = None,
    label: str = "",
) -> FactorRow:
    """Put a factor into its place; one in the pending slot waits to be confirmed."""
    now_us = working_set.now_us
    present = working_set.get(FACTOR, FactorKey(owner, kind, slot))
    waits = slot == PENDING_SLOT
    row = FactorRow(
        customer_id=owner,
        kind=kind,
        slot=slot,
        factor_id=factor_id,
        state=FactorState.PENDING if waits else FactorState.ACTIVE,
        flagged=False,
        counter=counter,
        expires_at_us=now_us + ENROLMENT_US if waits else 0,
        created_at_us=now_us,
        # Strictly later than before, so that a check of the old one is never taken for the new.
        changed_at_us=max(now_us, 0 if present is None else present.changed_at_us + 1),
        secret=secret,
        credential_id=b"" if passkey is None else passkey.credential_id,
        label=label,
    )
    put_factor(working_set, row)
    return row


def confirm(
    working_set: WorkingSet, owner: CustomerId, kind: FactorKind, factor_id: FactorId | None
) -> FactorRow:
    """Return the pending factor that was looked at, and end its waiting.

    Raises:
        Refusal: ENROLMENT_NOT_FOUND when there is none, its time is over, or it is another by now.
    """
    key = FactorKey(owner, kind, PENDING_SLOT)
    row = working_set.get(FACTOR, key)
    if row is None or not row.is_pending(working_set.now_us) or row.factor_id != factor_id:
        raise enrolment_not_found()
    ended = working_set.edit(FACTOR, key)
    ended.state, ended.secret = FactorState.REMOVED, b""
    return row


def add_passkey(
    working_set: WorkingSet, owner: CustomerId, factor_id: FactorId, made: Passkey, label: str
) -> FactorRow:
    """Keep a passkey in a free place.

    Raises:
        Refusal: FACTOR_LIMIT_REACHED.
    """
    for slot in range(PASSKEYS_MAX):
        row = working_set.get(FACTOR, FactorKey(owner, FactorKind.PASSKEY, slot))
        if row is None or not row.is_active:
            return put(
                working_set,
                owner,
                FactorKind.PASSKEY,
                factor_id,
                made.public_key,
                slot=slot,
                counter=made.counter,
                passkey=made,
                label=label,
            )
    raise limit_reached()


def reserve(working_set: WorkingSet, key: AttemptKey) -> tuple[bool, bool]:
    """Count a try before anybody looks whether it is right.

    Returns:
        Whether it may be looked at, and whether it brings about a block.
    """
    now_us = working_set.now_us
    security = working_set.get(SECURITY, key.customer_id)
    row = working_set.get(ATTEMPT, key)
    if is_blocked(row, security, now_us):
        return False, False
    if row is None:
        fresh = AttemptRow(key.customer_id, key.device_id, key.kind, 0, 0, 0, now_us)
        working_set.insert(ATTEMPT, key, fresh)
    row = working_set.edit(ATTEMPT, key)
    if is_forgiven(row, security):
        forgive(row, now_us)
    return True, count_try(row, now_us)


def still_holds(factor: FactorRow | None, verdict: Verdict) -> bool:
    """Whether a verdict is right, over this factor as it is now, and not used up meanwhile."""
    if factor is None or not verdict.is_right or not factor.is_active or factor.flagged:
        return False
    if factor.changed_at_us != verdict.changed_at_us:
        return False
    if factor.kind == FactorKind.TOTP:
        return verdict.counter > factor.counter
    if factor.kind == FactorKind.PASSKEY and (verdict.counter or factor.counter):
        return verdict.counter > factor.counter
    return True


def use_up(working_set: WorkingSet, owner: CustomerId, verdict: Verdict) -> None:
    """Remember what may not be used again."""
    if verdict.kind in {FactorKind.TOTP, FactorKind.PASSKEY}:
        key = FactorKey(owner, verdict.kind, verdict.slot)
        working_set.edit(FACTOR, key).counter = verdict.counter
