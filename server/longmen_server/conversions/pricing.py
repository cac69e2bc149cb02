"""What an exchange between two accounts costs: the one place where offers are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_server.conversions.model import (
    SECOND_US,
    UNLOCKED_SECONDS,
    QuoteRow,
    QuoteState,
    check_limit,
)
from longmen_server.fx.model import BASE, Side, buy, minor_ratio, sell, value
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_age, check_pair, pair_of
from longmen_server.fxrates.tables import RATE
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.accounts.model import Actor
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fxrates.model import RateRow
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId, QuoteId

__all__ = ["Asked", "offer", "present_rates", "wallet_pair"]


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
    source, target = payer.currency_code, payee.currency_code
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
    to_home = minor_ratio(pair_of(rates, asked.currency_code, home).mid, asked.currency_code, home)
    asked_value = value(asked.amount, to_home)
    check_limit("FX_ORDER_LIMIT", asked_value, version.order_max, home)
    terms = version.terms(
        source, target, tier=asked.tier, home_value=asked_value, lock_s=asked.lock_seconds
    )
    side = Side.SOURCE if asked.currency_code == source else Side.TARGET
    deal = (sell if side == Side.SOURCE else buy)(
        asked.amount, minor_ratio(pair.mid, source, target), terms
    )
    source_home = minor_ratio(pair_of(rates, source, home).mid, source, home)
    valid_s = asked.lock_seconds or UNLOCKED_SECONDS
    return QuoteRow(
        quote_id=asked.quote_id,
        customer_id=payer.owner_id,
        from_account_id=payer.account_id,
        to_account_id=payee.account_id,
        conversion_id=None,
        state=QuoteState.ACTIVE,
        fixed_side=side,
        lock_seconds=asked.lock_seconds,
        spread_basis_points=terms.spread_basis_points,
        fee_basis_points=terms.fee_basis_points,
        source=deal.source,
        fee=deal.fee,
        target=deal.target,
        spread=deal.spread,
        residue=deal.residue,
        home_value=value(deal.exchanged, source_home),
        source_observed_us=pair.source.observed_at_us,
        target_observed_us=pair.target.observed_at_us,
        created_at_us=working_set.next_stamp(),
        expires_at_us=now_us + valid_s * SECOND_US,
        source_currency=source,
        target_currency=target,
        source_rate=pair.source.rate,
        target_rate=pair.target.rate,
        tier=asked.tier,
    )
