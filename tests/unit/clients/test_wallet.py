"""What a wallet app does, on both stacks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.identity.v1 import challenge_pb2, challenge_service_pb2, factor_pb2
from longmen.transfers.v1 import transfer_pb2, transfers_service_pb2
from longmen.type.v1 import money_pb2
from longmen_app import AsyncWallet, Wallet
from longmen_client import Money, errors
from tests.support.scripted import Fails, Replays, ScriptedServer, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.bank import Bank

MINE = "acct_" + "1" * 32


def cny(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="CNY")


def pocket() -> wallet_pb2.WalletAccount:
    return wallet_pb2.WalletAccount(
        account_id=MINE,
        currency_code="CNY",
        nickname="daily",
        state=wallet_pb2.WALLET_ACCOUNT_STATE_OPEN,
        balance=balance(1),
    )


def balance(version: int) -> wallet_pb2.Balance:
    return wallet_pb2.Balance(
        account_id=MINE,
        posted=cny(500),
        available=cny(400),
        held=cny(100),
        incoming=cny(0),
        version=version,
    )


def movement(minor_units: int) -> wallet_pb2.Movement:
    return wallet_pb2.Movement(
        kind=wallet_pb2.MOVEMENT_KIND_TRANSFER,
        direction=wallet_pb2.DIRECTION_IN if minor_units > 0 else wallet_pb2.DIRECTION_OUT,
        amount=cny(abs(minor_units)),
        available_after=cny(0),
    )


@pytest.fixture
def wallet(server: ScriptedServer, bank: Bank, kind: str) -> Any:
    server.script(
        "AccountsService/ListAccounts",
        accounts_service_pb2.ListAccountsResponse(accounts=[pocket()]),
    )
    server.script(
        "LookupPayee", transfers_service_pb2.LookupPayeeResponse(masked_name="*明", account_id="x")
    )
    return (AsyncWallet if kind == "asyncio" else Wallet)(bank.client, "cust_1")


SENT = transfers_service_pb2.CreateTransferResponse(
    transfer=transfer_pb2.Transfer(
        transfer_id="txn_1", state=transfer_pb2.TRANSFER_STATE_COMPLETED, amount=cny(1234)
    ),
    committed_at="c7",
)


def test_a_payment_shows_the_payee_before_it_is_made(
    server: ScriptedServer, bank: Bank, wallet: Any
) -> None:
    server.script("CreateTransfer", SENT)

    payment = bank.wait(wallet.prepare("+8613800138000", Money.of("12.34", "CNY")))

    assert payment.payee_name == "*明"
    assert server.calls("CreateTransfer") == []
    paid = bank.wait(payment.confirm())
    assert (paid.state, paid.amount, paid.replayed) == ("COMPLETED", Money(1234, "CNY"), False)
    sent = server.calls("CreateTransfer")[0].request
    assert sent.from_account_id == MINE
    assert sent.payee.phone_number == "+8613800138000"


def test_confirming_twice_is_one_payment(server: ScriptedServer, bank: Bank, wallet: Any) -> None:
    server.script("CreateTransfer", SENT, Replays(SENT))
    payment = bank.wait(wallet.prepare("+8613800138000", Money(1, "CNY")))

    answers = [bank.wait(payment.confirm()) for _ in range(2)]

    requests = [seen.request for seen in server.calls("CreateTransfer")]
    assert requests[0] == requests[1]
    assert [answer.replayed for answer in answers] == [False, True]


def test_a_payment_of_unknown_outcome_is_asked_again_after_a_restart(
    server: ScriptedServer, bank: Bank, wallet: Any
) -> None:
    server.script("CreateTransfer", Fails(grpc.StatusCode.DEADLINE_EXCEEDED), Replays(SENT))
    payment = bank.wait(wallet.prepare("acct_" + "2" * 32, Money(1, "CNY")))
    with pytest.raises(errors.DeadlineExceededError) as caught:
        bank.wait(payment.confirm())
    assert caught.value.outcome_unknown

    again = bank.wait(
        wallet.prepare("acct_" + "2" * 32, Money(1, "CNY"), request_id=payment.request_id)
    )

    assert bank.wait(again.confirm()).replayed


NEEDED = refusal("NEEDS_AUTH", challenge_id="chal_1", methods="PAYMENT_PIN,TOTP")
PIN_PROOF = factor_pb2.FactorProof(payment_pin="835207")


def challenge(state: challenge_pb2.ChallengeState.ValueType) -> challenge_pb2.Challenge:
    return challenge_pb2.Challenge(challenge_id="chal_1", state=state, text="Pay 0.01 CNY.")


def test_a_payment_is_approved_and_sent_again_as_the_same_request(
    server: ScriptedServer, bank: Bank, wallet: Any
) -> None:
    pending = challenge(challenge_pb2.CHALLENGE_STATE_PENDING)
    approved = challenge(challenge_pb2.CHALLENGE_STATE_APPROVED)
    server.script("CreateTransfer", NEEDED, SENT)
    server.script(
        "GetChallenge",
        *(
            challenge_service_pb2.GetChallengeResponse(challenge=one)
            for one in (pending, pending, approved)
        ),
    )
    server.script(
        "ApproveChallenge",
        challenge_service_pb2.ApproveChallengeResponse(challenge=pending),
        challenge_service_pb2.ApproveChallengeResponse(challenge=approved),
    )
    shown: list[str] = []

    def approver(asked: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
        shown.append(asked.text)
        return PIN_PROOF

    own = type(wallet)(bank.client, "cust_1", approver=approver)
    payment = bank.wait(own.prepare("+8613800138000", Money(1, "CNY")))
    assert bank.wait(payment.confirm()).state == "COMPLETED"
    first, second = (seen.request for seen in server.calls("CreateTransfer"))
    assert first == second
    # Two factors were needed, so the customer was asked twice.
    assert shown == ["Pay 0.01 CNY."] * 2
    assert [seen.request.proof for seen in server.calls("ApproveChallenge")] == [PIN_PROOF] * 2


def test_a_withdrawal_is_approved_too(server: ScriptedServer, bank: Bank, wallet: Any) -> None:
    approved = challenge(challenge_pb2.CHALLENGE_STATE_APPROVED)
    server.script(
        "Withdraw", NEEDED, transfers_service_pb2.WithdrawResponse(transfer=SENT.transfer)
    )
    server.script("GetChallenge", challenge_service_pb2.GetChallengeResponse(challenge=approved))
    own = type(wallet)(bank.client, "cust_1", approver=lambda _: PIN_PROOF)
    sent = bank.wait(own.withdraw(Money(1234, "CNY"), bank_account="6222020200112233445"))
    assert sent.state == "COMPLETED"
    first, second = (seen.request for seen in server.calls("Withdraw"))
    assert first == second
    assert server.calls("ApproveChallenge") == []


def test_without_an_approver_the_caller_is_told(
    server: ScriptedServer, bank: Bank, wallet: Any
) -> None:
    server.script("CreateTransfer", NEEDED)
    payment = bank.wait(wallet.prepare("+8613800138000", Money(1, "CNY")))
    with pytest.raises(errors.NeedsAuth) as caught:
        bank.wait(payment.confirm())
    assert caught.value.metadata["challenge_id"] == "chal_1"
    assert len(server.calls("CreateTransfer")) == 1


def test_reads_show_the_last_change(server: ScriptedServer, bank: Bank, wallet: Any) -> None:
    server.script("CreateTransfer", SENT)
    server.script("GetBalance", accounts_service_pb2.GetBalanceResponse(balance=balance(2)))
    bank.wait(bank.wait(wallet.prepare("+8613800138000", Money(1, "CNY"))).confirm())

    found = bank.wait(wallet.balance("CNY"))

    assert found.available == Money(400, "CNY")
    assert found.held == Money(100, "CNY")
    assert server.calls("GetBalance")[0].request.at_least_as_fresh == "c7"


def test_a_currency_without_an_account(bank: Bank, wallet: Any) -> None:
    with pytest.raises(LookupError, match="USD"):
        bank.wait(wallet.balance("USD"))


def test_opening_registers_and_knows_the_account(
    server: ScriptedServer, bank: Bank, kind: str
) -> None:
    server.script(
        "OpenWallet",
        accounts_service_pb2.OpenWalletResponse(
            wallet=wallet_pb2.Wallet(customer_id="cust_9"), account=pocket()
        ),
    )

    opened = bank.wait(
        (AsyncWallet if kind == "asyncio" else Wallet).open(
            bank.client,
            phone_number="+8613800138000",
            display_name="Li Ming",
            currency_code="CNY",
        )
    )

    assert opened.customer_id == "cust_9"
    assert bank.wait(opened.account_id("CNY")) == MINE


def test_a_statement_adds_up_and_is_saved(
    server: ScriptedServer, bank: Bank, wallet: Any, tmp_path: Path
) -> None:
    stated = wallet_pb2.Statement(
        year=2026, month=1, opening=cny(100), closing=cny(350), complete=True
    )
    stated.movements.extend([movement(300), movement(-50)])
    server.script(
        "GetStatement",
        accounts_service_pb2.GetStatementResponse(
            statement=stated, document=b"%PDF", media_type="application/pdf"
        ),
    )

    statement = bank.wait(wallet.statement("CNY", 2026, 1, document="pdf"))

    assert statement.adds_up()
    assert statement.save(tmp_path / "s.pdf").read_bytes() == b"%PDF"
    assert server.calls("GetStatement")[0].request.format == wallet_pb2.STATEMENT_FORMAT_PDF
    with pytest.raises(ValueError, match="docx"):
        bank.wait(wallet.statement("CNY", 2026, 1, document="docx"))


def test_a_statement_that_does_not_add_up_says_so(
    server: ScriptedServer, bank: Bank, wallet: Any, tmp_path: Path
) -> None:
    stated = wallet_pb2.Statement(opening=cny(100), closing=cny(101))
    server.script("GetStatement", accounts_service_pb2.GetStatementResponse(statement=stated))

    statement = bank.wait(wallet.statement("CNY", 2026, 1))

    assert not statement.adds_up()
    with pytest.raises(ValueError, match="no document"):
        statement.save(tmp_path / "s")


def test_history_has_the_sign_of_its_direction(
    server: ScriptedServer, bank: Bank, wallet: Any
) -> None:
    server.script(
        "AccountsService/ListTransactions",
        accounts_service_pb2.ListTransactionsResponse(movements=[movement(-70), movement(30)]),
    )

    found = bank.take(wallet.history("CNY", since=datetime(2026, 1, 1, tzinfo=UTC)))

    assert [one.amount.minor_units for one in found] == [-70, 30]
    asked = server.calls("AccountsService/ListTransactions")[0].request
    assert asked.from_time.seconds == 1_767_225_600


def test_times_need_a_zone(bank: Bank, wallet: Any) -> None:
    with pytest.raises(ValueError, match="zone"):
        bank.take(wallet.history("CNY", since=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_balance_can_be_watched(server: ScriptedServer, bank: Bank, wallet: Any) -> None:
    server.script(
        "WatchBalance",
        [accounts_service_pb2.WatchBalanceResponse(balance=balance(one)) for one in (1, 2)],
    )

    assert [one.version for one in bank.take(wallet.watch("CNY"))] == [1, 2]


def test_other_changes_of_a_wallet(server: ScriptedServer, bank: Bank, wallet: Any) -> None:
    transfer = SENT.transfer
    server.script("TopUp", transfers_service_pb2.TopUpResponse(transfer=transfer))
    server.script("Withdraw", transfers_service_pb2.WithdrawResponse(transfer=transfer))
    server.script("CancelTransfer", transfers_service_pb2.CancelTransferResponse(transfer=transfer))
    server.script("OpenAccount", refusal("POCKET_EXISTS", currency_code="CNY"))
    ten = Money.of(10, "CNY")

    assert bank.wait(wallet.top_up(ten, bank_account="b1")).transfer_id == "txn_1"
    assert bank.wait(wallet.withdraw(ten, bank_account="b1")).transfer_id == "txn_1"
    assert bank.wait(wallet.cancel("txn_1")).transfer_id == "txn_1"
    with pytest.raises(errors.PocketExists):
        bank.wait(wallet.open_pocket("CNY"))
    with pytest.raises(ValueError, match="next_week"):
        bank.wait(wallet.prepare("+8613800138000", ten, delay="next_week"))
