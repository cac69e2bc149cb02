"""ConversionsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.auto_conversions.commands import SetAutoConversion
from longmen_server.auto_conversions.encode import auto_conversion
from longmen_server.auto_conversions.queries import list_auto_conversions
from longmen_server.conversions import abroad, commands, encode, model, queries
from longmen_server.conversions.build import reverse_conversion
from longmen_server.conversions.pricing import Asked
from longmen_server.engine.door import request_key, submit
from longmen_server.fx.policy import load_policy
from longmen_server.ledger.chart import CORRESPONDENT, system_account_id
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.platform.clock import business_date
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    ACCOUNT,
    CONVERSION,
    QUOTE,
    ConversionId,
    QuoteId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command, RequestKey
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.transport.context import Call

__all__ = ["ConversionsService"]

STANDARD: Final = "standard"


class ConversionsService:
    """The methods of longmen.fx.v1.ConversionsService."""

    def __init__(
        self,
        *,
        engine: Engine,
        reading: ReadTools,
        age_max_us: Callable[[int], int],
        step_up: StepUpOffice,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            reading: connections for reads, clock, books and page tokens.
            age_max_us: how old a rate may be, from what the price list says.
            step_up: gives customers' exchanges the gate they have to pass.
        """
        self._engine = engine
        self._read = reading
        self._clock = reading.clock
        self._age_max_us = age_max_us
        self._step_up = step_up

    async def CreateQuote(self, request: pb.CreateQuoteRequest, call: Call) -> bytes:  # noqa: N802
        """Offer an exchange."""
        asked = self._asked(request, request.lock_seconds, call)
        command = commands.CreateQuote(
            book_of(asked.from_account_id), request_key(call), asked=asked, actor=actor_of(call)
        )
        return await self._submit(
            command, request, call, absent=account_not_found(asked.from_account_id)
        )

    async def GetQuote(self, request: pb.GetQuoteRequest, call: Call) -> pb.GetQuoteResponse:  # noqa: N802
        """Return a quote."""
        demand_freshness(request.at_least_as_fresh)
        quote_id = decode_id(QUOTE, request.quote_id, "quote_id")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_quote(connection, quote_id)
        if row is None or not actor_of(call).may_use(row.customer_id):
            raise model.quote_not_found(quote_id)
        return pb.GetQuoteResponse(quote=encode.quote(row, self._clock.now_us()))

    async def CancelQuote(self, request: pb.CancelQuoteRequest, call: Call) -> bytes:  # noqa: N802
        """Give a quote up."""
        quote_id = decode_id(QUOTE, request.quote_id, "quote_id")
        command = commands.CancelQuote(
            book_of(quote_id), request_key(call), quote_id=quote_id, actor=actor_of(call)
        )
        return await self._submit(command, request, call, absent=model.quote_not_found(quote_id))

    async def ExecuteQuote(self, request: pb.ExecuteQuoteRequest, call: Call) -> bytes:  # noqa: N802
        """Exchange what was offered."""
        quote_id = decode_id(QUOTE, request.quote_id, "quote_id")
        book, key = book_of(quote_id), request_key(call)
        command = commands.ExecuteQuote(book, key, **self._taken(request, quote_id, key, call))
        return await self._submit(command, request, call, absent=model.quote_not_found(quote_id))

    async def QuoteAbroad(self, request: pb.QuoteAbroadRequest, call: Call) -> bytes:  # noqa: N802
        """Offer to pay somebody in another currency."""
        from_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        book, target = book_of(from_id), request.target_currency_code
        if request.payee_account_id:
            payee_id = decode_id(ACCOUNT, request.payee_account_id, "payee_account_id")
        else:
            payee_id = system_account_id(book, target, CORRESPONDENT)
        asked = Asked(
            quote_id=QuoteId(new_id(book, self._clock)),
            from_account_id=from_id,
            to_account_id=payee_id,
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            lock_seconds=request.lock_seconds,
            tier=STANDARD,
            age_max_us=self._age_max_us,
            promoted=True,
        )
        command = abroad.QuoteAbroad(
            book, request_key(call), asked=asked, target_currency=target, actor=actor_of(call)
        )
        return await self._submit(command, request, call, absent=account_not_found(from_id))

    async def PayAbroad(self, request: pb.PayAbroadRequest, call: Call) -> bytes:  # noqa: N802
        """Pay what was offered."""
        quote_id = decode_id(QUOTE, request.quote_id, "quote_id")
        book, key = book_of(quote_id), request_key(call)
        taken = self._taken(request, quote_id, key, call)
        command = abroad.PayAbroad(book, key, reference=request.reference, **taken)
        return await self._submit(command, request, call, absent=model.quote_not_found(quote_id))

    async def Convert(self, request: pb.ConvertRequest, call: Call) -> bytes:  # noqa: N802
        """Exchange a small amount at once."""
        asked = self._asked(request, 0, call)
        book, key = book_of(asked.from_account_id), request_key(call)
        command = commands.Convert(
            book,
            key,
            asked=asked,
            counter_currency=request.counter_currency_code,
            actor=actor_of(call),
            conversion_id=ConversionId(new_id(book, self._clock)),
            transaction_id=TransactionId(new_id(book, self._clock)),
            gate=self._step_up.gate(call, key, book),
            guard=self._step_up.guard(call, book),
        )
        return await self._submit(
            command, request, call, absent=account_not_found(asked.from_account_id)
        )

    async def GetConversion(  # noqa: N802
        self, request: pb.GetConversionRequest, call: Call
    ) -> pb.GetConversionResponse:
        """Return a conversion."""
        demand_freshness(request.at_least_as_fresh)
        conversion_id = decode_id(CONVERSION, request.conversion_id, "conversion_id")
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await queries.find_conversion(connection, conversion_id)
        if found is None or not actor_of(call).may_use(found.row.customer_id):
            raise model.conversion_not_found(conversion_id)
        return pb.GetConversionResponse(conversion=encode.conversion(*found))

    async def ReverseConversion(  # noqa: N802
        self, request: pb.ReverseConversionRequest, call: Call
    ) -> bytes:
        """Take a conversion back."""
        command = reverse_conversion(request, request_key(call), self._clock, self._age_max_us)
        absent = model.conversion_not_found(command.conversion_id)
        return await self._submit(command, request, call, absent=absent)

    async def SetAutoConversion(  # noqa: N802
        self, request: pb.SetAutoConversionRequest, call: Call
    ) -> bytes:
        """Let payments from a pocket exchange what they lack, or no longer."""
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        book, key = book_of(account_id), request_key(call)
        command = SetAutoConversion(
            book,
            key,
            account_id=account_id,
            enabled=request.enabled,
            source_ids=[
                decode_id(ACCOUNT, text, f"source_account_ids[{index}]")
                for index, text in enumerate(request.source_account_ids)
            ],
            payment_max=(request.payment_max.minor_units, request.payment_max.currency_code),
            day_max=(request.day_max.minor_units, request.day_max.currency_code),
            basis_points_max=request.basis_points_max,
            actor=actor_of(call),
            gate=self._step_up.gate(call, key, book),
        )
        return await self._submit(command, request, call, absent=account_not_found(account_id))

    async def ListAutoConversions(  # noqa: N802
        self, request: pb.ListAutoConversionsRequest, call: Call
    ) -> pb.ListAutoConversionsResponse:
        """List what a customer has agreed to."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            rows = await list_auto_conversions(connection, customer_id)
        now_us = self._clock.now_us()
        return pb.ListAutoConversionsResponse(
            auto_conversions=[auto_conversion(row, now_us) for row in rows]
        )

    async def GetFxQuota(self, request: pb.GetFxQuotaRequest, call: Call) -> pb.GetFxQuotaResponse:  # noqa: N802
        """Return what is left of a customer's quotas."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        day = business_date(self._clock.now_us())
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            rows = await queries.list_quotas(connection, customer_id, day.year)
        used = {row.side: row.used for row in rows}
        return pb.GetFxQuotaResponse(quota=encode.quota(day.year, used, load_policy().at(day)))

    async def ListConversions(  # noqa: N802
        self, request: pb.ListConversionsRequest, call: Call
    ) -> pb.ListConversionsResponse:
        """List a customer's conversions."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        before = self._read.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            found = await queries.list_conversions(
                connection, customer_id, before=before, limit=size + 1
            )
        page = found[:size]
        next_token = ""
        if len(found) > size:
            last = page[-1].row.conversion_id
            next_token = self._read.page_tokens.seal(last, request, call)
        return pb.ListConversionsResponse(
            conversions=[encode.conversion(*one) for one in page], next_page_token=next_token
        )

    # -- helpers -------------------------------------------------------------------------------

    def _taken(
        self,
        request: pb.ExecuteQuoteRequest | pb.PayAbroadRequest,
        quote_id: QuoteId,
        key: RequestKey,
        call: Call,
    ) -> dict[str, Any]:
        """Return what both ways to take a quote are made of."""
        book = book_of(quote_id)
        source, target = request.source_amount, request.target_amount
        return {
            "quote_id": quote_id,
            "source": (source.minor_units, source.currency_code),
            "target": (target.minor_units, target.currency_code),
            "fresh_id": QuoteId(new_id(book, self._clock)),
            "age_max_us": self._age_max_us,
            "actor": actor_of(call),
            "conversion_id": ConversionId(new_id(book, self._clock)),
            "transaction_id": TransactionId(new_id(book, self._clock)),
            "gate": self._step_up.gate(call, key, book),
            "guard": self._step_up.guard(call, book),
        }

    def _asked(
        self, request: pb.CreateQuoteRequest | pb.ConvertRequest, lock_seconds: int, call: Call
    ) -> Asked:
        """Return what is to be exchanged.

        Raises:
            Refusal: INVALID_REQUEST when a customer names a tier.
        """
        if request.tier and actor_of(call).customer_id is not None:
            raise Refusal(
                "INVALID_REQUEST",
                "customers do not name their tier",
                metadata={"rules": "tier.bank_only"},
                field="tier",
            )
        from_id = decode_id(ACCOUNT, request.from_account_id, "from_account_id")
        return Asked(
            quote_id=QuoteId(new_id(book_of(from_id), self._clock)),
            from_account_id=from_id,
            to_account_id=decode_id(ACCOUNT, request.to_account_id, "to_account_id"),
            amount=request.amount.minor_units,
            currency_code=request.amount.currency_code,
            lock_seconds=lock_seconds,
            tier=request.tier or STANDARD,
            age_max_us=self._age_max_us,
            promoted=True,
        )

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what is of a book that is not kept here is not there."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)
