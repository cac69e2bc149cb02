"""Booking: how one posting intent changes the working set of a batch.

This is the one place where money moves. Every area that moves money makes a PostingIntent and calls
:func:`book_posting`; it checks the rules of the model in the documented order of precedence,
changes both accounts, and adds the posting, its hold and its event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.engine.journal import Event
from longmen_server.ledger import model
from longmen_server.ledger.canonical import posting_body
from longmen_server.ledger.model import (
    FROZEN_STATES,
    AccountRow,
    AccountState,
    HoldRow,
    HoldState,
    PostingIntent,
    PostingKind,
    PostingOutcome,
    PostingRow,
)
from longmen_server.ledger.tables import ACCOUNT, HOLD, POSTED, POSTING
from longmen_server.ledger.watching import tell_hold
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import book_of, encode_posting
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import AccountId, TransactionId

#: Event types of longmen.events.v1.EventType by posting kind.
EVENT_TYPES = {
    PostingKind.POST: 3,
    PostingKind.PENDING: 4,
    PostingKind.CAPTURE: 5,
    PostingKind.VOID: 6,
    PostingKind.EXPIRE: 7,
}
_ENDED_BY = {PostingKind.VOID: HoldState.VOIDED, PostingKind.EXPIRE: HoldState.EXPIRED}


def book_posting(working_set: WorkingSet, intent: PostingIntent) -> list[PostingOutcome]:
    """Book one intent and return its outcomes.

    There is one, but for a final capture that leaves something: it adds the void of the rest.

    Raises:
        Refusal: a reason of the block "Postings" of ErrorReason. The caller rolls the working set
        back.
    """
    if intent.kind <= PostingKind.PENDING:
        return [_book_new(working_set, intent)]
    return _book_on_hold(working_set, intent)


def check_effective_time(intent: PostingIntent, now_us: int) -> None:
    """Refuse a movement that says it happens later than now."""
    if intent.effective_at_us is not None and intent.effective_at_us > now_us:
        raise Refusal(
            "EFFECTIVE_TIME_IN_FUTURE",
            "the effective time lies after the server's present",
            metadata={"now": str(now_us)},
            field="effective_time",
        )


def _book_new(working_set: WorkingSet, intent: PostingIntent) -> PostingOutcome:
    debit, credit = _accounts(working_set, intent)
    if debit.currency_code != intent.currency_code or credit.currency_code != intent.currency_code:
        wrong = credit if debit.currency_code == intent.currency_code else debit
        raise _currency_mismatch(wrong.currency_code, intent.currency_code)
    check_effective_time(intent, working_set.now_us)
    model.check_states(debit, credit)
    amount = intent.amount
    if intent.balancing:
        amount = model.balanced_amount(debit, credit, amount, intent.balancing)
    model.check_limits(debit, credit, amount)

    debit = working_set.edit(ACCOUNT, debit.account_id)
    credit = working_set.edit(ACCOUNT, credit.account_id)
    hold = None
    if intent.kind == PostingKind.POST:
        debit.debits_posted += amount
        credit.credits_posted += amount
    else:
        debit.debits_pending += amount
        credit.credits_pending += amount
        hold = _open_hold(working_set, intent, amount)
    outcome = _write(working_set, intent, debit, credit, amount, hold)
    if intent.closes_debit_account or intent.closes_credit_account:
        _close(working_set, intent, debit, credit)
    return outcome


def _accounts(working_set: WorkingSet, intent: PostingIntent) -> tuple[AccountRow, AccountRow]:
    debit_id, credit_id = intent.debit_account_id, intent.credit_account_id
    assert debit_id is not None, "a new posting names the account to debit"
    assert credit_id is not None, "a new posting names the account to credit"
    debit, credit = working_set.get(ACCOUNT, debit_id), working_set.get(ACCOUNT, credit_id)
    if debit is None or credit is None or debit_id == credit_id:
        raise _account_refusal(working_set.book, intent, debit, credit)
    return debit, credit


def _account_refusal(
    book: int, intent: PostingIntent, debit: AccountRow | None, credit: AccountRow | None
) -> Refusal:
    """Say what is wrong with the accounts of an intent, in order of precedence."""
    debit_id, credit_id = intent.debit_account_id, intent.credit_account_id
    assert debit_id is not None and credit_id is not None, "a new posting names two accounts"  # noqa: PT018
    for field, account_id in (("debit_account_id", debit_id), ("credit_account_id", credit_id)):
        if book_of(account_id) != book:
            return Refusal(
                "BOOK_MISMATCH", "the ids belong to different books", metadata={"field": field}
            )
    if debit_id == credit_id:
        return Refusal("ACCOUNTS_IDENTICAL", "debit and credit account are the same")
    if debit is None:
        return _not_found("DEBIT_ACCOUNT_NOT_FOUND", "debit_account_id", debit_id)
    assert credit is None, "one of the accounts is missing"
    return _not_found("CREDIT_ACCOUNT_NOT_FOUND", "credit_account_id", credit_id)


def _not_found(reason: str, field: str, account_id: AccountId) -> Refusal:
    return Refusal(
        reason,
        "no such account",
        metadata={"account_id": ACCOUNT_TEXT.encode(account_id)},
        field=field,
    )


def _currency_mismatch(expected: str, actual: str) -> Refusal:
    return Refusal(
        "CURRENCY_MISMATCH",
        "the amount is in another currency than the account",
        metadata={"expected": expected, "actual": actual},
        field="amount.currency_code",
    )


def _open_hold(working_set: WorkingSet, intent: PostingIntent, amount: int) -> HoldRow:
    assert intent.debit_account_id is not None, "checked before"
    assert intent.credit_account_id is not None, "checked before"
    hold = HoldRow(
        intent.transaction_id,
        intent.ordinal,
        intent.debit_account_id,
        intent.credit_account_id,
        intent.currency_code,
        amount,
        0,
        amount,
        HoldState.HELD,
        working_set.now_us + intent.hold_duration_us,
    )
    working_set.insert(HOLD, (intent.transaction_id, intent.ordinal), hold)
    return hold


def _close(
    working_set: WorkingSet, intent: PostingIntent, debit: AccountRow, credit: AccountRow
) -> None:
    closing = [debit] if intent.closes_debit_account else []
    if intent.closes_credit_account:
        closing.append(credit)
    model.check_closable(*closing)
    for account in closing:
        enter_state(working_set, account, AccountState.CLOSED, intent.description or "")


def enter_state(
    working_set: WorkingSet,
    account: AccountRow,
    state: int,
    reason_text: str,
    *,
    by_owner: bool = False,
) -> None:
    """Bring an account that the command may change to a state, and tell it by an event."""
    account.state = state
    account.frozen_by_owner = by_owner and state in FROZEN_STATES
    frozen_by = event_pb2.FREEZER_UNSPECIFIED
    if state in FROZEN_STATES:
        frozen_by = event_pb2.FREEZER_OWNER if by_owner else event_pb2.FREEZER_BANK
    account.booked_at_us = working_set.next_stamp()
    payload = event_pb2.AccountStateChange(
        account_id=ACCOUNT_TEXT.encode(account.account_id),
        state=state,  # type: ignore[arg-type]
        reason_text=reason_text,
        frozen_by=frozen_by,
    ).SerializeToString(deterministic=True)
    working_set.emit(
        Event(
            event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED,
            account.account_id,
            0,
            account.booked_at_us,
            payload,
            payload,
        )
    )


def _book_on_hold(working_set: WorkingSet, intent: PostingIntent) -> list[PostingOutcome]:
    """Capture, void or expire what a pending posting holds."""
    assert intent.pending is not None, "captures, voids and expiries name a pending posting"
    hold = working_set.get(HOLD, intent.pending)
    posting_id = encode_posting(*intent.pending)
    if hold is None:
        raise _no_hold(working_set, intent.pending)
    if intent.kind != PostingKind.EXPIRE:
        model.check_hold(hold, working_set.now_us, posting_id)
    if intent.amount and intent.currency_code != hold.currency_code:
        raise _currency_mismatch(hold.currency_code, intent.currency_code)
    intent = replace(
        intent,
        debit_account_id=hold.debit_account_id,
        credit_account_id=hold.credit_account_id,
        currency_code=hold.currency_code,
    )
    if intent.kind == PostingKind.CAPTURE:
        return _capture(working_set, intent, hold)
    check_effective_time(intent, working_set.now_us)
    return [_free(working_set, intent, _ENDED_BY[PostingKind(intent.kind)])]


def _no_hold(working_set: WorkingSet, address: tuple[TransactionId, int]) -> Refusal:
    """Say why there is no hold at an address, in order of precedence."""
    field = "pending_posting_id"
    if book_of(address[0]) != working_set.book:
        return Refusal(
            "BOOK_MISMATCH",
            "the ids belong to different books",
            metadata={"field": field},
            field=field,
        )
    metadata = {"posting_id": encode_posting(*address)}
    kind = working_set.get(POSTED, address)
    if kind is None:
        appended: list[PostingRow] = working_set.table(POSTING).appended
        kind = next((row.kind for row in appended if row[:2] == address), None)
    # A pending one was committed by another writer after the holds were read: too late for us.
    if kind is None or kind == PostingKind.PENDING:
        return Refusal(
            "PENDING_POSTING_NOT_FOUND", "no such pending posting", metadata=metadata, field=field
        )
    return Refusal(
        "POSTING_NOT_PENDING", "the posting was never pending", metadata=metadata, field=field
    )


def _capture(working_set: WorkingSet, intent: PostingIntent, hold: HoldRow) -> list[PostingOutcome]:
    assert intent.pending is not None, "checked before"
    amount = model.capture_amount(hold, intent.amount)
    check_effective_time(intent, working_set.now_us)
    hold = working_set.edit(HOLD, intent.pending)
    hold.captured += amount
    hold.remaining -= amount
    if not hold.remaining:
        hold.state = HoldState.CAPTURED
    debit = working_set.edit(ACCOUNT, hold.debit_account_id)
    credit = working_set.edit(ACCOUNT, hold.credit_account_id)
    debit.debits_pending -= amount
    credit.credits_pending -= amount
    debit.debits_posted += amount
    credit.credits_posted += amount
    outcome = _write(working_set, intent, debit, credit, amount, hold)
    tell_hold(working_set, hold)
    if not intent.final or not hold.remaining:
        return [outcome]
    rest = PostingIntent(
        transaction_id=intent.transaction_id,
        ordinal=intent.ordinal + 1,
        kind=PostingKind.VOID,
        debit_account_id=hold.debit_account_id,
        credit_account_id=hold.credit_account_id,
        currency_code=hold.currency_code,
        pending=intent.pending,
        code=intent.code,
    )
    return [outcome, _free(working_set, rest, HoldState.CAPTURED)]


def _free(working_set: WorkingSet, intent: PostingIntent, state: HoldState) -> PostingOutcome:
    """Free what a hold has left and bring it to its final state."""
    assert intent.pending is not None, "checked before"
    hold = working_set.edit(HOLD, intent.pending)
    amount = hold.remaining
    hold.remaining = 0
    hold.state = state
    debit = working_set.edit(ACCOUNT, hold.debit_account_id)
    credit = working_set.edit(ACCOUNT, hold.credit_account_id)
    debit.debits_pending -= amount
    credit.credits_pending -= amount
    tell_hold(working_set, hold)
    return _write(working_set, intent, debit, credit, amount, hold)


def _write(
    working_set: WorkingSet,
    intent: PostingIntent,
    debit: AccountRow,
    credit: AccountRow,
    amount: int,
    hold: HoldRow | None,
) -> PostingOutcome:
    """Version both accounts and add posting and event."""
    booked_at_us = working_set.next_stamp()
    debit.version += 1
    credit.version += 1
    debit.booked_at_us = credit.booked_at_us = booked_at_us
    pending = intent.pending
    posting = PostingRow(
        intent.transaction_id,
        intent.ordinal,
        intent.kind,
        intent.code,
        debit.account_id,
        credit.account_id,
        intent.currency_code,
        amount,
        booked_at_us,
        debit.version,
        credit.version,
        debit.posted,
        credit.posted,
        intent.effective_at_us,
        debit.held or None,
        credit.held or None,
        pending[0] if pending else None,
        pending[1] if pending else None,
        intent.reverses_transaction_id,
        intent.reference,
        intent.description,
    )
    working_set.append(POSTING, posting)
    working_set.emit(
        Event(
            EVENT_TYPES[intent.kind],  # type: ignore[index]
            intent.transaction_id,
            intent.ordinal,
            booked_at_us,
            None,
            posting_body(posting),
        )
    )
    return PostingOutcome(posting, debit, credit, hold)
