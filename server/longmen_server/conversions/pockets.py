"""Which other pocket of a payer could pay what one cannot: told with the refusal, and never booked.

Nothing is looked at before a payment is refused for want of money, so payments that go through cost
nothing more. What is told is the price of the moment: whoever follows it asks for a quote. It is
made anew each time it is told, also to a request that comes again.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import psycopg
import structlog

from longmen_server.accounts.model import Actor
from longmen_server.accounts.queries import list_pockets
from longmen_server.conversions.model import QuotaKey
from longmen_server.conversions.pricing import Asked, offer, present_rates
from longmen_server.conversions.queries import list_quotas
from longmen_server.conversions.quota import use_quota
from longmen_server.conversions.tables import QUOTA
from longmen_server.engine.working_set import WorkingSet
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.queries import all_rates
from longmen_server.fxrates.tables import RATE
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.queries.history import find_account_rows
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import QuoteId, book_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from longmen_server.conversions.model import QuoteRow
    from longmen_server.ledger.model import AccountRow
    from longmen_server.ledger.read_service import ReadTools
    from longmen_server.platform.ids import AccountId
    from longmen_server.transport.context import Call

__all__ = ["POCKETS_MAX", "Pockets", "best_pocket"]

log = structlog.get_logger("longmen.pockets")

POCKETS_MAX: Final = 40
"""Pockets that are looked at; one for each currency that is dealt in are about thirty."""
TOLD_TO: Final = frozenset({"customer", "service"})
"""Kinds of callers that see what the payer has: the payer, and the bank's own channels."""
TIER: Final = "standard"
NO_QUOTE: Final = QuoteId(bytes(16))
"""Of what is never kept."""


def best_pocket(
    working_set: WorkingSet,
    payer: AccountRow,
    pockets: Iterable[AccountRow],
    missing: int,
    age_max_us: Callable[[int], int],
) -> QuoteRow | None:
    """Return the cheapest exchange from one other pocket for what is missing; None if none does.

    Args:
        working_set: with the rates, the accounts and what is used of the quotas.
        payer: the account that has too little.
        pockets: others of the same owner.
        missing: minor units of the payer's currency, above zero.
        age_max_us: how old a rate may be, from what the price list says.
    """
    found = []
    for pocket in pockets:
        if pocket.account_id == payer.account_id or pocket.state != AccountState.OPEN:
            continue
        asked = Asked(
            quote_id=NO_QUOTE,
            from_account_id=pocket.account_id,
            to_account_id=payer.account_id,
            amount=missing,
            currency_code=payer.currency_code,
            lock_seconds=0,
            tier=TIER,
            age_max_us=age_max_us,
        )
        quote = _affordable(working_set, asked, pocket)
        if quote is not None:
            worth = Fraction(quote.home_value * quote.source, quote.deal.exchanged)
            found.append((worth, pocket.account_id, quote))
    return min(found)[2] if found else None


def _affordable(working_set: WorkingSet, asked: Asked, pocket: AccountRow) -> QuoteRow | None:
    """Return what an exchange would be; None if it would be refused or is more than there is."""
    mark = working_set.mark()
    try:
        quote = offer(working_set, asked, Actor(None))
        version = version_now(working_set)
        home, unit = version.home_currency, version.quota_currency
        pair = quote.source_currency, quote.target_currency
        use_quota(working_set, quote, version, present_rates(working_set, *pair, home, unit))
    except Refusal:
        return None
    finally:
        working_set.rollback(mark)
    return quote if quote.source <= spendable(pocket) else None


def spendable(row: AccountRow) -> int:
    """Return what may leave an account, in its minor units."""
    return row.available - (row.floor_minor_units or 0)


class Pockets:
    """Tells payers which other pocket would do."""

    def __init__(self, reading: ReadTools, age_max_us: Callable[[int], int]) -> None:
        """Take connections and a clock, and how old a rate may be."""
        self._read = reading
        self._age_max_us = age_max_us

    async def advise(self, refusal: Refusal, call: Call, payer_id: AccountId, amount: int) -> None:
        """Add to a refusal for want of money which other pocket of the payer would do.

        Anybody else's refusal, and one that nothing can be told about, stays as it is.

        Args:
            refusal: of the payment.
            call: that is refused.
            payer_id: the account that was to be charged.
            amount: of the whole payment, in the account's minor units.
        """
        if (
            refusal.reason != "INSUFFICIENT_FUNDS"
            or "available_minor_units" not in refusal.metadata
            or call.principal.kind not in TOLD_TO
        ):
            return
        try:
            quote = await self._find(call, payer_id, amount)
        except (Refusal, psycopg.Error, TimeoutError) as error:
            # The payer is told no either way; that must not depend on good advice.
            log.warning("no_advice", error=type(error).__name__)
            return
        if quote is not None:
            refusal.metadata = {
                **refusal.metadata,
                "missing_minor_units": str(quote.target),
                "pocket_account_id": ACCOUNT_TEXT.encode(quote.from_account_id),
                "pocket_minor_units": str(quote.source),
                "pocket_currency_code": quote.source_currency,
            }

    async def _find(self, call: Call, payer_id: AccountId, amount: int) -> QuoteRow | None:
        book, now_us = book_of(payer_id), self._read.clock.now_us()
        working_set = WorkingSet(book, now_us)
        async with self._read.readers.connection(deadline=call.deadline) as connection:
            payer = (await find_account_rows(connection, book, [payer_id])).get(payer_id)
            missing = 0 if payer is None else amount - spendable(payer)
            if payer is None or payer.owner_id is None or missing <= 0:
                return None
            pockets = await list_pockets(
                connection, book, payer.owner_id, after=None, limit=POCKETS_MAX
            )
            rows = {pocket.account_id: row for pocket, row in pockets}
            working_set.table(ACCOUNT).rows.update(rows)
            working_set.table(RATE).rows.update(await all_rates(connection, book))
            year = business_date(now_us).year
            for row in await list_quotas(connection, payer.owner_id, year):
                key = QuotaKey(row.customer_id, row.year, row.side)
                working_set.table(QUOTA).rows[key] = row
        return best_pocket(working_set, payer, rows.values(), missing, self._age_max_us)
