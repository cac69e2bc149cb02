"""Two people with the app SDK and the commands, against a whole server."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from longmen.payments.v1 import combined_service_pb2
from longmen_app import AsyncWallet, Basket, Wallet
from longmen_client import AsyncClient, Client, Config, Money, errors, new_request_id
from longmen_server.cli import cli
from tests.support.server import Server, data_folder, longmen, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

LI, WANG = "+8613800138000", "+8613900139000"


def ten() -> Money:
    return Money.of(10, "CNY")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data) as one:
        yield one


@pytest.fixture(scope="module")
def bank(server: Server) -> Iterator[Client]:
    with Client(Config(target=server.address, token=server.token)) as client:
        yield client


@pytest.fixture(scope="module")
def people(bank: Client) -> dict[str, str]:
    """Customer ids by phone number; Li starts with 1,000.00."""
    found = {}
    for phone, name in ((LI, "李明"), (WANG, "Wang Fang")):
        wallet = Wallet.open(bank, phone_number=phone, display_name=name, currency_code="CNY")
        found[phone] = wallet.customer_id
    Wallet(bank, found[LI]).top_up(Money.of(1000, "CNY"), bank_account="6222020200112233445")
    return found


def customer_config(server: Server, customer_id: str) -> Config:
    minted = longmen(
        "token", "--kind", "customer", "--customer", customer_id, LONGMEN_DATA=str(server.data)
    )
    return Config(target=server.address, token=minted.stdout.strip())


@pytest.fixture
def li(server: Server, people: dict[str, str]) -> Iterator[Wallet]:
    with Client(customer_config(server, people[LI])) as client:
        yield Wallet(client)


def test_a_customer_pays_by_phone_number(bank: Client, people: dict[str, str], li: Wallet) -> None:
    wang = Wallet(bank, people[WANG])
    before = li.balance("CNY").available, wang.balance("CNY").available

    payment = li.prepare(WANG, Money.of("12.34", "CNY"), description="茶")
    assert "Wang" not in payment.payee_name
    paid = payment.confirm()
    again = payment.confirm()

    assert (paid.state, paid.replayed, again.replayed) == ("COMPLETED", False, True)
    assert paid.transfer_id == again.transfer_id
    assert li.balance("CNY").available == before[0] - Money.of("12.34", "CNY")
    assert wang.balance("CNY").available == before[1] + Money.of("12.34", "CNY")
    newest = next(iter(li.history("CNY")))
    assert (newest.kind, newest.amount, newest.description) == (
        "TRANSFER",
        Money.of("-12.34", "CNY"),
        "茶",
    )


def test_a_customer_sees_nobody_elses_account(
    server: Server, bank: Client, people: dict[str, str]
) -> None:
    wangs = Wallet(bank, people[WANG]).account_id("CNY")

    with Client(customer_config(server, people[LI])) as client:
        with pytest.raises(errors.AccountNotFound):
            client.accounts.get_balance(account_id=wangs)
        with pytest.raises(errors.AccountNotFound):
            client.transfers.top_up(account_id=wangs, amount=ten(), bank_account="6222020200112")
        with pytest.raises(errors.PermissionDenied):
            client.ledger.get_trial_balance()


def test_a_delayed_payment_is_held_and_taken_back(li: Wallet) -> None:
    before = li.balance("CNY")

    sent = li.prepare(WANG, ten(), delay="two_hours").confirm()
    during = li.balance("CNY")
    back = li.cancel(sent.transfer_id)

    assert (sent.state, back.state) == ("SCHEDULED", "CANCELLED")
    assert sent.due is not None
    assert during.available == before.available - ten()
    assert during.held == before.held + ten()
    assert li.balance("CNY").available == before.available
    with pytest.raises(errors.TransferAlreadyCancelled):
        li.cancel(sent.transfer_id)


def test_pockets(li: Wallet) -> None:
    opened = li.open_pocket("JPY", nickname="travel")

    assert (opened.currency_code, opened.balance.available) == ("JPY", Money(0, "JPY"))
    assert {one.currency_code for one in li.accounts()} >= {"CNY", "JPY"}
    with pytest.raises(errors.PocketExists):
        li.open_pocket("JPY")


def test_too_much_is_refused_and_nothing_moves(
    server: Server, bank: Client, people: dict[str, str]
) -> None:
    # Of somebody new: whoever usually pays ten is stopped by risk before the ledger is asked.
    assert people
    zhao = Wallet.open(
        bank, phone_number="+8613700137000", display_name="Zhao", currency_code="CNY"
    )
    with Client(customer_config(server, zhao.customer_id)) as client:
        wallet = Wallet(client)
        before = wallet.balance("CNY")

        with pytest.raises(errors.InsufficientFunds):
            wallet.prepare(WANG, Money.of(1_000_000, "CNY")).confirm()

        assert wallet.balance("CNY") == before


def test_a_statement_adds_up_in_every_form(bank: Client, li: Wallet, tmp_path: Path) -> None:
    li.prepare(WANG, ten()).confirm()
    today = bank.accounts.get_balance(account_id=li.account_id("CNY"))
    year, month = month_of(li)

    statement = li.statement("CNY", year, month, document="csv")

    assert statement.adds_up()
    assert statement.closing == Money.from_proto(today.balance.posted)
    lines = list(csv.reader(statement.save(tmp_path / "s.csv").read_text("utf-8").splitlines()))
    assert len(lines) > len(statement.movements)
    pdf = li.statement("CNY", year, month, document="pdf")
    assert pdf.document.startswith(b"%PDF-")
    assert json.loads(li.statement("CNY", year, month, document="json").document)


def month_of(wallet: Wallet) -> tuple[int, int]:
    """The month of the newest movement by the bank's calendar."""
    from zoneinfo import ZoneInfo

    booked = next(iter(wallet.history("CNY"))).booked.astimezone(ZoneInfo("Asia/Shanghai"))
    return booked.year, booked.month


async def test_a_balance_is_watched_while_it_changes(
    server: Server, people: dict[str, str]
) -> None:
    async with AsyncClient(customer_config(server, people[LI])) as client:
        wallet = AsyncWallet(client)
        seen: list[Money] = []
        changes = wallet.watch("CNY")

        async for change in changes:
            seen.append(change.available)
            if len(seen) == 1:
                await (await wallet.prepare(WANG, Money(1, "CNY"))).confirm()
            else:
                break
        await changes.aclose()  # type: ignore[attr-defined]

    assert seen[1] == seen[0] - Money(1, "CNY")


@pytest.fixture
def command(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("LONGMEN_TARGET", server.address)
    monkeypatch.setenv("LONGMEN_TOKEN", server.token)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, words, prog_name="longmen")

    return invoke


def test_the_commands_of_a_teller(
    command: Callable[..., Result], bank: Client, people: dict[str, str], tmp_path: Path
) -> None:
    mine = Wallet(bank, people[LI]).account_id("CNY")
    wangs = Wallet(bank, people[WANG]).account_id("CNY")
    payroll = tmp_path / "payroll.csv"
    payroll.write_text(f"to,amount,description\n{WANG},1.50,wages\n{wangs},2.50,wages\n", "utf-8")
    request_id = new_request_id()

    sent = command("transfer", "send", mine, WANG, "3.21", "-y", "--json")
    transfer = json.loads(sent.stdout)["transfer"]
    batches = [
        command("transfer", "batch", mine, str(payroll), "--json", "--request-id", request_id)
        for _ in range(2)
    ]
    frozen = command("account", "freeze", wangs, "--reason", "lost phone")
    refused = command("transfer", "send", wangs, mine, "1", "-y")
    thawed = command("account", "unfreeze", wangs)
    history = command("account", "history", mine, "--kind", "transfer", "--json")
    withdrawn = command("transfer", "withdraw", mine, "5", "--bank-account", "6222020200112233")

    assert command("transfer", "show", transfer["transferId"]).exit_code == 0
    assert batches[0].exit_code == 0, batches[0].output
    assert batches[0].stdout == batches[1].stdout
    assert "frozen" in frozen.stdout
    assert refused.exit_code == 3
    assert refused.stderr.startswith("longmen: DEBIT_ACCOUNT_FROZEN")
    assert "open" in thawed.stdout
    amounts = [one["amount"]["minorUnits"] for one in json.loads(history.stdout)["movements"]]
    assert {"321", "150", "250"} <= set(amounts)
    assert withdrawn.exit_code == 0
    assert command("account", "list", people[LI]).exit_code == 0
    assert "CNY" in command("account", "balance", mine).stdout


def test_the_commands_of_a_customer_who_sets_factors_up(
    server: Server, people: dict[str, str], tmp_path: Path
) -> None:
    config = customer_config(server, people[WANG])
    device = str(tmp_path / "passkeys.json")

    def run(*words: str, typed: str = "") -> str:
        environment = {"LONGMEN_TARGET": config.target, "LONGMEN_TOKEN": str(config.token)}
        done = CliRunner().invoke(
            cli, words, prog_name="longmen", input=typed, env=environment, catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.output

    run("factor", "set-pin", typed="835207\n835207\n")
    run("factor", "add-passkey", "--label", "demo", "--device", device)
    codes = run("factor", "backup-codes").split()
    assert len(codes) == 10
    listed = run("factor", "list")
    for word in ("payment pin", "passkey", "demo", "backup codes"):
        assert word in listed
    reply = json.loads(run("factor", "list", "--json"))
    pin = next(one for one in reply["factors"] if one["kind"] == "FACTOR_KIND_PAYMENT_PIN")
    run("factor", "remove", pin["factorId"])
    assert "payment pin" not in run("factor", "list")
    weak = CliRunner().invoke(
        cli,
        ["factor", "set-pin", "--pin", "123456"],
        prog_name="longmen",
        env={"LONGMEN_TARGET": config.target, "LONGMEN_TOKEN": str(config.token)},
    )
    assert weak.exit_code != 0
    assert "PIN_WEAK" in weak.output


DAY_IN_FIVE_CURRENCIES = (
    "import the history",
    "exchange CNY into USD",
    "exchange USD into EUR",
    "exchange EUR into GBP",
    "exchange CNY into JPY",
    "exchange CNY into THB",
    "confirm a quote twice",
    "there and back",
    "take an exchange back",
    "place a limit order",
    "the rate comes",
    "send a damaged feed",
    "deal at a stale feed",
    "close the day",
    "positions and ledger",
    "longmen verify",
)


def test_a_travellers_day_comes_as_it_has_to(server: Server) -> None:
    """What `make demo-fx` plays."""
    environment = {"LONGMEN_TARGET": server.address, "LONGMEN_TOKEN": server.token}
    done = CliRunner().invoke(cli, ["demo-fx"], env=environment | {"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    told = [line for line in done.stdout.splitlines() if line.startswith("✓")]
    titles = [line.removeprefix("✓ ").partition(": ")[0] for line in told]
    assert titles == list(DAY_IN_FIVE_CURRENCIES)


def test_a_basket_of_two_shops_is_paid_once(bank: Client, li: Wallet) -> None:
    shops = [
        bank.merchants.create_merchant(
            name=name, city="Shanghai", country_code="CN", category_code="5499", currency_code="CNY"
        ).message.merchant
        for name in ("Corner Tea", "Corner Cakes")
    ]
    parts = [
        combined_service_pb2.CombinedPartRequest(
            merchant_id=shop.merchant_id,
            order_number=new_request_id(),
            amount=Money.of(3, "CNY").to_proto(),
        )
        for shop in shops
    ]
    made = bank.combined_orders.create_combined_order(combined_number=new_request_id(), parts=parts)
    before = li.balance("CNY").available
    basket = Basket.find(li, made.message.combined_order.combined_order_id)
    assert basket.total == Money.of(6, "CNY")
    assert {part.merchant_name for part in basket.order.parts} == {"Corner Tea", "Corner Cakes"}
    for _ in range(2):
        assert basket.pay().HasField("pay_time")
    assert li.balance("CNY").available == before - Money.of(6, "CNY")
