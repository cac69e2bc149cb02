"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import settlement_pb2, settlements_service_pb2
from longmen_client._generated import methods
from longmen_client._sync.pager import Pager

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._config import CallOptions
    from longmen_client._sync.caller import Caller
    from longmen_client._sync.stream import Stream


class Settlements:
    """SettlementsService shows what merchants are paid out, line by line, and compares it with
    their own lists. A business date is closed once, soon after its end; its movements are those
    of the merchant's ledger account, so bills equal the ledger.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get_settlement(
        self,
        *,
        settlement_id: str,
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> settlements_service_pb2.GetSettlementResponse:
        """Returns a settlement.

        Args:
            settlement_id: Settlement id to look up.
            at_least_as_fresh: At least as fresh is the committed_at of a change that the reply must
                show; empty means no demand.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: SETTLEMENT_NOT_FOUND.

        Scope: settlements.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = settlements_service_pb2.GetSettlementRequest(
            settlement_id=settlement_id, at_least_as_fresh=at_least_as_fresh
        )
        return self._caller.ask(methods.SETTLEMENTS_GET_SETTLEMENT, request, options)

    def list_settlements(
        self,
        *,
        merchant_id: str,
        page_size: int = 0,
        page_token: str = "",
        at_least_as_fresh: str = "",
        options: CallOptions | None = None,
    ) -> Pager[settlement_pb2.Settlement, settlements_service_pb2.ListSettlementsResponse]:
        """Lists a merchant's settlements, newest first.

        Args:
            merchant_id: Merchant id whose settlements they are.
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

        Scope: settlements.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = settlements_service_pb2.ListSettlementsRequest(
            merchant_id=merchant_id,
            page_size=page_size,
            page_token=page_token,
            at_least_as_fresh=at_least_as_fresh,
        )
        return Pager(
            self._caller, methods.SETTLEMENTS_LIST_SETTLEMENTS, request, "settlements", options
        )

    def download_bill(
        self,
        *,
        merchant_id: str,
        business_date: str,
        options: CallOptions | None = None,
    ) -> Stream[settlements_service_pb2.DownloadBillResponse]:
        """Streams the bill of a business date: CSV, compressed by gzip, the same bytes every time.
        docs/merchants.md has the columns; a line for each movement, totals at the end.

        Args:
            merchant_id: Merchant id whose bill it is.
            business_date: Business date, YYYY-MM-DD, that has ended.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                BILL_NOT_READY.

        Scope: settlements.read. Deadline: 60000 ms, at most 600000 ms.
        """
        request = settlements_service_pb2.DownloadBillRequest(
            merchant_id=merchant_id, business_date=business_date
        )
        return self._caller.open(methods.SETTLEMENTS_DOWNLOAD_BILL, request, options)

    def reconcile(
        self,
        *,
        merchant_id: str,
        business_date: str,
        lines: Iterable[settlement_pb2.ListedLine] = (),
        after_order_number: str = "",
        through_order_number: str = "",
        options: CallOptions | None = None,
    ) -> settlements_service_pb2.ReconcileResponse:
        """Compares a merchant's own list of a business date with the bill, and explains every
        difference.

        A list that is too long for one call is compared range by range of its order numbers; counts
        and sums of the ranges add up to those of the day.

        Args:
            merchant_id: Merchant id whose list it is.
            business_date: Business date, YYYY-MM-DD, that has ended.
            lines: Lines of the merchant's own list, in any order.
            after_order_number: After order number lets the comparison begin behind it, in the order
                of Unicode's code points; empty begins at the first.
            through_order_number: Through order number is the last that is compared; empty goes to
                the end. Lines outside of the range are refused.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: MERCHANT_NOT_FOUND,
                BILL_NOT_READY.

        Scope: settlements.read. Deadline: 30000 ms, at most 60000 ms.
        """
        request = settlements_service_pb2.ReconcileRequest(
            merchant_id=merchant_id,
            business_date=business_date,
            lines=lines,
            after_order_number=after_order_number,
            through_order_number=through_order_number,
        )
        return self._caller.ask(methods.SETTLEMENTS_RECONCILE, request, options)
