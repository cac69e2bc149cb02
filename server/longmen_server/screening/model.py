"""Screenings, what they matched, and what they hold up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import CaseId, CustomerId

__all__ = [
    "HELD",
    "FoundMatch",
    "MatchKey",
    "MatchRow",
    "Screened",
    "ScreeningRow",
    "identification_held",
]

HELD: Final = "IDENTIFICATION_HELD"
"""Reason of the refusal that a screening brings."""


class FoundMatch(NamedTuple):
    """An entry of a list that a name is like."""

    match_id: bytes
    """16 bytes that the same name and the same entry of the same list always have."""
    list_name: str
    sealed: bytes
    """The entry as it stands in the list, with its label."""
    likeness: int
    """In per cent."""


class Screened(NamedTuple):
    """What came of looking a name up in every list of names."""

    sealed_name: bytes
    """The name as it is kept on file: whoever has another one there by now was not looked up."""
    lists_version: int
    """Of the lists: it grows with every list of names that is imported."""
    matches: tuple[FoundMatch, ...]


@dataclass(slots=True)
class ScreeningRow:
    """Where the screening of a customer stands, in the order of its columns."""

    customer_id: CustomerId
    lists_version: int
    screened_at_us: int
    open_case_id: CaseId | None
    """Case that waits for its verdict; there is one at most."""
    confirmed_case_id: CaseId | None
    """Case by which the customer is whom a list names. Its freeze has the same bytes."""

    def copy(self) -> ScreeningRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class MatchKey(NamedTuple):
    """One match of a customer."""

    customer_id: CustomerId
    match_id: bytes


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A match as stored, in the order of its columns; it never changes.

    What is here opens no case again: it waits for a verdict, or has one.
    """

    customer_id: CustomerId
    match_id: bytes
    case_id: CaseId
    likeness: int
    found_at_us: int
    list_name: str
    sealed: bytes
    """The entry with its label, under the customer's data key."""


def identification_held() -> Refusal:
    """Return the refusal of a better class, and of being forgotten.

    It is the same whatever came out and says nothing of lists: a customer who learned of a match
    could take money and evidence away.
    """
    return Refusal(HELD, "the bank does not change the identification at present")
