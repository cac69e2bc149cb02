"""The rules of quotes and conversions: what they are, where they stand, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.fx.model import SHOWN_DIGITS, Deal, cross, mid_of, shown_rate
from longmen_server.platform.ids import CONVERSION, QUOTE, TRANSACTION, AccountId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from fractions import Fraction

    from longmen_server.platform.ids import (
        ConversionId,
        CustomerId,
        PromotionId,
        QuoteId,
        TransactionId,
    )

SECOND_US: Final = 1_000_000
UNLOCKED_SECONDS: Final = 60
"""How long a quote without a lock may be executed, while its rate does not change."""


class QuoteState(IntEnum):
    """Where a quote stands; values are those of longmen.fx.v1.QuoteState."""

    ACTIVE = 1
    USED = 2
    CANCELLED = 3
    EXPIRED = 4


@dataclass(slots=True)
class QuoteRow:
    """One offer, with all that its amounts follow from."""

    quote_id: QuoteId
    customer_id: CustomerId | None
    """The owner of both accounts; None for accounts without an owner."""
    from_account_id: AccountId
    to_account_id: AccountId
    conversion_id: ConversionId | None
    promotion_id: PromotionId | None
    """What took something off the spread; None for nothing."""
    state: int
    fixed_side: int
    lock_seconds: int
    spread_basis_points: int
    undiscounted_basis_points: int
    """What the spread would be without the promotion."""
    fee_basis_points: int
    source: int
    fee: int
    target: int
    spread: int
    residue: int
    home_value: int
    """What is exchanged, in minor units of the home currency at the mid-market rate."""
    discount: int
    """What the customer saves by the promotion, in minor units of the home currency."""
    source_observed_us: int
    target_observed_us: int
    created_at_us: int
    expires_at_us: int
    source_currency: str
    target_currency: str
    source_rate: str
    target_rate: str
    tier: str

    def copy(self) -> QuoteRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return QuoteRow(*_QUOTE_VALUES(self))

    @property
    def deal(self) -> Deal:
        """The exchange in amounts."""
        return Deal(self.source, self.fee, self.target, self.spread, self.residue)

    @property
    def mid(self) -> Fraction:
        """The mid-market rate, exactly."""
        return mid_of(self.source_rate, self.target_rate)

    def shown_rate(self, spread_basis_points: int, digits: int = SHOWN_DIGITS) -> str:
        """Return the rate after a spread, as people are shown it."""
        return shown_rate(self.source_rate, self.target_rate, spread_basis_points, digits)

    def state_at(self, now_us: int) -> QuoteState:
        """Where it stands at a moment: time ends what was not executed."""
        if self.state == QuoteState.ACTIVE and now_us >= self.expires_at_us:
            return QuoteState.EXPIRED
        return QuoteState(self.state)


_QUOTE_VALUES: Final = attrgetter(*QuoteRow.__slots__)


@dataclass(slots=True, frozen=True)
class ConversionRow:
    """One exchange that was booked; it never changes."""

    conversion_id: ConversionId
    quote_id: QuoteId
    customer_id: CustomerId | None
    transaction_id: TransactionId
    created_at_us: int
    quota_side: int
    """Which quota it counts against: a value of QuotaSide, or 0 for none."""
    quota_value: int
    """How much, in minor units of the quota's currency."""


class QuotaSide(IntEnum):
    """What a customer does with foreign currency; the numbers are stored."""

    BUY = 1
    SELL = 2


class QuotaKey(NamedTuple):
    """Whose quota of which year."""

    customer_id: CustomerId
    year: int
    side: int


class QuotaWanted(NamedTuple):
    """Of whose owner the quotas of a year are wanted."""

    account_id: AccountId
    year: int


@dataclass(slots=True)
class QuotaRow:
    """What a customer has used of a quota."""

    customer_id: CustomerId
    year: int
    side: int
    used: int

    def copy(self) -> QuotaRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


def quota_side(source: str, target: str, home: str) -> QuotaSide | None:
    """Return what an exchange counts as; one between two foreign currencies counts as nothing."""
    if source == home:
        return QuotaSide.BUY
    return QuotaSide.SELL if target == home else None


def check_quota(key: QuotaKey, used: int, more: int, limit: int, currency_code: str) -> None:
    """Refuse what is more than a year's quota.

    Raises:
        Refusal: FX_QUOTA_EXCEEDED.
    """
    if limit and used + more > limit:
        raise Refusal(
            "FX_QUOTA_EXCEEDED",
            "the exchange is more than is left of the year's quota",
            metadata={
                "year": str(key.year),
                "limit_minor_units": str(limit),
                "used_minor_units": str(used),
                "currency_code": currency_code,
            },
        )


class ReversalBasis(IntEnum):
    """The rate a conversion is taken back at; values are those of longmen.fx.v1.ReversalBasis."""

    ORIGINAL = 1
    TODAY = 2


@dataclass(slots=True, frozen=True)
class ReversalRow:
    """One conversion that was taken back; it never changes."""

    conversion_id: ConversionId
    transaction_id: TransactionId
    basis: int
    taken: int
    """What left the account that was paid, in minor units of the target currency."""
    returned: int
    """What came back to the account that was charged, in minor units of the source currency."""
    residue: int
    """What rounding left over, in the source currency; 0 at the original rate."""
    created_at_us: int
    source_rate: str
    target_rate: str

    @property
    def mid(self) -> Fraction:
        """The mid-market rate of source to target it was taken back at, exactly."""
        return cross(Decimal(self.source_rate), Decimal(self.target_rate))


def basis_of(demanded: int, row: ConversionRow, now_us: int, reversal_us: int) -> ReversalBasis:
    """Return the rate to take a conversion back at.

    Args:
        demanded: a value of longmen.fx.v1.ReversalBasis; 0 leaves it to the price list.
        row: the conversion.
        now_us: business time.
        reversal_us: how long the original rate may be had.

    Raises:
        Refusal: FX_REVERSAL_TOO_LATE when the original rate is demanded after its time.
    """
    until_us = row.created_at_us + reversal_us
    in_time = now_us <= until_us
    if demanded == ReversalBasis.TODAY or (not demanded and not in_time):
        return ReversalBasis.TODAY
    if not in_time:
        raise Refusal(
            "FX_REVERSAL_TOO_LATE",
            "the conversion can no longer be taken back at its own rate",
            metadata={
                "conversion_id": CONVERSION.encode(row.conversion_id),
                "until_us": str(until_us),
            },
            field="basis",
        )
    return ReversalBasis.ORIGINAL


class FreshOffered(Refusal):
    """A quote came too late; the fresh one is left behind for its customer."""

    __slots__ = ("row",)

    def __init__(self, reason: str, message: str, old: QuoteRow, row: QuoteRow) -> None:
        metadata = {
            "quote_id": QUOTE.encode(old.quote_id),
            "fresh_quote_id": QUOTE.encode(row.quote_id),
            "source_minor_units": str(row.source),
            "target_minor_units": str(row.target),
        }
        if reason == "FX_QUOTE_EXPIRED":
            metadata["expire_time_us"] = str(old.expires_at_us)
        super().__init__(reason, message, metadata=metadata)
        self.row = row


def quote_not_found(quote_id: QuoteId) -> Refusal:
    """Return the refusal for a quote that is not there, or not the caller's to see."""
    return Refusal(
        "FX_QUOTE_NOT_FOUND",
        "no such quote",
        metadata={"quote_id": QUOTE.encode(quote_id)},
        field="quote_id",
    )


def conversion_not_found(conversion_id: ConversionId) -> Refusal:
    """Return the refusal for a conversion that is not there, or not the caller's to see."""
    return Refusal(
        "FX_CONVERSION_NOT_FOUND",
        "no such conversion",
        metadata={"conversion_id": CONVERSION.encode(conversion_id)},
        field="conversion_id",
    )


def payee_is_payer() -> Refusal:
    """Return the refusal to pay abroad what stays with one customer."""
    return Refusal(
        "FX_PAYEE_IS_PAYER", "both accounts are of one customer, who exchanges by a quote"
    )


def not_reversible(conversion_id: ConversionId) -> Refusal:
    """Return the refusal to take back what somebody else has."""
    return Refusal(
        "FX_NOT_REVERSIBLE",
        "the conversion has paid somebody else",
        metadata={"conversion_id": CONVERSION.encode(conversion_id)},
    )


def already_reversed(conversion_id: ConversionId, transaction_id: TransactionId) -> Refusal:
    """Return the refusal to take a conversion back twice."""
    return Refusal(
        "FX_CONVERSION_REVERSED",
        "the conversion was taken back before",
        metadata={
            "conversion_id": CONVERSION.encode(conversion_id),
            "transaction_id": TRANSACTION.encode(transaction_id),
        },
    )


def check_open(quote: QuoteRow) -> None:
    """Refuse what was executed or given up.

    Raises:
        Refusal: FX_QUOTE_USED, FX_QUOTE_CANCELLED.
    """
    metadata = {"quote_id": QUOTE.encode(quote.quote_id)}
    if quote.conversion_id is not None:
        metadata["conversion_id"] = CONVERSION.encode(quote.conversion_id)
        raise Refusal("FX_QUOTE_USED", "the quote became a conversion", metadata=metadata)
    if quote.state == QuoteState.CANCELLED:
        raise Refusal("FX_QUOTE_CANCELLED", "the quote was given up", metadata=metadata)


def check_amount(field: str, shown: tuple[int, str], actual: tuple[int, str]) -> None:
    """Refuse another amount than the quote's.

    Raises:
        Refusal: AMOUNT_MISMATCH.
    """
    if shown != actual:
        raise Refusal(
            "AMOUNT_MISMATCH",
            "the amount is not the quote's",
            metadata={"expected_minor_units": str(actual[0]), "currency_code": actual[1]},
            field=field,
        )


def check_limit(reason: str, home_value: int, limit: int, home_currency: str) -> None:
    """Refuse an exchange above a limit.

    Raises:
        Refusal: FX_ORDER_LIMIT or FX_QUOTE_NEEDED, whichever is given.
    """
    if home_value > limit:
        raise Refusal(
            reason,
            "the exchange is larger than that",
            metadata={"limit_minor_units": str(limit), "currency_code": home_currency},
            field="amount",
        )


def check_position(before: int, after: int, limit: int, currency_code: str) -> None:
    """Refuse what makes a position larger than it may be; amounts are in the home currency.

    Raises:
        Refusal: FX_POSITION_LIMIT.
    """
    if abs(after) > limit and abs(after) > abs(before):
        raise Refusal(
            "FX_POSITION_LIMIT",
            "the bank's position in the currency is as large as it may be",
            metadata={"currency_code": currency_code},
        )


def counter_account_id(book: int, home_currency: str, currency_code: str) -> AccountId:
    """Return the id of the account that keeps what a position cost in the home currency.

    A pure function of the three, as the bank's other accounts have it.
    """
    name = f"longmen fx counter value {book} {home_currency} {currency_code}".encode()
    return AccountId(blake2b(name, digest_size=14).digest() + book.to_bytes(2, "big"))
