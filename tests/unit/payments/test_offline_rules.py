"""Sales without a network: when a stored one is taken, what is signed, and who bears a loss."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from longmen_server.offline.model import (
    BudgetRow,
    OfflineOutcome,
    StoredSale,
    bearer_of,
    check_day,
    check_sale,
    day_of,
    is_covered,
    month_of,
)
from longmen_server.offline.policy import POLICIES, policy_at, read_policies
from longmen_server.platform.ids import TerminalId, TerminalKeyId
from longmen_server.platform.refusal import Refusal

NOW = 1_000_000_000
WINDOW, SKEW = 600_000_000, 5_000_000


def stored(**changes: object) -> StoredSale:
    fields: dict[str, object] = {
        "key_id": TerminalKeyId(bytes(16)),
        "terminal_id": TerminalId(bytes(15) + b"\x01"),
        "sequence": 7,
        "order_number": "A-1",
        "amount": 300,
        "currency_code": "CNY",
        "code": "812345678312345601",
        "trace_number": 12,
        "business_date": "2026-03-04",
        "accepted_at_us": NOW,
        "description": "tea",
        **changes,
    }
    return StoredSale(**fields)  # type: ignore[arg-type]


def reason_of(sale: StoredSale) -> str:
    try:
        check_sale(sale, now_us=NOW, window_us=WINDOW, skew_us=SKEW, limits={"CNY": 500})
    except Refusal as refusal:
        return refusal.reason
    return ""


CASES: list[tuple[dict[str, object], str]] = [
    ({}, ""),
    ({"accepted_at_us": NOW - WINDOW}, ""),
    ({"accepted_at_us": NOW - WINDOW - 1}, "OFFLINE_WINDOW_PASSED"),
    ({"accepted_at_us": NOW + SKEW}, ""),
    ({"accepted_at_us": NOW + SKEW + 1}, "OFFLINE_TIME_AHEAD"),
    ({"amount": 500}, ""),
    ({"amount": 501}, "OFFLINE_LIMIT_EXCEEDED"),
    ({"currency_code": "XAU", "amount": 1}, "OFFLINE_LIMIT_EXCEEDED"),
]


def test_what_a_till_should_not_have_taken() -> None:
    for changes, reason in CASES:
        assert reason_of(stored(**changes)) == reason, changes


def test_the_signed_text_has_everything_that_counts() -> None:
    assert stored().text.decode().split("\n") == [
        "LONGMEN-OFFLINE-1",
        "tky_" + "0" * 32,
        "trm_" + "0" * 31 + "1",
        "7",
        "A-1",
        "300",
        "CNY",
        "812345678312345601",
        "12",
        "2026-03-04",
        str(NOW),
        "a9f74d1ec36ebdeb2da3f6e5868090cd2a2d20b3dcca7b62f60304b1d3d9ef42",
    ]
    others: dict[str, object] = {
        "sequence": 8,
        "order_number": "A-2",
        "amount": 301,
        "currency_code": "EUR",
        "code": "8",
        "trace_number": 13,
        "business_date": "2026-03-05",
        "accepted_at_us": NOW + 1,
        "description": "milk",
        "key_id": TerminalKeyId(bytes(15) + b"\x02"),
        "terminal_id": TerminalId(bytes(16)),
    }
    digests = {stored(**{name: value}).digest for name, value in others.items()}
    assert len(digests | {stored().digest}) == len(others) + 1


def used(count: int, amount: int) -> BudgetRow:
    return BudgetRow(bytes(16), "2026-03-04", "CNY", count, amount)


def test_a_payers_day_has_a_number_and_a_sum() -> None:
    check_day(None, 100, count=1, limit=100)
    check_day(used(2, 50), 50, count=3, limit=100)
    for row, amount in ((used(3, 0), 1), (used(2, 51), 50), (None, 101)):
        with pytest.raises(Refusal) as caught:
            check_day(row, amount, count=3, limit=100)
        assert caught.value.reason == "OFFLINE_BUDGET_SPENT"


@pytest.mark.parametrize(
    ("reason", "amount", "bearer"),
    [
        ("INSUFFICIENT_FUNDS", 60, "bank"),
        ("INSUFFICIENT_FUNDS", 61, "merchant"),
        ("CODE_USED", 1, "merchant"),
    ],
)
def test_the_bank_pays_for_what_no_till_could_know(reason: str, amount: int, bearer: str) -> None:
    budgets = ((used(1, 40), 100), (None, 100))
    covered = is_covered(reason, amount, reasons={"INSUFFICIENT_FUNDS"}, budgets=budgets)
    assert covered == (bearer == "bank")


def test_every_outcome_has_its_bearer() -> None:
    assert {one.name: bearer_of(one).name for one in OfflineOutcome} == {
        "PAID": "NOBODY",
        "COVERED": "BANK",
        "LOST": "MERCHANT",
        "REFUSED": "NOBODY",
    }


def test_periods_never_meet() -> None:
    assert (day_of(date(2026, 3, 4)), month_of(date(2026, 3, 4))) == ("2026-03-04", "2026-03")


def test_the_figures_are_dated_and_within_what_is_remembered(tmp_path: Path) -> None:
    assert policy_at(0) is POLICIES[0]
    assert policy_at(POLICIES[-1].effective_from_us) is POLICIES[-1]
    source = Path(__file__).parents[3] / "server/longmen_server/offline/policy.toml"
    broken = tmp_path / "policy.toml"
    broken.write_text(source.read_text("utf-8").replace("window_hours = 24", "window_hours = 73"))
    with pytest.raises(ValueError, match="forgotten"):
        read_policies(broken)
