"""Reads of challenges, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import ChallengeRow
from longmen_server.challenges.tables import CHALLENGE_COLUMNS
from longmen_server.platform.adapters import Uuid

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import ChallengeId

CHALLENGE = (
    f"select {CHALLENGE_COLUMNS} from challenge where book = $1 and challenge_id = $2".encode()
)


async def find_challenge(
    connection: Connection, book: int, challenge_id: ChallengeId
) -> ChallengeRow | None:
    """Return a challenge."""
    cursor = await connection.execute(CHALLENGE, (book, Uuid(challenge_id)))
    record = await cursor.fetchone()
    return None if record is None else ChallengeRow(*record)
