"""Identification as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import identity_pb2 as pb
from longmen_server.accounts.encode import money
from longmen_server.kyc.model import (
    BEST_CLASS,
    UNCLASSIFIED,
    Category,
    ClassRules,
    EvidenceKind,
    Pack,
    StandingRow,
)
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from longmen_server.kyc.personal import OpenEvidence
    from longmen_server.platform.ids import CustomerId


def identification(
    customer_id: CustomerId,
    standing: StandingRow | None,
    pack: Pack,
    evidence: Sequence[OpenEvidence],
    *,
    phone_at_us: int,
    currency_code: str,
) -> pb.Identification:
    """Return how well a customer is known.

    Args:
        customer_id: the customer.
        standing: the present class; None for one without.
        pack: the rules of today.
        evidence: everything on file that counts.
        phone_at_us: when the phone number was registered.
        currency_code: to tell limits in.
    """
    present = UNCLASSIFIED if standing is None else standing.identification_class
    met = {int(Category.PHONE), *(each.row.category for each in evidence)}
    message = pb.Identification(
        customer_id=CUSTOMER.encode(customer_id),
        identification_class=present,
        rules_effective_from=pack.effective_from.isoformat(),
        evidence=[EvidenceKind.PHONE, *(each.row.kind for each in evidence)],  # type: ignore[list-item]  # enums of the contract are ints
    )
    message.evidence_on_file.add(evidence=EvidenceKind.PHONE, submit_time=timestamp(phone_at_us))
    for each in evidence:
        message.evidence_on_file.add(
            evidence=each.row.kind,
            submit_time=timestamp(each.row.submitted_at_us),
            masked_number=each.masked_number,
        )
        if each.row.category == Category.DOCUMENT:
            message.masked_name = each.masked_name
            message.masked_resident_id = each.masked_number
        elif each.row.category == Category.BANK_ACCOUNT:
            message.masked_bank_account = each.masked_number
    if standing is None:
        return message
    message.since_time.CopyFrom(timestamp(standing.since_us))
    message.limits.CopyFrom(limits(pack, pack.classes[present], currency_code))
    for number in range(present - 1, BEST_CLASS - 1, -1):
        message.better_classes.append(better(pack, pack.classes[number], met, currency_code))
    if present > BEST_CLASS:
        missing = pack.classes[present - 1].missing(met)
        message.missing_evidence.extend(pack.kinds(need)[0] for need in missing)  # type: ignore[misc]  # the same
    return message


def limits(pack: Pack, rules: ClassRules, currency_code: str) -> pb.IdentificationLimits:
    """Return what a class permits, in a currency; an absent amount is unlimited."""
    amounts = {
        "balance": rules.balance,
        "single": rules.single,
        "day": rules.day,
        "year": rules.year,
    }
    message = pb.IdentificationLimits(earns_interest=rules.earns_interest)
    for name, limit in amounts.items():
        amount = pack.amount(limit, currency_code)
        if amount is not None:
            getattr(message, name).CopyFrom(money(amount, currency_code))
    return message


def better(
    pack: Pack, rules: ClassRules, met: Collection[int], currency_code: str
) -> pb.BetterClass:
    """Return a class and what it needs."""
    return pb.BetterClass(
        identification_class=rules.identification_class,
        limits=limits(pack, rules, currency_code),
        needs=[
            pb.EvidenceNeed(any_of=pack.kinds(need), met=need in met)  # type: ignore[arg-type]  # the same
            for need in rules.needs
        ],
    )
