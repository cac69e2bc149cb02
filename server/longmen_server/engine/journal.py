"""A writer's journal: its events numbered without gaps, its batches chained by hashes.

Every committed change is an event. The events of one batch are the leaves of a Merkle tree; its
root, together with the hash of the block before, makes the block's hash. So any later change of a
record, or a missing one, shows, and a single record can be proven with a few hashes without showing
the others.

Canonical forms (all integers big-endian), version 1:
    leaf       = B version, B type, H book, H writer, Q sequence, h ordinal, Q booked_at_us,
                 16s subject, body
    leaf hash  = SHA-256(0x00 | leaf)
    node       = SHA-256(0x01 | left | right); an odd node moves up unchanged
    block hash = SHA-256(B version, H book, H writer, Q number, Q first_sequence, I count,
                         Q booked_at_us | previous hash | root)
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
NO_HASH = bytes(32)

_LEAF = struct.Struct(">BBHHQhQ16s")
_BLOCK = struct.Struct(">BHHQQIQ")


class Event(NamedTuple):
    """One change, before the writer has numbered it."""

    type: int
    """A value of longmen.events.v1.EventType."""
    subject: bytes
    """The account, transaction or customer it is about, 16 bytes."""
    ordinal: int
    """Which posting of a transaction; 0 for all else."""
    booked_at_us: int
    payload: bytes | None
    """Stored with the event; None for a posting, whose row says everything."""
    body: bytes
    """Canonical form of what happened, hashed into the journal."""


class Head(NamedTuple):
    """Where a journal stands."""

    number: int
    sequence: int
    booked_at_us: int
    hash: bytes


EMPTY_HEAD = Head(0, 0, 0, NO_HASH)


class Block(NamedTuple):
    """One batch in the journal, in the order of its columns."""

    number: int
    first_sequence: int
    booked_at_us: int
    record_count: int
    writer: int
    previous_hash: bytes
    root: bytes
    hash: bytes


def encode_leaf(
    *,
    book: int,
    writer: int,
    sequence: int,
    event: Event,
) -> bytes:
    """Return the canonical form of a numbered event."""
    header = _LEAF.pack(
        VERSION,
        event.type,
        book,
        writer,
        sequence,
        event.ordinal,
        event.booked_at_us,
        event.subject,
    )
    return header + event.body


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf; the prefix keeps it from ever being taken for a node."""
    return sha256(b"\x00" + leaf).digest()


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; there is at least one."""
    level = list(hashes)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def _next_level(level: list[bytes]) -> list[bytes]:
    paired = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(level[::2], level[1::2], strict=False)
    ]
    if len(level) % 2:
        paired.append(level[-1])
    return paired


def merkle_path(hashes: Sequence[bytes], index: int) -> list[tuple[bytes, bool]]:
    """Return the siblings from one leaf up to the root, each with whether it stands on the left."""
    path: list[tuple[bytes, bool]] = []
    level = list(hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append((level[sibling], sibling < index))
        level = _next_level(level)
        index //= 2
    return path


def block_hash(*, book: int, block: Block) -> bytes:
    """Return the hash of a block from its other fields."""
    header = _BLOCK.pack(
        VERSION,
        book,
        block.writer,
        block.number,
        block.first_sequence,
        block.record_count,
        block.booked_at_us,
    )
    return sha256(header + block.previous_hash + block.root).digest()


def seal(
    *, book: int, writer: int, head: Head, events: Sequence[Event], booked_at_us: int
) -> tuple[Block, Head]:
    """Number events after a head and return the block they make and the head after it."""
    sequence = head.sequence
    hashes = []
    pack, digest = _LEAF.pack, sha256
    for event in events:
        sequence += 1
        header = pack(
            VERSION,
            event.type,
            book,
            writer,
            sequence,
            event.ordinal,
            event.booked_at_us,
            event.subject,
        )
        hashes.append(digest(b"\x00" + header + event.body).digest())
    block = Block(
        number=head.number + 1,
        first_sequence=head.sequence + 1,
        booked_at_us=booked_at_us,
        record_count=len(events),
        writer=writer,
        previous_hash=head.hash,
        root=merkle_root(hashes),
        hash=NO_HASH,
    )
    block = block._replace(hash=block_hash(book=book, block=block))
    return block, Head(block.number, sequence, booked_at_us, block.hash)
