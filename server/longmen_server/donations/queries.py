"""What is read of donations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.donations.model import DonationRow
from longmen_server.platform.adapters import Uuid
from longmen_server.platform.ids import book_of

if TYPE_CHECKING:
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId, DonationId, MerchantId

__all__ = ["FoundDonation", "Total", "find_donation", "given_by", "list_donations", "totals_of"]

_LAST_ID: Final = b"\xff" * 16
_NAME: Final = "case when m.local_name = '' then m.name else m.local_name end"
_FOUND: Final = (
    f"select {', '.join(f'd.{name}' for name in DonationRow.__slots__)}, {_NAME}, o.refunded,"
    " k.wrapped from donation as d"
    " join merchant as m on m.book = $1 and m.merchant_id = d.merchant_id"
    " join merchant_order as o on o.book = $1 and o.order_id = d.order_id"
    " left join customer_key as k on k.book = $1 and k.customer_id = d.donor_id"
    " where d.book = $1"
)
_FIND: Final = f"{_FOUND} and d.donation_id = $2".encode()
_LIST: Final = (
    f"{_FOUND} and d.merchant_id = $2 and d.donation_id < $3 order by d.donation_id desc limit $4"
).encode()
_GIVEN: Final = f"{_FOUND} and d.donor_id = $2 order by d.donation_id".encode()
_TOTALS: Final = (
    f"select d.merchant_id, {_NAME}, d.currency_code, count(*),"
    " sum(d.amount - o.refunded)::bigint from donation as d"
    " join merchant as m on m.book = $1 and m.merchant_id = d.merchant_id"
    " join merchant_order as o on o.book = $1 and o.order_id = d.order_id"
    " where d.book = $1 and d.donor_id = $2 and d.donated_at_us >= $3 and d.donated_at_us < $4"
    " group by 1, 2, 3 order by 2, 1, 3"
).encode()


class FoundDonation(NamedTuple):
    """A gift as read, with what is told of it."""

    row: DonationRow
    charity_name: str
    refunded: int
    wrapped_key: bytes | None
    """The key that its message is sealed under; None once its donor was erased."""


class Total(NamedTuple):
    """What was given to one charity in one currency."""

    merchant_id: MerchantId
    charity_name: str
    currency_code: str
    gifts: int
    given: int


async def find_donation(connection: Connection, donation_id: DonationId) -> FoundDonation | None:
    """Return a gift, or None when there is none."""
    cursor = await connection.execute(_FIND, (book_of(donation_id), Uuid(donation_id)))
    record = await cursor.fetchone()
    return None if record is None else _found(record)


async def list_donations(
    connection: Connection, merchant_id: MerchantId, *, before: bytes, limit: int
) -> list[FoundDonation]:
    """Return up to `limit` gifts to a charity, newest first."""
    cursor = await connection.execute(
        _LIST, (book_of(merchant_id), Uuid(merchant_id), Uuid(before or _LAST_ID), limit)
    )
    return [_found(record) for record in await cursor.fetchall()]


async def given_by(connection: Connection, donor_id: CustomerId) -> list[FoundDonation]:
    """Return every gift of a customer, the oldest first."""
    cursor = await connection.execute(_GIVEN, (book_of(donor_id), Uuid(donor_id)))
    return [_found(record) for record in await cursor.fetchall()]


async def totals_of(
    connection: Connection, donor_id: CustomerId, *, from_us: int, to_us: int
) -> list[Total]:
    """Return what a customer gave in a span of time, less what has come back since."""
    cursor = await connection.execute(_TOTALS, (book_of(donor_id), Uuid(donor_id), from_us, to_us))
    return [Total(*record) for record in await cursor.fetchall()]


def _found(record: tuple[Any, ...]) -> FoundDonation:
    columns = len(DonationRow.__slots__)
    return FoundDonation(DonationRow(*record[:columns]), *record[columns:])
