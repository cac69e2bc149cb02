"""Between the types of Python and those of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from longmen.type.v1 import money_pb2
    from longmen_client.money import Money


def wire_money(money: Money | None) -> money_pb2.Money | None:
    """An amount of the contract; None stays absent."""
    return None if money is None else money.to_proto()


def wire_time(time: datetime | None) -> Timestamp | None:
    """A moment of the contract; None stays absent.

    Raises:
        ValueError: the time has no zone, so that nobody can know which moment is meant.
    """
    if time is None:
        return None
    if time.utcoffset() is None:
        raise ValueError("times need a zone: write datetime(2026, 1, 31, tzinfo=UTC)")
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def wire_span(span: timedelta | None) -> Duration | None:
    """A length of time of the contract; None stays absent."""
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
