"""Commands of risk that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts.model import Actor
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import FREEZE, book_of
from longmen_server.risk import commands

if TYPE_CHECKING:
    from longmen.risk.v1 import risk_service_pb2 as pb

__all__ = ["lift_freeze"]


def lift_freeze(request: pb.LiftFreezeRequest) -> commands.LiftFreeze:
    """Return the command by which the bank lifts a freeze."""
    freeze_id = decode_id(FREEZE, request.freeze_id, "freeze_id")
    return commands.LiftFreeze(
        book_of(freeze_id),
        None,
        freeze_id=freeze_id,
        actor=Actor(None),
        reason_text=request.reason_text,
    )
