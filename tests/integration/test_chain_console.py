"""A chain on the command line and by the SDK: stores, people, payouts, and what is shared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from longmen.merchants.v1 import shift_pb2
from longmen_app import Wallet
from longmen_client import Client, Config, Money
from longmen_client.ids import new_request_id
from longmen_merchant import Shop
from longmen_merchant.journal import today
from longmen_server.cli import cli
from tests.support.server import Server, data_folder, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

YUAN = "CNY"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data) as one:
        yield one


@pytest.fixture(scope="module")
def run(server: Server) -> Callable[..., Any]:
    """The JSON that a command prints, or its text when that is asked for."""

    def run_it(*words: str, as_json: bool = True, typed: str = "") -> Any:
        words = (*words, "--target", server.address, "--token", server.token)
        done = CliRunner().invoke(
            cli, [*words, "--json"] if as_json else list(words), input=typed or None
        )
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if as_json else done.output

    return run_it


@pytest.fixture(scope="module")
def bank(server: Server) -> Iterator[Client]:
    with Client(Config(target=server.address, token=server.token)) as client:
        yield client


@pytest.fixture(scope="module")
def wallet(bank: Client) -> Wallet:
    made = Wallet.open(bank, phone_number="+8613700137000", display_name="李明", currency_code=YUAN)
    made.top_up(Money.of(1000, YUAN), bank_account="6222020200112233445")
    return made


def sell(bank: Client, wallet: Wallet, merchant_id: str, amount: str, **where: Any) -> str:
    order = bank.payments.create_order(
        merchant_id=merchant_id,
        order_number=new_request_id(),
        amount=Money.of(amount, YUAN),
        **where,
    ).message.order
    bank.payments.pay_order(
        order_id=order.order_id,
        from_account_id=wallet.account_id(YUAN),
        amount=Money.of(amount, YUAN),
    )
    return str(order.order_id)


def test_stores_and_people_are_kept(run: Callable[..., Any], tmp_path: Path) -> None:
    shop_id = run("merchant", "create", "Chain Tea")["merchant"]["merchantId"]
    store_id = run("store", "create", shop_id, "001", "Station")["store"]["storeId"]
    changed = run("store", "update", store_id, "Harbour", "--city", "Dalian")["store"]
    assert run("store", "list", shop_id)["stores"] == [changed]
    assert (changed["number"], changed["name"], changed["city"]) == ("001", "Harbour", "Dalian")
    till = run("merchant", "add-till", shop_id, "till 1", "--store", store_id)["terminal"]
    assert till["storeId"] == store_id
    till_id = till["terminalId"]
    assert "storeId" not in run("store", "put-till", till_id)["terminal"]
    assert run("store", "put-till", till_id, store_id)["terminal"]["storeId"] == store_id
    assert store_id in run("merchant", "tills", shop_id, as_json=False)

    cashier = run("cashier", "create", shop_id, "07", "Li Na")["cashier"]
    cashier_id = cashier["cashierId"]
    assert run("cashier", "update", cashier_id, "--left")["cashier"]["name"] == "Li Na"
    assert run("cashier", "list", shop_id) == {}
    assert "left" in run("cashier", "list", shop_id, "--all", as_json=False)
    run("cashier", "update", cashier_id, "--back")
    journal = str(tmp_path / "till.json")
    worked = run(
        *("pos", shop_id, till_id, "--journal", journal),
        as_json=False,
        typed="08\n07\nx\ny\n",
    )
    assert "who works? number" in worked
    assert "Good day, Li Na." in worked
    (shift,) = run("cashier", "shifts", shop_id, "--cashier", cashier_id)["shifts"]
    assert (shift["cashierLabel"], shift["storeId"]) == ("07", store_id)

    assert run("store", "close", store_id)["store"]["state"] == "STORE_STATE_CLOSED"
    assert "closed" in run("store", "show", store_id, as_json=False)
    assert run("store", "reopen", store_id)["store"]["state"] == "STORE_STATE_OPEN"


def test_a_day_of_a_chain_by_the_sdk(run: Callable[..., Any], bank: Client, wallet: Wallet) -> None:
    shop = Shop(bank, run("merchant", "create", "Chain Tea")["merchant"]["merchantId"])
    store = shop.add_store("001", "Station", city="Shanghai")
    assert shop.stores() == [store]
    till = shop.add_till("till 1", store_id=store.store_id)
    leaves, stays = shop.add_cashier("07", "Li Na"), shop.add_cashier("08", "Wang")
    shop.cashier_left(leaves)
    assert [one.number for one in shop.cashiers()] == ["08"]
    assert [one.number for one in shop.cashiers(with_left=True)] == ["07", "08"]
    opened = shop.open_shift(till.terminal_id, stays)
    goes_on = shop.open_shift(till.terminal_id, shop.cashier_is_back(leaves))
    assert (opened.goes_on, goes_on.goes_on) == (False, True)
    assert goes_on.shift_id == opened.shift_id

    at: dict[str, Any] = {"terminal_id": till.terminal_id, "business_date": today()}
    order_id = sell(bank, wallet, shop.merchant_id, "8.00", trace_number=1, **at)
    bank.payments.refund_order(
        order_id=order_id, refund_number="1", amount=Money.of("3.00", YUAN), **at
    )
    taken = shop.close_shift(opened.shift_id)
    assert (taken.sales, taken.refunds, taken.net) == tuple(
        Money.of(amount, YUAN) for amount in ("8.00", "3.00", "5.00")
    )
    (by_store,) = shop.day(today())
    (by_cashier,) = shop.day(today(), shift_pb2.TOTALS_GROUPING_CASHIER, store_id=store.store_id)
    assert (by_store.of, by_store.net) == (store.store_id, taken.net)
    assert (by_cashier.of, by_cashier.net) == (stays.cashier_id, taken.net)
    shown = run("store", "takings", shop.merchant_id, today(), "--by", "cashier", as_json=False)
    assert "08" in shown
    assert "CNY 8.00" in shown

    listed = run("store", "orders", shop.merchant_id, today(), "--cashier", stays.cashier_id)
    assert [one["order"]["orderId"] for one in listed["orders"]] == [order_id]
    assert "08" in run("store", "orders", shop.merchant_id, today(), as_json=False)

    shop.close_store(store.store_id)
    shop.reopen_store(store.store_id)
    assert shop.move_till(till.terminal_id).store_id == ""


def test_payouts_and_shares_are_told(run: Callable[..., Any], bank: Client, wallet: Wallet) -> None:
    shop_id, other = (
        run("merchant", "create", name)["merchant"]["merchantId"] for name in ("House", "Branch")
    )
    asked = run("payout", "register", shop_id, "--bank-account", "6222021234567890")["account"]
    assert asked["state"] == "PAYOUT_ACCOUNT_STATE_CANDIDATE"
    assert run("payout", "account", shop_id)["candidate"] == asked
    run("payout", "confirm", shop_id, asked["payoutAccountId"])
    assert "active" in run("payout", "account", shop_id, as_json=False)
    assert run("payout", "list", shop_id) == {}

    run("sharing", "ask", shop_id, other)
    run("sharing", "confirm", shop_id, other)
    (receiver,) = run("sharing", "receivers", shop_id)["receivers"]
    assert (receiver["receiverId"], receiver["state"]) == (other, "RECEIVER_STATE_ACTIVE")
    order_id = sell(bank, wallet, shop_id, "10.00")
    run("sharing", "hold", order_id, "3.00")
    given = run("sharing", "give", order_id, other, "2.00", "--number", "s1")["sharing"]
    assert given["shared"]["minorUnits"] == "200"
    run("sharing", "return", order_id, "s1", "0.50", "--number", "r1")
    run("sharing", "release", order_id)
    shown = run("sharing", "show", order_id, as_json=False)
    assert "ended" in shown
    assert "CNY 0.50" in shown
    removed = run("sharing", "remove", shop_id, other)["receiver"]
    assert removed["state"] == "RECEIVER_STATE_REMOVED"
