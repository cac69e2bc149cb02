"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import offline_pb2, offline_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client._wire import wire_money
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.identity.v1 import identity_pb2
    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply
    from longmen_client.money import Money


class AsyncOffline:
    """OfflineService takes sales that a till made while it had no network: stored with the payer's
    code, signed by the till, and forwarded later in their order. A code is judged at the time
    it was scanned. The till signs, with its registered key, the UTF-8 text of these lines, each
    but the last followed by a line feed: "LONGMEN-OFFLINE-1", key id, terminal id, sequence,
    order number, minor units, currency code, code, trace number, business date, accept time in
    microseconds since 1970, and the SHA-256 of the description in lower-case hexadecimal
    digits. Signatures are Ed25519, or P-256 over SHA-256 as r and s of 32 bytes each. Every
    stored sale has one answer for ever, however often it is forwarded: it was paid; or the
    payer could not pay and the bank did, within what it covers by customer and merchant; or it
    is lost.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def register_terminal_key(
        self,
        *,
        terminal_id: str,
        algorithm: identity_pb2.KeyAlgorithm.ValueType,
        public_key: bytes,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[offline_service_pb2.RegisterTerminalKeyResponse]:
        """Takes the public key that a till signs its stored sales with, and tells what it may take.

        Earlier keys stay good, so that what was signed with them can yet be forwarded.

        Args:
            terminal_id: Terminal id of the till.
            algorithm: Algorithm of the key.
            public_key: Public key: 64 bytes x and y for P-256, 32 bytes for Ed25519.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                DEVICE_KEY_INVALID, OFFLINE_NOT_ENABLED.

        Scope: orders.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.RegisterTerminalKeyRequest(
            terminal_id=terminal_id,
            algorithm=algorithm,
            public_key=public_key,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.OFFLINE_REGISTER_TERMINAL_KEY, request, request.request_id, options
        )

    async def revoke_terminal_key(
        self,
        *,
        terminal_id: str,
        key_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[offline_service_pb2.RevokeTerminalKeyResponse]:
        """Lets nothing signed with a key be taken any more; a revoked one stays revoked.

        Args:
            terminal_id: Terminal id of the till.
            key_id: Key id of the till's key.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                OFFLINE_KEY_NOT_FOUND.

        Scope: orders.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.RevokeTerminalKeyRequest(
            terminal_id=terminal_id, key_id=key_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.OFFLINE_REVOKE_TERMINAL_KEY, request, request.request_id, options
        )

    async def get_offline_terms(
        self,
        *,
        terminal_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> offline_service_pb2.GetOfflineTermsResponse:
        """Tells what a till may take without a network, and which keys it has.

        Args:
            terminal_id: Terminal id of the till.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.GetOfflineTermsRequest(
            terminal_id=terminal_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.OFFLINE_GET_OFFLINE_TERMS, request, options)

    async def forward_offline(
        self,
        *,
        terminal_id: str,
        key_id: str,
        sales: Iterable[offline_pb2.OfflineSale],
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[offline_service_pb2.ForwardOfflineResponse]:
        """Takes stored sales of one till and key, in their order, and answers each by itself.

        A sale that was forwarded before is answered as it was then. Reasons of a sale that was
        refused: OFFLINE_SIGNATURE_INVALID, OFFLINE_OUT_OF_ORDER, OFFLINE_SALE_REUSED. Of one that
        was lost: OFFLINE_WINDOW_PASSED, OFFLINE_TIME_AHEAD, OFFLINE_LIMIT_EXCEEDED,
        OFFLINE_NOT_ENABLED, those of PayByCode for the sale and its code, and those for its payer
        where the bank does not cover them: CODE_BUDGET_SPENT, OFFLINE_BUDGET_SPENT, PAYER_STATE,
        INSUFFICIENT_FUNDS.

        Args:
            terminal_id: Terminal id of the till.
            key_id: Key id of the till's key.
            sales: Sales in the order of their sequences, each once.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: TERMINAL_NOT_FOUND,
                OFFLINE_KEY_NOT_FOUND, OFFLINE_KEY_REVOKED.

        Scope: orders.charge. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.ForwardOfflineRequest(
            terminal_id=terminal_id,
            key_id=key_id,
            sales=sales,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.OFFLINE_FORWARD_OFFLINE, request, request.request_id, options
        )

    def list_offline_sales(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[offline_pb2.OfflineRecord, offline_service_pb2.ListOfflineSalesResponse]:
        """Lists what a merchant's tills have forwarded, newest first, with who bears the loss of
        what was not paid.

        Args:
            merchant_id: Merchant id of the seller.
            page_size: Page size is how many to return at most; 0 means 100, more than 1000 means
                1000.
            page_token: Page token is next_page_token of the page before, for otherwise the same
                request.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                INVALID_PAGE_TOKEN.

        Scope: orders.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.ListOfflineSalesRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return AsyncPager(
            self._caller, methods.OFFLINE_LIST_OFFLINE_SALES, request, "sales", options
        )

    async def set_offline_acceptance(
        self,
        *,
        merchant_id: str,
        enabled: bool = False,
        loss_bearer: offline_pb2.LossBearer.ValueType = offline_pb2.LOSS_BEARER_UNSPECIFIED,
        day_budget: Money | None = None,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[offline_service_pb2.SetOfflineAcceptanceResponse]:
        """Agrees on whether a merchant's tills sell without a network, who bears what payers do not
        pay, and up to what a day.

        Staff propose it and another person approves. Sales that a till took while it was enabled
        are taken down for as long as they may be forwarded.

        Args:
            merchant_id: Merchant id whose tills they are.
            enabled: Enabled says whether they sell without a network from now on.
            loss_bearer: Loss bearer of sales whose payer cannot pay; given exactly when enabled.
            day_budget: Day budget of the bank's cover, in sales of one business date; given exactly
                when the bank bears losses.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                CURRENCY_MISMATCH, OFFLINE_BUDGET_TOO_LARGE.

        Scope: offline.enable. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.SetOfflineAcceptanceRequest(
            merchant_id=merchant_id,
            enabled=enabled,
            loss_bearer=loss_bearer,
            day_budget=wire_money(day_budget),
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.OFFLINE_SET_OFFLINE_ACCEPTANCE, request, request.request_id, options
        )

    async def get_offline_acceptance(
        self,
        *,
        merchant_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> offline_service_pb2.GetOfflineAcceptanceResponse:
        """Returns what was agreed with a merchant; not enabled before the first agreement.

        Args:
            merchant_id: Merchant id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND.

        Scope: merchants.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = offline_service_pb2.GetOfflineAcceptanceRequest(
            merchant_id=merchant_id, at_least_as_fresh=at_least_as_fresh
        )
        return await self._caller.ask(methods.OFFLINE_GET_OFFLINE_ACCEPTANCE, request, options)
