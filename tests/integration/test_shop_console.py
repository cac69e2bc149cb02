"""A shop on the command line: taken in, sells by both codes, looks up, refunds."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from longmen.payments.v1 import order_pb2
from longmen_app import PayerCode, Wallet
from longmen_client import Client, Config, Money
from longmen_server.cli import cli
from tests.support.server import Server, data_folder, longmen, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data) as one:
        yield one


@pytest.fixture(scope="module")
def run(server: Server) -> Callable[..., Any]:
    """The JSON that a command prints; its exit code and text when that is not 0."""

    def run_it(*words: str, code: int = 0, as_json: bool = True) -> Any:
        words = (*words, "--target", server.address, "--token", server.token)
        done = CliRunner().invoke(cli, [*words, "--json"] if as_json else list(words))
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if as_json and not code else done.output

    return run_it


def customer_of(server: Server, phone: str = "+8613800138000") -> tuple[Client, Wallet]:
    """A customer with 1,000.00, and the client of the customer's own token."""
    with Client(Config(target=server.address, token=server.token)) as bank:
        wallet = Wallet.open(bank, phone_number=phone, display_name="李明", currency_code="CNY")
        wallet.top_up(Money.of(1000, "CNY"), bank_account="6222020200112233445")
        customer = wallet.customer_id
    minted = longmen(
        "token", "--kind", "customer", "--customer", customer, LONGMEN_DATA=str(server.data)
    )
    client = Client(Config(target=server.address, token=minted.stdout.strip()))
    return client, Wallet(client, customer)


def test_a_cashier_sells_refunds_and_closes_the_shift(
    server: Server, run: Callable[..., Any], tmp_path: Path
) -> None:
    shop_id = run("merchant", "create", "Night Market")["merchant"]["merchantId"]
    till_id = run("merchant", "add-till", shop_id, "till 1")["terminal"]["terminalId"]
    agreed = run("merchant", "offline", shop_id, "--bank", "1000")["acceptance"]
    assert run("merchant", "offline", shop_id)["acceptance"] == agreed
    client, wallet = customer_of(server, "+8613900139000")

    def pay_what_is_shown() -> None:
        with Client(Config(target=server.address, token=server.token)) as bank:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                open_ = bank.payments.list_orders(merchant_id=shop_id).first(1)
                if open_ and open_[0].state == order_pb2.ORDER_STATE_PENDING_PAYER:
                    bank.payments.pay_order(
                        order_id=open_[0].order_id,
                        from_account_id=wallet.account_id("CNY"),
                        amount=Money.of(8, "CNY"),
                    )
                    return
        raise AssertionError("the till showed no code")

    def work(*lines: str) -> str:
        words = ["pos", shop_id, till_id, "--cashier", "Xiao Wang"]
        words += ["--journal", str(tmp_path / "till.json")]
        words += ["--offline", str(tmp_path / "till.db")]
        words += ["--target", server.address, "--token", server.token]
        done = CliRunner().invoke(cli, words, input="\n".join(lines) + "\n")
        assert done.exit_code == 0, done.output
        return done.output

    with client:
        codes = PayerCode.enrol(wallet, "CNY").maker
        payer = threading.Thread(target=pay_what_is_shown)
        payer.start()
        shown = work("8", "", "x", "n")
        payer.join()
        sold = work(
            *("5", codes.next_code()),
            *("7.5", "134567890123456789", codes.next_code()),
            *("3", "c"),
            *("nonsense", "r", "", "2", "t", "x", "y"),
        )
        scanned = codes.next_code()
        stored = work(
            *("o", "6", scanned, "6", scanned, "201", codes.next_code(), "4", ""),
            *("f", "x", "y"),
        )
    assert "Good day, Xiao Wang." in shown
    assert "PAID  CNY 8.00" in shown
    assert "The shift goes on." in sold
    for words in (
        "PAID  CNY 5.00",
        "NOT PAID  That is another wallet's code.",
        "PAID  CNY 7.50",
        "NOT PAID  The sale was cancelled.",
        "CNY 2.00 went back; the order is partially refunded.",
        "20.50",
    ):
        assert words in sold
    assert "Good day" in work("x", "y"), "the shift before was closed"
    for words in (
        "STORED  CNY 6.00",
        "NOT SOLD  Please show a fresh code.",
        "NOT SOLD  Too much without a network.",
        "1 of 1 stored sales are paid.",
    ):
        assert words in stored


def test_a_shop_opens_sells_and_gives_back(server: Server, run: Callable[..., Any]) -> None:
    shop = run("merchant", "create", "Corner Tea", "--local-name", "街角", "--language", "zh")
    shop_id = shop["merchant"]["merchantId"]
    till = run("merchant", "add-till", shop_id, "till 1")["terminal"]
    assert run("merchant", "tills", shop_id)["terminals"] == [till]
    assert shop_id in run("merchant", "list", as_json=False)
    assert "Corner Tea" in run("merchant", "show", shop_id, as_json=False)

    client, wallet = customer_of(server)
    with client:
        made = run("order", "create", shop_id, "12.34", "--description", "tea")["order"]
        order_id = made["orderId"]
        run("order", "pay", order_id, wallet.account_id("CNY"))
        codes = PayerCode.enrol(wallet, "CNY")
        charged = run("order", "charge", shop_id, "5", codes.maker.next_code())["order"]
        assert charged["state"] == "ORDER_STATE_PAID"
        again = run("order", "charge", shop_id, "5", "8" * 18, code=3)
        assert "CODE_MALFORMED" in again
    refunded = run("order", "refund", order_id, "2.34", "--reason", "cold")["order"]
    assert refunded["state"] == "ORDER_STATE_PARTIALLY_REFUNDED"
    shown = run("order", "show", order_id, as_json=False)
    assert "partially refunded" in shown
    assert "cold" in shown
    assert "paid" in run("order", "show", charged["orderId"], as_json=False)
    assert len(run("order", "list", shop_id)["orders"]) == 3, "a refused scan leaves its order open"
    found = run("order", "lookup", shop_id, made["orderNumber"])
    assert found["answer"] == "ORDER_ANSWER_PAID"
    barred = run("order", "lookup", shop_id, "never came", "--resolve")
    assert barred["answer"] == "ORDER_ANSWER_NOT_PAID_AND_CLOSED"
    drawn = run("order", "create", shop_id, "1", "--qr", as_json=False)
    assert "█" in drawn
    last = run("order", "list", shop_id, "--state", "pending-payer")["orders"][0]
    closed = run("order", "close", last["orderId"])["order"]
    assert closed["state"] == "ORDER_STATE_CLOSED"
