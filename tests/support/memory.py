"""The ledger over rows in memory: the engine's own deciding, with dictionaries for a database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

from longmen_server.engine import batch as batches
from longmen_server.engine.batch import Entry
from longmen_server.engine.family import STAGES
from longmen_server.engine.request_log import REQUEST
from longmen_server.engine.working_set import WorkingSet
from longmen_server.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.engine.command import Command, Outcome
    from longmen_server.engine.journal import Event
    from longmen_server.engine.request_log import RequestRecord
    from longmen_server.ledger.model import AccountRow, HoldRow, PostingRow
    from longmen_server.platform.ids import AccountId, TransactionId

BOOK = 1


class MemoryLedger:
    """What the tables of one book hold, and the running of commands over it."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, AccountRow] = {}
        self.holds: dict[tuple[TransactionId, int], HoldRow] = {}
        self.postings: list[PostingRow] = []
        self.transactions: dict[TransactionId, list[PostingRow]] = defaultdict(list)
        self.refusals: dict[TransactionId, tuple[TransactionId, str, int]] = {}
        self.reversals: dict[TransactionId, tuple[TransactionId, TransactionId]] = {}
        self.requests: dict[bytes, RequestRecord] = {}
        self.events: list[Event] = []
        self._latest = 0
        self._readers: dict[Any, Callable[[Any], Any]] = {
            tables.ACCOUNT: lambda key: _copy(self.accounts.get(key)),
            tables.HOLD: lambda key: _copy(self.holds.get(key)),
            tables.TRANSACTION_POSTINGS: self.transactions.get,
            tables.CHOSEN_POSTINGS: self.transactions.get,
            tables.EXISTING: self._first,
            tables.POSTED: self._posted,
            tables.REFUSED: self.refusals.get,
            tables.REVERSAL: self.reversals.get,
            REQUEST: self.requests.get,
        }

    def _first(self, key: TransactionId) -> PostingRow | None:
        postings = self.transactions.get(key)
        return postings[0] if postings else None

    def _posted(self, key: tuple[TransactionId, int]) -> int | None:
        transaction, ordinal = key
        kinds = [p.kind for p in self.transactions.get(transaction, ()) if p.ordinal == ordinal]
        return kinds[0] if kinds else None

    def run(self, commands: Sequence[Command], now_us: int) -> list[Outcome | BaseException]:
        """Decide commands as one batch and keep what they did; the answers in their order."""
        entries = [Entry(command, cast("Any", None), 0.0) for command in commands]
        working_set = WorkingSet(BOOK, now_us)
        for stage in STAGES:
            for family, keys in batches.needed_rows(entries, working_set, stage).items():
                self._load(working_set, family, keys)
        latest = max((row.booked_at_us for row in self.accounts.values()), default=0)
        working_set.begin_stamps(max(self._latest, latest))
        decided = batches.decide(entries, working_set)
        self._keep(working_set)
        return [
            decision.error if decision.error is not None else cast("Any", decision.outcome)
            for decision in decided.decisions
        ]

    def _load(self, working_set: WorkingSet, family: Any, keys: set[Any]) -> None:
        rows = working_set.table(family).rows
        for key in sorted(keys):
            # Other areas may watch holds, and have nothing here.
            row = self._readers[family](key) if family in self._readers else None
            if row is not None:
                rows[key] = row

    def _keep(self, working_set: WorkingSet) -> None:
        written = working_set.tables
        for family, target in (
            (tables.ACCOUNT, self.accounts),
            (tables.HOLD, self.holds),
            (tables.REFUSED, self.refusals),
            (tables.REVERSAL, self.reversals),
            (REQUEST, self.requests),
        ):
            if family in written:
                cast("dict[Any, Any]", target).update(written[family].inserted)
                cast("dict[Any, Any]", target).update(written[family].changed)
        if tables.POSTING in written:
            for posting in written[tables.POSTING].appended:
                self.postings.append(posting)
                self.transactions[posting.transaction_id].append(posting)
        if working_set.events:
            self.events.extend(working_set.events)
            self._latest = working_set.last_stamp


def _copy(row: Any) -> Any:
    return None if row is None else row.copy()
