"""Chinese names in Latin letters, as documents and lists of other countries have them. Pure."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import islice, product
from typing import Final

from longmen_server.risklists.folding import HAN, words_of

__all__ = ["in_latin"]

READINGS_MAX: Final = 8
"""Of one name: characters that are read in two ways are rare in names, and rarely beside others."""
CHARACTERS_MAX: Final = 12
"""Longer than any Chinese name; names of other peoples in Chinese characters are rarely longer."""
CHARACTERS_KEPT: Final = 10_000
"""Characters whose readings are remembered: more than names are written with."""
FAMILY_NAMES: Final = (1, 2)
"""Characters of a family name."""


def in_latin(name: str) -> tuple[str, ...]:
    """Return the ways to write a Chinese name in Latin letters, without tones and spaces.

    The family name stands first or last in them. Of a name without Chinese characters there are
    none, and of one with others beside them what is Chinese counts.
    """
    chinese = "".join(word for word in words_of(name) if HAN.fullmatch(word))
    if not 1 < len(chinese) <= CHARACTERS_MAX:
        return ()
    found: dict[str, None] = {}
    for syllables in islice(product(*map(_readings, chinese)), READINGS_MAX):
        found["".join(syllables)] = None
        for length in FAMILY_NAMES:
            if length < len(syllables):
                found["".join(syllables[length:] + syllables[:length])] = None
    return tuple(found)


@lru_cache(maxsize=CHARACTERS_KEPT)
def _readings(character: str) -> tuple[str, ...]:
    """Return how a character is read, the commonest first; as it is where nobody knows."""
    # Read by the library when it is imported: its dictionary of phrases is the larger part of it,
    # and knows no names.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin  # a dictionary of megabytes, for what movements never need

    read = pinyin(character, style=Style.NORMAL, heteronym=True, errors="default")[0]
    spelled: dict[str, None] = {}
    for one in read:
        # The letter of 吕 and 女 is v on keyboards, and yu or u in passports.
        for letter in ("v",) if "v" not in one else ("yu", "u", "v"):
            spelled[one.replace("v", letter)] = None
    return tuple(spelled)
