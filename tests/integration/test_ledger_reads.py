"""What LedgerService shows is what was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from longmen.ledger.v1 import account_pb2, ledger_service_pb2, transaction_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger.chart import BANK_CLEARING, CUSTOMER_DEPOSITS
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.model import AccountState, PostingKind
from longmen_server.platform.freshness import encode_token
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    TRANSACTION,
    AccountId,
    CustomerId,
    TransactionId,
    new_id,
)
from longmen_server.platform.refusal import Refusal
from tests.support.clock import START_US, SettableClock
from tests.support.ledger import BOOK, Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

SECOND_US = 1_000_000
LOOKUP = ledger_service_pb2.TransferLookup


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with open_ledger(database.app_dsn, SettableClock()) as opened:
        yield opened


async def refused(ledger: Ledger, method: str, request: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await ledger.read(method, request)
    return caught.value


async def walk(ledger: Ledger, method: str, request: Any, field: str) -> list[Any]:
    """Every item of a list, page by page; every page but the last is full."""
    found: list[Any] = []
    while True:
        reply = await ledger.read(method, request)
        page = getattr(reply, field)
        found.extend(page)
        if not reply.next_page_token:
            return found
        assert len(page) == request.page_size
        request.page_token = reply.next_page_token


async def funded(ledger: Ledger, count: int, amount: int = 1_000) -> list[AccountId]:
    """The bank's clearing account, and customers with money, one second apart."""
    (bank,) = await ledger.open(code=BANK_CLEARING)
    customers = await ledger.open(count, floor=0)
    for customer in customers:
        ledger.clock.advance(1)
        await ledger.move(bank, customer, amount)
    return [bank, *customers]


# -- accounts ----------------------------------------------------------------------------------


async def test_account_shows_all_that_was_asked_for_and_its_balances(ledger: Ledger) -> None:
    owner = CustomerId(new_id(BOOK, ledger.clock))
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (account,) = await ledger.open(floor=-50, ceiling=5_000, owner=owner)
    ledger.clock.advance(1)
    await ledger.move(bank, account, 700)
    await ledger.hold(account, bank, 200)
    await ledger.hold(bank, account, 30)
    reply = await ledger.read(
        "GetAccount", pb.GetAccountRequest(account_id=ACCOUNT.encode(account))
    )
    assert reply.account == account_pb2.Account(
        account_id=ACCOUNT.encode(account),
        currency_code="CNY",
        type=account_pb2.ACCOUNT_TYPE_LIABILITY,
        chart_code=CUSTOMER_DEPOSITS,
        owner_id=CUSTOMER.encode(owner),
        floor_minor_units=-50,
        ceiling_minor_units=5_000,
        state=account_pb2.ACCOUNT_STATE_OPEN,
        create_time=timestamp(START_US + 1),
        update_time=timestamp(START_US + SECOND_US + 2),
        balances=account_pb2.Balances(
            currency_code="CNY",
            credits_posted=700,
            debits_pending=200,
            credits_pending=30,
            posted=700,
            available=500,
            version=3,
        ),
    )


async def test_unknown_account_is_named(ledger: Ledger) -> None:
    missing = ACCOUNT.encode(ledger.new_account_id())
    for method, request in (
        ("GetAccount", pb.GetAccountRequest(account_id=missing)),
        ("ListEntries", pb.ListEntriesRequest(account_id=missing)),
        ("GetBalances", pb.GetBalancesRequest(account_ids=[missing])),
        (
            "GetBalances",
            pb.GetBalancesRequest(account_ids=[missing], known_at_booked_time=timestamp(1)),
        ),
    ):
        refusal = await refused(ledger, method, request)
        assert refusal.reason == "ACCOUNT_NOT_FOUND"
        assert refusal.metadata == {"account_id": missing}


async def test_accounts_are_listed_page_by_page_in_the_order_of_their_ids(ledger: Ledger) -> None:
    owner = CustomerId(new_id(BOOK, ledger.clock))
    owned = await ledger.open(3, owner=owner)
    dollars = await ledger.open(2, currency="USD")
    banks = await ledger.open(2, code=BANK_CLEARING)
    everything = sorted([*owned, *dollars, *banks])
    for size in (1, 2, 3, 7, 8):
        accounts = await walk(
            ledger, "ListAccounts", pb.ListAccountsRequest(page_size=size), "accounts"
        )
        assert [each.account_id for each in accounts] == list(map(ACCOUNT.encode, everything))
    for wanted, request in (
        (owned, pb.ListAccountsRequest(owner_id=CUSTOMER.encode(owner), page_size=2)),
        (dollars, pb.ListAccountsRequest(currency_code="USD", page_size=1)),
        (banks, pb.ListAccountsRequest(chart_code=BANK_CLEARING, page_size=1)),
        ([], pb.ListAccountsRequest(chart_code=BANK_CLEARING, currency_code="USD")),
    ):
        accounts = await walk(ledger, "ListAccounts", request, "accounts")
        assert [each.account_id for each in accounts] == list(map(ACCOUNT.encode, wanted))


async def test_lists_refuse_foreign_tokens_and_books(ledger: Ledger) -> None:
    await ledger.open(2)
    request = pb.ListAccountsRequest(page_size=1)
    reply = await ledger.read("ListAccounts", request)
    request.page_token = reply.next_page_token
    request.currency_code = "USD"
    assert (await refused(ledger, "ListAccounts", request)).reason == "INVALID_PAGE_TOKEN"
    for method, other in (
        ("ListAccounts", pb.ListAccountsRequest(book=2)),
        ("ListTransactions", pb.ListTransactionsRequest(book=2)),
        ("GetTrialBalance", pb.GetTrialBalanceRequest(book=2)),
    ):
        refusal = await refused(ledger, method, other)
        assert (refusal.reason, refusal.metadata) == ("UNKNOWN_BOOK", {"book": "2"})


@pytest.mark.parametrize(
    "token", ["x", "00010000000000000000g", "0" * 20, "8000" + "0" * 16, "0001"]
)
async def test_malformed_consistency_tokens_are_refused(ledger: Ledger, token: str) -> None:
    request = pb.GetTrialBalanceRequest(at_least_as_fresh=token)
    assert (await refused(ledger, "GetTrialBalance", request)).reason == "INVALID_CONSISTENCY_TOKEN"


async def test_consistency_token_of_a_reply_is_taken(ledger: Ledger) -> None:
    token = encode_token(BOOK, ledger.clock.now_us())
    reply = await ledger.read("GetTrialBalance", pb.GetTrialBalanceRequest(at_least_as_fresh=token))
    assert reply.balanced


# -- transactions ------------------------------------------------------------------------------


async def test_transaction_shows_postings_hold_and_reversal(ledger: Ledger) -> None:
    bank, anna, boris = await funded(ledger, 2)
    made = await ledger.transact(
        ledger.intent(anna, boris, 40, reference="order 7", description="书 and tea", code=12),
        ledger.intent(anna, bank, 2, kind=PostingKind.PENDING),
    )
    reply = await ledger.read(
        "GetTransaction", pb.GetTransactionRequest(transaction_id=TRANSACTION.encode(made))
    )
    first, second = reply.transaction.postings
    assert (first.posting_id, second.posting_id) == (
        TRANSACTION.encode(made),
        f"{TRANSACTION.encode(made)}.1",
    )
    assert (first.reference, first.description, first.code) == ("order 7", "书 and tea", 12)
    assert second.hold.state == transaction_pb2.HOLD_STATE_HELD
    assert second.hold.remaining_minor_units == 2
    assert not first.HasField("hold")
    assert reply.transaction.reversal_transaction_id == ""

    plain = await ledger.move(anna, boris, 5)
    reversal = await ledger.reverse(plain)
    original = await ledger.read(
        "GetTransaction", pb.GetTransactionRequest(transaction_id=TRANSACTION.encode(plain))
    )
    assert original.transaction.reversal_transaction_id == TRANSACTION.encode(reversal)
    opposite = await ledger.read(
        "GetTransaction", pb.GetTransactionRequest(transaction_id=TRANSACTION.encode(reversal))
    )
    (posting,) = opposite.transaction.postings
    assert posting.reverses_transaction_id == TRANSACTION.encode(plain)
    assert posting.debit_account_id == ACCOUNT.encode(boris)


async def test_lookup_is_dense_and_tells_created_refused_and_never_seen(ledger: Ledger) -> None:
    bank, anna = await funded(ledger, 1, amount=10)
    made = await ledger.move(bank, anna, 1)
    too_much = ledger.intent(anna, bank, 1_000_000)
    await ledger.book(too_much)
    never = ledger.new_transaction_id()
    foreign = TransactionId(new_id(77, ledger.clock))
    asked = [never, made, too_much.transaction_id, foreign, made]
    reply = await ledger.read(
        "LookupTransfers",
        pb.LookupTransfersRequest(transaction_ids=list(map(TRANSACTION.encode, asked))),
    )
    assert [each.transaction_id for each in reply.lookups] == list(map(TRANSACTION.encode, asked))
    assert [each.state for each in reply.lookups] == [
        LOOKUP.STATE_NEVER_SEEN,
        LOOKUP.STATE_CREATED,
        LOOKUP.STATE_REFUSED,
        LOOKUP.STATE_NEVER_SEEN,
        LOOKUP.STATE_CREATED,
    ]
    assert reply.lookups[2].refusal_reason == "INSUFFICIENT_FUNDS"
    assert reply.lookups[1].transaction.postings[0].amount.minor_units == 1


async def test_transactions_are_listed_in_the_order_of_their_booking(ledger: Ledger) -> None:
    _, anna, boris = await funded(ledger, 2)
    made: list[tuple[int, TransactionId]] = []
    # Bursts, and gaps far longer than the first span of time that a list looks at.
    for index in range(30):
        ledger.clock.advance((0, 0, 0.3, 7, 4_000, 86_400 * 40)[index % 6])
        code = index % 3
        reference = "even" if index % 2 == 0 else None
        transaction_id = await ledger.move(anna, boris, 1, code=code, reference=reference)
        made.append((index, transaction_id))
        if index % 5 == 0:
            await ledger.move(boris, anna, 1, code=9)
    last = TRANSACTION.encode(made[-1][1])

    everything = await walk(
        ledger, "ListTransactions", pb.ListTransactionsRequest(page_size=1000), "transactions"
    )
    assert everything[-1].transaction_id == last
    assert len(everything) == 2 + 30 + 6
    stamps = [each.booked_time.ToNanoseconds() for each in everything]
    assert stamps == sorted(stamps)

    for size in (1, 4, 37, 38):
        request = pb.ListTransactionsRequest(page_size=size)
        assert await walk(ledger, "ListTransactions", request, "transactions") == everything
        request = pb.ListTransactionsRequest(page_size=size, newest_first=True)
        newest = await walk(ledger, "ListTransactions", request, "transactions")
        assert newest == everything[::-1]

    for newest_first in (False, True):
        by_code = await walk(
            ledger,
            "ListTransactions",
            pb.ListTransactionsRequest(code=1, page_size=3, newest_first=newest_first),
            "transactions",
        )
        wanted = [TRANSACTION.encode(each) for index, each in made if index % 3 == 1]
        if newest_first:
            wanted.reverse()
        assert [each.transaction_id for each in by_code] == wanted

        by_both = await walk(
            ledger,
            "ListTransactions",
            pb.ListTransactionsRequest(
                code=1, reference="even", page_size=2, newest_first=newest_first
            ),
            "transactions",
        )
        even = [TRANSACTION.encode(each) for index, each in made if index % 6 == 4]
        if newest_first:
            even.reverse()
        assert [each.transaction_id for each in by_both] == even

    middle = everything[10:20]
    between = await walk(
        ledger,
        "ListTransactions",
        pb.ListTransactionsRequest(
            from_time=middle[0].booked_time, to_time=everything[20].booked_time, page_size=3
        ),
        "transactions",
    )
    assert between == middle


async def test_empty_ranges_and_empty_books(ledger: Ledger) -> None:
    reply = await ledger.read("ListTransactions", pb.ListTransactionsRequest())
    assert not reply.transactions
    assert reply.next_page_token == ""
    backwards = pb.ListTransactionsRequest(from_time=timestamp(2), to_time=timestamp(2))
    refusal = await refused(ledger, "ListTransactions", backwards)
    assert (refusal.reason, refusal.metadata) == ("TIME_RANGE_INVALID", {"field": "to_time"})


async def test_page_of_large_transactions_is_cut_between_transactions(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longmen_server.ledger.queries.transactions.POSTINGS_PER_PAGE_MAX", 7)
    bank, anna = await funded(ledger, 1)
    made = [
        await ledger.transact(*(ledger.intent(bank, anna, 1) for _ in range(size)))
        for size in (3, 3, 3, 6, 1)
    ]
    request = pb.ListTransactionsRequest(page_size=100)
    found: list[Any] = []
    pages = 0
    while pages == 0 or request.page_token:
        reply = await ledger.read("ListTransactions", request)
        found.extend(reply.transactions)
        request.page_token = reply.next_page_token
        pages += 1
    assert [each.transaction_id for each in found[1:]] == list(map(TRANSACTION.encode, made))
    assert [len(each.postings) for each in found[1:]] == [3, 3, 3, 6, 1]
    assert pages == 3


# -- entries -----------------------------------------------------------------------------------


async def test_entries_run_through_every_version_with_the_balance_after_each(
    ledger: Ledger,
) -> None:
    _, anna, boris = await funded(ledger, 2)
    await ledger.move(anna, boris, 300)
    held = await ledger.hold(anna, boris, 200)
    await ledger.settle(held, PostingKind.CAPTURE, 50)
    await ledger.settle(held, PostingKind.VOID)
    await ledger.move(boris, anna, 25)
    entries: list[Any] = []
    for newest_first in (False, True):
        for size in (1, 2, 3, 6, 100):
            request = pb.ListEntriesRequest(
                account_id=ACCOUNT.encode(anna), page_size=size, newest_first=newest_first
            )
            entries = await walk(ledger, "ListEntries", request, "entries")
            rows = [
                (e.version, e.side, e.posted_after_minor_units, e.available_after_minor_units)
                for e in entries
            ]
            expected = [
                (1, transaction_pb2.Entry.SIDE_CREDIT, 1_000, 1_000),
                (2, transaction_pb2.Entry.SIDE_DEBIT, 700, 700),
                (3, transaction_pb2.Entry.SIDE_DEBIT, 700, 500),
                (4, transaction_pb2.Entry.SIDE_DEBIT, 650, 500),
                (5, transaction_pb2.Entry.SIDE_DEBIT, 650, 650),
                (6, transaction_pb2.Entry.SIDE_CREDIT, 675, 675),
            ]
            assert rows == (expected[::-1] if newest_first else expected)
            assert {e.account_id for e in entries} == {ACCOUNT.encode(anna)}
    pending = next(e for e in entries if e.version == 3)
    assert pending.posting.hold.state == transaction_pb2.HOLD_STATE_VOIDED
    assert pending.posting.hold.captured_minor_units == 50


async def test_entries_are_bounded_by_version_and_by_time(ledger: Ledger) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    times = []
    for index in range(20):
        ledger.clock.advance(1 + index % 3)
        times.append(ledger.clock.now_us())
        await ledger.move(bank, anna, 1)
    text = ACCOUNT.encode(anna)

    async def versions(**bounds: Any) -> list[int]:
        request = pb.ListEntriesRequest(account_id=text, page_size=4, **bounds)
        return [e.version for e in await walk(ledger, "ListEntries", request, "entries")]

    assert await versions(from_version=5, to_version=9) == [5, 6, 7, 8, 9]
    assert await versions(from_version=21) == []
    assert await versions(from_version=3, to_version=2) == []
    assert await versions(to_time=timestamp(times[0])) == []
    assert await versions(from_time=timestamp(times[-1] + 1)) == []
    for first in range(20):
        for last in range(first + 1, 20):
            found = await versions(
                from_time=timestamp(times[first]), to_time=timestamp(times[last])
            )
            assert found == list(range(first + 1, last + 1))
    found = await versions(
        from_time=timestamp(times[4]), from_version=8, to_version=12, newest_first=True
    )
    assert found == [12, 11, 10, 9, 8]
    a_nanosecond_late = timestamp(times[4])
    a_nanosecond_late.nanos += 1
    assert (await versions(from_time=a_nanosecond_late))[0] == 6
    assert (await versions(to_time=a_nanosecond_late))[-1] == 5


async def test_times_beyond_all_books_are_bounds_like_any_other(ledger: Ledger) -> None:
    _, anna = await funded(ledger, 1)
    text = ACCOUNT.encode(anna)
    ends = [timestamp(0), timestamp(0)]
    ends[0].seconds, ends[1].seconds = -(2**62), 2**62
    reply = await ledger.read(
        "ListEntries", pb.ListEntriesRequest(account_id=text, from_time=ends[0], to_time=ends[1])
    )
    assert len(reply.entries) == 1
    early, late = [
        await ledger.read(
            "GetBalances",
            pb.GetBalancesRequest(account_ids=[text], as_of_effective_time=end),
        )
        for end in ends
    ]
    assert (early.balances[0].posted, late.balances[0].posted) == (0, 1_000)


# -- trial balance -----------------------------------------------------------------------------


async def test_trial_balance_sums_every_currency_to_nothing(ledger: Ledger) -> None:
    _, anna, boris = await funded(ledger, 2)
    await ledger.hold(anna, boris, 70)
    (clearing,) = await ledger.open(code=BANK_CLEARING, currency="USD")
    (dollars,) = await ledger.open(currency="USD")
    await ledger.move(clearing, dollars, 9, currency_code="USD")
    await ledger.set_state(boris, AccountState.FROZEN)
    reply = await ledger.read("GetTrialBalance", pb.GetTrialBalanceRequest())
    assert reply.balanced
    lines = {
        (line.currency_code, line.chart_code): (
            line.account_count,
            line.debits_posted,
            line.credits_posted,
            line.debits_pending,
            line.credits_pending,
        )
        for line in reply.lines
    }
    assert lines == {
        ("CNY", BANK_CLEARING): (1, 2_000, 0, 0, 0),
        ("CNY", CUSTOMER_DEPOSITS): (2, 0, 2_000, 70, 70),
        ("USD", BANK_CLEARING): (1, 9, 0, 0, 0),
        ("USD", CUSTOMER_DEPOSITS): (1, 0, 9, 0, 0),
    }
    assert all(line.chart_name for line in reply.lines)
    assert reply.read_time == timestamp(ledger.clock.now_us())
