"""A receipt proves its posting, and nothing else."""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from longmen.ledger.v1 import receipt_pb2, transaction_pb2
from longmen.type.v1 import money_pb2
from longmen_client import new_account_id, new_transaction_id
from longmen_client.receipts import ReceiptError, block_hash, merkle_root, verify_receipt

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
HEADER = struct.Struct(">BBHHQhQ16s")
BODY = struct.Struct(">BBH3s16s16sqQQqqqqq16sh16s")
BOOKED_US = 1_767_225_600_123_456


def a_posting() -> transaction_pb2.Posting:
    transaction, hold = new_transaction_id(3), new_transaction_id(3)
    posting = transaction_pb2.Posting(
        posting_id=f"{transaction}.2",
        transaction_id=transaction,
        kind=transaction_pb2.POSTING_KIND_CAPTURE,
        debit_account_id=new_account_id(3),
        credit_account_id=new_account_id(3),
        amount=money_pb2.Money(minor_units=1234, currency_code="CNY"),
        pending_posting_id=f"{hold}.7",
        code=9,
        reference="order 17",
        description="茶",
        debit_account_version=4,
        credit_account_version=5,
    )
    posting.booked_time.FromMicroseconds(BOOKED_US)
    posting.effective_time.FromMicroseconds(BOOKED_US - 1)
    return posting


def raw(text: str) -> bytes:
    return bytes.fromhex(text.partition("_")[2].partition(".")[0]) if text else bytes(16)


def leaf_of(posting: transaction_pb2.Posting, sequence: int) -> bytes:
    """The layout as the server's journal and canonical modules write it, spelled out once more."""
    header = HEADER.pack(
        1, posting.kind + 2, 3, 8, sequence, 2, BOOKED_US, raw(posting.transaction_id)
    )
    body = BODY.pack(
        1,
        posting.kind,
        posting.code,
        b"CNY",
        raw(posting.debit_account_id),
        raw(posting.credit_account_id),
        posting.amount.minor_units,
        posting.debit_account_version,
        posting.credit_account_version,
        100,
        200,
        0,
        0,
        BOOKED_US - 1,
        raw(posting.pending_posting_id),
        7 if posting.pending_posting_id else 0,
        raw(posting.reverses_transaction_id),
    )
    texts = b"".join(
        struct.pack(">H", len(text)) + text
        for text in (posting.reference.encode(), posting.description.encode())
    )
    return header + body + texts


def path_of(leaves: list[bytes], index: int) -> list[receipt_pb2.ProofStep]:
    """The siblings from a leaf to the root, found level by level."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    steps = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            steps.append(
                receipt_pb2.ProofStep(hash=level[sibling], sibling_is_left=sibling < index)
            )
        level = [
            sha256(b"\x01" + b"".join(level[i : i + 2])).digest()
            if i + 1 < len(level)
            else level[i]
            for i in range(0, len(level), 2)
        ]
        index //= 2
    return steps


def a_receipt(count: int = 5, index: int = 2) -> receipt_pb2.Receipt:
    posting = a_posting()
    first = 100
    leaves = [b"other record %d" % place for place in range(count)]
    leaves[index] = leaf_of(posting, first + index)
    block = receipt_pb2.JournalBlock(
        book=3,
        writer=8,
        number=11,
        first_sequence=first,
        record_count=count,
        previous_hash=bytes(range(32)),
        root=merkle_root(leaves),
    )
    block.booked_time.FromMicroseconds(BOOKED_US)
    block.hash = block_hash(block)
    return receipt_pb2.Receipt(
        posting=posting,
        record=receipt_pb2.JournalRecord(sequence=first + index, leaf=leaves[index]),
        path=path_of(leaves, index),
        block=block,
        key_id="k1",
        public_key=PUBLIC,
        signature=KEY.sign(b"longmen-receipt-v1" + block.hash),
    )


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_a_receipt_holds_for_every_place_in_every_block(place: tuple[int, int]) -> None:
    receipt = a_receipt(*place)

    proven = verify_receipt(receipt, PUBLIC)

    assert proven.posting_id == receipt.posting.posting_id
    assert (proven.book, proven.writer, proven.block_number) == (3, 8, 11)
    assert proven.block_hash == receipt.block.hash
    assert proven.key_id == "k1"


def test_the_block_hash_is_that_of_the_journal() -> None:
    block = a_receipt().block
    header = struct.pack(">BHHQQIQ", 1, 3, 8, 11, 100, 5, BOOKED_US)

    assert block_hash(block) == sha256(header + block.previous_hash + block.root).digest()


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def change(name: str, value: object) -> Callable[[receipt_pb2.Receipt], None]:
    """Set a field of a receipt by its dotted path."""

    def apply(receipt: receipt_pb2.Receipt) -> None:
        *parents, last = name.split(".")
        target: object = receipt
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, last, value)

    return apply


def flip(name: str) -> Callable[[receipt_pb2.Receipt], None]:
    """Change one bit of a field of a receipt."""

    def apply(receipt: receipt_pb2.Receipt) -> None:
        *parents, last = name.split(".")
        target: object = receipt
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, last, flipped(getattr(target, last)))

    return apply


def drop_step(receipt: receipt_pb2.Receipt) -> None:
    del receipt.path[0]


def add_step(receipt: receipt_pb2.Receipt) -> None:
    receipt.path.append(receipt.path[0])


def turn_step(receipt: receipt_pb2.Receipt) -> None:
    receipt.path[0].sibling_is_left = not receipt.path[0].sibling_is_left


def change_step(receipt: receipt_pb2.Receipt) -> None:
    receipt.path[1].hash = flipped(receipt.path[1].hash)


OTHER_ID = "0190000000007000800000000000" + "0003"
FORGERIES = {
    "amount": change("posting.amount.minor_units", 1235),
    "currency": change("posting.amount.currency_code", "USD"),
    "debit account": change("posting.debit_account_id", f"acct_{OTHER_ID}"),
    "credit account": change("posting.credit_account_id", f"acct_{OTHER_ID}"),
    "no account id": change("posting.credit_account_id", "acct_zz"),
    "posting id": change("posting.posting_id", f"txn_{OTHER_ID}.2"),
    "transaction id": change("posting.transaction_id", f"txn_{OTHER_ID}"),
    "pending posting": change("posting.pending_posting_id", ""),
    "reversal": change("posting.reverses_transaction_id", f"txn_{OTHER_ID}"),
    "kind": change("posting.kind", transaction_pb2.POSTING_KIND_POST),
    "code": change("posting.code", 8),
    "reference": change("posting.reference", "order 18"),
    "description": change("posting.description", ""),
    "debit version": change("posting.debit_account_version", 5),
    "credit version": change("posting.credit_account_version", 4),
    "booked time": change("posting.booked_time.nanos", 1_000),
    "effective time": change("posting.effective_time.seconds", 1),
    "book": change("block.book", 4),
    "writer": change("block.writer", 9),
    "number": change("block.number", 12),
    "impossible number": change("block.number", -1),
    "first sequence": change("block.first_sequence", 99),
    "outside the block": change("block.record_count", 2),
    "another count": change("block.record_count", 6),
    "block time": change("block.booked_time.seconds", 1),
    "previous hash": flip("block.previous_hash"),
    "short previous hash": change("block.previous_hash", b""),
    "root": flip("block.root"),
    "hash": flip("block.hash"),
    "leaf": flip("record.leaf"),
    "short leaf": change("record.leaf", b"\x01"),
    "sequence": change("record.sequence", 103),
    "signature": flip("signature"),
    "no signature": change("signature", b""),
    "missing step": drop_step,
    "further step": add_step,
    "turned step": turn_step,
    "changed step": change_step,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_receipt_proves_nothing(name: str) -> None:
    receipt = a_receipt()
    FORGERIES[name](receipt)

    with pytest.raises(ReceiptError):
        verify_receipt(receipt, PUBLIC)


@given(st.integers(0, 1_000_000))
def test_no_byte_of_the_leaf_can_change(place: int) -> None:
    receipt = a_receipt()
    leaf = bytearray(receipt.record.leaf)
    leaf[place % len(leaf)] ^= 1 + place % 255
    receipt.record.leaf = bytes(leaf)

    with pytest.raises(ReceiptError):
        verify_receipt(receipt, PUBLIC)


@pytest.mark.parametrize(
    "key",
    [bytes(32), b"short", Ed25519PrivateKey.generate().public_key().public_bytes_raw()],
    ids=["zeros", "short", "another"],
)
def test_only_the_banks_own_key_will_do(key: bytes) -> None:
    with pytest.raises(ReceiptError):
        verify_receipt(a_receipt(), key)


def test_a_block_has_records() -> None:
    with pytest.raises(ReceiptError):
        merkle_root([])
