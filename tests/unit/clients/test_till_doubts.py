"""A till that lost an answer believes nobody but the books about what it sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from longmen.payments.v1 import order_pb2, payments_service_pb2
from longmen_client import Config, Money, errors
from longmen_merchant import Entry, Journal, Limits, Outcome, Stage, Till
from tests.support.scripted import Fails, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.scripted import ScriptedServer

TEA = Money(300, "CNY")
LOST = Fails(grpc.StatusCode.DEADLINE_EXCEEDED)
TURNED_AWAY = refusal("TOKEN_INVALID")
PAID = order_pb2.Order(order_id="ord_" + "1" * 32, state=order_pb2.ORDER_STATE_PAID)
RESOLVED = payments_service_pb2.ResolveOrderResponse(order=PAID)
REFUNDED = payments_service_pb2.RefundOrderResponse(order=PAID)


@pytest.fixture
def till(server: ScriptedServer, tmp_path: Path) -> Iterator[Till]:
    with Till(
        Config(target=server.target, token="t"),
        merchant_id="mer_" + "2" * 32,
        terminal_id="trm_" + "3" * 32,
        journal=Journal(tmp_path / "till.json"),
        limits=Limits(charge_ms=2_000, settle_ms=2_000, attempt_ms=1_000),
    ) as opened:
        yield opened


def test_a_sale_that_may_have_arrived_is_settled_though_the_till_is_turned_away(
    server: ScriptedServer, till: Till
) -> None:
    server.script("PayByCode", LOST, TURNED_AWAY)
    server.script("ResolveOrder", RESOLVED)
    charge = till.charge("28" + "0" * 16, TEA)
    assert (charge.outcome, charge.order_id) == (Outcome.PAID, PAID.order_id)
    assert till.journal.entries == ()
    server.script("PayByCode", TURNED_AWAY)
    with pytest.raises(errors.TokenInvalid):
        till.charge("28" + "0" * 16, TEA)
    assert till.journal.entries == (), "nothing had been sent before"


def test_a_refund_that_may_have_been_made_is_sent_again_by_its_number(
    server: ScriptedServer, till: Till
) -> None:
    server.script("RefundOrder", LOST, TURNED_AWAY)
    with pytest.raises(errors.TokenInvalid):
        till.refund(PAID.order_id, TEA, refund_number="7")
    assert [one.number for one in till.journal.entries] == ["7"]
    assert [type(error) for error in till.resume().errors] == [errors.TokenInvalid]
    first = server.calls("RefundOrder")[0].request
    server.script("RefundOrder", REFUNDED)
    (made,) = till.resume().refunds
    assert made.refund_number == "7"
    assert server.calls("RefundOrder")[0].request == first
    assert till.journal.entries == ()
    server.script("RefundOrder", LOST, refusal("REFUND_EXCEEDS_PAYMENT"))
    with pytest.raises(errors.RefundExceedsPayment):
        till.refund(PAID.order_id, TEA)
    assert till.journal.entries == (), "the books have answered"


def test_what_cannot_be_finished_stops_nothing_else(server: ScriptedServer, till: Till) -> None:
    for number, stage in (("1", Stage.REVERSE), ("2", Stage.SENT)):
        till.journal.put(
            Entry(
                number=number,
                stage=stage,
                minor_units=300,
                currency_code="CNY",
                request_id="00000000-0000-4000-8000-000000000001",
                settle_id="00000000-0000-4000-8000-000000000002",
                trace_number=1,
                business_date="2026-01-02",
            )
        )
    server.script("ReverseByTerminalRef", refusal("REVERSAL_WINDOW_PASSED"))
    server.script("ResolveOrder", RESOLVED)
    found = till.resume()
    assert [one.outcome for one in found.charges] == [Outcome.PAID]
    assert [type(error) for error in found.errors] == [errors.ReversalWindowPassed]
    assert [one.number for one in till.journal.entries] == ["1"], "somebody has to look at it"


def test_an_order_whose_time_is_over_is_resolved_before_it_is_given_up(
    server: ScriptedServer, till: Till
) -> None:
    late = order_pb2.Order(order_id=PAID.order_id, state=order_pb2.ORDER_STATE_EXPIRED)
    server.script("PayByCode", payments_service_pb2.PayByCodeResponse(order=late))
    server.script("ResolveOrder", RESOLVED)
    assert till.charge("28" + "0" * 16, TEA).paid
