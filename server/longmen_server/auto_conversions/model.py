"""The rules of automatic conversions: what a payer has agreed to, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.ids import ACCOUNT, AccountId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.platform.ids import ConversionId, CustomerId, TransactionId


class Source(NamedTuple):
    """A pocket that may be exchanged from."""

    account_id: AccountId
    currency_code: str


class Wanted(NamedTuple):
    """For which pocket what was agreed to is wanted: its id, or whose it is and its currency."""

    account_id: AccountId | bytes = b""
    customer_id: CustomerId | bytes = b""
    currency_code: str = ""


@dataclass(slots=True)
class AutoRow:
    """What a customer has agreed to for one pocket."""

    account_id: AccountId
    """The pocket that is filled up."""
    customer_id: CustomerId
    enabled: bool
    basis_points_max: int
    """The most that spread and fee together may cost."""
    payment_max: int
    """The most that is exchanged for one payment, in minor units of the pocket's currency."""
    day_max: int
    """The most that is exchanged in one day of the institution, in the same units."""
    day: int
    """The day that `day_used` is of, as YYYYMMDD."""
    day_used: int
    created_at_us: int
    changed_at_us: int
    currency_code: str
    sources: str
    """Pockets in the order they are tried: `<currency> <account>`, separated by commas."""

    def copy(self) -> AutoRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    @property
    def pockets(self) -> list[Source]:
        """The pockets in the order they are tried."""
        pairs = (each.split(" ") for each in self.sources.split(",") if each)
        return [Source(ACCOUNT.decode(account_id), code) for code, account_id in pairs]

    def used_on(self, day: int) -> int:
        """Return what was exchanged on a day; a clock that lies behind counts to the later day."""
        return self.day_used if day <= self.day else 0


@dataclass(slots=True, frozen=True)
class PaidRow:
    """One payment that was filled up; it never changes."""

    transaction_id: TransactionId
    """Of the payment."""
    conversion_id: ConversionId
    account_id: AccountId
    amount: int
    """What was exchanged for it, in minor units of the account's currency."""
    day: int
    """The day it counts to."""
    made_at_us: int


def sources_text(sources: Iterable[Source]) -> str:
    """Return pockets as they are kept."""
    return ",".join(f"{one.currency_code} {ACCOUNT.encode(one.account_id)}" for one in sources)


def exceeded(row: AutoRow, missing: int, day: int) -> str | None:
    """Return the cap that a payment's missing part is above; None if it is within all of them."""
    if missing > row.payment_max:
        return "PAYMENT_MAX"
    if row.used_on(day) + missing > row.day_max:
        return "DAY_MAX"
    return None
