"""Transaction ids that callers choose: answered again, in conflict, or refused for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger.model import BalancingMode, PostingIntent
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.booking import account, capture, hold, move, transfers, verdict, void
from tests.support.clock import START_US
from tests.support.memory import MemoryLedger

if TYPE_CHECKING:
    from longmen_server.engine.command import Command, Outcome

NOW = START_US


def run(book: MemoryLedger, command: Command) -> Outcome | BaseException:
    return book.run([command], NOW)[0]


@pytest.fixture
def book() -> MemoryLedger:
    """Two accounts, the first with 1,000 on it, and a hold of 100 under id 50."""
    ledger = MemoryLedger()
    rows = [account(1, credits_posted=1000, floor=0), account(2), account(3)]
    ledger.accounts = {row.account_id: row for row in rows}
    assert verdict(run(ledger, transfers(hold(50, 1, 2, 100)))) == "CREATED"
    return ledger


def conflict(answer: Outcome | BaseException) -> str:
    """The field that a conflict names."""
    if isinstance(answer, Refusal):
        assert answer.reason == "TRANSACTION_ID_CONFLICT"
        return answer.metadata["field"]
    result = booking.results(answer)[0]
    assert booking.verdict_of(result) == "TRANSACTION_ID_CONFLICT"
    return result.reason_metadata["field"]


def test_the_same_transfer_again_is_answered_as_it_was(book: MemoryLedger) -> None:
    intent = move(60, 1, 2, 10, code=7, reference="r", description="d", effective_at_us=NOW - 5)
    first = booking.results(run(book, transfers(intent, chosen=True)))[0]
    assert verdict(run(book, transfers(move(61, 1, 2, 20)))) == "CREATED"
    again = booking.results(run(book, transfers(replace(intent), chosen=True)))[0]
    assert booking.verdict_of(again) == "EXISTS"
    assert again.amount_minor_units == 10
    assert again.booked_time == first.booked_time
    for side in ("debit_balances", "credit_balances"):
        then, now = getattr(first, side), getattr(again, side)
        assert (now.posted, now.available, now.version) == (
            then.posted,
            then.available,
            then.version,
        )
    assert len(book.transactions[booking.transaction_id(60)]) == 1


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("kind", {"kind": 2}),
        ("debit_account_id", {"debit_account_id": booking.account_id(3)}),
        ("credit_account_id", {"credit_account_id": booking.account_id(3)}),
        ("amount", {"amount": 11}),
        ("currency_code", {"currency_code": "USD"}),
        ("effective_time", {"effective_at_us": NOW - 6}),
        ("effective_time", {"effective_at_us": None}),
        ("code", {"code": 8}),
        ("reference", {"reference": "s"}),
        ("reference", {"reference": None}),
        ("description", {"description": "e"}),
    ],
)
def test_another_content_is_a_conflict_over_the_first_field(
    book: MemoryLedger, field: str, change: dict[str, Any]
) -> None:
    intent = move(60, 1, 2, 10, code=7, reference="r", description="d", effective_at_us=NOW - 5)
    assert verdict(run(book, transfers(intent, chosen=True))) == "CREATED"
    other = replace(intent, **change)
    assert conflict(run(book, transfers(other, chosen=True))) == field
    both = replace(other, description="changed too")
    assert conflict(run(book, transfers(both, chosen=True))) == field


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("kind", void(60, 50)),
        ("pending_posting_id", capture(60, 51, 30)),
        ("pending_posting_id", capture(60, 50, 30, ordinal=1)),
        ("amount", capture(60, 50, 31)),
        ("currency_code", capture(60, 50, 30, currency="USD")),
        ("effective_time", capture(60, 50, 30, effective_at_us=NOW - 1)),
        ("code", capture(60, 50, 30, code=1)),
        ("reference", capture(60, 50, 30, reference="r")),
        ("description", capture(60, 50, 30, description="d")),
    ],
)
def test_another_content_of_a_capture_is_a_conflict(
    book: MemoryLedger, field: str, other: PostingIntent
) -> None:
    assert verdict(run(book, transfers(capture(60, 50, 30), chosen=True))) == "CREATED"
    assert conflict(run(book, transfers(other, chosen=True))) == field
    assert book.holds[booking.transaction_id(50), 0].captured == 30


def test_the_same_capture_again_is_answered_as_it_was(book: MemoryLedger) -> None:
    for expected in ("CREATED", "EXISTS", "EXISTS"):
        command = transfers(capture(60, 50, 30), chosen=True)
        assert verdict(run(book, command)) == expected
    assert book.holds[booking.transaction_id(50), 0].captured == 30


def test_a_capture_of_the_rest_is_the_same_with_or_without_its_amount(book: MemoryLedger) -> None:
    assert verdict(run(book, transfers(capture(60, 50), chosen=True))) == "CREATED"
    assert verdict(run(book, transfers(capture(60, 50), chosen=True))) == "EXISTS"
    assert verdict(run(book, transfers(capture(60, 50, 100), chosen=True))) == "EXISTS"
    assert conflict(run(book, transfers(capture(60, 50, 99), chosen=True))) == "amount"


def test_a_balancing_transfer_again_is_answered_with_what_it_moved(book: MemoryLedger) -> None:
    intent = move(60, 1, 2, 5000, balancing=BalancingMode.DEBIT)
    assert verdict(run(book, transfers(intent, chosen=True))) == "CREATED"
    result = booking.results(run(book, transfers(replace(intent), chosen=True)))[0]
    assert booking.verdict_of(result) == "EXISTS"
    assert result.amount_minor_units == 900
    less = replace(intent, amount=899)
    assert conflict(run(book, transfers(less, chosen=True))) == "amount"


def test_a_refused_id_stays_refused_for_its_first_reason(book: MemoryLedger) -> None:
    intent = move(60, 1, 2, 2000)
    assert verdict(run(book, transfers(intent, chosen=True))) == "INSUFFICIENT_FUNDS"
    assert verdict(run(book, transfers(move(61, 2, 1, 5000)))) == "CREATED"
    for _ in range(2):
        result = booking.results(run(book, transfers(replace(intent), chosen=True)))[0]
        assert booking.verdict_of(result) == "TRANSACTION_ID_REFUSED"
        assert dict(result.reason_metadata) == {"first_reason": "INSUFFICIENT_FUNDS"}
    whole = booking.transaction(60, move(60, 1, 2, 1))
    assert verdict(run(book, whole)) == "TRANSACTION_ID_REFUSED"


def test_an_id_that_conflicts_is_not_refused_afterwards(book: MemoryLedger) -> None:
    assert verdict(run(book, transfers(move(60, 1, 2, 10), chosen=True))) == "CREATED"
    assert verdict(run(book, transfers(move(60, 1, 2, 11), chosen=True))) != "CREATED"
    assert verdict(run(book, transfers(move(60, 1, 2, 10), chosen=True))) == "EXISTS"
    assert book.refusals == {}


def test_an_id_of_another_book_is_not_remembered(book: MemoryLedger) -> None:
    foreign = booking.transaction_id(60, book=2)
    assert verdict(run(book, transfers(move(foreign, 1, 2, 10), chosen=True))) == "BOOK_MISMATCH"
    assert book.refusals == {}


def test_an_id_the_server_made_is_not_remembered_when_refused(book: MemoryLedger) -> None:
    assert verdict(run(book, transfers(move(60, 1, 2, 2000)))) == "INSUFFICIENT_FUNDS"
    assert book.refusals == {}


def test_the_same_id_twice_in_one_batch_is_created_once(book: MemoryLedger) -> None:
    answers = book.run(
        [transfers(move(60, 1, 2, 10), chosen=True), transfers(move(60, 1, 2, 10), chosen=True)],
        NOW,
    )
    assert [verdict(answer) for answer in answers] == ["CREATED", "EXISTS"]
    twice = transfers(move(61, 1, 2, 10), move(61, 1, 2, 10), move(61, 1, 2, 9), chosen=True)
    found = [booking.verdict_of(result) for result in booking.results(run(book, twice))]
    assert found == ["CREATED", "EXISTS", "TRANSACTION_ID_CONFLICT"]


# -- Chains ---------------------------------------------------------------------------------------


def chain_verdicts(answer: Outcome | BaseException) -> list[str]:
    return [booking.verdict_of(result) for result in booking.results(answer)]


def test_a_chain_repeated_is_answered_as_it_was(book: MemoryLedger) -> None:
    for expected in ("CREATED", "EXISTS"):
        chain = transfers(move(60, 1, 2, 10), move(61, 2, 3, 10), chosen=True, linked=[0])
        assert chain_verdicts(run(book, chain)) == [expected] * 2


def test_a_failed_chain_does_not_deny_what_took_effect_before(book: MemoryLedger) -> None:
    assert verdict(run(book, transfers(move(60, 1, 2, 10), chosen=True))) == "CREATED"
    assert verdict(run(book, transfers(move(62, 1, 2, 10), chosen=True))) == "CREATED"
    chain = transfers(
        move(60, 1, 2, 10), move(61, 1, 2, 5000), move(62, 1, 2, 10), chosen=True, linked=[0, 1]
    )
    assert chain_verdicts(run(book, chain)) == ["EXISTS", "INSUFFICIENT_FUNDS", "EXISTS"]
    assert list(book.refusals) == [booking.transaction_id(61)]


def test_every_id_of_a_failed_chain_is_used_up(book: MemoryLedger) -> None:
    chain = transfers(
        move(60, 1, 2, 10), move(61, 1, 2, 5000), move(62, 1, 2, 10), chosen=True, linked=[0, 1]
    )
    results = booking.results(run(book, chain))
    assert [booking.verdict_of(result) for result in results] == [
        "LINKED_TRANSFER_FAILED",
        "INSUFFICIENT_FUNDS",
        "LINKED_TRANSFER_FAILED",
    ]
    assert dict(results[0].reason_metadata) == {"failed_index": "1"}
    again = chain_verdicts(run(book, transfers(move(62, 1, 2, 10), chosen=True)))
    assert again == ["TRANSACTION_ID_REFUSED"]
    assert book.accounts[booking.account_id(1)].posted == 1000


def test_only_the_chain_that_failed_is_undone(book: MemoryLedger) -> None:
    command = transfers(
        move(60, 1, 2, 1),
        move(61, 1, 2, 2),
        move(62, 1, 2, 5000),
        move(63, 1, 2, 4),
        move(64, 1, 2, 8),
        linked=[1, 3],
    )
    assert chain_verdicts(run(book, command)) == [
        "CREATED",
        "LINKED_TRANSFER_FAILED",
        "INSUFFICIENT_FUNDS",
        "CREATED",
        "CREATED",
    ]
    assert book.accounts[booking.account_id(2)].posted == 13


def test_an_open_chain_is_refused_as_a_whole(book: MemoryLedger) -> None:
    command = transfers(move(60, 1, 2, 1), move(61, 1, 2, 2), move(62, 1, 2, 4), linked=[1, 2])
    results = booking.results(run(book, command))
    assert [booking.verdict_of(result) for result in results] == [
        "CREATED",
        "LINKED_TRANSFER_FAILED",
        "LINKED_CHAIN_OPEN",
    ]
    assert dict(results[2].reason_metadata) == {"index": "2"}
    assert book.accounts[booking.account_id(2)].posted == 1


# -- Transactions of several postings -------------------------------------------------------------


def several(*intents: PostingIntent, **options: Any) -> Command:
    return booking.transaction(60, *(replace(intent) for intent in intents), **options)


POSTINGS = (move(60, 1, 2, 10), capture(60, 50, 40, final=True), hold(60, 1, 3, 5))


def test_the_same_transaction_again_is_answered_as_it_was(book: MemoryLedger) -> None:
    first = pb.CreateTransactionResponse.FromString(booking.reply(run(book, several(*POSTINGS))))
    assert verdict(run(book, transfers(move(70, 1, 2, 1)))) == "CREATED"
    again = pb.CreateTransactionResponse.FromString(booking.reply(run(book, several(*POSTINGS))))
    for posting in first.transaction.postings:
        posting.ClearField("hold")
    assert again.transaction == first.transaction
    assert again.balances.keys() == first.balances.keys()
    for key, then in first.balances.items():
        now = again.balances[key]
        assert (now.posted, now.available, now.version) == (
            then.posted,
            then.available,
            then.version,
        )
    assert len(book.transactions[booking.transaction_id(60)]) == 4


@pytest.mark.parametrize(
    ("field", "postings"),
    [
        ("postings[0].amount", (move(60, 1, 2, 11), *POSTINGS[1:])),
        ("postings[2].credit_account_id", (*POSTINGS[:2], hold(60, 1, 2, 5))),
        ("postings[1].amount", (POSTINGS[0], capture(60, 50, 41, final=True), POSTINGS[2])),
        ("postings[2].kind", (*POSTINGS[:2], move(60, 1, 3, 5))),
        ("postings[3]", (*POSTINGS, move(60, 1, 2, 1))),
        ("postings", POSTINGS[:2]),
        ("code", tuple(replace(posting, code=3) for posting in POSTINGS)),
        ("reference", tuple(replace(posting, reference="x") for posting in POSTINGS)),
    ],
)
def test_another_transaction_under_the_id_is_a_conflict(
    book: MemoryLedger, field: str, postings: tuple[PostingIntent, ...]
) -> None:
    booking.reply(run(book, several(*POSTINGS)))
    assert conflict(run(book, several(*postings))) == field


def test_a_refused_transaction_uses_up_its_id_and_leaves_nothing(book: MemoryLedger) -> None:
    before = {key: row.copy() for key, row in book.accounts.items()}
    answer = run(book, several(move(60, 1, 2, 10), move(60, 1, 2, 5000)))
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.metadata["index"]) == ("INSUFFICIENT_FUNDS", "1")
    assert book.accounts == before
    assert verdict(run(book, several(move(60, 1, 2, 10)))) == "TRANSACTION_ID_REFUSED"
    assert verdict(run(book, transfers(move(60, 1, 2, 10), chosen=True))) == (
        "TRANSACTION_ID_REFUSED"
    )


def test_the_same_transaction_twice_in_one_batch_happens_once(book: MemoryLedger) -> None:
    first, second, third = book.run(
        [several(*POSTINGS), several(*POSTINGS), several(*POSTINGS[:1])], NOW
    )
    booking.reply(first)
    booking.reply(second)
    assert conflict(third) == "postings"
    assert book.accounts[booking.account_id(2)].posted == 50


def test_an_id_is_shared_by_transfers_and_transactions(book: MemoryLedger) -> None:
    assert verdict(run(book, transfers(move(60, 1, 2, 10), chosen=True))) == "CREATED"
    booking.reply(run(book, several(move(60, 1, 2, 10))))
    assert conflict(run(book, several(move(60, 1, 2, 10), move(60, 1, 2, 1)))) == "postings[1]"
    assert book.accounts[booking.account_id(2)].posted == 10
