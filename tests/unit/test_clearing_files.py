"""The clearing by files: what is written, what is read, and what nobody can read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from longmen_server.platform.ids import ACCOUNT, TRANSACTION, AccountId, TransactionId
from longmen_server.transfers.clearing.files import FileClearing
from longmen_server.transfers.clearing.instant import InstantClearing
from longmen_server.transfers.clearing.port import Confirmation, Instruction
from longmen_server.transfers.model import Direction

if TYPE_CHECKING:
    from pathlib import Path

BOOK = 1


def transfer_id(number: int) -> TransactionId:
    return TransactionId(number.to_bytes(14, "big") + b"\x00\x01")


def instruction(number: int, **changes: Any) -> Instruction:
    values: dict[str, Any] = {
        "transaction_id": transfer_id(number),
        "direction": Direction.PAY_OUT,
        "account_id": AccountId(bytes(15) + b"\x01"),
        "amount": 123_456,
        "currency_code": "CNY",
        "bank_account": "6222 账",
        "reference": "",
    }
    return Instruction(**(values | changes))


@pytest.fixture
def clearing(tmp_path: Path) -> FileClearing:
    return FileClearing(tmp_path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_instructions_are_lines_of_a_finished_file(clearing: FileClearing, tmp_path: Path) -> None:
    rows = [instruction(1), instruction(2, direction=Direction.COLLECT, reference="r")]
    clearing.send(BOOK, rows)
    (path,) = (tmp_path / "1" / "out").iterdir()
    assert path.name == f"{TRANSACTION.encode(transfer_id(1))}-2.jsonl"
    first, second = lines(path)
    assert first == {
        "transfer_id": TRANSACTION.encode(transfer_id(1)),
        "direction": "PAY_OUT",
        "account_id": ACCOUNT.encode(rows[0].account_id),
        "bank_account": "6222 账",
        "amount": "1234.56",
        "currency_code": "CNY",
        "reference": "",
    }
    assert (second["direction"], second["reference"]) == ("COLLECT", "r")


def test_the_same_instructions_again_are_the_same_file(
    clearing: FileClearing, tmp_path: Path
) -> None:
    for _ in range(2):
        clearing.send(BOOK, [instruction(1)])
    assert len(list((tmp_path / "1" / "out").iterdir())) == 1


def test_books_have_folders_of_their_own(clearing: FileClearing, tmp_path: Path) -> None:
    clearing.send(1, [instruction(1)])
    clearing.send(2, [instruction(1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


def deliver(tmp_path: Path, name: str, *records: Any) -> None:
    folder = tmp_path / str(BOOK) / "in"
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(
        (record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records
    )
    (folder / name).write_text(text, "utf-8")


def confirmed(number: int) -> dict[str, str]:
    return {"transfer_id": TRANSACTION.encode(transfer_id(number)), "outcome": "CONFIRMED"}


def refused(number: int, **changes: Any) -> dict[str, Any]:
    return {**confirmed(number), "outcome": "REFUSED", "code": "AC04", **changes}


def test_confirmations_are_read_oldest_file_first(clearing: FileClearing, tmp_path: Path) -> None:
    deliver(tmp_path, "b.jsonl", refused(2))
    deliver(tmp_path, "a.jsonl", confirmed(1), "", refused(3))
    deliver(tmp_path, "c.partial", confirmed(4))
    first, second = clearing.collect(BOOK, [])
    assert first.confirmations == [
        Confirmation(transfer_id(1), confirmed=True, code=""),
        Confirmation(transfer_id(3), confirmed=False, code="AC04"),
    ]
    assert second.confirmations == [Confirmation(transfer_id(2), confirmed=False, code="AC04")]
    assert first.complete
    assert second.complete


def test_what_is_acknowledged_is_put_away(clearing: FileClearing, tmp_path: Path) -> None:
    deliver(tmp_path, "a.jsonl", confirmed(1))
    (delivery,) = clearing.collect(BOOK, [])
    for _ in range(2):
        clearing.acknowledge(BOOK, delivery)
    assert clearing.collect(BOOK, []) == []
    assert (tmp_path / "1" / "in" / "done" / "a.jsonl").exists()


@pytest.mark.parametrize(
    "bad",
    [
        "not json",
        "[]",
        "7",
        {},
        {"transfer_id": "txn_1", "outcome": "CONFIRMED"},
        {"transfer_id": 7, "outcome": "CONFIRMED"},
        {**confirmed(1), "outcome": "PERHAPS"},
        {**confirmed(1), "outcome": None},
        "\x00\ufffd",
    ],
)
def test_a_line_nobody_can_read_stops_its_file(
    clearing: FileClearing, tmp_path: Path, bad: Any
) -> None:
    deliver(tmp_path, "a.jsonl", confirmed(1), bad, confirmed(2))
    (delivery,) = clearing.collect(BOOK, [])
    assert [each.transaction_id for each in delivery.confirmations] == [transfer_id(1)]
    assert not delivery.complete
    clearing.acknowledge(BOOK, delivery)
    assert (tmp_path / "1" / "in" / "failed" / "a.jsonl").exists()
    assert clearing.collect(BOOK, []) == []


@pytest.mark.parametrize(
    ("code", "kept"),
    [("", "UNSPECIFIED"), (None, "UNSPECIFIED"), (7, "7"), ("x" * 90, "x" * 35)],
)
def test_refusal_codes(clearing: FileClearing, tmp_path: Path, code: Any, kept: str) -> None:
    deliver(tmp_path, "a.jsonl", refused(1, code=code))
    (delivery,) = clearing.collect(BOOK, [])
    assert [each.code for each in delivery.confirmations] == [kept]


def test_the_instant_clearing_confirms_all_but_what_asks_to_be_refused() -> None:
    clearing = InstantClearing()
    rows = [instruction(1), instruction(2, bank_account="REFUSE-AC04")]
    clearing.send(BOOK, rows)
    (delivery,) = clearing.collect(BOOK, rows)
    assert delivery.confirmations == [
        Confirmation(transfer_id(1), confirmed=True, code=""),
        Confirmation(transfer_id(2), confirmed=False, code="AC04"),
    ]
    assert clearing.collect(BOOK, []) == []
