"""The servicer of longmen.payments.v1.BillsService: names ids in, lays out. No rule, no SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import bill_pb2
from longmen.payments.v1 import bills_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.personal import person_key
from longmen_server.accounts.queries import find_wallet
from longmen_server.billers import commands, encode, linking, model, personal, queries
from longmen_server.billers.commands import Bill, SentDue
from longmen_server.billers.model import BillerRow, BillerState, DueRow, DueState
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.payments.commands import Sale
from longmen_server.payments.encode import money
from longmen_server.payments.model import EXPIRES_SECONDS_DEFAULT
from longmen_server.plans.build import check_day
from longmen_server.platform.clock import business_date
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    BILL_LINK,
    BILLER,
    CUSTOMER,
    DUE,
    MERCHANT,
    TRANSACTION,
    BillerId,
    BillLinkId,
    DueId,
    MerchantId,
    OrderId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.settlements.calendar import CALENDAR

if TYPE_CHECKING:
    import datetime as dt

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import FoundWallet
    from longmen_server.billers.model import LinkRow
    from longmen_server.billers.queries import Paid
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.payments.receipts import ReceiptOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.pii import DataKey, Vault
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["BillsService"]

NOBODY: Final = MerchantId(bytes(16))
"""In the place of a bill's merchant until its biller is loaded."""


class BillsService:
    """The methods of longmen.payments.v1.BillsService."""

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
        default_book: int,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what is overdue.
            tokens: seals page tokens.
            step_up: gives customers' payments the gate they have to pass.
            vault: seals and opens account numbers.
            receipts: makes documents.
            default_book: whose directory services and customers are shown.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up
        self._vault = vault
        self._receipts = receipts
        self._default_book = default_book

    # -- the directory -------------------------------------------------------------------------

    async def CreateBiller(self, request: pb.CreateBillerRequest, call: Call) -> bytes:  # noqa: N802
        """Publish a biller."""
        actor = merchant_actor_of(call)
        merchant_id = merchant_of(request.merchant_id, actor)
        form = request.account_format
        wanted = BillerRow(
            biller_id=BillerId(new_id(book_of(merchant_id), self._clock)),
            merchant_id=merchant_id,
            name=request.name,
            category=request.category,
            digits_only=form.digits_only,
            minimum_length=form.minimum_length,
            maximum_length=form.maximum_length,
            number_check=form.check,
            hint=form.hint,
            currency_code="",
            state=BillerState.OPEN,
            version=1,
            created_at_us=0,
            updated_at_us=0,
        )
        model.check_format(wanted.account_format)
        command = commands.CreateBiller(
            book_of(merchant_id), request_key(call), wanted=wanted, actor=actor
        )
        return await self._submit(command, request, call, merchant_not_found(merchant_id))

    async def SetBillerState(self, request: pb.SetBillerStateRequest, call: Call) -> bytes:  # noqa: N802
        """Open or close a biller."""
        biller_id = decode_id(BILLER, request.biller_id, "biller_id")
        command = commands.SetBillerState(
            book_of(biller_id),
            request_key(call),
            biller_id=biller_id,
            state=request.state,
            actor=merchant_actor_of(call),
        )
        return await self._submit(command, request, call, model.biller_not_found(biller_id))

    async def ListBillers(  # noqa: N802
        self, request: pb.ListBillersRequest, call: Call
    ) -> pb.ListBillersResponse:
        """List the directory."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id, book = None, self._default_book
        if request.merchant_id:
            merchant_id = decode_id(MERCHANT, request.merchant_id, "merchant_id")
            book = book_of(merchant_id)
        elif call.principal.customer_id is not None:
            book = book_of(call.principal.customer_id)
        closed_too = (
            merchant_id is not None
            and call.principal.kind != "customer"
            and merchant_actor_of(call).may_use(merchant_id)
        )
        after = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_billers(
                connection,
                book,
                after=after,
                category=request.category,
                merchant_id=merchant_id,
                closed_too=closed_too,
                limit=size + 1,
            )
        page = rows[:size]
        return pb.ListBillersResponse(
            billers=[encode.biller(row) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].biller_id, request, call) if len(rows) > size else ""
            ),
        )

    # -- bills ---------------------------------------------------------------------------------

    async def SendDues(self, request: pb.SendDuesRequest, call: Call) -> bytes:  # noqa: N802
        """Take a biller's bills."""
        biller_id = decode_id(BILLER, request.biller_id, "biller_id")
        book = book_of(biller_id)
        _check_dues(request)
        absent = model.biller_not_found(biller_id)
        if book not in self._engine.writers:
            raise absent
        async with self._readers.connection(deadline=call.deadline) as connection:
            key = await self._key_of(connection, book)
        command = commands.SendDues(
            book,
            request_key(call),
            biller_id=biller_id,
            sent=[self._sent(biller_id, one, key) for one in request.dues],
            actor=merchant_actor_of(call),
        )
        return await self._submit(command, request, call, absent)

    async def CancelDue(self, request: pb.CancelDueRequest, call: Call) -> bytes:  # noqa: N802
        """Take a bill back."""
        due_id = decode_id(DUE, request.due_id, "due_id")
        found = await self._find_due(due_id, call)
        command = commands.CancelDue(
            book_of(due_id),
            request_key(call),
            due_id=due_id,
            masked_number="" if found is None else found[1],
            actor=merchant_actor_of(call),
        )
        return await self._submit(command, request, call, model.due_not_found(due_id))

    async def ListDues(  # noqa: N802
        self, request: pb.ListDuesRequest, call: Call
    ) -> pb.ListDuesResponse:
        """List a biller's bills."""
        demand_freshness(request.at_least_as_fresh)
        biller_id = decode_id(BILLER, request.biller_id, "biller_id")
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            biller = await queries.find_biller(connection, biller_id)
            if biller is None or not merchant_actor_of(call).may_use(biller.merchant_id):
                raise model.biller_not_found(biller_id)
            rows = await queries.list_dues(
                connection, biller_id, before=before, state=request.state, limit=size + 1
            )
            key = await self._key_of(connection, book_of(biller_id))
        page = rows[:size]
        return pb.ListDuesResponse(
            dues=self._shown(key, page),
            next_page_token=(
                self._tokens.seal(page[-1].due_id, request, call) if len(rows) > size else ""
            ),
        )

    async def FindDues(  # noqa: N802
        self, request: pb.FindDuesRequest, call: Call
    ) -> pb.FindDuesResponse:
        """Return what can be paid of an account number."""
        demand_freshness(request.at_least_as_fresh)
        biller_id = decode_id(BILLER, request.biller_id, "biller_id")
        book = book_of(biller_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            biller = await queries.find_biller(connection, biller_id)
            if biller is None:
                raise model.biller_not_found(biller_id)
            model.check_open(biller)
            model.check_number(biller.account_format, request.account_number, "account_number")
            index = personal.account_index(self._vault, biller_id, request.account_number)
            rows = await queries.open_dues(connection, book, [index], today=str(self._today()))
            key = await self._key_of(connection, book)
        return pb.FindDuesResponse(biller=encode.biller(biller), dues=self._shown(key, rows))

    async def PayDue(self, request: pb.PayDueRequest, call: Call) -> bytes:  # noqa: N802
        """Pay a bill."""
        due_id = decode_id(DUE, request.due_id, "due_id")
        book, key = book_of(due_id), request_key(call)
        found = await self._find_due(due_id, call)
        bill = None
        if found is not None:
            row, masked_number = found
            sale = Sale(
                order_id=OrderId(new_id(book, self._clock)),
                merchant_id=row.merchant_id,
                order_number=DUE.encode(due_id),
                amount=row.amount,
                currency_code=row.currency_code,
                expires_seconds=EXPIRES_SECONDS_DEFAULT,
                description=row.description,
                reference=None,
            )
            bill = Bill(biller_id=row.biller_id, sale=sale, masked_number=masked_number)
        command = commands.PayDue(
            book,
            key,
            due_id=due_id,
            bill=bill,
            payer_id=decode_id(ACCOUNT, request.from_account_id, "from_account_id"),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            actor=actor_of(call),
            transaction_id=TransactionId(new_id(book, self._clock)),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
            funding=self._step_up.funding,
        )
        try:
            return await self._submit(command, request, call, model.due_not_found(due_id))
        except Refusal as refusal:
            await self._step_up.advise(refusal, call, command.payer_id, command.amount)
            raise

    async def GetBillReceipt(  # noqa: N802
        self, request: pb.GetBillReceiptRequest, call: Call
    ) -> pb.GetBillReceiptResponse:
        """Return the receipt of a bill."""
        demand_freshness(request.at_least_as_fresh)
        due_id = decode_id(DUE, request.due_id, "due_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            paid = await queries.find_paid(connection, due_id)
            if paid is None or not actor_of(call).may_use(paid.owner_id):
                raise model.due_not_found(due_id)
            key = await self._key_of(connection, book_of(due_id))
        receipt = self._receipt(paid, key)
        document, media_type = await self._receipts.document(
            request.format,
            receipt,
            title="Bill receipt",
            subject=receipt.due.due_id,
            paid_at_us=paid.row.paid_at_us or 0,
            facts=_facts(receipt, paid),
        )
        return pb.GetBillReceiptResponse(receipt=receipt, document=document, media_type=media_type)

    # -- reminders -----------------------------------------------------------------------------

    async def LinkBillAccount(self, request: pb.LinkBillAccountRequest, call: Call) -> bytes:  # noqa: N802
        """Keep a customer's account with a biller."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        biller_id = decode_id(BILLER, request.biller_id, "biller_id")
        book = book_of(customer_id)
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book, customer_id)
            links = await queries.list_links(connection, customer_id)
        index = personal.account_index(self._vault, biller_id, request.account_number)
        # What is sealed is bound to its link: one that is there gets another label.
        known = (link.link_id for link in links if link.account_index == index)
        wanted = model.LinkRow(
            link_id=next(known, BillLinkId(new_id(book, self._clock))),
            customer_id=customer_id,
            biller_id=biller_id,
            account_index=index,
            account_number=None,
            label=None,
            created_at_us=0,
            removed_at_us=None,
        )
        self._seal(wanted, found, request)
        command = linking.LinkAccount(
            book,
            request_key(call),
            wanted=wanted,
            account_number=request.account_number,
        )
        absent = wallet_not_found(CUSTOMER.encode(customer_id))
        return await self._submit(command, request, call, absent)

    async def UnlinkBillAccount(  # noqa: N802
        self, request: pb.UnlinkBillAccountRequest, call: Call
    ) -> bytes:
        """Forget a linked account."""
        link_id = decode_id(BILL_LINK, request.link_id, "link_id")
        command = linking.UnlinkAccount(
            book_of(link_id), request_key(call), link_id=link_id, actor=actor_of(call)
        )
        return await self._submit(command, request, call, model.link_not_found(link_id))

    async def ListBillReminders(  # noqa: N802
        self, request: pb.ListBillRemindersRequest, call: Call
    ) -> pb.ListBillRemindersResponse:
        """Return every linked account with its bills."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book, customer_id)
            if found is None:
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            links = await queries.list_links(connection, customer_id)
            billers = await queries.find_billers(
                connection, book, [link.biller_id for link in links]
            )
            indexes = [link.account_index for link in links if link.account_index]
            rows = await queries.open_dues(connection, book, indexes, today=str(self._today()))
            key = await self._key_of(connection, book)
        reply = pb.ListBillRemindersResponse()
        for link in links:
            biller = billers[link.biller_id]
            dues = [row for row in rows if row.account_index == link.account_index]
            reply.reminders.append(
                bill_pb2.BillReminder(
                    link=_link(link, person_key(self._vault, found)),
                    biller=encode.biller(biller),
                    dues=self._shown(key, dues) if biller.state == BillerState.OPEN else [],
                )
            )
        return reply

    # -- helpers -------------------------------------------------------------------------------

    def _today(self) -> dt.date:
        return business_date(self._clock.now_us(), CALENDAR.zone)

    def _shown(self, key: DataKey, rows: list[DueRow]) -> list[bill_pb2.Due]:
        today = self._today()
        return [encode.due(row, personal.masked_number(key, row), today) for row in rows]

    def _sent(self, biller_id: BillerId, one: bill_pb2.SentDue, key: DataKey) -> SentDue:
        """Return a bill as it is kept, its account number sealed."""
        book = book_of(biller_id)
        due_id = DueId(new_id(book, self._clock))
        number = one.account_number
        row = DueRow(
            due_id=due_id,
            biller_id=biller_id,
            merchant_id=NOBODY,
            bill_number=one.bill_number,
            account_index=personal.account_index(self._vault, biller_id, number),
            account_number=key.seal(personal.DUE_ACCOUNT, book, due_id, number),
            amount=one.amount.minor_units,
            currency_code=one.amount.currency_code,
            period=one.period,
            due_date=one.due_date,
            last_date=one.last_date,
            description=one.description,
            state=DueState.OPEN,
            order_id=None,
            payer_account_id=None,
            paid_at_us=None,
            version=1,
            created_at_us=0,
            updated_at_us=0,
        )
        return SentDue(row, number)

    def _seal(
        self, wanted: LinkRow, found: FoundWallet | None, request: pb.LinkBillAccountRequest
    ) -> None:
        """Seal a link; where there is nobody, or nobody any more, the command says so."""
        if found is None or found.row.erased_at_us is not None:
            return
        key, book, link_id = person_key(self._vault, found), book_of(wanted.link_id), wanted.link_id
        number = request.account_number
        wanted.account_number = key.seal(personal.LINK_ACCOUNT, book, link_id, number)
        if request.label:
            wanted.label = key.seal(personal.LINK_LABEL, book, link_id, request.label)

    def _receipt(self, paid: Paid, key: DataKey) -> bill_pb2.BillReceipt:
        row = paid.row
        assert row.payer_account_id is not None, "a paid bill has a payer"
        return bill_pb2.BillReceipt(
            due=self._shown(key, [row])[0],
            biller_name=paid.biller_name,
            merchant_name=paid.merchant_name,
            transaction_id=TRANSACTION.encode(TransactionId(paid.transaction_id)),
            from_account_id=ACCOUNT.encode(row.payer_account_id),
            refunded=money(paid.refunded, row.currency_code),
        )

    async def _find_due(self, due_id: DueId, call: Call) -> tuple[DueRow, str] | None:
        """Return a bill and its account number as it is shown, or None when there is none."""
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_due(connection, due_id)
            if row is None:
                return None
            key = await self._key_of(connection, book_of(due_id))
        return row, personal.masked_number(key, row)

    async def _key_of(self, connection: Connection, book: int) -> DataKey:
        wrapped = await queries.find_book_key(connection, book)
        return personal.book_key(self._vault, book, wrapped)

    async def _submit(
        self, command: Command, request: Message, call: Call, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)


def _link(row: LinkRow, key: DataKey) -> bill_pb2.BillLink:
    number, label = personal.clear_link(key, row)
    return encode.link(row, model.masked(number), label)


def _facts(receipt: bill_pb2.BillReceipt, paid: Paid) -> list[tuple[str, str, str, str]]:
    row = paid.row
    refunded = Money(paid.refunded, row.currency_code)
    return [
        ("Biller", paid.biller_name, "Amount", str(Money(row.amount, row.currency_code))),
        ("Paid to", paid.merchant_name, "Period", row.period),
        ("Bill", row.bill_number, "Due", row.due_date),
        ("Account", receipt.due.masked_account_number, "", ""),
        ("Paid from", receipt.from_account_id, "", ""),
        (
            "Transaction",
            receipt.transaction_id,
            "Returned since" if paid.refunded else "",
            str(refunded) if paid.refunded else "",
        ),
    ]


def _check_dues(request: pb.SendDuesRequest) -> None:
    """Refuse days that are none, and a number that is sent twice at once.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    seen: set[str] = set()
    for place, one in enumerate(request.dues):
        check_day(one.due_date, f"dues[{place}].due_date")
        if one.last_date:
            check_day(one.last_date, f"dues[{place}].last_date")
        rules = {
            "last_date.before_due_date": bool(one.last_date) and one.last_date < one.due_date,
            "bill_number.unique": one.bill_number in seen,
        }
        for rule, is_broken in rules.items():
            if is_broken:
                raise Refusal(
                    "INVALID_REQUEST",
                    "the list of bills contradicts itself",
                    metadata={"rules": f"dues.{rule}"},
                    field=f"dues[{place}].{rule.partition('.')[0]}",
                )
        seen.add(one.bill_number)
