"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import payer_codes_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncPayerCodes:
    """PayerCodesService lets customers' devices show codes that tills scan, with or without a
    network. A code is 18 digits: our prefix 8, the device's handle in eight digits, the number
    of the code within its minute in one, a one-time password in six, and two check digits by
    ISO 7064 MOD 97-10. The password is that of RFC 4226 over HMAC-SHA-256, of the minute since
    1970 as eight bytes and the number as one, under the device's secret. As a QR code it may
    come in EMV's consumer-presented form: base64 of 85 "CPV01" and a template 61 with the
    application F04C4F4E474D454E in 4F and the digits in 5A. A code is good in its minute and
    the one before and after, and once.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def enrol_payer_code(
        self,
        *,
        account_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payer_codes_service_pb2.EnrolPayerCodeResponse]:
        """Gives the calling device a secret to make codes with; the one it had before is void.

        The reply alone tells the secret.

        Args:
            account_id: Account id to pay from.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: ACCOUNT_NOT_FOUND,
                NEEDS_AUTH, STEP_UP_UNAVAILABLE, CHALLENGE_CONTENT_CHANGED.

        Scope: payercodes.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payer_codes_service_pb2.EnrolPayerCodeRequest(
            account_id=account_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PAYER_CODES_ENROL_PAYER_CODE, request, request.request_id, options
        )

    async def renew_payer_code(
        self,
        *,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payer_codes_service_pb2.RenewPayerCodeResponse]:
        """Gives the calling device its whole budget back: how many codes, how much money and how
        long until it has to be online again.

        Apps call it whenever they have a network.

        Args:
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYER_CODE_NOT_FOUND.

        Scope: payercodes.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payer_codes_service_pb2.RenewPayerCodeRequest(
            request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PAYER_CODES_RENEW_PAYER_CODE, request, request.request_id, options
        )

    async def revoke_payer_code(
        self,
        *,
        device_id: str = "",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payer_codes_service_pb2.RevokePayerCodeResponse]:
        """Lets no code of a device be taken any more: the calling one's, or another one's of the
        customer.

        Args:
            device_id: Device id whose codes to end; empty means the calling device.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYER_CODE_NOT_FOUND.

        Scope: payercodes.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payer_codes_service_pb2.RevokePayerCodeRequest(
            device_id=device_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PAYER_CODES_REVOKE_PAYER_CODE, request, request.request_id, options
        )

    async def get_payer_code(
        self,
        *,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> payer_codes_service_pb2.GetPayerCodeResponse:
        """Shows the calling device's budget, and what the latest scan of its codes asks.

        Args:
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYER_CODE_NOT_FOUND.

        Scope: payercodes.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payer_codes_service_pb2.GetPayerCodeRequest(at_least_as_fresh=at_least_as_fresh)
        return await self._caller.ask(methods.PAYER_CODES_GET_PAYER_CODE, request, options)

    def watch_payer_code(
        self,
        *,
        options: CallOptions | None = None,
    ) -> AsyncStream[payer_codes_service_pb2.WatchPayerCodeResponse]:
        """Sends the same at once, and then after every scan: open it while a code is on the screen.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYER_CODE_NOT_FOUND.

        Scope: payercodes.read. Deadline: 3600000 ms, at most 3600000 ms.
        """
        request = payer_codes_service_pb2.WatchPayerCodeRequest()
        return self._caller.open(methods.PAYER_CODES_WATCH_PAYER_CODE, request, options)

    async def decline_scan(
        self,
        *,
        order_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[payer_codes_service_pb2.DeclineScanResponse]:
        """Turns down the order that the latest scan of the device asks about: nothing is paid, and
        the till may scan another code.

        Args:
            order_id: Order id to turn down.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: PAYER_CODE_NOT_FOUND,
                ORDER_NOT_FOUND, ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED, ORDER_REVERSED.

        Scope: payercodes.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = payer_codes_service_pb2.DeclineScanRequest(
            order_id=order_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PAYER_CODES_DECLINE_SCAN, request, request.request_id, options
        )
