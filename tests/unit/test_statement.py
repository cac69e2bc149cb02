from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from longmen.accounts.v1 import wallet_pb2
from longmen_server.accounts.queries import MonthHistory
from longmen_server.accounts.statement import (
    SETTLING_US,
    Month,
    StatementError,
    as_csv,
    as_json,
    check_month,
    harmless,
    make_statement,
)
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import AccountRow, AccountState, PostingKind, PostingRow
from longmen_server.ledger.queries.history import HistoryEntry
from longmen_server.platform.clock import to_microseconds
from longmen_server.platform.ids import AccountId, TransactionId
from longmen_server.platform.refusal import Refusal

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = Month(2026, 3, SHANGHAI)
OWN, OTHER = AccountId(b"o" * 16), AccountId(b"x" * 16)
ACCOUNT = AccountRow(
    OWN, "CNY", 2, 2010, AccountState.OPEN, 0, 0, 0, 0, 0, None, 9, 9, 9, None, None
)


def entry(version: int, amount: int, posted_after: int, **changes: Any) -> HistoryEntry:
    """A movement of a positive or negative amount."""
    debited = amount < 0
    values: dict[str, Any] = dict.fromkeys(PostingRow._fields)
    values |= {
        "transaction_id": TransactionId(version.to_bytes(16, "big")),
        "ordinal": 0,
        "kind": PostingKind.POST,
        "code": PostingCode.PAYMENT,
        "debit_account_id": OWN if debited else OTHER,
        "credit_account_id": OTHER if debited else OWN,
        "currency_code": "CNY",
        "amount": abs(amount),
        "booked_at_us": MARCH.start_us + version,
        "debit_version": version,
        "credit_version": version,
        "debit_posted_after": posted_after,
        "credit_posted_after": posted_after,
    }
    return HistoryEntry(PostingRow(**(values | changes)), debited)


def history(opening: int, amounts: list[int], **changes: Any) -> MonthHistory:
    entries, balance = [], opening
    for version, amount in enumerate(amounts, start=1):
        balance += amount
        entries.append(entry(version, amount, balance, **changes))
    return MonthHistory(opening, entries, balance)


def statement(month_history: MonthHistory, *, now_us: int | None = None) -> wallet_pb2.Statement:
    return make_statement(
        ACCOUNT,
        MARCH,
        month_history,
        {OTHER: "*明"},
        now_us=MARCH.end_us + SETTLING_US if now_us is None else now_us,
    )


amounts = st.lists(st.integers(-(10**12), 10**12).filter(bool), max_size=30)


@given(opening=st.integers(0, 10**12), moved=amounts)
def test_every_statement_adds_up(opening: int, moved: list[int]) -> None:
    made = statement(history(opening, moved))
    assert made.opening.minor_units == opening
    assert made.total_in.minor_units == sum(amount for amount in moved if amount > 0)
    assert made.total_out.minor_units == -sum(amount for amount in moved if amount < 0)
    assert made.closing.minor_units == opening + sum(moved)
    assert len(made.movements) == len(moved)


def test_a_history_with_a_line_missing_is_no_statement() -> None:
    whole = history(100, [5, -3, 8])
    broken = MonthHistory(100, whole.entries[:1] + whole.entries[2:], whole.closing)
    with pytest.raises(StatementError):
        statement(broken)


def test_a_history_that_ends_elsewhere_is_no_statement() -> None:
    whole = history(100, [5, -3])
    with pytest.raises(StatementError):
        statement(MonthHistory(100, whole.entries, whole.closing + 1))


def test_a_month_counts_as_complete_once_nothing_can_be_booked_in_it() -> None:
    made = history(0, [])
    assert not statement(made, now_us=MARCH.end_us - 1).complete
    assert not statement(made, now_us=MARCH.end_us + SETTLING_US - 1).complete
    assert statement(made, now_us=MARCH.end_us + SETTLING_US).complete


def test_months_follow_the_banks_calendar() -> None:
    start = dt.datetime(2026, 2, 28, 16, tzinfo=dt.UTC)
    assert to_microseconds(start) == MARCH.start_us
    assert Month(2026, 12, SHANGHAI).end_us == Month(2027, 1, SHANGHAI).start_us
    assert str(MARCH) == "2026-03"


@pytest.mark.parametrize(
    ("month", "valid"),
    [
        (Month(2026, 2, SHANGHAI), False),
        (Month(2026, 3, SHANGHAI), True),
        (Month(2026, 4, SHANGHAI), True),
        (Month(2026, 5, SHANGHAI), False),
        (Month(9999, 12, SHANGHAI), False),
        (Month(2000, 1, SHANGHAI), False),
    ],
)
def test_months_between_opening_and_now(month: Month, *, valid: bool) -> None:
    opened_at_us, now_us = MARCH.end_us - 1, MARCH.end_us
    if valid:
        check_month(month, opened_at_us=opened_at_us, now_us=now_us)
        return
    with pytest.raises(Refusal) as caught:
        check_month(month, opened_at_us=opened_at_us, now_us=now_us)
    assert caught.value.reason == "STATEMENT_MONTH_INVALID"
    assert caught.value.metadata == {"month": str(month)}


@given(opening=st.integers(0, 10**12), moved=amounts)
def test_the_json_document_is_the_statement(opening: int, moved: list[int]) -> None:
    made = statement(history(opening, moved, description='晚饭 "quoted" \\ \u2028'))
    assert json_format.Parse(as_json(made), wallet_pb2.Statement()) == made


def rows(document: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.decode("utf-8-sig"), newline="")))


@given(opening=st.integers(0, 10**12), moved=amounts)
def test_the_csv_document_adds_up(opening: int, moved: list[int]) -> None:
    lines = rows(as_csv(statement(history(opening, moved)), SHANGHAI))
    balance = Decimal(lines[0]["balance"])
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("OPENING", "CLOSING")
    for line in lines[1:-1]:
        amount = Decimal(line["amount"])
        balance += amount if line["direction"] == "IN" else -amount
        assert Decimal(line["balance"]) == balance
    assert Decimal(lines[-1]["balance"]) == balance


def test_csv_times_are_the_banks_and_amounts_have_the_currencys_digits() -> None:
    lines = rows(as_csv(statement(history(0, [1234])), SHANGHAI))
    assert lines[1]["booked_time"] == "2026-03-01 00:00:00+08:00"
    assert lines[1]["amount"] == "12.34"
    assert lines[1]["counterparty_name"] == "*明"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1+1", "\t=1", "\uff1d1", "\uff0b1", "\uff201"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == "'" + text
    made = statement(history(0, [-5], description=text, reference=text))
    line = rows(as_csv(made, SHANGHAI))[1]
    assert line["description"].startswith("'")
    assert line["reference"].startswith("'")


@given(st.text(max_size=20))
def test_harmless_text_begins_with_nothing_a_spreadsheet_runs(text: str) -> None:
    first = harmless(text).lstrip()[:1]
    assert first not in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}


@pytest.mark.parametrize(
    ("amount", "changes", "shown"),
    [
        (-5, {}, "mine"),
        (5, {}, ""),
        (5, {"code": PostingCode.TOP_UP}, "mine"),
        (-5, {"code": PostingCode.WITHDRAWAL}, "mine"),
        (5, {"code": 0}, ""),
    ],
)
def test_a_reference_is_shown_to_whoever_gave_it(
    amount: int, changes: dict[str, Any], shown: str
) -> None:
    made = statement(history(100, [amount], reference="mine", **changes))
    assert made.movements[0].reference == shown
