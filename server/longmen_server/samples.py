"""What a development server has ready for tools: accounts to try things on, and a token in a file.

Load tools read fixed files: they cannot open accounts first and cannot ask for a token. So a server
that is started to be tried out, with its own Postgres and its own keys, opens a few accounts with
well-known ids and leaves its token where such tools look for metadata. docs/adr/0006 says why.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from longmen_server.ledger.chart import CHART
from longmen_server.ledger.commands import CreateAccounts
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.platform.ids import AccountId
from longmen_server.platform.tokens import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from longmen_server.engine.engine import Engine

__all__ = [
    "CALL_METADATA_FILE",
    "PAYERS",
    "open_samples",
    "sample_account_id",
    "write_call_metadata",
]

PAYERS: Final = 256
"""Sample payers, numbered from 1. They have no floor, so that they can pay for ever."""

MERCHANT: Final = 0
"""Number of the sample merchant, whom everybody can pay at once."""

CURRENCY: Final = "CNY"
CUSTOMER_DEPOSITS: Final = 2010
MERCHANT_PAYABLES: Final = 2020

OPEN_SECONDS: Final = 10.0
"""How long opening them may take; later starts find them open."""

CALL_METADATA_FILE: Final = "call-metadata.json"
"""In the data folder: the metadata of a call, as ghz and others read it from a file."""


def sample_account_id(number: int, book: int) -> AccountId:
    """The id of a sample account: that of the first milliseconds of 1970, which no other id has."""
    high = 0x7000 | number
    return AccountId(high.to_bytes(8, "big") + (1 << 63 | book).to_bytes(8, "big"))


async def open_samples(engine: Engine, book: int, *, now: float) -> None:
    """Open the sample accounts of a book that are not open yet.

    Args:
        engine: where they are opened, like any account.
        book: one of the engine's books.
        now: monotonic seconds of the engine's clock.

    Raises:
        Refusal: the engine could not take it.
    """
    rows = [sample_account(number, book) for number in range(PAYERS + 1)]
    await engine.submit(CreateAccounts(book, None, rows), deadline=now + OPEN_SECONDS)


def sample_account(number: int, book: int) -> AccountRow:
    """The merchant, or a payer."""
    line = CHART[MERCHANT_PAYABLES if number == MERCHANT else CUSTOMER_DEPOSITS]
    return AccountRow(
        account_id=sample_account_id(number, book),
        currency_code=CURRENCY,
        account_type=line.account_type,
        chart_code=line.code,
        state=AccountState.OPEN,
        debits_posted=0,
        credits_posted=0,
        debits_pending=0,
        credits_pending=0,
        floor_minor_units=None,
        ceiling_minor_units=None,
        version=0,
        booked_at_us=0,
        created_at_us=0,
        owner_id=None,
        description="Sample merchant" if number == MERCHANT else f"Sample payer {number}",
    )


def write_call_metadata(data: Path, token: str) -> None:
    """Leave a token where tools look for the metadata of their calls, for the file's owner only."""
    metadata = {"authorization": f"Bearer {token}"}
    write_private(data / CALL_METADATA_FILE, json.dumps(metadata).encode() + b"\n")
