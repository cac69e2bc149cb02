"""Reads the packs of classes, and refuses to start with one that makes no sense."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from longmen_server.kyc.model import (
    BEST_CLASS,
    CLASSES,
    DOCUMENTS,
    SLOTS_MAX,
    WORST_CLASS,
    Category,
    ClassRules,
    EvidenceKind,
    Pack,
    Packs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PackError", "load_packs", "read_packs"]

FOLDER: Final = "packs"
LIMITS: Final = ("balance", "single", "day", "year")


class PackError(Exception):
    """A pack makes no sense; the message says where."""


@cache
def load_packs() -> Packs:
    """Return the packs that come with the server."""
    folder = resources.files(__package__).joinpath(FOLDER)
    return read_packs(each.read_text("utf-8") for each in folder.iterdir())


def read_packs(texts: Iterable[str]) -> Packs:
    """Read packs in any order.

    Raises:
        PackError: two of one day, a class that is missing or better and yet tighter, an unknown
            word, or a number out of bounds.
    """
    try:
        packs = sorted((_pack(tomllib.loads(text)) for text in texts), key=_day)
    except (KeyError, TypeError, ValueError) as error:
        raise PackError(f"{type(error).__name__}: {error}") from error
    if not packs or len({pack.effective_from for pack in packs}) != len(packs):
        raise PackError("packs have different days")
    if len({pack.currency for pack in packs}) != 1:
        raise PackError("packs have one currency, which limits are counted in")
    return Packs(tuple(packs))


def _day(pack: Pack) -> Any:
    return pack.effective_from


def _pack(entry: dict[str, Any]) -> Pack:
    day = entry["effective_from"]
    if not entry["source"]:
        raise PackError(f"{day}: a pack names its source")
    documents = tuple(EvidenceKind[name.upper()] for name in entry["documents"])
    if not documents or not set(documents) <= set(DOCUMENTS):
        raise PackError(f"{day}: documents of identity are {[kind.name for kind in DOCUMENTS]}")
    classes = {rules.identification_class: rules for rules in map(_rules, entry["class"])}
    if set(classes) != set(CLASSES) or len(entry["class"]) != len(classes):
        raise PackError(f"{day}: each class from {WORST_CLASS} to {BEST_CLASS} once")
    for better in range(BEST_CLASS, WORST_CLASS):
        _check_order(classes[better], classes[better + 1], str(day))
    return Pack(
        effective_from=day,
        currency=entry["currency"],
        documents=documents,
        equivalents=dict(entry["equivalents"]),
        classes=classes,
    )


def _rules(entry: dict[str, Any]) -> ClassRules:
    number = entry["class"]
    if not entry["source"]:
        raise PackError(f"class {number}: names its source")
    needs = tuple(Category[name.upper()] for name in entry["needs"])
    wallets = entry["wallets_per_id_number"]
    if not 0 <= wallets <= SLOTS_MAX or bool(wallets) != (Category.DOCUMENT in needs):
        raise PackError(
            f"class {number}: up to {SLOTS_MAX} wallets for a document, none without one"
        )
    limits: dict[str, int | None] = {name: entry.get(name) for name in LIMITS}
    if any(value is not None and value <= 0 for value in limits.values()):
        raise PackError(f"class {number}: limits are positive, or absent")
    return ClassRules(
        identification_class=number,
        earns_interest=entry["earns_interest"],
        needs=needs,
        wallets_per_id_number=wallets,
        source=entry["source"],
        **limits,
    )


def _check_order(better: ClassRules, worse: ClassRules, day: str) -> None:
    """Refuse a better class that needs less, or whose limits are tighter."""
    if not set(better.needs) >= set(worse.needs):
        raise PackError(f"{day}: class {better.identification_class} needs less than the next")
    for name in LIMITS:
        high, low = getattr(better, name), getattr(worse, name)
        if high is not None and (low is None or low > high):
            raise PackError(f"{day}: class {better.identification_class}: {name} is tighter")
