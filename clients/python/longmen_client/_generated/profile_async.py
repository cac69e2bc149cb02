"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import profile_service_pb2
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._async.stream import AsyncStream
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncProfile:
    """ProfileService keeps what the bank knows of a customer as a person. It is stored encrypted
    under a key of the customer's own. Customers see and change their own profile only; another
    customer's id answers as one that does not exist.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get_profile(
        self,
        *,
        customer_id: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> profile_service_pb2.GetProfileResponse:
        """Returns a profile: in full to the customer, masked to everybody else.

        Args:
            customer_id: Customer id; a customer may leave it empty for the own one.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND.

        Scope: profile.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = profile_service_pb2.GetProfileRequest(
            customer_id=customer_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.PROFILE_GET_PROFILE, request, options)

    async def update_profile(
        self,
        *,
        customer_id: str = "",
        display_name: str | None = None,
        email: str | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[profile_service_pb2.UpdateProfileResponse]:
        """Changes the display name, the e-mail address, or both.

        Another address has to be proven anew; the customer is told of it by phone, at the old
        address and at the new one.

        Args:
            customer_id: Customer id; a customer may leave it empty for the own one.
            display_name: Display name from now on; unset leaves it.
            email: Email address from now on; unset leaves it, empty removes it.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED.

        Scope: profile.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = profile_service_pb2.UpdateProfileRequest(
            customer_id=customer_id,
            display_name=display_name,
            email=email,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.PROFILE_UPDATE_PROFILE, request, request.request_id, options
        )

    def export_my_data(
        self,
        *,
        options: CallOptions | None = None,
    ) -> AsyncStream[profile_service_pb2.ExportMyDataResponse]:
        """Streams everything that is stored about the caller, as JSON, section by section.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                CUSTOMER_ERASED.

        Scope: profile.export. Deadline: 60000 ms, at most 600000 ms.
        """
        request = profile_service_pb2.ExportMyDataRequest()
        return self._caller.open(methods.PROFILE_EXPORT_MY_DATA, request, options)

    async def erase_customer(
        self,
        *,
        customer_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[profile_service_pb2.EraseCustomerResponse]:
        """Makes a customer's personal data unreadable for good, by deleting the key it is encrypted
        under.

        Sessions end, devices are revoked, factors and evidence are deleted, and messages that wait
        are emptied. The books keep every posting, with what was written on it, and still prove
        themselves; the phone number may be registered anew. Every account has to be closed before.

        Args:
            customer_id: Customer id to erase.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: WALLET_NOT_FOUND,
                WALLET_NOT_CLOSED, ERASURE_TOO_EARLY, IDENTIFICATION_HELD, CUSTOMER_ERASED.

        Scope: profile.erase. Deadline: 5000 ms, at most 30000 ms.
        """
        request = profile_service_pb2.EraseCustomerRequest(
            customer_id=customer_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.PROFILE_ERASE_CUSTOMER, request, request.request_id, options
        )
