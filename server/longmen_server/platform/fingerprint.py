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
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from zlib import crc32

VERSION = b"longmen.fingerprint.v1\x00"
"""Domain separation and version of the encoding; raised when equal requests could come out
otherwise."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types that a serialised proto3 message can have."""


class Fingerprint(NamedTuple):
    """What is remembered of a request's content."""

    full: bytes
    """SHA-256 over the canonical encoding; equal means the same request."""
    fields: bytes
    """One entry per top-level field that is set: its number (2 bytes, big-endian) and a CRC-32 of
    its content. Used only to name the fields that differ, never to decide whether any does."""

    @property
    def content(self) -> bytes:
        """Both in one, as it is stored with the request's record."""
        return self.full + self.fields


def fingerprint(canonical: bytes, *, skip: int) -> Fingerprint:
    """Fingerprint a request.

    Args:
        canonical: Deterministic serialisation of the parsed request, free of unknown fields.
        skip: Number of the field to leave out, that of `request_id`.

    Raises:
        ValueError: If the bytes are not a serialised message, which would be a bug of the caller.
    """
    slices = _split(canonical)
    slices.pop(skip, None)
    digest = hashlib.sha256(VERSION)
    fields = bytearray()
    for number in sorted(slices):
        content = slices[number]
        digest.update(content)
        fields += number.to_bytes(2, "big") + crc32(content).to_bytes(4, "big")
    return Fingerprint(digest.digest(), bytes(fields))


def _split(message: bytes) -> dict[int, bytes]:
    """Cut a serialised message into its top-level fields: number to tags and values, joined."""
    slices: dict[int, bytes] = {}
    start, end = 0, len(message)
    while start < end:
        tag, at = _varint(message, start)
        number = tag >> 3
        stop = at
        # A repeated field is a run of records with one tag: take it as a whole.
        while True:
            stop = _skip(message, stop, tag & 7)
            if stop >= end or message[stop] != message[start]:
                break
            next_tag, after = _varint(message, stop)
            if next_tag != tag:
                break
            stop = after
        slices[number] = slices.get(number, b"") + message[start:stop]
        start = stop
    if start != end:
        raise ValueError("a serialised message ends in the middle of a field")
    return slices


def _skip(message: bytes, at: int, wire_type: int) -> int:
    """Return where the value that begins at `at` ends."""
    if wire_type == _LENGTH:
        length, at = _varint(message, at)
        return at + length
    if wire_type == _VARINT:
        return _varint(message, at)[1]
    if wire_type == _FIXED64:
        return at + 8
    if wire_type == _FIXED32:
        return at + 4
    raise ValueError("a serialised proto3 message has no groups")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Decode the varint that begins at `at`; return it and where it ends."""
    byte = message[at]
    if byte < 0x80:
        return byte, at + 1
    value = byte & 0x7F
    shift = 7
    while True:
        at += 1
        byte = message[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7
