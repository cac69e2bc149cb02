"""PayerCodesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import payer_code_pb2
from longmen.payments.v1 import payer_codes_service_pb2 as pb
from longmen_server.accounts.actor import actor_of
from longmen_server.engine.door import request_key, submit
from longmen_server.factors.caller import device_of, owner_of
from longmen_server.identity.sealed_reply import unpack
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.queries import find_merchant
from longmen_server.payer_codes import commands, encode, queries
from longmen_server.payer_codes.model import (
    HANDLE_TRIES,
    CodeDevice,
    PayerCodeRow,
    PayerCodeState,
    payer_code_not_found,
)
from longmen_server.payments.codes.payer_code import HANDLES, SECRET_BYTES
from longmen_server.payments.model import order_not_found
from longmen_server.payments.queries import find_order
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import ACCOUNT, DEVICE, ORDER, DeviceId, book_of
from longmen_server.platform.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.payments.settings import PaymentsSettings
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.sealing import Sealer
    from longmen_server.transport.context import Call

FIRST_READ_SECONDS: Final = 5.0
"""How long each look of a stream may take; the stream itself may last an hour."""


class PayerCodesService:
    """The methods of longmen.payments.v1.PayerCodesService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        settings: PaymentsSettings,
        step_up: StepUpOffice,
        sealer: Sealer,
        replies: Sealer,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for budgets and orders.
            settings: limits.
            step_up: gives enrolments the gate they have to pass.
            sealer: seals secrets of devices.
            replies: seals them in recorded replies.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._step_up = step_up
        self._sealer = sealer
        self._replies = replies
        self._watcher: Watcher[bytes, PayerCodeRow] = Watcher(
            readers, clock, queries.find_watched, interval_ms=settings.order_watch_interval_ms
        )

    # -- devices -------------------------------------------------------------------------------

    async def EnrolPayerCode(  # noqa: N802
        self, request: pb.EnrolPayerCodeRequest, call: Call
    ) -> bytes:
        """Give the calling device a secret to make codes with."""
        device, book = _caller(call)
        key = request_key(call)
        secret = secrets.token_bytes(SECRET_BYTES)
        told = pb.EnrolPayerCodeResponse(secret=secret).SerializeToString()
        command = commands.EnrolPayerCode(
            book,
            key,
            device=device,
            account_id=decode_id(ACCOUNT, request.account_id, "account_id"),
            actor=actor_of(call),
            handles=[secrets.randbelow(HANDLES) for _ in range(HANDLE_TRIES)],
            sealed_secret=self._sealer.seal(secret, device.customer_id + device.device_id),
            sealed_reply=self._replies.seal(told, key.digest),
            gate=self._step_up.gate(call, key, book),
        )
        return unpack(await self._submit(command, request, call), self._replies, key.digest)

    async def RenewPayerCode(  # noqa: N802
        self, request: pb.RenewPayerCodeRequest, call: Call
    ) -> bytes:
        """Give the calling device its whole budget back."""
        device, book = _caller(call)
        command = commands.RenewPayerCode(book, request_key(call), device=device)
        return await self._submit(command, request, call)

    async def RevokePayerCode(  # noqa: N802
        self, request: pb.RevokePayerCodeRequest, call: Call
    ) -> bytes:
        """Let no code of a device be taken any more."""
        device, book = _caller(call)
        if request.device_id:
            other: DeviceId = decode_id(DEVICE, request.device_id, "device_id")
            device = device._replace(device_id=other)
        command = commands.RevokePayerCode(book, request_key(call), device=device)
        return await self._submit(command, request, call)

    # -- scans ---------------------------------------------------------------------------------

    async def GetPayerCode(  # noqa: N802
        self, request: pb.GetPayerCodeRequest, call: Call
    ) -> pb.GetPayerCodeResponse:
        """Show the device's budget, and what the latest scan asks."""
        demand_freshness(request.at_least_as_fresh)
        device, _ = _caller(call)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await self._find(connection, device)
            scan = await self._scan(connection, row)
        shown = encode.payer_code(row, self._clock.now_us())
        return pb.GetPayerCodeResponse(payer_code=shown, scan=scan)

    async def WatchPayerCode(  # noqa: N802
        self, request: pb.WatchPayerCodeRequest, call: Call
    ) -> AsyncIterator[pb.WatchPayerCodeResponse]:
        """Send the same at once, and then after every scan."""
        del request
        device, _ = _caller(call)
        async with self._readers.connection(deadline=self._soon(call)) as connection:
            row = await self._find(connection, device)
        async with self._watcher.watch(queries.watch_key(device), row.version) as watch:
            while True:
                async with self._readers.snapshot(deadline=self._soon(call)) as connection:
                    scan = await self._scan(connection, row)
                shown = encode.payer_code(row, self._clock.now_us())
                yield pb.WatchPayerCodeResponse(payer_code=shown, scan=scan)
                row = await watch.next()

    async def DeclineScan(self, request: pb.DeclineScanRequest, call: Call) -> bytes:  # noqa: N802
        """Turn down what the latest scan asks."""
        device, book = _caller(call)
        order_id = decode_id(ORDER, request.order_id, "order_id")
        if book_of(order_id) != book:
            raise order_not_found(order_id)
        command = commands.DeclineScan(book, request_key(call), device=device, order_id=order_id)
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)

    def _soon(self, call: Call) -> float:
        return min(call.deadline, self._clock.monotonic() + FIRST_READ_SECONDS)

    async def _find(self, connection: Connection, device: CodeDevice) -> PayerCodeRow:
        """Return a device that shows codes.

        Raises:
            Refusal: PAYER_CODE_NOT_FOUND.
        """
        row = await queries.find_by_device(connection, device)
        if row is None or row.state != PayerCodeState.ACTIVE:
            raise payer_code_not_found()
        return row

    async def _scan(self, connection: Connection, row: PayerCodeRow) -> payer_code_pb2.Scan | None:
        """Return what the latest scan of a device asks; None before the first."""
        if row.last_order_id is None:
            return None
        order = await find_order(connection, row.last_order_id)
        assert order is not None, "a scan is for an order"
        merchant = await find_merchant(connection, order.merchant_id)
        assert merchant is not None, "an order has a merchant"
        return encode.scan(order, merchant, self._clock.now_us())


def _caller(call: Call) -> tuple[CodeDevice, int]:
    """Return the calling device and the book of its owner.

    Raises:
        Refusal: PERMISSION_DENIED for a caller who is no customer.
    """
    customer_id, book = owner_of(call)
    return CodeDevice(customer_id, DeviceId(device_of(call))), book
