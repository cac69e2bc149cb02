"""Evidence sealed before a command is made, and opened, to be masked, after a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.accounts.masking import mask_name
from longmen_server.kyc.model import Category, EvidenceKind, SealedEvidence, mask_number
from longmen_server.platform.ids import book_of
from longmen_server.platform.pii import Field, IndexKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.kyc.model import ChangeRow, Document, EvidenceRow
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import DataKey, Vault

__all__ = [
    "OpenEvidence",
    "clear_evidence",
    "clear_name",
    "clear_reason",
    "open_evidence",
    "seal_account",
    "seal_document",
    "seal_reason",
]

NUMBER: Final = Field("kyc_evidence", "number")
NAME: Final = Field("kyc_evidence", "name")
BIRTH_DATE: Final = Field("kyc_evidence", "birth_date")
REASON_TEXT: Final = Field("kyc_change", "reason_text")


class OpenEvidence(NamedTuple):
    """Evidence as its owner and the bank may see it."""

    row: EvidenceRow
    masked_number: str
    masked_name: str


def seal_document(
    vault: Vault, key: DataKey, customer_id: CustomerId, document: Document
) -> SealedEvidence:
    """Return a document as it is kept."""
    book, place = book_of(customer_id), _place(customer_id, Category.DOCUMENT)
    return SealedEvidence(
        kind=document.kind,
        number=key.seal(NUMBER, book, place, document.number),
        number_index=vault.index(IndexKind.ID_NUMBER, document.indexed),
        name=key.seal(NAME, book, place, document.name),
        birth_date=key.seal(BIRTH_DATE, book, place, document.birth_date.isoformat()),
    )


def seal_account(key: DataKey, customer_id: CustomerId, number: str) -> SealedEvidence:
    """Return the number of a bank account as it is kept."""
    place = _place(customer_id, Category.BANK_ACCOUNT)
    sealed = key.seal(NUMBER, book_of(customer_id), place, number)
    return SealedEvidence(kind=EvidenceKind.BANK_ACCOUNT, number=sealed)


def seal_reason(key: DataKey, customer_id: CustomerId, text: str) -> bytes:
    """Return why a class was lowered as it is kept."""
    return key.seal(REASON_TEXT, book_of(customer_id), customer_id, text)


def clear_evidence(key: DataKey, customer_id: CustomerId, row: EvidenceRow) -> dict[str, str]:
    """Return what evidence says, in clear, for its owner alone.

    Raises:
        SealBrokenError: as :func:`open_evidence`.
    """
    book, place = book_of(customer_id), _place(customer_id, row.category)
    sealed = ((NUMBER, row.number), (NAME, row.name), (BIRTH_DATE, row.birth_date))
    return {
        field.column: key.open(field, book, place, content)
        for field, content in sealed
        if content is not None
    }


def clear_name(key: DataKey, customer_id: CustomerId, sealed: bytes) -> str:
    """Return the name in a document, in clear, to look it up in lists.

    Raises:
        SealBrokenError: as :func:`open_evidence`.
    """
    place = _place(customer_id, Category.DOCUMENT)
    return key.open(NAME, book_of(customer_id), place, sealed)


def clear_reason(key: DataKey, customer_id: CustomerId, row: ChangeRow) -> str:
    """Return why a class was lowered; empty where nobody gave a reason.

    Raises:
        SealBrokenError: as :func:`open_evidence`.
    """
    if row.reason_text is None:
        return ""
    return key.open(REASON_TEXT, book_of(customer_id), customer_id, row.reason_text)


def open_evidence(
    key: DataKey, customer_id: CustomerId, rows: Iterable[EvidenceRow]
) -> list[OpenEvidence]:
    """Return evidence, masked.

    Raises:
        SealBrokenError: it was damaged or moved from another place.
    """
    book = book_of(customer_id)
    found = []
    for row in rows:
        place = _place(customer_id, row.category)
        number = "" if row.number is None else key.open(NUMBER, book, place, row.number)
        name = "" if row.name is None else key.open(NAME, book, place, row.name)
        masked = OpenEvidence(row, mask_number(number) if number else "", name and mask_name(name))
        found.append(masked)
    return found


def _place(customer_id: CustomerId, category: int) -> bytes:
    return customer_id + bytes((category,))
