"""The rules of bills: what an account number looks like, and when a bill can be paid."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from longmen_server.billers import model
from longmen_server.billers.model import AccountFormat, DueRow, DueState, NumberCheck
from longmen_server.platform.ids import BillerId, DueId, MerchantId
from longmen_server.platform.refusal import Refusal

TODAY = dt.date(2026, 11, 22)


def form(**changes: Any) -> AccountFormat:
    fields: dict[str, Any] = {
        "digits_only": True,
        "minimum_length": 4,
        "maximum_length": 12,
        "check": NumberCheck.NONE,
        "hint": "",
    }
    return AccountFormat(**{**fields, **changes})


def due(**changes: Any) -> DueRow:
    fields: dict[str, Any] = {
        "due_id": DueId(bytes(16)),
        "biller_id": BillerId(bytes(16)),
        "merchant_id": MerchantId(bytes(16)),
        "bill_number": "1",
        "account_index": b"index",
        "account_number": b"sealed",
        "amount": 100,
        "currency_code": "CNY",
        "period": "2026-10",
        "due_date": "2026-11-20",
        "last_date": "",
        "description": "",
        "state": DueState.OPEN,
        "order_id": None,
        "payer_account_id": None,
        "paid_at_us": None,
        "version": 1,
        "created_at_us": 0,
        "updated_at_us": 0,
    }
    return DueRow(**{**fields, **changes})


@pytest.mark.parametrize(
    ("number", "changes", "rule"),
    [
        ("1234", {}, ""),
        ("123", {}, "length"),
        ("1234567890123", {}, "length"),
        ("12A4", {}, "characters"),
        ("12 4", {}, "characters"),
        ("١٢٣٤", {}, "characters"),
        ("12A-4", {"digits_only": False}, ""),
        ("12a4", {"digits_only": False}, "characters"),
        ("79927398713", {"check": NumberCheck.LUHN}, ""),
        ("79927398710", {"check": NumberCheck.LUHN}, "check"),
        ("79927398731", {"check": NumberCheck.LUHN}, "check"),
        ("79444", {"check": NumberCheck.MOD_97}, ""),
        ("79495", {"check": NumberCheck.MOD_97}, "check"),
        ("12345676", {"check": NumberCheck.MOD_97}, ""),
        ("12345677", {"check": NumberCheck.MOD_97}, "check"),
    ],
)
def test_what_an_account_number_breaks(number: str, changes: dict[str, Any], rule: str) -> None:
    assert form(**changes).broken_rule(number) == rule


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"minimum_length": 13}, "lengths"),
        ({"digits_only": False, "check": NumberCheck.LUHN}, "check"),
        ({"minimum_length": 2, "check": NumberCheck.MOD_97}, "check_length"),
    ],
)
def test_a_format_that_no_number_has(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refusal) as caught:
        model.check_format(form(**changes))
    told = (caught.value.reason, caught.value.metadata["rules"])
    assert told == ("INVALID_REQUEST", f"account_format.{rule}")
    model.check_format(form())


@pytest.mark.parametrize(
    ("changes", "state", "is_overdue"),
    [
        ({}, DueState.OPEN, True),
        ({"due_date": "2026-11-22"}, DueState.OPEN, False),
        ({"last_date": "2026-11-22"}, DueState.OPEN, True),
        ({"last_date": "2026-11-21"}, DueState.EXPIRED, False),
        ({"last_date": "2026-11-21", "state": DueState.PAID}, DueState.PAID, False),
        ({"state": DueState.CANCELLED}, DueState.CANCELLED, False),
    ],
)
def test_where_a_bill_stands_on_a_day(
    changes: dict[str, Any], state: DueState, *, is_overdue: bool
) -> None:
    row = due(**changes)
    assert (row.state_on(TODAY), row.is_overdue(TODAY)) == (state, is_overdue)
    if state == DueState.OPEN:
        model.check_payable(row, TODAY)
        return
    with pytest.raises(Refusal) as caught:
        model.check_payable(row, TODAY)
    assert caught.value.reason == "DUE_NOT_PAYABLE"
    assert caught.value.metadata["state"] == state.name


@pytest.mark.parametrize(
    ("number", "shown"), [("1234567", "***4567"), ("12345", "*2345"), ("1234", "***4"), ("1", "1")]
)
def test_what_is_shown_of_an_account_number(number: str, shown: str) -> None:
    assert model.masked(number) == shown


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount": 101}, "amount"),
        ({"currency_code": "USD", "due_date": "2026-12-01"}, "amount,due_date"),
        ({"account_index": b"other", "description": "x"}, "account_number,description"),
    ],
)
def test_a_number_that_is_taken_names_what_differs(changes: dict[str, Any], fields: str) -> None:
    model.check_same(due(), due(due_id=DueId(bytes(15) + b"1")), "bill_number")
    with pytest.raises(Refusal) as caught:
        model.check_same(due(), due(**changes), "bill_number")
    assert (caught.value.reason, caught.value.metadata["fields"]) == ("BILL_NUMBER_REUSED", fields)


def test_one_linked_account_too_many() -> None:
    model.check_link_limit(model.LINKS_MAX - 1)
    with pytest.raises(Refusal) as caught:
        model.check_link_limit(model.LINKS_MAX)
    assert caught.value.reason == "BILL_LINK_LIMIT_REACHED"
    assert caught.value.metadata == {"limit": str(model.LINKS_MAX)}
