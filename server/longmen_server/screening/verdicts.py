"""What a verdict about a screening does: lets the customer go on, or freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_JUDGEMENT, STAGE_LINK
from longmen_server.platform.ids import FREEZE, FreezeId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import effects
from longmen_server.risk.commands import BY_BANK
from longmen_server.risk.model import FreezeScope, SubjectKind
from longmen_server.risk.rows import FreezeRow, FreezeState, PartyKind
from longmen_server.risk.subjects import SubjectKey
from longmen_server.risk.tables import FREEZE_ROW, SUBJECT
from longmen_server.riskcases.model import other_freeze
from longmen_server.screening.tables import SCREENING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CustomerId
    from longmen_server.riskcases.model import CaseRow

__all__ = ["clear", "confirm", "verdict_keys"]

REASON: Final = "BANK_ORDER"
"""Code that the frozen customer sees. It is that of any freeze that the bank orders, so that it
tells nothing of lists."""


def verdict_keys(working_set: WorkingSet, stage: int, case: CaseRow) -> Iterable[RowKey]:
    """Name the screening of the case's customer, and what is kept of the customer."""
    del working_set
    if case.customer_id is None:
        return
    if stage == STAGE_LINK:
        yield RowKey(SCREENING, case.customer_id)
    elif stage == STAGE_JUDGEMENT:
        yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, case.customer_id))


def clear(working_set: WorkingSet, case: CaseRow) -> None:
    """Let the customer be identified further. What was matched stays, and opens no case again."""
    customer_id = case.customer_id
    if customer_id is not None and working_set.get(SCREENING, customer_id) is not None:
        working_set.edit(SCREENING, customer_id).open_case_id = None


def confirm(
    working_set: WorkingSet,
    case: CaseRow,
    *,
    by: str,
    reason_text: str,
    replaced: FreezeId | None,
) -> FreezeId | None:
    """Freeze the customer fully; nobody but the bank lifts that.

    Args:
        working_set: with what :func:`verdict_keys` names, and the freeze that is replaced.
        case: the case.
        by: kind and subject of who gives the verdict.
        reason_text: why.
        replaced: the freeze that holds already, which the full one takes the place of.

    Returns:
        The freeze that was placed; None where an earlier verdict of this kind holds one, or the
        customer was erased.

    Raises:
        Refusal: CASE_OF_OTHER_FREEZE, FREEZE_EXISTS.
    """
    customer_id = case.customer_id
    if customer_id is None or working_set.get(SCREENING, customer_id) is None:
        return None
    row = working_set.edit(SCREENING, customer_id)
    row.open_case_id = None
    present = effects.subject(working_set, SubjectKind.PARTY, customer_id).freeze_id
    if replaced is not None and replaced != present:
        raise other_freeze(case, replaced)
    if present is not None and bytes(present) == row.confirmed_case_id:
        return None
    if present is not None and replaced is None:
        raise Refusal(
            "FREEZE_EXISTS",
            "the customer is frozen already: name the freeze that the full one replaces",
            metadata={"freeze_id": FREEZE.encode(present)},
            field="freeze_id",
        )
    row.confirmed_case_id = case.case_id
    freeze = _full(case, customer_id, by, reason_text)
    if present is not None:
        _take_over(working_set, freeze, present)
    effects.place(working_set, freeze)
    return freeze.freeze_id


def _full(case: CaseRow, customer_id: CustomerId, by: str, reason_text: str) -> FreezeRow:
    """Return the freeze of a case; it has the case's bytes."""
    return FreezeRow(
        freeze_id=FreezeId(case.case_id),
        party=customer_id,
        party_kind=PartyKind.CUSTOMER,
        state=FreezeState.ACTIVE,
        scope=FreezeScope.FULL,
        account_id=None,
        account_state=0,
        by_decision=False,
        revocable=False,
        placed_at_us=0,
        changed_at_us=0,
        reason=REASON,
        placed_by=by,
        lifted_by="",
        reason_text=reason_text,
    )


def _take_over(working_set: WorkingSet, freeze: FreezeRow, present: FreezeId) -> None:
    """End the freeze that holds, without letting anything go or telling the customer of it."""
    old = working_set.edit(FREEZE_ROW, present)
    freeze.account_id, freeze.account_state = old.account_id, old.account_state
    old.state = FreezeState.LIFTED
    old.lifted_by = BY_BANK
    old.changed_at_us = effects.tell_freeze(working_set, old)
