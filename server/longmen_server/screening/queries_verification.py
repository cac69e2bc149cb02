"""Checks of screenings against evidence, matches and cases, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.kyc.model import Category
from longmen_server.ledger.verification.queries import Check, customer_text
from longmen_server.riskcases.model import CaseState, Cause, Verdict

_DOCUMENT: Final = int(Category.DOCUMENT)
_OPEN: Final = int(CaseState.OPEN)
_SCREENING: Final = int(Cause.SCREENING)
_MATCH: Final = int(Verdict.CONFIRMED_MATCH)

NAMES: Final = Check(
    "names in documents against their screening",
    f"""
    select 'SCREENING_MISSING', {customer_text("e.customer_id")},
        'the name in its document was never looked up'
    from (
        select customer_id from kyc_evidence
        where book = $1 and category = {_DOCUMENT} and name is not null
    ) as e
    left join (select customer_id from name_screening where book = $1) as s
        on s.customer_id = e.customer_id
    where s.customer_id is null
    """,
)

CASES: Final = Check(
    "screenings against their cases",
    f"""
    select 'SCREENING_CASE_MISMATCH', {customer_text("coalesce(s.customer_id, c.customer_id)")},
        case when s.customer_id is null then 'an open case of it, and no screening waits for it'
            else 'it waits for a case that is not open, or not its own' end
    from (
        select customer_id, open_case_id as case_id from name_screening
        where book = $1 and open_case_id is not null
    ) as s
    full join (
        select c.customer_id, c.case_id from risk_case as c
        join wallet as w on w.book = $1 and w.customer_id = c.customer_id
            and w.erased_at_us is null
        where c.book = $1 and c.cause = {_SCREENING} and c.state = {_OPEN}
    ) as c on c.case_id = s.case_id and c.customer_id = s.customer_id
    where s.customer_id is null or c.case_id is null
    union all
    select 'SCREENING_CASE_MISMATCH', {customer_text("s.customer_id")},
        'it is confirmed by a case that was not'
    from (
        select customer_id, confirmed_case_id from name_screening
        where book = $1 and confirmed_case_id is not null
    ) as s
    left join (
        select case_id, customer_id from risk_case
        where book = $1 and cause = {_SCREENING} and verdict = {_MATCH}
    ) as c on c.case_id = s.confirmed_case_id and c.customer_id = s.customer_id
    where c.case_id is null
    """,
)

MATCHES: Final = Check(
    "matches of names against their cases",
    f"""
    select 'SCREENING_MATCH_MISMATCH', {customer_text("coalesce(m.customer_id, c.customer_id)")},
        case when m.customer_id is null then 'a case of it, and nothing was matched'
            else 'a match, and no case of it' end
    from (
        select distinct customer_id, case_id from name_match where book = $1
    ) as m
    full join (
        select c.customer_id, c.case_id from risk_case as c
        join wallet as w on w.book = $1 and w.customer_id = c.customer_id
            and w.erased_at_us is null
        where c.book = $1 and c.cause = {_SCREENING}
    ) as c on c.case_id = m.case_id and c.customer_id = m.customer_id
    where m.customer_id is null or c.case_id is null
    """,
)

CHECKS: Final = (NAMES, CASES, MATCHES)
"""What is proved of screenings. Of an erased customer none is left, and the cases stay."""
