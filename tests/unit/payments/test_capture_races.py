"""What a capture does that read the holds before another process committed one more."""

from __future__ import annotations

import pytest

from longmen.payments.v1 import authorizations_service_pb2 as pb
from longmen.type.v1 import money_pb2
from longmen_server.engine.working_set import WorkingSet
from longmen_server.ledger.model import HoldRow, HoldState
from longmen_server.ledger.tables import HOLD
from longmen_server.merchants.model import MerchantActor
from longmen_server.payments.authorizations import AuthorizationRow, leg_id
from longmen_server.payments.holding import CaptureOrder
from longmen_server.payments.model import OrderRow, OrderState
from longmen_server.payments.tables import ORDER
from longmen_server.payments.tables_authorizations import AUTHORIZATION
from longmen_server.platform.ids import AccountId, CaptureId, MerchantId, OrderId, TransactionId
from longmen_server.platform.refusal import Refusal

ID = bytes(14) + b"\x00\x01"
NOW = 1_000


def authorized(*, legs: int, seen: int) -> WorkingSet:
    """An order of 100 for each hold, of which some were there when holds were read."""
    order_id = OrderId(ID)
    order = OrderRow(
        order_id,
        MerchantId(ID),
        "A-1",
        OrderState.AUTHORIZED,
        100,
        "CNY",
        0,
        AccountId(ID),
        NOW + 1,
        "",
        *(None, None, None),
        AccountId(ID),
        *(None, None),
        *(1, 1, 1),
        captured=0,
    )
    found = WorkingSet(1, NOW)
    found.table(ORDER).rows[order_id] = order
    row = AuthorizationRow(order_id, 100 * legs, 0, 0, legs, 1)
    found.table(AUTHORIZATION).rows[order_id] = row
    for number in range(seen):
        key = (leg_id(order_id, number), 0)
        accounts = (AccountId(ID), AccountId(ID))
        hold = HoldRow(*key, *accounts, "CNY", 100, 0, 100, HoldState.HELD, NOW + 1)
        found.table(HOLD).rows[key] = hold
    return found


@pytest.mark.parametrize(("legs", "seen"), [(1, 0), (2, 1), (3, 1)])
def test_it_takes_nothing_and_can_be_sent_again(legs: int, seen: int) -> None:
    working_set = authorized(legs=legs, seen=seen)
    command = CaptureOrder(
        1,
        None,
        order_id=OrderId(ID),
        asked=pb.CaptureOrderRequest(
            capture_number="1", amount=money_pb2.Money(minor_units=100, currency_code="CNY")
        ),
        actor=MerchantActor(None),
        capture_id=CaptureId(ID),
        transaction_id=TransactionId(ID),
    )
    with pytest.raises(Refusal) as caught:
        command.decide(working_set)
    assert (caught.value.reason, caught.value.final) == ("CONTENTION", False)
    assert not working_set.has_changes
