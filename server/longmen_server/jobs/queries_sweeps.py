"""Deleting old rows, some at a time: which tables, by which index, and what is spared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from longmen_server.challenges.model import ChallengeState
from longmen_server.messages.model import MessageState
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import first_id_at
from longmen_server.webhooks.model import DeliveryState

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection

__all__ = [
    "ENDED_SESSIONS",
    "ENDED_STAFF_SESSIONS",
    "FORGOTTEN_SUBJECTS",
    "MESSAGE_CODES",
    "NONCES",
    "SENDINGS",
    "SETTLED_DELIVERIES",
    "SETTLED_MESSAGES",
    "SIGN_INS",
    "TOLD_NOTICES",
    "UNUSED_CHALLENGES",
    "USED_CHALLENGES",
    "VERIFICATIONS",
    "Sweep",
    "sweep",
]

_USED: Final = int(ChallengeState.USED)
_QUEUED: Final = int(MessageState.QUEUED)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sort of row that is deleted once it is old."""

    table: str
    column: str
    """What age is told by: an id, or a time in microseconds."""
    condition: str = "true"
    """What has to be true besides; `$4` is the present."""
    by_id: bool = True

    @property
    def statement(self) -> bytes:
        """The statement that deletes up to `$3` rows of book `$1` from before `$2`.

        Rows go by their place, found first: joined by key, a plan that was made while the table was
        small would look at all of it. Nobody waits for rows that somebody else is changing.
        """
        return (
            f"delete from {self.table} where book = $1 and ctid = any(array("
            f"select ctid from {self.table} where book = $1 and {self.column} < $2"
            f" and {self.condition} and $4::int8 is not null"
            f" order by {self.column} limit $3 for update skip locked))"
        ).encode()


VERIFICATIONS: Final = Sweep("identity_verification", "verification_id")
SIGN_INS: Final = Sweep("staff_sign_in", "sign_in_id")
SENDINGS: Final = Sweep("identity_sending", "sent_at_us", by_id=False)
# However old it is, a session that goes on stays.
ENDED_SESSIONS: Final = Sweep(
    "identity_session", "session_id", "(ended_at_us is not null or ends_at_us <= $4)"
)
ENDED_STAFF_SESSIONS: Final = Sweep(
    "staff_session", "session_id", "(ended_at_us is not null or ends_at_us <= $4)"
)
UNUSED_CHALLENGES: Final = Sweep("challenge", "challenge_id", f"state <> {_USED}")
MESSAGE_CODES: Final = Sweep("challenge_code", "challenge_id")
USED_CHALLENGES: Final = Sweep("challenge", "challenge_id", f"state = {_USED}")
SETTLED_MESSAGES: Final = Sweep(
    "message_outbox", "message_id", f"(state <> {_QUEUED} or expires_at_us <= $4)"
)
SETTLED_DELIVERIES: Final = Sweep(
    "webhook_delivery", "delivery_id", f"state <> {int(DeliveryState.PENDING)}"
)
FORGOTTEN_SUBJECTS: Final = Sweep("risk_subject", "seen_at_us", "frozen = 0", by_id=False)
TOLD_NOTICES: Final = Sweep("risk_notice", "decision_id", "done")
NONCES: Final = Sweep("signature_nonce", "expires_at_us", by_id=False)


async def sweep(
    connection: Connection, chore: Sweep, book: int, *, before_us: int, now_us: int, limit: int
) -> int:
    """Delete up to `limit` rows from before a time, the oldest first; return how many."""
    before = Uuid(first_id_at(before_us)) if chore.by_id else before_us
    cursor = await connection.execute(chore.statement, (book, before, limit, now_us))
    return cursor.rowcount
