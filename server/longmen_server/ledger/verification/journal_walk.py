"""The walk along a book's journals: every block against the one before it and its own events.

The database hashes the leaves; here they are put together to roots, and the roots and the fields of
the blocks to the chain. Pure: rows go in, findings come out.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from longmen_server.engine.journal import EMPTY_HEAD, Block, Head, block_hash, merkle_root
from longmen_server.ledger.verification.queries_journal import LEAF_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE: Final = struct.Struct(">q")
_HASH_AT: Final = 16


class Leaves:
    """The leaves of one writer in order of their sequences; runs go in, blocks' worth comes out."""

    def __init__(self) -> None:
        self._run = b""
        self._at = 0

    def __len__(self) -> int:
        """Leaves not taken yet."""
        return (len(self._run) - self._at) // LEAF_BYTES

    def add(self, run: bytes) -> None:
        """Append a run."""
        self._run = self._run[self._at :] + run
        self._at = 0

    @property
    def last(self) -> int:
        """Sequence of the last leaf there is; 0 when there is none."""
        return self._sequence(len(self._run) - LEAF_BYTES) if len(self) else 0

    def _sequence(self, at: int) -> int:
        sequence: int = _SEQUENCE.unpack_from(self._run, at)[0]
        return sequence

    def take_below(self, sequence: int) -> list[int]:
        """Take the leaves before a sequence and return their sequences."""
        taken = []
        while self._at < len(self._run) and (found := self._sequence(self._at)) < sequence:
            taken.append(found)
            self._at += LEAF_BYTES
        return taken

    def take(self, first: int, count: int) -> tuple[list[bytes], int, list[int]]:
        """Take the leaves of a block.

        Returns:
            Their hashes, the latest booked time among them, and the sequences that are missing.
        """
        run, start = self._run, self._at
        end = start + count * LEAF_BYTES
        whole = (
            end <= len(run)
            and self._sequence(start) == first
            and self._sequence(end - LEAF_BYTES) == first + count - 1
        )
        missing: list[int] = []
        if not whole:
            end, missing = self._find_missing(first, count)
        self._at = end
        hashes = [run[at + _HASH_AT : at + LEAF_BYTES] for at in range(start, end, LEAF_BYTES)]
        # Booked times are positive, so their big-endian bytes sort as they do.
        latest = max((run[at + 8 : at + 16] for at in range(start, end, LEAF_BYTES)), default=b"")
        return hashes, int.from_bytes(latest, "big"), missing

    def _find_missing(self, first: int, count: int) -> tuple[int, list[int]]:
        present = set()
        at = self._at
        while at < len(self._run) and (sequence := self._sequence(at)) < first + count:
            present.add(sequence)
            at += LEAF_BYTES
        return at, [each for each in range(first, first + count) if each not in present]


class Walk:
    """The state of a walk: where each writer's chain stands."""

    def __init__(self, book: int, tell: Callable[[str, str, str], None]) -> None:
        """Begin.

        Args:
            book: whose journals these are.
            tell: takes kind, subject and detail of each finding.
        """
        self._book = book
        self._tell = tell
        self._head: Head = EMPTY_HEAD
        self._writer = 0

    def step(self, block: Block, leaves: Leaves) -> None:
        """Check the next block; the leaves are its writer's and reach at least to its end."""
        if block.writer != self._writer:
            self._head, self._writer = EMPTY_HEAD, block.writer
        head, subject = self._head, f"writer {block.writer} block {block.number}"
        if block.number != head.number + 1:
            self._tell("BLOCK_GAP", subject, f"block {head.number + 1} was expected")
        elif block.previous_hash != head.hash:
            self._tell(
                "BLOCK_CHAIN_BROKEN", subject, "it names another hash than its predecessor's"
            )
        if block.first_sequence != head.sequence + 1:
            self._tell(
                "BLOCK_RANGE_MISMATCH",
                subject,
                f"it begins with event {block.first_sequence}, not {head.sequence + 1}",
            )
        if block.booked_at_us <= head.booked_at_us:
            self._tell("BLOCK_TIME_ORDER", subject, "it is no later than its predecessor")
        if block_hash(book=self._book, block=block) != block.hash:
            self._tell("BLOCK_HASH_MISMATCH", subject, "its hash is not that of its fields")
        self._check_leaves(block, leaves, subject)
        last = block.first_sequence + block.record_count - 1
        self._head = Head(block.number, last, block.booked_at_us, block.hash)

    def _check_leaves(self, block: Block, leaves: Leaves, subject: str) -> None:
        for sequence in leaves.take_below(block.first_sequence):
            self._tell(
                "BLOCK_RANGE_MISMATCH",
                f"writer {block.writer} event {sequence}",
                f"no block before block {block.number} has it",
            )
        hashes, latest, missing = leaves.take(block.first_sequence, block.record_count)
        for sequence in missing:
            self._tell(
                "EVENT_GAP",
                f"writer {block.writer} event {sequence}",
                f"it is missing from block {block.number}",
            )
        if not hashes or merkle_root(hashes) != block.root:
            self._tell(
                "BLOCK_ROOT_MISMATCH",
                subject,
                f"its events {block.first_sequence} to"
                f" {block.first_sequence + block.record_count - 1} are not those it was made of",
            )
        if latest > block.booked_at_us:
            self._tell("BLOCK_TIME_ORDER", subject, f"it has an event of {latest}")

    def finish(self, writer: int, leaves: Leaves) -> None:
        """Check that a writer has no events left when its blocks have ended."""
        for sequence in leaves.take_below(1 << 63):
            self._tell(
                "EVENT_BEYOND_JOURNAL",
                f"writer {writer} event {sequence}",
                "no block has it",
            )
