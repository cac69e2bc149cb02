"""Money that waits for somebody to look at it: let go, or given back, by whoever closes the case.

The functions are for a command that decides about one transfer in the transaction of its own
change; they lock what the transfer's own commands lock, so whichever comes first decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import book_of
from longmen_server.risk import effects
from longmen_server.risk.rows import HELD_STATES, NoticeKind
from longmen_server.risk.tables import RISK_HOLD
from longmen_server.transfers.settlement import TransferCommand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.command import RowKey
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import TransactionId
    from longmen_server.risk.rows import HoldRow

__all__ = ["give_back", "is_held", "keys", "release"]

RETURNED: Final = "RISK"
"""Failure code of transfers that were given back after a review."""


class _Settling(TransferCommand):
    """The steps of a transfer, for commands that are about something else."""

    def decide(self, working_set: WorkingSet) -> bytes:
        """Do nothing: what it is made for are its steps."""
        del working_set
        return b""


def _settling(transfer_id: TransactionId, settlement_id: TransactionId) -> _Settling:
    return _Settling(
        book_of(transfer_id), None, transfer_id=transfer_id, settlement_id=settlement_id
    )


def keys(working_set: WorkingSet, stage: int, transfer_id: TransactionId) -> Iterable[RowKey]:
    """Name what letting go and giving back need."""
    return _settling(transfer_id, transfer_id).keys(working_set, stage)


def is_held(working_set: WorkingSet, transfer_id: TransactionId) -> HoldRow | None:
    """Return the hold of money that risk still holds; None where there is none."""
    hold = working_set.get(RISK_HOLD, transfer_id)
    return hold if hold is not None and hold.state in HELD_STATES else None


def release(
    working_set: WorkingSet,
    transfer_id: TransactionId,
    settlement_id: TransactionId,
    customer_id: bytes,
) -> bool:
    """Let held money go to where it was sent; say whether any was held.

    Args:
        working_set: with what :func:`keys` names.
        transfer_id: of the transfer.
        settlement_id: fresh, of the posting that ends it.
        customer_id: who is told; empty for nobody.

    Raises:
        Refusal: of the posting, such as CREDIT_ACCOUNT_FROZEN.
    """
    hold = is_held(working_set, transfer_id)
    steps = _settling(transfer_id, settlement_id)
    loaded = steps.load(working_set)
    if hold is None or loaded is None:
        return False
    steps.pay_out(working_set, loaded.posting)
    effects.notify(working_set, hold.decision_id, NoticeKind.RELEASED, customer_id)
    return True


def give_back(
    working_set: WorkingSet,
    transfer_id: TransactionId,
    settlement_id: TransactionId,
    customer_id: bytes,
) -> bool:
    """Give held money back to its payer; say whether any was held. As :func:`release`."""
    hold = is_held(working_set, transfer_id)
    steps = _settling(transfer_id, settlement_id)
    loaded = steps.load(working_set)
    if hold is None or loaded is None:
        return False
    steps.give_back(working_set, loaded.posting, RETURNED)
    effects.notify(working_set, hold.decision_id, NoticeKind.RETURNED, customer_id)
    return True
