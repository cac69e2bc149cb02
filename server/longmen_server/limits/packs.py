"""Reads the packs of limits, and refuses to start with one that makes no sense."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from longmen_server.kyc.model import CLASSES, DOCUMENTS, EvidenceKind
from longmen_server.limits.model import ACCOUNT_TYPES, Cap, Lift, Period, Track

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

__all__ = ["LimitPack", "LimitPacks", "PackError", "PackedCap", "load_packs", "read_packs"]

FOLDER: Final = "packs"
STACKS: Final = ("QR_GRADE", "PASSWORD_FREE", "VISITOR", "ACCOUNT_TYPE", "OWN", "REPORTS")
HOURS_MAX: Final = 720


class PackError(Exception):
    """A pack makes no sense; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedCap:
    """A cap as a pack has it, in the pack's currency, and whom it binds."""

    cap: Cap
    account_type: int
    """0 for accounts of any type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPack:
    """One stack from one day on."""

    stack: str
    effective_from: dt.date
    currency: str
    source: str
    documents: frozenset[int]
    """Kinds of documents of those whom it binds; empty for everybody."""
    except_classes: frozenset[int]
    caps: tuple[PackedCap, ...]
    balances: Mapping[int, int]
    """The most an account of a type may hold."""
    raise_wait_us: int
    """How long a customer's own higher cap waits."""
    large_value: int
    """Sum of a day that is reported; 0 for none."""

    def binds(self, identification_class: int, document: int) -> bool:
        """Whether it is for such a customer."""
        if self.documents and document not in self.documents:
            return False
        return identification_class not in self.except_classes


@dataclass(frozen=True, slots=True)
class LimitPacks:
    """Every pack, oldest first."""

    packs: tuple[LimitPack, ...]

    def at(self, day: dt.date) -> Mapping[str, LimitPack]:
        """Return the pack of each stack that is in force on a day; none before its first."""
        return {pack.stack: pack for pack in self.packs if pack.effective_from <= day}


@cache
def load_packs() -> LimitPacks:
    """Return the packs that come with the server."""
    folder = resources.files(__package__).joinpath(FOLDER)
    return read_packs(each.read_text("utf-8") for each in folder.iterdir())


def read_packs(texts: Iterable[str]) -> LimitPacks:
    """Read packs in any order.

    Raises:
        PackError: two of one stack and day, an unknown word, or a number out of bounds.
    """
    try:
        packs = sorted((_pack(tomllib.loads(text)) for text in texts), key=_day)
    except (KeyError, TypeError, ValueError) as error:
        raise PackError(f"{type(error).__name__}: {error}") from error
    if len({(pack.stack, pack.effective_from) for pack in packs}) != len(packs):
        raise PackError("packs of a stack have different days")
    return LimitPacks(tuple(packs))


def _day(pack: LimitPack) -> Any:
    return pack.effective_from


def _pack(entry: dict[str, Any]) -> LimitPack:
    stack, day = entry["stack"], entry["effective_from"]
    if stack not in STACKS:
        raise PackError(f"{stack}: a stack is one of {', '.join(STACKS)}")
    if not entry["source"]:
        raise PackError(f"{stack} of {day}: a pack names its source")
    documents = frozenset(EvidenceKind[name.upper()] for name in entry.get("documents", ()))
    if not documents <= set(DOCUMENTS):
        raise PackError(f"{stack} of {day}: documents of identity")
    exempt = frozenset(entry.get("except_classes", ()))
    if not exempt <= set(CLASSES):
        raise PackError(f"{stack} of {day}: there is no such class")
    hours = entry.get("raise_wait_hours", 0)
    if not 0 <= hours <= HOURS_MAX:
        raise PackError(f"{stack} of {day}: raising waits for up to {HOURS_MAX} hours")
    balances = {one["account_type"]: one["amount"] for one in entry.get("balance", ())}
    large_value = entry.get("large_value", 0)
    if large_value < 0 or any(amount <= 0 for amount in balances.values()):
        raise PackError(f"{stack} of {day}: limits are positive")
    return LimitPack(
        stack=stack,
        effective_from=day,
        currency=entry["currency"],
        source=entry["source"],
        documents=documents,
        except_classes=exempt,
        caps=tuple(_cap(one, day, entry["source"]) for one in entry.get("cap", ())),
        balances=balances,
        raise_wait_us=hours * 3_600_000_000,
        large_value=large_value,
    )


def _cap(entry: dict[str, Any], day: dt.date, source: str) -> PackedCap:
    name, account_type = entry["name"], entry.get("account_type", 0)
    amount, count = entry.get("amount"), entry.get("count")
    if (amount is None) == (count is None) or (amount or count or 0) <= 0:
        raise PackError(f"{name}: either an amount or a number, above zero")
    if account_type and account_type not in ACCOUNT_TYPES:
        raise PackError(f"{name}: there is no such type of account")
    cap = Cap(
        name=name,
        period=Period[entry["period"].upper()],
        tracks=tuple(Track[track.upper()] for track in entry["tracks"]),
        amount=amount,
        count=count,
        restores=entry["restores"],
        lifted_by=tuple(Lift[lift.upper()] for lift in entry["lifted_by"]),
        effective_from=day,
        source=source,
    )
    if not cap.tracks or not cap.lifted_by:
        raise PackError(f"{name}: sums something up, and something lifts it")
    if (Track.ACCOUNT in cap.tracks) != bool(account_type):
        raise PackError(f"{name}: caps of a type of account sum up accounts")
    if count is not None and cap.period != Period.DAY:
        raise PackError(f"{name}: movements are numbered by day")
    return PackedCap(cap=cap, account_type=account_type)
