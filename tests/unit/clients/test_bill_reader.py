"""Bills as a merchant reads them: what the server writes is believed, and nothing else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from longmen_merchant.bills import BillError, read_bill
from longmen_server.ledger.codes import PostingCode
from longmen_server.platform.ids import OrderId, TransactionId
from longmen_server.settlements.bills import TYPES, Bill
from longmen_server.settlements.queries import BillEntry

if TYPE_CHECKING:
    from collections.abc import Callable

MOVEMENTS = (
    (PostingCode.PURCHASE, False, 1_000, "A,1", ""),
    (PostingCode.MERCHANT_FEE, True, 6, "A,1", ""),
    (PostingCode.PURCHASE, False, 250, '"2"', ""),
    (PostingCode.REFUND, True, 400, "A,1", "r-1"),
    (PostingCode.FEE_RETURN, False, 2, "A,1", ""),
)


def written(*movements: tuple[PostingCode, bool, int, str, str]) -> bytes:
    """A bill as the server sends it."""
    bill = Bill("CNY", ZoneInfo("Asia/Shanghai"))
    balance, entries = 0, []
    for version, (code, is_debit, amount, number, refund) in enumerate(movements, start=1):
        balance += -amount if is_debit else amount
        entries.append(
            BillEntry(
                version=version,
                booked_at_us=1_790_000_000_000_000 + version,
                code=code,
                is_debit=is_debit,
                amount=amount,
                balance=balance,
                transaction_id=TransactionId(bytes(15) + b"\x01"),
                ordinal=0,
                reference=number,
                description=None,
                order_id=OrderId(bytes(15) + b"\x01"),
                refund_number=refund or None,
            )
        )
    return bill.begin() + bill.add(entries) + bill.end()


def changed(change: Callable[[list[str]], list[str]]) -> bytes:
    """The same bill with its lines changed."""
    lines = gzip.decompress(written(*MOVEMENTS)).decode().splitlines(keepends=True)
    return gzip.compress("".join(change(lines)).encode())


def test_a_bill_is_read_line_by_line() -> None:
    bill = read_bill(written(*MOVEMENTS))
    assert bill.sums == {"SALE": 1_250, "FEE": -6, "REFUND": -400, "FEE_RETURN": 2}
    assert bill.counts == {"SALE": 2, "FEE": 1, "REFUND": 1, "FEE_RETURN": 1}
    assert (bill.net, bill.currency_code, len(bill.digest)) == (846, "CNY", 64)
    first, *_, last = bill.lines
    assert (first.number, first.type, first.order_number, first.minor_units) == (
        1,
        "SALE",
        "A,1",
        1_000,
    )
    assert (last.number, last.balance_minor_units) == (5, 846)
    assert bill.lines[2].order_number == '"2"'
    assert bill.lines[3].refund_number == "r-1"


def test_a_day_without_movements_has_a_bill_too() -> None:
    bill = read_bill(written())
    assert (bill.lines, bill.sums, bill.net) == ((), {}, 0)


@pytest.mark.parametrize(
    ("change", "reason", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace("1000", "1001"), *lines[2:]], "hash_wrong", 2),
        (lambda lines: [*lines[:2], *lines[3:]], "hash_wrong", 3),
        (lambda lines: lines[:-1], "cut_off", 0),
        (lambda lines: [*lines, lines[-1]], "not_a_bill", len(MOVEMENTS) + len(TYPES) + 3),
        (lambda lines: lines[1:], "not_a_bill", 0),
        (lambda lines: [lines[0], "1,2,3\r\n"], "not_a_bill", 2),
        (lambda _: [], "not_a_bill", 0),
    ],
    ids=["amount", "gone", "cut off", "more", "headless", "short line", "empty"],
)
def test_whatever_was_changed_is_found(
    change: Callable[[list[str]], list[str]], reason: str, line: int
) -> None:
    with pytest.raises(BillError) as caught:
        read_bill(changed(change))
    assert (caught.value.reason, caught.value.line) == (reason, line)


def test_a_file_that_broke_off_is_no_bill() -> None:
    whole = written(*MOVEMENTS)
    for content, reason in ((whole[:-9], "cut_off"), (b"nothing", "not_a_bill"), (b"", "cut_off")):
        with pytest.raises(BillError) as caught:
            read_bill(content)
        assert caught.value.reason == reason
