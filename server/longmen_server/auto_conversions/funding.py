"""Fills a pocket up for a payment that it is too short for, in the transaction of the payment.

A payment names the rows with :meth:`AutoFunding.keys` and calls :meth:`AutoFunding.cover` before it
is judged, counted and booked. Where its payer has agreed to it, what is missing is exchanged out of
the first pocket that has enough: priced, counted, judged and booked as any other exchange. If the
payment is refused after that, the exchange is undone with it. Payments that have enough, and payers
who agreed to nothing, cost one look-up.

Ids follow from the payment's: the same payment decided again is the same exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from longmen_server.accounts.model import Actor
from longmen_server.auto_conversions.model import PaidRow, Wanted, exceeded
from longmen_server.auto_conversions.tables import AUTO, LATE_RATE, PAID
from longmen_server.challenges.model import stronger
from longmen_server.conversions import encode
from longmen_server.conversions.booking import bank_accounts
from longmen_server.conversions.commands import convert
from longmen_server.conversions.pockets import spendable
from longmen_server.conversions.pricing import Asked, offer
from longmen_server.conversions.quota import quota_keys
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_RECORD
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.tables import RATE
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.limits.rules import today_of
from longmen_server.platform.ids import (
    ConversionId,
    DecisionId,
    QuoteId,
    TransactionId,
    derived_id,
)
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from longmen.fx.v1 import quote_pb2
    from longmen_server.auto_conversions.model import AutoRow, Source
    from longmen_server.challenges.model import Decision
    from longmen_server.conversions.model import ConversionRow, QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.limits.movement import Asker
    from longmen_server.platform.ids import AccountId, CustomerId
    from longmen_server.risk.guard import Guard

__all__ = ["AutoFunding", "Covered"]

TIER: Final = "standard"
RISKS: Final = frozenset({"RISK_REJECTED", "RISK_FROZEN"})
"""Refusals that another pocket would not change."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What was exchanged for a payment."""

    row: ConversionRow
    quote: QuoteRow
    least: Decision
    """What has to approve the payment at least, because of the exchange."""
    paid_id: TransactionId
    """The payment."""

    def message(self) -> quote_pb2.Conversion:
        """Return the exchange as its payer is told."""
        return encode.conversion(self.row, self.quote, paid_id=self.paid_id)


class AutoFunding:
    """Exchanges what payments lack."""

    def __init__(self, age_max_us: Callable[[int], int]) -> None:
        """Take how old a rate may be, from what the price list says."""
        self._age_max_us = age_max_us

    def keys(
        self,
        working_set: WorkingSet,
        stage: int,
        *,
        payer_id: AccountId,
        guard: Guard | None,
        owner: tuple[CustomerId, str] | None = None,
    ) -> Iterable[RowKey]:
        """Name what was agreed to, and then what an exchange may need.

        Args:
            working_set: of the batch.
            stage: that is loaded.
            payer_id: the account that pays.
            guard: what judges the payment.
            owner: whose account it is, and its currency, where that is known before the account.
        """
        if stage == STAGE_LINK:
            yield RowKey(AUTO, Wanted(*(b"", *owner) if owner else (payer_id,)))
            return
        row = working_set.get(AUTO, payer_id)
        if row is None or not row.enabled:
            return
        if stage == STAGE_ACCOUNT:
            version = version_now(working_set)
            for code in version.tradable:
                yield RowKey(LATE_RATE, code)
        for source in row.pockets:
            yield from self._source_keys(working_set, stage, source, row)
            if guard is not None:
                yield from guard.keys(
                    working_set, stage, payer_id=source.account_id, payee_id=payer_id
                )

    def _source_keys(
        self, working_set: WorkingSet, stage: int, source: Source, row: AutoRow
    ) -> Iterable[RowKey]:
        if stage == STAGE_ACCOUNT:
            home = version_now(working_set).home_currency
            yield RowKey(ACCOUNT, source.account_id)
            for account_id in bank_accounts(
                working_set.book, home, source.currency_code, row.currency_code
            ):
                yield RowKey(ACCOUNT, account_id)
            yield from enforce.keys(stage, payer_id=source.account_id, payee_id=row.account_id)
        elif stage == STAGE_RECORD:
            yield from quota_keys(working_set, source.account_id)

    def cover(
        self,
        working_set: WorkingSet,
        payer: AccountRow,
        amount: int,
        transaction_id: TransactionId,
        *,
        asker: Asker,
        guard: Guard | None,
    ) -> Covered | None:
        """Exchange what an account lacks for a payment; None where nothing is to be exchanged.

        Args:
            working_set: of the command.
            payer: the account that pays, which its owner may use.
            amount: of the payment, in minor units.
            transaction_id: of the payment.
            asker: who asks for it.
            guard: what judges the payment.

        Raises:
            Refusal: INSUFFICIENT_FUNDS that tells what stood in the way of the exchange, RISK_*.
        """
        row = working_set.get(AUTO, payer.account_id)
        missing = amount - spendable(payer)
        if row is None or not row.enabled or missing <= 0:
            return None
        day = today_of(working_set.now_us).day
        problem = exceeded(row, missing, day)
        if problem is None:
            self._lay_rates(working_set)
            for source in row.pockets:
                mark = working_set.mark()
                try:
                    return self._exchange(
                        working_set, row, source, missing, transaction_id, asker, guard
                    )
                except Refusal as refusal:
                    working_set.rollback(mark)
                    if refusal.reason in RISKS:
                        raise
                    problem = problem or refusal.reason
        raise Refusal(
            "INSUFFICIENT_FUNDS",
            "the account does not have enough available, nor could it be filled up",
            metadata={
                "available_minor_units": str(payer.available),
                "currency_code": payer.currency_code,
                "auto_conversion": problem or "",
            },
        )

    def refused(
        self,
        working_set: WorkingSet,
        refusal: Refusal,
        transaction_id: TransactionId,
        guard: Guard | None,
    ) -> None:
        """Leave what was decided about an exchange that risk refused."""
        own = _own(guard, transaction_id)
        if own is not None:
            own.refused(working_set, refusal)

    def _lay_rates(self, working_set: WorkingSet) -> None:
        """Put the rates where exchanges look for them."""
        table, late = working_set.table(RATE), working_set.tables.get(LATE_RATE)
        for code, rate in late.rows.items() if late is not None else ():
            table.rows.setdefault(code, rate)

    def _exchange(
        self,
        working_set: WorkingSet,
        row: AutoRow,
        source: Source,
        missing: int,
        transaction_id: TransactionId,
        asker: Asker,
        guard: Guard | None,
    ) -> Covered:
        """Exchange what is missing out of one pocket.

        Raises:
            Refusal: of an exchange; SPREAD_MAX, POCKET_CLOSED and POCKET_EMPTY stand for what is
                no refusal of an exchange by itself.
        """
        pocket = working_set.get(ACCOUNT, source.account_id)
        if (
            pocket is None
            or pocket.state != AccountState.OPEN
            or pocket.owner_id != row.customer_id
        ):
            raise _problem("POCKET_CLOSED")
        quote = self._offer(working_set, row, source, missing, transaction_id)
        if quote.spread_basis_points + quote.fee_basis_points > row.basis_points_max:
            raise _problem("SPREAD_MAX")
        if quote.source > spendable(pocket):
            raise _problem("POCKET_EMPTY")
        exchange_id = TransactionId(derived_id(transaction_id, "exchange"))
        movement = _movement(quote, asker, exchange_id)
        verdict = judge(working_set, _own(guard, transaction_id), movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        conversion_id = ConversionId(derived_id(transaction_id, "conversion"))
        booked, _ = convert(working_set, quote, conversion_id, exchange_id)
        settle(working_set, verdict)
        self._count(working_set, row, missing, transaction_id, conversion_id)
        return Covered(booked, quote, least, transaction_id)

    def _offer(
        self,
        working_set: WorkingSet,
        row: AutoRow,
        source: Source,
        missing: int,
        transaction_id: TransactionId,
    ) -> QuoteRow:
        asked = Asked(
            quote_id=QuoteId(derived_id(transaction_id, "quote")),
            from_account_id=source.account_id,
            to_account_id=row.account_id,
            amount=missing,
            currency_code=row.currency_code,
            lock_seconds=0,
            tier=TIER,
            age_max_us=self._age_max_us,
        )
        return offer(working_set, asked, Actor(row.customer_id))

    def _count(
        self,
        working_set: WorkingSet,
        row: AutoRow,
        missing: int,
        transaction_id: TransactionId,
        conversion_id: ConversionId,
    ) -> None:
        row = working_set.edit(AUTO, row.account_id)
        # Clocks of two processes may lie on two sides of midnight: the later day holds for all.
        day = max(row.day, today_of(working_set.now_us).day)
        row.day_used = row.used_on(day) + missing
        row.day = day
        at_us = working_set.next_stamp()
        paid = PaidRow(transaction_id, conversion_id, row.account_id, missing, day, at_us)
        working_set.insert(PAID, transaction_id, paid)


def _own(guard: Guard | None, transaction_id: TransactionId) -> Guard | None:
    """Return what judges the exchange: the payment's guard, with a record of its own."""
    if guard is None:
        return None
    return replace(guard, decision_id=DecisionId(derived_id(transaction_id, "decision")))


def _movement(quote: QuoteRow, asker: Asker, transaction_id: TransactionId) -> Movement:
    return Movement(
        kind=MovementKind.CONVERSION,
        asker=asker,
        transaction_id=transaction_id,
        amount=quote.source,
        currency_code=quote.source_currency,
        payer_id=quote.from_account_id,
        payee_id=quote.to_account_id,
        customer_id=quote.customer_id,
        payee_amount=quote.target,
        is_own=True,
    )


def _problem(name: str) -> Refusal:
    """Return what stands in the way of one pocket; it is told as a part of another refusal."""
    return Refusal(name, name)
