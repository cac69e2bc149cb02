"""What becomes of what a hold reserves, when the hold is captured, voided or expires. Pure.

The ledger tells of every hold that moves, whoever moves it: payer, merchant, clearing, a service at
the ledger itself, or a job. What a movement counts it counts in the day it was let through, however
much later the money moves; of a period that is over nothing is given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.ledger.watching import watch_holds
from longmen_server.limits.model import restored, settled
from longmen_server.limits.tables import COUNTER, ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import HoldRow
    from longmen_server.limits.model import EntryRow
    from longmen_server.platform.ids import AccountId, TransactionId

__all__ = ["give_back", "return_keys"]


def hold_keys(hold: HoldRow) -> Iterable[RowKey]:
    """Name what a hold counts, and where."""
    yield RowKey(ENTRY, hold.transaction_id)
    yield RowKey(COUNTER, hold.debit_account_id)


def hold_moved(working_set: WorkingSet, hold: HoldRow) -> None:
    """Commit what was captured of a hold, and release what was freed."""
    entry = working_set.get(ENTRY, hold.transaction_id)
    if entry is None or hold.ordinal:
        return
    used, reserved = settled(entry.base, hold.amount, hold.captured, hold.remaining)
    is_void = not used and not reserved
    _shift(
        working_set,
        entry,
        used=used - entry.used,
        reserved=reserved - entry.reserved,
        count=-1 if is_void else 0,
    )


watch_holds(hold_keys, hold_moved)


def return_keys(payer_id: AccountId, payments: Iterable[TransactionId]) -> Iterable[RowKey]:
    """Name what payments count, of which something is to come back."""
    yield RowKey(COUNTER, payer_id)
    for transaction_id in payments:
        yield RowKey(ENTRY, transaction_id)


def give_back(
    working_set: WorkingSet, payments: Sequence[TransactionId], *, paid: int, returned: int
) -> None:
    """Note what came back of a payment; caps that restore it leave that much more.

    Args:
        working_set: with the rows that :func:`return_keys` names.
        payments: every transaction that the payment was made by.
        paid: the whole of it.
        returned: all that has come back of it by now.
    """
    entries = [entry for one in payments if (entry := working_set.get(ENTRY, one)) is not None]
    left = restored(sum(entry.used for entry in entries), paid, returned)
    for entry in entries:
        part = min(left, entry.used)
        left -= part
        if part > entry.restored:
            _shift(working_set, entry, restored=part - entry.restored)


def _shift(
    working_set: WorkingSet,
    entry: EntryRow,
    *,
    used: int = 0,
    reserved: int = 0,
    restored: int = 0,
    count: int = 0,
) -> None:
    """Change what an entry counts, and the sums with it."""
    if not used and not reserved and not restored:
        return
    kept = working_set.edit(ENTRY, entry.transaction_id)
    kept.used += used
    kept.reserved += reserved
    kept.restored += restored
    kept.updated_at_us = working_set.now_us
    for key in kept.counters:
        if working_set.get(COUNTER, key) is not None:
            row = working_set.edit(COUNTER, key)
            row.shift(kept.day, used=used, reserved=reserved, restored=restored, count=count)
