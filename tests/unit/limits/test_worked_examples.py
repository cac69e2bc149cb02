"""The worked examples of docs/limits.md, run through the code that enforces limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from longmen_server.factors.model import FactorKind, bits
from longmen_server.kyc.model import EvidenceKind
from longmen_server.limits.movement import MovementKind
from longmen_server.platform.refusal import Refusal
from tests.support.limited import PHONE, SERVICE, TILL, LimitedWallet

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "limits.md"
HEAD = "| customer | before | next | answer |"
PIN = bits((FactorKind.PAYMENT_PIN,))
WAYS: dict[str, dict[str, Any]] = {
    "transfer": {},
    "hold": {"is_held": True},
    "withdrawal": {"kind": MovementKind.WITHDRAWAL, "is_own": True},
    "static": {"kind": MovementKind.STATIC_CODE_PAYMENT, "asker": SERVICE},
    "code": {"kind": MovementKind.PAYER_CODE_PAYMENT, "asker": TILL},
    "payment": {"kind": MovementKind.PAYMENT, "asker": PHONE},
    "approved": {"kind": MovementKind.PAYMENT, "asker": PHONE._replace(approved=PIN)},
}


def examples() -> Iterator[list[str]]:
    lines = iter(GUIDE.read_text("utf-8").splitlines())
    for line in lines:
        if line == HEAD:
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def wallet_of(text: str) -> LimitedWallet:
    """The customer that the first cell describes."""
    identified = re.search(r"class (\d)", text)
    typed = re.search(r"type (\d)", text)
    return LimitedWallet(
        int(identified[1]) if identified else 0,
        document=int(EvidenceKind.PASSPORT) if "passport" in text else 0,
        account_type=int(typed[1]) if typed else 0,
        kinds=PIN,
    )


def fields_of(text: str) -> dict[str, Any]:
    """The movement that words describe."""
    word, yuan = text.split()
    return {"amount": round(float(yuan) * 100), **WAYS[word]}


def answer_to(wallet: LimitedWallet, text: str) -> str:
    """What becomes of a movement, as the last cell says it."""
    try:
        factors = wallet.judge(**fields_of(text))[1].factors
    except Refusal as refusal:
        refused = refusal
    else:
        return f"asked for {factors} factor" if factors else "passes"
    left = refused.metadata.get("remaining_minor_units")
    more = "" if left is None else f", {int(left) / 100:.2f} left"
    return refused.metadata["limit"] + more


def test_there_are_examples() -> None:
    assert len(list(examples())) >= 10


@pytest.mark.parametrize("row", list(examples()), ids=lambda row: f"{row[0]}, {row[2]}")
def test_a_worked_example_is_what_happens(row: list[str]) -> None:
    customer, before, following, answer = row
    wallet = wallet_of(customer)
    for text in filter(None, before.split(", ")):
        assert wallet.refused(**fields_of(text)) is None, text
    assert answer_to(wallet, following) == answer
