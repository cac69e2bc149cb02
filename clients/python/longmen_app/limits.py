"""What binds a wallet's movements, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from longmen.identity.v1 import factor_pb2
from longmen.limits.v1 import limit_pb2
from longmen_client.money import Money

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from longmen.limits.v1 import limits_service_pb2
    from longmen.type.v1 import money_pb2

__all__ = ["Explanation", "Limit", "OwnLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit as it stands."""

    name: str
    """Such as CLASS_DAY, as refusals name it."""
    period: str
    """SINGLE, DAY or YEAR."""
    amount: Money | None
    """None where only the number of movements counts."""
    remaining: Money | None
    count: int
    """Movements a day may have; 0 for any number."""
    resets_at: datetime | None
    """None for limits on single movements."""
    lifted_by: tuple[str, ...]
    """Of WAIT, STEP_UP, UPGRADE, OWN_LIMIT and BANK."""
    exceeded: bool
    """Whether the movement asked about is more than it lets."""
    source: str

    @classmethod
    def from_proto(cls, message: limit_pb2.Limit) -> Self:
        """The limit of a message of the contract."""
        return cls(
            name=message.name,
            period=limit_pb2.LimitPeriod.Name(message.period).removeprefix("LIMIT_PERIOD_"),
            amount=_money(message, "amount"),
            remaining=_money(message, "remaining"),
            count=message.count,
            resets_at=_time(message.reset_time) if message.HasField("reset_time") else None,
            lifted_by=tuple(
                limit_pb2.LimitLift.Name(lift).removeprefix("LIMIT_LIFT_")
                for lift in message.lifted_by
            ),
            exceeded=message.exceeded,
            source=message.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What limits would say of a movement."""

    allowed: bool
    """Whether it would pass, once approved as needed."""
    binding: Limit | None
    """What refuses it, or else leaves least."""
    limits: tuple[Limit, ...]
    factors_needed: int
    """How many factors have to approve it at least, whatever the policy says."""
    methods: tuple[str, ...]
    """Which count for those, such as PASSKEY."""

    @classmethod
    def from_proto(cls, message: limits_service_pb2.ExplainLimitsResponse) -> Self:
        """The explanation of a message of the contract."""
        has_binding = message.HasField("binding_limit")
        return cls(
            allowed=message.allowed,
            binding=Limit.from_proto(message.binding_limit) if has_binding else None,
            limits=tuple(Limit.from_proto(one) for one in message.limits),
            factors_needed=message.factors_needed,
            methods=tuple(
                factor_pb2.FactorKind.Name(kind).removeprefix("FACTOR_KIND_")
                for kind in message.methods
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit:
    """What a customer allows to be spent."""

    period: str
    amount: Money | None
    """Now; None for what the bank lets."""
    next_amount: Money | None
    effective_at: datetime | None
    """When the next amount holds; None when nothing is to change."""

    @classmethod
    def from_proto(cls, message: limit_pb2.OwnLimit) -> Self:
        """The limit of a message of the contract."""
        waits = message.HasField("effective_time")
        return cls(
            period=limit_pb2.LimitPeriod.Name(message.period).removeprefix("LIMIT_PERIOD_"),
            amount=_money(message, "amount"),
            next_amount=_money(message, "next_amount"),
            effective_at=_time(message.effective_time) if waits else None,
        )


def _money(message: limit_pb2.Limit | limit_pb2.OwnLimit, name: str) -> Money | None:
    """The amount of a field, where there is one."""
    if not message.HasField(name):  # type: ignore[arg-type]  # names of its fields
        return None
    value: money_pb2.Money = getattr(message, name)
    return Money.from_proto(value)


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
