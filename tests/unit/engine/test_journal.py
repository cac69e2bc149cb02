"""The journal's hashes: every record can be proven, and no change of any goes unseen."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.engine import journal
from longmen_server.engine.journal import (
    EMPTY_HEAD,
    Block,
    Event,
    block_hash,
    encode_leaf,
    leaf_hash,
    merkle_path,
    merkle_root,
    seal,
)
from tests.support.audit import root as naive_root

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = range(1, 71)


def event(number: int) -> Event:
    return Event(3, number.to_bytes(16, "big"), number % 5, 1000 + number, None, b"body%d" % number)


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(b"leaf %d" % n) for n in range(count)]


def climb(start: bytes, path: Sequence[tuple[bytes, bool]]) -> bytes:
    """What a verifier does with a path."""
    node = start
    for sibling, on_the_left in path:
        pair = sibling + node if on_the_left else node + sibling
        node = sha256(b"\1" + pair).digest()
    return node


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_of_every_size_climbs_to_the_root(size: int) -> None:
    leaves = hashes(size)
    root = merkle_root(leaves)
    assert root == naive_root(b"leaf %d" % n for n in range(size))
    for index in range(size):
        path = merkle_path(leaves, index)
        assert climb(leaves[index], path) == root
        assert len(path) <= (size - 1).bit_length()
        wrong = climb(leaves[(index + 1) % size], path)
        assert (wrong == root) == (size == 1)


@pytest.mark.parametrize("size", SIZES)
def test_any_other_leaf_order_or_number_gives_another_root(size: int) -> None:
    leaves = hashes(size)
    root = merkle_root(leaves)
    for index in range(size):
        other = [*leaves[:index], leaf_hash(b"forged"), *leaves[index + 1 :]]
        assert merkle_root(other) != root
        assert size == 1 or merkle_root([*leaves[:index], *leaves[index + 1 :]]) != root
    assert merkle_root([*leaves, leaves[-1]]) != root
    assert size == 1 or merkle_root(leaves[::-1]) != root


def test_a_node_cannot_pass_for_a_leaf() -> None:
    left, right = hashes(2)
    assert leaf_hash(left + right) != merkle_root([left, right])


def chain(sizes: Sequence[int]) -> tuple[list[Block], list[list[Event]]]:
    blocks, batches, head = [], [], EMPTY_HEAD
    for number, size in enumerate(sizes):
        events = [event(100 * number + n) for n in range(size)]
        block, head = seal(book=1, writer=2, head=head, events=events, booked_at_us=5000 + number)
        blocks.append(block)
        batches.append(events)
    return blocks, batches


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_blocks_follow_each_other_without_gap(sizes: list[int]) -> None:
    blocks, batches = chain(sizes)
    previous, sequence = bytes(32), 1
    for number, (block, events) in enumerate(zip(blocks, batches, strict=True), 1):
        assert (block.number, block.first_sequence, block.record_count) == (
            number,
            sequence,
            len(events),
        )
        assert block.previous_hash == previous
        assert block.hash == block_hash(book=1, block=block)
        assert block.root == merkle_root(
            [
                leaf_hash(encode_leaf(book=1, writer=2, sequence=sequence + n, event=each))
                for n, each in enumerate(events)
            ]
        )
        previous, sequence = block.hash, sequence + len(events)


@pytest.mark.parametrize(
    "field", ["number", "first_sequence", "booked_at_us", "record_count", "writer"]
)
def test_a_block_s_hash_covers_its_numbers(field: str) -> None:
    (block,), _ = chain([3])
    changed = block._replace(**{field: getattr(block, field) + 1})
    assert block_hash(book=1, block=changed) != block.hash


def test_a_block_s_hash_covers_its_links_and_its_book() -> None:
    (block,), _ = chain([3])
    for changed in (block._replace(root=bytes(32)), block._replace(previous_hash=b"\1" * 32)):
        assert block_hash(book=1, block=changed) != block.hash
    assert block_hash(book=2, block=block) != block.hash


@pytest.mark.parametrize(
    "changed",
    [
        {"type": 4},
        {"subject": bytes(16)},
        {"ordinal": 9},
        {"booked_at_us": 1},
        {"body": b"other"},
    ],
)
def test_a_leaf_covers_everything_an_event_says(changed: dict[str, object]) -> None:
    plain = encode_leaf(book=1, writer=2, sequence=3, event=event(7))
    other = event(7)._replace(**changed)  # type: ignore[arg-type]
    assert encode_leaf(book=1, writer=2, sequence=3, event=other) != plain
    assert encode_leaf(book=2, writer=2, sequence=3, event=event(7)) != plain
    assert encode_leaf(book=1, writer=3, sequence=3, event=event(7)) != plain
    assert encode_leaf(book=1, writer=2, sequence=4, event=event(7)) != plain


def test_the_forms_are_those_of_version_one() -> None:
    """Fixed for ever: receipts given out are verified by them."""
    assert journal.VERSION == 1
    (block,), _ = chain([2])
    assert block.root.hex() == "36f2aad7ad1fed58d2aa4ed2d67f9dbfb58337654472e918cabd6a750d311705"
    assert block.hash.hex() == "e00107412e90e32bb30a8ab4f8805de0f68d48b42666813805b3d05e5ff6caba"
