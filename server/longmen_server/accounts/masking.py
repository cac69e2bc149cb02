"""What a stranger may see of a customer's name and phone number."""

from __future__ import annotations

import unicodedata
from typing import Final

STARS_MAX: Final = 3
"""Stars for the rest of a word, at most, so that long names do not tell their length."""

_IDEOGRAPHIC: Final = ("CJK ", "HIRAGANA ", "KATAKANA ", "HANGUL ")
"""How Unicode names characters begin in scripts whose names are written without spaces."""


def mask_name(name: str) -> str:
    """Return a name so that someone who knows it recognises it, and nobody else learns it.

    Names in Chinese, Japanese or Korean characters keep the last one: "王小明" gives "*明". Others
    keep the initial of each word: "Alan Lee" gives "A*** L**". A single letter is starred.
    """
    words = unicodedata.normalize("NFC", name).split()
    if not words:
        return "*"
    whole = "".join(words)
    if _is_ideographic(whole[-1]):
        return "*" + whole[-1] if len(whole) > 1 else "*"
    return " ".join(_mask_word(word) for word in words)


def _mask_word(word: str) -> str:
    hidden = len(word) - 1
    return word[0] + "*" * min(hidden, STARS_MAX) if hidden else "*"


def _is_ideographic(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_IDEOGRAPHIC)


def mask_phone(phone_number: str) -> str:
    """Return an E.164 number without the four digits before its end: "+86138****8000".

    Of short numbers, of less than ten digits, only the last two follow the stars.
    """
    digits = phone_number.removeprefix("+")
    tail = 4 if len(digits) >= 10 else 2
    return f"+{digits[: -tail - 4]}****{digits[-tail:]}"


def mask_email(address: str) -> str:
    """Return an e-mail address of which only the first letter and the domain can be read."""
    local, _, domain = address.rpartition("@")
    return f"{_mask_word(local)}@{domain}"
