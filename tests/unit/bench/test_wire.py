"""The hand-made requests say what the generated stubs understand."""

from __future__ import annotations

import uuid

import protovalidate
import pytest

from bench import wire
from longmen.ledger.v1 import ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfers_service_pb2
from longmen_server.platform.ids import ACCOUNT, book_of

SEED = 20_261_122
ACCOUNTS = 50


def parse_ledger(data: bytes) -> ledger_service_pb2.CreateTransfersRequest:
    request = ledger_service_pb2.CreateTransfersRequest.FromString(data)
    protovalidate.validate(request)
    return request


def test_account_ids_are_ids_of_the_book() -> None:
    for number in (0, 1, 4_095, 4_096, 100_000):
        assert book_of(ACCOUNT.decode(wire.account_id(number))) == wire.BOOK
    assert len({wire.account_id(number) for number in range(10_000)}) == 10_000


def test_request_ids_are_random_version_4_uuids() -> None:
    for bits in (0, 1, (1 << 128) - 1, 0x1234_5678_9ABC_DEF0_1122_3344_5566_7788):
        parsed = uuid.UUID(wire.request_id(bits).decode())
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122


def test_a_ledger_request_is_valid_and_written_as_protobuf_writes_it() -> None:
    requests = wire.Requests(wire.Shape("ledger", ACCOUNTS), SEED)
    for _ in range(100):
        data = requests.make()
        request = parse_ledger(data)
        assert request.SerializeToString() == data
        (transfer,) = request.transfers
        assert transfer.debit_account_id != transfer.credit_account_id
        assert 1 <= transfer.amount.minor_units <= wire.LARGEST_AMOUNT
        assert transfer.amount.currency_code == wire.CURRENCY


def test_no_request_id_repeats() -> None:
    requests = wire.Requests(wire.Shape("ledger", ACCOUNTS), SEED)
    ids = [parse_ledger(requests.make()).request_id for _ in range(1_000)]
    assert len(set(ids)) == len(ids)


def test_uniform_transfers_reach_every_account_on_both_sides() -> None:
    requests = wire.Requests(wire.Shape("ledger", ACCOUNTS), SEED)
    transfers = [parse_ledger(requests.make()).transfers[0] for _ in range(2_000)]
    everyone = {wire.account_id(number) for number in range(1, ACCOUNTS + 1)}
    assert {transfer.debit_account_id for transfer in transfers} == everyone
    assert {transfer.credit_account_id for transfer in transfers} == everyone


def test_hot_transfers_all_credit_account_0() -> None:
    requests = wire.Requests(wire.Shape("ledger", ACCOUNTS, hot=True), SEED)
    credited = {parse_ledger(requests.make()).transfers[0].credit_account_id for _ in range(100)}
    assert credited == {wire.account_id(0)}


def test_a_batch_is_as_long_as_asked_for_and_fits_the_limit() -> None:
    data = wire.Requests(wire.Shape("ledger", ACCOUNTS, batch=1_000), SEED).make()
    assert len(parse_ledger(data).transfers) == 1_000
    assert len(data) < 1_048_576


def test_a_customer_request_is_valid_and_written_as_protobuf_writes_it() -> None:
    data = wire.Requests(wire.Shape("customer", ACCOUNTS), SEED).make()
    request = transfers_service_pb2.CreateTransferRequest.FromString(data)
    protovalidate.validate(request)
    assert request.SerializeToString() == data
    assert request.from_account_id != request.payee.account_id


def test_every_transfer_of_a_reply_must_be_new() -> None:
    requests = wire.Requests(wire.Shape("ledger", ACCOUNTS, batch=2), SEED)
    result = transaction_pb2.TransferResult
    created = result(outcome=result.OUTCOME_CREATED)
    reply = ledger_service_pb2.CreateTransfersResponse

    assert requests.check(reply(results=[created, created]).SerializeToString()) == 2
    for other in (result.OUTCOME_EXISTS, result.OUTCOME_REFUSED, result.OUTCOME_UNSPECIFIED):
        wrong = reply(results=[created, result(outcome=other)]).SerializeToString()
        with pytest.raises(wire.WrongReplyError):
            requests.check(wrong)
    with pytest.raises(wire.WrongReplyError, match="1 results for 2"):
        requests.check(reply(results=[created]).SerializeToString())


def test_a_customer_reply_must_name_its_transfer() -> None:
    requests = wire.Requests(wire.Shape("customer", ACCOUNTS), SEED)
    with pytest.raises(wire.WrongReplyError):
        requests.check(b"")
