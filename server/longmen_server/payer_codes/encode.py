"""Devices that show codes, and what their scans ask, as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import payer_code_pb2
from longmen_server.factors.model import NO_DEVICE
from longmen_server.ledger.encode import timestamp
from longmen_server.payer_codes.model import Budget, PayerCodeState
from longmen_server.payments.encode import money, some
from longmen_server.payments.policy import policy_at
from longmen_server.platform.ids import ACCOUNT, DEVICE, MERCHANT, ORDER

if TYPE_CHECKING:
    from longmen_server.merchants.model import MerchantRow
    from longmen_server.payer_codes.model import PayerCodeRow
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import DeviceId

__all__ = ["budget_of", "change", "payer_code", "scan"]


def budget_of(row: PayerCodeRow, now_us: int) -> Budget:
    """Return what a device's codes may do by the policy of a moment."""
    policy = policy_at(now_us)
    return Budget(
        codes=policy.code_budget,
        amount=policy.code_budget_minor_units.get(row.currency_code, 0),
        age_us=policy.code_budget_us,
        wrong_tries=policy.code_wrong_tries,
    )


def payer_code(row: PayerCodeRow, now_us: int) -> payer_code_pb2.PayerCode:
    """Return a device as it stands, without its secret."""
    budget = budget_of(row, now_us)
    blocked = row.wrong_count >= budget.wrong_tries
    return payer_code_pb2.PayerCode(
        device_id=_device(row.device_id),
        account_id=ACCOUNT.encode(row.account_id),
        handle=row.handle,
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        codes_left=0 if blocked else max(0, budget.codes - row.spent_count),
        amount_left=money(max(0, budget.amount - row.spent_amount), row.currency_code),
        renew_before_time=timestamp(row.renewed_at_us + budget.age_us),
        enrol_time=timestamp(row.enrolled_at_us),
        renew_time=timestamp(row.renewed_at_us),
        version=row.version,
    )


def scan(order: OrderRow, merchant: MerchantRow, now_us: int) -> payer_code_pb2.Scan:
    """Return what a payer is asked."""
    return payer_code_pb2.Scan(
        order_id=ORDER.encode(order.order_id),
        merchant_id=MERCHANT.encode(order.merchant_id),
        merchant_name=merchant.name,
        merchant_local_name=merchant.local_name,
        amount=money(order.amount, order.currency_code),
        description=order.description,
        state=int(order.state_at(now_us)),  # type: ignore[arg-type]
        expire_time=timestamp(order.expires_at_us),
        tip=some(order.tip, order.currency_code),
    )


def change(row: PayerCodeRow) -> bytes:
    """Return the payload of the event that tells what became of a device's codes."""
    return event_pb2.PayerCodeChange(
        device_id=_device(row.device_id), state=PayerCodeState(row.state).name
    ).SerializeToString(deterministic=True)


def _device(device_id: DeviceId) -> str:
    return "" if device_id == NO_DEVICE else DEVICE.encode(device_id)
