"""LimitsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from longmen.identity.v1 import factor_pb2
from longmen.limits.v1 import limits_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.engine.door import request_key, submit
from longmen_server.factors.model import FactorKind, bits, kinds_of
from longmen_server.factors.queries import find_security
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.limits import commands, encode, queries
from longmen_server.limits.explaining import explain, list_caps
from longmen_server.limits.model import day_number
from longmen_server.limits.packs import load_packs
from longmen_server.limits.rules import BASE_CURRENCY
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.limits.enforce import Assessment
    from longmen_server.limits.queries import Standing
    from longmen_server.platform.database import Connection
    from longmen_server.transport.context import Call

__all__ = ["LimitsService"]

_DAY_BYTES = 4


class LimitsService:
    """The methods of longmen.limits.v1.LimitsService."""

    def __init__(self, *, engine: Engine, reading: ReadTools, step_up: StepUpOffice) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            reading: what reads are made of.
            step_up: gives customers' raises the gate they have to pass.
        """
        self._engine = engine
        self._read = reading
        self._step_up = step_up

    async def ExplainLimits(  # noqa: N802
        self, request: pb.ExplainLimitsRequest, call: Call
    ) -> pb.ExplainLimitsResponse:
        """Say what limits would make of a movement."""
        demand_freshness(request.at_least_as_fresh)
        now_us = self._read.clock.now_us()
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            standing = await self._standing(connection, request.account_id, call)
            book = book_of(standing.owner_id)
            security = await find_security(connection, book, standing.owner_id)
        if request.amount.currency_code != standing.currency_code:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the amount is in another currency than the account",
                metadata={
                    "expected": standing.currency_code,
                    "actual": request.amount.currency_code,
                },
                field="amount.currency_code",
            )
        found = explain(
            standing,
            security,
            kind=request.kind,
            amount=request.amount.minor_units,
            approved=bits(map(FactorKind, request.factors)) if request.factors else None,
            book=book,
            now_us=now_us,
        )
        if found is None:
            return pb.ExplainLimitsResponse(allowed=True)
        return _explained(found, standing.currency_code)

    async def ListLimits(  # noqa: N802
        self, request: pb.ListLimitsRequest, call: Call
    ) -> pb.ListLimitsResponse:
        """List every limit of an account."""
        demand_freshness(request.at_least_as_fresh)
        now_us = self._read.clock.now_us()
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            standing = await self._standing(connection, request.account_id, call)
        currency = standing.currency_code
        listed = list_caps(standing, book=book_of(standing.owner_id), now_us=now_us)
        reply = pb.ListLimitsResponse(
            limits=[
                encode.limit(finding, listed.pack, currency, listed.day)
                for finding in listed.findings
            ],
            own_limits=[
                encode.own_limit(row, now_us, listed.pack.currency) for row in standing.own
            ],
            account_type=standing.facts.account_type,
        )
        if listed.balance is not None:
            reply.balance_limit.CopyFrom(encode.money(listed.balance, currency))
        return reply

    async def SetOwnLimit(self, request: pb.SetOwnLimitRequest, call: Call) -> bytes:  # noqa: N802
        """Change what a customer allows to be spent."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        book, key = book_of(customer_id), request_key(call)
        has_amount = request.HasField("amount")
        command = commands.SetOwnLimit(
            book,
            key,
            customer_id=customer_id,
            period=request.period,
            amount=request.amount.minor_units if has_amount else None,
            currency_code=request.amount.currency_code,
            gate=self._step_up.gate(call, key, book),
        )
        absent = wallet_not_found(CUSTOMER.encode(customer_id))
        return await self._submit(command, request, call, absent=absent)

    async def SetAccountType(self, request: pb.SetAccountTypeRequest, call: Call) -> bytes:  # noqa: N802
        """Say which type of bank settlement account an account is."""
        account_id = decode_id(ACCOUNT, request.account_id, "account_id")
        command = commands.SetAccountType(
            book_of(account_id),
            request_key(call),
            account_id=account_id,
            account_type=request.account_type,
        )
        absent = account_not_found(account_id)
        return await self._submit(command, request, call, absent=absent)

    async def ListLimitTotals(  # noqa: N802
        self, request: pb.ListLimitTotalsRequest, call: Call
    ) -> pb.ListLimitTotalsResponse:
        """List what customers' movements came to on a track."""
        demand_freshness(request.at_least_as_fresh)
        first = _day(request.first_day, "first_day")
        last = _day(request.last_day, "last_day") if request.last_day else first
        after = self._read.page_tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._read.readers.snapshot(deadline=call.deadline) as connection:
            rows = await queries.list_totals(
                connection,
                self._read.book(request.book),
                request.track,
                (first, last),
                after=_place(after, first),
                limit=size + 1,
            )
        page, currency = rows[:size], BASE_CURRENCY
        token = ""
        if len(rows) > size:
            place = page[-1].day.to_bytes(_DAY_BYTES, "big") + page[-1].customer_id
            token = self._read.page_tokens.seal(place, request, call)
        return pb.ListLimitTotalsResponse(
            totals=[encode.total(row, currency) for row in page], next_page_token=token
        )

    async def ListLargeValueCandidates(  # noqa: N802
        self, request: pb.ListLargeValueCandidatesRequest, call: Call
    ) -> pb.ListLargeValueCandidatesResponse:
        """List customers whose movements of a day have to be reported."""
        demand_freshness(request.at_least_as_fresh)
        day = _day(request.day, "day")
        reports = load_packs().at(dt.date.fromisoformat(request.day)).get("REPORTS")
        threshold = 0 if reports is None else reports.large_value
        book, size = self._read.book(request.book), page_size(request.page_size)
        after = self._read.page_tokens.open(request.page_token, request, call)
        rows: list[queries.TotalRow] = []
        if threshold:
            async with self._read.readers.snapshot(deadline=call.deadline) as connection:
                rows = await queries.list_large_values(
                    connection, book, day, threshold, after=after or queries.NO_ID, limit=size + 1
                )
        page, currency = rows[:size], BASE_CURRENCY
        token = ""
        if len(rows) > size:
            token = self._read.page_tokens.seal(page[-1].customer_id, request, call)
        return pb.ListLargeValueCandidatesResponse(
            candidates=[encode.total(row, currency) for row in page],
            threshold=encode.money(threshold, currency),
            next_page_token=token,
        )

    async def _standing(self, connection: Connection, text: str, call: Call) -> Standing:
        """Return what decides on the movements of an account that the caller may see.

        Raises:
            Refusal: ACCOUNT_NOT_FOUND.
        """
        account_id = decode_id(ACCOUNT, text, "account_id")
        standing = await queries.find_standing(connection, account_id)
        if standing is None or not actor_of(call).may_use(standing.owner_id):
            raise account_not_found(account_id)
        return standing

    async def _submit(
        self, command: Command, request: Message, call: Call, *, absent: Refusal
    ) -> bytes:
        """Run a command; what an id of a book that is not kept here names is absent."""
        if command.book not in self._engine.writers:
            raise absent
        return await submit(self._engine, command, request=request, call=call)


def _explained(found: Assessment, currency: str) -> pb.ExplainLimitsResponse:
    """Return an assessment; the binding limit is what refuses, or what leaves least."""
    limits = [encode.limit(one, found.pack, currency, found.today.day) for one in found.findings]
    allowed = found.failed is None
    reply = pb.ExplainLimitsResponse(allowed=allowed, limits=limits)
    binding = found.binding
    if binding is not None:
        reply.binding_limit.CopyFrom(encode.limit(binding, found.pack, currency, found.today.day))
    if allowed:
        reply.factors_needed = found.way.demand.factors
        reply.methods.extend(
            factor_pb2.FactorKind.ValueType(kind) for kind in kinds_of(found.way.demand.methods)
        )
    return reply


def _place(after: bytes, first: int) -> tuple[int, bytes]:
    """Return the day and customer that a page begins after."""
    if not after:
        return first, queries.NO_ID
    return int.from_bytes(after[:_DAY_BYTES], "big"), after[_DAY_BYTES:]


def _day(text: str, field: str) -> int:
    """Return a day's number.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    try:
        return day_number(dt.date.fromisoformat(text))
    except ValueError:
        raise Refusal(
            "INVALID_REQUEST",
            "no such day",
            metadata={"rules": f"{field}.day"},
            field=field,
        ) from None
