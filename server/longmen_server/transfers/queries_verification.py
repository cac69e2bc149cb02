"""Checks of transfers and clearing instructions against the ledger, for `longmen verify`.

Whoever may post may also settle a transfer's hold in the ledger itself, so the money can be ahead
of the transfer. What the transfer says of money that has moved has to be true.
"""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger.model import HoldState, PostingKind
from longmen_server.ledger.verification.queries import Check, numbers, transaction_text
from longmen_server.transfers.model import (
    KIND_BY_CODE,
    Direction,
    InstructionState,
    TransferKind,
    TransferState,
)

_STATE_CHANGED: Final = int(event_pb2.EVENT_TYPE_TRANSFER_STATE_CHANGED)
_POST: Final = int(PostingKind.POST)
_PENDING: Final = int(PostingKind.PENDING)
_CAPTURED: Final = int(HoldState.CAPTURED)
_VOIDED: Final = int(HoldState.VOIDED)
_TOP_UP: Final = int(TransferKind.TOP_UP)
_WITHDRAWAL: Final = int(TransferKind.WITHDRAWAL)
_COMPLETED: Final = int(TransferState.COMPLETED)
_CANCELLED: Final = int(TransferState.CANCELLED)
_FAILED: Final = int(TransferState.FAILED)
_COLLECT: Final = int(Direction.COLLECT)
_PAY_OUT: Final = int(Direction.PAY_OUT)
_CONFIRMED: Final = int(InstructionState.CONFIRMED)
_REFUSED: Final = int(InstructionState.REFUSED)
_WITHDRAWN: Final = int(InstructionState.WITHDRAWN)
_CODES: Final = ", ".join(f"({int(kind)}, {int(code)})" for code, kind in KIND_BY_CODE.items())

# What the ledger has of a transaction: its first posting, its hold, what reversed it.
_IN_LEDGER: Final = """
    left join (select * from ledger_posting where book = $1 and ordinal = 0) as p
        on p.transaction_id = s.transaction_id
    left join (select * from ledger_hold where book = $1 and ordinal = 0) as h
        on h.transaction_id = s.transaction_id
    left join (select * from ledger_reversal where book = $1) as r
        on r.transaction_id = s.transaction_id
"""

SCHEDULES: Final = Check(
    "transfers against the ledger",
    f"""
    select broken.* from (
        select s.*, p.kind as posting_kind, p.code, wanted.code as wanted_code,
            h.state as hold_state, r.book as reversal, i.direction,
            settlement.pending_transaction_id as settled
        from (select * from transfer_schedule where book = $1) as s
        {_IN_LEDGER}
        left join (values {_CODES}) as wanted (kind, code) on wanted.kind = s.kind
        left join (select * from clearing_instruction where book = $1) as i
            on i.transaction_id = s.transaction_id
        left join (
            select * from ledger_posting where book = $1 and pending_transaction_id is not null
        ) as settlement on settlement.transaction_id = s.settlement_id
            and settlement.pending_transaction_id = s.transaction_id and settlement.ordinal = 0
    ) as s
    cross join lateral (
        select 'TRANSFER_POSTING_MISMATCH', {transaction_text("transaction_id")},
            case when posting_kind is null then 'there is no such posting'
                when hold_state is null and kind <> {_TOP_UP} then 'it has no hold'
                else 'kind ' || kind || ', its posting is of kind ' || posting_kind
                    || ' and code ' || code end
            where code is distinct from wanted_code
                or case when kind = {_TOP_UP} then posting_kind <> {_POST}
                    else posting_kind <> {_PENDING} or hold_state is null end
        union all
        select 'TRANSFER_STATE_MISMATCH', {transaction_text("transaction_id")},
            'state ' || state || ', ' || case when kind = {_TOP_UP} then 'not reversed'
                else 'its hold is in state ' || hold_state end
            where state not in ({numbers(TransferState)}) or case
                when kind = {_TOP_UP} then state <> {_FAILED} or reversal is null
                when state = {_COMPLETED} then hold_state <> {_CAPTURED}
                when state = {_CANCELLED} then hold_state <> {_VOIDED}
                when state = {_FAILED} then settlement_id is not null and hold_state <> {_VOIDED}
                else false end
        union all
        select 'TRANSFER_SETTLEMENT_MISSING', {transaction_text("transaction_id")},
            'nothing of ' || {transaction_text("settlement_id")} || ' settles it'
            where kind <> {_TOP_UP} and settlement_id is not null and settled is null
        union all
        select 'INSTRUCTION_MISSING', {transaction_text("transaction_id")},
            'the clearing was never told to pay it out'
            where kind = {_WITHDRAWAL} and direction is distinct from {_PAY_OUT}
    ) as broken (kind, subject, detail)
    """,
)

SCHEDULE_EVENTS: Final = Check(
    "transfers against events",
    f"""
    select 'TRANSFER_EVENT_MISMATCH',
        {transaction_text("coalesce(s.transaction_id, e.subject)")},
        case when s.book is null then 'there are events of its state and no such transfer'
            when e.subject is null then 'no event of its state'
            else 'changed at ' || s.updated_at_us || ', its last event is of ' || e.told_at_us end
    from (select * from transfer_schedule where book = $1) as s
    full join (
        select subject, max(booked_at_us) as told_at_us from event
        where book = $1 and type = {_STATE_CHANGED} group by subject
    ) as e on e.subject = s.transaction_id
    where s.book is null or e.subject is null or s.updated_at_us <> e.told_at_us
    """,
)

INSTRUCTIONS: Final = Check(
    "clearing instructions",
    f"""
    select broken.* from (
        select s.*, p.kind as posting_kind, p.debit_account_id, p.credit_account_id,
            p.amount as posting_amount, p.currency_code as posting_currency,
            h.state as hold_state, r.book as reversal
        from (select * from clearing_instruction where book = $1) as s
        {_IN_LEDGER}
    ) as i
    cross join lateral (
        select 'INSTRUCTION_MISMATCH', {transaction_text("transaction_id")},
            case when posting_kind is null then 'there is no such posting'
                else amount || ' ' || currency_code || ', the posting has ' || posting_amount
                    || ' ' || posting_currency || ' or is another movement' end
            where posting_kind is null or posting_amount <> amount
                or posting_currency <> currency_code or not case direction
                    when {_COLLECT} then posting_kind = {_POST} and credit_account_id = account_id
                    when {_PAY_OUT} then posting_kind = {_PENDING}
                        and debit_account_id = account_id
                    else false end
        union all
        select 'INSTRUCTION_STATE_MISMATCH', {transaction_text("transaction_id")},
            'state ' || state || ', ' || case when direction = {_PAY_OUT}
                then 'its hold is in state ' || coalesce(hold_state::text, 'none')
                else 'not reversed' end
            where state not in ({numbers(InstructionState)}) or case
                when direction = {_PAY_OUT} and state = {_CONFIRMED}
                    then hold_state is distinct from {_CAPTURED}
                when direction = {_PAY_OUT} and state in ({_REFUSED}, {_WITHDRAWN})
                    then hold_state is distinct from {_VOIDED}
                when direction = {_COLLECT} and state = {_REFUSED} then reversal is null
                else false end
    ) as broken (kind, subject, detail)
    """,
)

CHECKS: Final = (SCHEDULES, SCHEDULE_EVENTS, INSTRUCTIONS)
