"""Identifiers: 128 bits made by the application, time-ordered, and telling their book.

Layout, from the most significant bit (a valid UUID version 7):

    48  milliseconds since the epoch
     4  version, 7
    12  counter within the millisecond
     2  variant, 0b10
    46  random bits
    16  book number, 1 to 32767

so the last four hexadecimal digits of an id are its book and a request finds its book without a
look-up. Inside the server an id is its 16 raw bytes; on the wire it is a prefix and 32 lower-case
hexadecimal digits.
"""

from __future__ import annotations

import os
import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Generic, NewType, TypeVar

if TYPE_CHECKING:
    from longmen_server.platform.clock import Clock

__all__ = [
    "ACCOUNT",
    "API_KEY",
    "APPROVAL",
    "BOOK_MAXIMUM",
    "BOOK_MINIMUM",
    "CAPTURE",
    "CASE",
    "CHALLENGE",
    "COMBINED",
    "CONVERSION",
    "CUSTOMER",
    "DECISION",
    "DELIVERY",
    "DEVICE",
    "ENDPOINT",
    "EVENT",
    "FACTOR",
    "FREEZE",
    "LIMIT_ORDER",
    "LIST_IMPORT",
    "MANDATE",
    "MERCHANT",
    "MESSAGE",
    "ORDER",
    "ORDINAL_MAXIMUM",
    "PAYOUT_ACCOUNT",
    "PLAN",
    "PRINCIPAL",
    "PROMOTION",
    "QUOTE",
    "RATE_ALERT",
    "RATE_IMPORT",
    "REFUND",
    "RULES_CHANGE",
    "RULE_SET",
    "SESSION",
    "SETTLEMENT",
    "SHIFT",
    "STAFF",
    "STORE",
    "TERMINAL",
    "TERMINAL_KEY",
    "TRANSACTION",
    "VERIFICATION",
    "AccountId",
    "ApiKeyId",
    "ApprovalId",
    "BillLinkId",
    "BillerId",
    "CaptureId",
    "CaseId",
    "ChallengeId",
    "CombinedId",
    "ConversionId",
    "CustomerId",
    "DecisionId",
    "DeliveryId",
    "DeviceId",
    "DonationId",
    "DueId",
    "EndpointId",
    "EventId",
    "FactorId",
    "FreezeId",
    "IdKind",
    "LimitOrderId",
    "ListImportId",
    "MalformedIdError",
    "MandateId",
    "MerchantId",
    "MessageId",
    "OrderId",
    "PayoutAccountId",
    "PlanId",
    "PrincipalId",
    "PromotionId",
    "QuoteId",
    "RateAlertId",
    "RateImportId",
    "RefundId",
    "RuleSetId",
    "RulesChangeId",
    "SessionId",
    "SettlementId",
    "ShiftId",
    "StaffId",
    "StoreId",
    "TerminalId",
    "TerminalKeyId",
    "TransactionId",
    "VerificationId",
    "book_of",
    "decode_posting",
    "derived_id",
    "encode_posting",
    "first_id_at",
    "milliseconds_of",
    "new_id",
]

AccountId = NewType("AccountId", bytes)
TransactionId = NewType("TransactionId", bytes)
CustomerId = NewType("CustomerId", bytes)
EventId = NewType("EventId", bytes)
PrincipalId = NewType("PrincipalId", bytes)
DeviceId = NewType("DeviceId", bytes)
SessionId = NewType("SessionId", bytes)
VerificationId = NewType("VerificationId", bytes)
MessageId = NewType("MessageId", bytes)
ApprovalId = NewType("ApprovalId", bytes)
MerchantId = NewType("MerchantId", bytes)
TerminalId = NewType("TerminalId", bytes)
OrderId = NewType("OrderId", bytes)
RefundId = NewType("RefundId", bytes)
ShiftId = NewType("ShiftId", bytes)
StoreId = NewType("StoreId", bytes)
CashierId = NewType("CashierId", bytes)
TerminalKeyId = NewType("TerminalKeyId", bytes)
PlanId = NewType("PlanId", bytes)
SettlementId = NewType("SettlementId", bytes)
EndpointId = NewType("EndpointId", bytes)
PayoutAccountId = NewType("PayoutAccountId", bytes)
CaptureId = NewType("CaptureId", bytes)
CombinedId = NewType("CombinedId", bytes)
MandateId = NewType("MandateId", bytes)
DeliveryId = NewType("DeliveryId", bytes)
FactorId = NewType("FactorId", bytes)
ChallengeId = NewType("ChallengeId", bytes)
ApiKeyId = NewType("ApiKeyId", bytes)
StaffId = NewType("StaffId", bytes)
RateImportId = NewType("RateImportId", bytes)
PromotionId = NewType("PromotionId", bytes)
QuoteId = NewType("QuoteId", bytes)
ConversionId = NewType("ConversionId", bytes)
LimitOrderId = NewType("LimitOrderId", bytes)
RateAlertId = NewType("RateAlertId", bytes)
CaseId = NewType("CaseId", bytes)
DecisionId = NewType("DecisionId", bytes)
FreezeId = NewType("FreezeId", bytes)
RuleSetId = NewType("RuleSetId", bytes)
RulesChangeId = NewType("RulesChangeId", bytes)
ListImportId = NewType("ListImportId", bytes)
BillerId = NewType("BillerId", bytes)
DueId = NewType("DueId", bytes)
BillLinkId = NewType("BillLinkId", bytes)
DonationId = NewType("DonationId", bytes)

BOOK_MINIMUM: Final = 1
BOOK_MAXIMUM: Final = 32767

COUNTER_BITS: Final = 12
RANDOM_MASK: Final = (1 << 46) - 1
STEP_BACK_MAXIMUM: Final = 10_000 << COUNTER_BITS
"""How far behind its newest id (10 s) a clock may fall and still get ids in order. A larger step is
another clock, or one that was set on purpose: ids follow it."""

RANDOM_BYTES: Final = 6
POOL_BYTES: Final = RANDOM_BYTES * 1024
"""Random bytes drawn from the system at a time: a call per id would cost more than the rest."""

_pack = struct.Struct(">QQ").pack


class MalformedIdError(ValueError):
    """A text is not an id of the kind asked for."""


class _Maker:
    """State behind `new_id`: the newest stamp given out and a pool of random bytes."""

    __slots__ = ("newest", "pool", "used")

    def __init__(self) -> None:
        self.newest = 0
        self.pool = b""
        self.used = 0

    def stamp(self, now_ms: int) -> int:
        """Milliseconds and counter as one number, above the last unless the clock was set back."""
        stamp = now_ms << COUNTER_BITS
        behind = self.newest - stamp
        if 0 <= behind < STEP_BACK_MAXIMUM:
            # A full counter borrows the next millisecond.
            stamp = self.newest + 1
        self.newest = stamp
        return stamp

    def random(self) -> int:
        """46 random bits."""
        start = self.used
        if start == len(self.pool):
            self.pool = os.urandom(POOL_BYTES)
            start = 0
        self.used = start + RANDOM_BYTES
        return int.from_bytes(self.pool[start : self.used], "big") & RANDOM_MASK


_maker = _Maker()


def new_id(book: int, clock: Clock) -> bytes:
    """A fresh id of a book; ids of one process and clock sort in the order they were made.

    Wrap it in the NewType it is meant for: `AccountId(new_id(book, clock))`.

    Raises:
        ValueError: the book is outside 1 to 32767.
    """
    if not BOOK_MINIMUM <= book <= BOOK_MAXIMUM:
        raise ValueError(f"book {book} is outside {BOOK_MINIMUM} to {BOOK_MAXIMUM}")
    stamp = _maker.stamp(clock.now_us() // 1000)
    high = (stamp >> COUNTER_BITS) << 16 | 0x7000 | (stamp & 0xFFF)
    return _pack(high, 1 << 63 | _maker.random() << 16 | book)


def derived_id(identifier: bytes, what: str) -> bytes:
    """Return the id of what comes with something else: of its moment and book, and its own.

    The same thing decided again comes with the same. Two have the same id as rarely as fresh ones.

    Args:
        identifier: of what it comes with.
        what: it is, in up to 16 bytes; each of several has a name of its own.
    """
    digest = bytearray(blake2b(identifier, digest_size=6, person=what.encode()).digest())
    digest[0] = 0x80 | digest[0] & 0x3F
    return identifier[:8] + bytes(digest) + identifier[14:]


def book_of(identifier: bytes) -> int:
    """The book of an id: its last 16 bits."""
    return identifier[14] << 8 | identifier[15]


def milliseconds_of(identifier: bytes) -> int:
    """When an id was made, in milliseconds since the epoch of the clock that made it."""
    return int.from_bytes(identifier[:6], "big")


def first_id_at(at_us: int) -> bytes:
    """Return what sorts before every id made at a time or later, and after all made before it."""
    at_ms = min(max(at_us // 1000, 0), (1 << 48) - 1)
    return at_ms.to_bytes(6, "big") + bytes(10)


T = TypeVar("T", bound=bytes)


class IdKind(Generic[T]):
    """The text form of one kind of id: `<prefix>_<32 lower-case hexadecimal digits>`."""

    __slots__ = ("_length", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix + "_"
        self._length = len(self.prefix) + 32

    def encode(self, identifier: T) -> str:
        """The text of an id."""
        return self.prefix + identifier.hex()

    def decode(self, text: str) -> T:
        """The raw bytes of an id's text.

        Raises:
            MalformedIdError: wrong prefix, length, digits (upper case included) or book.
        """
        digits = text[len(self.prefix) :]
        if len(text) != self._length or not text.startswith(self.prefix) or not _is_hex(digits):
            raise MalformedIdError(f"not an id of the form {self.prefix}<32 hexadecimal digits>")
        identifier = bytes.fromhex(digits)
        if not BOOK_MINIMUM <= book_of(identifier) <= BOOK_MAXIMUM:
            raise MalformedIdError("the id names no book")
        return identifier  # type: ignore[return-value]  # every NewType here is bytes


HEX_DIGITS: Final = frozenset("0123456789abcdef")


def _is_hex(digits: str) -> bool:
    """Whether all are lower-case hexadecimal digits; `bytes.fromhex` would allow spaces."""
    return HEX_DIGITS.issuperset(digits)


ACCOUNT: Final = IdKind[AccountId]("acct")
TRANSACTION: Final = IdKind[TransactionId]("txn")
CUSTOMER: Final = IdKind[CustomerId]("cust")
EVENT: Final = IdKind[EventId]("evt")
PRINCIPAL: Final = IdKind[PrincipalId]("prin")
DEVICE: Final = IdKind[DeviceId]("dev")
SESSION: Final = IdKind[SessionId]("sess")
VERIFICATION: Final = IdKind[VerificationId]("ver")
MESSAGE: Final = IdKind[MessageId]("msg")
APPROVAL: Final = IdKind[ApprovalId]("appr")
MERCHANT: Final = IdKind[MerchantId]("mer")
TERMINAL: Final = IdKind[TerminalId]("trm")
ORDER: Final = IdKind[OrderId]("ord")
REFUND: Final = IdKind[RefundId]("ref")
SHIFT: Final = IdKind[ShiftId]("shift")
STORE: Final = IdKind[StoreId]("sto")
CASHIER: Final = IdKind[CashierId]("csh")
TERMINAL_KEY: Final = IdKind[TerminalKeyId]("tky")
PLAN: Final = IdKind[PlanId]("plan")
SETTLEMENT: Final = IdKind[SettlementId]("stl")
ENDPOINT: Final = IdKind[EndpointId]("whe")
PAYOUT_ACCOUNT: Final = IdKind[PayoutAccountId]("poa")
CAPTURE: Final = IdKind[CaptureId]("cap")
COMBINED: Final = IdKind[CombinedId]("cmb")
MANDATE: Final = IdKind[MandateId]("mnd")
DELIVERY: Final = IdKind[DeliveryId]("whd")
FACTOR: Final = IdKind[FactorId]("fact")
CHALLENGE: Final = IdKind[ChallengeId]("chal")
API_KEY: Final = IdKind[ApiKeyId]("key")
STAFF: Final = IdKind[StaffId]("stf")
RATE_IMPORT: Final = IdKind[RateImportId]("fxi")
QUOTE: Final = IdKind[QuoteId]("fxq")
PROMOTION: Final = IdKind[PromotionId]("fxp")
CONVERSION: Final = IdKind[ConversionId]("fxc")
LIMIT_ORDER: Final = IdKind[LimitOrderId]("fxo")
RATE_ALERT: Final = IdKind[RateAlertId]("fxa")
CASE: Final = IdKind[CaseId]("case")
DECISION: Final = IdKind[DecisionId]("dec")
FREEZE: Final = IdKind[FreezeId]("frz")
RULE_SET: Final = IdKind[RuleSetId]("rset")
RULES_CHANGE: Final = IdKind[RulesChangeId]("rchg")
LIST_IMPORT: Final = IdKind[ListImportId]("limp")
BILLER: Final = IdKind[BillerId]("bil")
DUE: Final = IdKind[DueId]("due")
BILL_LINK: Final = IdKind[BillLinkId]("bll")
DONATION: Final = IdKind[DonationId]("don")

ORDINAL_MAXIMUM: Final = 99
"""Postings of one transaction are numbered from 0; the contract allows two digits."""


def encode_posting(transaction: TransactionId, ordinal: int) -> str:
    """The address of a posting: its transaction, and after a dot its ordinal unless it is 0."""
    text = TRANSACTION.encode(transaction)
    return f"{text}.{ordinal}" if ordinal else text


def decode_posting(text: str) -> tuple[TransactionId, int]:
    """Transaction and ordinal of a posting's address.

    Raises:
        MalformedIdError: not `txn_<hex>` or `txn_<hex>.<1 to 99>` without leading zeros.
    """
    head, dot, tail = text.partition(".")
    transaction = TRANSACTION.decode(head)
    if not dot:
        return transaction, 0
    if not (tail.isascii() and tail.isdigit()) or tail[0] == "0" or int(tail) > ORDINAL_MAXIMUM:
        raise MalformedIdError("a posting's ordinal is a number from 1 to 99 without leading zeros")
    return transaction, int(tail)
