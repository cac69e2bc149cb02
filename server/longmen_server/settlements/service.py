"""SettlementsService: reads only. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.merchants.v1 import settlement_pb2
from longmen.merchants.v1 import settlements_service_pb2 as pb
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.payments.model import OrderState
from longmen_server.plans.build import check_day
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import ORDER, SETTLEMENT
from longmen_server.settlements import encode, model, queries
from longmen_server.settlements.bills import Bill, line_type
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.settlements.reconcile import (
    DifferenceKind,
    LineKey,
    LineKind,
    Listed,
    NumberRange,
    check_amounts,
    compare,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from longmen_server.merchants.model import MerchantRow
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import MerchantId, OrderId
    from longmen_server.settlements.model import SettlementRow
    from longmen_server.settlements.queries import BillEntry
    from longmen_server.settlements.reconcile import Compared, Difference
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["SettlementsService"]

PAGE: Final = 1_000
"""Movements read at a time for a bill: a few milliseconds of work."""

DIFFERENCES_MAX: Final = 1_000
"""Differences that one reply lists."""

KINDS: Final = {"SALE": LineKind.SALE, "REFUND": LineKind.REFUND}


class SettlementsService:
    """The methods of longmen.merchants.v1.SettlementsService."""

    def __init__(self, *, readers: Readers, clock: Clock, tokens: PageTokens) -> None:
        """Take what the methods work with.

        Args:
            readers: connections for reads.
            clock: tells which dates have ended.
            tokens: seals page tokens.
        """
        self._readers = readers
        self._clock = clock
        self._tokens = tokens

    async def GetSettlement(  # noqa: N802
        self, request: pb.GetSettlementRequest, call: Call
    ) -> pb.GetSettlementResponse:
        """Return a settlement."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        settlement_id = decode_id(SETTLEMENT, request.settlement_id, "settlement_id")
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_settlement(connection, settlement_id)
        if row is None or not actor.may_use(row.merchant_id):
            raise model.settlement_not_found(settlement_id)
        return pb.GetSettlementResponse(settlement=encode.settlement(row))

    async def ListSettlements(  # noqa: N802
        self, request: pb.ListSettlementsRequest, call: Call
    ) -> pb.ListSettlementsResponse:
        """List a merchant's settlements."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call).decode("ascii")
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            await _merchant(connection, merchant_id)
            rows = await queries.list_settlements(
                connection, merchant_id, before=before, limit=size + 1
            )
        page = rows[:size]
        more = len(rows) > size
        return pb.ListSettlementsResponse(
            settlements=[encode.settlement(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].business_date.encode(), request, call) if more else ""
            ),
        )

    async def DownloadBill(  # noqa: N802
        self, request: pb.DownloadBillRequest, call: Call
    ) -> AsyncIterator[pb.DownloadBillResponse]:
        """Send the bill of a business date."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            merchant = await _merchant(connection, merchant_id)
            row = await self._day(connection, merchant, request.business_date)
        bill = Bill(merchant.currency_code, CALENDAR.zone)
        name = f"{request.merchant_id}-{request.business_date}.csv.gz"
        yield pb.DownloadBillResponse(content=bill.begin(), file_name=name)
        async for entries in self._entries(merchant, row, call):
            if piece := bill.add(entries):
                yield pb.DownloadBillResponse(content=piece)
        yield pb.DownloadBillResponse(content=bill.end())

    async def Reconcile(  # noqa: N802
        self, request: pb.ReconcileRequest, call: Call
    ) -> pb.ReconcileResponse:
        """Compare a merchant's list with the bill."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        part = NumberRange(request.after_order_number, request.through_order_number)
        part.check([line.order_number for line in request.lines])
        check_amounts(line.amount.minor_units for line in request.lines)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            merchant = await _merchant(connection, merchant_id)
            row = await self._day(connection, merchant, request.business_date)
        billed: dict[LineKey, Listed] = {}
        order_ids: dict[str, OrderId] = {}
        async for entries in self._entries(merchant, row, call):
            for entry in entries:
                kind = KINDS.get(line_type(entry))
                if kind is not None and part.has(entry.reference or ""):
                    _add(billed, kind, entry, merchant.currency_code)
                    if entry.order_id is not None:
                        order_ids[entry.reference or ""] = entry.order_id
        listed = [
            (
                LineKey(line.kind, line.order_number, line.refund_number),
                Listed(line.amount.minor_units, line.amount.currency_code),
            )
            for line in request.lines
        ]
        return await self._explained(compare(billed, listed), merchant, order_ids, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _day(
        self, connection: Connection, merchant: MerchantRow, business_date: str
    ) -> SettlementRow | None:
        """Return the closed day; None for one without movements.

        Raises:
            Refusal: BILL_NOT_READY, INVALID_REQUEST when there is no such day.
        """
        day = check_day(business_date, "business_date")
        row = await queries.settlement_of_day(connection, merchant.merchant_id, business_date)
        if row is not None:
            return row
        end_us = CALENDAR.end_us(day)
        position = await queries.find_position(connection, merchant.merchant_id)
        if position is not None and position.closed_date >= business_date:
            return None
        last = await queries.last_version(
            connection,
            merchant.account_id,
            after=0 if position is None else position.closed_version,
            before_us=end_us,
        )
        is_open = last > (0 if position is None else position.closed_version)
        if end_us > self._clock.now_us() or is_open:
            raise model.bill_not_ready(business_date, end_us)
        return None

    async def _entries(
        self, merchant: MerchantRow, row: SettlementRow | None, call: Call
    ) -> AsyncIterator[list[BillEntry]]:
        """Give the movements of a closed day, page by page; they never change."""
        after = 0 if row is None else row.from_version
        while row is not None and after < row.to_version:
            async with self._readers.connection(deadline=call.deadline) as connection:
                entries, after = await queries.bill_entries(
                    connection,
                    merchant.merchant_id,
                    merchant.account_id,
                    after=after,
                    to_version=row.to_version,
                    limit=PAGE,
                )
            yield entries

    async def _explained(
        self,
        compared: Compared,
        merchant: MerchantRow,
        order_ids: Mapping[str, OrderId],
        call: Call,
    ) -> pb.ReconcileResponse:
        """Return the reply, with what is known of each difference."""
        shown = compared.differences[:DIFFERENCES_MAX]
        missing = [one.key.order_number for one in shown if one.kind == DifferenceKind.MISSING_HERE]
        known: dict[str, tuple[OrderId, int, int | None]] = {}
        if missing:
            async with self._readers.connection(deadline=call.deadline) as connection:
                known = await queries.orders_by_number(connection, merchant.merchant_id, missing)
        return pb.ReconcileResponse(
            matched_count=compared.matched_count,
            matched_minor_units=compared.matched,
            differences=[_difference(one, order_ids, known) for one in shown],
            difference_count=len(compared.differences),
            billed_minor_units=compared.billed,
            listed_minor_units=compared.listed,
        )


def _add(
    billed: dict[LineKey, Listed], kind: LineKind, entry: BillEntry, currency_code: str
) -> None:
    """Add a movement to what the bill has of its order: captures are several."""
    key = LineKey(kind, entry.reference or "", entry.refund_number or "")
    before = billed.get(key)
    amount = entry.amount + (0 if before is None else before.amount)
    billed[key] = Listed(amount, currency_code)


def _difference(
    one: Difference,
    order_ids: Mapping[str, OrderId],
    known: Mapping[str, tuple[OrderId, int, int | None]],
) -> settlement_pb2.Difference:
    number = one.key.order_number
    order = known.get(number)
    order_id = order_ids.get(number) or (None if order is None else order[0])
    reply = settlement_pb2.Difference(
        kind=int(one.kind),  # type: ignore[arg-type]  # enums of the contract are ints
        line_kind=one.key.kind,  # type: ignore[arg-type]
        order_number=number,
        refund_number=one.key.refund_number,
        order_id="" if order_id is None else ORDER.encode(order_id),
        explanation=_explanation(one, order),
    )
    for name, line in (("listed", one.listed), ("billed", one.billed)):
        if line is not None:
            money = getattr(reply, name)
            money.minor_units, money.currency_code = line
    return reply


_EXPLAINED: Final = {
    DifferenceKind.LISTED_TWICE: "the list has this line more than once",
    DifferenceKind.MISSING_THERE: "the bill has it and the list does not",
}


def _explanation(one: Difference, order: tuple[OrderId, int, int | None] | None) -> str:
    if one.kind in _EXPLAINED:
        return _EXPLAINED[one.kind]
    if one.billed is not None and one.listed is not None:
        return f"the bill has {one.billed.text}, the list {one.listed.text}"
    if order is None:
        return "there is no order of this number"
    _, state, paid_at_us = order
    if paid_at_us is None:
        return f"the order was never paid: it is {OrderState(state).name}"
    day = CALENDAR.date_of(paid_at_us).isoformat()
    if one.key.kind == LineKind.SALE:
        return f"the order was paid on another business date: {day}"
    return f"the order was paid on {day}, and this refund is not of the business date asked for"


async def _merchant(connection: Connection, merchant_id: MerchantId) -> MerchantRow:
    row = await find_merchant(connection, merchant_id)
    if row is None:
        raise merchant_not_found(merchant_id)
    return row
