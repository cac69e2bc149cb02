"""The client against a whole server, as its users start it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from longmen.events.v1 import event_pb2
from longmen_client import (
    AsyncClient,
    Client,
    Config,
    Money,
    RetryPolicy,
    account_spec,
    book_of,
    errors,
    hold_spec,
    new_account_id,
    new_request_id,
    new_transaction_id_for,
    posting_id,
    transfer_spec,
)
from longmen_client.receipts import block_hash, merkle_root, verify_receipt
from longmen_server.cli import cli
from tests.support.server import Server, data_folder, running

if TYPE_CHECKING:
    from collections.abc import Iterator

CLEARING, DEPOSITS = 1110, 2010
PATIENT = RetryPolicy(
    max_attempts=50, initial_backoff_ms=200, backoff_multiplier=2, budget_tokens=10_000
)
"""A worker that was killed is replaced within seconds, and both may be away at once: until the
deadline, not for a number of attempts that chance makes short."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data, {"LONGMEN_WORKERS": "2"}) as one:
        yield one


@pytest.fixture(scope="module")
def config(server: Server) -> Config:
    # So many connections that no worker is without one: a kill must always break something.
    return Config(
        target=server.address, token=server.token, connections=16, retry=PATIENT, deadline_ms=40_000
    )


@pytest.fixture(scope="module")
def bank(config: Config) -> Iterator[Client]:
    with Client(config) as client:
        yield client


def open_accounts(bank: Client, count: int = 1) -> tuple[str, list[str]]:
    """A clearing account, and so many wallets' accounts with 1,000.00 each."""
    specs = [account_spec(chart_code=CLEARING, currency_code="CNY")]
    specs += [account_spec(chart_code=DEPOSITS, currency_code="CNY") for _ in range(count)]
    opened = bank.ledger.create_accounts(accounts=specs).message.accounts
    clearing, *wallets = [one.account_id for one in opened]
    filled = bank.ledger.create_transfers(
        transfers=[
            transfer_spec(
                debit_account_id=clearing, credit_account_id=one, amount=Money.of(1000, "CNY")
            )
            for one in wallets
        ]
    )
    assert not any(result.reason for result in filled.message.results)
    return clearing, wallets


def available(bank: Client, *account_ids: str) -> list[int]:
    return [one.available for one in bank.ledger.get_balances(account_ids=account_ids).balances]


def test_a_repeated_request_is_done_once_and_answered_alike(bank: Client) -> None:
    _, (payer, payee) = open_accounts(bank, 2)
    request_id = new_request_id()
    spec = transfer_spec(
        debit_account_id=payer, credit_account_id=payee, amount=Money.of("12.34", "CNY")
    )

    replies = [
        bank.ledger.create_transfers(transfers=[spec], request_id=request_id) for _ in range(3)
    ]

    assert [reply.replayed for reply in replies] == [False, True, True]
    assert replies[0].message == replies[1].message == replies[2].message
    assert available(bank, payer, payee) == [98_766, 101_234]


def test_another_content_under_a_used_request_id_is_refused(bank: Client) -> None:
    request_id = new_request_id()
    spec = account_spec(chart_code=DEPOSITS, currency_code="CNY")
    bank.ledger.create_accounts(accounts=[spec], request_id=request_id)

    with pytest.raises(errors.RequestIdReused) as caught:
        bank.ledger.create_accounts(accounts=[spec, spec], request_id=request_id)

    assert not caught.value.outcome_unknown
    assert caught.value.metadata["fields"]


def test_refusals_are_typed(bank: Client) -> None:
    _, (payer, payee) = open_accounts(bank, 2)

    too_much = transfer_spec(
        debit_account_id=payer, credit_account_id=payee, amount=Money.of(1001, "CNY")
    )
    (result,) = bank.ledger.create_transfers(transfers=[too_much]).message.results
    refusal = errors.refusal_of(result.reason, result.reason_metadata)
    assert isinstance(refusal, errors.InsufficientFunds)
    assert refusal.metadata["available_minor_units"] == "100000"

    with pytest.raises(errors.AccountNotFound):
        bank.ledger.get_account(account_id=new_account_id())
    with pytest.raises(errors.InvalidRequest) as caught:
        bank.ledger.get_account(account_id="acct_1")
    assert [one.field for one in caught.value.field_violations] == ["account_id"]
    with pytest.raises(errors.UnknownCurrency):
        bank.ledger.create_accounts(
            accounts=[account_spec(chart_code=DEPOSITS, currency_code="XYZ")]
        )


def test_tokens_are_checked(server: Server) -> None:
    with Client(Config(target=server.address)) as nobody, pytest.raises(errors.TokenMissing):
        nobody.ledger.get_trial_balance()
    with (
        Client(Config(target=server.address, token="x")) as forger,
        pytest.raises(errors.TokenInvalid),
    ):
        forger.ledger.get_trial_balance()


def test_lists_are_walked_to_their_end(bank: Client) -> None:
    _, wallets = open_accounts(bank, 250)

    found = {one.account_id for one in bank.ledger.list_accounts(page_size=100)}

    assert set(wallets) <= found


def test_ids_of_the_caller_are_kept(bank: Client) -> None:
    clearing, (wallet,) = open_accounts(bank)
    chosen = new_transaction_id_for(wallet)
    spec = transfer_spec(
        debit_account_id=clearing,
        credit_account_id=wallet,
        amount=Money(1, "CNY"),
        transaction_id=chosen,
    )

    (result,) = bank.ledger.create_transfers(transfers=[spec]).message.results

    assert result.transaction_id == chosen
    assert book_of(chosen) == book_of(wallet)


def test_receipts_are_verified_offline(bank: Client) -> None:
    _, (payer, payee) = open_accounts(bank, 2)
    spec = transfer_spec(
        debit_account_id=payer,
        credit_account_id=payee,
        amount=Money.of("7.77", "CNY"),
        code=12,
        reference="order 17",
        description="茶",
    )
    held = hold_spec(debit_account_id=payer, credit_account_id=payee, amount=Money(5, "CNY"))
    made = bank.ledger.create_transfers(transfers=[spec, held]).message.results
    captured = bank.ledger.capture_pending(pending_posting_id=made[1].transaction_id).message
    reversed_ = bank.ledger.reverse_transaction(transaction_id=made[0].transaction_id).message
    ids = [one.transaction_id for one in made]
    ids += [captured.result.transaction_id, reversed_.transaction.transaction_id]

    receipts = [bank.ledger.get_receipt(posting_id=posting_id(one)).receipt for one in ids]

    key = receipts[0].public_key
    assert [verify_receipt(one, key).posting_id for one in receipts] == ids
    receipts[0].posting.amount.minor_units += 1
    with pytest.raises(Exception, match="amount differs"):
        verify_receipt(receipts[0], key)


def test_the_exported_journal_is_one_chain_for_each_writer(bank: Client) -> None:
    open_accounts(bank, 3)
    heads: dict[int, bytes] = {}

    with bank.ledger.export_journal() as messages:
        for message in messages:
            block = message.block
            assert merkle_root(record.leaf for record in block.records) == block.root
            assert block_hash(block) == block.hash
            assert block.previous_hash == heads.get(block.writer, bytes(32))
            heads[block.writer] = block.hash

    assert heads


@pytest.mark.timeout(120)
async def test_many_calls_at_once_survive_killed_workers(
    server: Server, bank: Client, config: Config
) -> None:
    _, (payer, payee) = open_accounts(bank, 2)
    amount = Money(1, "CNY")
    spec = transfer_spec(debit_account_id=payer, credit_account_id=payee, amount=amount)
    sent = 400
    done = 0

    async with AsyncClient(config) as client:
        marks = {sent // 4: asyncio.Event(), sent // 2: asyncio.Event()}
        limit = asyncio.Semaphore(32)

        async def send() -> Any:
            nonlocal done
            async with limit:
                reply = await client.ledger.create_transfers(transfers=[spec])
            done += 1
            if done in marks:
                marks[done].set()
            return reply

        async def kill() -> None:
            for mark in marks.values():
                await mark.wait()
                os.kill(server.workers()[0].pid, signal.SIGKILL)

        killer = asyncio.create_task(kill())
        replies = await asyncio.gather(*(send() for _ in range(sent)))
        await killer

    assert any(reply.attempts > 1 for reply in replies)
    made = {reply.message.results[0].transaction_id for reply in replies}
    assert len(made) == sent
    assert available(bank, payer, payee) == [100_000 - sent, 100_000 + sent]


@pytest.mark.timeout(120)
async def test_events_are_followed_over_killed_workers_without_gap_or_repetition(
    server: Server, bank: Client, config: Config
) -> None:
    clearing, wallets = open_accounts(bank, 5)
    sent: list[str] = []
    seen: list[str] = []

    async def follow(client: AsyncClient) -> None:
        stream = client.events.watch_events(types=[event_pb2.EVENT_TYPE_POSTING_POSTED])
        async with stream as messages:
            async for message in messages:
                seen.extend(event.subject_id for event in message.events)
                if sent and len(set(seen) & set(sent)) == 300:
                    return

    async with AsyncClient(config) as client:
        following = asyncio.create_task(follow(client))
        for number in range(300):
            spec = transfer_spec(
                debit_account_id=clearing,
                credit_account_id=wallets[number % 5],
                amount=Money(1, "CNY"),
            )
            reply = await client.ledger.create_transfers(transfers=[spec])
            sent.append(reply.message.results[0].transaction_id)
            if number in {100, 200}:
                os.kill(server.workers()[0].pid, signal.SIGKILL)
        await asyncio.wait_for(following, 60)

    assert len(seen) == len(set(seen))
    for wallet in range(5):
        touched = sent[wallet::5]
        assert [one for one in seen if one in set(touched)] == touched


def test_the_commands_find_the_server_and_its_token(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LONGMEN_TOKEN", raising=False)
    monkeypatch.setenv("LONGMEN_DATA", str(server.data))
    monkeypatch.setenv("LONGMEN_PORT", server.address.rpartition(":")[2])
    runner = CliRunner()

    shown = runner.invoke(cli, ["ledger", "trial-balance"])
    verified = runner.invoke(cli, ["ledger", "export", "--verify", "--quiet"])

    rates = [
        runner.invoke(cli, ["fx", *words])
        for words in (["rate", "USD", "CNY", "100.00"], ["rates"], ["history", "EUR", "USD"])
    ]
    assert [one.exit_code for one in rates] == [0, 0, 0], [repr(one.exception) for one in rates]
    assert "you get" in rates[0].stdout
    assert "HKD" in rates[1].stdout
    assert "2026-10-30" in rates[2].stdout

    assert shown.exit_code == 0, shown.output
    assert "balanced" in shown.stdout
    assert "every hash and every chain holds" in verified.stderr
