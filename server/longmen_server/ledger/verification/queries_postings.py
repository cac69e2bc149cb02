"""Checks of postings: their own shape, their holds, their reversals, and ids that were refused."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.model import HoldState, PostingKind
from longmen_server.ledger.verification.queries import (
    Check,
    numbers,
    posting_text,
    transaction_text,
)

_NEW: Final = numbers((PostingKind.POST, PostingKind.PENDING))
_ON_HOLD: Final = numbers((PostingKind.CAPTURE, PostingKind.VOID, PostingKind.EXPIRE))
_HELD: Final = int(HoldState.HELD)
_CAPTURED: Final = int(HoldState.CAPTURED)
_VOIDED: Final = int(HoldState.VOIDED)
_EXPIRED: Final = int(HoldState.EXPIRED)

SHAPES: Final = Check(
    "postings by themselves",
    f"""
    select 'POSTING_MALFORMED', {posting_text("transaction_id", "ordinal")},
        'kind ' || kind || ', amount ' || amount
    from ledger_posting where book = $1 and (
        amount <= 0 or kind not in ({_NEW}, {_ON_HOLD})
        or debit_account_id = credit_account_id
        or effective_at_us > booked_at_us
        or (kind in ({_ON_HOLD})) <> (pending_transaction_id is not null)
        or (pending_transaction_id is null) <> (pending_ordinal is null)
        or (reverses_transaction_id is not null and kind <> {int(PostingKind.POST)})
    )
    union all
    select 'BOOK_MISMATCH', {posting_text("transaction_id", "ordinal")}, 'stands in book ' || book
    from ledger_posting where book = $1
        and substring(uuid_send(transaction_id) from 15) <> int2send(book)
    """,
)

ORDINALS: Final = Check(
    "transactions without gaps",
    f"""
    select 'ORDINAL_GAP', {posting_text("p.transaction_id", "p.ordinal")},
        'there is no posting ' || p.ordinal - 1
    from ledger_posting as p where p.book = $1 and p.ordinal <> 0 and not exists (
        select from ledger_posting as before where before.book = $1
            and before.transaction_id = p.transaction_id and before.ordinal = p.ordinal - 1
    )
    """,
)

_SAME: Final = (
    "(h.debit_account_id, h.credit_account_id, h.currency_code)"
    " = (p.debit_account_id, p.credit_account_id, p.currency_code)"
)

HOLD_POSTINGS: Final = Check(
    "holds against pending postings",
    f"""
    select case when h.book is null then 'HOLD_MISSING' else 'HOLD_WITHOUT_POSTING' end,
        {
        posting_text(
            "coalesce(h.transaction_id, p.transaction_id)", "coalesce(h.ordinal, p.ordinal)"
        )
    },
        case when h.book is null then 'the pending posting of ' || p.amount || ' has no hold'
            when p.book is null then 'there is no such pending posting'
            else 'amount ' || h.amount || ', the posting has ' || p.amount
                || case when {_SAME} then '' else '; accounts or currency differ' end end
    from (select * from ledger_hold where book = $1) as h
    full join (
        select * from ledger_posting where book = $1 and kind = {int(PostingKind.PENDING)}
    ) as p on p.transaction_id = h.transaction_id and p.ordinal = h.ordinal
    where h.book is null or p.book is null or h.amount <> p.amount or not ({_SAME})
    """,
)

_SETTLED: Final = f"""
    select pending_transaction_id, pending_ordinal,
        sum(amount) filter (where kind = {int(PostingKind.CAPTURE)}) as captured,
        sum(amount) filter (where kind <> {int(PostingKind.CAPTURE)}) as freed,
        count(*) filter (where kind = {int(PostingKind.VOID)}) as voids,
        count(*) filter (where kind = {int(PostingKind.EXPIRE)}) as expiries,
        min(booked_at_us) filter (where kind = {int(PostingKind.EXPIRE)}) as expired_at_us,
        array_agg(transaction_id) filter (where kind = {int(PostingKind.CAPTURE)})
            && array_agg(transaction_id) filter (where kind = {int(PostingKind.VOID)})
            as is_final_capture
    from ledger_posting where book = $1 and kind in ({_ON_HOLD})
    group by pending_transaction_id, pending_ordinal
"""

HOLD_AMOUNTS: Final = Check(
    "holds against what settled them",
    f"""
    select broken.* from (
        select h.*, coalesce(s.captured, 0) as captures, coalesce(s.freed, 0) as freed,
            coalesce(s.voids, 0) as voids, coalesce(s.expiries, 0) as expiries,
            s.expired_at_us, coalesce(s.is_final_capture, false) as is_final_capture
        from (select * from ledger_hold where book = $1) as h
        left join ({_SETTLED}) as s
            on s.pending_transaction_id = h.transaction_id and s.pending_ordinal = h.ordinal
    ) as h
    cross join lateral (
        select 'HOLD_AMOUNT_MISMATCH', {posting_text("transaction_id", "ordinal")},
            'captured ' || captured || ' and left ' || remaining || ' of ' || amount
            || ', its postings captured ' || captures || ' and freed ' || freed
            where captured <> captures or remaining <> amount - captures - freed
                or captured < 0 or remaining < 0 or captured + remaining > amount
        union all
        select 'HOLD_STATE_MISMATCH', {posting_text("transaction_id", "ordinal")},
            'state ' || state || ' with ' || remaining || ' left, ' || voids || ' voids and '
            || expiries || ' expiries'
            where not case state
                when {_HELD} then remaining > 0 and voids = 0 and expiries = 0
                when {_CAPTURED} then remaining = 0 and captured > 0 and expiries = 0
                    and (voids = 0 or is_final_capture)
                when {_VOIDED} then remaining = 0 and voids = 1 and expiries = 0
                    and not is_final_capture
                when {_EXPIRED} then remaining = 0 and voids = 0 and expiries = 1
                    and expired_at_us >= expires_at_us
                else false end
    ) as broken (kind, subject, detail)
    """,
)

HOLD_REFERENCES: Final = Check(
    "settlements against holds",
    f"""
    select 'HOLD_REFERENCE_BROKEN', {posting_text("p.transaction_id", "p.ordinal")},
        case when h.book is null then 'names the hold '
            || {posting_text("p.pending_transaction_id", "p.pending_ordinal")}
            || ', which is not there'
            else 'the hold is between other accounts or in another currency' end
    from (select * from ledger_posting where book = $1 and kind in ({_ON_HOLD})) as p
    left join (select * from ledger_hold where book = $1) as h
        on h.transaction_id = p.pending_transaction_id and h.ordinal = p.pending_ordinal
    where h.book is null or not ({_SAME})
    """,
)

# The postings of a reversal are the opposite of the original's, last one first.
REVERSALS: Final = Check(
    "reversals",
    f"""
    select 'REVERSAL_MISMATCH', {transaction_text("r.transaction_id")},
        'its reversal ' || {transaction_text("r.reversal_transaction_id")}
        || ' is not equal and opposite'
    from (select * from ledger_reversal where book = $1) as r
    where exists (
        select from (
            select debit_account_id as d, credit_account_id as c, currency_code, amount,
                row_number() over (order by ordinal desc) as n
            from ledger_posting where book = $1 and transaction_id = r.transaction_id
        ) as original
        full join (
            select debit_account_id as d, credit_account_id as c, currency_code, amount,
                reverses_transaction_id, kind, row_number() over (order by ordinal) as n
            from ledger_posting where book = $1 and transaction_id = r.reversal_transaction_id
        ) as opposite on opposite.n = original.n
        where row(original.d, original.c, original.currency_code, original.amount)
                is distinct from
                row(opposite.c, opposite.d, opposite.currency_code, opposite.amount)
            or opposite.reverses_transaction_id is distinct from r.transaction_id
    ) or not exists (
        select from ledger_posting where book = $1 and transaction_id = r.transaction_id
    )
    union all
    select 'REVERSAL_MISMATCH', {posting_text("p.transaction_id", "p.ordinal")},
        'reverses ' || {transaction_text("p.reverses_transaction_id")} || ', which '
        || case when r.book is null then 'is not known as reversed'
            else 'was reversed by another transaction' end
    from (
        select * from ledger_posting where book = $1 and reverses_transaction_id is not null
    ) as p
    left join (select * from ledger_reversal where book = $1) as r
        on r.transaction_id = p.reverses_transaction_id
    where r.book is null or r.reversal_transaction_id <> p.transaction_id
    """,
)

REFUSED: Final = Check(
    "refused ids",
    f"""
    select 'REFUSED_ID_CREATED', {transaction_text("r.transaction_id")},
        'refused with ' || r.reason || ' and created all the same'
    from ledger_refusal as r where r.book = $1 and exists (
        select from ledger_posting as p
        where p.book = $1 and p.transaction_id = r.transaction_id
    )
    """,
)

CHECKS: Final = (
    SHAPES,
    ORDINALS,
    HOLD_POSTINGS,
    HOLD_AMOUNTS,
    HOLD_REFERENCES,
    REVERSALS,
    REFUSED,
)
