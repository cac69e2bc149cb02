"""The fingerprint of a request: what tells a repetition from the reuse of a request id.

The canonical encoding is ours, in two layers. The top layer is written here: the request's fields
in ascending order of their numbers, `request_id` left out. What stands inside a top-level field is
the deterministic serialisation of protobuf. That one is not canonical between runtimes, and need
not be: every fingerprint is made by this server, with the one runtime pinned in the lock file, from
a message it has parsed itself and from which unknown fields are banned, so the bytes a client
happened to choose (order of fields, packed or not, defaults written out) never reach it. Within one
runtime deterministic serialisation depends on the message's content alone: fields by number, maps
by key, defaults omitted.

If a new runtime ever serialised differently, a repetition across the upgrade would be answered with
REQUEST_ID_REUSED: wrong in the harmless direction, since nothing is done twice. A test pins the
fingerprint of a fixed message, so such an upgrade is noticed before it is made; `VERSION` is to be
raised with it. New fields of the contract change nothing for requests that do not use them.

The fingerprint of a request that carries a secret is keyed: it is stored with the request's record,
and of a six-digit PIN a plain hash, not to speak of a CRC, would be the PIN itself. It is keyed
BLAKE2b (RFC 7693), which says as little without the key as an HMAC does, in a third of the time.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from struct import Struct
from typing import NamedTuple
from zlib import crc32

VERSION = b"longmen.fingerprint.v1\x00"
"""Domain separation and version of the encoding; raised when equal requests could come out
otherwise."""

_ENTRY = Struct(">HI")
"""One field's entry in `Fingerprint.fields`."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types that a serialised proto3 message can have."""


class Fingerprint(NamedTuple):
    """What is remembered of a request's content."""

    full: bytes
    """SHA-256 over the canonical encoding, or keyed BLAKE2b; equal means the same request."""
    fields: bytes
    """One entry per top-level field that is set: its number (2 bytes, big-endian) and a CRC-32 of
    its content, or 4 bytes of keyed BLAKE2b where a key was given. Used only to name the fields
    that differ, never to decide whether any does."""

    @property
    def content(self) -> bytes:
        """Both in one, as it is stored with the request's record."""
        return self.full + self.fields


def fingerprint(canonical: bytes, *, skip: int, key: bytes | None = None) -> Fingerprint:
    """Fingerprint a request.

    Args:
        canonical: Deterministic serialisation of the parsed request, free of unknown fields.
        skip: Number of the field to leave out, that of `request_id`.
        key: Secret of the server, for requests that carry secrets; at most 64 bytes; then both
            parts are keyed.

    Raises:
        ValueError: If the bytes are not a serialised message, which would be a bug of the caller.
    """
    slices = _split(canonical)
    slices.pop(skip, None)
    contents = [VERSION]
    fields = b""
    for number in sorted(slices):
        content = slices[number]
        contents.append(content)
        digest = crc32(content) if key is None else _keyed_digest(key, number, content)
        fields += _ENTRY.pack(number, digest)
    whole = b"".join(contents)
    full = (sha256(whole) if key is None else blake2b(whole, digest_size=32, key=key)).digest()
    return Fingerprint(full, fields)


def _keyed_digest(key: bytes, number: int, content: bytes) -> int:
    """Return four bytes over one field, which tell nothing without the key."""
    keyed = blake2b(b"%d:" % number + content, digest_size=4, key=key)
    return int.from_bytes(keyed.digest(), "big")


def _split(message: bytes) -> dict[int, bytes]:
    """Cut a serialised message into its top-level fields: number to tags and values, joined.

    This runs for every request that changes something, so the common one-byte varints are read in
    place, and a run of records with one number, as a repeated field is, is taken as a whole.
    """
    slices: dict[int, bytes] = {}
    current = begin = at = 0
    end = len(message)
    try:
        while at < end:
            start = at
            tag = message[at]
            at += 1
            if tag >= 0x80:
                tag, at = _varint(message, start)
            if tag >> 3 != current:
                if current:
                    slices[current] = slices.get(current, b"") + message[begin:start]
                current, begin = tag >> 3, start
            at = _skip(message, at, tag & 7)
    except IndexError:
        at = -1
    if at != end:
        raise ValueError("a serialised message ends in the middle of a field")
    if current:
        slices[current] = slices.get(current, b"") + message[begin:end]
    return slices


def _skip(message: bytes, at: int, wire_type: int) -> int:
    """Return where the value that begins at `at` ends."""
    if wire_type == _LENGTH:
        length = message[at]
        if length < 0x80:
            return at + 1 + length
        length, at = _varint(message, at)
        return at + length
    if wire_type == _VARINT:
        while message[at] >= 0x80:
            at += 1
        return at + 1
    if wire_type == _FIXED64:
        return at + 8
    if wire_type == _FIXED32:
        return at + 4
    raise ValueError("a serialised proto3 message has no groups")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Decode the varint that begins at `at`; return it and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
