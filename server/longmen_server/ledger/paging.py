"""What lists have in common: how large a page is, and which times it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["PAGE_SIZE_MAX", "bounded_us", "page_size", "time_range"]

PAGE_SIZE_DEFAULT: Final = 100
PAGE_SIZE_MAX: Final = 1_000

EARLIEST_US: Final = -(2**62)
LATEST_US: Final = 2**62
"""Bounds beyond every time that is ever booked; what lies outside is cut to them."""


def page_size(asked: int) -> int:
    """Return how many items a page may have: what was asked for within the contract's bounds."""
    return min(asked, PAGE_SIZE_MAX) or PAGE_SIZE_DEFAULT


def time_range(request: Any) -> tuple[int | None, int | None]:
    """Return the first microsecond of a request's range of times, and the one after its last.

    Args:
        request: a message with the fields from_time and to_time.

    Raises:
        Refusal: TIME_RANGE_INVALID when nothing lies between the two.
    """
    from_us = _ceiling(request.from_time) if request.HasField("from_time") else None
    to_us = _ceiling(request.to_time) if request.HasField("to_time") else None
    if from_us is not None and to_us is not None and to_us <= from_us:
        raise Refusal(
            "TIME_RANGE_INVALID",
            "the range of times is empty",
            metadata={"field": "to_time"},
            field="to_time",
        )
    return from_us, to_us


def _ceiling(value: Timestamp) -> int:
    """Return the first whole microsecond at or after a time."""
    return bounded_us(value.seconds * 1_000_000 - (-value.nanos // 1000))


def bounded_us(at_us: int) -> int:
    """Return a time that every column can hold."""
    return min(max(at_us, EARLIEST_US), LATEST_US)
