"""Reads the policy of step-up, and refuses to start with one that leaves a case open."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from longmen_server.challenges.model import (
    ALLOWANCES,
    ANY,
    BANDS,
    PAYEES,
    VALID_S_MAX,
    Decision,
    Operation,
    Policy,
    Rule,
    Version,
    is_enough,
)
from longmen_server.factors.model import FactorKind, bits

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PolicyError", "load_policy", "read_policy"]

FILE: Final = "policy.toml"
HOUR_US: Final = 3_600_000_000
COOLING_US_MAX: Final = 30 * 24 * HOUR_US
OPERATIONS: Final = tuple(operation.name.lower() for operation in Operation)


class PolicyError(Exception):
    """A policy makes no sense; the message says where."""


@cache
def load_policy() -> Policy:
    """Return the policy that comes with the server."""
    return read_policy(resources.files(__package__).joinpath(FILE).read_text("utf-8"))


def read_policy(text: str) -> Policy:
    """Read a policy.

    Raises:
        PolicyError: a case without a rule, an unknown word, or a number out of bounds.
    """
    document = tomllib.loads(text)
    try:
        versions = tuple(_version(entry) for entry in document["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"{type(error).__name__}: {error}") from error
    days = [version.effective_from for version in versions]
    if not days or days != sorted(set(days)):
        raise PolicyError("versions have different days, oldest first")
    return Policy(versions)


def _version(entry: dict[str, Any]) -> Version:
    version = Version(
        effective_from=entry["effective_from"],
        valid_s=entry["valid_s"],
        exempt_in_a_row=entry["exempt_in_a_row"],
        small_up_to=entry["small_up_to"],
        large_above=entry["large_above"],
        rules=tuple(_rule(rule) for rule in entry["rule"]),
        sign_in=tuple(_kinds(names) for names in entry["sign_in"]),
        sign_in_instead=_kinds(entry["sign_in_instead"]),
        cooling_us=entry["cooling_hours"] * HOUR_US,
        cooling_up_to=entry["cooling_up_to"],
    )
    if not entry["source"]:
        raise PolicyError("a version names its source")
    if not 0 < version.valid_s <= VALID_S_MAX:
        raise PolicyError(f"challenges are valid for up to {VALID_S_MAX} seconds")
    if not version.sign_in or not all(version.sign_in):
        raise PolicyError("signing in names what it takes")
    if not 0 <= version.cooling_us <= COOLING_US_MAX or min(version.cooling_up_to.values()) <= 0:
        raise PolicyError("devices cool for up to thirty days, and may send something meanwhile")
    for currency, small in version.small_up_to.items():
        if not 0 <= small <= version.large_above.get(currency, 0):
            raise PolicyError(f"{currency}: small amounts reach beyond large ones")
    for case in product(OPERATIONS, PAYEES, BANDS, ALLOWANCES):
        operation = Operation[case[0].upper()]
        if not any(rule.fits(operation, *case[1:]) for rule in version.rules):
            raise PolicyError(f"no rule for {', '.join(case)}")
    return version


def _kinds(names: Iterable[str]) -> int:
    return bits(FactorKind[name.upper()] for name in names)


def _rule(entry: dict[str, Any]) -> Rule:
    known = {
        "operation": OPERATIONS,
        "payee": PAYEES,
        "band": BANDS,
        "allowance": ALLOWANCES,
    }
    for field, words in known.items():
        if entry[field] not in {ANY, *words}:
            raise PolicyError(f"{field} = {entry[field]!r}: choose one of {', '.join(words)}")
    methods = _kinds(entry["methods"])
    if not is_enough(methods, entry["factors"]):
        raise PolicyError("a rule asks for more factors than it takes")
    return Rule(
        operation=entry["operation"],
        payee=entry["payee"],
        band=entry["band"],
        allowance=entry["allowance"],
        decision=Decision(entry["factors"], methods),
    )
