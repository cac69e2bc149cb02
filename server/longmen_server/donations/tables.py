"""The table of donations as the engine writes it: each row once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.donations.model import DonationRow
from longmen_server.engine.family import STAGE_RECORD, RowFamily, Statement
from longmen_server.platform.adapters import (
    BoolArray,
    ByteaArray,
    Int8Array,
    TextArray,
    UuidArray,
)
from longmen_server.platform.ids import DonationId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DONATION_COLUMNS = ", ".join(DonationRow.__slots__)


class _DonationFamily(RowFamily[DonationId, DonationRow]):
    name = "donation"
    stage = STAGE_RECORD
    rank = 162

    def write(
        self, book: int, inserted: Sequence[DonationRow], changed: Sequence[DonationRow]
    ) -> Iterable[Statement]:
        assert not changed, "a donation never changes"
        yield Statement(
            f"insert into donation (book, {DONATION_COLUMNS}) select $1, u.*"
            " from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as u".encode(),
            (
                book,
                UuidArray([row.donation_id for row in inserted]),
                UuidArray([row.merchant_id for row in inserted]),
                UuidArray([row.account_id for row in inserted]),
                UuidArray([row.donor_id for row in inserted]),
                UuidArray([row.order_id for row in inserted]),
                UuidArray([row.transaction_id for row in inserted]),
                Int8Array([row.amount for row in inserted]),
                TextArray([row.currency_code for row in inserted]),
                BoolArray([row.anonymous for row in inserted]),
                ByteaArray([row.message for row in inserted]),
                Int8Array([row.donated_at_us for row in inserted]),
            ),
        )


DONATION = _DonationFamily()
