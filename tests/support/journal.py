"""Journals as an export has them, with hashes that hold."""

from __future__ import annotations

from longmen.ledger.v1 import receipt_pb2
from longmen_client.receipts import block_hash, merkle_root


def a_chain(count: int, *, writer: int = 1) -> list[receipt_pb2.JournalBlock]:
    """Blocks of growing size, each continuing the one before."""
    blocks: list[receipt_pb2.JournalBlock] = []
    previous, sequence = bytes(32), 1
    for number in range(1, count + 1):
        records = [
            receipt_pb2.JournalRecord(sequence=sequence + place, leaf=b"%d-%d" % (number, place))
            for place in range(number)
        ]
        block = receipt_pb2.JournalBlock(
            book=1,
            writer=writer,
            number=number,
            first_sequence=sequence,
            record_count=number,
            previous_hash=previous,
            root=merkle_root(record.leaf for record in records),
            records=records,
        )
        block.hash = block_hash(block)
        blocks.append(block)
        previous, sequence = block.hash, sequence + number
    return blocks
