"""The table of revaluations as the engine loads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import STAGE_RECORD, PointerFamily, RowFamily, Statement
from longmen_server.platform.adapters import Int8Array, TextArray, UuidArray
from longmen_server.positions.model import RevaluationRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REVALUATION_COLUMNS = ", ".join(RevaluationRow.__slots__)
_ARRAYS: dict[str, Any] = {
    **dict.fromkeys(("currency_code", "business_date", "home_currency", "mid"), TextArray),
    "transaction_id": UuidArray,
}
_PLACES = ", ".join(f"${place}" for place in range(2, 2 + len(RevaluationRow.__slots__)))


class _LatestFamily(PointerFamily[str, RevaluationRow]):
    """The latest revaluation of each currency, read when its accounts are locked."""

    name = "fx_revaluation, latest"
    stage = STAGE_RECORD
    rank = 170

    def load(self, book: int, keys: Sequence[str]) -> Statement:
        return Statement(
            f"select {REVALUATION_COLUMNS} from unnest($2) as u (c) cross join lateral"
            " (select * from fx_revaluation where book = $1 and currency_code = u.c"
            " order by business_date desc limit 1) as latest".encode(),
            (book, TextArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[str, RevaluationRow]:
        return record[0], RevaluationRow(*record)

    # Here a batch only remembers what it has revalued; the rows are written as what they are.


class _RevaluationFamily(RowFamily[str, RevaluationRow]):
    """Revaluations are only ever written here; of two of a day that race one meets the key."""

    name = "fx_revaluation"
    stage = STAGE_RECORD
    rank = 171

    def write(
        self, book: int, inserted: Sequence[RevaluationRow], changed: Sequence[RevaluationRow]
    ) -> Iterable[Statement]:
        assert not changed, "a revaluation never changes"
        yield Statement(
            f"insert into fx_revaluation (book, {REVALUATION_COLUMNS})"
            f" select $1, u.* from unnest({_PLACES}) as u".encode(),
            (
                book,
                *(
                    _ARRAYS.get(name, Int8Array)([getattr(row, name) for row in inserted])
                    for name in RevaluationRow.__slots__
                ),
            ),
        )


LATEST = _LatestFamily()
REVALUATION = _RevaluationFamily()
