"""The servicer of longmen.payments.v1.DonationsService: ids in, layout out. No rule, no SQL."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from longmen.payments.v1 import donation_pb2
from longmen.payments.v1 import donations_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.personal import masked_names
from longmen_server.accounts.queries import find_account_key, find_names, find_wallet
from longmen_server.donations import model, queries
from longmen_server.donations.commands import Donate
from longmen_server.donations.personal import MESSAGE, open_message
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.payments.commands import Sale
from longmen_server.payments.encode import money
from longmen_server.payments.model import EXPIRES_SECONDS_DEFAULT
from longmen_server.platform.clock import DEFAULT_ZONE, to_microseconds
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CUSTOMER,
    DONATION,
    MERCHANT,
    ORDER,
    TRANSACTION,
    DonationId,
    OrderId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.money import Money
from longmen_server.platform.pii import SealBrokenError, book_owner
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.donations.queries import FoundDonation
    from longmen_server.engine.engine import Engine
    from longmen_server.payments.receipts import ReceiptOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import AccountId, CustomerId
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["DonationsService"]


class DonationsService:
    """The methods of longmen.payments.v1.DonationsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        step_up: StepUpOffice,
        vault: Vault,
        receipts: ReceiptOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
            step_up: gives customers' gifts the gate they have to pass.
            vault: seals and opens messages.
            receipts: makes documents.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up
        self._vault = vault
        self._receipts = receipts

    async def Donate(self, request: pb.DonateRequest, call: Call) -> bytes:  # noqa: N802
        """Give to a charity."""
        account_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        merchant_id = decode_id(MERCHANT, request.merchant_id, "merchant_id")
        book, key = book_of(account_id), request_key(call)
        if book not in self._engine.writers:
            raise account_not_found(account_id)
        donation_id = DonationId(new_id(book, self._clock))
        donor_id, message = await self._seal(account_id, donation_id, request.message, call)
        sale = Sale(
            order_id=OrderId(new_id(book, self._clock)),
            merchant_id=merchant_id,
            order_number=DONATION.encode(donation_id),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            expires_seconds=EXPIRES_SECONDS_DEFAULT,
            description="",
            reference=None,
        )
        command = Donate(
            book,
            key,
            donation_id=donation_id,
            sale=sale,
            payer_id=account_id,
            donor_id=donor_id,
            anonymous=request.anonymous,
            message=message,
            actor=actor_of(call),
            transaction_id=TransactionId(new_id(book, self._clock)),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
            funding=self._step_up.funding,
        )
        try:
            return await submit(self._engine, command, request=request, call=call)
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, command.payer_id, sale.amount)
            raise

    async def GetDonation(  # noqa: N802
        self, request: pb.GetDonationRequest, call: Call
    ) -> pb.GetDonationResponse:
        """Return a gift."""
        demand_freshness(request.at_least_as_fresh)
        donation_id = decode_id(DONATION, request.donation_id, "donation_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            found = await queries.find_donation(connection, donation_id)
            if found is None or not _may_see(found, call):
                raise model.donation_not_found(donation_id)
            (shown,) = await self._shown(connection, [found])
        row = found.row
        document, media_type = await self._receipts.document(
            request.format,
            shown,
            title="Donation receipt",
            subject=shown.donation_id,
            paid_at_us=row.donated_at_us,
            facts=[
                ("Charity", shown.charity_name, "Given", str(Money(row.amount, row.currency_code))),
                (
                    "Given by",
                    shown.masked_donor_name or "anonymous",
                    "Returned since" if found.refunded else "",
                    str(Money(found.refunded, row.currency_code)) if found.refunded else "",
                ),
                ("Transaction", shown.transaction_id, "", ""),
            ],
        )
        return pb.GetDonationResponse(donation=shown, document=document, media_type=media_type)

    async def ListDonations(  # noqa: N802
        self, request: pb.ListDonationsRequest, call: Call
    ) -> pb.ListDonationsResponse:
        """List the gifts to a charity."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_donations(
                connection, merchant_id, before=before, limit=size + 1
            )
            page = rows[:size]
            shown = await self._shown(connection, page)
        return pb.ListDonationsResponse(
            donations=shown,
            next_page_token=(
                self._tokens.seal(page[-1].row.donation_id, request, call)
                if len(rows) > size
                else ""
            ),
        )

    async def GetDonationSummary(  # noqa: N802
        self, request: pb.GetDonationSummaryRequest, call: Call
    ) -> pb.GetDonationSummaryResponse:
        """Return what a customer gave in a year."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        from_us, to_us = (_start_us(request.year + more) for more in (0, 1))
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_wallet(connection, book_of(customer_id), customer_id) is None:
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            totals = await queries.totals_of(connection, customer_id, from_us=from_us, to_us=to_us)
        reply = pb.GetDonationSummaryResponse(
            year=request.year,
            totals=[
                donation_pb2.CharityTotal(
                    merchant_id=MERCHANT.encode(one.merchant_id),
                    charity_name=one.charity_name,
                    donation_count=one.gifts,
                    given=money(one.given, one.currency_code),
                )
                for one in totals
            ],
        )
        reply.document, reply.media_type = await self._receipts.document(
            request.format,
            reply,
            title=f"Donations in {request.year}",
            subject=CUSTOMER.encode(customer_id),
            paid_at_us=self._clock.now_us(),
            facts=[
                (
                    "Charity",
                    one.charity_name,
                    f"{one.gifts} gifts" if one.gifts > 1 else "1 gift",
                    str(Money(one.given, one.currency_code)),
                )
                for one in totals
            ],
        )
        return reply

    # -- helpers -------------------------------------------------------------------------------

    async def _seal(
        self, account_id: AccountId, donation_id: DonationId, message: str, call: Call
    ) -> tuple[CustomerId, bytes | None]:
        """Return under whose data key a message is kept, and the message, sealed."""
        book = book_of(account_id)
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await find_account_key(connection, account_id)
        if found is None:
            if message:
                raise SealBrokenError(f"book {book} has no data key")
            return book_owner(book), None
        donor_id, wrapped = found
        if not message:
            return donor_id, None
        key = self._vault.data_key(book, donor_id, wrapped)
        return donor_id, key.seal(MESSAGE, book, donation_id, message)

    async def _shown(
        self, connection: Connection, found: Sequence[FoundDonation]
    ) -> list[donation_pb2.Donation]:
        """Return gifts as they are told, with the masked names of donors who gave theirs."""
        named = {one.row.account_id for one in found if not one.row.anonymous}
        names = {}
        if named:
            book = book_of(next(iter(named)))
            names = masked_names(self._vault, await find_names(connection, book, named))
        return [
            donation_pb2.Donation(
                donation_id=DONATION.encode(one.row.donation_id),
                merchant_id=MERCHANT.encode(one.row.merchant_id),
                charity_name=one.charity_name,
                amount=money(one.row.amount, one.row.currency_code),
                refunded=money(one.refunded, one.row.currency_code),
                anonymous=one.row.anonymous,
                masked_donor_name=("" if one.row.anonymous else names.get(one.row.account_id, "")),
                message=open_message(self._vault, one),
                order_id=ORDER.encode(one.row.order_id),
                transaction_id=TRANSACTION.encode(one.row.transaction_id),
                donate_time=timestamp(one.row.donated_at_us),
            )
            for one in found
        ]


def _may_see(found: FoundDonation, call: Call) -> bool:
    """Whether a gift is the caller's: to have given, or to have got."""
    if call.principal.kind == "merchant":
        return merchant_actor_of(call).may_use(found.row.merchant_id)
    return actor_of(call).may_use(found.row.donor_id)


def _start_us(year: int) -> int:
    return to_microseconds(dt.datetime(year, 1, 1, tzinfo=DEFAULT_ZONE))
