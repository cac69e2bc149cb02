"""Every method of AccountsService on a real database: rules, refusals, ownership, repetition."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen.accounts.v1 import wallet_pb2
from longmen.events.v1 import event_pb2
from longmen_server.ledger.model import AccountState
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, AccountId, CustomerId, new_id
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK
from tests.support.poll import until
from tests.support.wallets import SERVICE, STAFF, Person, Wallets, cash, open_wallets

FEE_INCOME = 4010

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database


@pytest_asyncio.fixture(scope="module")
async def wallets(module_database: Database) -> AsyncIterator[Wallets]:
    async with open_wallets(module_database.app_dsn, SettableClock()) as opened:
        yield opened


async def refusal(awaitable: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaitable
    return caught.value


async def reason(awaitable: Any) -> str:
    return (await refusal(awaitable)).reason


async def settled(*awaitables: Any) -> list[Any]:
    """Replies and refusals, in order."""
    return await asyncio.gather(*awaitables, return_exceptions=True)


# -- wallets -----------------------------------------------------------------------------------


async def test_a_wallet_is_opened_with_an_account(wallets: Wallets) -> None:
    phone = wallets.new_phone()
    opened = await wallets.ask(
        "OpenWallet",
        phone_number=phone,
        display_name="王小明",
        currency_code="CNY",
        nickname="daily",
    )
    assert opened.wallet.masked_phone_number == f"{phone[:6]}****{phone[-4:]}"
    assert opened.account.customer_id == opened.wallet.customer_id
    assert opened.account.currency_code == "CNY"
    assert opened.account.nickname == "daily"
    assert opened.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_OPEN
    assert opened.account.balance.available == cash(0)
    found = await wallets.ask("GetWallet", customer_id=opened.wallet.customer_id)
    assert found.wallet == opened.wallet
    assert list(found.accounts) == [opened.account]
    assert phone not in str(found)


async def test_a_phone_number_opens_one_wallet(wallets: Wallets) -> None:
    person = await wallets.person()
    again = {"phone_number": person.phone, "display_name": "Twin", "currency_code": "CNY"}
    assert await reason(wallets.ask("OpenWallet", **again)) == "PHONE_NUMBER_TAKEN"


async def test_of_many_who_open_with_one_number_at_once_one_succeeds(wallets: Wallets) -> None:
    fields = {"phone_number": wallets.new_phone(), "display_name": "A", "currency_code": "CNY"}
    tries = [wallets.ask("OpenWallet", **fields) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Refusal)]
    assert len(refused) == 19
    assert {each.reason for each in refused} == {"PHONE_NUMBER_TAKEN"}


async def test_two_processes_cannot_open_one_number_twice(
    wallets: Wallets, module_database: Database
) -> None:
    async with open_wallets(module_database.app_dsn, SettableClock()) as other:
        for _ in range(10):
            phone = wallets.new_phone()
            fields = {"phone_number": phone, "display_name": "A", "currency_code": "CNY"}
            results = await asyncio.gather(
                *(each.ask("OpenWallet", **fields) for each in (wallets, other)),
                return_exceptions=True,
            )
            refused = [result for result in results if isinstance(result, Refusal)]
            assert [each.reason for each in refused] == ["PHONE_NUMBER_TAKEN"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"phone_number": "+1000000"}, "PHONE_NUMBER_INVALID"),
        ({"currency_code": "XXX"}, "UNKNOWN_CURRENCY"),
        ({"currency_code": "ZZZ"}, "UNKNOWN_CURRENCY"),
        ({"book": 9}, "UNKNOWN_BOOK"),
    ],
)
async def test_wallets_that_cannot_be_opened(
    wallets: Wallets, changes: dict[str, Any], expected: str
) -> None:
    fields = {"phone_number": wallets.new_phone(), "display_name": "A", "currency_code": "CNY"}
    assert await reason(wallets.ask("OpenWallet", **(fields | changes))) == expected


async def test_opening_is_told_without_name_and_number(wallets: Wallets) -> None:
    person = await wallets.person("Ada Lovelace")
    (opened,) = await wallets.events(person.customer_id)
    assert opened == (event_pb2.EVENT_TYPE_WALLET_OPENED, b"")
    ((type_, payload),) = await wallets.events(person.account_id)
    assert type_ == event_pb2.EVENT_TYPE_ACCOUNT_OPENED
    assert b"Ada" not in payload


async def test_pockets_are_one_for_each_currency(wallets: Wallets) -> None:
    person = await wallets.person()
    me = person.principal
    opened = await wallets.ask("OpenAccount", me, currency_code="EUR", nickname="trip")
    assert opened.account.currency_code == "EUR"
    taken = await refusal(wallets.ask("OpenAccount", me, currency_code="EUR"))
    assert (taken.reason, taken.metadata) == ("POCKET_EXISTS", {"currency_code": "EUR"})
    assert await reason(wallets.ask("OpenAccount", me, currency_code="ZZZ")) == "UNKNOWN_CURRENCY"
    nobody = CUSTOMER.encode(CustomerId(new_id(BOOK, wallets.clock)))
    assert (
        await reason(wallets.ask("OpenAccount", customer_id=nobody, currency_code="EUR"))
        == "WALLET_NOT_FOUND"
    )
    assert await reason(wallets.ask("OpenAccount", currency_code="EUR")) == "INVALID_REQUEST"


async def test_of_many_pockets_opened_at_once_one_is(wallets: Wallets) -> None:
    person = await wallets.person()
    results = await asyncio.gather(
        *(wallets.ask("OpenAccount", person.principal, currency_code="JPY") for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Refusal) for result in results) == 9


async def test_accounts_are_listed_in_the_order_they_were_opened(wallets: Wallets) -> None:
    person = await wallets.person()
    opened = [person.account]
    for currency in ("EUR", "USD", "JPY", "GBP"):
        wallets.clock.advance(1)
        reply = await wallets.ask("OpenAccount", person.principal, currency_code=currency)
        opened.append(reply.account.account_id)
    listed: list[str] = []
    token = ""
    while True:
        page = await wallets.ask("ListAccounts", person.principal, page_size=2, page_token=token)
        listed += [account.account_id for account in page.accounts]
        token = page.next_page_token
        if not token:
            break
        assert len(page.accounts) == 2
    assert listed == opened


# -- ownership ---------------------------------------------------------------------------------

READS_OF_ACCOUNTS: dict[str, dict[str, Any]] = {
    "GetAccount": {},
    "GetBalance": {},
    "ListTransactions": {},
    "GetStatement": {"year": 2026, "month": 1},
    "ListTransfers": {},
}
WRITES_OF_ACCOUNTS: dict[str, dict[str, Any]] = {
    "FreezeAccount": {},
    "UnfreezeAccount": {},
    "CloseAccount": {},
    "TopUp": {"amount": cash(5), "bank_account": "6222"},
    "Withdraw": {"amount": cash(5), "bank_account": "6222"},
}


STATE_REASONS = {"ACCOUNT_STATE_CONFLICT", "SWEEP_ACCOUNT_REQUIRED", "FROZEN_BY_BANK"}


@pytest.mark.parametrize("method", READS_OF_ACCOUNTS | WRITES_OF_ACCOUNTS)
async def test_anothers_account_is_as_one_that_does_not_exist(
    wallets: Wallets, method: str
) -> None:
    fields = (READS_OF_ACCOUNTS | WRITES_OF_ACCOUNTS)[method]
    me, other = await wallets.person(), await wallets.person(funds=100)
    nothing = ACCOUNT.encode(AccountId(new_id(BOOK, wallets.clock)))
    elsewhere = ACCOUNT.encode(AccountId(new_id(77, wallets.clock)))
    for account_id in (other.account, nothing, elsewhere):
        refused = await refusal(wallets.ask(method, me.principal, account_id=account_id, **fields))
        assert refused.reason == "ACCOUNT_NOT_FOUND"
        assert refused.metadata == {"account_id": account_id}
        assert refused.message == "no such account"
    # The owner can, and so can a service, as far as the account's state allows.
    for principal in (other.principal, SERVICE):
        asked = wallets.ask(method, principal, account_id=other.account, **fields)
        (result,) = await settled(asked)
        allowed = not isinstance(result, Refusal) or result.reason in STATE_REASONS
        assert allowed, result


@pytest.mark.parametrize("method", ["GetWallet", "ListAccounts", "OpenAccount"])
async def test_anothers_wallet_is_as_one_that_does_not_exist(wallets: Wallets, method: str) -> None:
    fields = {"currency_code": "EUR"} if method == "OpenAccount" else {}
    me, other = await wallets.person(), await wallets.person()
    nothing = CUSTOMER.encode(CustomerId(new_id(BOOK, wallets.clock)))
    for customer in (other.customer, nothing):
        refused = await refusal(wallets.ask(method, me.principal, customer_id=customer, **fields))
        assert (refused.reason, refused.metadata) == (
            "WALLET_NOT_FOUND",
            {"customer_id": customer},
        )
    await wallets.ask(method, me.principal, **fields)
    assert await reason(wallets.ask(method, SERVICE, customer_id=nothing, **fields)) == (
        "WALLET_NOT_FOUND"
    )


async def test_the_banks_own_accounts_are_nobodys_wallet(wallets: Wallets) -> None:
    (fees,) = await wallets.open(code=FEE_INCOME)
    for method, fields in (READS_OF_ACCOUNTS | WRITES_OF_ACCOUNTS).items():
        asked = wallets.ask(method, SERVICE, account_id=ACCOUNT.encode(fees), **fields)
        assert await reason(asked) == "ACCOUNT_NOT_FOUND"


async def test_a_deposit_opened_in_the_ledger_can_be_read(wallets: Wallets) -> None:
    person = await wallets.person()
    (savings,) = await wallets.open(owner=person.customer_id)
    found = await wallets.ask("GetAccount", person.principal, account_id=ACCOUNT.encode(savings))
    assert found.account.customer_id == person.customer
    assert not found.account.frozen_by_bank
    (orphan,) = await wallets.open()
    found = await wallets.ask("GetAccount", SERVICE, account_id=ACCOUNT.encode(orphan))
    assert not found.account.customer_id


async def test_merchants_act_for_nobody(wallets: Wallets) -> None:
    person = await wallets.person()
    merchant = type(SERVICE)(
        kind="merchant", subject="m", scopes=frozenset(), customer_id=None, token_id="t"
    )
    assert (
        await reason(wallets.ask("GetBalance", merchant, account_id=person.account))
        == "PERMISSION_DENIED"
    )


# -- freezing and closing ----------------------------------------------------------------------


async def test_a_customers_freeze_is_the_customers_to_lift(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person(funds=100)
    frozen = await wallets.ask(
        "FreezeAccount", me.principal, account_id=me.account, only_outgoing=True
    )
    assert frozen.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_RECEIVING_ONLY
    assert not frozen.account.frozen_by_bank
    assert await reason(wallets.pay(me, other, 10)) == "DEBIT_ACCOUNT_FROZEN"
    await wallets.pay(other, me, 10)
    harder = await wallets.ask("FreezeAccount", me.principal, account_id=me.account)
    assert harder.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_FROZEN
    assert await reason(wallets.pay(other, me, 10)) == "CREDIT_ACCOUNT_FROZEN"
    opened = await wallets.ask("UnfreezeAccount", me.principal, account_id=me.account)
    assert opened.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_OPEN
    await wallets.pay(me, other, 10)


@pytest.mark.parametrize("banker", [SERVICE, STAFF])
async def test_the_banks_freeze_is_the_banks_to_lift(wallets: Wallets, banker: Any) -> None:
    me = await wallets.person()
    frozen = await wallets.ask("FreezeAccount", banker, account_id=me.account)
    assert frozen.account.frozen_by_bank
    found = await wallets.ask("GetAccount", me.principal, account_id=me.account)
    assert found.account.frozen_by_bank
    lift = wallets.ask("UnfreezeAccount", me.principal, account_id=me.account)
    assert await reason(lift) == "FROZEN_BY_BANK"
    again = wallets.ask("FreezeAccount", me.principal, account_id=me.account)
    assert await reason(again) == "ACCOUNT_STATE_CONFLICT"
    await wallets.ask("UnfreezeAccount", banker, account_id=me.account)
    found = await wallets.ask("GetAccount", me.principal, account_id=me.account)
    assert not found.account.frozen_by_bank


async def test_the_bank_takes_over_a_customers_freeze(wallets: Wallets) -> None:
    me = await wallets.person()
    await wallets.ask("FreezeAccount", me.principal, account_id=me.account)
    taken = await wallets.ask(
        "FreezeAccount", STAFF, account_id=me.account, reason_text="court order"
    )
    assert taken.account.frozen_by_bank
    lift = wallets.ask("UnfreezeAccount", me.principal, account_id=me.account)
    assert await reason(lift) == "FROZEN_BY_BANK"
    changes = [
        event_pb2.AccountStateChange.FromString(payload)
        for type_, payload in await wallets.events(me.account_id)
        if type_ == event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED
    ]
    assert [change.reason_text for change in changes] == ["", "court order"]


async def test_a_freeze_through_the_ledger_is_the_banks(wallets: Wallets) -> None:
    me = await wallets.person()
    await wallets.set_state(me.account_id, AccountState.FROZEN)
    lift = wallets.ask("UnfreezeAccount", me.principal, account_id=me.account)
    assert await reason(lift) == "FROZEN_BY_BANK"


async def test_a_freeze_after_the_customers_was_lifted_in_the_ledger_is_the_banks(
    wallets: Wallets,
) -> None:
    me = await wallets.person()
    await wallets.ask("FreezeAccount", me.principal, account_id=me.account)
    await wallets.set_state(me.account_id, AccountState.OPEN)
    await wallets.set_state(me.account_id, AccountState.FROZEN)
    found = await wallets.ask("GetAccount", me.principal, account_id=me.account)
    assert found.account.frozen_by_bank
    lift = wallets.ask("UnfreezeAccount", me.principal, account_id=me.account)
    assert await reason(lift) == "FROZEN_BY_BANK"


async def test_what_is_not_frozen_cannot_be_unfrozen(wallets: Wallets) -> None:
    me = await wallets.person()
    refused = await refusal(wallets.ask("UnfreezeAccount", me.principal, account_id=me.account))
    assert (refused.reason, refused.metadata) == ("ACCOUNT_STATE_CONFLICT", {"state": "OPEN"})


async def test_an_empty_account_is_closed_for_ever(wallets: Wallets) -> None:
    me, other = await wallets.person(), await wallets.person(funds=100)
    closed = await wallets.ask("CloseAccount", me.principal, account_id=me.account)
    assert closed.account.state == wallet_pb2.WALLET_ACCOUNT_STATE_CLOSED
    assert not closed.HasField("swept")
    assert await reason(wallets.pay(other, me, 10)) == "CREDIT_ACCOUNT_CLOSED"
    assert await reason(wallets.pay(me, other, 10)) == "DEBIT_ACCOUNT_CLOSED"
    assert await reason(wallets.top_up(me, 10)) == "CREDIT_ACCOUNT_CLOSED"
    for method in ("CloseAccount", "FreezeAccount", "UnfreezeAccount"):
        asked = wallets.ask(method, me.principal, account_id=me.account)
        assert await reason(asked) == "ACCOUNT_STATE_CONFLICT"
    # The currency is free for another account of the same customer.
    opened = await wallets.ask("OpenAccount", me.principal, currency_code="CNY")
    listed = await wallets.ask("ListAccounts", me.principal)
    assert [each.account_id for each in listed.accounts] == [
        me.account,
        opened.account.account_id,
    ]


async def test_what_is_left_is_swept(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=250), await wallets.person()
    close = {"account_id": me.account}
    assert await reason(wallets.ask("CloseAccount", **close)) == "SWEEP_ACCOUNT_REQUIRED"
    sweep = close | {"sweep_to_account_id": other.account}
    # A customer sweeps to own accounts only; a service to any.
    refused = await refusal(wallets.ask("CloseAccount", me.principal, **sweep))
    assert refused.reason == "CREDIT_ACCOUNT_NOT_FOUND"
    closed = await wallets.ask("CloseAccount", SERVICE, **sweep)
    assert closed.swept == cash(250)
    assert closed.account.balance.posted == cash(0)
    assert (await wallets.balance(other))[0] == 250
    listed = await wallets.ask("ListTransactions", other.principal, account_id=other.account)
    assert [line.kind for line in listed.movements] == [wallet_pb2.MOVEMENT_KIND_SWEEP]


async def test_a_customer_sweeps_to_an_own_account(wallets: Wallets) -> None:
    me = await wallets.person(funds=250)
    (savings,) = await wallets.open(owner=me.customer_id)
    closed = await wallets.ask(
        "CloseAccount",
        me.principal,
        account_id=me.account,
        sweep_to_account_id=ACCOUNT.encode(savings),
    )
    assert closed.swept == cash(250)


async def test_sweeps_that_cannot_be(wallets: Wallets) -> None:
    me = await wallets.person(funds=250)
    euros = await wallets.person(currency="EUR")
    closed = await wallets.person()
    await wallets.ask("CloseAccount", account_id=closed.account)
    (fees,) = await wallets.open(code=FEE_INCOME)
    for target, expected in (
        (me.account, "CREDIT_ACCOUNT_NOT_FOUND"),
        (ACCOUNT.encode(fees), "CREDIT_ACCOUNT_NOT_FOUND"),
        (euros.account, "CURRENCY_MISMATCH"),
        (closed.account, "CREDIT_ACCOUNT_CLOSED"),
    ):
        asked = wallets.ask("CloseAccount", account_id=me.account, sweep_to_account_id=target)
        assert await reason(asked) == expected
    assert (await wallets.balance(me))[0] == 250
    # What may be named does not depend on whether anything is left to sweep.
    empty = await wallets.person()
    asked = wallets.ask("CloseAccount", account_id=empty.account, sweep_to_account_id=empty.account)
    assert await reason(asked) == "CREDIT_ACCOUNT_NOT_FOUND"


async def test_an_account_with_money_on_its_way_stays_open(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=250), await wallets.person()
    await wallets.pay(me, other, 250, delay=2)
    for person in (me, other):
        asked = wallets.ask("CloseAccount", person.principal, account_id=person.account)
        assert await reason(asked) == "ACCOUNT_HAS_HOLDS"


async def test_a_frozen_account_is_not_closed(wallets: Wallets) -> None:
    me = await wallets.person()
    await wallets.ask("FreezeAccount", STAFF, account_id=me.account)
    asked = wallets.ask("CloseAccount", me.principal, account_id=me.account)
    assert await reason(asked) == "ACCOUNT_STATE_CONFLICT"


# -- repetition --------------------------------------------------------------------------------


async def repeatable(wallets: Wallets, method: str) -> tuple[Person, dict[str, Any], str]:
    """A person, the fields of a request that succeeds, and a field to change."""
    person, other = await wallets.person(funds=500), await wallets.person()
    account = {"account_id": person.account}
    money = {"amount": cash(5), "bank_account": "6222"}
    if method == "UnfreezeAccount":
        await wallets.ask("FreezeAccount", person.principal, **account)
    payee = {"from_account_id": person.account, "payee": {"account_id": other.account}}
    item = {"payee": {"account_id": other.account}, "amount": cash(5)}
    fields: dict[str, tuple[dict[str, Any], str]] = {
        "OpenWallet": (
            {"phone_number": wallets.new_phone(), "display_name": "A", "currency_code": "CNY"},
            "nickname",
        ),
        "OpenAccount": ({"customer_id": person.customer, "currency_code": "EUR"}, "nickname"),
        "FreezeAccount": (account, "reason_text"),
        "UnfreezeAccount": (account, "reason_text"),
        "CloseAccount": ({**account, "sweep_to_account_id": other.account}, "account_id"),
        "TopUp": ({**account, **money}, "description"),
        "Withdraw": ({**account, **money}, "description"),
        "CreateTransfer": ({**payee, "amount": cash(5)}, "description"),
        "BatchTransfers": (
            {"from_account_id": person.account, "items": [item]},
            "from_account_id",
        ),
    }
    chosen, changed = fields[method]
    return person, chosen, changed


@pytest.mark.parametrize(
    "method",
    [
        "OpenWallet",
        "OpenAccount",
        "FreezeAccount",
        "UnfreezeAccount",
        "CloseAccount",
        "TopUp",
        "Withdraw",
        "CreateTransfer",
        "BatchTransfers",
    ],
)
async def test_a_repeated_request_gets_its_first_answer(wallets: Wallets, method: str) -> None:
    _, fields, changed = await repeatable(wallets, method)
    request_id = wallets.new_request_id()
    replayed = []
    replies = []
    for _ in range(2):
        replies.append(await wallets.ask(method, request_id=request_id, **fields))
        replayed.append(wallets.replayed)
    assert replayed == [False, True]
    assert replies[0] == replies[1]
    other = {**fields, changed: ACCOUNT.encode(wallets.new_account_id())}
    refused = await refusal(wallets.ask(method, request_id=request_id, **other))
    assert (refused.reason, refused.metadata) == ("REQUEST_ID_REUSED", {"fields": changed})


async def test_a_refused_request_stays_refused(wallets: Wallets) -> None:
    me = await wallets.person()
    request_id = wallets.new_request_id()
    fields = {"request_id": request_id, "account_id": me.account}
    first = await refusal(wallets.ask("UnfreezeAccount", me.principal, **fields))
    await wallets.ask("FreezeAccount", me.principal, account_id=me.account)
    again = await refusal(wallets.ask("UnfreezeAccount", me.principal, **fields))
    assert wallets.replayed
    assert (again.reason, again.metadata) == (first.reason, first.metadata)


# -- balances ----------------------------------------------------------------------------------


async def test_a_balance_tells_held_and_incoming(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=1000), await wallets.person()
    await wallets.pay(me, other, 300)
    await wallets.pay(me, other, 200, delay=2)
    assert await wallets.balance(me) == (700, 500, 200, 0)
    assert await wallets.balance(other) == (300, 300, 0, 200)


async def test_a_read_demands_freshness(wallets: Wallets) -> None:
    me = await wallets.person()
    topped = await wallets.top_up(me, 5)
    found = await wallets.ask(
        "GetBalance", account_id=me.account, at_least_as_fresh=topped.committed_at
    )
    assert found.balance.posted == cash(5)
    bad = wallets.ask("GetBalance", account_id=me.account, at_least_as_fresh="yesterday")
    assert await reason(bad) == "INVALID_CONSISTENCY_TOKEN"


async def watch(wallets: Wallets, person: Person, seen: list[int]) -> None:
    request = pb.WatchBalanceRequest(account_id=person.account)
    call = wallets.call_for("watch", request, person.principal)
    async for message in wallets.accounts.WatchBalance(request, call):
        posted = message.balance.posted.minor_units
        seen.append(posted)


async def test_watchers_are_told_at_once_and_never_miss_the_last_state(wallets: Wallets) -> None:
    me, other = await wallets.person(funds=100), await wallets.person()
    mine: list[list[int]] = [[] for _ in range(5)]
    yours: list[int] = []
    watching = [asyncio.create_task(watch(wallets, me, seen)) for seen in mine]
    watching.append(asyncio.create_task(watch(wallets, other, yours)))
    try:
        await until(lambda: all([*mine, yours]), "everybody is told the present balance")
        assert [seen[0] for seen in (*mine, yours)] == [100] * 5 + [0]
        for _ in range(20):
            await wallets.pay(me, other, 1)
        await until(lambda: all(seen[-1] == 80 for seen in mine), "all see the last state")
        await until(lambda: yours[-1] == 20, "the payee sees the last state")
        for seen in mine:
            assert seen == sorted(seen, reverse=True)
            assert len(seen) == len(set(seen))
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    watcher = wallets.accounts._watcher
    await until(lambda: watcher._looking is None, "nobody looks when nobody watches")


async def test_many_watchers_cost_one_query(wallets: Wallets) -> None:
    people = [await wallets.person() for _ in range(8)]
    seen: list[list[int]] = [[] for _ in people]
    lent = 0
    original = wallets.readers.connection

    def counting(**arguments: Any) -> Any:
        nonlocal lent
        lent += 1
        return original(**arguments)

    watching = [
        asyncio.create_task(watch(wallets, person, each))
        for person, each in zip(people, seen, strict=True)
    ]
    try:
        await until(lambda: all(seen), "everybody is told the present balance")
        wallets.readers.connection = counting  # type: ignore[method-assign]
        looks = 0
        find = wallets.accounts._watcher._look_once

        async def look() -> None:
            nonlocal looks
            looks += 1
            await find()

        wallets.accounts._watcher._look_once = look  # type: ignore[method-assign]
        await until(lambda: looks >= 5, "the watcher looks on")
        assert lent <= looks
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        wallets.readers.connection = original  # type: ignore[method-assign]


async def test_anothers_balance_cannot_be_watched(wallets: Wallets) -> None:
    me, other = await wallets.person(), await wallets.person()
    request = pb.WatchBalanceRequest(account_id=other.account)
    call = wallets.call_for("watch", request, me.principal)
    stream = wallets.accounts.WatchBalance(request, call)
    with pytest.raises(Refusal) as caught:
        await anext(stream)
    assert caught.value.reason == "ACCOUNT_NOT_FOUND"
