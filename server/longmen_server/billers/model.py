"""The rules of bills: what an account number looks like, and when a bill can be paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import BILL_LINK, BILLER, DUE
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    import datetime as dt

    from longmen_server.platform.ids import (
        AccountId,
        BillerId,
        BillLinkId,
        CustomerId,
        DueId,
        MerchantId,
        OrderId,
    )

LINKS_MAX: Final = 50
"""Accounts with billers that a customer may keep: a few households and a business of one."""
FOUND_MAX: Final = 20
"""Bills of one account number that are shown at a time, the earliest due date first."""
SHOWN: Final = 4
"""Characters of an account number that are shown."""
_DIGITS: Final = frozenset("0123456789")
_LETTERS: Final = _DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ-")
_MOD_97: Final = 97


class BillerState(IntEnum):
    """Whether a biller's bills can be paid; values of longmen.payments.v1.BillerState."""

    OPEN = 1
    CLOSED = 2


class DueState(IntEnum):
    """Where a bill stands; values of longmen.payments.v1.DueState."""

    OPEN = 1
    PAID = 2
    CANCELLED = 3
    EXPIRED = 4


KEPT_STATES: Final = (DueState.OPEN, DueState.PAID, DueState.CANCELLED)
"""Those that are written down; time makes the other one."""


class NumberCheck(IntEnum):
    """How an account number proves itself; values of AccountNumberCheck."""

    NONE = 0
    LUHN = 1
    MOD_97 = 2


@dataclass(slots=True, frozen=True)
class AccountFormat:
    """What the account numbers of a biller look like."""

    digits_only: bool
    minimum_length: int
    maximum_length: int
    check: int
    hint: str

    def broken_rule(self, number: str) -> str:
        """Return which rule a number breaks, in a word; empty when it is good."""
        if not self.minimum_length <= len(number) <= self.maximum_length:
            return "length"
        if not (_DIGITS if self.digits_only else _LETTERS).issuperset(number):
            return "characters"
        proven = {
            NumberCheck.NONE: True,
            NumberCheck.LUHN: self.check == NumberCheck.LUHN and luhn(number),
            NumberCheck.MOD_97: self.check == NumberCheck.MOD_97 and int(number) % _MOD_97 == 1,
        }
        return "" if proven[NumberCheck(self.check)] else "check"


def luhn(digits: str) -> bool:
    """Whether the last of some digits is their check digit by ISO/IEC 7812."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def check_format(form: AccountFormat) -> None:
    """Refuse a format that no number can have.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    rules = (
        ("lengths", form.minimum_length <= form.maximum_length),
        ("check", form.digits_only or form.check == NumberCheck.NONE),
        ("check_length", form.check == NumberCheck.NONE or form.minimum_length > 2),
    )
    for rule, holds in rules:
        if not holds:
            raise Refusal(
                "INVALID_REQUEST",
                "no account number could have this format",
                metadata={"rules": f"account_format.{rule}"},
                field="account_format",
            )


@dataclass(slots=True)
class BillerRow:
    """One biller."""

    biller_id: BillerId
    merchant_id: MerchantId
    name: str
    category: int
    digits_only: bool
    minimum_length: int
    maximum_length: int
    number_check: int
    hint: str
    currency_code: str
    state: int
    version: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> BillerRow:
        """Return a copy for a command to change."""
        return replace(self)

    @property
    def account_format(self) -> AccountFormat:
        """What its customers' numbers look like."""
        return AccountFormat(
            self.digits_only,
            self.minimum_length,
            self.maximum_length,
            self.number_check,
            self.hint,
        )


@dataclass(slots=True)
class DueRow:
    """One bill."""

    due_id: DueId
    biller_id: BillerId
    merchant_id: MerchantId
    bill_number: str
    account_index: bytes
    """Blind index of biller and account number."""
    account_number: bytes
    """Sealed under the book's data key."""
    amount: int
    currency_code: str
    period: str
    due_date: str
    last_date: str
    """The last day it can be paid on; empty where there is none."""
    description: str
    state: int
    order_id: OrderId | None
    payer_account_id: AccountId | None
    paid_at_us: int | None
    version: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> DueRow:
        """Return a copy for a command to change."""
        return replace(self)

    def state_on(self, today: dt.date) -> DueState:
        """Return where it stands on a day: time ends what nobody paid."""
        over = bool(self.last_date) and today.isoformat() > self.last_date
        return DueState.EXPIRED if over and self.state == DueState.OPEN else DueState(self.state)

    def is_overdue(self, today: dt.date) -> bool:
        """Whether it can be paid and should have been."""
        return self.state_on(today) == DueState.OPEN and today.isoformat() > self.due_date


class BillNumber(NamedTuple):
    """A bill by its biller's own number."""

    biller_id: BillerId
    bill_number: str


@dataclass(slots=True)
class LinkRow:
    """A customer's account with a biller."""

    link_id: BillLinkId
    customer_id: CustomerId
    biller_id: BillerId
    account_index: bytes | None
    """None once it is forgotten."""
    account_number: bytes | None
    """Sealed under the customer's data key."""
    label: bytes | None
    """Sealed too; None without one."""
    created_at_us: int
    removed_at_us: int | None

    def copy(self) -> LinkRow:
        """Return a copy for a command to change."""
        return replace(self)


class LinkRef(NamedTuple):
    """What tells a customer's linked accounts apart."""

    link_id: BillLinkId
    biller_id: BillerId
    account_index: bytes


def masked(number: str) -> str:
    """Return an account number as it is shown."""
    shown = number[-SHOWN:] if len(number) > SHOWN else number[-1:]
    return "*" * (len(number) - len(shown)) + shown


def check_number(form: AccountFormat, number: str, field: str) -> None:
    """Refuse an account number that is not of its biller's form.

    Raises:
        Refusal: BILL_ACCOUNT_MALFORMED.
    """
    rule = form.broken_rule(number)
    if rule:
        raise Refusal(
            "BILL_ACCOUNT_MALFORMED",
            "the account number is not of the biller's form",
            metadata={"rule": rule, "hint": form.hint},
            field=field,
        )


def check_open(row: BillerRow) -> None:
    """Refuse what a closed biller does not take.

    Raises:
        Refusal: BILLER_CLOSED.
    """
    if row.state != BillerState.OPEN:
        raise Refusal(
            "BILLER_CLOSED",
            "the biller takes no payments any more",
            metadata={"biller_id": BILLER.encode(row.biller_id)},
        )


def check_payable(row: DueRow, today: dt.date) -> None:
    """Refuse a bill that cannot be paid, or taken back, any more.

    Raises:
        Refusal: DUE_NOT_PAYABLE.
    """
    state = row.state_on(today)
    if state != DueState.OPEN:
        raise Refusal(
            "DUE_NOT_PAYABLE",
            f"the bill is {state.name.lower()}",
            metadata={
                "due_id": DUE.encode(row.due_id),
                "state": state.name,
                "last_date": row.last_date,
            },
        )


def check_due_amount(row: DueRow, amount: int, currency_code: str) -> None:
    """Refuse a payment of another amount than the bill's.

    Raises:
        Refusal: AMOUNT_MISMATCH.
    """
    if (row.amount, row.currency_code) != (amount, currency_code):
        raise Refusal(
            "AMOUNT_MISMATCH",
            "the amount is not the bill's",
            metadata={
                "expected_minor_units": str(row.amount),
                "currency_code": row.currency_code,
            },
            field="amount",
        )


def check_same(known: DueRow, sent: DueRow, field: str) -> None:
    """Refuse another content under a number that is taken.

    Raises:
        Refusal: BILL_NUMBER_REUSED.
    """
    fields = {
        "account_number": known.account_index == sent.account_index,
        "amount": (known.amount, known.currency_code) == (sent.amount, sent.currency_code),
        "period": known.period == sent.period,
        "due_date": known.due_date == sent.due_date,
        "last_date": known.last_date == sent.last_date,
        "description": known.description == sent.description,
    }
    differing = [name for name, same in fields.items() if not same]
    if differing:
        raise Refusal(
            "BILL_NUMBER_REUSED",
            "the number belongs to a bill with another content",
            metadata={"due_id": DUE.encode(known.due_id), "fields": ",".join(differing)},
            field=field,
        )


def check_link_limit(count: int) -> None:
    """Refuse one linked account too many.

    Raises:
        Refusal: BILL_LINK_LIMIT_REACHED.
    """
    if count >= LINKS_MAX:
        raise Refusal(
            "BILL_LINK_LIMIT_REACHED",
            "the customer has as many linked accounts as one may have",
            metadata={"limit": str(LINKS_MAX)},
        )


def biller_not_found(biller_id: BillerId) -> Refusal:
    """Return the refusal for a biller that is not there, or not the caller's to change."""
    return Refusal(
        "BILLER_NOT_FOUND",
        "no such biller",
        metadata={"biller_id": BILLER.encode(biller_id)},
        field="biller_id",
    )


def due_not_found(due_id: DueId) -> Refusal:
    """Return the refusal for a bill that is not there, or not the caller's to see."""
    return Refusal(
        "DUE_NOT_FOUND",
        "no such bill",
        metadata={"due_id": DUE.encode(due_id)},
        field="due_id",
    )


def link_not_found(link_id: BillLinkId) -> Refusal:
    """Return the refusal for a linked account that is not there, or another customer's."""
    return Refusal(
        "BILL_LINK_NOT_FOUND",
        "no such linked account",
        metadata={"link_id": BILL_LINK.encode(link_id)},
        field="link_id",
    )
