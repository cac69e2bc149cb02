"""Blocks of the journal that come in several messages are put together before they are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.console.ledger_proofs import ChainCheck
from tests.support.journal import a_chain

if TYPE_CHECKING:
    from longmen.ledger.v1 import receipt_pb2


def in_parts(
    block: receipt_pb2.JournalBlock, size: int
) -> list[tuple[receipt_pb2.JournalBlock, bool]]:
    """A block as so many records at a time."""
    parts = []
    for at in range(0, len(block.records), size):
        part = type(block)()
        part.CopyFrom(block)
        del part.records[:]
        part.records.extend(block.records[at : at + size])
        parts.append((part, at + size < len(block.records)))
    return parts


def checked(messages: list[tuple[receipt_pb2.JournalBlock, bool]]) -> list[str]:
    chains = ChainCheck()
    for block, continues in messages:
        chains.add_part(block, continues=continues)
    return chains.findings


def test_blocks_in_parts_are_checked_whole() -> None:
    messages = [part for block in a_chain(3) for part in in_parts(block, 2)]
    assert [continues for _, continues in messages] == [False, False, True, False]
    assert not checked(messages)


def test_a_block_begun_again_after_an_interruption_is_the_same_block() -> None:
    one = a_chain(3)[-1]
    first, *rest = in_parts(one, 1)
    assert not checked([first, first, *rest])
    assert not checked([first, (one, False)])


def test_a_part_that_is_missing_is_found() -> None:
    first, _, last = in_parts(a_chain(3)[-1], 1)
    assert checked([first, last])
    assert checked([last])
