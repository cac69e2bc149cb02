"""The tables of verifications, devices and sessions as the engine loads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.engine.family import (
    STAGE_ACCOUNT,
    STAGE_LINK,
    STAGE_POINTER,
    STAGE_RECORD,
    PointerFamily,
    RowFamily,
    Statement,
)
from longmen_server.identity.model import (
    CustomerRow,
    DeviceCount,
    DeviceKeyKey,
    DeviceRow,
    ErasedOwner,
    Purpose,
    SendingKey,
    SendingRow,
    SessionRow,
    VerificationRow,
)
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import CustomerId, DeviceId, SessionId, VerificationId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ID_BYTES = 16


class _VerificationFamily(RowFamily[VerificationId, VerificationRow]):
    name = "identity_verification"
    stage = STAGE_POINTER
    rank = 60

    def load(self, book: int, keys: Sequence[VerificationId]) -> Statement:
        return Statement(
            b"select verification_id, purpose, phone_index, customer_id, device_id, code_digest,"
            b" nonce, created_at_us, expires_at_us, attempts, used from identity_verification"
            b" where book = $1 and verification_id = any($2)"
            b" order by verification_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[VerificationId, VerificationRow]:
        return record[0], VerificationRow(*record)

    def copy(self, row: VerificationRow) -> VerificationRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[VerificationRow], changed: Sequence[VerificationRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                b"insert into identity_verification (book, verification_id, purpose, phone_index,"
                b" customer_id, device_id, code_digest, nonce, created_at_us, expires_at_us,"
                b" attempts, used) select $1, u.*"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as u",
                (
                    book,
                    UuidArray([row.verification_id for row in inserted]),
                    Int2Array([row.purpose for row in inserted]),
                    ByteaArray([row.phone_index for row in inserted]),
                    UuidArray([row.customer_id for row in inserted]),
                    UuidArray([row.device_id for row in inserted]),
                    ByteaArray([row.code_digest for row in inserted]),
                    ByteaArray([row.nonce for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.expires_at_us for row in inserted]),
                    Int2Array([row.attempts for row in inserted]),
                    BoolArray([row.used for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update identity_verification as v set attempts = u.a, used = u.d"
                b" from unnest($2, $3, $4) as u (i, a, d)"
                b" where v.book = $1 and v.verification_id = u.i",
                (
                    book,
                    UuidArray([row.verification_id for row in changed]),
                    Int2Array([row.attempts for row in changed]),
                    BoolArray([row.used for row in changed]),
                ),
            )


class _CustomerFamily(RowFamily[CustomerId, CustomerRow]):
    name = "identity_customer"
    stage = STAGE_POINTER
    rank = 61

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, sessions_void_at_us from identity_customer"
            b" where book = $1 and customer_id = any($2) order by customer_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, CustomerRow]:
        return record[0], CustomerRow(*record)

    def copy(self, row: CustomerRow) -> CustomerRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[CustomerRow], changed: Sequence[CustomerRow]
    ) -> Iterable[Statement]:
        if inserted:
            # Sorted, so that two writers that meet the same customers first meet in one order.
            rows = sorted(inserted, key=lambda row: row.customer_id)
            yield Statement(
                b"insert into identity_customer (book, customer_id, sessions_void_at_us)"
                b" select $1, u.* from unnest($2, $3) as u",
                (
                    book,
                    UuidArray([row.customer_id for row in rows]),
                    Int8Array([row.sessions_void_at_us for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update identity_customer as c set sessions_void_at_us = u.v"
                b" from unnest($2, $3) as u (i, v) where c.book = $1 and c.customer_id = u.i",
                (
                    book,
                    UuidArray([row.customer_id for row in changed]),
                    Int8Array([row.sessions_void_at_us for row in changed]),
                ),
            )


class _SendingFamily(RowFamily[SendingKey, SendingRow]):
    name = "identity_sending"
    stage = STAGE_LINK
    rank = 62

    def load(self, book: int, keys: Sequence[SendingKey]) -> Statement:
        return Statement(
            b"select s.purpose, s.phone_index, s.verification_id, s.sent_at_us, s.day_began_us,"
            b" s.sends from unnest($2, $3) as u (p, i) join identity_sending as s"
            b" on s.book = $1 and s.purpose = u.p and s.phone_index = u.i"
            b" order by s.purpose, s.phone_index for no key update of s",
            (
                book,
                Int2Array([key.purpose for key in keys]),
                ByteaArray([key.phone_index for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SendingKey, SendingRow]:
        return SendingKey(record[0], record[1]), SendingRow(*record)

    def copy(self, row: SendingRow) -> SendingRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SendingRow], changed: Sequence[SendingRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield self._statement(
                b"insert into identity_sending (book, purpose, phone_index, verification_id,"
                b" sent_at_us, day_began_us, sends)"
                b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u",
                book,
                sorted(inserted, key=lambda row: (row.purpose, row.phone_index)),
            )
        if changed:
            yield self._statement(
                b"update identity_sending as s set verification_id = u.v, sent_at_us = u.t,"
                b" day_began_us = u.d, sends = u.n"
                b" from unnest($2, $3, $4, $5, $6, $7) as u (p, i, v, t, d, n)"
                b" where s.book = $1 and s.purpose = u.p and s.phone_index = u.i",
                book,
                changed,
            )

    @staticmethod
    def _statement(sql: bytes, book: int, rows: Sequence[SendingRow]) -> Statement:
        return Statement(
            sql,
            (
                book,
                Int2Array([row.purpose for row in rows]),
                ByteaArray([row.phone_index for row in rows]),
                UuidArray([row.verification_id for row in rows]),
                Int8Array([row.sent_at_us for row in rows]),
                Int8Array([row.day_began_us for row in rows]),
                Int2Array([row.sends for row in rows]),
            ),
        )


class _DeviceKeyFamily(PointerFamily[DeviceKeyKey, DeviceId]):
    """Which active device of a customer has a key. The rows are the device family's to write."""

    name = "identity_device by key"
    stage = STAGE_LINK
    rank = 63

    def load(self, book: int, keys: Sequence[DeviceKeyKey]) -> Statement:
        return Statement(
            b"select d.customer_id, d.thumbprint, d.device_id from unnest($2, $3) as u (c, t)"
            b" join identity_device as d on d.book = $1 and d.customer_id = u.c"
            b" and d.thumbprint = u.t and d.state = 1",
            (
                book,
                UuidArray([key.customer_id for key in keys]),
                TextArray([key.thumbprint for key in keys]),
            ),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[DeviceKeyKey, DeviceId]:
        return DeviceKeyKey(record[0], record[1]), record[2]


class _DeviceCountFamily(PointerFamily[CustomerId, DeviceCount]):
    """How many active devices a customer has. The rows are the device family's to write."""

    name = "identity_device by customer"
    stage = STAGE_LINK
    rank = 64

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, count(*) from identity_device"
            b" where book = $1 and customer_id = any($2) and state = 1 group by customer_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, DeviceCount]:
        return record[0], DeviceCount(*record)

    def copy(self, row: DeviceCount) -> DeviceCount:
        return row.copy()


class _OpenSessionsFamily(PointerFamily[CustomerId, tuple[SessionId, ...]]):
    """Which sessions of a customer have not ended; read under the lock of the customer's row."""

    name = "identity_session by customer"
    stage = STAGE_LINK
    rank = 65

    def load(self, book: int, keys: Sequence[CustomerId]) -> Statement:
        return Statement(
            b"select customer_id, string_agg(uuid_send(session_id), ''::bytea order by session_id)"
            b" from identity_session where book = $1 and customer_id = any($2)"
            b" and ended_at_us is null group by customer_id",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[CustomerId, tuple[SessionId, ...]]:
        joined: bytes = record[1]
        return record[0], tuple(
            SessionId(joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES)
        )

    def copy(self, row: tuple[SessionId, ...]) -> tuple[SessionId, ...]:
        return row


class _DeviceFamily(RowFamily[DeviceId, DeviceRow]):
    name = "identity_device"
    stage = STAGE_ACCOUNT
    rank = 66

    def load(self, book: int, keys: Sequence[DeviceId]) -> Statement:
        return Statement(
            b"select device_id, customer_id, algorithm, public_key, thumbprint, name, state,"
            b" enrolled_at_us, cooling_until_us, revoked_at_us, cooling_used, told_at_us"
            b" from identity_device"
            b" where book = $1 and device_id = any($2) order by device_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[DeviceId, DeviceRow]:
        return record[0], DeviceRow(*record)

    def copy(self, row: DeviceRow) -> DeviceRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[DeviceRow], changed: Sequence[DeviceRow]
    ) -> Iterable[Statement]:
        if inserted:
            rows = sorted(inserted, key=lambda row: (row.customer_id, row.thumbprint))
            yield Statement(
                b"insert into identity_device (book, device_id, customer_id, algorithm, public_key,"
                b" thumbprint, name, state, enrolled_at_us, cooling_until_us, revoked_at_us,"
                b" cooling_used, told_at_us) select $1, u.*"
                b" from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as u",
                (
                    book,
                    UuidArray([row.device_id for row in rows]),
                    UuidArray([row.customer_id for row in rows]),
                    Int2Array([row.algorithm for row in rows]),
                    ByteaArray([row.public_key for row in rows]),
                    TextArray([row.thumbprint for row in rows]),
                    TextArray([row.name for row in rows]),
                    Int2Array([row.state for row in rows]),
                    Int8Array([row.enrolled_at_us for row in rows]),
                    Int8Array([row.cooling_until_us for row in rows]),
                    Int8Array([row.revoked_at_us for row in rows]),
                    Int4Array([row.cooling_used for row in rows]),
                    Int8Array([row.told_at_us for row in rows]),
                ),
            )
        if changed:
            yield Statement(
                b"update identity_device as d set state = u.s, revoked_at_us = u.r,"
                b" cooling_used = u.c, told_at_us = u.t"
                b" from unnest($2, $3, $4, $5, $6) as u (i, s, r, c, t)"
                b" where d.book = $1 and d.device_id = u.i",
                (
                    book,
                    UuidArray([row.device_id for row in changed]),
                    Int2Array([row.state for row in changed]),
                    Int8Array([row.revoked_at_us for row in changed]),
                    Int4Array([row.cooling_used for row in changed]),
                    Int8Array([row.told_at_us for row in changed]),
                ),
            )


class _SessionFamily(RowFamily[SessionId, SessionRow]):
    name = "identity_session"
    stage = STAGE_ACCOUNT
    rank = 67

    def load(self, book: int, keys: Sequence[SessionId]) -> Statement:
        return Statement(
            b"select session_id, customer_id, device_id, created_at_us, seen_at_us, ends_at_us,"
            b" family_digest, refresh_digest, ended_at_us, end_cause from identity_session"
            b" where book = $1 and session_id = any($2) order by session_id for no key update",
            (book, UuidArray(keys)),
        )

    def decode(self, record: tuple[Any, ...]) -> tuple[SessionId, SessionRow]:
        return record[0], SessionRow(*record)

    def copy(self, row: SessionRow) -> SessionRow:
        return row.copy()

    def write(
        self, book: int, inserted: Sequence[SessionRow], changed: Sequence[SessionRow]
    ) -> Iterable[Statement]:
        if inserted:
            yield Statement(
                b"insert into identity_session (book, session_id, customer_id, device_id,"
                b" created_at_us, seen_at_us, ends_at_us, family_digest, refresh_digest,"
                b" ended_at_us, end_cause)"
                b" select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u",
                (
                    book,
                    UuidArray([row.session_id for row in inserted]),
                    UuidArray([row.customer_id for row in inserted]),
                    UuidArray([row.device_id for row in inserted]),
                    Int8Array([row.created_at_us for row in inserted]),
                    Int8Array([row.seen_at_us for row in inserted]),
                    Int8Array([row.ends_at_us for row in inserted]),
                    ByteaArray([row.family_digest for row in inserted]),
                    ByteaArray([row.refresh_digest for row in inserted]),
                    Int8Array([row.ended_at_us for row in inserted]),
                    Int2Array([row.end_cause for row in inserted]),
                ),
            )
        if changed:
            yield Statement(
                b"update identity_session as s set seen_at_us = greatest(s.seen_at_us, u.n),"
                b" refresh_digest = u.r, ended_at_us = u.e, end_cause = u.c"
                b" from unnest($2, $3, $4, $5, $6) as u (i, n, r, e, c)"
                b" where s.book = $1 and s.session_id = u.i",
                (
                    book,
                    UuidArray([row.session_id for row in changed]),
                    Int8Array([row.seen_at_us for row in changed]),
                    ByteaArray([row.refresh_digest for row in changed]),
                    Int8Array([row.ended_at_us for row in changed]),
                    Int2Array([row.end_cause for row in changed]),
                ),
            )


class _ErasedFamily(RowFamily[CustomerId, ErasedOwner]):
    """What goes of devices, codes and numbers with their owner; sessions are ended before."""

    name = "identity of erased customers"
    stage = STAGE_RECORD
    rank = 68

    def write(
        self, book: int, inserted: Sequence[ErasedOwner], changed: Sequence[ErasedOwner]
    ) -> Iterable[Statement]:
        assert not changed, "a customer is erased once"
        phones = ByteaArray([row.phone_index for row in inserted if row.phone_index])
        yield Statement(
            b"delete from identity_verification where book = $1 and phone_index = any($2)",
            (book, phones),
        )
        yield Statement(
            b"delete from identity_sending"
            b" where book = $1 and purpose = any($2) and phone_index = any($3)",
            (book, Int2Array([int(purpose) for purpose in Purpose]), phones),
        )
        # The key stays: it says nothing of the person, and whoever comes with it is told the truth.
        yield Statement(
            b"update identity_device as d set name = '', state = 2,"
            b" revoked_at_us = coalesce(d.revoked_at_us, u.t)"
            b" from unnest($2, $3) as u (c, t) where d.book = $1 and d.customer_id = u.c",
            (
                book,
                UuidArray([row.customer_id for row in inserted]),
                Int8Array([row.erased_at_us for row in inserted]),
            ),
        )


VERIFICATION = _VerificationFamily()
CUSTOMER = _CustomerFamily()
SENDING = _SendingFamily()
DEVICE_KEY = _DeviceKeyFamily()
DEVICE_COUNT = _DeviceCountFamily()
OPEN_SESSIONS = _OpenSessionsFamily()
DEVICE = _DeviceFamily()
SESSION = _SessionFamily()
ERASED = _ErasedFamily()
