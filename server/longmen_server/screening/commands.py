"""The command of the job that looks names up again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen_server.engine.command import Command, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.kyc.model import Category, EvidenceKey
from longmen_server.kyc.tables import EVIDENCE
from longmen_server.screening.recording import record, record_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CaseId, CustomerId
    from longmen_server.screening.model import Screened

__all__ = ["RecordScreenings", "Rescreened"]


class Rescreened(NamedTuple):
    """A customer whose name was looked up again."""

    customer_id: CustomerId
    screened: Screened
    case_id: CaseId
    """Fresh."""


class RecordScreenings(Command):
    """Write down what came of looking up the names of some customers."""

    __slots__ = ("people",)

    def __init__(self, book: int, *, people: Sequence[Rescreened]) -> None:
        super().__init__(book, None)
        self.people = people

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name their documents, and what is known of their screenings."""
        del working_set
        for one in self.people:
            if stage == STAGE_POINTER:
                yield RowKey(EVIDENCE, EvidenceKey(one.customer_id, Category.DOCUMENT))
            yield from record_keys(stage, one.customer_id, one.screened)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Record each, but those with another document by now: that was looked up when it came."""
        for one in self.people:
            document = working_set.get(EVIDENCE, EvidenceKey(one.customer_id, Category.DOCUMENT))
            if document is not None and document.name == one.screened.sealed_name:
                record(working_set, one.customer_id, one.screened, one.case_id)
        return b"SCREENED"
