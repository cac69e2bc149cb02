"""The hand-made payments say what the generated stubs understand, and codes are good ones."""

from __future__ import annotations

import protovalidate
import pytest

from bench import till_wire
from bench.wire import CURRENCY, WrongReplyError
from longmen.payments.v1 import order_pb2, payments_service_pb2
from longmen_server.payments.codes import payer_code
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.ids import ACCOUNT, ORDER

MERCHANTS = tuple(f"mer_{number:028x}0001" for number in range(1, 4))


def test_a_scan_is_valid_and_its_code_is_its_payers() -> None:
    shape = till_wire.PaymentShape("PayByCode", MERCHANTS, 0, 10)
    requests = shape.requests(7)
    for payer in (1, 3, 5):
        data = requests.make()
        request = payments_service_pb2.PayByCodeRequest.FromString(data)
        protovalidate.validate(request)
        assert request.SerializeToString() == data
        assert request.merchant_id == MERCHANTS[payer % 3]
        code = payer_code.parse(request.code)
        now_us = SystemClock().now_us()
        secret = till_wire.secret_of(payer)
        assert code.handle == payer
        assert payer_code.step_of(code, secret, now_us=now_us) is not None


def test_an_order_is_paid_once_from_its_payers_account() -> None:
    shape = till_wire.PaymentShape("PayOrder", MERCHANTS, 100, 4)
    requests = shape.requests(2)
    seen = set()
    for _ in range(2):
        data = requests.make()
        request = payments_service_pb2.PayOrderRequest.FromString(data)
        protovalidate.validate(request)
        assert request.SerializeToString() == data
        ORDER.decode(request.order_id)
        ACCOUNT.decode(request.from_account_id)
        assert request.amount.currency_code == CURRENCY
        seen.add(request.order_id)
    assert seen == {f"ord_{till_wire.order_hex(number)}" for number in (100, 102)}
    with pytest.raises(WrongReplyError, match="used up"):
        requests.make()


def test_an_order_that_is_not_paid_fails_the_load() -> None:
    requests = till_wire.PaymentShape("PayByCode", MERCHANTS, 0, 10).requests(0)
    reply = payments_service_pb2.PayByCodeResponse()
    reply.order.state = order_pb2.ORDER_STATE_NEEDS_AUTH
    with pytest.raises(WrongReplyError, match="not paid"):
        requests.check(reply.SerializeToString())
    reply.order.state = order_pb2.ORDER_STATE_PAID
    assert requests.check(reply.SerializeToString()) == 1
