"""What a payer's app sends when the same scan is confirmed more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from longmen.payments.v1 import order_pb2, payments_service_pb2
from longmen_app import PayerCode, Wallet
from longmen_app.payer_code import CodeMaker, Scan
from longmen_client import Client, Config, Money, errors
from tests.support.scripted import Fails, refusal

if TYPE_CHECKING:
    from tests.support.scripted import Answer, ScriptedServer

SCAN = Scan(
    order_id="ord_" + "1" * 32,
    merchant_name="Tea",
    amount=Money(300, "CNY"),
    description="",
    state="NEEDS_AUTH",
)
PAID = payments_service_pb2.PayOrderResponse(payment=order_pb2.Payment(order_id=SCAN.order_id))


@pytest.mark.parametrize(
    ("first", "raised", "requests"),
    [
        (Fails(grpc.StatusCode.DEADLINE_EXCEEDED), errors.LongmenError, 1),
        (
            refusal("NEEDS_AUTH", challenge_id="chal_1", methods="PAYMENT_PIN"),
            errors.NeedsAuth,
            1,
        ),
        (refusal("INSUFFICIENT_FUNDS"), errors.InsufficientFunds, 2),
    ],
    ids=["lost", "to approve", "refused"],
)
def test_only_what_was_refused_is_sent_anew(
    server: ScriptedServer, first: Answer, raised: type[Exception], requests: int
) -> None:
    server.script("PayOrder", first, PAID)
    maker = CodeMaker(secret=bytes(32), handle=12_345_678, account_id="acct_" + "2" * 32)
    with Client(Config(target=server.target)) as client:
        codes = PayerCode(Wallet(client, "cust_" + "3" * 32), maker)
        with pytest.raises(raised):
            codes.confirm(SCAN)
        assert codes.confirm(SCAN) == PAID.payment
    assert len({call.request.request_id for call in server.calls("PayOrder")}) == requests
