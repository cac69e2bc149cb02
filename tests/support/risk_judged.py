"""Decisions of every outcome in the book that the verification proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.risk.v1 import case_pb2, outcome_pb2
from longmen_server.platform.refusal import Refusal
from tests.support import risk
from tests.support.wallets import STAFF

if TYPE_CHECKING:
    from tests.support.wallets import Person, Wallets

EVERY = (risk.NOTICE, risk.DELAY, risk.REVIEW, risk.DECLINE, risk.FREEZE_PAYEE)


async def fill_decisions(wallets: Wallets) -> None:
    """Payments that were judged in every way, and freezes in force and lifted."""
    payer = await wallets.person(funds=1_000_000)
    for amount in EVERY:
        await _pay(wallets, payer, await wallets.person(), amount)
    await _look_at(wallets)
    other = await wallets.person(funds=1_000_000)
    await _pay(wallets, other, payer, risk.FREEZE)
    (freeze,) = (await wallets.ask("ListFreezes", other.principal)).freezes
    await wallets.ask("LiftFreeze", freeze_id=freeze.freeze_id)
    taken_back = await wallets.pay(other, payer, risk.DELAY)
    await wallets.ask(
        "CancelTransfer", other.principal, transfer_id=taken_back.transfer.transfer_id
    )
    await wallets.ask(
        "PlaceFreeze",
        customer_id=other.customer,
        scope=outcome_pb2.FREEZE_SCOPE_ONLY_OUT,
        reason="CONFIRMED_FRAUD",
    )


async def _pay(wallets: Wallets, payer: Person, payee: Person, amount: int) -> None:
    try:
        await wallets.pay(payer, payee, amount)
    except Refusal as refusal:
        assert refusal.reason == "RISK_REJECTED"  # noqa: PT017 - others fail the test


async def _look_at(wallets: Wallets) -> None:
    """One more case, with a note, that is closed."""
    payer, payee = await wallets.person(funds=1_000_000), await wallets.person()
    held = await wallets.pay(payer, payee, risk.REVIEW)
    case_id = "case_" + held.transfer.transfer_id.removeprefix("txn_")
    await wallets.ask("AddCaseNote", STAFF, case_id=case_id, text="called the payer")
    await wallets.ask(
        "CloseCase",
        STAFF,
        case_id=case_id,
        verdict=case_pb2.CASE_VERDICT_CONFIRMED_FRAUD,
        reason_text="the payer knows nothing of it",
    )
