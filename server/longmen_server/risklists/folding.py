"""Names as they are compared: whatever script, case, width or marks they are written with. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["HAN", "fold", "hidden_character", "joined", "turned", "words_of"]

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

HAN: Final = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+")
"""Words in Chinese characters."""


def hidden_character(text: str) -> str:
    """Return the first character that a reader cannot see, as U+XXXX; empty where there is none."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}:
            return f"U+{ord(character):04X}"
    return ""


def words_of(name: str) -> list[str]:
    """Return the words of a name as they are compared, in the order that they stand in.

    Width and compatibility forms go by NFKC, marks by taking letters apart, case by folding, look-
    alikes by a table; what cannot be seen is left out, and what is no letter or digit parts words.
    Chinese characters that follow each other are one word: nothing parts them in Chinese, so what
    does tells nothing.
    """
    whole = unicodedata.normalize("NFKC", name).casefold()
    letters = []
    for character in unicodedata.normalize("NFKD", whole):
        category = unicodedata.category(character)
        if category[0] in "LN":
            letters.append(character)
        elif category[0] not in "MC":
            letters.append(" ")
    words: list[str] = []
    for word in "".join(letters).translate(_CONFUSABLE).split():
        if words and HAN.fullmatch(words[-1]) and HAN.fullmatch(word):
            words[-1] += word
        else:
            words.append(word)
    return words


def fold(name: str) -> str:
    """Return a name as it is compared: its words in order of the alphabet, with single spaces."""
    return " ".join(sorted(words_of(name)))


def joined(name: str) -> str:
    """Return a name as it is compared where words may have been parted: without any spaces."""
    return "".join(words_of(name))


def turned(name: str) -> tuple[str, ...]:
    """Return a name without spaces as it may stand: family name first, last, or as it is written.

    Chinese names in Latin letters are written with the given name in one word or in two, and with
    either name first; in Chinese characters they may be parted by spaces or points.
    """
    parts = [part for part in re.split(r"[\W_]+", unicodedata.normalize("NFKC", name)) if part]
    orders = (parts, parts[1:] + parts[:1], parts[-1:] + parts[:-1])
    return tuple(dict.fromkeys("".join(words_of(" ".join(order))) for order in orders))
