from __future__ import annotations

import pytest

from longmen_server.accounts import model
from longmen_server.accounts.model import Actor
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.platform.ids import AccountId, CustomerId
from longmen_server.platform.refusal import Refusal

ME = CustomerId(b"m" * 16)
YOU = CustomerId(b"y" * 16)
FROZEN = AccountState.FROZEN
RECEIVING = AccountState.DEBIT_FROZEN
OPEN = AccountState.OPEN


def account(
    state: AccountState, *, posted: int = 0, pending: int = 0, by_owner: bool = False
) -> AccountRow:
    return AccountRow(
        AccountId(b"a" * 16),
        "CNY",
        2,
        2010,
        state,
        0,
        posted,
        pending,
        0,
        0,
        None,
        *(1, 1, 1),
        ME,
        None,
        by_owner,
    )


def reason(check: object) -> str:
    assert callable(check)
    try:
        check()
    except Refusal as refusal:
        return refusal.reason
    return ""


def test_customers_use_what_is_theirs_and_the_bank_everything() -> None:
    assert Actor(ME).may_use(ME)
    assert not Actor(ME).may_use(YOU)
    assert not Actor(ME).may_use(None)
    assert Actor(None).may_use(YOU)
    assert Actor(None).may_use(None)
    assert Actor(None).is_bank
    assert not Actor(ME).is_bank


@pytest.mark.parametrize(
    ("state", "by_customer", "target", "by_bank", "expected"),
    [
        (OPEN, False, FROZEN, False, ""),
        (OPEN, False, RECEIVING, False, ""),
        (OPEN, False, FROZEN, True, ""),
        (RECEIVING, True, FROZEN, False, ""),
        (FROZEN, True, RECEIVING, False, ""),
        (FROZEN, True, FROZEN, False, "ACCOUNT_STATE_CONFLICT"),
        # What the bank froze a customer cannot make an own freeze of, to lift it later.
        (FROZEN, False, RECEIVING, False, "ACCOUNT_STATE_CONFLICT"),
        (RECEIVING, False, FROZEN, False, "ACCOUNT_STATE_CONFLICT"),
        (AccountState.CREDIT_FROZEN, False, FROZEN, False, "ACCOUNT_STATE_CONFLICT"),
        # The bank takes a customer's freeze over.
        (FROZEN, True, FROZEN, True, ""),
        (FROZEN, False, FROZEN, True, "ACCOUNT_STATE_CONFLICT"),
        (FROZEN, False, RECEIVING, True, ""),
        (AccountState.CLOSING, False, FROZEN, True, "ACCOUNT_STATE_CONFLICT"),
        (AccountState.CLOSED, False, FROZEN, True, "ACCOUNT_STATE_CONFLICT"),
        (AccountState.CLOSED, True, FROZEN, False, "ACCOUNT_STATE_CONFLICT"),
    ],
)
def test_freezing(
    state: AccountState, *, by_customer: bool, target: AccountState, by_bank: bool, expected: str
) -> None:
    def check() -> None:
        model.check_freeze(account(state, by_owner=by_customer), target, by_bank=by_bank)

    assert reason(check) == expected


@pytest.mark.parametrize(
    ("state", "by_customer", "by_bank", "expected"),
    [
        (FROZEN, True, False, ""),
        (RECEIVING, True, False, ""),
        (FROZEN, True, True, ""),
        (FROZEN, False, True, ""),
        (FROZEN, False, False, "FROZEN_BY_BANK"),
        (RECEIVING, False, False, "FROZEN_BY_BANK"),
        (OPEN, False, False, "ACCOUNT_STATE_CONFLICT"),
        (AccountState.CLOSED, False, True, "ACCOUNT_STATE_CONFLICT"),
    ],
)
def test_unfreezing(
    state: AccountState, *, by_customer: bool, by_bank: bool, expected: str
) -> None:
    def check() -> None:
        model.check_unfreeze(account(state, by_owner=by_customer), by_bank=by_bank)

    assert reason(check) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (account(OPEN), ""),
        (account(OPEN, posted=5), ""),
        (account(AccountState.CLOSING), ""),
        (account(AccountState.CLOSING, posted=5), "ACCOUNT_STATE_CONFLICT"),
        (account(FROZEN), "ACCOUNT_STATE_CONFLICT"),
        (account(RECEIVING), "ACCOUNT_STATE_CONFLICT"),
        (account(AccountState.CLOSED), "ACCOUNT_STATE_CONFLICT"),
        (account(OPEN, posted=5, pending=1), "ACCOUNT_HAS_HOLDS"),
    ],
)
def test_closing(row: AccountRow, expected: str) -> None:
    assert reason(lambda: model.check_close(row)) == expected


@pytest.mark.parametrize("phone", ["+8613800138000", "+14155550123", "+442079460018"])
def test_possible_phone_numbers(phone: str) -> None:
    assert model.check_phone_number(phone) == phone


@pytest.mark.parametrize(
    "phone",
    [
        "+1000000",
        "+861380013800012",
        "+999123456789",
        "+4402079460018",
        "8613800138000",
        "+86 138 0013 8000",
        "",
    ],
)
def test_impossible_phone_numbers(phone: str) -> None:
    assert reason(lambda: model.check_phone_number(phone)) == "PHONE_NUMBER_INVALID"
