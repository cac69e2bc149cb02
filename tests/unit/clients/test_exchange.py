"""Exchanging currencies with the app SDK, on both stacks, and from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from click.testing import CliRunner, Result

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.fx.v1 import (
    auto_conversion_pb2,
    conversions_service_pb2,
    limit_orders_service_pb2,
    order_pb2,
    position_pb2,
    positions_service_pb2,
    promotion_pb2,
    quote_pb2,
    rate_pb2,
    rates_service_pb2,
)
from longmen.type.v1 import money_pb2
from longmen_app import AsyncExchange, AsyncWallet, Exchange, Wallet
from longmen_client import Money, errors
from longmen_client._errors import ErrorDetails
from longmen_server.cli import cli
from tests.support.scripted import Replays, ScriptedServer, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.bank import Bank

YUAN, DOLLARS = "acct_" + "1" * 32, "acct_" + "2" * 32
QUOTE, CONVERSION = "fxq_" + "3" * 32, "fxc_" + "4" * 32


def money(minor_units: int, code: str = "CNY") -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code=code)


def pocket(account_id: str, code: str) -> wallet_pb2.WalletAccount:
    nothing = money(0, code)
    balance = wallet_pb2.Balance(
        account_id=account_id, posted=nothing, available=nothing, held=nothing, incoming=nothing
    )
    return wallet_pb2.WalletAccount(account_id=account_id, currency_code=code, balance=balance)


MADE = rate_pb2.Exchange(
    source_amount=money(100_000),
    fee=money(200),
    target_amount=money(14_955, "USD"),
    spread=money(75, "USD"),
    rounding=money(1, "USD"),
)
OFFERED = quote_pb2.Quote(
    quote_id=QUOTE, exchange=MADE, mid="0.150310792993", client_rate="0.149559239028"
)
FRESH = quote_pb2.Quote(quote_id="fxq_" + "5" * 32, exchange=MADE, client_rate="0.2")
BOOKED = quote_pb2.Conversion(conversion_id=CONVERSION, exchange=MADE, client_rate="0.149559239028")
TAKEN_BACK = quote_pb2.Conversion(
    conversion_id=CONVERSION,
    exchange=MADE,
    reversal=quote_pb2.ConversionReversal(
        transaction_id="txn_" + "6" * 32,
        basis=quote_pb2.REVERSAL_BASIS_TODAY,
        taken_amount=money(14_955, "USD"),
        returned_amount=money(99_432),
        mid="0.15",
    ),
)
CREATED = conversions_service_pb2.CreateQuoteResponse(quote=OFFERED, committed_at="c1")
EXECUTED = conversions_service_pb2.ExecuteQuoteResponse(conversion=BOOKED, committed_at="c2")


# -- the app SDK -------------------------------------------------------------------------------


@pytest.fixture
def wallet(server: ScriptedServer, bank: Bank, kind: str) -> Any:
    server.script(
        "AccountsService/ListAccounts",
        accounts_service_pb2.ListAccountsResponse(
            accounts=[pocket(YUAN, "CNY"), pocket(DOLLARS, "USD")]
        ),
    )
    server.script("CreateQuote", CREATED)
    return (AsyncWallet if kind == "asyncio" else Wallet)(bank.client, "cust_1")


@pytest.fixture
def offering(kind: str) -> Any:
    return AsyncExchange if kind == "asyncio" else Exchange


def test_an_offer_is_shown_before_it_is_confirmed(
    server: ScriptedServer, bank: Bank, wallet: Any, offering: Any
) -> None:
    server.script("ExecuteQuote", EXECUTED, Replays(EXECUTED))
    offer = bank.wait(offering.offer(wallet, Money(100_000, "CNY"), "CNY", "USD", lock_seconds=60))
    assert (offer.pays, offer.gets) == (Money(100_000, "CNY"), Money(14_955, "USD"))
    assert (offer.fee, offer.spread) == (Money(200, "CNY"), Money(75, "USD"))
    assert offer.rate == "0.149559239028"
    asked = server.calls("CreateQuote")[0].request
    assert (asked.from_account_id, asked.to_account_id) == (YUAN, DOLLARS)
    assert (asked.amount, asked.lock_seconds) == (money(100_000), 60)
    assert server.calls("ExecuteQuote") == []
    for _ in range(2):
        assert bank.wait(offer.confirm()) == BOOKED
    first, second = [seen.request for seen in server.calls("ExecuteQuote")]
    assert first == second
    assert (first.quote_id, first.source_amount) == (QUOTE, money(100_000))
    assert first.target_amount == money(14_955, "USD")


def test_an_offer_that_is_gone_names_the_next(
    server: ScriptedServer, bank: Bank, wallet: Any, offering: Any
) -> None:
    server.script("ExecuteQuote", refusal("FX_RATE_MOVED", fresh_quote_id=FRESH.quote_id))
    server.script("GetQuote", conversions_service_pb2.GetQuoteResponse(quote=FRESH))
    server.script("CancelQuote", conversions_service_pb2.CancelQuoteResponse(quote=FRESH))
    offer = bank.wait(offering.offer(wallet, Money(100_000, "CNY"), "CNY", "USD"))
    with pytest.raises(errors.FxRateMoved) as caught:
        bank.wait(offer.confirm())
    fresh = bank.wait(offer.fresh(caught.value))
    assert (fresh.quote_id, fresh.rate) == (FRESH.quote_id, "0.2")
    bank.wait(fresh.give_up())
    assert server.calls("CancelQuote")[0].request.quote_id == FRESH.quote_id


def test_a_pocket_is_opened_when_the_customer_says_so(
    server: ScriptedServer, bank: Bank, wallet: Any, offering: Any
) -> None:
    server.script(
        "AccountsService/OpenAccount",
        accounts_service_pb2.OpenAccountResponse(account=pocket("acct_" + "7" * 32, "JPY")),
    )
    amount = Money(100_000, "CNY")
    with pytest.raises(LookupError, match="no account in JPY"):
        bank.wait(offering.offer(wallet, amount, "CNY", "JPY"))
    bank.wait(offering.offer(wallet, amount, "CNY", "JPY", open_pocket=True))
    assert server.calls("CreateQuote")[0].request.to_account_id == "acct_" + "7" * 32


def test_what_a_payment_lacks_is_offered_out_of_the_pocket_that_is_told(
    server: ScriptedServer, bank: Bank, wallet: Any, offering: Any
) -> None:
    told = {
        "currency_code": "USD",
        "missing_minor_units": "14955",
        "pocket_account_id": YUAN,
        "pocket_minor_units": "100000",
        "pocket_currency_code": "CNY",
    }
    server.script("CreateQuote", CREATED)
    server.script("ExecuteQuote", EXECUTED)
    offer = bank.wait(offering.cover(wallet, short_of(told), lock_seconds=60))
    asked = server.calls("CreateQuote")[0].request
    assert (asked.from_account_id, asked.to_account_id) == (YUAN, DOLLARS)
    assert (asked.amount, asked.lock_seconds) == (money(14_955, "USD"), 60)
    assert bank.wait(offer.confirm()) == BOOKED
    with pytest.raises(LookupError, match="no other pocket"):
        bank.wait(offering.cover(wallet, short_of({})))


def short_of(told: dict[str, str]) -> errors.InsufficientFunds:
    code = grpc.StatusCode.FAILED_PRECONDITION
    return errors.InsufficientFunds(ErrorDetails(code=code, message="short", metadata=told))


def test_somebody_else_is_paid_the_same_way(
    server: ScriptedServer, bank: Bank, wallet: Any, offering: Any
) -> None:
    pb = conversions_service_pb2
    server.script("QuoteAbroad", pb.QuoteAbroadResponse(quote=OFFERED))
    server.script("PayAbroad", pb.PayAbroadResponse(conversion=BOOKED))
    amount = Money(14_955, "USD")
    offer = bank.wait(offering.abroad(wallet, amount, "CNY", "USD", reference="GW-1"))
    assert bank.wait(offer.confirm()) == BOOKED
    asked = server.calls("QuoteAbroad")[0].request
    assert (asked.from_account_id, asked.target_currency_code) == (YUAN, "USD")
    paid = server.calls("PayAbroad")[0].request
    assert (paid.reference, paid.source_amount) == ("GW-1", money(100_000))


# -- the command line --------------------------------------------------------------------------


@pytest.fixture
def fx(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("LONGMEN_TARGET", server.target)
    monkeypatch.setenv("LONGMEN_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LONGMEN_TOKEN", raising=False)

    def invoke(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(cli, ["fx", *arguments], prog_name="longmen", **more)

    return invoke


def test_a_quote_is_shown_and_asked_for(server: ScriptedServer, fx: Any) -> None:
    server.script("CreateQuote", CREATED)
    server.script("ExecuteQuote", EXECUTED)
    words = ("quote", YUAN, DOLLARS, "1000.00", "--currency", "CNY", "--lock", "1800")
    declined = fx(*words, input="n\n")
    assert declined.exit_code != 0
    assert server.calls("ExecuteQuote") == []
    taken = fx(*words, input="y\n")
    assert taken.exit_code == 0, taken.output
    for text in ("0.150310792993", "CNY 1,000.00", "CNY 2.00", "USD 149.55", CONVERSION):
        assert text in taken.stdout
    assert server.calls("CreateQuote")[0].request.lock_seconds == 1800
    assert server.calls("ExecuteQuote")[0].request.target_amount == money(14_955, "USD")


def test_a_small_amount_is_exchanged_at_once(server: ScriptedServer, fx: Any) -> None:
    server.script("Convert", conversions_service_pb2.ConvertResponse(conversion=BOOKED))
    done = fx("convert", YUAN, DOLLARS, "149.55", "cny", "--currency", "USD")
    assert done.exit_code == 0, done.output
    asked = server.calls("Convert")[0].request
    assert (asked.amount, asked.counter_currency_code) == (money(14_955, "USD"), "CNY")


def test_somebody_is_paid_after_a_yes(server: ScriptedServer, fx: Any) -> None:
    pb = conversions_service_pb2
    server.script("QuoteAbroad", pb.QuoteAbroadResponse(quote=OFFERED))
    server.script("PayAbroad", pb.PayAbroadResponse(conversion=BOOKED))
    words = ("pay", YUAN, "149.55", "usd", "--currency", "USD", "--to", DOLLARS)
    assert fx(*words, input="n\n").exit_code != 0
    assert server.calls("PayAbroad") == []
    done = fx(*words, input="y\n")
    assert done.exit_code == 0, done.output
    assert CONVERSION in done.stdout
    assert server.calls("QuoteAbroad")[1].request.payee_account_id == DOLLARS


def test_what_was_exchanged_is_listed_and_taken_back(server: ScriptedServer, fx: Any) -> None:
    server.script(
        "ListConversions",
        conversions_service_pb2.ListConversionsResponse(conversions=[TAKEN_BACK, BOOKED]),
    )
    server.script(
        "ReverseConversion",
        conversions_service_pb2.ReverseConversionResponse(conversion=TAKEN_BACK),
    )
    listed = fx("conversions")
    assert listed.stdout.count(CONVERSION) == 2
    back = fx("reverse", CONVERSION, "--rate", "today")
    assert back.exit_code == 0, back.output
    assert "today rate 0.15" in back.stdout
    assert "CNY 994.32" in back.stdout
    asked = server.calls("ReverseConversion")[0].request
    assert (asked.conversion_id, asked.basis) == (CONVERSION, quote_pb2.REVERSAL_BASIS_TODAY)


def test_what_exchanges_may_come_to_is_told(server: ScriptedServer, fx: Any) -> None:
    pb, told = conversions_service_pb2, auto_conversion_pb2
    quota = told.FxQuota(
        year=2026,
        limit=money(5_000_000, "USD"),
        bought=money(803, "USD"),
        buyable=money(4_999_197, "USD"),
        sold=money(0, "USD"),
        sellable=money(5_000_000, "USD"),
    )
    server.script("GetFxQuota", pb.GetFxQuotaResponse(quota=quota))
    shown = fx("quota")
    for text in ("2026", "USD 8.03", "USD 49,991.97"):
        assert text in shown.stdout
    agreed = told.AutoConversion(
        account_id=DOLLARS,
        currency_code="USD",
        enabled=True,
        source_account_ids=[YUAN],
        payment_max=money(1_000, "USD"),
        day_max=money(2_500, "USD"),
        day_used=money(0, "USD"),
        basis_points_max=80,
    )
    server.script("SetAutoConversion", pb.SetAutoConversionResponse(auto_conversion=agreed))
    caps = ("--currency", "USD", "--payment", "10.00", "--day", "25.00", "--cost", "80")
    done = fx("auto", "set", DOLLARS, "--from", YUAN, *caps)
    assert done.exit_code == 0, done.output
    asked = server.calls("SetAutoConversion")[0].request
    assert (asked.enabled, list(asked.source_account_ids)) == (True, [YUAN])
    assert (asked.payment_max, asked.day_max) == (money(1_000, "USD"), money(2_500, "USD"))
    assert "80 bp" in done.stdout
    assert fx("auto", "off", DOLLARS).exit_code == 0
    assert not server.calls("SetAutoConversion")[1].request.enabled
    server.script("ListAutoConversions", pb.ListAutoConversionsResponse(auto_conversions=[agreed]))
    assert "USD 25.00" in fx("auto", "list").stdout
    promotion = promotion_pb2.Promotion(
        promotion_id="fxp_" + "6" * 32,
        name="Golden week",
        discount_basis_points=5_000,
        currency_codes=["THB"],
        budget=money(10_000),
        used=money(25),
        left=money(9_975),
    )
    server.script(
        "ListPromotions", rates_service_pb2.ListPromotionsResponse(promotions=[promotion])
    )
    report = fx("promotions").stdout
    for text in ("Golden week", "50 %", "THB", "CNY 99.75"):
        assert text in report


def test_positions_are_a_table(server: ScriptedServer, fx: Any) -> None:
    server.script(
        "ListPositions",
        positions_service_pb2.ListPositionsResponse(
            positions=[
                position_pb2.Position(
                    currency_code="JPY",
                    amount_minor_units=-1_234_567,
                    cost_minor_units=-5_200_000,
                    value_minor_units=-5_223_105,
                    result_minor_units=-23_105,
                    home_currency_code="CNY",
                    to_be_hedged=True,
                )
            ]
        ),
    )
    shown = fx("position")
    for text in ("-1,234,567", "-52,231.05", "-231.05", "yes"):
        assert text in shown.stdout


def test_a_feed_is_taken_from_a_file(server: ScriptedServer, fx: Any, tmp_path: Path) -> None:
    server.script(
        "ImportRates",
        rates_service_pb2.ImportRatesResponse(
            import_id="fxi_" + "1" * 32, day_count=2, known_day_count=1, currency_codes=["USD"]
        ),
    )
    feed = tmp_path / "feed.xml"
    feed.write_bytes(b"<Envelope/>")
    done = fx("import", str(feed))
    assert done.exit_code == 0, done.output
    assert server.calls("ImportRates")[0].request.content == b"<Envelope/>"
    assert "new days" in done.stdout
    plain = fx("import", "http://rates.example/feed.xml")
    assert plain.exit_code != 0
    assert "https only" in plain.stderr
    missing = fx("import", str(tmp_path / "none.xml"))
    assert missing.exit_code != 0


ALERT = order_pb2.RateAlert(
    alert_id="fxa_" + "8" * 32,
    source_currency_code="USD",
    target_currency_code="CNY",
    rate="7.1",
    direction=order_pb2.RATE_DIRECTION_AT_MOST,
    state=order_pb2.RATE_ALERT_STATE_WAITING,
)
ORDER = order_pb2.LimitOrder(
    limit_order_id="fxo_" + "9" * 32,
    amount=money(100_000),
    target_currency_code="USD",
    rate="0.16",
    state=order_pb2.LIMIT_ORDER_STATE_OPEN,
)


def test_alerts_are_added_listed_and_deleted(server: ScriptedServer, fx: Any) -> None:
    pb = limit_orders_service_pb2
    server.script("CreateRateAlert", pb.CreateRateAlertResponse(alert=ALERT))
    server.script("ListRateAlerts", pb.ListRateAlertsResponse(alerts=[ALERT]))
    server.script("DeleteRateAlert", pb.DeleteRateAlertResponse(alert=ALERT))
    for words in (
        ("add", "usd", "cny", "7.1", "--below", "--days", "7"),
        ("list",),
        ("delete", ALERT.alert_id),
    ):
        done = fx("alert", *words)
        assert done.exit_code == 0, done.output
        for text in (ALERT.alert_id, "USD/CNY", "≤ 7.1", "waiting"):
            assert text in done.stdout
    asked = server.calls("CreateRateAlert")[0].request
    assert (asked.source_currency_code, asked.rate, asked.valid_days) == ("USD", "7.1", 7)
    assert asked.direction == order_pb2.RATE_DIRECTION_AT_MOST


def test_limit_orders_are_placed_shown_listed_and_cancelled(
    server: ScriptedServer, fx: Any
) -> None:
    pb = limit_orders_service_pb2
    server.script("CreateLimitOrder", pb.CreateLimitOrderResponse(order=ORDER))
    server.script("GetLimitOrder", pb.GetLimitOrderResponse(order=ORDER))
    server.script("ListLimitOrders", pb.ListLimitOrdersResponse(orders=[ORDER]))
    server.script("CancelLimitOrder", pb.CancelLimitOrderResponse(order=ORDER))
    for words in (
        ("place", YUAN, DOLLARS, "1000.00", "usd", "0.16", "--currency", "CNY"),
        ("show", ORDER.limit_order_id),
        ("list",),
        ("cancel", ORDER.limit_order_id),
    ):
        done = fx("order", *words)
        assert done.exit_code == 0, done.output
        for text in (ORDER.limit_order_id, "CNY 1,000.00", "0.16", "open"):
            assert text in done.stdout
    asked = server.calls("CreateLimitOrder")[0].request
    assert (asked.amount, asked.target_currency_code) == (money(100_000), "USD")


def test_rates_are_followed(server: ScriptedServer, fx: Any) -> None:
    sent = [
        rates_service_pb2.StreamRatesResponse(
            rates=[
                rate_pb2.Rate(
                    source_currency_code="USD",
                    target_currency_code="CNY",
                    mid=mid,
                    bid="6",
                    ask="7",
                )
            ]
        )
        for mid in ("6.65", "6.66")
    ]
    server.script("StreamRates", [*sent, refusal("SHUTTING_DOWN")])
    done = fx("watch", "usd/cny")
    assert "USD/CNY 6.65" in done.output
    assert "USD/CNY 6.66" in done.output
    (pair,) = server.calls("StreamRates")[0].request.pairs
    assert (pair.source_currency_code, pair.target_currency_code) == ("USD", "CNY")


def test_a_day_is_closed_and_told(server: ScriptedServer, fx: Any) -> None:
    row = position_pb2.Revaluation(
        business_date="2026-11-03",
        currency_code="USD",
        amount_minor_units=-45_155,
        cost_minor_units=-301_786,
        value_minor_units=-298_346,
        realised_minor_units=1_373,
        unrealised_minor_units=2_067,
        home_currency_code="CNY",
        mid="6.607142857143",
    )
    server.script(
        "Revalue",
        positions_service_pb2.RevalueResponse(
            revaluations=[row],
            realised_minor_units=1_373,
            unrealised_minor_units=2_067,
            home_currency_code="CNY",
        ),
    )
    server.script(
        "ListRevaluations", positions_service_pb2.ListRevaluationsResponse(revaluations=[row])
    )
    closed = fx("revalue", "2026-11-03")
    assert closed.exit_code == 0, closed.output
    assert "realised CNY 13.73, unrealised CNY 20.67" in closed.output
    for done in (closed, fx("revaluations", "--currency", "usd")):
        for text in ("2026-11-03", "-451.55", "-3,017.86", "13.73", "20.67"):
            assert text in done.stdout
    assert server.calls("ListRevaluations")[0].request.currency_code == "USD"
