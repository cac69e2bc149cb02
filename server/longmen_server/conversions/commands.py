"""The commands that offer and book exchanges: what each needs, and what it decides. Pure."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen_server.challenges.model import stronger
from longmen_server.conversions import encode, model
from longmen_server.conversions.booking import bank_accounts, book, check_positions
from longmen_server.conversions.intents import of_conversion
from longmen_server.conversions.model import ConversionRow, FreshOffered, QuoteState
from longmen_server.conversions.pricing import Asked, offer, present_rates, wallet_pair
from longmen_server.conversions.quota import quota_keys, use_quota
from longmen_server.conversions.tables import CONVERSION, QUOTE
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER, STAGE_RECORD
from longmen_server.engine.journal import Event
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.tables import RATE
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.platform.refusal import Refusal
from longmen_server.promotions.spending import has_left, running_keys, spend, spending_keys
from longmen_server.promotions.tables import PROMOTION
from longmen_server.risk.guard import judge, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.conversions.model import QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import PostingOutcome
    from longmen_server.platform.ids import (
        AccountId,
        ConversionId,
        QuoteId,
        TransactionId,
    )
    from longmen_server.risk.guard import Guard


def rate_keys(working_set: WorkingSet) -> Iterable[RowKey]:
    """Name the rates of all currencies dealt in.

    Which ones are needed is known only with the accounts, and rates of the whole list are a few
    short rows for a whole batch, against another round trip for each.
    """
    return _rate_keys(version_now(working_set).tradable)


def check_promotion(working_set: WorkingSet, quote: QuoteRow) -> bool:
    """Whether the promotion of a quote, if it has one, still pays for what the customer saves."""
    return quote.promotion_id is None or has_left(working_set, quote.promotion_id, quote.discount)


@cache
def _rate_keys(tradable: frozenset[str]) -> tuple[RowKey, ...]:
    return tuple(RowKey(RATE, code) for code in tradable)


def find_quote(working_set: WorkingSet, quote_id: QuoteId, actor: Actor) -> QuoteRow:
    """Return a quote that an actor may use.

    Raises:
        Refusal: FX_QUOTE_NOT_FOUND.
    """
    row = working_set.get(QUOTE, quote_id)
    if row is None or not actor.may_use(row.customer_id):
        raise model.quote_not_found(quote_id)
    return row


def convert(
    working_set: WorkingSet,
    quote: QuoteRow,
    conversion_id: ConversionId,
    transaction_id: TransactionId,
    *,
    abroad: bool = False,
    reference: str | None = None,
) -> tuple[ConversionRow, PostingOutcome]:
    """Book a quote, use it up, and tell it; one that nobody was shown is kept from here on.

    Raises:
        Refusal: FX_QUOTA_EXCEEDED, FX_POSITION_LIMIT, or of a posting.
    """
    version = version_now(working_set)
    home = version.home_currency
    rates = present_rates(
        working_set, quote.source_currency, quote.target_currency, home, version.quota_currency
    )
    counted = use_quota(working_set, quote, version, rates)
    check_positions(working_set, quote, version, rates)
    if quote.promotion_id is not None:
        spend(working_set, quote.promotion_id, quote.discount)
    outcome = book(working_set, quote, transaction_id, home, abroad=abroad, reference=reference)
    known = working_set.get(QUOTE, quote.quote_id) is not None
    used = working_set.edit(QUOTE, quote.quote_id) if known else quote
    used.state = QuoteState.USED
    used.conversion_id = conversion_id
    if not known:
        working_set.insert(QUOTE, quote.quote_id, quote)
    row = ConversionRow(
        conversion_id,
        quote.quote_id,
        quote.customer_id,
        transaction_id,
        outcome.posting.booked_at_us,
        *counted,
    )
    working_set.insert(CONVERSION, conversion_id, row)
    payload = encode.converted(row)
    kind = event_pb2.EVENT_TYPE_FX_CONVERTED
    at_us = working_set.next_stamp()
    working_set.emit(Event(kind, conversion_id, 0, at_us, payload, payload))
    return row, outcome


def movement_of(
    working_set: WorkingSet,
    quote: QuoteRow,
    actor: Actor,
    gate: Gate | None,
    transaction_id: TransactionId,
) -> Movement:
    """Return what taking a quote is about to do.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND.
    """
    payer, payee = wallet_pair(working_set, quote.from_account_id, quote.to_account_id, actor)
    return Movement(
        kind=MovementKind.CONVERSION,
        asker=asker_of(working_set, actor, gate),
        transaction_id=transaction_id,
        amount=quote.source,
        currency_code=quote.source_currency,
        payer_id=payer.account_id,
        payee_id=payee.account_id,
        customer_id=payer.owner_id,
        payee_amount=quote.target,
        is_own=True,
    )


class CreateQuote(Command):
    """Offer an exchange."""

    __slots__ = ("actor", "asked")

    def __init__(
        self, book: int, request: RequestKey | None, *, asked: Asked, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.asked = asked
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name both accounts, then their rates."""
        both = (self.asked.from_account_id, self.asked.to_account_id)
        if stage == STAGE_ACCOUNT:
            yield from (RowKey(ACCOUNT, account_id) for account_id in both)
        elif stage == STAGE_POINTER:
            yield from rate_keys(working_set)
            yield from running_keys(working_set)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Offer it."""
        row = offer(working_set, self.asked, self.actor)
        working_set.insert(QUOTE, row.quote_id, row)
        return pb.CreateQuoteResponse(
            quote=encode.quote(row, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class CancelQuote(Command):
    """Give a quote up."""

    __slots__ = ("actor", "quote_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, quote_id: QuoteId, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.quote_id = quote_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the quote."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(QUOTE, self.quote_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it up unless it was used; giving it up again does no harm."""
        row = find_quote(working_set, self.quote_id, self.actor)
        if row.state != QuoteState.CANCELLED:
            model.check_open(row)
            row = working_set.edit(QUOTE, self.quote_id)
            row.state = QuoteState.CANCELLED
        return pb.CancelQuoteResponse(
            quote=encode.quote(row, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class _Exchange(Command):
    """What both ways to exchange have in common: the gate, the accounts and the reply."""

    __slots__ = ("actor", "conversion_id", "gate", "guard", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        actor: Actor,
        conversion_id: ConversionId,
        transaction_id: TransactionId,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(book, request)
        self.actor = actor
        self.conversion_id = conversion_id
        self.transaction_id = transaction_id
        self.gate = gate
        self.guard = guard

    @property
    def weight(self) -> int:
        """Postings of one exchange at most."""
        return 6

    def accounts(self, working_set: WorkingSet) -> tuple[AccountId, AccountId] | None:
        """Return which accounts are charged and paid, as soon as it is known."""
        del working_set
        raise AssertionError("each way to exchange knows its accounts")

    def pair(self, working_set: WorkingSet) -> tuple[str, str] | None:
        """Return both currencies, as soon as they are known."""
        del working_set
        raise AssertionError("each way to exchange knows its currencies")

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer's accounts, the bank's, and the rates."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
            yield from running_keys(working_set)
        both = self.accounts(working_set)
        if both is None:
            return
        if self.guard is not None:
            device_id = None if self.gate is None else self.gate.device_id
            yield from self.guard.keys(
                working_set, stage, payer_id=both[0], payee_id=both[1], device_id=device_id
            )
        if stage == STAGE_RECORD:
            yield from quota_keys(working_set, both[0])
        elif stage == STAGE_ACCOUNT:
            yield from (RowKey(ACCOUNT, account_id) for account_id in both)
            yield from enforce.keys(stage, payer_id=both[0], payee_id=both[1])
            pair = self.pair(working_set)
            if pair is not None:
                home = version_now(working_set).home_currency
                for account_id in bank_accounts(working_set.book, home, *pair):
                    yield RowKey(ACCOUNT, account_id)

    def exchange(self, working_set: WorkingSet, quote: QuoteRow) -> tuple[ConversionRow, int]:
        """Check the customer, demand approval, book; return the conversion and what is left."""
        movement = movement_of(working_set, quote, self.actor, self.gate, self.transaction_id)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if self.gate is not None:
            self.gate.demand(working_set, of_conversion(quote), least)
        row, outcome = convert(working_set, quote, self.conversion_id, self.transaction_id)
        settle(working_set, verdict)
        return row, outcome.debit.available

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and the fresh quote."""
        if isinstance(refusal, FreshOffered):
            working_set.insert(QUOTE, refusal.row.quote_id, refusal.row)
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)


class ExecuteQuote(_Exchange):
    """Exchange what was offered."""

    __slots__ = ("age_max_us", "fresh_id", "quote_id", "source", "target")

    reply_type: type[pb.ExecuteQuoteResponse | pb.PayAbroadResponse] = pb.ExecuteQuoteResponse
    """What is answered; both have the same fields."""

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        quote_id: QuoteId,
        source: tuple[int, str],
        target: tuple[int, str],
        fresh_id: QuoteId,
        age_max_us: Callable[[int], int],
        actor: Actor,
        conversion_id: ConversionId,
        transaction_id: TransactionId,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(
            book,
            request,
            actor=actor,
            conversion_id=conversion_id,
            transaction_id=transaction_id,
            gate=gate,
            guard=guard,
        )
        self.quote_id = quote_id
        self.source = source
        """Amount and currency that the customer was shown."""
        self.target = target
        self.fresh_id = fresh_id
        self.age_max_us = age_max_us

    def accounts(self, working_set: WorkingSet) -> tuple[AccountId, AccountId] | None:
        """Return the quote's."""
        row = working_set.get(QUOTE, self.quote_id)
        return None if row is None else (row.from_account_id, row.to_account_id)

    def pair(self, working_set: WorkingSet) -> tuple[str, str] | None:
        """Return the quote's."""
        row = working_set.get(QUOTE, self.quote_id)
        return None if row is None else (row.source_currency, row.target_currency)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the quote, then what it needs."""
        if stage == STAGE_LINK:
            yield RowKey(QUOTE, self.quote_id)
        elif stage == STAGE_ACCOUNT:
            quote = working_set.get(QUOTE, self.quote_id)
            if quote is not None and quote.promotion_id is not None:
                yield RowKey(PROMOTION, quote.promotion_id)
        yield from super().keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Exchange unless it is used, given up, too late, or not what was shown."""
        quote = find_quote(working_set, self.quote_id, self.actor)
        model.check_amount("source_amount", self.source, (quote.source, quote.source_currency))
        model.check_amount("target_amount", self.target, (quote.target, quote.target_currency))
        model.check_open(quote)
        if quote.state_at(working_set.now_us) == QuoteState.EXPIRED:
            raise self._fresh(working_set, quote, "FX_QUOTE_EXPIRED", "the quote has expired")
        if not quote.lock_seconds and self._moved(working_set, quote):
            raise self._fresh(working_set, quote, "FX_RATE_MOVED", "the rate changed since")
        if not check_promotion(working_set, quote):
            message = "the promotion's money is spent"
            raise self._fresh(working_set, quote, "FX_PROMOTION_SPENT", message)
        row, available = self.exchange(working_set, quote)
        return self.reply_type(
            conversion=encode.conversion(row, quote),
            available_minor_units=available,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def offer_anew(self, working_set: WorkingSet, asked: Asked) -> QuoteRow:
        """Return the same exchange at the price of the moment."""
        return offer(working_set, asked, self.actor)

    def _moved(self, working_set: WorkingSet, quote: QuoteRow) -> bool:
        rates = present_rates(working_set, quote.source_currency, quote.target_currency)
        present = {code: (row.rate, row.observed_at_us) for code, row in rates.items()}
        promised = {
            quote.source_currency: (quote.source_rate, quote.source_observed_us),
            quote.target_currency: (quote.target_rate, quote.target_observed_us),
        }
        return any(promised[code] != now for code, now in present.items())

    def _fresh(
        self, working_set: WorkingSet, quote: QuoteRow, reason: str, message: str
    ) -> Refusal:
        """Return the refusal that offers the same exchange anew; or why it cannot be offered."""
        fixes_source = quote.fixed_side == 1
        asked = Asked(
            quote_id=self.fresh_id,
            from_account_id=quote.from_account_id,
            to_account_id=quote.to_account_id,
            amount=quote.source if fixes_source else quote.target,
            currency_code=quote.source_currency if fixes_source else quote.target_currency,
            lock_seconds=quote.lock_seconds,
            tier=quote.tier,
            age_max_us=self.age_max_us,
            promoted=True,
        )
        return FreshOffered(reason, message, quote, self.offer_anew(working_set, asked))


class Convert(_Exchange):
    """Exchange a small amount at once."""

    __slots__ = ("asked", "counter_currency")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        asked: Asked,
        counter_currency: str,
        actor: Actor,
        conversion_id: ConversionId,
        transaction_id: TransactionId,
        gate: Gate | None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(
            book,
            request,
            actor=actor,
            conversion_id=conversion_id,
            transaction_id=transaction_id,
            gate=gate,
            guard=guard,
        )
        self.asked = asked
        self.counter_currency = counter_currency
        """The currency that the amount is not in; both are needed before the accounts are."""

    def accounts(self, working_set: WorkingSet) -> tuple[AccountId, AccountId] | None:
        """Return those of the request."""
        del working_set
        return self.asked.from_account_id, self.asked.to_account_id

    def pair(self, working_set: WorkingSet) -> tuple[str, str] | None:
        """Return those of the request."""
        del working_set
        return self.asked.currency_code, self.counter_currency

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what it needs; which side is which is known only with the accounts."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_ACCOUNT:
            home = version_now(working_set).home_currency
            pair = self.counter_currency, self.asked.currency_code
            yield from spending_keys(working_set, pair, home)
            for account_id in bank_accounts(working_set.book, home, *pair):
                yield RowKey(ACCOUNT, account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Offer it and take it, unless it is too large to go unseen."""
        quote = offer(working_set, self.asked, self.actor)
        expected = {quote.source_currency, quote.target_currency} - {self.asked.currency_code}
        if expected != {self.counter_currency}:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "the other account is in another currency",
                metadata={"expected": min(expected), "actual": self.counter_currency},
                field="counter_currency_code",
            )
        version = version_now(working_set)
        model.check_limit(
            "FX_QUOTE_NEEDED", quote.home_value, version.convert_max, version.home_currency
        )
        row, available = self.exchange(working_set, quote)
        return pb.ConvertResponse(
            conversion=encode.conversion(row, quote),
            available_minor_units=available,
            committed_at=working_set.committed_at,
        ).SerializeToString()
