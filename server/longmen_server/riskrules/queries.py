"""What is read of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import first_id_at
from longmen_server.risk import rule_content
from longmen_server.risk.model import OutcomeKind
from longmen_server.risk.shipped import shipped
from longmen_server.riskrules.model import RulebookRow, RuleSetRow, Trial
from longmen_server.riskrules.tables import RULE_SET_COLUMNS, RULEBOOK_COLUMNS

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import RuleSetId
    from longmen_server.risk.rules import RuleSet

__all__ = [
    "active_version",
    "find_rule_set",
    "latest",
    "list_rule_sets",
    "rules_of_version",
    "trial_of",
]

_LAST_ID: Final = b"\xff" * 16
"""Sorts after every id."""
_TRIAL_MAX: Final = 100_000
"""Decisions that are looked at: the latest of a set's time in shadow."""
_TRIAL: Final = f"""
    select count(*), count(*) filter (where t.tried_outcome >= {OutcomeKind.REVIEW.value})
    from (
        select d.rules_version, d.tried_outcome from risk_decision as d
        where d.book = $1 and d.decision_id >= $3
        order by d.decision_id desc limit {_TRIAL_MAX}
    ) as t
    where t.rules_version in (
        select b.version from risk_rulebook as b where b.book = $1 and b.tried_id = $2)
""".encode()


async def active_version(connection: Connection, book: int) -> int:
    """Return the number of the version that decides; 0 for the rules that came with the server."""
    cursor = await connection.execute(
        b"select max(version) from risk_rulebook where book = $1", (book,)
    )
    record = await cursor.fetchone()
    return (record[0] if record else None) or 0


async def latest(connection: Connection, book: int) -> RulebookRow | None:
    """Return the version that decides; None for the rules that came with the server."""
    cursor = await connection.execute(
        f"select {RULEBOOK_COLUMNS} from risk_rulebook where book = $1"
        " order by version desc limit 1".encode(),
        (book,),
    )
    record = await cursor.fetchone()
    return None if record is None else RulebookRow(*record)


async def rules_of_version(connection: Connection, book: int, version: int) -> RuleSet | None:
    """Return the rules of a version, compiled; None where there is no such version."""
    if version == 0:
        return shipped()
    cursor = await connection.execute(
        b"select content, digest from risk_rulebook where book = $1 and version = $2",
        (book, version),
    )
    record = await cursor.fetchone()
    if record is None:
        return None
    return rule_content.read(record[0]).compiled(version=version, digest=record[1])


async def find_rule_set(
    connection: Connection, book: int, rule_set_id: RuleSetId
) -> RuleSetRow | None:
    """Return a set."""
    cursor = await connection.execute(
        f"select {RULE_SET_COLUMNS} from risk_rule_set"
        " where book = $1 and rule_set_id = $2".encode(),
        (book, Uuid(rule_set_id)),
    )
    record = await cursor.fetchone()
    return None if record is None else RuleSetRow(*record)


async def list_rule_sets(
    connection: Connection, book: int, *, before: bytes, limit: int
) -> list[RuleSetRow]:
    """Return up to `limit` sets, newest first."""
    cursor = await connection.execute(
        f"select {RULE_SET_COLUMNS} from risk_rule_set where book = $1 and rule_set_id < $2"
        " order by rule_set_id desc limit $3".encode(),
        (book, Uuid(before or _LAST_ID), limit),
    )
    return [RuleSetRow(*record) for record in await cursor.fetchall()]


async def trial_of(connection: Connection, book: int, rule_set_id: RuleSetId) -> Trial:
    """Return what a set did in shadow."""
    cursor = await connection.execute(
        b"select min(created_at_us) from risk_rulebook where book = $1 and tried_id = $2",
        (book, Uuid(rule_set_id)),
    )
    record = await cursor.fetchone()
    if record is None or record[0] is None:
        return Trial(0, 0)
    since = Uuid(first_id_at(record[0]))
    cursor = await connection.execute(_TRIAL, (book, Uuid(rule_set_id), since))
    record = await cursor.fetchone()
    return Trial(*record) if record else Trial(0, 0)
