"""Receipts prove what was booked; exports give the journal whole, from wherever one left off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from psycopg import sql

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_client.receipts import ReceiptError, verify_receipt
from longmen_server.engine.journal import NO_HASH, Block, block_hash, leaf_hash, merkle_root
from longmen_server.ledger.canonical import posting_body
from longmen_server.ledger.chart import BANK_CLEARING
from longmen_server.ledger.model import AccountState, PostingKind, PostingRow
from longmen_server.ledger.queries.journal import MissingRecordError
from longmen_server.ledger.receipt import DamagedJournalError, ReceiptSigner
from longmen_server.platform.ids import TRANSACTION, encode_posting
from longmen_server.platform.refusal import Refusal
from tests.support.clock import SettableClock
from tests.support.ledger import BOOK, Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.postgres import Database

HEADER_BYTES = 40
"""Length of a leaf's header; the body of the record follows."""


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with open_ledger(database.app_dsn, SettableClock()) as opened:
        yield opened


async def busy_day(ledger: Ledger) -> None:
    """Something of every kind of record, with and without each optional field."""
    (bank,) = await ledger.open(code=BANK_CLEARING)
    anna, boris = await ledger.open(2)
    await ledger.book(*(ledger.intent(bank, anna, amount) for amount in range(1, 30)))
    held = await ledger.hold(anna, boris, 20, reference="房租", description="x" * 140)
    await ledger.settle(held, PostingKind.CAPTURE, 5, description="a part")
    await ledger.settle(held, PostingKind.CAPTURE, 5, final=True)
    other = await ledger.hold(boris, anna, 3, code=32767)
    await ledger.settle(other, PostingKind.VOID, reference="r" * 64)
    ledger.clock.advance(60)
    moved = await ledger.move(anna, boris, 4, effective_at_us=ledger.clock.now_us() - 7)
    await ledger.reverse(moved)
    await ledger.set_state(boris, AccountState.FROZEN)


async def export(ledger: Ledger, cursor: str = "") -> list[pb.ExportJournalResponse]:
    request = pb.ExportJournalRequest(cursor=cursor)
    call = ledger.call("ExportJournal")
    return [message async for message in ledger.reads.ExportJournal(request, call)]


def stored_postings(database: Database) -> dict[str, PostingRow]:
    columns = map(sql.Identifier, PostingRow._fields)
    statement = sql.SQL("select {} from ledger_posting").format(sql.SQL(", ").join(columns))
    with psycopg.connect(database.admin_dsn) as connection:
        records = connection.execute(statement).fetchall()
    rows = [PostingRow._make(getattr(v, "bytes", v) for v in record) for record in records]
    return {encode_posting(row.transaction_id, row.ordinal): row for row in rows}


# -- export ------------------------------------------------------------------------------------


async def test_exported_chain_is_whole_and_its_leaves_are_the_rows(
    ledger: Ledger, database: Database
) -> None:
    await busy_day(ledger)
    messages = await export(ledger)
    rows = stored_postings(database)
    previous, sequence = NO_HASH, 0
    seen = set()
    for number, message in enumerate(messages, 1):
        block = message.block
        assert (block.book, block.number, block.previous_hash) == (BOOK, number, previous)
        assert block.first_sequence == sequence + 1
        assert merkle_root([leaf_hash(record.leaf) for record in block.records]) == block.root
        assert block.hash == block_hash(
            book=BOOK,
            block=Block(
                block.number,
                block.first_sequence,
                block.booked_time.ToMicroseconds(),
                block.record_count,
                block.writer,
                block.previous_hash,
                block.root,
                b"",
            ),
        )
        for record in block.records:
            sequence += 1
            assert record.sequence == sequence
            if record.HasField("posting"):
                seen.add(record.posting.posting_id)
                body = posting_body(rows[record.posting.posting_id])
                assert record.leaf[HEADER_BYTES:] == body
        previous = block.hash
    assert seen == rows.keys()


async def test_export_resumes_after_any_message_and_ends_when_nothing_is_left(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longmen_server.ledger.queries.journal.RECORDS_PER_PAGE", 10)
    await busy_day(ledger)
    everything = [message.block for message in await export(ledger)]
    messages = await export(ledger)
    for index, message in enumerate(messages):
        rest = [each.block for each in await export(ledger, message.cursor)]
        assert rest == everything[index + 1 :]
    await ledger.open()
    (new,) = await export(ledger, messages[-1].cursor)
    assert new.block.number == everything[-1].number + 1
    assert len(new.block.records) == 1


async def test_export_takes_every_writers_chain_once_and_in_its_order(
    ledger: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longmen_server.ledger.queries.journal.RECORDS_PER_PAGE", 3)
    (bank,) = await ledger.open(code=BANK_CLEARING)
    customers = await ledger.open(4)
    async with open_ledger(database.app_dsn, ledger.clock) as second:
        for index in range(24):
            ledger.clock.advance(1)
            writer = second if index % 3 == 0 else ledger
            await writer.move(bank, customers[index % 4], 1)
        messages = await export(second)
    chains: dict[int, list[int]] = {}
    for message in messages:
        chains.setdefault(message.block.writer, []).append(message.block.number)
    assert {writer: len(numbers) for writer, numbers in chains.items()} == {1: 18, 2: 8}
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in chains.values())
    times = [message.block.booked_time.ToMicroseconds() for message in messages]
    assert times == sorted(times)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "0" * 4000])
async def test_foreign_cursors_are_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(Refusal) as caught:
        await export(ledger, cursor)
    assert caught.value.reason == "INVALID_CURSOR"


async def test_cursor_is_good_for_its_stream_and_book_only(ledger: Ledger) -> None:
    cursors = ledger.tools.cursors
    sealed = cursors.seal({1: 5, 300: 2**40}, kind="journal", book=1)
    assert cursors.open(sealed, kind="journal", book=1) == {1: 5, 300: 2**40}
    assert cursors.open(cursors.seal({}, kind="k", book=1), kind="k", book=1) == {}
    for kind, book in (("events", 1), ("journal", 2)):
        with pytest.raises(Refusal):
            cursors.open(sealed, kind=kind, book=book)


# -- receipts ----------------------------------------------------------------------------------


async def receipt(ledger: Ledger, posting_id: str) -> Any:
    reply = await ledger.read("GetReceipt", pb.GetReceiptRequest(posting_id=posting_id))
    return reply.receipt


async def test_every_posting_has_a_receipt_that_verifies_offline(
    ledger: Ledger, database: Database
) -> None:
    await busy_day(ledger)
    for posting_id in stored_postings(database):
        proof = await receipt(ledger, posting_id)
        assert proof.posting.posting_id == posting_id
        assert not proof.block.records
        verify_receipt(proof, public_key=proof.public_key)


async def test_receipt_of_another_posting_does_not_verify(ledger: Ledger) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    intents = [ledger.intent(bank, anna, amount) for amount in (5, 6, 7)]
    await ledger.book(*intents)
    first, second, _ = [
        await receipt(ledger, TRANSACTION.encode(intent.transaction_id)) for intent in intents
    ]
    first.posting.CopyFrom(second.posting)
    with pytest.raises(ReceiptError):
        verify_receipt(first, public_key=first.public_key)


async def test_missing_posting_has_no_receipt(ledger: Ledger) -> None:
    missing = TRANSACTION.encode(ledger.new_transaction_id())
    with pytest.raises(Refusal) as caught:
        await receipt(ledger, f"{missing}.3")
    assert caught.value.reason == "TRANSACTION_NOT_FOUND"
    assert caught.value.metadata == {"transaction_id": missing}


@pytest.mark.parametrize(
    "damage",
    [
        "update ledger_posting set amount = amount + 1 where amount = 6",
        "delete from ledger_posting where amount = 7",
        "update journal_block set root = sha256(root) where number = 3",
        "update journal_block set booked_at_us = booked_at_us + 1 where number = 3",
        "delete from event where sequence = 5",
    ],
)
async def test_nothing_is_signed_that_the_rows_do_not_give(
    ledger: Ledger, database: Database, damage: str
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    intents = [ledger.intent(bank, anna, amount) for amount in (5, 6, 7)]
    await ledger.book(*intents)
    whole = TRANSACTION.encode(intents[0].transaction_id)
    await receipt(ledger, whole)
    with psycopg.connect(database.admin_dsn) as connection:
        connection.execute(damage.encode())
    with pytest.raises(DamagedJournalError):
        await receipt(ledger, whole)


async def test_posting_without_a_record_is_damage_and_not_an_absence(
    ledger: Ledger, database: Database
) -> None:
    (bank,) = await ledger.open(code=BANK_CLEARING)
    (anna,) = await ledger.open()
    moves = [await ledger.move(bank, anna, 1) for _ in range(5)]
    with psycopg.connect(database.admin_dsn) as connection:
        connection.execute("delete from event where subject = %s::uuid", (moves[2].hex(),))
    with pytest.raises(MissingRecordError):
        await receipt(ledger, TRANSACTION.encode(moves[2]))
    await receipt(ledger, TRANSACTION.encode(moves[4]))


def test_receipt_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "receipt.pem"
    first = ReceiptSigner.load_or_create(path)
    again = ReceiptSigner.load_or_create(path)
    assert (first.key_id, first.public_key) == (again.key_id, again.public_key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ValueError, match="receipts take Ed25519"):
        ReceiptSigner.load(path)
