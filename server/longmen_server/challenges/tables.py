"""The tables of challenges as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.challenges.model import ChallengeRow, CodeRow, KnownPayeeKey, KnownPayeeRow
from longmen_server.engine.family import (
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.platform.adapters import (
    ByteaArray,
    Int2Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import ChallengeId, CustomerId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CODE_COLUMNS = ", ".join(CodeRow.__slots__)
CHALLENGE_COLUMNS = ", ".join(ChallengeRow.__slots__)


class _OpenChallengeFamily(PointerFamily[bytes, ChallengeId]):
    """Which challenge of a request is open, by the request's digest.

    Two writers that make one for the same request are told apart by the unique index: the later
    batch is repeated and then finds the first.
    """

    name = "challenge by request"
    stage = STAGE_POINTER
    rank = 73

    def load(self, book: int, keys: Sequence[bytes]) -> Statement:
        return Statement(
            b"select request_key, challenge_id from challenge"
            b" where book = $1 and request_key = any($2) and state in (1, 2)",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[bytes, ChallengeId]:
        return record[0], record[1]


class _ChallengeFamily(RowFamily[ChallengeId, ChallengeRow]):
    name = "challenge"
    stage = STAGE_LINK
    rank = 74

    def load(self, book: int, keys: Sequence[ChallengeId]) -> Statement:
        return Statement(
            f"select {CHALLENGE_COLUMNS} from challenge"
            " where book = $1 and challenge_id = any($2)"
            " order by challenge_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ChallengeId, ChallengeRow]:
        return record[0], ChallengeRow(*record)

    def copy(self, row: ChallengeRow) -> ChallengeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[ChallengeRow], changed: Sequence[ChallengeRow]
    ) -> Iterable[Statement]:
        if changed:
            # Before the new ones: one that takes the place of an open one finds it closed.
            yield Statement(
                b"update challenge as c set state = u.s, approved = u.p, changed_at_us = u.a"
                b" from unnest($2, $3, $4, $5) as u (i, s, p, a)"
                b" where c.book = $1 and c.challenge_id = u.i",
                (
                    book,
                    UuidArray([row.challenge_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int2Array([row.approved for row in changed]),
                    Int8Array([row.changed_at_us for row in changed]),
                ),
            )
        if inserted:
            # Sorted, so that two writers given the same requests meet in one order.
            rows = sorted(inserted, key=lambda row: row.request_key)
            yield Statement(
                f"insert into challenge (book, {CHALLENGE_COLUMNS}) select $1, u.* from unnest("
                "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
                " as u".encode(),
                (
                    book,
                    UuidArray([row.challenge_id for row in rows]),
                    UuidArray([row.customer_id for row in rows]),
                    UuidArray([row.request_key for row in rows]),
                    Int2Array([row.operation for row in rows]),
                    Int2Array([row.state for row in rows]),
                    Int2Array([row.factors_needed for row in rows]),
                    Int2Array([row.methods for row in rows]),
                    Int2Array([row.approved for row in rows]),
                    Int8Array([row.amount for row in rows]),
                    Int8Array([row.created_at_us for row in rows]),
                    Int8Array([row.expires_at_us for row in rows]),
                    Int8Array([row.changed_at_us for row in rows]),
                    ByteaArray([row.content for row in rows]),
                    TextArray([row.currency_code for row in rows]),
                    TextArray([row.payee for row in rows]),
                    TextArray([row.text for row in rows]),
                ),
            )


class _KnownPayeeFamily(RowFamily[KnownPayeeKey, KnownPayeeRow]):
    name = "known_payee"
    stage = STAGE_LINK
    rank = 75

    def load(self, book: int, keys: Sequence[KnownPayeeKey]) -> Statement:
        return Statement(
            b"select k.customer_id, k.account_id, k.created_at_us"
            b" from unnest($2, $3) as u (c, a) join known_payee as k"
            b" on k.book = $1 and k.customer_id = u.c and k.account_id = u.a",
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                UuidArray([key.account_id for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[KnownPayeeKey, KnownPayeeRow]:
        return KnownPayeeKey(record[0], record[1]), KnownPayeeRow(*record)

    def write(
        self, book: int, inserted: Sequence[KnownPayeeRow], changed: Sequence[KnownPayeeRow]
    ) -> Iterable[Statement]:
        assert not changed, "a known payee never changes"
        rows = sorted(inserted, key=lambda row: (row.customer_id, row.account_id))
        yield Statement(
            b"insert into known_payee (book, customer_id, account_id, created_at_us)"
            b" select $1, u.* from unnest($2, $3, $4) as u",
            (
                book,
                UuidArray([row.customer_id for row in rows]),
                UuidArray([row.account_id for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
            ),
        )


class _CodeFamily(RowFamily[ChallengeId, CodeRow]):
    name = "challenge_code"
    stage = STAGE_LINK
    rank = 76

    def load(self, book: int, keys: Sequence[ChallengeId]) -> Statement:
        return Statement(
            f"select {CODE_COLUMNS} from challenge_code"
            " where book = $1 and challenge_id = any($2)"
            " order by challenge_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[ChallengeId, CodeRow]:
        return record[0], CodeRow(*record)

    def copy(self, row: CodeRow) -> CodeRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CodeRow], changed: Sequence[CodeRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers given the same challenges meet in one order.
            rows = sorted(inserted, key=lambda row: row.challenge_id)
            yield Statement(
                f"insert into challenge_code (book, {CODE_COLUMNS})"
                " select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8) as u".encode(),
                (book, *_code_columns(rows)),
            )
        if changed:
            yield Statement(
                b"update challenge_code as c set channel = u.c, tries = u.t, sent_at_us = u.s,"
                b" expires_at_us = u.e, digest = u.d"
                b" from unnest($2, $3, $4, $5, $6, $7, $8) as u (i, o, c, t, s, e, d)"
                b" where c.book = $1 and c.challenge_id = u.i",
                (book, *_code_columns(changed)),
            )


def _code_columns(rows: Sequence[CodeRow]) -> tuple[object, ...]:
    return (
        UuidArray([row.challenge_id for row in rows]),
        UuidArray([row.customer_id for row in rows]),
        Int2Array([row.channel for row in rows]),
        Int2Array([row.tries for row in rows]),
        Int8Array([row.sent_at_us for row in rows]),
        Int8Array([row.expires_at_us for row in rows]),
        ByteaArray([row.digest for row in rows]),
    )


class _ErasedFamily(RowFamily[CustomerId, CustomerId]):
    """What goes of challenges with their owner: what they say, whom they paid."""

    name = "challenges of erased customers"
    stage = STAGE_RECORD
    rank = 93

    def write(
        self, book: int, inserted: Sequence[CustomerId], changed: Sequence[CustomerId]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        customers = UuidArray(inserted)
        yield Statement(
            b"update challenge set text = '', payee = '',"
            b" state = case when state in (1, 2) then 4 else state end"
            b" where book = $1 and customer_id = any($2)",
            (book, customers),
        )
        yield Statement(
            b"delete from challenge_code where book = $1 and challenge_id in"
            b" (select challenge_id from challenge where book = $1 and customer_id = any($2))",
            (book, customers),
        )
        yield Statement(
            b"delete from known_payee where book = $1 and customer_id = any($2)",
            (book, customers),
        )


CHALLENGE_CODE = _CodeFamily()
OPEN_CHALLENGE = _OpenChallengeFamily()
CHALLENGE = _ChallengeFamily()
KNOWN_PAYEE = _KnownPayeeFamily()
ERASED = _ErasedFamily()
