"""The chart of accounts: which codes there are, and what an account opened under one starts with.

The chart is data (chart.toml beside this file). It is read once, at import, because every rule of
the ledger depends on it and none of it changes while the server runs.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path

from longmen_server.platform.ids import AccountId


class AccountType(IntEnum):
    """The side of the books an account stands on, by the values of the contract's AccountType."""

    ASSET = 1
    LIABILITY = 2
    INCOME = 3
    EXPENSE = 4
    EQUITY = 5


#: Account types whose balance counts as positive when debits exceed credits.
DEBIT_NORMAL_TYPES = frozenset({AccountType.ASSET, AccountType.EXPENSE})

CUSTOMER_DEPOSITS = 2010
MERCHANT_PAYABLES = 2020
MERCHANT_SHARES = 2025
BANK_CLEARING = 1110
MERCHANT_SETTLEMENT = 2110
FEE_INCOME = 4010
FX_POSITION = 2120
FX_COUNTER_VALUE = 2130
CORRESPONDENT = 2140
SPREAD_INCOME = 4020
FX_REALISED = 4030
FX_UNREALISED = 4040
ROUNDING = 4910
OPERATIONAL_LOSS = 5910


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLine:
    """One place in the chart of accounts."""

    code: int
    name: str
    account_type: AccountType
    floor_minor_units: int | None
    """Lowest normal-side balance an account opened here starts with; None means no floor."""
    description: str


def read_chart(path: Path) -> dict[int, ChartLine]:
    """Read a chart file; a malformed one raises ValueError or KeyError at start-up."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    return {
        int(code): ChartLine(
            code=int(code),
            name=line["name"],
            account_type=AccountType[line["type"]],
            floor_minor_units=line.get("floor_minor_units"),
            description=line["description"],
        )
        for code, line in document.items()
    }


CHART = read_chart(Path(__file__).with_name("chart.toml"))


def system_account_id(book: int, currency_code: str, chart_code: int) -> AccountId:
    """Return the id of the bank's own account of a book, currency and chart code.

    It is a pure function of the three, so that every area finds the clearing or fee account without
    a look-up. The last two bytes are the book, as in every id.
    """
    name = f"longmen system account {book} {currency_code} {chart_code}".encode()
    return AccountId(blake2b(name, digest_size=14).digest() + book.to_bytes(2, "big"))
