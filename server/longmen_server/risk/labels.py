"""Labels: what turned out to be fraud flows back into what is counted of payee and till."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_JUDGEMENT
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.subjects import SubjectKey
from longmen_server.risk.tables import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet

__all__ = ["flag", "label_keys"]

SECOND_US: Final = 1_000_000


def label_keys(stage: int, party: bytes, terminal_id: bytes = b"") -> Iterable[RowKey]:
    """Name what is counted of who was paid, and of the till where it was.

    Args:
        stage: of loading.
        party: who was paid: a merchant, a customer or an account of nobody.
        terminal_id: empty for none.
    """
    if stage == STAGE_JUDGEMENT:
        yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, party))
        if terminal_id:
            yield RowKey(SUBJECT, SubjectKey(SubjectKind.TERMINAL, terminal_id))


def flag(
    working_set: WorkingSet,
    party: bytes,
    terminal_id: bytes = b"",
    *,
    made_at_us: int,
    amount: int,
) -> None:
    """Count a movement as fraud, at the time it was made.

    Args:
        working_set: with what :func:`label_keys` names.
        party: who was paid.
        terminal_id: empty for none.
        made_at_us: when the movement was made, in microseconds.
        amount: in reference units.
    """
    wanted = [SubjectKey(SubjectKind.PARTY, party)]
    if terminal_id:
        wanted.append(SubjectKey(SubjectKind.TERMINAL, terminal_id))
    for key in wanted:
        if working_set.get(SUBJECT, key) is not None:
            try:
                working_set.edit(SUBJECT, key).flag(made_at_us // SECOND_US, amount)
            except ValueError:
                continue  # what cannot be read stays for whoever looks into it
