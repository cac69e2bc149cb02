"""Checks of identification for `longmen verify`: classes against their history and evidence.

What a class needs is asked of the pack by which the class was given: packs change, and who was
rightly given a class before keeps it.
"""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.accounts.model import AliasKind
from longmen_server.kyc.model import (
    BEST_CLASS,
    FILED,
    WORST_CLASS,
    Category,
    Cause,
    EvidenceState,
)
from longmen_server.kyc.packs import load_packs
from longmen_server.ledger.verification.queries import Check, customer_text, numbers

_CHANGED: Final = int(event_pb2.EVENT_TYPE_IDENTIFICATION_CHANGED)
_ACTIVE: Final = int(EvidenceState.ACTIVE)
_DOCUMENT: Final = int(Category.DOCUMENT)
_ID_NUMBER: Final = int(AliasKind.ID_NUMBER)

_NEEDS: Final = ", ".join(
    f"('{pack.effective_from}', {number}, {int(need)})"
    for pack in load_packs().packs
    for number, rules in pack.classes.items()
    for need in rules.needs
    if need in FILED
)
"""Day of the pack, class, and each category that the class needs on file."""

_HISTORY: Final = """
    select customer_id, change_number, class_before, class_after, cause, changed_at_us, rules,
        lag(change_number, 1, 0::smallint) over one as number_before,
        lag(class_after, 1, 0::smallint) over one as after_before,
        row_number() over (partition by customer_id order by change_number desc) as from_last
    from kyc_change where book = $1
    window one as (partition by customer_id order by change_number)
"""

STANDINGS: Final = Check(
    "classes of customers against their history",
    f"""
    select broken.* from (
        select coalesce(s.customer_id, h.customer_id) as id, s.book as standing, h.change_number,
            s.identification_class, s.since_us, s.change_count, h.class_after, h.changed_at_us,
            w.book as wallet
        from (select * from kyc_standing where book = $1) as s
        full join (select * from ({_HISTORY}) as all_of_it where from_last = 1) as h
            on h.customer_id = s.customer_id
        left join (select * from wallet where book = $1) as w
            on w.customer_id = coalesce(s.customer_id, h.customer_id)
    ) as pair
    cross join lateral (
        select 'KYC_STANDING_MISMATCH', {customer_text("id")}, case
            when standing is null then 'there is a history and no class'
            when change_number is null then 'there is a class and no history'
            else 'class ' || identification_class || ' since ' || since_us || ' by change '
                || change_count || ', the history ends with class ' || class_after || ' at '
                || changed_at_us || ' by change ' || change_number end
            where standing is null or change_number is null
                or identification_class <> class_after or since_us <> changed_at_us
                or change_count <> change_number
        union all
        select 'WALLET_MISSING', {customer_text("id")}, 'no such wallet, and it has a class'
            where wallet is null
    ) as broken (kind, subject, detail)
    """,
)

CHANGES: Final = Check(
    "histories of classes",
    f"""
    select broken.* from (
        select h.*, e.booked_at_us as told_at_us from ({_HISTORY}) as h
        left join (select * from event where book = $1 and type = {_CHANGED}) as e
            on e.subject = h.customer_id and e.booked_at_us = h.changed_at_us
    ) as h
    cross join lateral (
        select 'KYC_HISTORY_BROKEN', {customer_text("customer_id")},
            'change ' || change_number || ' from class ' || class_before || ' to ' || class_after
                || ' of cause ' || cause || ' follows change ' || number_before
                || ' to class ' || after_before
            where change_number <> number_before + 1 or class_before <> after_before
                or class_after not between {BEST_CLASS} and {WORST_CLASS}
                or cause not in ({numbers(Cause)}) or class_after = class_before
        union all
        select 'KYC_EVENT_MISMATCH', {customer_text("customer_id")},
            'no event of change ' || change_number || ' at ' || changed_at_us
            where told_at_us is null
    ) as broken (kind, subject, detail)
    union all
    select 'KYC_EVENT_MISMATCH', {customer_text("e.subject")},
        'an event of a change at ' || e.booked_at_us || ', and no such change'
    from (select * from event where book = $1 and type = {_CHANGED}) as e
    left join (select * from kyc_change where book = $1) as h
        on h.customer_id = e.subject and h.changed_at_us = e.booked_at_us
    where h.book is null
    """,
)

# Of an erased customer neither evidence nor a document's place is left.
EVIDENCE: Final = Check(
    "classes of customers against evidence",
    f"""
    select 'KYC_EVIDENCE_MISSING', {customer_text("s.customer_id")},
        'class ' || s.identification_class || ' needs evidence of category ' || n.category
    from (select * from kyc_standing where book = $1) as s
    join (select * from kyc_change where book = $1) as h
        on h.customer_id = s.customer_id and h.change_number = s.change_count
    join (select * from wallet where book = $1) as w
        on w.customer_id = s.customer_id and w.erased_at_us is null
    join (values {_NEEDS}) as n (rules, class, category)
        on n.rules = h.rules and n.class = s.identification_class
    left join (select * from kyc_evidence where book = $1 and state = {_ACTIVE}) as e
        on e.customer_id = s.customer_id and e.category = n.category
    where e.book is null
    """,
)

# The value of a place is the document's blind index, then one byte each for class and slot.
PLACES: Final = Check(
    "documents and the wallets that rest on them",
    f"""
    select 'KYC_DOCUMENT_MISMATCH', {customer_text("coalesce(s.customer_id, a.customer_id)")},
        case when s.customer_id is null
            then 'a document has a place for it, and its class is another or its document'
            when a.places is null then 'its document has no place for it'
            else 'its document has ' || a.places || ' places for it' end
    from (
        select s.customer_id, e.number_index, s.identification_class
        from (select * from kyc_standing where book = $1) as s
        join (select * from wallet where book = $1) as w
            on w.customer_id = s.customer_id and w.erased_at_us is null
        join (select * from kyc_change where book = $1) as h
            on h.customer_id = s.customer_id and h.change_number = s.change_count
        join (values {_NEEDS}) as n (rules, class, category)
            on n.rules = h.rules and n.class = s.identification_class and n.category = {_DOCUMENT}
        join (select * from kyc_evidence where book = $1 and category = {_DOCUMENT}) as e
            on e.customer_id = s.customer_id
    ) as s
    full join (
        select customer_id, substring(value for length(value) - 2) as number_index,
            get_byte(value, length(value) - 2) as class, count(*) as places
        from alias where target_book = $1 and kind = {_ID_NUMBER} group by 1, 2, 3
    ) as a on a.customer_id = s.customer_id and a.number_index = s.number_index
        and a.class = s.identification_class
    where s.customer_id is null or a.places is distinct from 1
    """,
)

CHECKS: Final = (STANDINGS, CHANGES, EVIDENCE, PLACES)
