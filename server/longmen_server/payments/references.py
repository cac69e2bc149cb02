"""How requests name orders: by a merchant's number, or by a till's reference."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.actor import merchant_of
from longmen_server.payments.model import OrderNumber, TerminalReference
from longmen_server.platform.ids import TERMINAL
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.payments.v1 import offline_pb2
    from longmen.payments.v1 import payments_service_pb2 as pb
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.platform.ids import TerminalId

__all__ = [
    "check_giving_till",
    "giving_till",
    "lookup_keys",
    "sale_reference",
    "stored_reference",
    "till_reference",
]


def till_reference(
    request: pb.CreateOrderRequest
    | pb.PayByCodeRequest
    | pb.LookupOrderRequest
    | pb.ReverseByTerminalRefRequest,
) -> TerminalReference:
    """Return the till's reference that a request has.

    Raises:
        Refusal: INVALID_REQUEST when the business date is no day.
    """
    _check_day(request.business_date, "business_date")
    terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
    return TerminalReference(terminal_id, request.business_date, request.trace_number)


def stored_reference(stored: offline_pb2.OfflineSale, terminal_id: TerminalId) -> TerminalReference:
    """Return the reference under which a till has stored a sale.

    Raises:
        Refusal: INVALID_REQUEST when the business date is no day.
    """
    _check_day(stored.business_date, "sales.business_date")
    return TerminalReference(terminal_id, stored.business_date, stored.trace_number)


def sale_reference(
    request: pb.CreateOrderRequest | pb.PayByCodeRequest | pb.LookupOrderRequest,
) -> TerminalReference | None:
    """Return the till's reference of a request that may go without one.

    Raises:
        Refusal: INVALID_REQUEST when it is not whole.
    """
    parts = {
        "terminal_id": request.terminal_id,
        "trace_number": request.trace_number,
        "business_date": request.business_date,
    }
    missing = [name for name, value in parts.items() if not value]
    if len(missing) == len(parts):
        return None
    if missing:
        raise _invalid(
            missing[0],
            "terminal_reference.whole",
            "terminal, trace number and business date go together",
        )
    return till_reference(request)


def giving_till(request: pb.RefundOrderRequest) -> TerminalId | None:
    """Return the till that gives money back, if the refund names one.

    Raises:
        Refusal: INVALID_REQUEST when the business date is no day.
    """
    if request.business_date:
        _check_day(request.business_date, "business_date")
    if not request.terminal_id:
        return None
    return decode_id(TERMINAL, request.terminal_id, "terminal_id")


def check_giving_till(request: pb.RefundOrderRequest) -> None:
    """Refuse a till without its day, and a day without its till.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if bool(request.terminal_id) != bool(request.business_date):
        raise _invalid(
            "business_date" if request.terminal_id else "terminal_id",
            "refund.till_whole",
            "terminal and business date go together",
        )


def lookup_keys(
    request: pb.LookupOrderRequest, actor: MerchantActor
) -> OrderNumber | TerminalReference:
    """Return what a look-up is by.

    Raises:
        Refusal: INVALID_REQUEST unless it is by exactly one of the two; MERCHANT_NOT_FOUND.
    """
    reference = sale_reference(request)
    by_number = bool(request.merchant_id or request.order_number)
    if by_number == (reference is not None):
        raise _invalid(
            "order_number",
            "lookup.one_way",
            "an order is looked up by the merchant's number or by the till's reference",
        )
    if reference is not None:
        return reference
    for name in ("merchant_id", "order_number"):
        if not getattr(request, name):
            raise _invalid(name, "lookup.number_whole", "merchant and number go together")
    return OrderNumber(merchant_of(request.merchant_id, actor), request.order_number)


def _check_day(text: str, field: str) -> None:
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise _invalid(field, "business_date.day", "no such day") from error


def _invalid(field: str, rule: str, message: str) -> Refusal:
    return Refusal("INVALID_REQUEST", message, metadata={"rules": rule}, field=field)
