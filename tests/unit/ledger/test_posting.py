"""What a posting does, and which refusal wins when it breaks several rules at once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger.model import (
    MAXIMUM_MINOR_UNITS,
    AccountRow,
    AccountState,
    BalancingMode,
    HoldRow,
    HoldState,
    PostingIntent,
    PostingKind,
)
from tests.support import booking
from tests.support.booking import account, capture, hold, move, transfers, verdict, void
from tests.support.clock import START_US
from tests.support.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = START_US
DEBIT, CREDIT = 1, 2
TRANSACTION, HELD = 100, 50
AMOUNT = 100


class Scene:
    """One transfer that would pass, and everything around it, for rules to be broken in."""

    def __init__(self, intent: PostingIntent) -> None:
        self.book = MemoryLedger()
        self.debit = account(DEBIT)
        self.credit = account(CREDIT)
        self.intent = intent
        self.chosen = False
        self.linked = False
        set_balance(self.debit, 1000)

    def verdict(self) -> str:
        for row in (self.debit, self.credit):
            self.book.accounts.setdefault(row.account_id, row)
        command = transfers(self.intent, chosen=self.chosen, linked=[0] if self.linked else [])
        return verdict(self.book.run([command], NOW)[0])


def set_balance(row: AccountRow, balance: int, volume: int = 0) -> None:
    """Give a liability account a balance, and a volume of credits."""
    row.credits_posted = max(volume, balance)
    row.debits_posted = row.credits_posted - balance


def balance(row: AccountRow) -> int:
    return row.posted


Breaker = tuple[str, "Callable[[Scene, frozenset[str]], None]"]


def chain_open(scene: Scene, broken: frozenset[str]) -> None:
    scene.linked = True


def id_conflict(scene: Scene, broken: frozenset[str]) -> None:
    scene.chosen = True
    earlier = move(TRANSACTION, 3, 4, 1)
    scene.book.accounts |= {row.account_id: row for row in (account(3), account(4))}
    refusals = dict(scene.book.refusals)
    scene.book.refusals.clear()
    assert verdict(scene.book.run([transfers(earlier, chosen=True)], NOW)[0]) == "CREATED"
    scene.book.refusals.update(refusals)


def id_refused(scene: Scene, broken: frozenset[str]) -> None:
    scene.chosen = True
    key = booking.transaction_id(TRANSACTION)
    scene.book.refusals[key] = (key, "INSUFFICIENT_FUNDS", 1)


def other_book(scene: Scene, broken: frozenset[str]) -> None:
    if "ACCOUNTS_IDENTICAL" in broken:
        scene.intent.debit_account_id = booking.account_id(DEBIT, book=2)
    scene.intent.credit_account_id = booking.account_id(
        DEBIT if "ACCOUNTS_IDENTICAL" in broken else CREDIT, book=2
    )


def identical(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.credit_account_id = scene.intent.debit_account_id


def no_debit_account(scene: Scene, broken: frozenset[str]) -> None:
    scene.debit = account(901)


def no_credit_account(scene: Scene, broken: frozenset[str]) -> None:
    scene.credit = account(902)


def other_currency(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.currency_code = "USD"


def in_future(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.effective_at_us = NOW + 1


def debit_closed(scene: Scene, broken: frozenset[str]) -> None:
    scene.debit.state = AccountState.CLOSING


def credit_closed(scene: Scene, broken: frozenset[str]) -> None:
    scene.credit.state = AccountState.CLOSED


def debit_frozen(scene: Scene, broken: frozenset[str]) -> None:
    scene.debit.state = AccountState.DEBIT_FROZEN


def credit_frozen(scene: Scene, broken: frozenset[str]) -> None:
    scene.credit.state = AccountState.FROZEN


def overflow(scene: Scene, broken: frozenset[str]) -> None:
    set_balance(scene.credit, balance(scene.credit), MAXIMUM_MINOR_UNITS - AMOUNT + 1)


def insufficient(scene: Scene, broken: frozenset[str]) -> None:
    scene.debit.floor_minor_units = scene.debit.available - AMOUNT + 1


def over_ceiling(scene: Scene, broken: frozenset[str]) -> None:
    scene.credit.ceiling_minor_units = balance(scene.credit) + AMOUNT - 1


def nothing_to_move(scene: Scene, broken: frozenset[str]) -> None:
    if "BALANCE_CEILING_EXCEEDED" in broken:
        scene.intent.balancing = BalancingMode.DEBIT
        scene.debit.floor_minor_units = scene.debit.available
    else:
        scene.intent.balancing = BalancingMode.CREDIT
        scene.credit.ceiling_minor_units = balance(scene.credit)


def not_empty(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.closes_credit_account = True


def has_holds(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.closes_debit_account = True
    set_balance(scene.debit, AMOUNT)
    scene.debit.credits_pending = 5


#: In the order of precedence; broken in the reverse order, so that limits know the balances.
NEW_POSTING: tuple[Breaker, ...] = (
    ("LINKED_CHAIN_OPEN", chain_open),
    ("TRANSACTION_ID_CONFLICT", id_conflict),
    ("TRANSACTION_ID_REFUSED", id_refused),
    ("BOOK_MISMATCH", other_book),
    ("ACCOUNTS_IDENTICAL", identical),
    ("DEBIT_ACCOUNT_NOT_FOUND", no_debit_account),
    ("CREDIT_ACCOUNT_NOT_FOUND", no_credit_account),
    ("CURRENCY_MISMATCH", other_currency),
    ("EFFECTIVE_TIME_IN_FUTURE", in_future),
    ("DEBIT_ACCOUNT_CLOSED", debit_closed),
    ("CREDIT_ACCOUNT_CLOSED", credit_closed),
    ("DEBIT_ACCOUNT_FROZEN", debit_frozen),
    ("CREDIT_ACCOUNT_FROZEN", credit_frozen),
    ("NOTHING_TO_MOVE", nothing_to_move),
    ("INSUFFICIENT_FUNDS", insufficient),
    ("BALANCE_CEILING_EXCEEDED", over_ceiling),
    ("BALANCE_OVERFLOW", overflow),
    ("ACCOUNT_NOT_EMPTY", not_empty),
    ("ACCOUNT_HAS_HOLDS", has_holds),
)
#: An account has one state.
EXCLUSIVE = {
    frozenset({"DEBIT_ACCOUNT_CLOSED", "DEBIT_ACCOUNT_FROZEN"}),
    frozenset({"CREDIT_ACCOUNT_CLOSED", "CREDIT_ACCOUNT_FROZEN"}),
}


def break_rules(scene: Scene, rules: tuple[Breaker, ...], broken: frozenset[str]) -> str:
    for name, breaker in reversed(rules):
        if name in broken:
            breaker(scene, broken)
    return scene.verdict()


def pairs(rules: tuple[Breaker, ...], exclusive: set[frozenset[str]]) -> list[Any]:
    names = [name for name, _ in rules]
    return [
        pytest.param(first, second, id=f"{first}-{second}")
        for first, second in itertools.combinations(names, 2)
        if frozenset({first, second}) not in exclusive
    ]


def new_posting() -> Scene:
    return Scene(move(TRANSACTION, DEBIT, CREDIT, AMOUNT))


def test_the_scene_without_a_broken_rule_passes() -> None:
    assert new_posting().verdict() == "CREATED"
    assert hold_scene().verdict() == "CREATED"


@pytest.mark.parametrize("reason", [name for name, _ in NEW_POSTING])
def test_a_broken_rule_is_refused_for_its_reason(reason: str) -> None:
    assert break_rules(new_posting(), NEW_POSTING, frozenset({reason})) == reason


@pytest.mark.parametrize(("first", "second"), pairs(NEW_POSTING, EXCLUSIVE))
def test_of_two_broken_rules_the_documented_first_is_told(first: str, second: str) -> None:
    assert break_rules(new_posting(), NEW_POSTING, frozenset({first, second})) == first


# -- On a hold ------------------------------------------------------------------------------------


def hold_scene() -> Scene:
    scene = Scene(capture(TRANSACTION, HELD, 30))
    held = hold(HELD, DEBIT, CREDIT, AMOUNT)
    scene.book.accounts |= {row.account_id: row for row in (scene.debit, scene.credit)}
    assert verdict(scene.book.run([transfers(held)], NOW)[0]) == "CREATED"
    return scene


def held_row(scene: Scene) -> HoldRow:
    return scene.book.holds[booking.transaction_id(HELD), 0]


def hold_of_another_book(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.pending = (booking.transaction_id(HELD, book=2), 0)


def no_hold(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.pending = (booking.transaction_id(HELD + 1), 0)


def never_pending(scene: Scene, broken: frozenset[str]) -> None:
    posted = move(HELD + 2, DEBIT, CREDIT, 1)
    assert verdict(scene.book.run([transfers(posted)], NOW)[0]) == "CREATED"
    scene.intent.pending = (booking.transaction_id(HELD + 2), 0)


def hold_captured(scene: Scene, broken: frozenset[str]) -> None:
    held_row(scene).state = HoldState.CAPTURED
    held_row(scene).remaining = 0


def hold_voided(scene: Scene, broken: frozenset[str]) -> None:
    held_row(scene).state = HoldState.VOIDED
    held_row(scene).remaining = 0


def hold_expired(scene: Scene, broken: frozenset[str]) -> None:
    held_row(scene).expires_at_us = NOW


def too_much(scene: Scene, broken: frozenset[str]) -> None:
    scene.intent.amount = AMOUNT + 1


ON_HOLD: tuple[Breaker, ...] = (
    ("LINKED_CHAIN_OPEN", chain_open),
    ("TRANSACTION_ID_CONFLICT", id_conflict),
    ("TRANSACTION_ID_REFUSED", id_refused),
    ("BOOK_MISMATCH", hold_of_another_book),
    ("PENDING_POSTING_NOT_FOUND", no_hold),
    ("POSTING_NOT_PENDING", never_pending),
    ("PENDING_POSTING_CAPTURED", hold_captured),
    ("PENDING_POSTING_VOIDED", hold_voided),
    ("PENDING_POSTING_EXPIRED", hold_expired),
    ("CURRENCY_MISMATCH", other_currency),
    ("CAPTURE_AMOUNT_EXCEEDED", too_much),
    ("EFFECTIVE_TIME_IN_FUTURE", in_future),
)
ONE_FATE = {
    frozenset(pair)
    for pair in itertools.combinations(
        (
            "PENDING_POSTING_NOT_FOUND",
            "POSTING_NOT_PENDING",
            "PENDING_POSTING_CAPTURED",
            "PENDING_POSTING_VOIDED",
        ),
        2,
    )
}


@pytest.mark.parametrize("reason", [name for name, _ in ON_HOLD])
def test_a_broken_rule_of_a_hold_is_refused_for_its_reason(reason: str) -> None:
    assert break_rules(hold_scene(), ON_HOLD, frozenset({reason})) == reason


@pytest.mark.parametrize(("first", "second"), pairs(ON_HOLD, ONE_FATE))
def test_of_two_broken_rules_of_a_hold_the_documented_first_is_told(
    first: str, second: str
) -> None:
    assert break_rules(hold_scene(), ON_HOLD, frozenset({first, second})) == first


# -- What a posting leaves behind -----------------------------------------------------------------


def book_with(*rows: AccountRow) -> MemoryLedger:
    book = MemoryLedger()
    book.accounts = {row.account_id: row for row in rows}
    return book


def funded(number: int, amount: int, **columns: Any) -> AccountRow:
    row = account(number, **columns)
    set_balance(row, amount)
    return row


@pytest.mark.parametrize("refused", [frozenset({"BALANCE_OVERFLOW"}), frozenset()])
def test_a_refused_posting_changes_no_row(refused: frozenset[str]) -> None:
    scene = new_posting()
    before = (scene.debit.copy(), scene.credit.copy())
    broken = refused or frozenset({"ACCOUNT_NOT_EMPTY"})
    break_rules(scene, NEW_POSTING, broken)
    if not refused:
        assert (scene.book.accounts[scene.debit.account_id], scene.credit) == before
    assert scene.book.postings == []
    assert scene.book.events == []
    assert scene.book.holds == {}


def test_a_capture_of_an_ordinal_that_is_not_there_is_not_found() -> None:
    book = book_with(funded(1, 1000), account(2))
    book.run([transfers(hold(50, 1, 2, 100))], NOW)
    wrong = capture(51, 50, 10, ordinal=3)
    assert verdict(book.run([transfers(wrong)], NOW)[0]) == "PENDING_POSTING_NOT_FOUND"


def test_a_later_posting_of_a_transaction_that_is_not_pending_is_told_so() -> None:
    book = book_with(funded(1, 1000), account(2))
    command = booking.transaction(50, hold(50, 1, 2, 100), move(50, 1, 2, 5))
    booking.reply(book.run([command], NOW)[0])
    wrong = capture(51, 50, 1, ordinal=1)
    assert verdict(book.run([transfers(wrong)], NOW)[0]) == "POSTING_NOT_PENDING"


def test_what_the_batch_itself_posted_is_no_hold_either() -> None:
    book = book_with(funded(1, 1000), account(2))
    command = transfers(move(50, 1, 2, 5), capture(51, 50, 1), chosen=True)
    answers = [booking.verdict_of(r) for r in booking.results(book.run([command], NOW)[0])]
    assert answers == ["CREATED", "POSTING_NOT_PENDING"]


def test_a_hold_can_be_captured_by_a_later_transfer_of_its_batch() -> None:
    book = book_with(funded(1, 1000), account(2))
    command = transfers(hold(50, 1, 2, 100), capture(51, 50, 30), void(52, 50), chosen=True)
    answers = [booking.verdict_of(r) for r in booking.results(book.run([command], NOW)[0])]
    assert answers == ["CREATED"] * 3
    assert book.holds[booking.transaction_id(50), 0].state == HoldState.VOIDED
    assert book.accounts[booking.account_id(2)].posted == 30


def test_an_expired_hold_says_when_it_ended() -> None:
    book = book_with(funded(1, 1000), account(2))
    book.run([transfers(hold(50, 1, 2, 100, hold_duration_us=1_000_000))], NOW)
    command = transfers(capture(51, 50, 10))
    result = booking.results(book.run([command], NOW + 1_000_000)[0])[0]
    assert dict(result.reason_metadata) == {
        "posting_id": f"txn_{booking.transaction_id(50).hex()}",
        "expire_time": str(NOW + 1_000_000),
    }


@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_posting_that_closes_an_account_tells_it_by_an_event(side: str) -> None:
    book = book_with(funded(1, 100), funded(2, -100))
    intent = move(50, 1, 2, 100)
    setattr(intent, f"closes_{side}_account", True)
    assert verdict(book.run([transfers(intent)], NOW)[0]) == "CREATED"
    closed = booking.account_id(1 if side == "debit" else 2)
    assert book.accounts[closed].state == AccountState.CLOSED
    posted, told = book.events
    assert posted.type == event_pb2.EVENT_TYPE_POSTING_POSTED
    assert told.type == event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED
    assert told.subject == closed
    assert told.booked_at_us > posted.booked_at_us
    assert book.accounts[closed].booked_at_us == told.booked_at_us
    change = event_pb2.AccountStateChange.FromString(told.payload or b"")
    assert AccountState(change.state) == AccountState.CLOSED
    assert told.body == told.payload


def test_a_posting_can_close_both_its_accounts() -> None:
    book = book_with(funded(1, 100), funded(2, -100))
    intent = move(50, 1, 2, 100, closes_debit_account=True, closes_credit_account=True)
    assert verdict(book.run([transfers(intent)], NOW)[0]) == "CREATED"
    assert {row.state for row in book.accounts.values()} == {AccountState.CLOSED}
    assert [event.type for event in book.events] == [
        event_pb2.EVENT_TYPE_POSTING_POSTED,
        event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED,
        event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED,
    ]


def test_an_account_to_close_that_is_not_empty_is_told_before_holds_on_the_other() -> None:
    book = book_with(funded(1, 100, credits_pending=5), funded(2, 100))
    intent = move(50, 1, 2, 100, closes_debit_account=True, closes_credit_account=True)
    assert verdict(book.run([transfers(intent)], NOW)[0]) == "ACCOUNT_NOT_EMPTY"


def test_only_pending_postings_of_a_reply_have_a_hold() -> None:
    book = book_with(funded(1, 1000), account(2))
    held = hold(50, 1, 2, 100)
    booking.reply(book.run([transfers(held)], NOW)[0])
    command = booking.transaction(
        60, hold(60, 1, 2, 10), capture(60, 50, 40, final=True), move(60, 1, 2, 1)
    )
    message = pb.CreateTransactionResponse.FromString(booking.reply(book.run([command], NOW)[0]))
    postings = message.transaction.postings
    assert [PostingKind(posting.kind) for posting in postings] == [
        PostingKind.PENDING,
        PostingKind.CAPTURE,
        PostingKind.VOID,
        PostingKind.POST,
    ]
    assert [posting.HasField("hold") for posting in postings] == [True, False, False, False]
