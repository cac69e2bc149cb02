"""Balances of the past, on both axes of time, against a recomputation from the postings alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.rows import namedtuple_row

from longmen.ledger.v1 import account_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.ledger.chart import BANK_CLEARING, CHART, CUSTOMER_DEPOSITS
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.model import PostingKind
from longmen_server.platform.ids import ACCOUNT, AccountId, TransactionId
from longmen_server.platform.refusal import Refusal
from tests.support.clock import START_US, SettableClock
from tests.support.ledger import Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

CODES = (BANK_CLEARING, CUSTOMER_DEPOSITS, CUSTOMER_DEPOSITS)
FINAL = (PostingKind.POST, PostingKind.CAPTURE)
KINDS = st.sampled_from(["move", "hold", "capture", "void", "reverse"])


class Step(NamedTuple):
    """One thing that happens; numbers choose among what there is."""

    what: str
    seconds: int
    debit: int
    credit: int
    amount: int
    which: int
    late_by: int
    """Seconds that the movement happened before it was booked; 0 means at once."""
    final: bool


STEPS = st.lists(
    st.builds(
        Step,
        what=KINDS,
        seconds=st.integers(0, 3),
        debit=st.integers(0, 2),
        credit=st.integers(1, 2),
        amount=st.integers(1, 50),
        which=st.integers(0, 10),
        late_by=st.sampled_from([0, 0, 1, 2, 5, 20]),
        final=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@pytest_asyncio.fixture(scope="module")
async def ledger(module_database: Database) -> AsyncIterator[Ledger]:
    async with open_ledger(module_database.app_dsn, SettableClock()) as opened:
        yield opened


async def play(ledger: Ledger, accounts: list[AccountId], steps: list[Step]) -> None:
    """Do what the steps say as far as the rules let them."""
    holds: list[TransactionId] = []
    moves: list[TransactionId] = []
    for step in steps:
        ledger.clock.advance(step.seconds)
        effective = {}
        if step.late_by:
            effective["effective_at_us"] = ledger.clock.now_us() - step.late_by * 1_000_000
        debit = accounts[step.debit]
        credit = accounts[(step.debit + step.credit) % 3]
        try:
            if step.what == "move":
                moves.append(await ledger.move(debit, credit, step.amount, **effective))
            elif step.what == "hold":
                holds.append(await ledger.hold(debit, credit, step.amount))
            elif step.what == "reverse" and moves:
                await ledger.reverse(moves[step.which % len(moves)], **effective)
            elif holds and step.what == "capture":
                held = holds[step.which % len(holds)]
                await ledger.settle(
                    held, PostingKind.CAPTURE, step.amount, final=step.final, **effective
                )
            elif holds:
                await ledger.settle(holds[step.which % len(holds)], PostingKind.VOID)
        except Refusal:
            continue


def recompute(
    postings: list[Any],
    account_id: bytes,
    code: int,
    effective_us: int | None,
    known_us: int | None,
) -> account_pb2.Balances:
    """What the contract promises, from the postings in the order they were booked."""
    sums: dict[str, int] = defaultdict(int)
    version = 0
    bounds = [bound for bound in (effective_us, known_us) if bound is not None]
    for posting in postings:
        side = "debits" if posting.debit_account_id.bytes == account_id else "credits"
        if account_id not in {posting.debit_account_id.bytes, posting.credit_account_id.bytes}:
            continue
        booked = posting.booked_at_us
        effective = booked if posting.effective_at_us is None else posting.effective_at_us
        if posting.kind in FINAL and all(
            (
                effective_us is None or effective <= effective_us,
                known_us is None or booked <= known_us,
            )
        ):
            sums[f"{side}_posted"] += posting.amount
        if all(booked <= bound for bound in bounds):
            version += 1
            if posting.kind == PostingKind.PENDING:
                sums[f"{side}_pending"] += posting.amount
            elif posting.kind != PostingKind.POST:
                sums[f"{side}_pending"] -= posting.amount
    net = sums["debits_posted"] - sums["credits_posted"]
    if CHART[code].account_type in {1, 4}:
        posted, held = net, sums["credits_pending"]
    else:
        posted, held = -net, sums["debits_pending"]
    return account_pb2.Balances(
        currency_code="CNY", posted=posted, available=posted - held, version=version, **sums
    )


def stored_postings(dsn: str, accounts: list[AccountId]) -> list[Any]:
    with psycopg.connect(dsn, row_factory=namedtuple_row) as connection:
        return connection.execute(
            "select * from ledger_posting where debit_account_id = any(%s::uuid[])"
            " or credit_account_id = any(%s::uuid[]) order by booked_at_us",
            ([each.hex() for each in accounts],) * 2,
        ).fetchall()


@pytest.mark.timeout(180)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=STEPS)
async def test_balances_of_every_moment_are_those_of_the_postings(
    ledger: Ledger, module_database: Database, steps: list[Step]
) -> None:
    accounts = [(await ledger.open(code=code))[0] for code in CODES]
    await play(ledger, accounts, steps)
    postings = stored_postings(module_database.admin_dsn, accounts)
    moments: list[int | None] = [None, START_US - 1, ledger.clock.now_us() + 60_000_000]
    for posting in postings[:: max(1, len(postings) // 4)]:
        moments += [posting.booked_at_us - 1, posting.booked_at_us]
        if posting.effective_at_us is not None:
            moments += [posting.effective_at_us - 1, posting.effective_at_us]
    moments = list(dict.fromkeys(moments))
    for effective_us in moments:
        for known_us in moments:
            request = pb.GetBalancesRequest(account_ids=list(map(ACCOUNT.encode, accounts)))
            if effective_us is not None:
                request.as_of_effective_time.CopyFrom(timestamp(effective_us))
            if known_us is not None:
                request.known_at_booked_time.CopyFrom(timestamp(known_us))
            reply = await ledger.read("GetBalances", request)
            for account_id, code, found in zip(accounts, CODES, reply.balances, strict=True):
                expected = recompute(postings, account_id, code, effective_us, known_us)
                assert found == expected, (effective_us, known_us)


async def test_late_arrival_changes_what_happened_but_not_what_was_known(ledger: Ledger) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    await ledger.move(bank, anna, 100)
    ledger.clock.advance(3600)
    noon = ledger.clock.now_us()
    ledger.clock.advance(3600)
    await ledger.move(bank, anna, 7, effective_at_us=noon - 1)
    at_noon = timestamp(noon)

    async def posted(**bounds: Any) -> int:
        request = pb.GetBalancesRequest(account_ids=[ACCOUNT.encode(anna)], **bounds)
        reply = await ledger.read("GetBalances", request)
        return int(reply.balances[0].posted)

    assert await posted() == 107
    assert await posted(as_of_effective_time=at_noon) == 107
    assert await posted(known_at_booked_time=at_noon) == 100
    assert await posted(as_of_effective_time=at_noon, known_at_booked_time=at_noon) == 100
    now = timestamp(ledger.clock.now_us() + 10)
    assert await posted(as_of_effective_time=at_noon, known_at_booked_time=now) == 107
    early = timestamp(noon - 2)
    assert await posted(as_of_effective_time=early, known_at_booked_time=now) == 100


async def test_balances_come_in_the_order_asked_for_and_from_one_book(ledger: Ledger) -> None:
    accounts = await ledger.open(5)
    (bank,) = await ledger.open(code=BANK_CLEARING)
    for index, account_id in enumerate(accounts):
        await ledger.move(bank, account_id, index + 1)
    asked = [accounts[index] for index in (3, 0, 4, 1)]
    for known_at in (None, timestamp(ledger.clock.now_us() + 100)):
        request = pb.GetBalancesRequest(
            account_ids=list(map(ACCOUNT.encode, asked)), known_at_booked_time=known_at
        )
        reply = await ledger.read("GetBalances", request)
        assert [each.posted for each in reply.balances] == [4, 1, 5, 2]
    foreign = "acct_" + accounts[0].hex()[:-4] + "0002"
    request = pb.GetBalancesRequest(account_ids=[ACCOUNT.encode(accounts[0]), foreign])
    with pytest.raises(Refusal) as caught:
        await ledger.read("GetBalances", request)
    assert caught.value.reason == "BOOK_MISMATCH"
    assert caught.value.metadata == {"field": "account_ids[1]"}
