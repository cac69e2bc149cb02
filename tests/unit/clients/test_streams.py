"""Lists over their pages, and streams over broken connections, on both stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.admin.v1 import admin_service_pb2, verification_pb2
from longmen.events.v1 import event_pb2, events_service_pb2
from longmen.ledger.v1 import account_pb2, ledger_service_pb2
from longmen_client import CallOptions, RetryPolicy, errors
from longmen_client._generated import methods
from longmen_client._resume import Resumption
from longmen_client.errors import ErrorDetails
from tests.support.scripted import Fails, ScriptedServer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.bank import Bank

BROKEN = Fails(grpc.StatusCode.UNAVAILABLE, "connection reset")
OVER = Fails(grpc.StatusCode.DEADLINE_EXCEEDED, "the stream's time is up")


def page(*names: str, token: str = "") -> ledger_service_pb2.ListAccountsResponse:
    return ledger_service_pb2.ListAccountsResponse(
        accounts=[account_pb2.Account(account_id=name) for name in names], next_page_token=token
    )


def events(*cursors: str) -> list[events_service_pb2.WatchEventsResponse]:
    return [
        events_service_pb2.WatchEventsResponse(
            events=[event_pb2.Event(event_id=f"evt_{cursor}")], cursor=cursor
        )
        for cursor in cursors
    ]


def balance(version: int) -> accounts_service_pb2.WatchBalanceResponse:
    return accounts_service_pb2.WatchBalanceResponse(balance=wallet_pb2.Balance(version=version))


def test_a_list_goes_over_all_its_pages(server: ScriptedServer, bank: Bank) -> None:
    server.script(
        "LedgerService/ListAccounts", page("a", "b", token="2"), page(token="3"), page("c")
    )

    found = bank.take(bank.call("ledger.list_accounts", book=7, page_size=2))

    asked = [seen.request for seen in server.calls("LedgerService/ListAccounts")]
    assert [account.account_id for account in found] == ["a", "b", "c"]
    assert [request.page_token for request in asked] == ["", "2", "3"]
    assert {(request.book, request.page_size) for request in asked} == {(7, 2)}


def test_a_list_asks_for_no_page_before_it_is_needed(server: ScriptedServer, bank: Bank) -> None:
    server.script("LedgerService/ListAccounts", page("a", "b", token="2"), page("c"))

    pager = bank.call("ledger.list_accounts")
    assert server.calls("LedgerService/ListAccounts") == []
    first = bank.wait(pager.first(2))

    assert [account.account_id for account in first] == ["a", "b"]
    assert len(server.calls("LedgerService/ListAccounts")) == 1
    assert bank.wait(pager.first(0)) == []


def test_the_pages_of_a_list_can_be_walked(server: ScriptedServer, bank: Bank) -> None:
    server.script("LedgerService/ListAccounts", page("a", token="2"), page("b"))

    pages = bank.take(bank.call("ledger.list_accounts").pages())

    assert [one.next_page_token for one in pages] == ["2", ""]


def test_a_broken_page_is_asked_for_again(server: ScriptedServer, bank: Bank) -> None:
    server.script("LedgerService/ListAccounts", page("a", token="2"), BROKEN, page("b"))

    found = bank.take(bank.call("ledger.list_accounts"))

    assert [account.account_id for account in found] == ["a", "b"]


def test_a_stream_resumes_from_its_last_cursor(server: ScriptedServer, bank: Bank) -> None:
    server.script(
        "WatchEvents",
        [*events("1", "2"), BROKEN],
        [BROKEN],
        [*events("3"), OVER],
        events("4"),
    )

    found = bank.take(bank.call("events.watch_events", book=7, cursor="0"))

    asked = [seen.request for seen in server.calls("WatchEvents")]
    assert [message.cursor for message in found] == ["1", "2", "3", "4"]
    assert [request.cursor for request in asked] == ["0", "2", "2", "3"]
    assert {request.book for request in asked} == {7}


def test_an_export_resumes_too(server: ScriptedServer, bank: Bank) -> None:
    blocks = [ledger_service_pb2.ExportJournalResponse(cursor=cursor) for cursor in "ab"]
    server.script("ExportJournal", [blocks[0], BROKEN], [blocks[1]])

    found = bank.take(bank.call("ledger.export_journal"))

    assert [message.cursor for message in found] == ["a", "b"]
    assert [seen.request.cursor for seen in server.calls("ExportJournal")] == ["", "a"]


def test_a_watched_balance_is_told_once_over_a_broken_connection(
    server: ScriptedServer, bank: Bank
) -> None:
    server.script(
        "WatchBalance",
        [balance(1), balance(2), BROKEN],
        [balance(2), balance(3), BROKEN],
        [balance(5)],
    )

    found = bank.take(bank.call("accounts.watch_balance", account_id="acct_1"))

    assert [message.balance.version for message in found] == [1, 2, 3, 5]


def test_a_verification_does_not_start_over(server: ScriptedServer, bank: Bank) -> None:
    progress = admin_service_pb2.VerifyLedgerResponse(
        progress=verification_pb2.VerificationProgress(done=1)
    )
    server.script("VerifyLedger", [progress, BROKEN], [progress])

    with pytest.raises(errors.UnavailableError):
        bank.take(bank.call("admin.verify_ledger"))

    assert len(server.calls("VerifyLedger")) == 1


def test_a_refused_stream_raises_its_reason(server: ScriptedServer, bank: Bank) -> None:
    server.script("WatchEvents", [*events("1"), refusal("INVALID_CURSOR")])

    stream = bank.call("events.watch_events")

    assert len(bank.take(stream, 1)) == 1
    with pytest.raises(errors.InvalidCursor):
        bank.take(stream)
    assert bank.take(stream) == []


def test_a_stream_gives_up_when_nothing_comes_for_long(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    bank = make_bank(retry=RetryPolicy(max_backoff_ms=5, reconnect_for_ms=0))
    server.script("WatchEvents", [*events("1"), BROKEN], [BROKEN])

    with pytest.raises(errors.UnavailableError):
        bank.take(bank.call("events.watch_events"))


def test_a_stream_that_never_began_fails_like_a_call(server: ScriptedServer, bank: Bank) -> None:
    server.script("WatchEvents", [BROKEN])

    with pytest.raises(errors.UnavailableError):
        bank.take(bank.call("events.watch_events"))

    assert len(server.calls("WatchEvents")) == 4


def test_a_streams_own_deadline_ends_it(server: ScriptedServer, bank: Bank) -> None:
    server.script("WatchEvents", [OVER])

    with pytest.raises(errors.DeadlineExceededError):
        bank.take(bank.call("events.watch_events", options=CallOptions(deadline_ms=20)))


def test_a_closed_stream_gives_nothing_more(server: ScriptedServer, bank: Bank, kind: str) -> None:
    server.script("WatchEvents", events("1", "2"))
    stream = bank.call("events.watch_events")
    assert len(bank.take(stream, 1)) == 1

    bank.wait(stream.aclose() if kind == "asyncio" else stream.close())

    assert bank.take(stream) == []


def test_an_expired_token_is_renewed_on_reconnecting(
    server: ScriptedServer, make_bank: Callable[..., Bank]
) -> None:
    tokens = iter(["old", "new", "newer"])
    bank = make_bank(token=lambda: next(tokens))
    server.script("WatchEvents", [*events("1"), refusal("TOKEN_EXPIRED")], events("2"))

    found = bank.take(bank.call("events.watch_events"))

    assert [message.cursor for message in found] == ["1", "2"]
    sent = [seen.metadata["authorization"] for seen in server.calls("WatchEvents")]
    assert sent == ["Bearer old", "Bearer new"]


def test_the_outage_is_measured_from_the_last_message() -> None:
    seconds = [0.0]
    resumption = Resumption(
        methods.EVENTS_WATCH_EVENTS,
        events_service_pb2.WatchEventsRequest(),
        deadline_ms=None,
        policy=RetryPolicy(reconnect_for_ms=10_000),
        monotonic=lambda: seconds[0],
        jitter=lambda upper_s: upper_s,
    )
    broken = ErrorDetails(code=grpc.StatusCode.UNAVAILABLE, message="")

    assert resumption.delay_after(broken) is not None
    seconds[0] = 9.0
    assert resumption.accept(events("1")[0])
    seconds[0] = 18.0
    assert resumption.delay_after(broken) is not None
    seconds[0] = 29.0
    assert resumption.delay_after(broken) is None
