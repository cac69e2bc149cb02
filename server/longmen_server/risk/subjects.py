"""Subjects of velocity: what is kept of one party, device, address, till or pair, as one row."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.risk import first_format
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.velocity import EMPTY, EMPTY_TALLY, Series, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.ids import FreezeId

__all__ = ["Section", "Subject", "SubjectKey", "pair_key"]

FORMAT: Final = 2
"""First byte of a stored state, so that another layout can be told from this one."""
FIRST_FORMAT: Final = 1
"""Of states whose series :mod:`first_format` reads; written anew they have the present one."""
FORMATS: Final = (FIRST_FORMAT, FORMAT)
_head = struct.Struct("<BH")
_HEAD: Final = _head.size
"""Bytes before each section: its number, and its length in two bytes."""
_BEGIN: Final = bytes((FORMAT,))


class SubjectKey(NamedTuple):
    """Whose state it is."""

    kind: int
    subject: bytes
    """16 bytes: an id, or the digest of an address or of a pair."""


class Section(IntEnum):
    """Parts of a state; the numbers are stored. Up to 9 they are series, from 10 on tallies."""

    OUT = 1
    """Movements that the subject pays, or that are made from a device or an address."""
    IN = 2
    """Movements that the subject receives."""
    REFUSED = 3
    """Movements of the payer that risk has refused, or let wait for approval."""
    FLAGGED = 4
    """Movements to the subject that were confirmed as fraud, at the time they were made."""
    PAYEES = 10
    PAYERS = 11
    DEVICES = 12


FIRST_TALLY: Final = Section.PAYEES


@dataclass(slots=True)
class Subject:
    """The state of one subject."""

    key: SubjectKey
    frozen: int = 0
    """A FreezeScope; 0 while the party is free."""
    sections: dict[int, bytes | Series | Tally] | None = None
    """By number; those that nobody has looked at stay as they are stored."""
    seen_at_us: int = 0
    """When the last day ends, in microseconds, on which anything was counted."""
    freeze_id: FreezeId | None = None
    """The freeze that holds; None while the party is free."""
    broken: bytes | None = None
    """A state that cannot be read, kept as it is for whoever looks into it."""

    def copy(self) -> Subject:
        """Return a copy, so that a refused command leaves the original as it was."""
        sections = None if self.sections is None else dict(self.sections)
        return Subject(
            self.key, self.frozen, sections, self.seen_at_us, self.freeze_id, self.broken
        )

    def series(self, section: Section) -> Series:
        """Return a series; the empty one where there is none.

        Raises:
            ValueError: what is stored is none.
        """
        if self.sections is None:
            self._check()
            return EMPTY
        found = self.sections.get(section)
        if found is None:
            return EMPTY
        if isinstance(found, bytes):
            found = self.sections[section] = Series.decode(found)
        assert isinstance(found, Series), "sections below the first tally are series"
        return found

    def tally(self, section: Section) -> Tally:
        """Return a tally; the empty one where there is none.

        Raises:
            ValueError: what is stored is none.
        """
        if self.sections is None:
            self._check()
            return EMPTY_TALLY
        found = self.sections.get(section)
        if found is None:
            return EMPTY_TALLY
        if isinstance(found, bytes):
            found = self.sections[section] = Tally.decode(found)
        assert isinstance(found, Tally), "sections from the first tally on are tallies"
        return found

    def add(self, section: Section, now_s: int, amount: int) -> None:
        """Count one more movement.

        Raises:
            ValueError: what is stored cannot be read.
        """
        series = self.series(section)
        self._parts()[section] = series.add(now_s, amount)

    def flag(self, at_s: int, amount: int) -> None:
        """Count a movement of the past that was confirmed as fraud.

        Raises:
            ValueError: what is stored cannot be read.
        """
        series = self.series(Section.FLAGGED).mark(at_s, amount)
        self._parts()[Section.FLAGGED] = series

    def note(self, section: Section, now_s: int, who: bytes) -> None:
        """Note somebody met.

        Raises:
            ValueError: what is stored cannot be read.
        """
        tally = self.tally(section)
        self._parts()[section] = tally.note(now_s, who)

    def _parts(self) -> dict[int, bytes | Series | Tally]:
        if self.sections is None:
            self.sections = {}
        return self.sections

    def _check(self) -> None:
        if self.broken is not None:
            raise ValueError("the state of the subject cannot be read")

    def encode(self) -> bytes:
        """Return the state as bytes."""
        if self.broken is not None:
            return self.broken
        parts = [_BEGIN]
        sections = self.sections or {}
        for section, found in sections.items():
            data = found if isinstance(found, bytes) else found.encode()
            if data:
                parts += _head.pack(section, len(data)), data
        return b"".join(parts)


def decode_sections(state: bytes) -> dict[int, bytes | Series | Tally]:
    """Return the sections of a stored state, unread but for series in the first format.

    Raises:
        ValueError: the bytes are no state.
    """
    if not state or state[0] not in FORMATS:
        raise ValueError("no state of a subject")
    sections: dict[int, bytes | Series | Tally] = {}
    at, whole, unpack = 1, len(state), _head.unpack_from
    while at < whole:
        begin = at + _HEAD
        if begin > whole:
            raise ValueError("a section of a subject is cut off")
        number, length = unpack(state, at)
        at = begin + length
        if at > whole:
            raise ValueError("a section of a subject is cut off")
        sections[number] = state[begin:at]
    if state[0] == FIRST_FORMAT:
        for number, data in sections.items():
            if number < FIRST_TALLY:
                assert isinstance(data, bytes), "nobody has read it yet"
                sections[number] = first_format.read(data)
    return sections


def check_state(state: bytes) -> Mapping[str, int]:
    """Return how many movements each section counts, having read all of it.

    Raises:
        ValueError: the bytes are no state.
    """
    found: dict[str, int] = {}
    for number, data in decode_sections(state).items():
        section = Section(number)
        if section >= FIRST_TALLY:
            assert isinstance(data, bytes), "tallies are read where they are asked for"
            found[section.name] = len(Tally.decode(data).encode())
        else:
            series = Series.decode(data) if isinstance(data, bytes) else data
            assert isinstance(series, Series), "sections below the first tally are series"
            found[section.name] = series.count
    return found


def pair_key(payer: bytes, payee: bytes) -> SubjectKey:
    """Return the key of one party paying another."""
    return SubjectKey(SubjectKind.PAIR, blake2b(payer + payee, digest_size=16).digest())
