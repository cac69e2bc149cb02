"""The rules of identification: classes, their limits and needs, and what makes evidence plausible.

Figures are data: see packs/. What is checked here is what a number tells by itself. Whether a
document is genuine and its bearer the person is for whoever sees it, or asks its issuer.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from longmen_server.platform.ids import CustomerId

__all__ = [
    "BEST_CLASS",
    "DOCUMENTS",
    "SLOTS_MAX",
    "UNCLASSIFIED",
    "WORST_CLASS",
    "Category",
    "Cause",
    "ChangeRow",
    "ClassRules",
    "EvidenceKey",
    "EvidenceKind",
    "EvidenceRow",
    "EvidenceState",
    "Pack",
    "Packs",
    "SealedEvidence",
    "StandingRow",
    "UseKey",
    "UseRow",
]

UNCLASSIFIED: Final = 0
"""The class of wallets that services opened: the bank identified the customer elsewhere."""
BEST_CLASS: Final = 1
WORST_CLASS: Final = 4
CLASSES: Final = range(BEST_CLASS, WORST_CLASS + 1)
SLOTS_MAX: Final = 5
"""Wallets of one class that a document may have at most, whatever a pack says: every look-up of a
document asks for as many places."""
YEARS_MAX: Final = 120
"""Age beyond which a birth date is not believed; the oldest known person lived 122 years."""


class EvidenceKind(IntEnum):
    """What customers are identified by; values are those of longmen.identity.v1.Evidence."""

    PHONE = 1
    RESIDENT_ID = 2
    BANK_ACCOUNT = 3
    IN_PERSON = 4
    PASSPORT = 5
    TRAVEL_PERMIT = 6


DOCUMENTS: Final = (EvidenceKind.RESIDENT_ID, EvidenceKind.PASSPORT, EvidenceKind.TRAVEL_PERMIT)


class Category(IntEnum):
    """What a class can need; of each but the first a customer has one at most on file.

    The phone number is on file by the wallet itself: a code to it came back at registration, or the
    service that opened the wallet answers for it.
    """

    PHONE = 1
    DOCUMENT = 2
    BANK_ACCOUNT = 3
    IN_PERSON = 4


FILED: Final = (Category.DOCUMENT, Category.BANK_ACCOUNT, Category.IN_PERSON)
"""The categories that are kept as evidence."""


class EvidenceState(IntEnum):
    """Whether evidence counts; the numbers are stored."""

    ACTIVE = 1
    VOID = 2
    """The class it was for was taken away; it has to be given anew."""
    ERASED = 3
    """The customer was erased; nothing of it is left."""


class Cause(IntEnum):
    """Why a class changed; the numbers are stored. From 11 on they are a DowngradeCause and 10."""

    REGISTERED = 1
    UPGRADED = 2
    EXPIRED = 11
    WRONG = 12
    RISK = 13
    REQUESTED = 14


FIRST_DOWNGRADE: Final = 10


@dataclass(slots=True)
class StandingRow:
    """The class that a customer has now."""

    customer_id: CustomerId
    identification_class: int
    since_us: int
    change_count: int
    """Changes so far; each has a row of its own."""

    def copy(self) -> StandingRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class ChangeRow:
    """One change of a customer's class; it never changes."""

    customer_id: CustomerId
    change_number: int
    """From 1."""
    class_before: int
    class_after: int
    cause: int
    changed_at_us: int
    rules: str
    """Day from which the pack applies that it was decided by, YYYY-MM-DD."""
    reason_text: bytes | None
    """Why, in the words of whoever lowered it; sealed."""


class EvidenceKey(NamedTuple):
    """The place of one thing on file."""

    customer_id: CustomerId
    category: int


class SealedEvidence(NamedTuple):
    """Evidence as it is kept: sealed, and for documents with a blind index of the number."""

    kind: EvidenceKind
    number: bytes
    number_index: bytes | None = None
    name: bytes | None = None
    birth_date: bytes | None = None


@dataclass(slots=True)
class EvidenceRow:
    """One thing on file of a customer."""

    customer_id: CustomerId
    category: int
    kind: int
    state: int
    submitted_at_us: int
    changed_at_us: int
    number_index: bytes | None
    number: bytes | None
    name: bytes | None
    birth_date: bytes | None

    @property
    def is_active(self) -> bool:
        """Whether it counts."""
        return self.state == EvidenceState.ACTIVE

    def copy(self) -> EvidenceRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class UseKey(NamedTuple):
    """One of the places that a document has for wallets of a class."""

    number_index: bytes
    identification_class: int
    slot: int

    @property
    def value(self) -> bytes:
        """As the directory of aliases keeps it."""
        return self.number_index + bytes((self.identification_class, self.slot))


class UseRow(NamedTuple):
    """Whose wallet takes such a place."""

    key: UseKey
    customer_id: CustomerId
    book: int
    created_at_us: int


# -- Packs.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRules:
    """What a class permits and demands; amounts in minor units, None for no limit."""

    identification_class: int
    balance: int | None
    single: int | None
    day: int | None
    year: int | None
    earns_interest: bool
    needs: tuple[Category, ...]
    wallets_per_id_number: int
    source: str = ""

    def missing(self, on_file: Collection[int]) -> tuple[Category, ...]:
        """Return what the class needs besides what is on file."""
        return tuple(need for need in self.needs if need not in on_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The classes as they are from one day on."""

    effective_from: dt.date
    currency: str
    documents: tuple[EvidenceKind, ...]
    equivalents: Mapping[str, int]
    """Minor units of other currencies for 100 minor units of `currency`."""
    classes: Mapping[int, ClassRules]

    def amount(self, limit: int | None, currency_code: str) -> int | None:
        """Return a limit in a currency, rounded down; 0 in one that the pack does not know."""
        if limit is None or currency_code == self.currency:
            return limit
        return limit * self.equivalents.get(currency_code, 0) // 100

    def kinds(self, need: Category) -> tuple[EvidenceKind, ...]:
        """Return the kinds of evidence that meet a need."""
        if need == Category.DOCUMENT:
            return self.documents
        return (EvidenceKind[need.name],)

    def names(self, needs: Collection[Category]) -> str:
        """Return needs as a refusal names them."""
        return ",".join("|".join(kind.name for kind in self.kinds(need)) for need in needs)


@dataclass(frozen=True, slots=True)
class Packs:
    """Every pack, oldest first."""

    packs: tuple[Pack, ...]

    def at(self, day: dt.date) -> Pack:
        """Return the pack of a day; before the first one the first holds."""
        found = self.packs[0]
        for pack in self.packs:
            if pack.effective_from <= day:
                found = pack
        return found


# -- Evidence.

_RESIDENT_ID = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
#: ICAO Doc 9303: up to nine letters and digits.
_PASSPORT = re.compile(r"[0-9A-Z]{5,9}", re.ASCII)
#: Hong Kong and Macao: H or M and 8 digits, older ones with 2 more; Taiwan: 8 digits, or 10.
_TRAVEL_PERMIT = re.compile(r"[HM][0-9]{8}([0-9]{2})?|[0-9]{8}([0-9]{2})?", re.ASCII)
_UNIONPAY = re.compile(r"62[0-9]{14,17}", re.ASCII)
_BANK_ACCOUNT = re.compile(r"[0-9]{8,32}", re.ASCII)


class Document(NamedTuple):
    """What a document says, in its one canonical form."""

    kind: EvidenceKind
    name: str
    number: str
    birth_date: dt.date
    issuing_country: str

    @property
    def indexed(self) -> str:
        """What its blind index is made of: numbers are unique by kind and issuer only."""
        return f"{self.kind.name}:{self.issuing_country}:{self.number}"


def check_document(
    kind: EvidenceKind,
    *,
    name: str,
    number: str,
    birth_date: str,
    issuing_country: str,
    today: dt.date,
) -> Document:
    """Return a document that can be genuine.

    Raises:
        Refusal: EVIDENCE_INVALID.
    """
    number = number.upper()
    if kind == EvidenceKind.RESIDENT_ID:
        born = _check_resident_id(number)
    else:
        pattern = _PASSPORT if kind == EvidenceKind.PASSPORT else _TRAVEL_PERMIT
        if not pattern.fullmatch(number):
            raise evidence_invalid(kind, "format")
        born = None
    if (kind == EvidenceKind.PASSPORT) != bool(issuing_country):
        raise evidence_invalid(kind, "issuing_country")
    said = _read_date(birth_date) if birth_date else born
    if said is None or not today.year - YEARS_MAX <= said.year or said > today:
        raise evidence_invalid(kind, "birth_date")
    if born is not None and born != said:
        raise evidence_invalid(kind, "birth_date_mismatch")
    return Document(kind, name, number, said, issuing_country)


def _check_resident_id(number: str) -> dt.date | None:
    """Return the birth date in a number of GB 11643.

    Codes of regions are not looked up: they change, and numbers of regions that are gone stay good.
    """
    kind = EvidenceKind.RESIDENT_ID
    if not _RESIDENT_ID.fullmatch(number):
        raise evidence_invalid(kind, "format")
    if not mod_11_2.is_valid(number):
        raise evidence_invalid(kind, "check_digit")
    digits = number[6:14]
    born = _read_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    if born is None:
        raise evidence_invalid(kind, "birth_date")
    return born


def _read_date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def check_bank_account(number: str) -> str:
    """Return the number of a bank account that can be one.

    Raises:
        Refusal: EVIDENCE_INVALID.
    """
    kind = EvidenceKind.BANK_ACCOUNT
    number = number.upper()
    if number[:2].isalpha():
        try:
            # Its check digits (ISO 13616); countries' own rules beyond them are the banks'.
            iban.validate(number, check_country=False)
        except ValidationError:
            raise evidence_invalid(kind, "check_digit") from None
        return number
    if not _BANK_ACCOUNT.fullmatch(number):
        raise evidence_invalid(kind, "format")
    # Cards of UnionPay begin with 62 and end with a check digit (ISO/IEC 7812-1).
    if _UNIONPAY.fullmatch(number) and not luhn.is_valid(number):
        raise evidence_invalid(kind, "check_digit")
    return number


def mask_number(number: str) -> str:
    """Return a number of which only the first and the last character can be read."""
    return f"{number[0]}{'*' * (len(number) - 2)}{number[-1]}"


# -- Classes.


def check_upgrade(present: int, target: int) -> None:
    """Refuse a class that is not better.

    Raises:
        Refusal: KYC_CLASS_CONFLICT.
    """
    if target >= present:
        raise class_conflict(present, "better")


def check_downgrade(present: int, target: int) -> None:
    """Refuse a class that is not tighter. Class 0 has no limits, so every class is tighter.

    Raises:
        Refusal: KYC_CLASS_CONFLICT.
    """
    if target <= present:
        raise class_conflict(present, "lower")


def class_conflict(present: int, wanted: str) -> Refusal:
    """Return the refusal of a class that is not what it has to be."""
    return Refusal(
        "KYC_CLASS_CONFLICT",
        f"the class asked for is not {wanted} than the present one",
        metadata={"identification_class": str(present)},
        field="identification_class",
    )


def evidence_invalid(kind: EvidenceKind, rule: str) -> Refusal:
    """Return the refusal of evidence that cannot be genuine; it repeats nothing of it."""
    return Refusal(
        "EVIDENCE_INVALID",
        "the evidence cannot be genuine",
        metadata={"evidence": kind.name, "rule": rule},
        field="evidence",
    )


def evidence_in_use(kind: int, identification_class: int) -> Refusal:
    """Return the refusal to replace what a class rests on."""
    return Refusal(
        "EVIDENCE_IN_USE",
        "the customer's class rests on the evidence on file",
        metadata={
            "evidence": EvidenceKind(kind).name,
            "identification_class": str(identification_class),
        },
    )


def evidence_missing(pack: Pack, missing: Collection[Category]) -> Refusal:
    """Return the refusal of a class whose needs are not met."""
    return Refusal(
        "EVIDENCE_MISSING",
        "what is needed is not on file",
        metadata={"missing": pack.names(missing)},
    )


def id_number_in_use(rules: ClassRules) -> Refusal:
    """Return the refusal of one wallet too many for a document."""
    return Refusal(
        "ID_NUMBER_IN_USE",
        "the document has as many wallets of the class as it may have",
        metadata={
            "limit": str(rules.wallets_per_id_number),
            "identification_class": str(rules.identification_class),
        },
    )
