"""What the commands send, print and exit with, against a scripted server."""

from __future__ import annotations

import json
import sys
from subprocess import run
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from click.testing import CliRunner, Result

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.admin.v1 import admin_service_pb2, verification_pb2
from longmen.errors.v1 import error_reason_pb2
from longmen.events.v1 import event_pb2, events_service_pb2
from longmen.ledger.v1 import account_pb2, ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen.type.v1 import money_pb2
from longmen_server.cli import cli
from longmen_server.console.lazy import CLIENT_COMMANDS
from tests.support.scripted import Fails, Replays, ScriptedServer, refusal

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "acct_" + "1" * 32
OTHER = "acct_" + "2" * 32
TRANSFER = "txn_" + "3" * 32

Command = "Callable[..., Result]"


@pytest.fixture
def longmen(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("LONGMEN_TARGET", server.target)
    monkeypatch.setenv("LONGMEN_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("LONGMEN_TOKEN", raising=False)

    def invoke(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(cli, arguments, prog_name="longmen", **more)

    return invoke


def cny(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="CNY")


def sent(state: transfer_pb2.TransferState.ValueType) -> transfer_pb2.Transfer:
    return transfer_pb2.Transfer(
        transfer_id=TRANSFER,
        kind=transfer_pb2.TRANSFER_KIND_PAYMENT,
        state=state,
        from_account_id=ACCOUNT,
        to_account_id=OTHER,
        amount=cny(123456),
        description="[bold]tea[/bold]",
    )


SENT = transfers_service_pb2.CreateTransferResponse(
    transfer=sent(transfer_pb2.TRANSFER_STATE_COMPLETED)
)
BALANCE = wallet_pb2.Balance(
    account_id=ACCOUNT, posted=cny(50_000), available=cny(40_000), held=cny(10_000), incoming=cny(0)
)


def test_a_payment_shows_the_payee_and_asks(server: ScriptedServer, longmen: Any) -> None:
    server.script(
        "LookupPayee",
        transfers_service_pb2.LookupPayeeResponse(masked_name="*明", account_id=OTHER),
    )
    server.script("CreateTransfer", SENT)
    command = ["transfer", "send", ACCOUNT, "+8613800138000", "1234.56", "--description", "tea"]

    declined = longmen(*command, input="n\n")
    assert declined.exit_code != 0
    assert server.calls("CreateTransfer") == []

    accepted = longmen(*command, input="y\n")
    assert accepted.exit_code == 0, accepted.output
    assert "Pay CNY 1234.56 to *明?" in accepted.stderr
    assert "CNY 1,234.56" in accepted.stdout
    assert "completed" in accepted.stdout
    assert "[bold]tea[/bold]" in accepted.stdout
    request = server.calls("CreateTransfer")[0].request
    assert request.amount == cny(123456)
    assert request.payee.phone_number == "+8613800138000"
    assert request.delay == transfer_pb2.TRANSFER_DELAY_REAL_TIME


def test_a_payment_as_json_is_the_contracts(server: ScriptedServer, longmen: Any) -> None:
    server.script("CreateTransfer", SENT)

    done = longmen("transfer", "send", ACCOUNT, OTHER, "1", "-y", "--delay", "two-hours", "--json")

    assert json.loads(done.stdout)["transfer"]["transferId"] == TRANSFER
    request = server.calls("CreateTransfer")[0].request
    assert request.delay == transfer_pb2.TRANSFER_DELAY_TWO_HOURS
    assert request.payee.account_id == OTHER


def test_a_replay_says_so(server: ScriptedServer, longmen: Any) -> None:
    server.script("CreateTransfer", Replays(SENT))

    done = longmen(
        "transfer", "send", ACCOUNT, OTHER, "1", "-y",
        "--request-id", "0b0e7b7e-6f6c-4f5f-9a51-0d1f8f7f4f10",
    )  # fmt: skip

    assert "nothing was done again" in done.stdout


@pytest.mark.parametrize(
    ("answer", "code", "line"),
    [
        (
            refusal("INSUFFICIENT_FUNDS", available_minor_units="120", currency_code="CNY"),
            3,
            "longmen: INSUFFICIENT_FUNDS: refused (available_minor_units=120, currency_code=CNY)",
        ),
        (
            Fails(
                grpc.StatusCode.INVALID_ARGUMENT,
                "the request is not valid",
                reason="INVALID_REQUEST",
                metadata={"rules": "money.positive"},
                fields=[("amount", "must be above zero", "money.positive")],
            ),
            3,
            "longmen: INVALID_REQUEST: the request is not valid [amount: must be above zero]",
        ),
        (
            refusal("PERMISSION_DENIED", method="m"),
            4,
            "longmen: PERMISSION_DENIED: refused (method=m)",
        ),
        (refusal("TOKEN_MISSING"), 4, "longmen: TOKEN_MISSING: refused"),
        (refusal("OVERLOADED"), 5, "longmen: OVERLOADED: refused"),
        (
            refusal("INTERNAL", incident_id="i7"),
            6,
            "longmen: INTERNAL: refused (incident_id=i7) - wh",
        ),
        (
            Fails(grpc.StatusCode.DEADLINE_EXCEEDED, "late"),
            6,
            "longmen: DEADLINE_EXCEEDED: late - wh",
        ),
    ],
    ids=["refusal", "fields", "permission", "token", "overload", "internal", "deadline"],
)
def test_a_failure_is_one_line_and_an_exit_code(
    server: ScriptedServer, longmen: Any, answer: Fails, code: int, line: str
) -> None:
    server.script("CreateTransfer", answer)

    failed = longmen("transfer", "send", ACCOUNT, OTHER, "1", "-y")

    assert failed.exit_code == code
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith(line)
    if code == 6:
        request_id = server.calls("CreateTransfer")[0].request.request_id
        assert failed.stderr.rstrip().endswith(f"--request-id {request_id}")


def test_no_server_is_one_line(longmen: Any) -> None:
    failed = longmen("ledger", "trial-balance", "--target", "127.0.0.1:1")

    assert failed.exit_code == 5
    assert failed.stderr == "longmen: no server answers at 127.0.0.1:1\n"


@pytest.mark.parametrize("amount", ["12.345", "1e3", "abc", "0x10"])
def test_what_is_no_amount_is_wrong_usage(
    server: ScriptedServer, longmen: Any, amount: str
) -> None:
    failed = longmen("transfer", "send", ACCOUNT, OTHER, amount, "-y")

    assert failed.exit_code == 2
    assert failed.stderr.count("\n") == 1
    assert server.calls("CreateTransfer") == []


def test_a_token_goes_to_strangers_encrypted_unless_told_otherwise() -> None:
    from longmen_server.console.session import client_config

    assert client_config("10.0.0.5:1", "t").tls is not None
    assert client_config("10.0.0.5:1", "t", tls=False).plaintext_token_allowed
    assert client_config("127.0.0.1:1", "t").tls is None


def test_the_token_of_a_server_on_this_machine_is_found(
    server: ScriptedServer, longmen: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from longmen_server.platform.clock import SystemClock
    from longmen_server.platform.tokens import DevelopmentIssuer, TokenVerifier

    issuer = DevelopmentIssuer(
        tmp_path, issuer="longmen-development", audience="longmen", clock=SystemClock()
    )
    monkeypatch.setenv("LONGMEN_DATA", str(tmp_path))
    server.script("GetTrialBalance", ledger_service_pb2.GetTrialBalanceResponse(balanced=True))

    assert longmen("ledger", "trial-balance").exit_code == 0

    header = server.calls("GetTrialBalance")[0].metadata["authorization"]
    claims = TokenVerifier(
        issuer.jwks,
        issuer="longmen-development",
        audience="longmen",
        leeway_seconds=0,
        clock=SystemClock(),
    ).verify(header.removeprefix("Bearer "))
    assert claims.kind == "service"
    assert {"ledger.read", "transfers.write", "admin.verify"} <= claims.scopes


def test_wallets_and_balances_are_shown(server: ScriptedServer, longmen: Any) -> None:
    pocket = wallet_pb2.WalletAccount(
        account_id=ACCOUNT,
        currency_code="CNY",
        state=wallet_pb2.WALLET_ACCOUNT_STATE_FROZEN,
        frozen_by_bank=True,
        balance=BALANCE,
    )
    server.script(
        "OpenWallet",
        accounts_service_pb2.OpenWalletResponse(
            wallet=wallet_pb2.Wallet(customer_id="cust_1", masked_phone_number="+86138****8000"),
            account=pocket,
        ),
    )
    server.script(
        "AccountsService/ListAccounts",
        accounts_service_pb2.ListAccountsResponse(accounts=[pocket]),
    )
    server.script("GetBalance", accounts_service_pb2.GetBalanceResponse(balance=BALANCE))

    opened = longmen("account", "open-wallet", "+8613800138000", "Li Ming", "-c", "cny")
    listed = longmen("account", "list", "cust_1")
    shown = longmen("account", "balance", ACCOUNT)

    assert "+86138****8000" in opened.stdout
    assert server.calls("OpenWallet")[0].request.currency_code == "CNY"
    assert ACCOUNT in listed.stdout
    assert "frozen by the bank" in listed.stdout
    assert "CNY 400.00" in shown.stdout
    assert "held" in shown.stdout
    assert "incoming" not in shown.stdout


def test_a_watched_balance_goes_on(server: ScriptedServer, longmen: Any) -> None:
    later = wallet_pb2.Balance(posted=cny(1), available=cny(1), version=2)
    server.script(
        "WatchBalance",
        [accounts_service_pb2.WatchBalanceResponse(balance=one) for one in (BALANCE, later)],
    )

    lines = longmen("account", "balance", ACCOUNT, "--watch").stdout.splitlines()
    as_json = longmen("account", "balance", ACCOUNT, "--watch", "--json").stdout.splitlines()

    assert [line.split()[:3] for line in lines] == [
        ["available", "CNY", "400.00"],
        ["available", "CNY", "0.01"],
    ]
    assert [json.loads(line)["balance"]["available"]["minorUnits"] for line in as_json] == [
        "40000",
        "1",
    ]


def test_history_is_filtered_and_signed(server: ScriptedServer, longmen: Any) -> None:
    server.script(
        "AccountsService/ListTransactions",
        accounts_service_pb2.ListTransactionsResponse(
            movements=[
                wallet_pb2.Movement(
                    kind=wallet_pb2.MOVEMENT_KIND_TOP_UP,
                    direction=wallet_pb2.DIRECTION_OUT,
                    amount=cny(70),
                    available_after=cny(30),
                )
            ]
        ),
    )

    shown = longmen(
        "account", "history", ACCOUNT, "--since", "2026-01-01", "--kind", "top-up", "-n", "5"
    )

    assert "CNY -0.70" in shown.stdout
    assert "top up" in shown.stdout
    request = server.calls("AccountsService/ListTransactions")[0].request
    assert request.page_size == 5
    assert list(request.kinds) == [wallet_pb2.MOVEMENT_KIND_TOP_UP]
    assert request.HasField("from_time")


def test_a_statement_is_saved(server: ScriptedServer, longmen: Any, tmp_path: Path) -> None:
    stated = wallet_pb2.Statement(
        account_id=ACCOUNT,
        year=2026,
        month=1,
        opening=cny(100),
        total_in=cny(50),
        total_out=cny(30),
        closing=cny(120),
        complete=True,
    )
    server.script(
        "GetStatement",
        accounts_service_pb2.GetStatementResponse(
            statement=stated, document=b"%PDF-", media_type="application/pdf"
        ),
    )
    target = tmp_path / "january.pdf"

    saved = longmen("account", "statement", ACCOUNT, "2026-01", "--pdf", "-o", str(target))
    printed = longmen("account", "statement", ACCOUNT, "2026-01", "--csv")
    shown = longmen("account", "statement", ACCOUNT, "2026-01")
    failed = longmen("account", "statement", ACCOUNT, "2026-01", "-o", str(tmp_path / "no" / "x"))

    formats = [seen.request.format for seen in server.calls("GetStatement")]
    assert target.read_bytes() == b"%PDF-"
    assert "5 bytes of application/pdf" in saved.stdout
    assert printed.stdout == "%PDF-"
    assert "opening CNY 1.00 + in CNY 0.50 - out CNY 0.30 = closing CNY 1.20" in shown.stdout
    assert formats[:3] == [
        wallet_pb2.STATEMENT_FORMAT_PDF,
        wallet_pb2.STATEMENT_FORMAT_CSV,
        wallet_pb2.STATEMENT_FORMAT_UNSPECIFIED,
    ]
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1


def test_changes_of_an_account(server: ScriptedServer, longmen: Any) -> None:
    pocket = wallet_pb2.WalletAccount(account_id=ACCOUNT, balance=BALANCE)
    server.script("FreezeAccount", accounts_service_pb2.FreezeAccountResponse(account=pocket))
    server.script("UnfreezeAccount", accounts_service_pb2.UnfreezeAccountResponse(account=pocket))
    server.script(
        "CloseAccount", accounts_service_pb2.CloseAccountResponse(account=pocket, swept=cny(7))
    )

    assert (
        longmen("account", "freeze", ACCOUNT, "--only-outgoing", "--reason", "lost").exit_code == 0
    )
    assert longmen("account", "unfreeze", ACCOUNT).exit_code == 0
    closed = longmen("account", "close", ACCOUNT, "--sweep-to", OTHER)

    frozen = server.calls("FreezeAccount")[0].request
    assert (frozen.only_outgoing, frozen.reason_text) == (True, "lost")
    assert f"swept CNY 0.07 to {OTHER}" in closed.stdout


def batch_file(tmp_path: Path, lines: int) -> Path:
    file = tmp_path / "payroll.csv"
    rows = [f"{OTHER},{number}.50,wages,{number}" for number in range(1, lines + 1)]
    file.write_text("\n".join(["to,amount,description,reference", *rows]), "utf-8")
    return file


def test_a_batch_of_many_lines_goes_in_calls_that_can_be_repeated(
    server: ScriptedServer, longmen: Any, tmp_path: Path
) -> None:
    def pay(
        request: transfers_service_pb2.BatchTransfersRequest,
    ) -> transfers_service_pb2.BatchTransfersResponse:
        return transfers_service_pb2.BatchTransfersResponse(
            results=[transfer_pb2.BatchItemResult(transfer_id=TRANSFER) for _ in request.items]
        )

    server.script("BatchTransfers", pay)
    command = ["transfer", "batch", ACCOUNT, str(batch_file(tmp_path, 1_500)), "--json"]
    kept = "0b0e7b7e-6f6c-4f5f-9a51-0d1f8f7f4f10"

    first = longmen(*command, "--request-id", kept)
    longmen(*command, "--request-id", kept)

    requests = [seen.request for seen in server.calls("BatchTransfers")]
    assert [len(request.items) for request in requests] == [1_000, 500, 1_000, 500]
    assert requests[:2] == requests[2:]
    assert requests[0].request_id == kept != requests[1].request_id
    assert requests[1].items[0].amount == cny(100_150)
    assert len(json.loads(first.stdout)["results"]) == 1_500


def test_a_refused_line_of_a_batch_is_told(
    server: ScriptedServer, longmen: Any, tmp_path: Path
) -> None:
    server.script(
        "BatchTransfers",
        transfers_service_pb2.BatchTransfersResponse(
            results=[
                transfer_pb2.BatchItemResult(transfer_id=TRANSFER),
                transfer_pb2.BatchItemResult(reason=error_reason_pb2.ERROR_REASON_PAYEE_NOT_FOUND),
            ]
        ),
    )

    done = longmen("transfer", "batch", ACCOUNT, str(batch_file(tmp_path, 2)))

    assert done.exit_code == 3
    assert "PAYEE_NOT_FOUND" in done.stdout
    assert "1 of 2 payments were refused" in done.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("amount\n1\n", "no column to"),
        ("to,amount\n", "no payments"),
        (f"to,amount\n{OTHER},1\n{OTHER},1.234\n", "line 3"),
    ],
    ids=["column", "empty", "amount"],
)
def test_a_file_that_is_no_batch_is_told_by_line(
    server: ScriptedServer, longmen: Any, tmp_path: Path, text: str, line: str
) -> None:
    file = tmp_path / "payroll.csv"
    file.write_text(text, "utf-8")

    failed = longmen("transfer", "batch", ACCOUNT, str(file))

    assert failed.exit_code == 2
    assert line in failed.stderr
    assert server.calls("BatchTransfers") == []


def test_transfers_are_shown_held_and_taken_back(server: ScriptedServer, longmen: Any) -> None:
    scheduled = sent(transfer_pb2.TRANSFER_STATE_SCHEDULED)
    held = sent(transfer_pb2.TRANSFER_STATE_HELD)
    server.script("GetTransfer", transfers_service_pb2.GetTransferResponse(transfer=scheduled))
    server.script(
        "ListTransfers", transfers_service_pb2.ListTransfersResponse(transfers=[scheduled])
    )
    server.script("HoldTransfer", transfers_service_pb2.HoldTransferResponse(transfer=held))
    server.script("ReleaseTransfer", transfers_service_pb2.ReleaseTransferResponse(transfer=held))
    server.script("CancelTransfer", transfers_service_pb2.CancelTransferResponse(transfer=held))
    server.script("TopUp", transfers_service_pb2.TopUpResponse(transfer=held))
    server.script("Withdraw", transfers_service_pb2.WithdrawResponse(transfer=held))

    assert "scheduled" in longmen("transfer", "show", TRANSFER).stdout
    assert "scheduled" in longmen("transfer", "list", ACCOUNT, "--state", "scheduled").stdout
    for command in (
        ["hold", TRANSFER, "--reason", "risk"],
        ["release", TRANSFER],
        ["cancel", TRANSFER],
        ["top-up", ACCOUNT, "5", "--bank-account", "b1"],
        ["withdraw", ACCOUNT, "5", "-c", "jpy", "--bank-account", "b1"],
    ):
        assert "held" in longmen("transfer", *command).stdout
    assert server.calls("Withdraw")[0].request.amount.minor_units == 5
    assert server.calls("HoldTransfer")[0].request.reason_text == "risk"


def test_the_trial_balance_has_sums_and_an_exit_code(server: ScriptedServer, longmen: Any) -> None:
    lines = [
        ledger_service_pb2.TrialBalanceLine(
            currency_code="CNY", chart_code=1010, chart_name="clearing", debits_posted=500
        ),
        ledger_service_pb2.TrialBalanceLine(
            currency_code="CNY", chart_code=2010, chart_name="deposits", credits_posted=400,
            credits_pending=100,
        ),
    ]  # fmt: skip
    server.script(
        "GetTrialBalance",
        ledger_service_pb2.GetTrialBalanceResponse(lines=lines, balanced=True),
        ledger_service_pb2.GetTrialBalanceResponse(lines=lines),
    )

    good = longmen("ledger", "trial-balance")
    bad = longmen("ledger", "trial-balance")

    assert good.exit_code == 0
    assert good.stdout.count("CNY 5.00") == 3
    assert "CNY 4.00 + pending CNY 1.00" in good.stdout
    assert "NOT BALANCED" in bad.stdout
    assert bad.exit_code == 7


def ledger_account() -> account_pb2.Account:
    return account_pb2.Account(
        account_id=ACCOUNT,
        currency_code="CNY",
        type=account_pb2.ACCOUNT_TYPE_LIABILITY,
        chart_code=2010,
        state=account_pb2.ACCOUNT_STATE_DEBIT_FROZEN,
        floor_minor_units=0,
        balances=account_pb2.Balances(currency_code="CNY", credits_posted=70, posted=70),
    )


def posting() -> transaction_pb2.Posting:
    return transaction_pb2.Posting(
        posting_id=TRANSFER,
        kind=transaction_pb2.POSTING_KIND_PENDING,
        debit_account_id=ACCOUNT,
        credit_account_id=OTHER,
        amount=cny(70),
        hold=transaction_pb2.Hold(state=transaction_pb2.HOLD_STATE_EXPIRED),
    )


def test_the_ledger_is_read(server: ScriptedServer, longmen: Any) -> None:
    whole = transaction_pb2.Transaction(transaction_id=TRANSFER, postings=[posting()])
    server.script(
        "LedgerService/ListAccounts",
        ledger_service_pb2.ListAccountsResponse(accounts=[ledger_account()]),
    )
    server.script(
        "LedgerService/GetAccount", ledger_service_pb2.GetAccountResponse(account=ledger_account())
    )
    server.script(
        "LedgerService/ListTransactions",
        ledger_service_pb2.ListTransactionsResponse(transactions=[whole]),
    )
    server.script("GetTransaction", ledger_service_pb2.GetTransactionResponse(transaction=whole))
    server.script(
        "ListEntries",
        ledger_service_pb2.ListEntriesResponse(
            entries=[
                transaction_pb2.Entry(
                    version=9, side=transaction_pb2.Entry.SIDE_DEBIT, posting=posting()
                )
            ]
        ),
    )
    server.script(
        "GetBalances",
        ledger_service_pb2.GetBalancesResponse(balances=[ledger_account().balances]),
    )
    server.script(
        "LookupTransfers",
        ledger_service_pb2.LookupTransfersResponse(
            lookups=[
                ledger_service_pb2.TransferLookup(
                    transaction_id=TRANSFER,
                    state=ledger_service_pb2.TransferLookup.STATE_REFUSED,
                    refusal_reason="INSUFFICIENT_FUNDS",
                )
            ]
        ),
    )

    assert "debit frozen" in longmen("ledger", "accounts", "-c", "cny").stdout
    assert "floor" in longmen("ledger", "account", ACCOUNT).stdout
    assert "pending, expired" in longmen("ledger", "transfers", "--code", "0").stdout
    assert "pending, expired" in longmen("ledger", "transaction", TRANSFER).stdout
    assert "pending, expired" in longmen("ledger", "entries", ACCOUNT, "--oldest-first").stdout
    assert "CNY 0.70" in longmen("ledger", "balances", ACCOUNT, "--as-of", "2026-01-31").stdout
    assert "INSUFFICIENT_FUNDS" in longmen("ledger", "lookup", TRANSFER).stdout
    listed = server.calls("LedgerService/ListTransactions")[0].request
    assert listed.newest_first
    assert listed.HasField("code")
    assert not server.calls("ListEntries")[0].request.newest_first
    assert server.calls("GetBalances")[0].request.HasField("as_of_effective_time")


def test_the_ledger_is_changed(server: ScriptedServer, longmen: Any) -> None:
    made = transaction_pb2.TransferResult(
        outcome=transaction_pb2.TransferResult.OUTCOME_CREATED,
        transaction_id=TRANSFER,
        amount_minor_units=70,
        debit_balances=account_pb2.Balances(currency_code="CNY", available=30),
    )
    refused = transaction_pb2.TransferResult(
        outcome=transaction_pb2.TransferResult.OUTCOME_REFUSED,
        reason=error_reason_pb2.ERROR_REASON_INSUFFICIENT_FUNDS,
        reason_metadata={"currency_code": "CNY"},
    )
    hold = transaction_pb2.Hold(
        state=transaction_pb2.HOLD_STATE_HELD, captured_minor_units=70, remaining_minor_units=5
    )
    server.script(
        "CreateAccounts", ledger_service_pb2.CreateAccountsResponse(accounts=[ledger_account()])
    )
    server.script(
        "CreateTransfers",
        ledger_service_pb2.CreateTransfersResponse(results=[made]),
        ledger_service_pb2.CreateTransfersResponse(results=[refused]),
    )
    server.script(
        "CapturePending", ledger_service_pb2.CapturePendingResponse(result=made, hold=hold)
    )
    server.script("VoidPending", ledger_service_pb2.VoidPendingResponse(result=made))
    server.script(
        "ReverseTransaction",
        ledger_service_pb2.ReverseTransactionResponse(
            transaction=transaction_pb2.Transaction(postings=[posting()])
        ),
    )
    server.script(
        "SetAccountState", ledger_service_pb2.SetAccountStateResponse(account=ledger_account())
    )

    assert ACCOUNT in longmen("ledger", "open", "2010", "cny", "--floor", "0").stdout
    assert "created" in longmen("ledger", "post", ACCOUNT, OTHER, "0.70", "--hold-for", "2h").stdout
    failed = longmen("ledger", "post", ACCOUNT, OTHER, "0.70")
    assert "still held" in longmen("ledger", "capture", TRANSFER, "0.70", "--final").stdout
    assert TRANSFER in longmen("ledger", "void", TRANSFER).stdout
    assert TRANSFER in longmen("ledger", "reverse", TRANSFER).stdout
    assert longmen("ledger", "set-state", ACCOUNT, "closed").exit_code == 0

    assert failed.exit_code == 3
    assert "refused: INSUFFICIENT_FUNDS (currency_code=CNY)" in failed.stderr
    pending, post = [seen.request.transfers[0] for seen in server.calls("CreateTransfers")]
    assert pending.hold_duration.seconds == 7_200
    assert pending.kind == transaction_pb2.POSTING_KIND_PENDING
    assert post.kind == transaction_pb2.POSTING_KIND_POST
    capture = server.calls("CapturePending")[0].request
    assert (capture.amount, capture.final) == (cny(70), True)
    states = server.calls("SetAccountState")[0].request.state
    assert states == account_pb2.ACCOUNT_STATE_CLOSED


def test_events_are_listed_and_followed(server: ScriptedServer, longmen: Any) -> None:
    event = event_pb2.Event(
        event_id="evt_1",
        type=event_pb2.EVENT_TYPE_POSTING_POSTED,
        subject_id=TRANSFER,
        posting=posting(),
    )
    frozen = event_pb2.Event(
        event_id="evt_2",
        type=event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED,
        account_state_change=event_pb2.AccountStateChange(
            state=account_pb2.ACCOUNT_STATE_FROZEN, reason_text="lost"
        ),
    )
    server.script(
        "ListEvents",
        events_service_pb2.ListEventsResponse(events=[event], cursor="c1", caught_up=True),
    )
    server.script(
        "WatchEvents",
        [
            events_service_pb2.WatchEventsResponse(cursor="c0"),
            events_service_pb2.WatchEventsResponse(events=[event, frozen], cursor="c2"),
        ],
    )

    listed = longmen("events", "list", "--type", "posting-posted", "--account", ACCOUNT)
    watched = longmen("events", "watch", "--cursor", "c0", "-n", "2")
    as_json = longmen("events", "watch", "--json")

    assert "CNY 0.70" in listed.stdout
    assert "cursor c1 (caught up)" in listed.stdout
    assert len(watched.stdout.splitlines()) == 2
    assert "frozen lost" in watched.stdout
    assert [json.loads(line)["cursor"] for line in as_json.stdout.splitlines()] == ["c0", "c2"]
    assert list(server.calls("ListEvents")[0].request.types) == [3]


def test_the_server_is_looked_after(server: ScriptedServer, longmen: Any) -> None:
    clock = admin_service_pb2.GetClockResponse(business_date="2026-01-01", settable=True)
    clock.time.FromSeconds(1_767_225_600)
    setting = verification_pb2.Setting(name="port", value="50051", reason="where it listens")
    server.script("GetClock", clock)
    server.script("SetClock", admin_service_pb2.SetClockResponse())
    server.script("GetConfig", admin_service_pb2.GetConfigResponse(settings=[setting]))
    server.script("GetLimits", admin_service_pb2.GetLimitsResponse(limits=[setting]))
    server.script(
        "GetEngineStats",
        admin_service_pb2.GetEngineStatsResponse(
            writers=[
                verification_pb2.WriterStats(
                    book=1, writer=2, batch_count=10, command_count=250, write_us=5_000
                ),
                verification_pb2.WriterStats(book=1, writer=3),
            ]
        ),
    )

    assert "2026-01-01" in longmen("admin", "clock").stdout
    assert longmen("admin", "clock", "--advance", "2h").exit_code == 0
    assert longmen("admin", "clock", "--advance", "2h", "--set", "2026-01-01").exit_code == 2
    assert longmen("admin", "clock", "--advance", "2 hours").exit_code == 2
    assert "where it listens" in longmen("admin", "config").stdout
    assert "50051" in longmen("admin", "limits").stdout
    assert "25.0" in longmen("admin", "stats").stdout
    assert server.calls("SetClock")[0].request.time.seconds == 1_767_225_600 + 7_200


def test_a_receipt_is_verified_before_it_is_shown(server: ScriptedServer, longmen: Any) -> None:
    import base64

    from tests.unit.clients.test_receipts import PUBLIC, a_receipt

    good = a_receipt()
    bad = a_receipt()
    bad.posting.amount.minor_units += 1
    answers = [
        ledger_service_pb2.GetReceiptResponse(receipt=one) for one in (good, good, bad, good)
    ]
    server.script("GetReceipt", *answers)
    key = base64.b64encode(PUBLIC).decode()

    pinned = longmen("ledger", "receipt", TRANSFER, "--public-key", key)
    trusting = longmen("ledger", "receipt", TRANSFER)
    forged = longmen("ledger", "receipt", TRANSFER)
    wrong_key = longmen("ledger", "receipt", TRANSFER, "--public-key", base64.b64encode(b"k" * 32))

    assert good.block.hash.hex() in pinned.stdout
    assert "pin the bank's" not in pinned.stdout
    assert "pin the bank's" in trusting.stdout
    assert forged.exit_code == wrong_key.exit_code == 7
    assert "its amount differs" in forged.stderr
    assert forged.stdout == ""
    assert longmen("ledger", "receipt", TRANSFER, "--public-key", "!").exit_code == 2


def test_an_exported_journal_is_verified(server: ScriptedServer, longmen: Any) -> None:
    from tests.support.journal import a_chain

    blocks = a_chain(3)
    messages = [
        ledger_service_pb2.ExportJournalResponse(block=block, cursor=str(block.number))
        for block in blocks
    ]
    torn = ledger_service_pb2.ExportJournalResponse()
    torn.CopyFrom(messages[1])
    torn.block.records[0].leaf += b"!"
    server.script(
        "ExportJournal", messages, [messages[0], messages[2]], [messages[0], torn, messages[2]]
    )

    good = longmen("ledger", "export", "--verify")
    gap = longmen("ledger", "export", "--verify", "--quiet")
    changed = longmen("ledger", "export", "--verify", "--quiet")

    assert [json.loads(line)["cursor"] for line in good.stdout.splitlines()] == ["1", "2", "3"]
    assert "every hash and every chain holds" in good.stderr
    assert good.exit_code == 0
    assert gap.exit_code == changed.exit_code == 7
    assert "it follows block 1" in gap.stderr
    assert "its root is not that of its records" in changed.stderr
    assert gap.stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(longmen: Any, shell: str) -> None:
    printed = longmen("completion", shell)

    assert printed.exit_code == 0
    assert "_LONGMEN_COMPLETE" in printed.stdout


def test_words_are_completed(longmen: Any) -> None:
    from click.shell_completion import ShellComplete

    complete = ShellComplete(cli, {}, "longmen", "_LONGMEN_COMPLETE")

    def words(arguments: list[str], typed: str) -> list[str]:
        return [str(one.value) for one in complete.get_completions(arguments, typed)]

    assert words([], "acc") == ["account"]
    assert words(["account"], "st") == ["statement"]
    assert words(["ledger"], "tri") == ["trial-balance"]
    assert "--watch" in words(["account", "balance"], "--w")


def test_the_help_of_the_program_loads_no_command() -> None:
    script = (
        "import sys\n"
        "from longmen_server.cli import cli\n"
        "cli.main(['--help'], prog_name='longmen', standalone_mode=False)\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in"
        " {'grpc', 'longmen', 'google', 'sqlalchemy'}), file=sys.stderr)\n"
    )

    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"
    for name, (_, line) in CLIENT_COMMANDS.items():
        assert name in done.stdout
        assert line in done.stdout


@pytest.mark.parametrize("name", [name for name in CLIENT_COMMANDS if name != "demo"])
def test_every_command_explains_itself(longmen: Any, name: str) -> None:
    shown = longmen(name, "--help")

    assert shown.exit_code == 0
    assert "Usage" in shown.stdout
