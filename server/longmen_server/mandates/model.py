"""The rules of mandates: who may change one, when it can be charged, and how much."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import MANDATE
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.platform.ids import AccountId, MandateId, MerchantId

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
LIFETIME_DAYS_DEFAULT: Final = 365


class MandateState(IntEnum):
    """Whether a mandate can be charged; values of longmen.payments.v1.MandateState."""

    ACTIVE = 1
    PAUSED = 2
    EXPIRED = 3
    TERMINATED = 4


class Cycle(IntEnum):
    """The span that the cycle cap is for; values of longmen.payments.v1.MandateCycle."""

    DAY = 1
    WEEK = 2
    MONTH = 3


@dataclass(slots=True)
class MandateRow:
    """One mandate."""

    mandate_id: MandateId
    merchant_id: MerchantId
    mandate_number: str
    account_id: AccountId
    currency_code: str
    state: int
    single_cap: int
    cycle_cap: int
    cycle: int
    cycle_start: str
    """First day of the cycle that `cycle_used` is of, YYYY-MM-DD."""
    cycle_used: int
    notice_hours: int
    announced: int
    """Amount of the next charge; 0 where nothing is announced."""
    charge_from_us: int
    """From when it can be made."""
    expires_at_us: int
    version: int
    created_at_us: int
    updated_at_us: int
    description: str

    def copy(self) -> MandateRow:
        """Return a copy for a command to change."""
        return replace(self)

    def state_at(self, now_us: int) -> MandateState:
        """Return where it stands at a moment: time ends what nobody ended."""
        if self.state in ALIVE and now_us >= self.expires_at_us:
            return MandateState.EXPIRED
        return MandateState(self.state)

    def used(self, today: dt.date) -> int:
        """Return what was charged in the cycle of a day.

        A clock that lies behind counts to the later cycle: two processes may decide on two sides
        of midnight, and neither gets the cap anew.
        """
        return self.cycle_used if self.cycle_start >= str(cycle_of(self.cycle, today)[0]) else 0

    def count(self, amount: int, today: dt.date) -> None:
        """Count a charge of a day in its cycle."""
        self.cycle_used = self.used(today) + amount
        self.cycle_start = max(self.cycle_start, str(cycle_of(self.cycle, today)[0]))


class MandateNumber(NamedTuple):
    """A mandate by its merchant's own number."""

    merchant_id: MerchantId
    mandate_number: str


ALIVE: Final = frozenset({MandateState.ACTIVE, MandateState.PAUSED})
_CHANGES: Final[Mapping[MandateState, frozenset[MandateState]]] = {
    MandateState.ACTIVE: frozenset(
        {MandateState.ACTIVE, MandateState.PAUSED, MandateState.TERMINATED}
    ),
    MandateState.PAUSED: frozenset(
        {MandateState.ACTIVE, MandateState.PAUSED, MandateState.TERMINATED}
    ),
    MandateState.TERMINATED: frozenset({MandateState.TERMINATED}),
    MandateState.EXPIRED: frozenset({MandateState.TERMINATED}),
}
"""Which state follows which; asking for the present one changes nothing."""


def cycle_of(cycle: int, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first day of the cycle of a day, and that of the next one."""
    if cycle == Cycle.DAY:
        return day, day + dt.timedelta(days=1)
    if cycle == Cycle.WEEK:
        first = day - dt.timedelta(days=day.weekday())
        return first, first + dt.timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + dt.timedelta(days=32)).replace(day=1)


def check_caps(single_cap: int, cycle_cap: int) -> None:
    """Refuse a cap of a cycle that no whole charge fits in.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if cycle_cap < single_cap:
        raise Refusal(
            "INVALID_REQUEST",
            "the cap of a cycle is no less than that of a charge",
            metadata={"rules": "mandate.caps"},
            field="cycle_cap",
        )


def check_change(row: MandateRow, state: int, now_us: int, *, by_merchant: bool) -> None:
    """Refuse a state that a mandate cannot come to, or not by its merchant.

    Raises:
        Refusal: MANDATE_STATE_CONFLICT.
    """
    present = row.state_at(now_us)
    if state not in _CHANGES[present] or (by_merchant and state != MandateState.TERMINATED):
        raise Refusal(
            "MANDATE_STATE_CONFLICT",
            f"the mandate is {present.name.lower()}",
            metadata={"mandate_id": MANDATE.encode(row.mandate_id), "state": present.name},
            field="state",
        )


def check_charge(row: MandateRow, amount: int, now_us: int, day: dt.date, reset_us: int) -> None:
    """Refuse a charge that a mandate does not let, whether announced or made.

    Args:
        row: the mandate.
        amount: of the charge.
        now_us: the present.
        day: when it is made, by the institution's calendar: today, or the first that is announced.
        reset_us: when the cycle of that day ends.

    Raises:
        Refusal: MANDATE_NOT_ACTIVE, MANDATE_CAP_EXCEEDED.
    """
    state = row.state_at(now_us)
    if state != MandateState.ACTIVE:
        raise Refusal(
            "MANDATE_NOT_ACTIVE",
            f"the mandate is {state.name.lower()}",
            metadata={"mandate_id": MANDATE.encode(row.mandate_id), "state": state.name},
        )
    left = row.cycle_cap - row.used(day)
    for which, room in (("SINGLE", row.single_cap), ("CYCLE", left)):
        if amount > room:
            raise Refusal(
                "MANDATE_CAP_EXCEEDED",
                "the charge is more than the mandate lets",
                metadata={
                    "which": which,
                    "remaining_minor_units": str(room),
                    "currency_code": row.currency_code,
                    "resets_at_us": str(reset_us),
                },
                field="amount",
            )


def check_notice(row: MandateRow, amount: int, now_us: int) -> None:
    """Refuse a charge that was not announced as agreed.

    Raises:
        Refusal: MANDATE_NOTICE_REQUIRED.
    """
    if not row.notice_hours:
        return
    is_announced = row.announced == amount
    from_us = row.charge_from_us if is_announced else now_us + row.notice_hours * HOUR_US
    if not is_announced or now_us < from_us:
        raise Refusal(
            "MANDATE_NOTICE_REQUIRED",
            "the charge was not announced in time",
            metadata={"charge_from_time_us": str(from_us)},
        )


def mandate_not_found(mandate_id: MandateId) -> Refusal:
    """Return the refusal for a mandate that is not there, or not the caller's to see."""
    return Refusal(
        "MANDATE_NOT_FOUND",
        "no such mandate",
        metadata={"mandate_id": MANDATE.encode(mandate_id)},
        field="mandate_id",
    )
