"""The tables of webhooks as the engine loads and writes them.

The sender settles deliveries and notes failures by statements of its own, of queries.py; both lock
deliveries before endpoints.
"""

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
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import DeliveryId, EndpointId, MerchantId
from longmen_server.webhooks.model import DeliveryRow, EndpointRow, EndpointState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENDPOINT_COLUMNS = ", ".join(EndpointRow.__slots__)
DELIVERY_COLUMNS = ", ".join(DeliveryRow.__slots__)


class _EndpointsFamily(PointerFamily[MerchantId, tuple[EndpointId, ...]]):
    """Which endpoints a merchant has that were not given up, to bound them."""

    name = "webhook_endpoint by merchant"
    stage = STAGE_POINTER
    rank = 117

    def load(self, book: int, keys: Sequence[MerchantId]) -> Statement:
        return Statement(
            b"select merchant_id, array_agg(endpoint_id) from webhook_endpoint"
            b" where book = $1 and merchant_id = any($2) and state <> $3 group by merchant_id",
            (book, UuidArray(keys), int(EndpointState.FAILED)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[MerchantId, tuple[EndpointId, ...]]:
        return record[0], tuple(record[1])


class _DeliveryFamily(RowFamily[DeliveryId, DeliveryRow]):
    name = "webhook_delivery"
    stage = STAGE_POINTER
    rank = 118

    def load(self, book: int, keys: Sequence[DeliveryId]) -> Statement:
        return Statement(
            f"select {DELIVERY_COLUMNS} from webhook_delivery"
            " where book = $1 and delivery_id = any($2)"
            " order by delivery_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[DeliveryId, DeliveryRow]:
        return record[0], DeliveryRow(*record)

    def copy(self, row: DeliveryRow) -> DeliveryRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[DeliveryRow], changed: Sequence[DeliveryRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield delivery_insert(book, inserted)
        if changed:
            yield Statement(
                b"update webhook_delivery as d set state = u.s, attempts = u.a, due_at_us = u.d,"
                b" created_at_us = u.c, settled_at_us = null"
                b" from unnest($2, $3, $4, $5, $6) as u (id, s, a, d, c)"
                b" where d.book = $1 and d.delivery_id = u.id",
                (
                    book,
                    UuidArray([row.delivery_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int4Array([row.attempts for row in changed]),
                    Int8Array([row.due_at_us for row in changed]),
                    Int8Array([row.created_at_us for row in changed]),
                ),
            )


def delivery_insert(book: int, rows: Sequence[DeliveryRow]) -> Statement:
    """Return the statement that adds deliveries; an event goes to an endpoint once."""
    places = ", ".join(f"${place}" for place in range(2, 2 + len(DeliveryRow.__slots__)))
    return Statement(
        f"insert into webhook_delivery (book, {DELIVERY_COLUMNS})"
        f" select $1, u.* from unnest({places}) as u"
        " on conflict (book, endpoint_id, event_id) do nothing".encode(),
        (
            book,
            UuidArray([row.delivery_id for row in rows]),
            UuidArray([row.endpoint_id for row in rows]),
            UuidArray([row.merchant_id for row in rows]),
            TextArray([row.event_id for row in rows]),
            TextArray([row.kind for row in rows]),
            TextArray([row.subject_id for row in rows]),
            Int8Array([row.sequence for row in rows]),
            Int2Array([row.state for row in rows]),
            Int4Array([row.attempts for row in rows]),
            Int8Array([row.due_at_us for row in rows]),
            Int8Array([row.created_at_us for row in rows]),
            Int8Array([row.settled_at_us for row in rows]),
            Int4Array([row.last_status for row in rows]),
            TextArray([row.last_failure for row in rows]),
            TextArray([row.body for row in rows]),
        ),
    )


class _EndpointFamily(RowFamily[EndpointId, EndpointRow]):
    name = "webhook_endpoint"
    stage = STAGE_LINK
    rank = 119

    def load(self, book: int, keys: Sequence[EndpointId]) -> Statement:
        return Statement(
            f"select {ENDPOINT_COLUMNS} from webhook_endpoint"
            " where book = $1 and endpoint_id = any($2)"
            " order by endpoint_id for no key update".encode(),
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[EndpointId, EndpointRow]:
        return record[0], EndpointRow(*record)

    def copy(self, row: EndpointRow) -> EndpointRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[EndpointRow], changed: Sequence[EndpointRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._insert(book, inserted)
        if changed:
            # Whatever a command does to an endpoint, it is tried again at once.
            yield Statement(
                b"update webhook_endpoint as w set state = u.s, secret = u.k,"
                b" previous_secret = u.p, previous_until_us = u.t, failing_since_us = u.f,"
                b" failures = 0, resume_at_us = 0"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (id, s, k, p, t, f)"
                b" where w.book = $1 and w.endpoint_id = u.id",
                (
                    book,
                    UuidArray([row.endpoint_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    ByteaArray([row.secret for row in changed]),
                    ByteaArray([row.previous_secret for row in changed]),
                    Int8Array([row.previous_until_us for row in changed]),
                    Int8Array([row.failing_since_us for row in changed]),
                ),
            )

    def _insert(self, book: int, rows: Sequence[EndpointRow]) -> Statement:
        places = ", ".join(f"${place}" for place in range(2, 2 + len(EndpointRow.__slots__)))
        return Statement(
            f"insert into webhook_endpoint (book, failures, resume_at_us, {ENDPOINT_COLUMNS})"
            f" select $1, 0, 0, u.* from unnest({places}) as u".encode(),
            (
                book,
                UuidArray([row.endpoint_id for row in rows]),
                UuidArray([row.merchant_id for row in rows]),
                TextArray([row.url for row in rows]),
                TextArray([row.types for row in rows]),
                Int2Array([row.state for row in rows]),
                ByteaArray([row.secret for row in rows]),
                ByteaArray([row.previous_secret for row in rows]),
                Int8Array([row.previous_until_us for row in rows]),
                ByteaArray([row.notice_address for row in rows]),
                Int8Array([row.created_at_us for row in rows]),
                Int8Array([row.failing_since_us for row in rows]),
            ),
        )


ENDPOINTS = _EndpointsFamily()
DELIVERY = _DeliveryFamily()
ENDPOINT = _EndpointFamily()
