"""What a screening leaves behind: that it was made, a case where it matched, and what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_JUDGEMENT, STAGE_LINK
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.subjects import SubjectKey
from longmen_server.risk.tables import SUBJECT
from longmen_server.riskcases.opening import open_screening
from longmen_server.screening.model import MatchKey, MatchRow, ScreeningRow
from longmen_server.screening.tables import MATCH, SCREENING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CaseId, CustomerId
    from longmen_server.screening.model import Screened

__all__ = ["hold_keys", "is_held", "record", "record_keys"]


def record_keys(stage: int, customer_id: CustomerId, screened: Screened) -> Iterable[RowKey]:
    """Name what :func:`record` needs: the customer's screening, and matches known before."""
    if stage == STAGE_LINK:
        yield RowKey(SCREENING, customer_id)
        for match in screened.matches:
            yield RowKey(MATCH, MatchKey(customer_id, match.match_id))


def record(
    working_set: WorkingSet, customer_id: CustomerId, screened: Screened, case_id: CaseId
) -> None:
    """Write down that a name was looked up; what was matched for the first time is for people.

    Args:
        working_set: with what :func:`record_keys` names.
        customer_id: whose name it is.
        screened: what came of it.
        case_id: fresh, of the case to open where nobody looks at the customer yet.
    """
    if working_set.get(SCREENING, customer_id) is None:
        row = ScreeningRow(customer_id, 0, 0, None, None)
        working_set.insert(SCREENING, customer_id, row)
    else:
        row = working_set.edit(SCREENING, customer_id)
    row.lists_version = screened.lists_version
    row.screened_at_us = working_set.now_us
    keyed = {MatchKey(customer_id, found.match_id): found for found in screened.matches}
    fresh = {key: found for key, found in keyed.items() if working_set.get(MATCH, key) is None}
    if not fresh:
        return
    if row.open_case_id is None:
        open_screening(working_set, case_id, customer_id)
        row.open_case_id = case_id
    for key, found in fresh.items():
        match = MatchRow(
            customer_id=customer_id,
            match_id=found.match_id,
            case_id=row.open_case_id,
            likeness=found.likeness,
            found_at_us=working_set.now_us,
            list_name=found.list_name,
            sealed=found.sealed,
        )
        working_set.insert(MATCH, key, match)


def hold_keys(working_set: WorkingSet, stage: int, customer_id: CustomerId) -> Iterable[RowKey]:
    """Name what :func:`is_held` needs: the screening, and the freeze of whom a list names."""
    if stage == STAGE_LINK:
        yield RowKey(SCREENING, customer_id)
    elif stage == STAGE_JUDGEMENT:
        row = working_set.get(SCREENING, customer_id)
        if row is not None and row.confirmed_case_id is not None:
            yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, customer_id))


def is_held(working_set: WorkingSet, customer_id: CustomerId) -> bool:
    """Return whether the customer's class and data stay as they are for a screening.

    They do while a case is open, and after a confirmed match as long as its freeze holds: two
    people who lift that freeze take the verdict back.
    """
    row = working_set.get(SCREENING, customer_id)
    if row is None:
        return False
    if row.open_case_id is not None:
        return True
    party = working_set.get(SUBJECT, SubjectKey(SubjectKind.PARTY, customer_id))
    return (
        row.confirmed_case_id is not None
        and party is not None
        and party.freeze_id is not None
        and bytes(party.freeze_id) == bytes(row.confirmed_case_id)
    )
