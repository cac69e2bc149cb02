"""Tells alerts and fills limit orders once their rates are there, and ends what waited in vain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.conversions.pricing import Asked
from longmen_server.jobs.job import COMMAND_SECONDS_MAX, Done
from longmen_server.limit_orders import queries
from longmen_server.limit_orders.alerts import TellAlert
from longmen_server.limit_orders.commands import DONE, ExpireLimitOrder, FillLimitOrder
from longmen_server.limit_orders.model import DAY_US, RateDirection
from longmen_server.messages.model import Channel
from longmen_server.platform.ids import LIMIT_ORDER, ConversionId, QuoteId, new_id
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.engine.command import Command
    from longmen_server.jobs.job import Workplace
    from longmen_server.limit_orders.model import AlertRow, OrderRow
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.platform.pii import Vault
    from longmen_server.risk.desk import RiskDesk

log = structlog.get_logger("longmen.limit_orders")

_FIRST_ID: Final = bytes(16)
SETTLING_US: Final = 5_000_000
"""For how long after a change of rates everything is looked at again."""
TIER: Final = "standard"


class LimitOrders:
    """Looks at what waits whenever rates have changed; its progress is when they changed last.

    An order that is refused, such as for a frozen account, waits for the next change of rates;
    what risk declines has ended.
    """

    name = "limit_orders"

    def __init__(
        self, age_max_us: Callable[[int], int], vault: Vault, office: PostOffice, risk: RiskDesk
    ) -> None:
        """Take how old a rate may be, and what opens phone numbers, sends messages and judges."""
        self._age_max_us = age_max_us
        self._risk = risk
        self._vault = vault
        self._office = office

    async def take(self, workplace: Workplace) -> Done:
        """End orders whose time is over, then fill and tell what the rates have come to."""
        ended = await self._expire(workplace)
        version = await queries.rates_version(workplace.connection, workplace.book)
        if version == workplace.progress:
            return Done(ended, more=ended == workplace.items_max)
        filled = await self._fill(workplace)
        told = await self._tell(workplace)
        # What was taken in while the rates changed may have been looked at by the old ones.
        settled = workplace.clock.now_us() - version > SETTLING_US
        return Done(ended + filled + told, more=False, progress=version if settled else None)

    async def _expire(self, workplace: Workplace) -> int:
        ids = await queries.expired_orders(
            workplace.connection,
            workplace.book,
            now_us=workplace.clock.now_us(),
            limit=workplace.items_max,
        )
        await self._run(
            workplace,
            [
                ExpireLimitOrder(
                    workplace.book,
                    None,
                    limit_order_id=one,
                    release_id=workplace.new_transaction_id(),
                )
                for one in ids
            ],
        )
        return len(ids)

    async def _fill(self, workplace: Workplace) -> int:
        after, filled = _FIRST_ID, 0
        while rows := await queries.due_orders(
            workplace.connection,
            workplace.book,
            now_us=workplace.clock.now_us(),
            after=after,
            limit=workplace.items_max,
        ):
            after = rows[-1].limit_order_id
            replies = await self._run(workplace, [self._order(workplace, row) for row in rows])
            for row, reply in zip(rows, replies, strict=True):
                filled += reply == DONE.decode()
                if isinstance(reply, Refusal):
                    limit_order_id = LIMIT_ORDER.encode(row.limit_order_id)
                    log.warning(
                        "limit_order_waits", limit_order_id=limit_order_id, reason=reply.reason
                    )
        return filled

    def _order(self, workplace: Workplace, row: OrderRow) -> FillLimitOrder:
        book, clock = workplace.book, workplace.clock
        asked = Asked(
            quote_id=QuoteId(new_id(book, clock)),
            from_account_id=row.from_account_id,
            to_account_id=row.to_account_id,
            amount=row.amount,
            currency_code=row.source_currency,
            lock_seconds=0,
            tier=TIER,
            age_max_us=self._age_max_us,
        )
        return FillLimitOrder(
            book,
            limit_order_id=row.limit_order_id,
            release_id=workplace.new_transaction_id(),
            asked=asked,
            conversion_id=ConversionId(new_id(book, clock)),
            transaction_id=workplace.new_transaction_id(),
            guard=self._risk.unattended(book),
        )

    async def _tell(self, workplace: Workplace) -> int:
        after, told = _FIRST_ID, 0
        while rows := await queries.due_alerts(
            workplace.connection,
            workplace.book,
            now_us=workplace.clock.now_us(),
            after=after,
            limit=workplace.items_max,
        ):
            after = rows[-1].alert_id
            commands = [
                TellAlert(
                    workplace.book,
                    alert_id=row.alert_id,
                    messages=await self._messages(workplace, row),
                )
                for row in rows
            ]
            replies = await self._run(workplace, commands)
            told += replies.count(DONE.decode())
        return told

    async def _messages(self, workplace: Workplace, row: AlertRow) -> list[MessageRow]:
        """Return what tells the customer; nothing for one whose data was erased."""
        found = await find_wallet(workplace.connection, workplace.book, row.customer_id)
        if found is None or found.row.erased_at_us is not None:
            return []
        person = open_person(self._vault, found)
        return [
            self._office.accept(
                workplace.book,
                channel=Channel.SMS,
                kind="rate_alert",
                recipient=person.phone_number,
                subject="",
                text=alert_text(row),
                lifetime_us=DAY_US,
            )
        ]

    async def _run(self, workplace: Workplace, commands: Sequence[Command]) -> list[str | Refusal]:
        """Run commands together; a refusal of one leaves the others alone.

        Raises:
            BaseException: what is no refusal, such as a broken command.
        """
        deadline = workplace.clock.monotonic() + COMMAND_SECONDS_MAX
        outcomes = await asyncio.gather(
            *(workplace.engine.submit(command, deadline=deadline) for command in commands),
            return_exceptions=True,
        )
        replies: list[str | Refusal] = []
        for outcome in outcomes:
            if isinstance(outcome, Refusal):
                replies.append(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                replies.append(outcome.reply.decode())
        return replies


def alert_text(row: AlertRow) -> str:
    """Return what a customer is told."""
    pair = f"1 {row.source_currency}"
    rises = row.direction == RateDirection.AT_LEAST
    chinese, english = ("不低于", "at least") if rises else ("不高于", "at most")
    return (
        f"您关注的汇率已到, {pair} {chinese} {row.rate} {row.target_currency}。"
        f"The rate you wait for is there: {pair} is {english} {row.rate} {row.target_currency}."
    )
