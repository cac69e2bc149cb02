"""Proof, without asking the server, that a posting stands in the journal the bank has signed.

A receipt holds a posting, the exact bytes of its journal record, the way from that record to the
root of its block, the block's header and a signature. `verify_receipt` recomputes every step from
the bytes up:

- leaf hash = SHA-256(0x00 ‖ leaf); node hash = SHA-256(0x01 ‖ left ‖ right);
- block hash = SHA-256 over version, book, writer, number, first sequence, record count and booked
  time, then the previous block's hash and the root;
- signature = Ed25519 over ``longmen-receipt-v1`` and the block hash.

Needs the `receipts` extra: ``pip install longmen-client[receipts]``.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_client._leaf import LeafError, check_posting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.ledger.v1 import receipt_pb2

__all__ = ["ReceiptError", "VerifiedReceipt", "block_hash", "merkle_root", "verify_receipt"]

_SIGNED_PREFIX = b"longmen-receipt-v1"
_HEADER = struct.Struct(">BHHQQIQ")
_HEADER_VERSION = 1
_HASH_BYTES = 32
_PATH_MAXIMUM = 64
"""A block of 2^64 records has a path of 64 steps; a longer one is no path."""


class ReceiptError(Exception):
    """A receipt that proves nothing; the text says which step does not hold."""


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a verified receipt proves."""

    posting_id: str
    """Posting that stands in the journal."""
    book: int
    writer: int
    block_number: int
    """Number of the block in its writer's chain."""
    block_hash: bytes
    """Hash that the bank has signed; it commits to the whole chain before it."""
    key_id: str
    """Id of the signing key."""


def verify_receipt(receipt: receipt_pb2.Receipt, public_key: bytes) -> VerifiedReceipt:
    """Check every step of a receipt against the bank's own key.

    Args:
        receipt: as GetReceipt gave it.
        public_key: raw Ed25519 key of the bank, 32 bytes, from a source you trust. The key inside
            the receipt is the word of whoever gave you the receipt.

    Raises:
        ReceiptError: a step does not hold.
    """
    block, record = receipt.block, receipt.record
    try:
        check_posting(receipt)
    except LeafError as error:
        raise ReceiptError(f"the journal record is not this posting: {error}") from error
    position = record.sequence - block.first_sequence
    if not 0 <= position < block.record_count:
        raise ReceiptError("the record does not belong to the block")
    if _root_by_path(record.leaf, receipt, position) != block.root:
        raise ReceiptError("the path does not lead from the record to the block's root")
    computed = block_hash(block)
    if computed != block.hash:
        raise ReceiptError("the block's hash is not that of its header")
    _check_signature(receipt.signature, computed, public_key)
    return VerifiedReceipt(
        posting_id=receipt.posting.posting_id,
        book=block.book,
        writer=block.writer,
        block_number=block.number,
        block_hash=computed,
        key_id=receipt.key_id,
    )


def block_hash(block: receipt_pb2.JournalBlock) -> bytes:
    """The hash of a block's header, recomputed.

    Raises:
        ReceiptError: the header cannot be that of a block.
    """
    if len(block.previous_hash) != _HASH_BYTES or len(block.root) != _HASH_BYTES:
        raise ReceiptError("the block's hashes do not have 32 bytes")
    booked_time_us = block.booked_time.seconds * 1_000_000 + block.booked_time.nanos // 1_000
    try:
        header = _HEADER.pack(
            _HEADER_VERSION,
            block.book,
            block.writer,
            block.number,
            block.first_sequence,
            block.record_count,
            booked_time_us,
        )
    except struct.error as error:
        raise ReceiptError(f"the block's header is out of range: {error}") from error
    return _sha256(header, block.previous_hash, block.root)


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root over the leaves of a block, as an export has them; an odd node moves up unchanged.

    Raises:
        ReceiptError: there are no leaves.
    """
    level = [_leaf_hash(leaf) for leaf in leaves]
    if not level:
        raise ReceiptError("a block has at least one record")
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [_node_hash(left, right) for left, right in pairs] + odd
    return level[0]


def _root_by_path(leaf: bytes, receipt: receipt_pb2.Receipt, position: int) -> bytes:
    """The root that the path leads to, walking as the record's place in the block demands."""
    if len(receipt.path) > _PATH_MAXIMUM:
        raise ReceiptError("the path is too long")
    node = _leaf_hash(leaf)
    steps = iter(receipt.path)
    width = receipt.block.record_count
    while width > 1:
        promoted = position == width - 1 and width % 2 == 1
        if not promoted:
            step = next(steps, None)
            if step is None or len(step.hash) != _HASH_BYTES:
                raise ReceiptError("the path is too short or has a step that is no hash")
            # The place in the block decides the side: a path that says otherwise proves another
            # place.
            if step.sibling_is_left != (position % 2 == 1):
                raise ReceiptError("a step of the path stands on the wrong side")
            siblings = (step.hash, node) if step.sibling_is_left else (node, step.hash)
            node = _node_hash(*siblings)
        position, width = position // 2, (width + 1) // 2
    if next(steps, None) is not None:
        raise ReceiptError("the path is longer than the block is deep")
    return node


def _check_signature(signature: bytes, hash_: bytes, public_key: bytes) -> None:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ModuleNotFoundError as error:  # An extra: most clients never verify receipts.
        raise ReceiptError("verification needs: pip install 'longmen-client[receipts]'") from error
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _SIGNED_PREFIX + hash_)
    except ValueError as error:
        raise ReceiptError("the public key is not a raw Ed25519 key") from error
    except InvalidSignature as error:
        raise ReceiptError("the signature is not the bank's over this block") from error


def _leaf_hash(leaf: bytes) -> bytes:
    return _sha256(b"\x00", leaf)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01", left, right)


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
