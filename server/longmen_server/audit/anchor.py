"""Anchors: signed notes of how far the journals have come, kept where the database is not.

A journal is a chain of hashes: each block fixes all before it. Whoever rewrote the whole chain, or
cut its last blocks off, would leave one that is whole in itself. An anchor kept elsewhere names
blocks by number and hash, so that either shows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from longmen_server.audit.queries import Head

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from longmen_server.ledger.receipt import ReceiptSigner

__all__ = ["Anchor", "BrokenAnchorError", "Difference", "SignedAnchor", "compare", "read", "write"]

VERSION: Final = 1
DOMAIN: Final = b"longmen-anchor-v1"
"""Stands before what is signed: the signature means nothing elsewhere."""


class BrokenAnchorError(ValueError):
    """A line is no anchor, or its signature is not good; the message says which."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the journals of a book had come."""

    book: int
    taken_at_us: int
    heads: tuple[Head, ...]
    """One of each writer."""

    @property
    def body(self) -> bytes:
        """What is signed: the one way to write this anchor as JSON."""
        return json.dumps(_as_object(self), sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class SignedAnchor:
    """An anchor and who has signed it."""

    anchor: Anchor
    public_key: bytes
    """Raw Ed25519, 32 bytes; its signature was good."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the journals are not what an anchor says."""

    anchor: Anchor
    head: Head
    present_hash: bytes | None
    """Of the block of that number now; None where there is no such block."""

    @property
    def detail(self) -> str:
        """What is wrong, in words."""
        block = f"block {self.head.number} of writer {self.head.writer}"
        if self.present_hash is None:
            return f"{block} is gone: the journal was cut off"
        return f"{block} is another one: the journal was rewritten"


def write(anchor: Anchor, signer: ReceiptSigner) -> str:
    """Return a signed anchor as one line of JSON, without the line's end."""
    return json.dumps(
        {
            "anchor": _as_object(anchor),
            "key_id": signer.key_id,
            "public_key": signer.public_key.hex(),
            "signature": signer.sign_text(DOMAIN, anchor.body).hex(),
        },
        sort_keys=True,
    )


def read(line: str) -> SignedAnchor:
    """Return a signed anchor from its line.

    Raises:
        BrokenAnchorError: it is none, or was changed since it was signed.
    """
    try:
        content = json.loads(line)
        anchor = _from_object(content["anchor"])
        public_key = bytes.fromhex(content["public_key"])
        signature = bytes.fromhex(content["signature"])
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenAnchorError(f"no anchor: {type(error).__name__}") from error
    try:
        key.verify(signature, DOMAIN + anchor.body)
    except InvalidSignature:
        raise BrokenAnchorError("its signature is not good: it was changed") from None
    return SignedAnchor(anchor, public_key)


def compare(
    anchors: Collection[Anchor], present: Mapping[tuple[int, int], bytes]
) -> list[Difference]:
    """Return every head of anchors that the journals do not have, once each.

    Args:
        anchors: of one book.
        present: hashes of blocks by writer and number.
    """
    found: dict[Head, Difference] = {}
    for anchor in anchors:
        for head in anchor.heads:
            now = present.get((head.writer, head.number))
            if now != head.hash and head not in found:
                found[head] = Difference(anchor, head, now)
    return list(found.values())


def _as_object(anchor: Anchor) -> dict[str, Any]:
    heads: Sequence[dict[str, Any]] = [
        {"writer": head.writer, "block": head.number, "hash": head.hash.hex()}
        for head in anchor.heads
    ]
    return {
        "version": VERSION,
        "book": anchor.book,
        "taken_at_us": anchor.taken_at_us,
        "heads": heads,
    }


def _from_object(content: dict[str, Any]) -> Anchor:
    if content["version"] != VERSION:
        raise ValueError("another version")
    heads = tuple(
        Head(_number(one["writer"]), _number(one["block"]), bytes.fromhex(one["hash"]))
        for one in content["heads"]
    )
    return Anchor(_number(content["book"]), _number(content["taken_at_us"]), heads)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("no whole number")
    return value
