"""Request records: what was asked under which request id, and what was answered.

A record is loaded and written in the same transaction as the effects it stands for. So a request
has either taken effect and has a record, or neither; a retry is answered from the record and never
repeated.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from longmen_server.engine.command import Outcome, RequestKey
from longmen_server.engine.family import STAGE_RECORD, RowFamily, Statement
from longmen_server.platform.adapters import ByteaArray, Int2Array, Int8Array, UuidArray
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FINGERPRINT_BYTES = 32
#: A field's digest: two bytes of field number, four of hash.
FIELD_DIGEST_BYTES = 6


class RecordedOutcome(IntEnum):
    """What a stored reply is."""

    REPLY = 0
    REFUSAL = 1


@dataclass(slots=True, frozen=True)
class RequestRecord:
    """One request that was decided."""

    digest: bytes
    content: bytes
    outcome: int
    reply: bytes | None
    """None when the time that replies are kept for is over."""
    booked_at_us: int


def request_digest(*, principal: str, method: str, request_id: str) -> bytes:
    """Return the key of a request: 16 bytes over who asks, for what, under which id."""
    text = f"{principal}\x00{method}\x00{request_id.lower()}"
    return blake2b(text.encode(), digest_size=16).digest()


def encode_refusal(refusal: Refusal) -> bytes:
    """Return a refusal as stored."""
    return json.dumps(
        [refusal.reason, refusal.message, dict(refusal.metadata), refusal.field],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def decode_refusal(stored: bytes) -> Refusal:
    """Return a stored refusal."""
    reason, message, metadata, field = json.loads(stored)
    return Refusal(reason, message, metadata=metadata, field=field)


def replay(record: RequestRecord, request: RequestKey) -> Outcome:
    """Answer a request from its record.

    Raises:
        Refusal: the recorded refusal; REQUEST_ID_REUSED when the content differs; REPLY_EXPIRED
        when the
            reply is no longer kept.
    """
    if record.content != request.content:
        fields = ",".join(
            str(number) for number in differing_fields(record.content, request.content)
        )
        raise Refusal(
            "REQUEST_ID_REUSED",
            "the request id was used before with another content",
            metadata={"fields": fields},
            field="request_id",
        )
    if record.reply is None:
        raise Refusal(
            "REPLY_EXPIRED",
            "the request was answered before and its reply is no longer kept",
            metadata={"committed_time": str(record.booked_at_us)},
        )
    if record.outcome == RecordedOutcome.REFUSAL:
        refusal = decode_refusal(record.reply)
        refusal.replayed = True
        raise refusal
    return Outcome(record.reply, replayed=True)


def differing_fields(stored: bytes, offered: bytes) -> list[int]:
    """Return the numbers of the top-level fields in which two contents differ."""
    left, right = _fields(stored), _fields(offered)
    return sorted(n for n in left.keys() | right.keys() if left.get(n) != right.get(n))


def _fields(content: bytes) -> dict[int, bytes]:
    body = content[FINGERPRINT_BYTES:]
    return {
        int.from_bytes(body[at : at + 2], "big"): body[at + 2 : at + FIELD_DIGEST_BYTES]
        for at in range(0, len(body), FIELD_DIGEST_BYTES)
    }


class _RequestFamily(RowFamily[bytes, RequestRecord]):
    name = "request_record"
    stage = STAGE_RECORD
    rank = 30

    def load(self, book: int, keys: Sequence[bytes]) -> Statement:
        return Statement(
            b"select request_key, content, outcome, reply, booked_at_us from request_record"
            b" where book = $1 and request_key = any($2)",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[bytes, RequestRecord]:
        return record[0], RequestRecord(*record)

    def write(
        self, book: int, inserted: Sequence[RequestRecord], changed: Sequence[RequestRecord]
    ) -> Iterable[Statement]:
        assert not changed, "a request record never changes"
        # Sorted, so that two writers given the same requests meet in one order.
        records = sorted(inserted, key=lambda record: record.digest)
        yield Statement(
            b"insert into request_record (booked_at_us, book, outcome, request_key, content, reply)"
            b" select u.a, $1, u.b, u.c, u.d, u.e"
            b" from unnest($2, $3, $4, $5, $6) as u(a, b, c, d, e)",
            (
                book,
                Int8Array([record.booked_at_us for record in records]),
                Int2Array([record.outcome for record in records]),
                UuidArray([record.digest for record in records]),
                ByteaArray([record.content for record in records]),
                ByteaArray([record.reply for record in records]),
            ),
        )


REQUEST = _RequestFamily()
