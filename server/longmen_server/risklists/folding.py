"""Names as they are compared: whatever script, case, width or marks they are written with. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["fold", "hidden_character"]

_CONFUSABLE: Final = str.maketrans(
    {
        # Letters that look like Latin ones, after confusables.txt of Unicode (UTS 39).
        **dict(zip("авекмнорстухѕіјԁһԛԝүґ", "abekmhopctyxsijdhqwyr", strict=True)),
        **dict(zip("αβεηικνορτυχωϲϳ", "abeniknoptuxwcj", strict=True)),
        **dict(zip("ıłøđðþæœß", ("i", "l", "o", "d", "d", "th", "ae", "oe", "ss"), strict=True)),
        **dict(zip("0135", "oies", strict=True)),
    }
)
"""Applied to every name on either side, so a wrong letter for a real one costs nothing: what is
compared is not shown to anybody."""


def hidden_character(text: str) -> str:
    """Return the first character that a reader cannot see, as U+XXXX; empty where there is none."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}:
            return f"U+{ord(character):04X}"
    return ""


def fold(name: str) -> str:
    """Return a name as it is compared: words in order of the alphabet, with single spaces.

    Width and compatibility forms go by NFKC, marks by taking letters apart, case by folding, look-
    alikes by a table; what cannot be seen is left out, and what is no letter or digit parts words.
    """
    whole = unicodedata.normalize("NFKC", name).casefold()
    letters = []
    for character in unicodedata.normalize("NFKD", whole):
        category = unicodedata.category(character)
        if category[0] in "LN":
            letters.append(character)
        elif category[0] not in "MC":
            letters.append(" ")
    return " ".join(sorted("".join(letters).translate(_CONFUSABLE).split()))
