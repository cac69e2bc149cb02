"""The element layer of EMV QR codes: two digits of id, two of length in characters, the value."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ID_LENGTH: Final = 2
VALUE_LENGTH_MAX: Final = 99
CRC_ID: Final = "63"
CRC_HEADER: Final = "6304"
CRC_LENGTH: Final = 4
CODE_CHARACTERS_MAX: Final = 512
"""EMV QRCPS Merchant-Presented Mode, 4.1: the payload should not be longer."""


class CodeError(ValueError):
    """A code is not what it should be.

    Attributes:
        problem: which rule is broken, in lower case with underscores.
        path: ids from the outside in, for example "62.05"; empty for the code as a whole.
        offset: character of the code at which it shows, from 0.
    """

    def __init__(self, problem: str, *, path: str = "", offset: int = 0) -> None:
        super().__init__(f"{problem} at {path or 'the code'} (character {offset})")
        self.problem = problem
        self.path = path
        self.offset = offset


class Element(NamedTuple):
    """One element, with where its value begins in the code."""

    id: str
    value: str
    offset: int


def split(text: str, *, path: str = "", offset: int = 0) -> Iterator[Element]:
    """Take a text apart into its elements, in order.

    Args:
        text: the code, or the value of a template.
        path: ids of the templates it stands in.
        offset: where it begins in the code.

    Raises:
        CodeError: `element_cut_short`, `id_not_digits`, `length_not_digits`, `length_zero`,
            `value_cut_short`.
    """
    at = 0
    while at < len(text):
        here = offset + at
        header = text[at : at + 2 * ID_LENGTH]
        if len(header) < 2 * ID_LENGTH:
            raise CodeError("element_cut_short", path=path, offset=here)
        number, length = header[:ID_LENGTH], header[ID_LENGTH:]
        inner = joined(path, number)
        if not is_digits(number):
            raise CodeError("id_not_digits", path=path, offset=here)
        if not is_digits(length):
            raise CodeError("length_not_digits", path=inner, offset=here + ID_LENGTH)
        if length == "00":
            raise CodeError("length_zero", path=inner, offset=here + ID_LENGTH)
        at += 2 * ID_LENGTH
        value = text[at : at + int(length)]
        if len(value) < int(length):
            raise CodeError("value_cut_short", path=inner, offset=offset + at)
        yield Element(number, value, offset + at)
        at += int(length)


def fields(text: str, *, path: str = "", offset: int = 0) -> dict[str, Element]:
    """Take a text apart into elements by id.

    Raises:
        CodeError: as :func:`split`, and `id_repeated`.
    """
    found: dict[str, Element] = {}
    for element in split(text, path=path, offset=offset):
        if element.id in found:
            inner = joined(path, element.id)
            raise CodeError("id_repeated", path=inner, offset=element.offset)
        found[element.id] = element
    return found


def element(number: str, value: str) -> str:
    """Put an element together.

    Raises:
        CodeError: `length_zero` or `value_too_long` for a value that no length can tell.
    """
    assert len(number) == ID_LENGTH, "ids have two digits"
    assert is_digits(number), "ids have two digits"
    if not value:
        raise CodeError("length_zero", path=number)
    if len(value) > VALUE_LENGTH_MAX:
        raise CodeError("value_too_long", path=number)
    return f"{number}{len(value):02d}{value}"


def template(number: str, elements: Iterable[tuple[str, str]]) -> str:
    """Put a template together from the ids and values within it, leaving out empty values."""
    return element(number, "".join(element(inner, value) for inner, value in elements if value))


def seal(text: str) -> str:
    """Close a code with its checksum."""
    whole = text + CRC_HEADER
    return whole + checksum(whole)


def unseal(code: str) -> str:
    """Return a code without its checksum, which has to be right.

    Raises:
        CodeError: `too_long`, `crc_missing`, `crc_wrong`.
    """
    if len(code) > CODE_CHARACTERS_MAX:
        raise CodeError("too_long", offset=CODE_CHARACTERS_MAX)
    at = len(code) - len(CRC_HEADER) - CRC_LENGTH
    if at < 0 or code[at : at + len(CRC_HEADER)] != CRC_HEADER:
        raise CodeError("crc_missing", path=CRC_ID, offset=max(at, 0))
    # Some makers write the checksum in lower case; it is the same number.
    if checksum(code[:-CRC_LENGTH]) != code[-CRC_LENGTH:].upper():
        raise CodeError("crc_wrong", path=CRC_ID, offset=at + len(CRC_HEADER))
    return code[:at]


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE of the text's UTF-8 bytes, four upper-case hexadecimal digits."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise CodeError("not_unicode", offset=error.start) from error
    return f"{binascii.crc_hqx(data, 0xFFFF):04X}"


def joined(path: str, number: str) -> str:
    """The path of an id within a template."""
    return f"{path}.{number}" if path else number


def is_digits(text: str) -> bool:
    """Whether a text is ASCII digits only."""
    return text.isascii() and text.isdigit()
