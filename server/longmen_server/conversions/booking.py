"""How an exchange is booked: both sides in one transaction, over the bank's position accounts.

What the customer pays goes to the position account of its currency, what the customer gets comes
from that of the other, and so do spread and rounding. A position in a foreign currency has a
counter value in the home currency: what it cost, kept on an account of its own, so that position
and result can be read from the ledger. In every currency debits equal credits, posting by posting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen.events.v1 import event_pb2
from longmen_server.conversions.model import check_position, counter_account_id
from longmen_server.engine.journal import Event
from longmen_server.fx.model import value
from longmen_server.fxrates.model import pair_of
from longmen_server.ledger.chart import (
    CHART,
    FEE_INCOME,
    FX_COUNTER_VALUE,
    FX_POSITION,
    ROUNDING,
    SPREAD_INCOME,
    system_account_id,
)
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.commands import open_account
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from longmen_server.conversions.model import QuoteRow
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import RateRow
    from longmen_server.ledger.model import PostingOutcome
    from longmen_server.platform.ids import AccountId, TransactionId

__all__ = ["bank_accounts", "book", "check_positions", "take_back"]

STATED_DIGITS: Final = 8
"""Significant digits of the rate on statements."""


def bank_accounts(book: int, home: str, source: str, target: str) -> Iterator[AccountId]:
    """Return the bank's accounts that an exchange may touch."""
    yield system_account_id(book, source, FEE_INCOME)
    yield system_account_id(book, target, SPREAD_INCOME)
    yield system_account_id(book, target, ROUNDING)
    for code in (source, target):
        if code != home:
            yield system_account_id(book, code, FX_POSITION)
            yield counter_account_id(book, home, code)


def position_account(working_set: WorkingSet, code: str, other: str, home: str) -> AccountId:
    """Return where one side goes, opened if nobody needed it before.

    The home currency's side is the counter value of the other currency's position.
    """
    if code == home:
        return counter_account(working_set, other, home)
    return ensure_system_account(working_set, code, FX_POSITION)


def counter_account(working_set: WorkingSet, code: str, home: str) -> AccountId:
    """Return the account of a position's counter value, opened if nobody needed it before."""
    account_id = counter_account_id(working_set.book, home, code)
    if working_set.get(ACCOUNT, account_id) is None:
        line = CHART[FX_COUNTER_VALUE]
        open_account(
            working_set,
            AccountRow(
                account_id=account_id,
                currency_code=home,
                account_type=line.account_type,
                chart_code=line.code,
                state=AccountState.OPEN,
                debits_posted=0,
                credits_posted=0,
                debits_pending=0,
                credits_pending=0,
                floor_minor_units=None,
                ceiling_minor_units=None,
                version=0,
                booked_at_us=0,
                created_at_us=0,
                owner_id=None,
                description=f"{line.name} {code}",
            ),
        )
    return account_id


class Leg(NamedTuple):
    """One posting of an exchange, before it is booked."""

    debit: AccountId
    credit: AccountId
    currency_code: str
    amount: int
    code: int
    description: str | None = None
    reference: str | None = None


def legs(
    working_set: WorkingSet,
    quote: QuoteRow,
    home: str,
    *,
    abroad: bool = False,
    reference: str | None = None,
) -> list[Leg]:
    """Return what is booked of an exchange, in order; the bank's accounts are opened if need be.

    The customer's lines tell the rate and the fee: they stand on statements. What is paid to
    somebody else tells no rate, from which that one could see what it cost.
    """
    source, target, deal = quote.source_currency, quote.target_currency, quote.deal
    sold = position_account(working_set, source, target, home)
    bought = position_account(working_set, target, source, home)
    charged, paid = quote.from_account_id, quote.to_account_id
    told, result = told_rate(quote), PostingCode.EXCHANGE_RESULT
    found = [
        Leg(charged, sold, source, deal.exchanged, PostingCode.EXCHANGE, told),
        Leg(
            *(bought, paid, target, deal.target, PostingCode.EXCHANGE),
            description=None if abroad else told,
            reference=reference,
        ),
    ]
    if deal.fee:
        income = ensure_system_account(working_set, source, FEE_INCOME)
        told_fee = f"fee {quote.fee_basis_points} bp of {Money(deal.source, source)}"
        found.append(Leg(charged, income, source, deal.fee, PostingCode.EXCHANGE_FEE, told_fee))
    if deal.spread:
        income = ensure_system_account(working_set, target, SPREAD_INCOME)
        found.append(Leg(bought, income, target, deal.spread, result))
    if deal.residue:
        rounding = ensure_system_account(working_set, target, ROUNDING)
        found.append(Leg(bought, rounding, target, deal.residue, result))
    if home not in {source, target} and quote.home_value:
        given = counter_account(working_set, source, home)
        got = counter_account(working_set, target, home)
        found.append(Leg(given, got, home, quote.home_value, result))
    return found


def told_rate(quote: QuoteRow) -> str:
    """Return the rate and the fee as a customer's statement has them."""
    rate = quote.shown_rate(quote.spread_basis_points, STATED_DIGITS)
    text = f"1 {quote.source_currency} = {rate} {quote.target_currency}"
    return f"{text}, fee {Money(quote.fee, quote.source_currency)}" if quote.fee else text


def book(
    working_set: WorkingSet,
    quote: QuoteRow,
    transaction_id: TransactionId,
    home: str,
    *,
    abroad: bool = False,
    reference: str | None = None,
) -> PostingOutcome:
    """Book an exchange and return the last posting that charges the customer.

    Raises:
        Refusal: of a posting: INSUFFICIENT_FUNDS, frozen or closed accounts.
    """
    outcomes: list[PostingOutcome] = []
    for leg in legs(working_set, quote, home, abroad=abroad, reference=reference):
        intent = PostingIntent(
            transaction_id=transaction_id,
            ordinal=len(outcomes),
            debit_account_id=leg.debit,
            credit_account_id=leg.credit,
            currency_code=leg.currency_code,
            amount=leg.amount,
            code=leg.code,
            description=leg.description,
            reference=leg.reference,
        )
        outcomes.extend(book_posting(working_set, intent))
    return outcomes[2] if quote.fee else outcomes[0]


def take_back(
    working_set: WorkingSet,
    quote: QuoteRow,
    *,
    original_id: TransactionId,
    transaction_id: TransactionId,
    home: str,
) -> PostingOutcome:
    """Book the opposite of an exchange, posting by posting, and return the first.

    Raises:
        Refusal: of a posting: INSUFFICIENT_FUNDS, frozen or closed accounts.
    """
    outcomes: list[PostingOutcome] = []
    for leg in reversed(legs(working_set, quote, home)):
        intent = PostingIntent(
            transaction_id=transaction_id,
            ordinal=len(outcomes),
            debit_account_id=leg.credit,
            credit_account_id=leg.debit,
            currency_code=leg.currency_code,
            amount=leg.amount,
            code=leg.code,
            description=leg.description,
            reverses_transaction_id=original_id,
        )
        outcomes.extend(book_posting(working_set, intent))
    return outcomes[0]


def check_positions(
    working_set: WorkingSet, quote: QuoteRow, version: FxVersion, rates: Mapping[str, RateRow]
) -> None:
    """Refuse what makes a position larger than it may be, and tell when it is to be hedged.

    Raises:
        Refusal: FX_POSITION_LIMIT.
    """
    home = version.home_currency
    moves = (
        (quote.source_currency, quote.deal.exchanged),
        (quote.target_currency, -quote.deal.mid_value),
    )
    for code, change in moves:
        if code == home:
            continue
        account = working_set.get(ACCOUNT, system_account_id(working_set.book, code, FX_POSITION))
        present = 0 if account is None else account.credits_posted - account.debits_posted
        ratio = pair_of(rates, code, home).ratio
        before, after = value(present, ratio), value(present + change, ratio)
        check_position(before, after, version.position_max, code)
        if abs(before) < version.position_flag <= abs(after):
            tell_flag(working_set, code, after, version)


def tell_flag(working_set: WorkingSet, code: str, worth: int, version: FxVersion) -> None:
    """Tell that a position is to be hedged from now on."""
    payload = event_pb2.FxPositionFlag(
        currency_code=code,
        value_minor_units=worth,
        limit_minor_units=version.position_flag,
        home_currency_code=version.home_currency,
    ).SerializeToString(deterministic=True)
    account_id = system_account_id(working_set.book, code, FX_POSITION)
    kind = event_pb2.EVENT_TYPE_FX_POSITION_FLAGGED
    at_us = working_set.next_stamp()
    working_set.emit(Event(kind, account_id, 0, at_us, payload, payload))
