"""What a customer's class is, how it changes, and who may rest on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.kyc.model import (
    FILED,
    SLOTS_MAX,
    UNCLASSIFIED,
    Category,
    Cause,
    ChangeRow,
    EvidenceKey,
    EvidenceState,
    StandingRow,
    UseKey,
    UseRow,
    id_number_in_use,
)
from longmen_server.kyc.packs import load_packs
from longmen_server.kyc.tables import CHANGE, EVIDENCE, STANDING, USE
from longmen_server.platform.clock import business_date

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.kyc.model import ClassRules, EvidenceRow, Pack
    from longmen_server.platform.ids import CustomerId

__all__ = [
    "change_class",
    "claim_document",
    "erase",
    "erasure_keys",
    "evidence_keys",
    "file_evidence",
    "free_document",
    "on_file",
    "pack_at",
    "pack_now",
    "present_class",
    "use_keys",
    "void",
]

_FILED = event_pb2.EVENT_TYPE_EVIDENCE_FILED
_CHANGED = event_pb2.EVENT_TYPE_IDENTIFICATION_CHANGED


def pack_now(working_set: WorkingSet) -> Pack:
    """Return the pack of the business day."""
    return load_packs().at(business_date(working_set.now_us))


def pack_at(day: dt.date) -> Pack:
    """Return the pack of a day."""
    return load_packs().at(day)


def present_class(working_set: WorkingSet, customer_id: CustomerId) -> int:
    """Return the class of a customer whose standing is loaded."""
    row = working_set.get(STANDING, customer_id)
    return UNCLASSIFIED if row is None else row.identification_class


def evidence_keys(customer_id: CustomerId) -> list[EvidenceKey]:
    """Return every place that evidence of a customer can stand in."""
    return [EvidenceKey(customer_id, category) for category in FILED]


def on_file(working_set: WorkingSet, customer_id: CustomerId) -> set[int]:
    """Return the categories that are met for a customer whose evidence is loaded."""
    found = {int(Category.PHONE)}
    for key in evidence_keys(customer_id):
        row = working_set.get(EVIDENCE, key)
        if row is not None and row.is_active:
            found.add(key.category)
    return found


def change_class(
    working_set: WorkingSet,
    customer_id: CustomerId,
    target: int,
    cause: Cause,
    *,
    reason_text: bytes | None = None,
) -> None:
    """Bring a customer to a class, write that down, and tell it."""
    before = working_set.get(STANDING, customer_id)
    at_us = working_set.next_stamp()
    if before is None:
        row = StandingRow(customer_id, target, at_us, 1)
        working_set.insert(STANDING, customer_id, row)
    else:
        row = working_set.edit(STANDING, customer_id)
        row.identification_class, row.since_us = target, at_us
        row.change_count += 1
    change = ChangeRow(
        customer_id=customer_id,
        change_number=row.change_count,
        class_before=UNCLASSIFIED if before is None else before.identification_class,
        class_after=target,
        cause=cause,
        changed_at_us=at_us,
        rules=pack_now(working_set).effective_from.isoformat(),
        reason_text=reason_text,
    )
    working_set.append(CHANGE, change)
    body = event_pb2.IdentificationChange(
        class_before=change.class_before, class_after=target, cause=cause.name
    ).SerializeToString(deterministic=True)
    working_set.emit(Event(_CHANGED, customer_id, 0, at_us, body, body))


def file_evidence(working_set: WorkingSet, row: EvidenceRow) -> None:
    """Put evidence on file, in the place of what was there, and tell it."""
    key = EvidenceKey(row.customer_id, row.category)
    row.submitted_at_us = row.changed_at_us = working_set.next_stamp()
    if working_set.get(EVIDENCE, key) is None:
        working_set.insert(EVIDENCE, key, row)
    else:
        kept = working_set.edit(EVIDENCE, key)
        for column in kept.__slots__:
            setattr(kept, column, getattr(row, column))
    body = event_pb2.EvidenceFiling(
        evidence=row.kind  # type: ignore[arg-type]  # enums of the contract are ints
    ).SerializeToString(deterministic=True)
    working_set.emit(Event(_FILED, row.customer_id, 0, row.changed_at_us, body, body))


def void(working_set: WorkingSet, key: EvidenceKey) -> None:
    """Let evidence count no longer."""
    row = working_set.get(EVIDENCE, key)
    if row is not None and row.is_active:
        kept = working_set.edit(EVIDENCE, key)
        kept.state = EvidenceState.VOID
        kept.changed_at_us = working_set.next_stamp()


# -- Documents: how many wallets rest on one.


def use_keys(working_set: WorkingSet, customer_id: CustomerId, *classes: int) -> list[UseKey]:
    """Return every place that the customer's document has for wallets of classes."""
    row = working_set.get(EVIDENCE, EvidenceKey(customer_id, Category.DOCUMENT))
    if row is None or row.number_index is None:
        return []
    index = row.number_index
    return [UseKey(index, each, slot) for each in classes for slot in range(SLOTS_MAX)]


def claim_document(working_set: WorkingSet, customer_id: CustomerId, rules: ClassRules) -> None:
    """Take a place of the customer's document for a wallet of a class.

    Raises:
        Refusal: ID_NUMBER_IN_USE.
    """
    if Category.DOCUMENT not in rules.needs:
        return
    places = use_keys(working_set, customer_id, rules.identification_class)
    for key in places[: rules.wallets_per_id_number]:
        if working_set.get(USE, key) is None:
            row = UseRow(key, customer_id, working_set.book, working_set.now_us)
            working_set.insert(USE, key, row)
            return
    raise id_number_in_use(rules)


def free_document(
    working_set: WorkingSet, customer_id: CustomerId, identification_class: int
) -> None:
    """Give up the place that a customer's wallet has taken, if it has."""
    for key in use_keys(working_set, customer_id, identification_class):
        row = working_set.get(USE, key)
        if row is not None and row.customer_id == customer_id:
            working_set.edit(USE, key)


# -- Erasing.


def erasure_keys(working_set: WorkingSet, stage: int, customer_id: CustomerId) -> Iterable[RowKey]:
    """Name what :func:`erase` needs: class, evidence, then the places of the document."""
    if stage == STAGE_POINTER:
        yield RowKey(STANDING, customer_id)
        for key in evidence_keys(customer_id):
            yield RowKey(EVIDENCE, key)
    elif stage == STAGE_LINK:
        present = present_class(working_set, customer_id)
        for use in use_keys(working_set, customer_id, present):
            yield RowKey(USE, use)


def erase(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """Forget a customer's evidence, and free the document. The class stays, of nobody."""
    free_document(working_set, customer_id, present_class(working_set, customer_id))
    for key in evidence_keys(customer_id):
        if working_set.get(EVIDENCE, key) is not None:
            row = working_set.edit(EVIDENCE, key)
            row.state, row.changed_at_us = EvidenceState.ERASED, working_set.next_stamp()
            row.number_index = row.number = row.name = row.birth_date = None
