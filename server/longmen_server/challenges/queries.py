"""Reads of challenges, straight from SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.challenges.model import ChallengeRow, KnownPayeeRow
from longmen_server.challenges.tables import CHALLENGE_COLUMNS
from longmen_server.platform.adapters import Uuid

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import ChallengeId, CustomerId

CHALLENGE = (
    f"select {CHALLENGE_COLUMNS} from challenge where book = $1 and challenge_id = $2".encode()
)
OF_CUSTOMER = (
    f"select {CHALLENGE_COLUMNS} from challenge where book = $1 and customer_id = $2"
    " order by challenge_id".encode()
)
KNOWN_PAYEES = (
    b"select customer_id, account_id, created_at_us from known_payee"
    b" where book = $1 and customer_id = $2 order by account_id"
)


async def find_challenge(
    connection: Connection, book: int, challenge_id: ChallengeId
) -> ChallengeRow | None:
    """Return a challenge."""
    cursor = await connection.execute(CHALLENGE, (book, Uuid(challenge_id)))
    record = await cursor.fetchone()
    return None if record is None else ChallengeRow(*record)


async def list_challenges(
    connection: Connection, book: int, customer_id: CustomerId
) -> list[ChallengeRow]:
    """Return every challenge of a customer that is still kept."""
    cursor = await connection.execute(OF_CUSTOMER, (book, Uuid(customer_id)))
    return [ChallengeRow(*record) for record in await cursor.fetchall()]


async def list_known_payees(
    connection: Connection, book: int, customer_id: CustomerId
) -> list[KnownPayeeRow]:
    """Return whom a customer has paid with approval."""
    cursor = await connection.execute(KNOWN_PAYEES, (book, Uuid(customer_id)))
    return [KnownPayeeRow(*record) for record in await cursor.fetchall()]
