"""Taking a conversion back: once, at its own rate while that may be had, at today's after. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen_server.conversions import encode, model
from longmen_server.conversions.booking import bank_accounts, book, take_back
from longmen_server.conversions.commands import rate_keys
from longmen_server.conversions.model import ReversalBasis, ReversalRow
from longmen_server.conversions.pricing import present_rates
from longmen_server.conversions.quota import counted_keys, give_back
from longmen_server.conversions.tables import BOOKED, QUOTE, REVERSAL
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER, STAGE_RECORD
from longmen_server.engine.journal import Event
from longmen_server.fx.model import Terms, minor_ratio, sell, value
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_age, pair_of
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.ledger.tables import REVERSAL as LEDGER_REVERSAL
from longmen_server.platform.clock import business_date
from longmen_server.promotions import spending
from longmen_server.promotions.tables import PROMOTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from longmen_server.conversions.model import ConversionRow, QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import ConversionId, TransactionId

__all__ = ["ReverseConversion"]


class ReverseConversion(Command):
    """Take a conversion back; the customer gave no order, so no limit of the customer's counts."""

    __slots__ = ("age_max_us", "basis", "conversion_id", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        conversion_id: ConversionId,
        basis: int,
        transaction_id: TransactionId,
        age_max_us: Callable[[int], int],
    ) -> None:
        super().__init__(book, request)
        self.conversion_id = conversion_id
        self.basis = basis
        """Demanded; 0 leaves it to the price list."""
        self.transaction_id = transaction_id
        self.age_max_us = age_max_us

    @property
    def weight(self) -> int:
        """Postings at most."""
        return 6

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the conversion and the rates, its quote, the accounts, and an earlier reversal."""
        if stage == STAGE_POINTER:
            yield RowKey(BOOKED, self.conversion_id)
            yield from rate_keys(working_set)
            return
        row = working_set.get(BOOKED, self.conversion_id)
        if row is None:
            return
        if stage == STAGE_LINK:
            yield RowKey(QUOTE, row.quote_id)
        elif stage == STAGE_ACCOUNT:
            yield from self._accounts(working_set, row)
        elif stage == STAGE_RECORD:
            yield RowKey(REVERSAL, self.conversion_id)
            yield RowKey(LEDGER_REVERSAL, row.transaction_id)
            quote = working_set.get(QUOTE, row.quote_id)
            if quote is not None:
                yield from counted_keys(row, quote.from_account_id)

    def _accounts(self, working_set: WorkingSet, row: ConversionRow) -> Iterable[RowKey]:
        quote = working_set.get(QUOTE, row.quote_id)
        if quote is None:
            return
        yield RowKey(ACCOUNT, quote.from_account_id)
        yield RowKey(ACCOUNT, quote.to_account_id)
        if quote.promotion_id is not None:
            yield RowKey(PROMOTION, quote.promotion_id)
        # One way and the other: at today's rate the rest of rounding is in the source's currency.
        source, target = quote.source_currency, quote.target_currency
        for home in {home_of(quote), version_now(working_set).home_currency}:
            for pair in ((source, target), (target, source)):
                for account_id in bank_accounts(working_set.book, home, *pair):
                    yield RowKey(ACCOUNT, account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it back unless it was, or is not there."""
        row = working_set.get(BOOKED, self.conversion_id)
        quote = None if row is None else working_set.get(QUOTE, row.quote_id)
        if row is None or quote is None:
            raise model.conversion_not_found(self.conversion_id)
        payer = working_set.get(ACCOUNT, quote.from_account_id)
        payee = working_set.get(ACCOUNT, quote.to_account_id)
        if payer is None or payee is None or payer.owner_id != payee.owner_id:
            raise model.not_reversible(self.conversion_id)
        earlier = working_set.get(REVERSAL, self.conversion_id)
        if earlier is not None:
            raise model.already_reversed(self.conversion_id, earlier.transaction_id)
        elsewhere = working_set.get(LEDGER_REVERSAL, row.transaction_id)
        if elsewhere is not None:
            raise model.already_reversed(self.conversion_id, elsewhere[1])
        window_us = version_now(working_set).reversal_us
        basis = model.basis_of(self.basis, row, working_set.now_us, window_us)
        if basis == ReversalBasis.ORIGINAL:
            reversal = self._undo(working_set, row, quote)
        else:
            reversal = self._exchange_back(working_set, quote)
        working_set.insert(REVERSAL, self.conversion_id, reversal)
        payload = encode.reversed_(reversal, row.customer_id)
        kind = event_pb2.EVENT_TYPE_FX_CONVERSION_REVERSED
        at_us = working_set.next_stamp()
        working_set.emit(Event(kind, self.conversion_id, 0, at_us, payload, payload))
        return pb.ReverseConversionResponse(
            conversion=encode.conversion(row, quote, reversal),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _undo(self, working_set: WorkingSet, row: ConversionRow, quote: QuoteRow) -> ReversalRow:
        """Book the opposite of every posting; the ledger links both transactions."""
        outcome = take_back(
            working_set,
            quote,
            original_id=row.transaction_id,
            transaction_id=self.transaction_id,
            home=home_of(quote),
        )
        give_back(working_set, row)
        if quote.promotion_id is not None:
            spending.give_back(working_set, quote.promotion_id, quote.discount)
        links = (row.transaction_id, self.transaction_id)
        working_set.insert(LEDGER_REVERSAL, row.transaction_id, links)
        return ReversalRow(
            conversion_id=self.conversion_id,
            transaction_id=self.transaction_id,
            basis=ReversalBasis.ORIGINAL,
            taken=quote.target,
            returned=quote.source,
            residue=0,
            created_at_us=outcome.posting.booked_at_us,
            source_rate=quote.source_rate,
            target_rate=quote.target_rate,
        )

    def _exchange_back(self, working_set: WorkingSet, quote: QuoteRow) -> ReversalRow:
        """Book an exchange the other way at the mid-market rate of the moment.

        Raises:
            Refusal: FX_RATE_NOT_FOUND, FX_RATE_STALE, FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE.
        """
        version = version_now(working_set)
        source, target, home = quote.source_currency, quote.target_currency, version.home_currency
        rates = present_rates(working_set, source, target, home)
        pair = pair_of(rates, target, source)
        check_age(pair, working_set.now_us, self.age_max_us(version.rate_age_max_us))
        deal = sell(quote.target, minor_ratio(pair.mid, target, source), Terms(0))
        to_home = minor_ratio(pair_of(rates, target, home).mid, target, home)
        back = replace(
            quote,
            from_account_id=quote.to_account_id,
            to_account_id=quote.from_account_id,
            source_currency=target,
            target_currency=source,
            source_rate=pair.source.rate,
            target_rate=pair.target.rate,
            spread_basis_points=0,
            fee_basis_points=0,
            source=deal.source,
            fee=deal.fee,
            target=deal.target,
            spread=deal.spread,
            residue=deal.residue,
            home_value=value(deal.exchanged, to_home),
        )
        outcome = book(working_set, back, self.transaction_id, home)
        return ReversalRow(
            conversion_id=self.conversion_id,
            transaction_id=self.transaction_id,
            basis=ReversalBasis.TODAY,
            taken=back.source,
            returned=back.target,
            residue=back.residue,
            created_at_us=outcome.posting.booked_at_us,
            source_rate=pair.target.rate,
            target_rate=pair.source.rate,
        )


def home_of(quote: QuoteRow) -> str:
    """Return the home currency that a quote was booked in."""
    return load_policy().at(business_date(quote.created_at_us)).home_currency
