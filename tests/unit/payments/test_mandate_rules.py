"""Mandates: cycles by the calendar, caps, notice, and who may bring one to which state."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from longmen_server.engine.working_set import WorkingSet
from longmen_server.mandates.commands import AnnounceCharge
from longmen_server.mandates.model import (
    HOUR_US,
    Cycle,
    MandateRow,
    MandateState,
    check_caps,
    check_change,
    check_charge,
    check_notice,
    cycle_of,
)
from longmen_server.mandates.tables import MANDATE
from longmen_server.merchants.model import MerchantActor
from longmen_server.platform.clock import to_microseconds
from longmen_server.platform.ids import AccountId, MandateId, MerchantId
from longmen_server.platform.refusal import Refusal
from longmen_server.settlements.calendar import CALENDAR

NOW = 1_000_000
END = 2_000_000
TODAY = date(2026, 3, 4)  # a Wednesday


def mandate(state: MandateState = MandateState.ACTIVE, **fields: int | str) -> MandateRow:
    row = MandateRow(
        MandateId(bytes(16)),
        MerchantId(bytes(16)),
        "m-1",
        AccountId(bytes(16)),
        "CNY",
        *(state, 300, 500, Cycle.MONTH, "", 0, 0, 0, 0, END, 1, 1, 1),
        "",
    )
    for name, value in fields.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize(
    ("cycle", "day", "first", "following"),
    [
        (Cycle.DAY, "2026-03-04", "2026-03-04", "2026-03-05"),
        (Cycle.WEEK, "2026-03-04", "2026-03-02", "2026-03-09"),
        (Cycle.WEEK, "2026-03-01", "2026-02-23", "2026-03-02"),
        (Cycle.MONTH, "2026-03-31", "2026-03-01", "2026-04-01"),
        (Cycle.MONTH, "2026-12-31", "2026-12-01", "2027-01-01"),
        (Cycle.MONTH, "2028-02-29", "2028-02-01", "2028-03-01"),
    ],
)
def test_cycles_follow_the_calendar(cycle: Cycle, day: str, first: str, following: str) -> None:
    found = cycle_of(cycle, date.fromisoformat(day))
    assert found == (date.fromisoformat(first), date.fromisoformat(following))


@pytest.mark.parametrize("cycle", list(Cycle), ids=lambda cycle: cycle.name)
def test_a_clock_that_lies_behind_gives_no_cycle_anew(cycle: Cycle) -> None:
    later, earlier = date(2026, 6, 1), date(2026, 5, 31)  # a Monday, and the day before
    row = mandate(cycle=cycle)
    row.count(500, earlier)
    assert row.used(later) == 0
    for day, used in ((later, 100), (earlier, 200), (later, 300)):
        row.count(100, day)
        assert (row.used(earlier), row.used(later)) == (used, used)


def told(call: object) -> Refusal:
    assert callable(call)
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


def test_a_charge_keeps_to_both_caps_and_a_new_cycle_begins_at_nothing() -> None:
    row = mandate(cycle_start="2026-03-01", cycle_used=300)
    check_charge(row, 200, NOW, TODAY, 7)
    cycle = told(lambda: check_charge(row, 201, NOW, TODAY, 7))
    assert cycle.metadata == {
        "which": "CYCLE",
        "remaining_minor_units": "200",
        "currency_code": "CNY",
        "resets_at_us": "7",
    }
    single = told(lambda: check_charge(mandate(), 301, NOW, TODAY, 7))
    assert (single.metadata["which"], single.metadata["remaining_minor_units"]) == ("SINGLE", "300")
    check_charge(row, 300, NOW, date(2026, 4, 1), 7)


@pytest.mark.parametrize("state", [MandateState.PAUSED, MandateState.TERMINATED])
def test_only_what_is_active_is_charged(state: MandateState) -> None:
    refusal = told(lambda: check_charge(mandate(state), 1, NOW, TODAY, 7))
    assert (refusal.reason, refusal.metadata["state"]) == ("MANDATE_NOT_ACTIVE", state.name)
    assert told(lambda: check_charge(mandate(), 1, END, TODAY, 7)).metadata["state"] == "EXPIRED"


def test_notice_is_for_the_amount_and_for_so_long() -> None:
    check_notice(mandate(), 5, NOW)
    agreed = mandate(notice_hours=2)
    missing = told(lambda: check_notice(agreed, 5, NOW))
    assert missing.metadata == {"charge_from_time_us": str(NOW + 2 * HOUR_US)}
    told_ = mandate(notice_hours=2, announced=5, charge_from_us=NOW + 9)
    assert told(lambda: check_notice(told_, 5, NOW)).metadata == {
        "charge_from_time_us": str(NOW + 9)
    }
    assert told(lambda: check_notice(told_, 6, NOW + 9)).reason == "MANDATE_NOTICE_REQUIRED"
    check_notice(told_, 5, NOW + 9)


ALLOWED = {
    "ACTIVE": "ACTIVE PAUSED TERMINATED",
    "PAUSED": "ACTIVE PAUSED TERMINATED",
    "TERMINATED": "TERMINATED",
    "EXPIRED": "TERMINATED",
}


@pytest.mark.parametrize("present", list(MandateState), ids=lambda state: state.name)
def test_every_change_of_state_is_let_or_refused(present: MandateState) -> None:
    row = mandate(MandateState.ACTIVE if present == MandateState.EXPIRED else present)
    now = END if present == MandateState.EXPIRED else NOW
    for wanted in MandateState:
        for by_merchant in (False, True):
            allowed = wanted.name in ALLOWED[present.name].split()
            if allowed and not (by_merchant and wanted != MandateState.TERMINATED):
                check_change(row, wanted, now, by_merchant=by_merchant)
                continue
            with pytest.raises(Refusal) as caught:
                check_change(row, wanted, now, by_merchant=by_merchant)
            assert caught.value.metadata["state"] == present.name


def test_a_cycle_has_room_for_a_charge() -> None:
    check_caps(5, 5)
    assert told(lambda: check_caps(6, 5)).metadata == {"rules": "mandate.caps"}


@pytest.mark.parametrize(
    ("day", "hours", "refused"),
    [
        ("2026-03-29", 72, None),  # charged from April on
        ("2026-03-15", 72, "MANDATE_CAP_EXCEEDED"),
        ("2026-12-31", 24, None),
        ("2026-03-31", 0, "MANDATE_CAP_EXCEEDED"),
    ],
)
def test_an_announcement_is_held_against_the_cycle_that_it_is_charged_in(
    day: str, hours: int, refused: str | None
) -> None:
    noon = datetime.combine(date.fromisoformat(day), time(12), tzinfo=CALENDAR.zone)
    now_us = to_microseconds(noon)
    row = mandate(
        cycle_start=f"{day[:7]}-01", cycle_used=500, notice_hours=hours, expires_at_us=4 * 10**15
    )
    working_set = WorkingSet(1, now_us)
    working_set.table(MANDATE).rows[row.mandate_id] = row
    command = AnnounceCharge(
        1,
        None,
        mandate_id=row.mandate_id,
        actor=MerchantActor(None),
        amount=300,
        currency_code="CNY",
    )
    if refused is None:
        command.decide(working_set)
        kept = working_set.get(MANDATE, row.mandate_id)
        assert kept is not None
        assert (kept.announced, kept.charge_from_us) == (300, now_us + hours * HOUR_US)
    else:
        assert told(lambda: command.decide(working_set)).reason == refused
