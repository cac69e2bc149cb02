from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import HoldRow, HoldState, PostingKind, PostingRow
from longmen_server.platform.clock import to_microseconds
from longmen_server.platform.ids import AccountId, TransactionId
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers import model
from longmen_server.transfers.model import ScheduleRow, Standing, TransferDelay, TransferState

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR_US = 3_600_000_000


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return to_microseconds(dt.datetime.fromisoformat(text).replace(tzinfo=zone))


@pytest.mark.parametrize("delay", [TransferDelay.UNSPECIFIED, TransferDelay.REAL_TIME])
def test_real_time_is_never_due(delay: int) -> None:
    assert model.due_at(delay, at("2026-03-01T12:00"), SHANGHAI) is None


def test_two_hours_are_two_hours() -> None:
    now_us = at("2026-03-01T23:30")
    assert model.due_at(TransferDelay.TWO_HOURS, now_us, SHANGHAI) == now_us + 2 * HOUR_US


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-01T00:00", "2026-03-02T00:00"),
        ("2026-03-01T23:59:59.999999", "2026-03-02T00:00"),
        ("2026-02-28T08:00", "2026-03-01T00:00"),
        ("2026-12-31T12:00", "2027-01-01T00:00"),
    ],
)
def test_the_next_day_is_a_calendar_day_of_the_bank(now: str, due: str) -> None:
    assert model.due_at(TransferDelay.NEXT_DAY, at(now), SHANGHAI) == at(due)


def test_the_next_day_is_shorter_or_longer_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = at("2026-03-28T00:00", berlin)
    due = model.due_at(TransferDelay.NEXT_DAY, before + 1, berlin)
    assert due == at("2026-03-29T00:00", berlin)
    after = at("2026-03-29T00:00", berlin)
    assert model.due_at(TransferDelay.NEXT_DAY, after, berlin) == after + 23 * HOUR_US


def posting(**changes: Any) -> PostingRow:
    values: dict[str, Any] = dict.fromkeys(PostingRow._fields)
    values |= {
        "transaction_id": TransactionId(bytes(16)),
        "ordinal": 0,
        "kind": PostingKind.PENDING,
        "code": PostingCode.PAYMENT,
    }
    return PostingRow(**(values | changes))


def hold(state: HoldState) -> HoldRow:
    account = AccountId(bytes(16))
    return HoldRow(TransactionId(bytes(16)), 0, account, account, "CNY", 5, 0, 5, state, 1_000)


def schedule(state: TransferState, failure_code: str | None = None) -> ScheduleRow:
    return ScheduleRow(TransactionId(bytes(16)), 1, state, 500, None, failure_code, None, 100, 100)


@pytest.mark.parametrize(
    ("kept", "held", "now_us", "stands"),
    [
        (TransferState.SCHEDULED, HoldState.HELD, 900, Standing(TransferState.SCHEDULED, 500)),
        (TransferState.HELD, HoldState.HELD, 900, Standing(TransferState.HELD, 500)),
        (TransferState.SCHEDULED, HoldState.CAPTURED, 9, Standing(TransferState.COMPLETED, 500)),
        (
            TransferState.HELD,
            HoldState.VOIDED,
            9,
            Standing(TransferState.FAILED, 500, "PENDING_POSTING_VOIDED"),
        ),
        (
            TransferState.SCHEDULED,
            HoldState.EXPIRED,
            9,
            Standing(TransferState.FAILED, 500, "PENDING_POSTING_EXPIRED"),
        ),
        (
            TransferState.SCHEDULED,
            HoldState.HELD,
            1_000,
            Standing(TransferState.FAILED, 500, "PENDING_POSTING_EXPIRED"),
        ),
        (TransferState.CANCELLED, HoldState.VOIDED, 9, Standing(TransferState.CANCELLED, 500)),
        (TransferState.COMPLETED, HoldState.CAPTURED, 9, Standing(TransferState.COMPLETED, 500)),
    ],
)
def test_the_money_says_where_a_transfer_stands(
    kept: TransferState, held: HoldState, now_us: int, stands: Standing
) -> None:
    assert model.standing(posting(), schedule(kept), hold(held), now_us) == stands


def test_a_failed_transfer_keeps_its_reason() -> None:
    row = schedule(TransferState.FAILED, "AC04")
    stands = model.standing(posting(), row, hold(HoldState.VOIDED), 9)
    assert stands == Standing(TransferState.FAILED, 500, "AC04")


def test_a_posting_without_a_schedule_is_done() -> None:
    assert model.standing(posting(kind=PostingKind.POST), None, None, 9) == model.DONE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"kind": PostingKind.POST}, True),
        ({"kind": PostingKind.CAPTURE}, False),
        ({"kind": PostingKind.VOID}, False),
        ({"code": PostingCode.SWEEP}, False),
        ({"code": 7}, False),
        ({"ordinal": 1}, False),
        ({"reverses_transaction_id": TransactionId(bytes(16))}, False),
    ],
)
def test_what_is_a_transfer(changes: dict[str, Any], *, expected: bool) -> None:
    assert model.is_transfer(posting(**changes)) is expected


REASONS = {
    TransferState.SCHEDULED: "TRANSFER_STATE_CONFLICT",
    TransferState.HELD: "TRANSFER_STATE_CONFLICT",
    TransferState.PROCESSING: "TRANSFER_STATE_CONFLICT",
    TransferState.COMPLETED: "TRANSFER_ALREADY_COMPLETED",
    TransferState.CANCELLED: "TRANSFER_ALREADY_CANCELLED",
    TransferState.FAILED: "TRANSFER_STATE_CONFLICT",
}


@pytest.mark.parametrize("state", list(TransferState))
@pytest.mark.parametrize(
    ("check", "allowed"),
    [
        (model.check_can_hold, {TransferState.SCHEDULED}),
        (
            lambda state: model.check_can_release(state, by_bank=True),
            {TransferState.SCHEDULED, TransferState.HELD},
        ),
        (
            lambda state: model.check_can_release(state, by_bank=False),
            {TransferState.SCHEDULED},
        ),
        (model.check_can_cancel, {TransferState.SCHEDULED, TransferState.HELD}),
    ],
)
def test_which_changes_which_state_allows(
    state: TransferState, check: Any, allowed: set[TransferState]
) -> None:
    if state in allowed:
        check(state)
        return
    with pytest.raises(Refusal) as caught:
        check(state)
    assert caught.value.reason == REASONS[state]
    if caught.value.reason == "TRANSFER_STATE_CONFLICT":
        assert caught.value.metadata == {"state": state.name}


@pytest.mark.parametrize(
    "bank_account", ["6222 0212 3456 7890", "DE89370400440532013000", "GB29-NWBK/6016.13", "a" * 34]
)
def test_bank_accounts_that_clearing_messages_carry(bank_account: str) -> None:
    model.check_bank_account(bank_account)


@pytest.mark.parametrize("bank_account", ["", " ", "a" * 35, "账号一", "12;34", "１２３４"])
def test_bank_accounts_that_they_do_not(bank_account: str) -> None:
    with pytest.raises(Refusal) as caught:
        model.check_bank_account(bank_account)
    assert caught.value.reason == "CLEARING_REFUSED"
    assert caught.value.metadata == {"clearing_code": "AC01"}
