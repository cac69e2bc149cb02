"""Looking at what a customer offers as proof, whatever kind of factor it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.factors.model import MAIN_SLOT, FactorKind, FactorRow, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen.identity.v1 import factor_pb2
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.platform.ids import CustomerId

__all__ = ["judge", "kind_of", "usable_passkeys"]

_KINDS: Final = {
    "payment_pin": FactorKind.PAYMENT_PIN,
    "password": FactorKind.PASSWORD,
    "totp_code": FactorKind.TOTP,
    "backup_code": FactorKind.BACKUP_CODES,
    "passkey_assertion_json": FactorKind.PASSKEY,
    "message_code": FactorKind.MESSAGE_CODE,
}
"""Kinds by the field of the proof."""


def kind_of(proof: factor_pb2.FactorProof) -> FactorKind:
    """Return what is offered; the contract's rules demand that something is."""
    return _KINDS[proof.WhichOneof("proof") or ""]


def usable_passkeys(factors: Sequence[FactorRow]) -> list[FactorRow]:
    """Return the passkeys that can prove; a flagged one is refused like a wrong one."""
    return [f for f in factors if f.is_active and f.kind == FactorKind.PASSKEY]


async def judge(
    checks: FactorChecks,
    proof: factor_pb2.FactorProof,
    *,
    customer_id: CustomerId,
    factors: Sequence[FactorRow],
    passkey_challenge: bytes,
    now_us: int,
) -> Verdict:
    """Look at a proof; a kind that is not set up takes as long as a wrong one.

    Args:
        checks: looks at secrets.
        proof: what was offered.
        customer_id: whose factors they are.
        factors: everything that is kept of them.
        passkey_challenge: what a passkey has to have signed.
        now_us: for codes that go by time.

    Raises:
        Refusal: OVERLOADED.
    """
    kind = kind_of(proof)
    if kind == FactorKind.PASSKEY:
        return checks.check_passkey(
            usable_passkeys(factors), proof.passkey_assertion_json, passkey_challenge
        )
    places = (f for f in factors if f.is_active and f.kind == kind and f.slot == MAIN_SLOT)
    factor = next(places, None)
    if kind == FactorKind.TOTP:
        return checks.check_totp(customer_id, factor, proof.totp_code, now_us)
    if kind == FactorKind.BACKUP_CODES:
        return await checks.check_code(customer_id, factor, proof.backup_code)
    offered = proof.payment_pin or proof.password
    return await checks.check_secret(customer_id, factor, kind, offered)
