"""The walk along a book's journals. Pure: rows go in, findings come out.

`Chain` takes the blocks of each writer by number: every one has to follow the one before. `Records`
takes the leaves of all writers by time: it hashes them, hands each block its own to check its root,
and lets `Books` fold the postings.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from longmen_server.engine.journal import EMPTY_HEAD, Block, Head, block_hash, merkle_root
from longmen_server.ledger.verification.leaves import columns_of, postings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.ledger.verification.books import Books
    from longmen_server.ledger.verification.leaves import Columns

    Tell = Callable[[str, str, str], None]


class Chain:
    """Where each writer's chain stands."""

    def __init__(self, book: int, tell: Tell) -> None:
        """Begin.

        Args:
            book: whose journals these are.
            tell: takes kind, subject and detail of each finding.
        """
        self._book = book
        self._tell = tell
        self._head: Head = EMPTY_HEAD
        self._writer = 0
        self.ends: dict[int, int] = {}
        """The sequence each writer's journal ends with."""

    def follow(self, block: Block) -> None:
        """Check the next block, by writer and number."""
        if block.writer != self._writer:
            self._head, self._writer = EMPTY_HEAD, block.writer
        head, subject = self._head, name_of(block)
        if block.number != head.number + 1:
            self._tell("BLOCK_GAP", subject, f"block {head.number + 1} was expected")
        elif block.previous_hash != head.hash:
            self._tell("BLOCK_CHAIN_BROKEN", subject, "it names another hash than the one before")
        if block.first_sequence != head.sequence + 1:
            self._tell(
                "BLOCK_RANGE_MISMATCH",
                subject,
                f"it begins with event {block.first_sequence}, not {head.sequence + 1}",
            )
        if block.booked_at_us <= head.booked_at_us:
            self._tell("BLOCK_TIME_ORDER", subject, "it is no later than the one before")
        if block_hash(book=self._book, block=block) != block.hash:
            self._tell("BLOCK_HASH_MISMATCH", subject, "its hash is not that of its fields")
        last = block.first_sequence + block.record_count - 1
        self._head = Head(block.number, last, block.booked_at_us, block.hash)
        self.ends[block.writer] = max(last, self.ends.get(block.writer, 0))


class Records:
    """The leaves of a book as they come by time, until their blocks take them."""

    def __init__(self, ends: dict[int, int], books: Books | None, tell: Tell) -> None:
        """Begin.

        Args:
            ends: the sequence each writer's journal ends with.
            books: folds the postings; None when that is done elsewhere.
            tell: takes kind, subject and detail of each finding.
        """
        self._ends = ends
        self._books = books
        self._tell = tell
        self._waiting: dict[int, dict[int, bytes]] = {}
        self._incomplete: list[Block] = []
        self.events_fit = True
        """Whether every posting so far had its event and every event its posting."""

    def take(self, rows: Sequence[tuple[bytes | None]]) -> None:
        """Take the next leaves by time, as they are hashed; None: a posting without an event."""
        leaves = [leaf for (leaf,) in rows if leaf is not None]
        if len(leaves) < len(rows):
            self.events_fit = False
        columns = columns_of(leaves)
        self._keep(columns, [sha256(leaf).digest() for leaf in leaves])
        postings, fit = postings_of(columns)
        if not fit:
            self.events_fit = False
        if self._books is not None:
            self._books.fold(postings)

    def _keep(self, columns: Columns, hashes: list[bytes]) -> None:
        """Keep leaves for their blocks; one that no block can have is told of at once."""
        writers, sequences = columns["writer"], columns["sequence"]
        for writer in np.unique(writers).tolist():
            has_block = (writers == writer) & (sequences <= self._ends.get(writer, 0))
            beyond = (writers == writer) & ~has_block
            self._waiting.setdefault(writer, {}).update(
                zip(sequences[has_block].tolist(), compress(hashes, has_block), strict=True)
            )
            for sequence in sequences[beyond].tolist():
                self._tell("EVENT_BEYOND_JOURNAL", event_name(writer, sequence), "no block has it")

    def check(self, block: Block) -> None:
        """Check a block's root, after the leaves up to its time were taken."""
        waiting = self._waiting.get(block.writer, {})
        first = block.first_sequence
        hashes = [waiting.pop(n, b"") for n in range(first, first + block.record_count)]
        if b"" in hashes:
            # Some may come later, if their times are wrong.
            waiting.update((n, leaf_hash) for n, leaf_hash in enumerate(hashes, first) if leaf_hash)
            self._incomplete.append(block)
        elif merkle_root(hashes) != block.root:
            self._tell_root(block)

    def finish(self) -> None:
        """Tell of blocks that miss leaves and leaves that miss their blocks."""
        for block in self._incomplete:
            self._finish_block(block)
        for writer, waiting in self._waiting.items():
            for sequence in waiting:
                self._tell("BLOCK_RANGE_MISMATCH", event_name(writer, sequence), "no block has it")

    def _finish_block(self, block: Block) -> None:
        waiting = self._waiting.get(block.writer, {})
        hashes = []
        for sequence in range(block.first_sequence, block.first_sequence + block.record_count):
            leaf_hash = waiting.pop(sequence, None)
            if leaf_hash is None:
                self._tell(
                    "EVENT_GAP",
                    event_name(block.writer, sequence),
                    f"it is missing from block {block.number}",
                )
            else:
                hashes.append(leaf_hash)
        if not hashes or merkle_root(hashes) != block.root:
            self._tell_root(block)
        else:
            self._tell("BLOCK_TIME_ORDER", name_of(block), "it has an event later than itself")

    def _tell_root(self, block: Block) -> None:
        last = block.first_sequence + block.record_count - 1
        self._tell(
            "BLOCK_ROOT_MISMATCH",
            name_of(block),
            f"its events {block.first_sequence} to {last} are not those it was made of",
        )


def name_of(block: Block) -> str:
    """A block as findings name it."""
    return f"writer {block.writer} block {block.number}"


def event_name(writer: int, sequence: int) -> str:
    """An event as findings name it."""
    return f"writer {writer} event {sequence}"
