"""What customers are told when risk has to do with them: a few texts that give no rule away."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notice", "notices"]

FILE: Final = "notices.toml"


class Notice(NamedTuple):
    """One text in every language."""

    en: str
    zh: str


@cache
def notices() -> Mapping[str, Notice]:
    """Return the notices by key."""
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    return {key: Notice(**texts) for key, texts in tomllib.loads(text).items()}
