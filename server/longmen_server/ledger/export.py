"""Blocks of the journal as messages that any gRPC client takes, however large the blocks are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.ledger.receipt import block_message, record_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen.ledger.v1 import receipt_pb2
    from longmen_server.ledger.queries.journal import FullBlock

__all__ = ["PART_BYTES_MAX", "parts"]

PART_BYTES_MAX: Final = 1024 * 1024
"""Records of one message, in bytes: gRPC's clients take four megabytes unless they are told to take
more, and a record is a few kilobytes at most."""


def parts(book: int, full: FullBlock) -> Iterator[tuple[receipt_pb2.JournalBlock, bool]]:
    """Yield a block in messages with as many records as fit, each with the block's header.

    Args:
        book: the block's.
        full: the block and its records.

    Yields:
        A message, and whether more of the block follow.
    """
    message = block_message(book, full.block)
    size = 0
    for record in map(record_message, full.records):
        length = record.ByteSize()
        if size and size + length > PART_BYTES_MAX:
            yield message, True
            message, size = block_message(book, full.block), 0
        message.records.append(record)
        size += length
    yield message, False
