"""Opens the accounts that take part in a load."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import grpc

from bench.wire import BOOK, CURRENCY, account_id, request_id
from longmen.ledger.v1 import ledger_service_pb2, ledger_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

CUSTOMER_DEPOSITS: Final = 2010
"""Chart code of every bench account."""

FLOOR_MINOR_UNITS: Final = -(10**12)
"""Low enough to be never reached, and there, so that it is checked with every transfer."""

ACCOUNTS_PER_CALL: Final = 1_000


def open_accounts(target: str, token: str, count: int, advance: Callable[[int], None]) -> None:
    """Open the accounts numbered 0 to `count`.

    Args:
        target: host:port of the server.
        token: bearer token.
        count: accounts beside account 0.
        advance: told how many more accounts are open.

    Raises:
        grpc.RpcError: the server refused.
    """
    metadata = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(target) as channel:
        stub = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        for first in range(0, count + 1, ACCOUNTS_PER_CALL):
            numbers = range(first, min(first + ACCOUNTS_PER_CALL, count + 1))
            stub.CreateAccounts(request_for(numbers), metadata=metadata, timeout=30)
            advance(len(numbers))


def request_for(numbers: range) -> ledger_service_pb2.CreateAccountsRequest:
    """The request that opens the accounts with these numbers."""
    return ledger_service_pb2.CreateAccountsRequest(
        request_id=request_id(random.getrandbits(128)).decode(),
        book=BOOK,
        accounts=[
            ledger_service_pb2.AccountSpec(
                account_id=account_id(number),
                currency_code=CURRENCY,
                chart_code=CUSTOMER_DEPOSITS,
                floor_minor_units=FLOOR_MINOR_UNITS,
            )
            for number in numbers
        ],
    )
