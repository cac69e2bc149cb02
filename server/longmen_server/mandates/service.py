"""MandatesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import mandates_service_pb2 as pb
from longmen_server.accounts.actor import actor_of
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.mandates import commands, encode, model, queries
from longmen_server.mandates.model import DAY_US, LIFETIME_DAYS_DEFAULT, MandateRow, MandateState
from longmen_server.merchants.actor import merchant_actor_of
from longmen_server.payments.commands import Sale
from longmen_server.payments.model import EXPIRES_SECONDS_DEFAULT
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    MANDATE,
    MERCHANT,
    MandateId,
    OrderId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["MandatesService"]


class MandatesService:
    """The methods of longmen.payments.v1.MandatesService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        step_up: StepUpOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and for what has expired.
            tokens: seals page tokens.
            step_up: gives customers' signatures the gate they have to pass.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up

    async def SignMandate(self, request: pb.SignMandateRequest, call: Call) -> bytes:  # noqa: N802
        """Give a merchant leave."""
        account_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book, key = book_of(account_id), request_key(call)
        model.check_caps(request.single_cap.minor_units, request.cycle_cap.minor_units)
        _check_one_currency(request)
        wanted = MandateRow(
            mandate_id=MandateId(new_id(book, self._clock)),
            merchant_id=decode_id(MERCHANT, request.merchant_id, "merchant_id"),
            mandate_number=request.mandate_number,
            account_id=account_id,
            currency_code=request.single_cap.currency_code,
            state=MandateState.ACTIVE,
            single_cap=request.single_cap.minor_units,
            cycle_cap=request.cycle_cap.minor_units,
            cycle=request.cycle,
            cycle_start="",
            cycle_used=0,
            notice_hours=request.notice_hours,
            announced=0,
            charge_from_us=0,
            expires_at_us=(request.lifetime_days or LIFETIME_DAYS_DEFAULT) * DAY_US,
            version=1,
            created_at_us=0,
            updated_at_us=0,
            description=request.description,
        )
        command = commands.SignMandate(
            book, key, wanted=wanted, actor=actor_of(call), gate=self._step_up.gate(call, key, book)
        )
        return await self._submit(command, request, call, absent=account_not_found(account_id))

    async def GetMandate(  # noqa: N802
        self, request: pb.GetMandateRequest, call: Call
    ) -> pb.GetMandateResponse:
        """Return a mandate."""
        demand_freshness(request.at_least_as_fresh)
        mandate_id = decode_id(MANDATE, request.mandate_id, "mandate_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_mandate(connection, mandate_id)
            if row is None:
                raise model.mandate_not_found(mandate_id)
            if call.principal.kind == "merchant":
                may_see = merchant_actor_of(call).may_use(row.merchant_id)
            else:
                _, owner_id = await queries.owner_of(connection, row.account_id)
                may_see = actor_of(call).may_use(owner_id)
        if not may_see:
            raise model.mandate_not_found(mandate_id)
        return pb.GetMandateResponse(mandate=encode.mandate(row, self._clock.now_us()))

    async def ListMandates(  # noqa: N802
        self, request: pb.ListMandatesRequest, call: Call
    ) -> pb.ListMandatesResponse:
        """List the mandates on an account."""
        demand_freshness(request.at_least_as_fresh)
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        before = self._tokens.open(request.page_token, request, call)
        size, now_us = page_size(request.page_size), self._clock.now_us()
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            exists, owner_id = await queries.owner_of(connection, account_id)
            if not exists or not actor_of(call).may_use(owner_id):
                raise account_not_found(account_id)
            rows = await queries.list_mandates(
                connection, account_id, before=before, limit=size + 1
            )
        page = rows[:size]
        return pb.ListMandatesResponse(
            mandates=[encode.mandate(row, now_us) for row in page],
            next_page_token=(
                self._tokens.seal(page[-1].mandate_id, request, call) if len(rows) > size else ""
            ),
        )

    async def SetMandateState(self, request: pb.SetMandateStateRequest, call: Call) -> bytes:  # noqa: N802
        """Pause, resume or terminate a mandate."""
        mandate_id = decode_id(MANDATE, request.mandate_id, "mandate_id")
        by_merchant = call.principal.kind == "merchant"
        command = commands.SetMandateState(
            book_of(mandate_id),
            request_key(call),
            mandate_id=mandate_id,
            state=request.state,
            payer=None if by_merchant else actor_of(call),
            merchant=merchant_actor_of(call) if by_merchant else None,
        )
        absent = model.mandate_not_found(mandate_id)
        return await self._submit(command, request, call, absent=absent)

    async def AnnounceCharge(self, request: pb.AnnounceChargeRequest, call: Call) -> bytes:  # noqa: N802
        """Tell the payer of the next charge."""
        mandate_id = decode_id(MANDATE, request.mandate_id, "mandate_id")
        command = commands.AnnounceCharge(
            book_of(mandate_id),
            request_key(call),
            mandate_id=mandate_id,
            actor=merchant_actor_of(call),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
        )
        absent = model.mandate_not_found(mandate_id)
        return await self._submit(command, request, call, absent=absent)

    async def ChargeMandate(self, request: pb.ChargeMandateRequest, call: Call) -> bytes:  # noqa: N802
        """Take money from the payer."""
        mandate_id = decode_id(MANDATE, request.mandate_id, "mandate_id")
        book = book_of(mandate_id)
        sale = Sale(
            order_id=OrderId(new_id(book, self._clock)),
            merchant_id=decode_id(MERCHANT, request.merchant_id, "merchant_id"),
            order_number=request.order_number,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            expires_seconds=EXPIRES_SECONDS_DEFAULT,
            description=request.description,
            reference=None,
        )
        command = commands.ChargeMandate(
            book,
            request_key(call),
            mandate_id=mandate_id,
            actor=merchant_actor_of(call),
            sale=sale,
            transaction_id=TransactionId(new_id(book, self._clock)),
            guard=self._step_up.guard(call, book),
        )
        absent = model.mandate_not_found(mandate_id)
        return await self._submit(command, request, call, absent=absent)

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)


def _check_one_currency(request: pb.SignMandateRequest) -> None:
    """Refuse caps in two currencies.

    Raises:
        Refusal: CURRENCY_MISMATCH.
    """
    single, cycle = request.single_cap.currency_code, request.cycle_cap.currency_code
    if single != cycle:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "both caps are in one currency",
            metadata={"expected": single, "actual": cycle},
            field="cycle_cap.currency_code",
        )
