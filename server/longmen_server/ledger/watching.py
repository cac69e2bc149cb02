"""Who else has to know of a hold that is captured, voided or expires.

Holds end by many hands: payers, merchants, the clearing, services at the ledger itself, and jobs.
What else rests on a hold is told by the ledger, so that nobody who ends one can forget it. Areas
that keep something for a hold register here when they are loaded; the ledger knows none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from longmen_server.engine.command import RowKey
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import HoldRow

__all__ = ["hold_keys", "tell_hold", "watch_holds"]

_KEYS: Final[list[Callable[[HoldRow], Iterable[RowKey]]]] = []
_TOLD: Final[list[Callable[[WorkingSet, HoldRow], None]]] = []


def watch_holds(
    keys: Callable[[HoldRow], Iterable[RowKey]], told: Callable[[WorkingSet, HoldRow], None]
) -> None:
    """Be told of holds.

    Args:
        keys: names what has to be loaded with the accounts of a hold.
        told: is called within the command, with the hold as it is after the posting.
    """
    _KEYS.append(keys)
    _TOLD.append(told)


def hold_keys(hold: HoldRow | None) -> Iterable[RowKey]:
    """Name what others need of a hold that is about to move; to be named with its accounts."""
    if hold is not None:
        for keys in _KEYS:
            yield from keys(hold)


def tell_hold(working_set: WorkingSet, hold: HoldRow) -> None:
    """Tell of a hold that was captured, in part or whole, or freed."""
    for told in _TOLD:
        told(working_set, hold)
