"""Messages that callers put into requests, made from types of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.ledger.v1 import ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_client._wire import wire_money, wire_span, wire_time

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from longmen_client.money import Money

__all__ = [
    "account_spec",
    "batch_item",
    "capture_spec",
    "hold_spec",
    "pay_account",
    "pay_phone",
    "transfer_spec",
    "void_spec",
]


def pay_account(account_id: str) -> transfer_pb2.Payee:
    """A payee by account id."""
    return transfer_pb2.Payee(account_id=account_id)


def pay_phone(phone_number: str) -> transfer_pb2.Payee:
    """A payee by phone number in E.164 form, such as +8613800138000."""
    return transfer_pb2.Payee(phone_number=phone_number)


def batch_item(
    payee: transfer_pb2.Payee, amount: Money, *, description: str = "", reference: str = ""
) -> transfer_pb2.BatchItem:
    """One payment of a batch."""
    return transfer_pb2.BatchItem(
        payee=payee, amount=amount.to_proto(), description=description, reference=reference
    )


def account_spec(
    *,
    chart_code: int,
    currency_code: str,
    account_id: str = "",
    owner_id: str = "",
    floor_minor_units: int | None = None,
    ceiling_minor_units: int | None = None,
    unlimited: bool = False,
    description: str = "",
) -> ledger_service_pb2.AccountSpec:
    """One account to open in the ledger."""
    return ledger_service_pb2.AccountSpec(
        account_id=account_id,
        currency_code=currency_code,
        chart_code=chart_code,
        owner_id=owner_id,
        floor_minor_units=floor_minor_units,
        ceiling_minor_units=ceiling_minor_units,
        unlimited=unlimited,
        description=description,
    )


def transfer_spec(
    *,
    debit_account_id: str,
    credit_account_id: str,
    amount: Money,
    transaction_id: str = "",
    linked: bool = False,
    balancing: transaction_pb2.BalancingMode.ValueType = (
        transaction_pb2.BALANCING_MODE_UNSPECIFIED
    ),
    effective_time: datetime | None = None,
    code: int = 0,
    reference: str = "",
    description: str = "",
) -> transaction_pb2.TransferSpec:
    """A transfer that takes effect at once."""
    return transaction_pb2.TransferSpec(
        transaction_id=transaction_id,
        debit_account_id=debit_account_id,
        credit_account_id=credit_account_id,
        amount=wire_money(amount),
        kind=transaction_pb2.POSTING_KIND_POST,
        linked=linked,
        balancing=balancing,
        effective_time=wire_time(effective_time),
        code=code,
        reference=reference,
        description=description,
    )


def hold_spec(
    *,
    debit_account_id: str,
    credit_account_id: str,
    amount: Money,
    hold_duration: timedelta | None = None,
    transaction_id: str = "",
    linked: bool = False,
    code: int = 0,
    reference: str = "",
    description: str = "",
) -> transaction_pb2.TransferSpec:
    """A pending posting: it holds the amount until it is captured or voided, or its time is up."""
    return transaction_pb2.TransferSpec(
        transaction_id=transaction_id,
        debit_account_id=debit_account_id,
        credit_account_id=credit_account_id,
        amount=wire_money(amount),
        kind=transaction_pb2.POSTING_KIND_PENDING,
        hold_duration=wire_span(hold_duration),
        linked=linked,
        code=code,
        reference=reference,
        description=description,
    )


def capture_spec(
    *,
    pending_posting_id: str,
    amount: Money | None = None,
    final: bool = False,
    transaction_id: str = "",
    linked: bool = False,
) -> transaction_pb2.TransferSpec:
    """A capture of a pending posting; without an amount, of all that is left."""
    return transaction_pb2.TransferSpec(
        transaction_id=transaction_id,
        pending_posting_id=pending_posting_id,
        amount=wire_money(amount),
        kind=transaction_pb2.POSTING_KIND_CAPTURE,
        final=final,
        linked=linked,
    )


def void_spec(
    *, pending_posting_id: str, transaction_id: str = "", linked: bool = False
) -> transaction_pb2.TransferSpec:
    """A void of a pending posting."""
    return transaction_pb2.TransferSpec(
        transaction_id=transaction_id,
        pending_posting_id=pending_posting_id,
        kind=transaction_pb2.POSTING_KIND_VOID,
        linked=linked,
    )
