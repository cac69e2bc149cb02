"""DevicesService: requests in, commands or queries, replies out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import device_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.engine.door import request_key
from longmen_server.identity import encode, model, session_commands
from longmen_server.identity.login_commands import CompleteDeviceEnrolment
from longmen_server.identity.queries import find_device, list_devices, wallet_exists
from longmen_server.identity.signing_in import complete
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CUSTOMER, DEVICE, CustomerId, book_of

if TYPE_CHECKING:
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.identity.model import DeviceRow
    from longmen_server.identity.tools import IdentityTools
    from longmen_server.transport.context import Call

PAIRING_DIGITS = 8
NOBODY = CustomerId(bytes(16))
"""An id that nobody has."""


class DevicesService:
    """The methods of longmen.identity.v1.DevicesService."""

    def __init__(self, tools: IdentityTools, step_up: StepUpOffice) -> None:
        """Take what the methods work with, and what gives requests the gate they have to pass."""
        self._tools = tools
        self._step_up = step_up

    async def StartDeviceEnrolment(  # noqa: N802
        self, request: pb.StartDeviceEnrolmentRequest, call: Call
    ) -> bytes:
        """Make a pairing code."""
        tools = self._tools
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        if not tools.keeps(book):
            raise wallet_not_found(CUSTOMER.encode(customer_id))
        challenge, code = tools.challenge(book, PAIRING_DIGITS)
        secret = pb.StartDeviceEnrolmentResponse(pairing_code=code).SerializeToString()
        key = request_key(call)
        command = session_commands.StartDeviceEnrolment(
            book,
            key,
            customer_id=customer_id,
            challenge=challenge,
            sealed=tools.replies.seal(secret, key.digest),
            limits=tools.limits,
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
        )
        return await tools.submit_sealed(command, request, call)

    async def CompleteDeviceEnrolment(  # noqa: N802
        self, request: pb.CompleteDeviceEnrolmentRequest, call: Call
    ) -> bytes:
        """Enrol a device by a pairing code."""
        return await complete(
            self._tools,
            CompleteDeviceEnrolment,
            pb.CompleteDeviceEnrolmentResponse,
            request,
            call,
            code=request.pairing_code,
            phone_number="",
        )

    async def ListDevices(  # noqa: N802
        self, request: pb.ListDevicesRequest, call: Call
    ) -> pb.ListDevicesResponse:
        """List devices."""
        demand_freshness(request.at_least_as_fresh)
        tools = self._tools
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        after = tools.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        found: list[DeviceRow] = []
        async with tools.readers.connection(deadline=call.deadline) as connection:
            if not await wallet_exists(connection, book, customer_id):
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            found = await list_devices(connection, book, customer_id, after=after, limit=size + 1)
        page, more = found[:size], len(found) > size
        now_us = tools.clock.now_us()
        return pb.ListDevicesResponse(
            devices=[encode.device(row, now_us) for row in page],
            next_page_token=(
                tools.page_tokens.seal(page[-1].device_id, request, call) if more else ""
            ),
        )

    async def RevokeDevice(  # noqa: N802
        self, request: pb.RevokeDeviceRequest, call: Call
    ) -> pb.RevokeDeviceResponse:
        """Forbid a device."""
        tools = self._tools
        device_id = decode_id(DEVICE, request.device_id, "device_id")
        book = book_of(device_id)
        if not tools.keeps(book):
            raise model.device_not_found(device_id)
        async with tools.readers.connection(deadline=call.deadline) as connection:
            device = await find_device(connection, book, device_id)
        # Whoever may not see it revokes nobody's: the engine says whether the request is a new one.
        visible = device is not None and actor_of(call).may_use(device.customer_id)
        command = session_commands.RevokeDevice(
            book,
            request_key(call),
            customer_id=device.customer_id if device is not None and visible else NOBODY,
            device_id=device_id,
        )
        reply = await tools.submit(command, request, call)
        await tools.watch.look()
        answer = pb.RevokeDeviceResponse.FromString(reply)
        answer.device.name = device.name if device is not None and visible else ""
        return answer
