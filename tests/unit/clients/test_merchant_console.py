"""What commands of settlements, bills and webhooks send and print, by a scripted server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from longmen.merchants.v1 import (
    settlement_pb2,
    settlements_service_pb2,
    webhook_pb2,
    webhooks_service_pb2,
)
from longmen.type.v1 import money_pb2
from longmen_server.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted import ScriptedServer

SHOP = "mer_" + "1" * 32
SETTLEMENT = "stl_" + "2" * 32
ENDPOINT = "whe_" + "3" * 32
DELIVERY = "whd_" + "4" * 32
ONE = settlement_pb2.Settlement(
    settlement_id=SETTLEMENT,
    merchant_id=SHOP,
    business_date="2026-03-02",
    settlement_date="2026-03-03",
    state=settlement_pb2.SETTLEMENT_STATE_SETTLED,
    currency_code="CNY",
    sale_count=2,
    sale_minor_units=15_000,
    net_minor_units=13_912,
    carried_in_minor_units=-12,
    paid_minor_units=13_900,
)
POINT = webhook_pb2.Endpoint(
    endpoint_id=ENDPOINT,
    url="https://shop.example/hook",
    state=webhook_pb2.ENDPOINT_STATE_ENABLED,
)
SENT = webhook_pb2.Delivery(
    delivery_id=DELIVERY,
    type="order.paid",
    state=webhook_pb2.DELIVERY_STATE_PENDING,
    attempt_count=2,
    last_status=500,
    last_failure="http_500",
)


@pytest.fixture
def longmen(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("LONGMEN_TARGET", server.target)
    monkeypatch.setenv("LONGMEN_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("TZ", "UTC")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, prog_name="longmen")

    return invoke


def test_settlements_are_shown_with_debts_below_zero(server: ScriptedServer, longmen: Any) -> None:
    server.script("GetSettlement", settlements_service_pb2.GetSettlementResponse(settlement=ONE))
    server.script(
        "ListSettlements", settlements_service_pb2.ListSettlementsResponse(settlements=[ONE])
    )
    shown = longmen("settlement", "show", SETTLEMENT)
    assert shown.exit_code == 0, shown.output
    assert "CNY -0.12" in shown.output
    assert "CNY 150.00 in 2" in shown.output
    listed = longmen("settlement", "list", SHOP)
    assert "CNY 139.00" in listed.output
    assert json.loads(longmen("settlement", "list", SHOP, "--json").output)["settlements"]


def test_a_bill_is_written_whole(server: ScriptedServer, longmen: Any, tmp_path: Path) -> None:
    reply = settlements_service_pb2.DownloadBillResponse
    server.script(
        "DownloadBill", [reply(content=b"one", file_name="b.csv.gz"), reply(content=b"two")]
    )
    done = longmen("bill", "download", SHOP, "2026-03-02", "--to", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "b.csv.gz").read_bytes() == b"onetwo"
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv.gz"]


def test_a_list_is_compared_and_differences_end_with_a_code(
    server: ScriptedServer, longmen: Any, tmp_path: Path
) -> None:
    difference = settlement_pb2.Difference(
        kind=settlement_pb2.DIFFERENCE_KIND_MISSING_HERE,
        line_kind=settlement_pb2.BILL_LINE_KIND_SALE,
        order_number="o-2",
        listed=money_pb2.Money(minor_units=500, currency_code="CNY"),
        explanation="there is no order of this number",
    )
    reply = settlements_service_pb2.ReconcileResponse
    server.script(
        "Reconcile",
        reply(matched_count=1, differences=[difference], difference_count=1),
        reply(matched_count=2),
    )
    file = tmp_path / "list.csv"
    file.write_text("type,order_number,refund_number,amount\n,o-1,,3.00\nrefund,o-2,r-1,5\n")
    compared = longmen("bill", "reconcile", SHOP, "2026-03-02", str(file))
    assert compared.exit_code == 3
    assert "there is no order of this number" in compared.output
    sent = server.calls("Reconcile")[0].request
    assert [(line.kind, line.refund_number, line.amount.minor_units) for line in sent.lines] == [
        (settlement_pb2.BILL_LINE_KIND_SALE, "", 300),
        (settlement_pb2.BILL_LINE_KIND_REFUND, "r-1", 500),
    ]
    assert longmen("bill", "reconcile", SHOP, "2026-03-02", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("order_number\no-1\n", "no column amount"),
        ("order_number,amount\no-1,free\n", "line 2"),
        ("type,order_number,amount\nGIFT,o-1,1\n", "GIFT is no SALE or REFUND"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_by_its_line(
    longmen: Any, tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text)
    done = longmen("bill", "reconcile", SHOP, "2026-03-02", str(file))
    assert done.exit_code != 0
    assert problem in done.output


def test_webhooks_are_made_switched_tried_and_sent_again(
    server: ScriptedServer, longmen: Any
) -> None:
    pb = webhooks_service_pb2
    server.script("CreateEndpoint", pb.CreateEndpointResponse(endpoint=POINT, secret="whsec_1"))
    server.script("RotateSecret", pb.RotateSecretResponse(endpoint=POINT, secret="whsec_2"))
    server.script("ListEndpoints", pb.ListEndpointsResponse(endpoints=[POINT]))
    server.script(
        "SetEndpointState",
        pb.SetEndpointStateResponse(endpoint=POINT),
        pb.SetEndpointStateResponse(endpoint=POINT),
    )
    server.script("SendTestEvent", pb.SendTestEventResponse(delivery=SENT))
    server.script("ListDeliveries", pb.ListDeliveriesResponse(deliveries=[SENT]))
    server.script("Redeliver", pb.RedeliverResponse(delivery=SENT))
    for words, expected in (
        (("create", SHOP, POINT.url, "--type", "order.paid"), "whsec_1"),
        (("rotate", ENDPOINT), "whsec_2"),
        (("list", SHOP), POINT.url),
        (("enable", ENDPOINT), ENDPOINT),
        (("disable", ENDPOINT), ENDPOINT),
        (("test", ENDPOINT), "http_500"),
        (("deliveries", SHOP, "--state", "pending"), "order.paid"),
        (("redeliver", DELIVERY), DELIVERY),
    ):
        done = longmen("webhook", *words)
        assert done.exit_code == 0, done.output
        assert expected in done.output, words
