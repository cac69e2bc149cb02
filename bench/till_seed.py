"""What a bench of payments needs: merchants, payers with devices, orders to be paid."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import grpc
import psycopg

from bench.seed import ACCOUNTS_PER_CALL, CUSTOMER_DEPOSITS, FLOOR_MINOR_UNITS
from bench.till_wire import AMOUNT, order_hex, payer_account, secret_of
from bench.wire import BOOK, CURRENCY, request_id
from longmen.ledger.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from longmen.merchants.v1 import merchants_service_pb2, merchants_service_pb2_grpc
from longmen_server.payment_desk import PAYER_CODES
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.sealing import SecretKeys

if TYPE_CHECKING:
    from pathlib import Path

CALLERS: Final = 64
"""Merchants taken in at once."""


def customer(payer: int) -> bytes:
    """The id of a payer."""
    return bytes.fromhex(f"019000000002{0x7000:04x}8{payer:011x}{BOOK:04x}")


def device(payer: int) -> bytes:
    """The id of a payer's own device: what is counted of a device is one row to lock."""
    return bytes.fromhex(f"019000000003{0x7000:04x}8{payer:011x}{BOOK:04x}")


def open_merchants(target: str, token: str, count: int) -> list[tuple[str, str]]:
    """Take merchants in; returns their ids and accounts."""
    with grpc.insecure_channel(target) as channel:
        stub = merchants_service_pb2_grpc.MerchantsServiceStub(channel)

        def create(number: int) -> tuple[str, str]:
            request = merchants_service_pb2.CreateMerchantRequest(
                request_id=_request_id(),
                name=f"Shop {number}",
                city="Shanghai",
                country_code="CN",
                category_code="5499",
                currency_code=CURRENCY,
            )
            reply = stub.CreateMerchant(request, metadata=_metadata(token), timeout=30)
            return reply.merchant.merchant_id, reply.merchant.account_id

        with ThreadPoolExecutor(CALLERS) as callers:
            return list(callers.map(create, range(count)))


def open_payers(target: str, token: str, dsn: str, secrets_key: Path, count: int) -> None:
    """Open the accounts of payers, and enrol a device for each."""
    with grpc.insecure_channel(target) as channel:
        stub = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        for first in range(0, count, ACCOUNTS_PER_CALL):
            numbers = range(first, min(first + ACCOUNTS_PER_CALL, count))
            request = ledger_service_pb2.CreateAccountsRequest(
                request_id=_request_id(),
                book=BOOK,
                accounts=[
                    ledger_service_pb2.AccountSpec(
                        account_id=payer_account(number),
                        currency_code=CURRENCY,
                        chart_code=CUSTOMER_DEPOSITS,
                        owner_id=f"cust_{customer(number).hex()}",
                        floor_minor_units=FLOOR_MINOR_UNITS,
                    )
                    for number in numbers
                ],
            )
            stub.CreateAccounts(request, metadata=_metadata(token), timeout=30)
    sealer = SecretKeys.load(secrets_key).sealer(PAYER_CODES)
    now_us = SystemClock().now_us()
    columns = (
        "enrolled_at_us, renewed_at_us, spent_amount, version, handle, spent_count, wrong_count,"
        " book, state, customer_id, device_id, account_id, currency_code, secret, used"
    )
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor().copy(f"copy payer_code ({columns}) from stdin".encode()) as copy,
    ):
        for number in range(count):
            owner, its_device = customer(number), device(number)
            copy.write_row(
                (
                    now_us,
                    now_us,
                    0,
                    1,
                    number,
                    0,
                    0,
                    BOOK,
                    1,
                    owner.hex(),
                    its_device.hex(),
                    payer_account(number).removeprefix("acct_"),
                    CURRENCY,
                    sealer.seal(secret_of(number), owner + its_device),
                    b"",
                )
            )


def open_orders(dsn: str, merchants: list[tuple[str, str]], first: int, count: int) -> None:
    """Register orders as they stand before anybody has paid."""
    now_us = SystemClock().now_us()
    columns = (
        "amount, refunded, expires_at_us, version, created_at_us, updated_at_us, book, state,"
        " order_id, merchant_id, account_id, order_number, currency_code, description"
    )
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor().copy(f"copy merchant_order ({columns}) from stdin".encode()) as copy,
    ):
        for number in range(first, first + count):
            merchant, account = merchants[number % len(merchants)]
            copy.write_row(
                (
                    AMOUNT,
                    0,
                    now_us + 3_600_000_000,
                    0,
                    now_us,
                    now_us,
                    BOOK,
                    1,
                    order_hex(number),
                    merchant.removeprefix("mer_"),
                    account.removeprefix("acct_"),
                    f"bench-{number}",
                    CURRENCY,
                    "",
                )
            )


def renew_payers(dsn: str) -> None:
    """Let every payer pay by code again: nothing used, nothing spent, nothing without approval."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        # Those alone that have paid: a table written anew would make the load write it back.
        connection.execute(
            "update payer_code set used = '', spent_count = 0, spent_amount = 0 where used <> ''"
        )
        connection.execute("update customer_security set exempt_count = 0 where exempt_count <> 0")
        for table in ("payer_code", "customer_security", "merchant_order", "order_attempt"):
            connection.execute(f"vacuum (analyze) {table}".encode())


def _request_id() -> str:
    return request_id(random.getrandbits(128)).decode()


def _metadata(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
