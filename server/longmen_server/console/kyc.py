"""What `longmen identity kyc` shows of an identification, and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click
from rich.table import Table

from longmen.identity.v1 import identity_pb2, kyc_service_pb2
from longmen_server.console.session import make_console
from longmen_server.console.views import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from longmen_client._generated.kyc_sync import Kyc

__all__ = ["show", "submit_missing"]

LIMITS = ("balance", "single", "day", "year")


def show(known: identity_pb2.Identification) -> None:
    """Print a class, its limits, what is on file, and the way to better classes."""
    console = make_console()
    if known.identification_class:
        since = known.since_time.ToJsonString()
        console.print(f"class {known.identification_class} since {since}", highlight=False)
    else:
        console.print("no class: the bank has identified its customer elsewhere")
    table = Table("class", *LIMITS, "interest", "needs", box=None)
    if known.identification_class:
        table.add_row(str(known.identification_class), *limits(known.limits), "")
    for one in known.better_classes:
        needs = ", ".join(names(need.any_of) for need in one.needs if not need.met)
        table.add_row(
            str(one.identification_class), *limits(one.limits), needs or "all that is on file"
        )
    console.print(table)
    for filed in known.evidence_on_file:
        at = filed.submit_time.ToJsonString()
        line = f"on file: {names([filed.evidence])} {filed.masked_number} {at}"
        console.print(" ".join(line.split()), markup=False, highlight=False)


def limits(permitted: identity_pb2.IdentificationLimits) -> list[str]:
    """The cells of a class's limits."""
    cells = [
        str(amount(getattr(permitted, name))) if permitted.HasField(name) else "unlimited"  # type: ignore[arg-type]
        for name in LIMITS
    ]
    return [*cells, "yes" if permitted.earns_interest else "no"]


def names(kinds: Iterable[int]) -> str:
    """Kinds of evidence, any of which will do, as people read them."""
    return " or ".join(
        identity_pb2.Evidence.Name(kind).removeprefix("EVIDENCE_").lower().replace("_", " ")  # type: ignore[arg-type]
        for kind in kinds
    )


def submit_missing(kyc: Kyc, target: int, given: Mapping[str, Any]) -> None:
    """Submit what a class needs and is not on file yet, asking for what was not given."""
    known = kyc.get_kyc().identification
    needs = [
        need
        for one in known.better_classes
        if one.identification_class == target
        for need in one.needs
        if not need.met
    ]
    for need in needs:
        if identity_pb2.EVIDENCE_RESIDENT_ID in need.any_of:
            kyc.submit_evidence(evidence=document(given))
        elif identity_pb2.EVIDENCE_BANK_ACCOUNT in need.any_of:
            number = given["bank_account"] or click.prompt("Bank account", type=str)
            kyc.submit_evidence(evidence=kyc_service_pb2.SubmittedEvidence(bank_account=number))


def document(given: Mapping[str, Any]) -> kyc_service_pb2.SubmittedEvidence:
    """The identity document that was given, or is typed."""
    kind = identity_pb2.Evidence.Value(f"EVIDENCE_{given['kind'].upper().replace('-', '_')}")
    return kyc_service_pb2.SubmittedEvidence(
        document=kyc_service_pb2.IdentityDocument(
            kind=kind,
            name=given["name"] or click.prompt("Name in the document", type=str),
            number=given["number"] or click.prompt("Number of the document", type=str),
            birth_date=given["birth_date"],
            issuing_country=given["country"],
        )
    )
