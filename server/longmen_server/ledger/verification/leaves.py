"""Leaves of the journal as columns: what of their canonical forms a verification looks at.

Pure: no I/O. engine/journal.py and ledger/canonical.py say what the forms are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from longmen_server.ledger.posting import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Columns: TypeAlias = NDArray[Any]
    """One-dimensional arrays, or structured ones of `LEAF`."""

#: A leaf's prefix, its header, and a posting's form up to what is held. An id is two numbers.
LEAF: Final = np.dtype(
    [
        ("prefix", "u1"),
        ("version", "u1"),
        ("type", "u1"),
        ("book", ">u2"),
        ("writer", ">u2"),
        ("sequence", ">u8"),
        ("ordinal", ">i2"),
        ("booked_at_us", ">i8"),
        ("subject", ">u8", (2,)),
        ("form", "u1"),
        ("kind", "u1"),
        ("code", ">u2"),
        ("currency", "S3"),
        ("accounts", ">u8", (2, 2)),
        ("amount", ">i8"),
        ("versions", ">i8", (2,)),
        ("posted", ">i8", (2,)),
        ("held", ">i8", (2,)),
    ]
)

#: The kind of posting that an event of each type is about; 0 where it is about something else.
_KIND_OF_TYPE: Final = np.zeros(256, np.uint8)
_KIND_OF_TYPE[list(EVENT_TYPES.values())] = [int(kind) for kind in EVENT_TYPES]


def columns_of(leaves: Sequence[bytes]) -> Columns:
    """Return the columns of some leaves; what a leaf is too short for is zero."""
    size = LEAF.itemsize
    return np.frombuffer(b"".join([leaf[:size].ljust(size, b"\0") for leaf in leaves]), LEAF)


def postings_of(columns: Columns) -> tuple[Columns, bool]:
    """Return the leaves that are about postings, and whether each has its own.

    The event of a posting that is not there has the form of none, and one of another type than the
    posting has another kind.
    """
    kinds = _KIND_OF_TYPE[columns["type"]]
    about = kinds != 0
    fit = bool(np.array_equal(kinds[about], columns["kind"][about]))
    return (columns if about.all() else columns[about]), fit
