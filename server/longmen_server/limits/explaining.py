"""What limits would say of a movement: the code that enforces them, over rows that were only read.

Nothing is locked and nothing counted: the answer is as of the moment it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen_server.engine.working_set import WorkingSet
from longmen_server.factors.tables import SECURITY
from longmen_server.kyc.standing import pack_at
from longmen_server.limits import enforce
from longmen_server.limits.model import OwnKey, Track, mask_of
from longmen_server.limits.movement import Asker, Channel, Movement, MovementKind
from longmen_server.limits.rules import Finding, binding_caps, findings, today_of
from longmen_server.limits.tables import COUNTER, FACTS, OWN
from longmen_server.platform.ids import TransactionId

if TYPE_CHECKING:
    from longmen_server.factors.model import SecurityRow
    from longmen_server.kyc.model import Pack
    from longmen_server.limits.enforce import Assessment
    from longmen_server.limits.queries import Standing

__all__ = ["Listed", "explain", "list_caps"]

_NO_TRANSACTION = TransactionId(bytes(16))


class Listed(NamedTuple):
    """Every cap of an account as it stands."""

    findings: list[Finding]
    pack: Pack
    day: int
    balance: int | None
    """The most that the account may hold, in its currency."""


def explain(
    standing: Standing,
    security: SecurityRow | None,
    *,
    kind: int,
    amount: int,
    approved: int | None,
    book: int,
    now_us: int,
) -> Assessment | None:
    """Return what limits say of a movement that a customer would ask for; None if nothing binds.

    Args:
        standing: what was read of the account.
        security: what was read of the customer's factors.
        kind: of the movement.
        amount: in the account's currency.
        approved: bits of the kinds of factors that would approve it; None asks which.
        book: of the account.
        now_us: the moment.
    """
    working_set = _working_set(standing, book, now_us)
    if security is not None:
        working_set.table(SECURITY).rows[security.customer_id] = security
    movement = Movement(
        kind=MovementKind(kind),
        asker=Asker(Channel.CUSTOMER, approved=approved, in_session=True),
        transaction_id=_NO_TRANSACTION,
        amount=amount,
        currency_code=standing.currency_code,
        payer_id=standing.facts.account_id,
        customer_id=standing.owner_id,
        is_own=kind in {MovementKind.WITHDRAWAL, MovementKind.CONVERSION},
    )
    return enforce.assess(working_set, movement)


def list_caps(standing: Standing, *, book: int, now_us: int) -> Listed:
    """Return every cap of an account, with what is left of it before any movement."""
    working_set = _working_set(standing, book, now_us)
    facts, today = standing.facts, today_of(now_us)
    pack = pack_at(today.date)
    found = findings(
        binding_caps(today, pack, facts, standing.own, now_us),
        mask_of(*Track),
        facts,
        standing.counters.get,
        day=today.day,
        base=0,
        whole=0,
    )
    balance, _ = enforce.most(working_set, pack, facts, standing.currency_code)
    return Listed(list(found), pack, today.day, balance)


def _working_set(standing: Standing, book: int, now_us: int) -> WorkingSet:
    """Return rows that were read as commands find them."""
    working_set = WorkingSet(book, now_us)
    working_set.table(FACTS).rows[standing.facts.account_id] = standing.facts
    working_set.table(COUNTER).rows.update(standing.counters)
    own = working_set.table(OWN).rows
    own.update({OwnKey(row.customer_id, row.period): row for row in standing.own})
    return working_set
