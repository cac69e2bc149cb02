"""Who asks for a movement, as the command that makes it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.limits.movement import Asker, Channel

if TYPE_CHECKING:
    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet

__all__ = ["asker_of"]


def asker_of(working_set: WorkingSet, actor: Actor, gate: Gate | None) -> Asker:
    """Return who asks: the bank, or a customer and with what the request was approved."""
    if gate is None:
        return Asker(Channel.BANK if actor.is_bank else Channel.CUSTOMER)
    return Asker(Channel.CUSTOMER, gate.device_id, gate.approved(working_set), in_session=True)
