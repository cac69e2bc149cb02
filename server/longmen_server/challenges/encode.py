"""Challenges as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import challenge_pb2
from longmen_server.factors.model import kinds_of
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CHALLENGE

if TYPE_CHECKING:
    from longmen_server.challenges.model import ChallengeRow

__all__ = ["challenge"]


def challenge(row: ChallengeRow, now_us: int) -> challenge_pb2.Challenge:
    """Return a challenge as it stands now."""
    message = challenge_pb2.Challenge(
        challenge_id=CHALLENGE.encode(row.challenge_id),
        state=row.standing(now_us),  # type: ignore[arg-type]  # enums of the contract are ints
        operation=row.operation,  # type: ignore[arg-type]
        text=row.text,
        payee=row.payee,
        methods=kinds_of(row.methods),  # type: ignore[arg-type]
        factors_needed=row.factors_needed,
        approved_methods=kinds_of(row.approved),  # type: ignore[arg-type]
        create_time=timestamp(row.created_at_us),
        expire_time=timestamp(row.expires_at_us),
    )
    if row.currency_code:
        message.amount.minor_units = row.amount
        message.amount.currency_code = row.currency_code
    return message
