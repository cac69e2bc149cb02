"""What is booked of any exchange: every currency comes to nothing, and taken back nothing stays."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from longmen_server.conversions.booking import book, take_back
from longmen_server.conversions.model import QuoteRow
from longmen_server.engine.working_set import WorkingSet
from longmen_server.fx.model import Deal, Terms, cross, minor_ratio, sell, value
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.ledger.tables import ACCOUNT, POSTING
from longmen_server.platform.ids import AccountId, CustomerId, QuoteId, TransactionId
from longmen_server.platform.refusal import Refusal

HOME = "CNY"
RATES = {
    "EUR": "1",
    "USD": "1.1172",
    "JPY": "175.68",
    "CNY": "7.4326",
    "KWD": "0.34251",
    "IDR": "20275.17",
}
CODES = st.sampled_from(sorted(RATES))
TERMS = st.builds(Terms, st.integers(0, 500), st.integers(0, 300))
FUNDS = 10**13


def an_id(number: int) -> bytes:
    return number.to_bytes(14, "big") + (1).to_bytes(2, "big")


def wallet(working_set: WorkingSet, number: int, code: str) -> AccountId:
    """An account of a customer with more than enough."""
    account_id = AccountId(an_id(number))
    row = AccountRow(
        account_id=account_id,
        currency_code=code,
        account_type=2,
        chart_code=2010,
        state=AccountState.OPEN,
        debits_posted=0,
        credits_posted=FUNDS,
        debits_pending=0,
        credits_pending=0,
        floor_minor_units=0,
        ceiling_minor_units=None,
        version=1,
        booked_at_us=0,
        created_at_us=0,
        owner_id=CustomerId(an_id(9)),
        description=None,
    )
    working_set.insert(ACCOUNT, account_id, row)
    return account_id


def quote_of(accounts: tuple[AccountId, AccountId], pair: tuple[str, str], deal: Deal) -> QuoteRow:
    source, target = pair
    home = minor_ratio(cross(Decimal(RATES[source]), Decimal(RATES[HOME])), source, HOME)
    return QuoteRow(
        quote_id=QuoteId(an_id(5)),
        customer_id=CustomerId(an_id(9)),
        from_account_id=accounts[0],
        to_account_id=accounts[1],
        conversion_id=None,
        promotion_id=None,
        undiscounted_basis_points=0,
        discount=0,
        state=1,
        fixed_side=1,
        lock_seconds=0,
        spread_basis_points=0,
        fee_basis_points=0,
        source=deal.source,
        fee=deal.fee,
        target=deal.target,
        spread=deal.spread,
        residue=deal.residue,
        home_value=value(deal.exchanged, home),
        source_observed_us=0,
        target_observed_us=0,
        created_at_us=0,
        expires_at_us=0,
        source_currency=source,
        target_currency=target,
        source_rate=RATES[source],
        target_rate=RATES[target],
        tier="standard",
    )


@given(st.integers(1, 10**9), CODES, CODES, TERMS)
def test_every_currency_comes_to_nothing_and_taken_back_nothing_stays(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    assume(source != target)
    ratio = minor_ratio(cross(Decimal(RATES[source]), Decimal(RATES[target])), source, target)
    deal = None
    with suppress(Refusal):
        deal = sell(amount, ratio, terms)
    assume(deal is not None)
    assert deal is not None
    working_set = WorkingSet(1, 1_000_000)
    working_set.begin_stamps(0)
    accounts = wallet(working_set, 1, source), wallet(working_set, 2, target)
    quote = quote_of(accounts, (source, target), deal)
    book(working_set, quote, TransactionId(an_id(3)), HOME)

    rows: dict[AccountId, AccountRow] = working_set.table(ACCOUNT).rows
    for code in {source, target, HOME}:
        funded = FUNDS * [source, target].count(code)
        same = [row for row in rows.values() if row.currency_code == code]
        assert sum(row.credits_posted - row.debits_posted for row in same) == funded
    assert rows[accounts[0]].posted == FUNDS - deal.source
    assert rows[accounts[1]].posted == FUNDS + deal.target

    take_back(
        working_set,
        quote,
        original_id=TransactionId(an_id(3)),
        transaction_id=TransactionId(an_id(4)),
        home=HOME,
    )
    rows = working_set.table(ACCOUNT).rows
    assert {row.posted for key, row in rows.items() if key in accounts} == {FUNDS}
    assert {row.posted for key, row in rows.items() if key not in accounts} == {0}
    postings = working_set.table(POSTING).appended
    assert sorted(p.amount for p in postings[: len(postings) // 2]) == sorted(
        p.amount for p in postings[len(postings) // 2 :]
    )


@given(st.integers(1, 10**9), CODES, CODES, TERMS)
def test_exchanged_back_at_the_middle_a_customer_has_no_more_than_before(
    amount: int, source: str, target: str, terms: Terms
) -> None:
    there = minor_ratio(cross(Decimal(RATES[source]), Decimal(RATES[target])), source, target)
    deal = None
    with suppress(Refusal):
        deal = sell(sell(amount, there, terms).target, 1 / there, Terms(0))
    assume(deal is not None)
    assert deal is not None
    assert deal.target <= amount
