"""Reads rows of lists: good ones as they are compared, bad ones with line and reason. Pure."""

from __future__ import annotations

import codecs
import csv
import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import phonenumbers

from longmen_server.platform.ids import ACCOUNT, CUSTOMER, DEVICE, MERCHANT, MalformedIdError
from longmen_server.risk.model import ListedKind
from longmen_server.risklists.folding import fold, hidden_character

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from longmen_server.platform.ids import IdKind

__all__ = ["BadRow", "Entry", "Rows", "ValueProblemError", "normalise", "read_rows"]

HEADER: Final = ("value", "label")
COLUMNS_MAX: Final = 2
VALUE_MAX: Final = 200
"""Characters of a value or a label."""
SHOWN_MAX: Final = 60
"""Characters of a bad value that are told."""
_IDS: Final[dict[ListedKind, IdKind[Any]]] = {
    ListedKind.ACCOUNT: ACCOUNT,
    ListedKind.CUSTOMER: CUSTOMER,
    ListedKind.DEVICE: DEVICE,
    ListedKind.MERCHANT: MERCHANT,
}
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_LETTER: Final = re.compile(r"[^\W\d_]")


class ValueProblemError(ValueError):
    """A text is no value of a kind; the message is the code of what is wrong."""


class Entry(NamedTuple):
    """A good row."""

    key: str
    """As it is compared."""
    value: str
    """As it was written."""
    label: str


class BadRow(NamedTuple):
    """A row that is no entry."""

    line: int
    code: str
    value: str


class Rows(NamedTuple):
    """What a chunk holds."""

    entries: list[Entry]
    bad: list[BadRow]
    lines: int
    """Lines of it, bad and empty ones included."""


def normalise(kind: ListedKind, text: str) -> str:
    """Return a value as it is compared.

    Raises:
        ValueProblemError: it is none of the kind.
    """
    text = text.strip()
    if not text:
        raise ValueProblemError("EMPTY")
    if len(text) > VALUE_MAX:
        raise ValueProblemError("TOO_LONG")
    if hidden_character(text):
        raise ValueProblemError("HIDDEN_CHARACTER")
    return _READERS[kind](text)


def read_rows(kind: ListedKind, content: bytes, *, first_line: int) -> Rows:
    """Return the rows of a chunk; it never raises.

    Args:
        kind: of the list.
        content: whole lines of CSV in UTF-8, with any line ends.
        first_line: the number of its first line within the file.
    """
    entries: list[Entry] = []
    bad: list[BadRow] = []
    seen: set[str] = set()
    if first_line == 1:
        content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.splitlines()
    for number, raw in enumerate(lines, start=first_line):
        try:
            columns = _columns(raw)
            if number == 1 and tuple(c.strip().lower() for c in columns) in {HEADER, HEADER[:1]}:
                continue
            if not columns:
                continue  # an empty line, as editors leave one at the end
            entry = _entry(kind, columns, seen)
        except ValueProblemError as error:
            bad.append(BadRow(number, str(error), _shown(raw)))
            continue
        entries.append(entry)
    return Rows(entries, bad, len(lines))


def _columns(raw: bytes) -> list[str]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueProblemError("NOT_UTF8") from error
    if not text.strip():
        return []
    if text.count('"') % 2:
        raise ValueProblemError("QUOTES")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise ValueProblemError("QUOTES") from error


def _entry(kind: ListedKind, columns: list[str], seen: set[str]) -> Entry:
    if len(columns) > COLUMNS_MAX:
        raise ValueProblemError("TOO_MANY_COLUMNS")
    label = columns[1].strip() if len(columns) == COLUMNS_MAX else ""
    if len(label) > VALUE_MAX:
        raise ValueProblemError("TOO_LONG")
    if hidden_character(label):
        raise ValueProblemError("HIDDEN_CHARACTER")
    key = normalise(kind, columns[0])
    if key in seen:
        raise ValueProblemError("DUPLICATE")
    seen.add(key)
    return Entry(key, columns[0].strip(), label)


def _shown(raw: bytes) -> str:
    """Return a bad row as somebody may read it."""
    text = raw[: SHOWN_MAX * 4].decode("utf-8", "replace")[:SHOWN_MAX]
    return "".join("�" if hidden_character(character) else character for character in text)


def _id(kind: ListedKind) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            _IDS[kind].decode(text)
        except MalformedIdError as error:
            raise ValueProblemError("NOT_AN_ID") from error
        return text

    return read


def _address(text: str) -> str:
    """Return a network by its first address and length; an address is a network of itself."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueProblemError("NOT_AN_ADDRESS") from error
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        # ::ffff:a.b.c.d is a.b.c.d, whatever a client calls it.
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    return str(network)


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise ValueProblemError("NOT_A_PHONE_NUMBER") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueProblemError("NOT_A_PHONE_NUMBER")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _country(text: str) -> str:
    if not _COUNTRY.match(text.upper()):
        raise ValueProblemError("NOT_A_COUNTRY")
    return text.upper()


def _name(text: str) -> str:
    folded = fold(text)
    if len(folded) < 2 or not _LETTER.search(text):
        raise ValueProblemError("NOT_A_NAME")
    return folded


_READERS: Final[dict[ListedKind, Callable[[str], str]]] = {
    **{kind: _id(kind) for kind in _IDS},
    ListedKind.ADDRESS: _address,
    ListedKind.PHONE: _phone,
    ListedKind.COUNTRY: _country,
    ListedKind.NAME: _name,
}


def write_entries(entries: list[Entry]) -> bytes:
    """Return entries as they are stored: key, value and label with tabs between, one a line."""
    return "".join(f"{e.key}\t{e.value}\t{e.label}\n" for e in entries).encode()


def read_entries(stored: bytes) -> Iterator[Entry]:
    """Yield what :func:`write_entries` stored."""
    for line in stored.decode().split("\n"):
        if line:
            yield Entry(*line.split("\t"))
