"""The demo is a judge: it must notice a server that does wrong."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from click.testing import CliRunner

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.admin.v1 import admin_service_pb2, verification_pb2
from longmen.ledger.v1 import account_pb2, ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen.type.v1 import money_pb2
from longmen_client import AsyncClient, Config, Money, RetryPolicy
from longmen_server.cli import cli
from longmen_server.demo import business, day, evening, report
from longmen_server.demo.day import Day
from longmen_server.demo.plan import SMALL, Plan, Twist
from longmen_server.demo.shadow import Shadow
from longmen_server.demo.story import Outcome
from longmen_server.demo.tally import PROBLEMS_MAXIMUM, CalledOffError, Part, Tally
from tests.support.scripted import Fails, Replays, ScriptedServer, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TINY = Plan(wallets=3, payments=1, concurrency=2, connections=1)
ACCOUNTS = [f"acct_{place:032}" for place in range(4)]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as one:
        yield one


def play(server: ScriptedServer, part: Callable[[Day], Awaitable[Any]], plan: Plan = TINY) -> Day:
    """Play one part of a day against a scripted server, with wallets that are open already."""

    async def run() -> Day:
        policy = RetryPolicy(initial_backoff_ms=1, max_backoff_ms=2)
        async with AsyncClient(Config(target=server.target, retry=policy)) as bank:
            today = Day(
                bank=bank,
                plan=plan,
                shadow=Shadow(),
                tally=Tally(),
                first_number=0,
                begin=lambda _title, _count: lambda: None,
                account_ids=list(ACCOUNTS),
            )
            await part(today)
            return today

    return asyncio.run(run())


def cny(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="CNY")


def paid(transfer_id: str = "txn_1") -> transfers_service_pb2.CreateTransferResponse:
    return transfers_service_pb2.CreateTransferResponse(
        transfer=transfer_pb2.Transfer(transfer_id=transfer_id)
    )


def with_twist(twist: Twist) -> Plan:
    """A plan whose one payment has a twist."""

    class Twisted(Plan):
        def day(self) -> Iterator[Any]:
            for payment in super().day():
                yield type(payment)(
                    payment.payer, payment.payee, payment.amount, payment.request_id, twist
                )

    return Twisted(wallets=3, payments=1, concurrency=1, connections=1)


def test_a_payment_is_in_the_shadow(server: ScriptedServer) -> None:
    server.script("CreateTransfer", paid())

    today = play(server, day.pay, with_twist(Twist.NONE))

    (payment,) = [payment for _, payment in today.paid]
    assert today.tally.problems == []
    assert today.shadow.posted[ACCOUNTS[payment.payer]] == -payment.amount.minor_units
    assert today.shadow.posted[ACCOUNTS[payment.payee]] == payment.amount.minor_units
    assert today.tally.parts["pay"].done == 1


def test_a_true_replay_is_counted(server: ScriptedServer) -> None:
    server.script("CreateTransfer", paid(), Replays(paid()))

    today = play(server, day.pay, with_twist(Twist.REPLAY))

    assert today.tally.problems == []
    assert today.tally.parts["pay"].replayed == 1


@pytest.mark.parametrize(
    "second", [paid(), Replays(paid("txn_2"))], ids=["not replayed", "another answer"]
)
def test_a_request_done_twice_is_noticed(server: ScriptedServer, second: Any) -> None:
    server.script("CreateTransfer", paid(), second)

    today = play(server, day.pay, with_twist(Twist.REPLAY))

    assert len(today.tally.problems) == 1


def test_a_request_id_taken_twice_is_noticed(server: ScriptedServer) -> None:
    server.script("CreateTransfer", paid(), paid("txn_2"))
    assert len(play(server, day.pay, with_twist(Twist.REUSE)).tally.problems) == 1

    server.script("CreateTransfer", paid(), refusal("REQUEST_ID_REUSED", fields="amount"))
    good = play(server, day.pay, with_twist(Twist.REUSE))
    assert good.tally.problems == []
    assert good.tally.refusals == {"REQUEST_ID_REUSED": 1}


def test_an_overdraft_is_noticed(server: ScriptedServer) -> None:
    server.script("CreateTransfer", paid())
    assert len(play(server, day.pay, with_twist(Twist.TOO_MUCH)).tally.problems) == 1

    server.script("CreateTransfer", refusal("INSUFFICIENT_FUNDS"))
    good = play(server, day.pay, with_twist(Twist.TOO_MUCH))
    assert good.tally.problems == []
    assert good.shadow.posted == {}


def test_a_payment_in_doubt_is_asked_about_under_its_id(server: ScriptedServer) -> None:
    server.script("CreateTransfer", Fails(grpc.StatusCode.DEADLINE_EXCEEDED), Replays(paid()))

    today = play(server, day.pay, with_twist(Twist.NONE))

    first, second = [seen.request for seen in server.calls("CreateTransfer")]
    assert first == second
    assert today.tally.problems == []
    assert today.tally.parts["pay"].sent_again == 1
    assert len(today.paid) == 1


def test_an_unexpected_refusal_is_a_problem(server: ScriptedServer) -> None:
    server.script("CreateTransfer", refusal("DEBIT_ACCOUNT_FROZEN"))

    today = play(server, day.pay, with_twist(Twist.NONE))

    assert "DEBIT_ACCOUNT_FROZEN" in today.tally.problems[0]


def test_a_day_of_problems_is_called_off(server: ScriptedServer) -> None:
    server.script("CreateTransfer", refusal("DEBIT_ACCOUNT_FROZEN"))

    with pytest.raises(CalledOffError):
        play(server, day.pay, Plan(wallets=3, payments=500, concurrency=4, connections=1))

    assert len(server.calls("CreateTransfer")) < PROBLEMS_MAXIMUM + 10


def test_a_second_void_that_is_taken_is_noticed(server: ScriptedServer) -> None:
    server.script("VoidPending", ledger_service_pb2.VoidPendingResponse())
    part = Part("void")

    bad = play(server, lambda today: business.void(today, part, ACCOUNTS[1], "txn_1"))
    server.script(
        "VoidPending", ledger_service_pb2.VoidPendingResponse(), refusal("PENDING_POSTING_VOIDED")
    )
    good = play(server, lambda today: business.void(today, part, ACCOUNTS[1], "txn_1"))

    assert len(bad.tally.problems) == 1
    assert good.tally.problems == []


def balances(*pairs: tuple[int, int]) -> ledger_service_pb2.GetBalancesResponse:
    return ledger_service_pb2.GetBalancesResponse(
        balances=[account_pb2.Balances(posted=posted, available=rest) for posted, rest in pairs]
    )


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        (balances((60, 60), (40, 30), (0, 0), (0, 0)), 0),
        (balances((60, 60), (40, 40), (0, 0), (0, 0)), 1),
        (balances((61, 61), (39, 29), (0, 0), (0, 0)), 2),
        (balances((60, 60), (40, 30), (0, 0), (1, 1)), 1),
    ],
    ids=["right", "hold lost", "moved elsewhere", "invented"],
)
def test_balances_are_compared_to_the_last_fen(
    server: ScriptedServer, answer: ledger_service_pb2.GetBalancesResponse, problems: int
) -> None:
    server.script("GetBalances", answer)

    async def compare(today: Day) -> None:
        today.shadow.credit(ACCOUNTS[1], Money(100, "CNY"))
        today.shadow.move(ACCOUNTS[1], ACCOUNTS[0], Money(60, "CNY"))
        today.shadow.hold(ACCOUNTS[1], Money(10, "CNY"))
        await evening.compare_balances(today)

    assert len(play(server, compare).tally.problems) == problems


def test_captures_and_voids_end_where_they_began() -> None:
    shadow = Shadow()
    shadow.credit("a", Money(100, "CNY"))
    shadow.hold("a", Money(30, "CNY"))
    shadow.capture("a", "m", Money(10, "CNY"))
    shadow.free("a", Money(20, "CNY"))

    assert (shadow.posted["a"], shadow.held["a"], shadow.posted["m"]) == (90, 0, 10)


def test_money_under_way_is_compared_by_what_is_available() -> None:
    shadow = Shadow()
    shadow.credit("a", Money(100, "CNY"))
    shadow.hold("a", Money(30, "CNY"))
    shadow.undecided.add("a")

    for posted in (100, 70):
        assert shadow.mismatches(["a"], [account_pb2.Balances(posted=posted, available=70)]) == []
    assert shadow.mismatches(["a"], [account_pb2.Balances(posted=100, available=71)])


@pytest.mark.parametrize(("closing", "problems"), [(0, 0), (5, 3 + 3)], ids=["right", "wrong"])
def test_statements_are_checked(server: ScriptedServer, closing: int, problems: int) -> None:
    server.script("GetClock", admin_service_pb2.GetClockResponse(business_date="2026-01-31"))
    server.script(
        "GetStatement",
        accounts_service_pb2.GetStatementResponse(
            statement=wallet_pb2.Statement(opening=cny(0), closing=cny(closing))
        ),
    )

    today = play(server, evening.check_statements)

    asked = server.calls("GetStatement")[0].request
    assert (asked.year, asked.month) == (2026, 1)
    assert len(today.tally.problems) == problems


@pytest.mark.parametrize(
    ("versions", "posted", "problems"),
    [((1, 2), 7, 0), ((1, 3), 7, 1), ((1, 2), 8, 1), ((), 0, 1)],
    ids=["right", "gap", "another end", "empty"],
)
def test_the_merchants_history_is_walked(
    server: ScriptedServer, versions: tuple[int, ...], posted: int, problems: int
) -> None:
    entries = [
        transaction_pb2.Entry(version=version, posted_after_minor_units=posted)
        for version in versions
    ]
    server.script("ListEntries", ledger_service_pb2.ListEntriesResponse(entries=entries))

    async def walk(today: Day) -> None:
        today.shadow.credit(today.merchant, Money(7, "CNY"))
        await evening.walk_history(today)

    assert len(play(server, walk).tally.problems) == problems


def test_withdrawals_are_settled_as_the_clearing_decides(server: ScriptedServer) -> None:
    def answer(
        request: transfers_service_pb2.GetTransferRequest,
    ) -> transfers_service_pb2.GetTransferResponse:
        asked.append(request.transfer_id)
        states = {
            "t1": transfer_pb2.TRANSFER_STATE_COMPLETED,
            "t2": transfer_pb2.TRANSFER_STATE_FAILED,
        }
        state = states[request.transfer_id]
        if asked.count(request.transfer_id) == 1:
            state = transfer_pb2.TRANSFER_STATE_PROCESSING
        return transfers_service_pb2.GetTransferResponse(
            transfer=transfer_pb2.Transfer(state=state)
        )

    asked: list[str] = []
    server.script("GetTransfer", answer)

    async def settle(today: Day) -> None:
        for place, name in enumerate(("t1", "t2")):
            account_id, amount = ACCOUNTS[place], Money(10, "CNY")
            today.shadow.credit(account_id, Money(100, "CNY"))
            today.shadow.hold(account_id, amount)
            today.withdrawn[name] = (account_id, amount)
        await evening.settle_withdrawals(today)

    today = play(server, settle)

    assert (today.shadow.posted[ACCOUNTS[0]], today.shadow.held[ACCOUNTS[0]]) == (90, 0)
    assert (today.shadow.posted[ACCOUNTS[1]], today.shadow.held[ACCOUNTS[1]]) == (100, 0)


def test_findings_and_imbalance_are_problems(server: ScriptedServer) -> None:
    finding = admin_service_pb2.VerifyLedgerResponse(
        finding=verification_pb2.VerificationFinding(kind="BALANCE_MISMATCH", subject="acct_1")
    )
    summary = admin_service_pb2.VerifyLedgerResponse(
        summary=verification_pb2.VerificationSummary(finding_count=1)
    )
    server.script("VerifyLedger", [finding, summary], [], [summary])
    server.script("GetTrialBalance", ledger_service_pb2.GetTrialBalanceResponse(balanced=False))

    assert "BALANCE_MISMATCH" in play(server, evening.verify_ledger).tally.problems[0]
    assert "did not come to its end" in play(server, evening.verify_ledger).tally.problems[0]
    assert play(server, evening.verify_ledger).tally.problems == []
    assert play(server, evening.trial_balance).tally.problems


def test_a_day_is_the_same_for_the_same_seed() -> None:
    def shape(plan: Plan) -> list[Any]:
        return [(one.payer, one.payee, one.amount, one.twist) for one in plan.day()]

    again = Plan(wallets=50, payments=2_000, seed=1)
    days = shape(Plan(wallets=50, payments=2_000, seed=1))
    assert days == shape(again)
    assert days != shape(Plan(wallets=50, payments=2_000, seed=2))
    assert all(payer != payee and 1 <= payer <= 50 for payer, payee, _, _ in days)
    assert 700 < sum(1 for _, payee, _, _ in days if payee == 0) < 900
    assert {twist for *_, twist in days} == set(Twist)
    assert again.name(7) == Plan(seed=1).name(7)


def test_a_full_day_is_as_large_as_promised() -> None:
    full = Plan()

    assert (full.wallets, full.payments) == (1_000, 20_000)
    assert SMALL.payments < 1_000


def test_percentiles_and_rates() -> None:
    part = Part("p", seconds=2.0, latencies_ms=[float(number) for number in range(100)])

    assert (part.percentile_ms(50), part.percentile_ms(99), part.rate) == (50.0, 99.0, 50.0)
    assert Part("empty").percentile_ms(99) == Part("empty").rate == 0


@pytest.mark.parametrize("problems", [[], ["acct_1: [red]wrong[/red]"]], ids=["proven", "open"])
def test_the_report_says_whether_the_books_are_proven(problems: list[str]) -> None:
    from rich.console import Console

    tally = Tally(problems=problems)
    tally.part("pay").done = 20_000
    tally.refusals["INSUFFICIENT_FUNDS"] = 3
    summary = verification_pb2.VerificationSummary(account_count=1_002, posting_count=22_000)
    outcome = Outcome(
        Plan(), tally, 12.5, ledger_service_pb2.GetTrialBalanceResponse(balanced=True), summary
    )
    console = Console(width=200, record=True, file=io.StringIO())

    console.print(report.as_tables(outcome))
    text = console.export_text()
    mapping = json.loads(json.dumps(report.as_mapping(outcome)))

    assert outcome.proven == mapping["proven"] == (not problems)
    assert "20,000" in text
    assert "INSUFFICIENT_FUNDS" in text
    assert ("Every account is proven" in text) == (not problems)
    assert all(problem in text for problem in problems)


def test_a_day_that_did_not_end_is_not_proven() -> None:
    assert not Outcome(Plan(), Tally(), 1.0, None, None).proven


def test_no_server_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LONGMEN_TARGET", raising=False)
    monkeypatch.setenv("LONGMEN_PORT", "1")

    failed = CliRunner().invoke(cli, ["demo", "--small"])

    assert failed.exit_code == 5
    assert failed.stderr.count("\n") == 1
    assert "longmen serve" in failed.stderr
