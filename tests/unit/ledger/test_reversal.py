"""Taking a transaction back: once, whole, equal and opposite."""

from __future__ import annotations

import pytest

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger.model import AccountState, PostingIntent
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.booking import account, capture, hold, move, transfers, verdict, void
from tests.support.clock import START_US
from tests.support.memory import MemoryLedger

NOW = START_US


@pytest.fixture
def book() -> MemoryLedger:
    """Account 1 with 1,000 on it and a floor, 2 and 3 without limits; a hold of 100 under id 50."""
    ledger = MemoryLedger()
    rows = [account(1, credits_posted=1000, floor=0), account(2), account(3, floor=0)]
    ledger.accounts = {row.account_id: row for row in rows}
    assert verdict(ledger.run([transfers(hold(50, 1, 2, 100))], NOW)[0]) == "CREATED"
    return ledger


def made(book: MemoryLedger, *postings: PostingIntent) -> None:
    booking.reply(book.run([booking.transaction(60, *postings)], NOW)[0])


def reversal(book: MemoryLedger, number: int = 70, original: int = 60) -> str:
    answer = book.run([booking.reverse(number, original)], NOW)[0]
    return answer.reason if isinstance(answer, Refusal) else "DONE"


def test_a_reversal_is_equal_and_opposite_and_in_reverse_order(book: MemoryLedger) -> None:
    made(book, move(60, 1, 2, 10), move(60, 2, 3, 4))
    balances = {key: row.posted for key, row in book.accounts.items()}
    command = booking.reverse(70, 60, reference="r", description="d", effective_at_us=NOW - 9)
    answer = booking.reply(book.run([command], NOW)[0])
    postings = book.transactions[booking.transaction_id(70)]
    assert [(p.debit_account_id, p.credit_account_id, p.amount) for p in postings] == [
        (booking.account_id(3), booking.account_id(2), 4),
        (booking.account_id(2), booking.account_id(1), 10),
    ]
    assert {p.reverses_transaction_id for p in postings} == {booking.transaction_id(60)}
    assert {(p.reference, p.description, p.effective_at_us) for p in postings} == {
        ("r", "d", NOW - 9)
    }
    assert balances[booking.account_id(1)] + 10 == book.accounts[booking.account_id(1)].posted
    message = pb.ReverseTransactionResponse.FromString(answer)
    assert len(message.transaction.postings) == 2
    assert len(message.balances) == 3


def test_a_transaction_is_reversed_once(book: MemoryLedger) -> None:
    made(book, move(60, 1, 2, 10))
    assert reversal(book) == "DONE"
    answer = book.run([booking.reverse(71, 60)], NOW)[0]
    assert isinstance(answer, Refusal)
    assert answer.reason == "ALREADY_REVERSED"
    assert answer.metadata == {
        "reversal_transaction_id": f"txn_{booking.transaction_id(70).hex()}",
    }


def test_two_reversals_in_one_batch_happen_once(book: MemoryLedger) -> None:
    made(book, move(60, 1, 2, 10))
    answers = book.run([booking.reverse(70, 60), booking.reverse(71, 60)], NOW)
    assert isinstance(answers[1], Refusal)
    assert answers[1].reason == "ALREADY_REVERSED"
    assert len(book.reversals) == 1


def test_a_transaction_that_is_not_there_cannot_be_reversed(book: MemoryLedger) -> None:
    assert reversal(book, original=61) == "TRANSACTION_NOT_FOUND"


@pytest.mark.parametrize(
    ("kind", "postings"),
    [
        ("PENDING", (hold(60, 1, 2, 10),)),
        ("PENDING", (hold(60, 1, 2, 10), move(60, 1, 3, 5))),
        ("CAPTURE", (move(60, 1, 3, 5), capture(60, 50, 10))),
        ("VOID", (void(60, 50),)),
    ],
)
def test_what_holds_captures_or_voids_cannot_be_reversed(
    book: MemoryLedger, kind: str, postings: tuple[PostingIntent, ...]
) -> None:
    made(book, *postings)
    # Posting by posting the money on account 3 would be missed first.
    assert verdict(book.run([transfers(move(80, 3, 2, 5))], NOW)[0]) in {
        "CREATED",
        "INSUFFICIENT_FUNDS",
    }
    before = {key: row.copy() for key, row in book.accounts.items()}
    answer = book.run([booking.reverse(70, 60)], NOW)[0]
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.metadata["kind"]) == ("NOT_REVERSIBLE", kind)
    assert book.accounts == before


def test_a_reversal_cannot_be_reversed(book: MemoryLedger) -> None:
    made(book, move(60, 1, 2, 10))
    assert reversal(book) == "DONE"
    assert reversal(book, 71, 70) == "NOT_REVERSIBLE"


def test_a_reversal_keeps_to_the_rules_of_postings(book: MemoryLedger) -> None:
    made(book, move(60, 1, 3, 10))
    assert verdict(book.run([transfers(move(61, 3, 2, 1))], NOW)[0]) == "CREATED"
    assert reversal(book) == "INSUFFICIENT_FUNDS"
    assert verdict(book.run([transfers(move(62, 2, 3, 1))], NOW)[0]) == "CREATED"
    booking.reply(book.run([booking.set_state(3, AccountState.DEBIT_FROZEN)], NOW)[0])
    assert reversal(book) == "DEBIT_ACCOUNT_FROZEN"
    booking.reply(book.run([booking.set_state(3, AccountState.OPEN)], NOW)[0])
    assert reversal(book) == "DONE"


def test_reversed_before_is_told_before_the_rules_of_postings(book: MemoryLedger) -> None:
    made(book, move(60, 1, 3, 10))
    assert reversal(book) == "DONE"
    booking.reply(book.run([booking.set_state(1, AccountState.FROZEN)], NOW)[0])
    assert reversal(book, 71) == "ALREADY_REVERSED"
