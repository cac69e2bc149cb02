"""Receipts: that a posting stands in the journal, for anybody to verify without asking again.

A receipt has the posting's canonical form, the hashes that lead from it to the root of its block,
and the block's header, whose hash the server signs. It does not show any other record.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from longmen.ledger.v1 import receipt_pb2
from longmen_server.engine.journal import block_hash, leaf_hash, merkle_path, merkle_root
from longmen_server.ledger import encode

if TYPE_CHECKING:
    from pathlib import Path

    from longmen_server.engine.journal import Block
    from longmen_server.ledger.queries.journal import FullBlock, Record

__all__ = [
    "DamagedJournalError",
    "ReceiptSigner",
    "block_message",
    "make_receipt",
    "record_message",
]

DOMAIN: Final = b"longmen-receipt-v1"
"""Stands before the block's hash in what is signed: the signature means nothing elsewhere."""

KEY_ID_BYTES: Final = 8
"""How much of the public key's SHA-256 names the key."""


class DamagedJournalError(RuntimeError):
    """A block does not match its records: the book is damaged, and `longmen verify` says where."""

    def __init__(self, block: Block) -> None:
        super().__init__(
            f"block {block.number} of writer {block.writer} does not match its records"
        )


class ReceiptSigner:
    """Signs block hashes with the server's receipt key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        """Raw Ed25519, 32 bytes."""
        self.key_id = sha256(self.public_key).hexdigest()[: 2 * KEY_ID_BYTES]
        """Names the key; a function of it."""

    @classmethod
    def load(cls, path: Path) -> ReceiptSigner:
        """Read an unencrypted PKCS#8 PEM file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it has no Ed25519 key.
        """
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{path} has a key of another kind; receipts take Ed25519")  # noqa: TRY004
        return cls(key)

    @classmethod
    def load_or_create(cls, path: Path) -> ReceiptSigner:
        """Read the key, making one first when the file is not there; for the embedded server.

        Workers may start at once: the file appears whole, and the first to make it wins.
        """
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return cls.load(path)

    def sign(self, hash_: bytes) -> bytes:
        """Return the signature over the hash of a block."""
        return self.sign_text(DOMAIN, hash_)

    def sign_text(self, domain: bytes, text: bytes) -> bytes:
        """Return the signature over a text of a domain, by which it means nothing elsewhere."""
        return self._key.sign(domain + text)


def make_receipt(
    book: int, full: FullBlock, index: int, signer: ReceiptSigner
) -> receipt_pb2.Receipt:
    """Return the receipt of the record at a place of a block.

    Raises:
        DamagedJournalError: the records do not give the block's root, or the block not its hash;
        nothing
            is signed then.
    """
    block = full.block
    hashes = [leaf_hash(record.leaf) for record in full.records if record.leaf is not None]
    intact = (
        len(hashes) == block.record_count
        and merkle_root(hashes) == block.root
        and block_hash(book=book, block=block) == block.hash
    )
    if not intact:
        raise DamagedJournalError(block)
    record = full.records[index]
    assert record.posting is not None, "a leaf of a posting was made from its row"
    return receipt_pb2.Receipt(
        posting=encode.posting(record.posting),
        record=record_message(record),
        path=[
            receipt_pb2.ProofStep(hash=hash_, sibling_is_left=is_left)
            for hash_, is_left in merkle_path(hashes, index)
        ],
        block=block_message(book, block),
        key_id=signer.key_id,
        public_key=signer.public_key,
        signature=signer.sign(block.hash),
    )


def record_message(record: Record) -> receipt_pb2.JournalRecord:
    """Return a record as the contract has it."""
    return receipt_pb2.JournalRecord(
        sequence=record.sequence,
        leaf=record.leaf or b"",
        posting=None if record.posting is None else encode.posting(record.posting),
    )


def block_message(book: int, block: Block) -> receipt_pb2.JournalBlock:
    """Return a block's header as the contract has it."""
    return receipt_pb2.JournalBlock(
        book=book,
        writer=block.writer,
        number=block.number,
        first_sequence=block.first_sequence,
        record_count=block.record_count,
        previous_hash=block.previous_hash,
        root=block.root,
        hash=block.hash,
        booked_time=encode.timestamp(block.booked_at_us),
    )
