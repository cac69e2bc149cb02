"""The tables of rules as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    ByteaArray,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.riskrules.model import RulebookRow, RuleSetRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.platform.ids import RuleSetId

RULE_SET_COLUMNS = ", ".join(RuleSetRow.__slots__)
RULEBOOK_COLUMNS = ", ".join(RulebookRow.__slots__)

NOW = 0
"""The one key of a book's latest version."""


class _LatestFamily(PointerFamily[int, RulebookRow]):
    """The version that decides now. Two writers who make the next one meet at its key."""

    name = "risk_rulebook latest"
    stage = STAGE_POINTER
    rank = 210

    def load(self, book: int, keys: Sequence[int]) -> Statement:
        del keys
        return Statement(
            f"select {RULEBOOK_COLUMNS} from risk_rulebook where book = $1"
            " order by version desc limit 1".encode(),
            (book,),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[int, RulebookRow]:
        return NOW, RulebookRow(*record)


class _RulebookFamily(RowFamily[int, RulebookRow]):
    """Versions, which are only ever added."""

    name = "risk_rulebook"
    stage = STAGE_LINK
    rank = 211

    def write(
        self, book: int, inserted: Sequence[RulebookRow], changed: Sequence[RulebookRow]
    ) -> Iterable[Statement]:
        assert not changed, "a version never changes"
        yield Statement(
            f"insert into risk_rulebook (book, {RULEBOOK_COLUMNS})"
            " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9) as u".encode(),
            (
                book,
                Int4Array([row.version for row in inserted]),
                UuidArray([row.change_id for row in inserted]),
                Int4Array([row.cause for row in inserted]),
                Int8Array([row.created_at_us for row in inserted]),
                UuidArray([row.rule_set_id for row in inserted]),
                UuidArray([row.tried_id for row in inserted]),
                ByteaArray([row.content for row in inserted]),
                ByteaArray([row.digest for row in inserted]),
            ),
        )


class _RuleSetFamily(RowFamily["RuleSetId", RuleSetRow]):
    """Sets of rules, locked by whoever changes them."""

    name = "risk_rule_set"
    stage = STAGE_LINK
    rank = 212

    def load(self, book: int, keys: Sequence[RuleSetId]) -> Statement:
        return Statement(
            f"select {RULE_SET_COLUMNS} from risk_rule_set"
            " where book = $1 and rule_set_id = any($2)"
            " order by rule_set_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[RuleSetId, RuleSetRow]:
        return record[0], RuleSetRow(*record)

    def copy(self, row: RuleSetRow) -> RuleSetRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[RuleSetRow], changed: Sequence[RuleSetRow]
    ) -> Iterable[Statement]:
        rows = sorted((*inserted, *changed), key=lambda row: row.rule_set_id)
        changes = ", ".join(f"{name} = excluded.{name}" for name in RuleSetRow.__slots__[1:])
        yield Statement(
            f"insert into risk_rule_set (book, {RULE_SET_COLUMNS}) select $1, u.* from"
            " unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) as u"
            f" on conflict (book, rule_set_id) do update set {changes}".encode(),
            (
                book,
                UuidArray([row.rule_set_id for row in rows]),
                Int4Array([row.state for row in rows]),
                Int4Array([row.revision for row in rows]),
                TextArray([row.name for row in rows]),
                TextArray([row.note for row in rows]),
                ByteaArray([row.content for row in rows]),
                ByteaArray([row.digest for row in rows]),
                UuidArray([row.base_id for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.updated_at_us for row in rows]),
                Int8Array([row.shadow_at_us for row in rows]),
                Int8Array([row.active_at_us for row in rows]),
                Int8Array([row.retired_at_us for row in rows]),
            ),
        )


RULEBOOK_NOW = _LatestFamily()
RULEBOOK = _RulebookFamily()
RULE_SET_ROWS = _RuleSetFamily()
