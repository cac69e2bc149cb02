"""What an exchange between two accounts costs: the one place where offers are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longmen_server.conversions.model import (
    SECOND_US,
    UNLOCKED_SECONDS,
    QuoteRow,
    QuoteState,
    check_limit,
)
from longmen_server.fx.model import BASE, Side, buy, sell, value
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_age, check_pair, pair_of
from longmen_server.fxrates.tables import RATE
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.refusal import Refusal
from longmen_server.promotions.model import saved
from longmen_server.promotions.spending import discount
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from longmen_server.accounts.model import Actor
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fx.model import Deal, Terms
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.model import Pair, RateRow
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId, QuoteId

__all__ = ["Asked", "offer", "present_rates", "price", "wallet_pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be exchanged."""

    quote_id: QuoteId
    from_account_id: AccountId
    to_account_id: AccountId
    amount: int
    currency_code: str
    """Of one of the accounts: that side is fixed."""
    lock_seconds: int
    tier: str
    age_max_us: Callable[[int], int]
    """How old a rate may be, from what the price list says."""
    promoted: bool = False
    """Whether promotions count: they do for what a customer is shown or asks for at once."""


def present_rates(working_set: WorkingSet, *codes: str) -> dict[str, RateRow]:
    """Return the rates of currencies that there are; the command has to have named them."""
    rows = {code: working_set.get(RATE, code) for code in codes if code != BASE}
    return {code: row for code, row in rows.items() if row is not None}


def wallet_pair(
    working_set: WorkingSet, from_id: AccountId, to_id: AccountId, actor: Actor
) -> tuple[AccountRow, AccountRow]:
    """Return two accounts of one customer, which the actor may use.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND.
    """
    found = []
    for account_id in (from_id, to_id):
        row = working_set.get(ACCOUNT, account_id)
        if row is None:
            raise account_not_found(account_id)
        found.append(find_wallet_account(working_set, account_id, row.currency_code, actor))
    if found[0].owner_id != found[1].owner_id:
        raise account_not_found(to_id)
    return found[0], found[1]


def offer(working_set: WorkingSet, asked: Asked, actor: Actor) -> QuoteRow:
    """Return what an exchange would be now.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE,
            FX_RATE_NOT_FOUND, FX_RATE_STALE, FX_AMOUNT_TOO_SMALL, FX_AMOUNT_TOO_LARGE,
            FX_ORDER_LIMIT.
    """
    payer, payee = wallet_pair(working_set, asked.from_account_id, asked.to_account_id, actor)
    return price(working_set, asked, payer, (payee.account_id, payee.currency_code))


def terms_of(
    asked: Asked, pair: tuple[str, str], version: FxVersion, rates: Mapping[str, RateRow]
) -> Terms:
    """Return what an exchange costs by the price list.

    Raises:
        Refusal: FX_RATE_NOT_FOUND, FX_ORDER_LIMIT.
    """
    code, home = asked.currency_code, version.home_currency
    worth = value(asked.amount, pair_of(rates, code, home).ratio)
    check_limit("FX_ORDER_LIMIT", worth, version.order_max, home)
    return version.terms(*pair, tier=asked.tier, home_value=worth, lock_s=asked.lock_seconds)


def price(
    working_set: WorkingSet,
    asked: Asked,
    payer: AccountRow,
    payee: tuple[AccountId, str],
    *,
    surcharge_basis_points: int = 0,
) -> QuoteRow:
    """Return what an exchange between two accounts would be now, whoever they are of.

    Args:
        working_set: with the rates.
        asked: what is to be exchanged.
        payer: the account that is charged.
        payee: the account that is paid, and its currency.
        surcharge_basis_points: of what is paid, beside the fee of the price list.

    Raises:
        Refusal: as :func:`offer`, but for the accounts.
    """
    source, (payee_id, target) = payer.currency_code, payee
    version, now_us = version_now(working_set), working_set.now_us
    home = version.home_currency
    check_pair(source, target, version.tradable)
    if asked.currency_code not in {source, target}:
        raise Refusal(
            "CURRENCY_MISMATCH",
            "the amount is in neither account's currency",
            metadata={"expected": source, "actual": asked.currency_code},
            field="amount.currency_code",
        )
    rates = present_rates(working_set, source, target, home)
    pair = pair_of(rates, source, target)
    check_age(pair, now_us, asked.age_max_us(version.rate_age_max_us))
    terms = terms_of(asked, (source, target), version, rates)
    if surcharge_basis_points:
        terms = replace(terms, fee_basis_points=terms.fee_basis_points + surcharge_basis_points)
    source_home = pair_of(rates, source, home).ratio
    side, deal = _deal(asked, source, pair, terms)
    found = None
    if asked.promoted:
        # Without the discount an exchange is worth no less than with it.
        found = discount(
            working_set,
            (source, target),
            asked.tier,
            home,
            spread=terms.spread_basis_points,
            home_value=value(deal.exchanged, source_home),
        )
    if found is not None:
        less = terms.spread_basis_points - found.basis_points
        side, deal = _deal(asked, source, pair, replace(terms, spread_basis_points=less))
    row = _row(asked, payer, payee_id, pair, terms, side, deal, now_us)
    row.created_at_us = working_set.next_stamp()
    row.home_value = value(deal.exchanged, source_home)
    if found is not None:
        row.promotion_id = found.promotion_id
        row.spread_basis_points -= found.basis_points
        row.discount = saved(row.home_value, found.basis_points)
    return row


def _deal(asked: Asked, source: str, pair: Pair, terms: Terms) -> tuple[Side, Deal]:
    """Return which side is fixed, and the exchange in amounts."""
    side = Side.SOURCE if asked.currency_code == source else Side.TARGET
    return side, (sell if side == Side.SOURCE else buy)(asked.amount, pair.ratio, terms)


def _row(
    asked: Asked,
    payer: AccountRow,
    payee_id: AccountId,
    pair: Pair,
    terms: Terms,
    side: Side,
    deal: Deal,
    now_us: int,
) -> QuoteRow:
    """Return an offer without a promotion, which nothing is counted of yet."""
    valid_s = asked.lock_seconds or UNLOCKED_SECONDS
    return QuoteRow(
        quote_id=asked.quote_id,
        customer_id=payer.owner_id,
        from_account_id=payer.account_id,
        to_account_id=payee_id,
        conversion_id=None,
        promotion_id=None,
        state=QuoteState.ACTIVE,
        fixed_side=side,
        lock_seconds=asked.lock_seconds,
        spread_basis_points=terms.spread_basis_points,
        undiscounted_basis_points=terms.spread_basis_points,
        fee_basis_points=terms.fee_basis_points,
        source=deal.source,
        fee=deal.fee,
        target=deal.target,
        spread=deal.spread,
        residue=deal.residue,
        home_value=0,
        discount=0,
        source_observed_us=pair.source.observed_at_us,
        target_observed_us=pair.target.observed_at_us,
        created_at_us=now_us,
        expires_at_us=now_us + valid_s * SECOND_US,
        source_currency=pair.source.currency_code,
        target_currency=pair.target.currency_code,
        source_rate=pair.source.rate,
        target_rate=pair.target.rate,
        tier=asked.tier,
    )
