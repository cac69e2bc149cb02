"""`longmen recovery`: letting a customer back in who has lost what the wallet is approved with."""

from __future__ import annotations

from typing import Any

import rich_click as click

from longmen.identity.v1 import factor_pb2, factor_reset_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import EnumType
from longmen_server.console.session import Session, connected, request_id_option

KIND = EnumType(factor_pb2.FactorKind.DESCRIPTOR, "FACTOR_KIND_")
EVIDENCE = EnumType(factor_reset_pb2.FactorResetEvidence.DESCRIPTOR, "FACTOR_RESET_EVIDENCE_")


@click.group(epilog=EXIT_CODES)
def recovery() -> None:
    """The bank's reset of factors that a customer has lost."""


@recovery.command()
@click.argument("customer_id")
@click.option("--kind", "kinds", type=KIND, multiple=True, required=True, help="What is lost.")
@click.option("--evidence", type=EVIDENCE, required=True, help="How the bank saw who asks.")
@click.option("--reference", required=True, help="Where the evidence is filed.")
@click.option("--thumbprint", required=True, help="Of the device that will sign in; it shows it.")
@click.option("--reason", "reason_text", default="", help="For whoever decides.")
@request_id_option
@connected
def propose(
    session: Session,
    customer_id: str,
    *,
    kinds: tuple[Any, ...],
    evidence: Any,
    reference: str,
    thumbprint: str,
    reason_text: str,
    request_id: str | None,
) -> None:
    """Propose a reset; once another person approves, it cools and the customer is told."""
    from longmen.identity.v1 import factor_reset_service_pb2 as pb
    from longmen.staff.v1 import approval_pb2
    from longmen_client.ids import new_request_id

    request = pb.ResetFactorsRequest(
        request_id=new_request_id(),
        customer_id=customer_id,
        kinds=kinds,
        evidence=evidence,
        evidence_reference=reference,
        key_thumbprint=thumbprint,
    )
    made = session.bank.approvals.propose_approval(
        command=approval_pb2.ProposedCommand(reset_factors=request),
        reason_text=reason_text,
        request_id=request_id,
    ).message.approval
    session.show(made, lambda: f"proposed {made.approval_id}; another one approves it")


@recovery.command()
@click.argument("customer_id", default="")
@connected
def show(session: Session, customer_id: str) -> None:
    """Show the latest reset; customers leave their own id out."""
    found = session.bank.factor_resets.get_factor_reset(customer_id=customer_id).reset
    session.show(found, lambda: card(found))


@recovery.command()
@click.argument("customer_id", default="")
@request_id_option
@connected
def cancel(session: Session, customer_id: str, request_id: str | None) -> None:
    """Turn a reset down while it cools, at the customer's word."""
    reply = session.bank.factor_resets.cancel_factor_reset(
        customer_id=customer_id, request_id=request_id
    ).message
    session.show(reply, lambda: card(reply.reset))


def card(one: factor_reset_pb2.FactorReset) -> Any:
    """A reset for people."""
    state = factor_reset_pb2.FactorResetState.Name(one.state)
    evidence = factor_reset_pb2.FactorResetEvidence.Name(one.evidence)
    kinds = [factor_pb2.FactorKind.Name(kind) for kind in one.kinds]
    return views.card(
        "Reset",
        [
            ("customer", one.customer_id),
            ("state", state.removeprefix("FACTOR_RESET_STATE_")),
            ("removes", " ".join(kind.removeprefix("FACTOR_KIND_") for kind in kinds)),
            ("evidence", evidence.removeprefix("FACTOR_RESET_EVIDENCE_")),
            ("filed as", one.evidence_reference),
            ("device", one.key_thumbprint),
            ("approved", views.moment(one.approve_time)),
            ("effective", views.moment(one.effective_time)),
        ],
    )
