"""Every state against every step: where it leads, or by which reason it is refused."""

from __future__ import annotations

import pytest

from longmen.payments.v1 import order_pb2
from longmen_server.payments.model import (
    OPEN_STATES,
    SETTLING_US,
    Answer,
    OrderRow,
    OrderState,
    ReversalOutcome,
    Step,
    advance,
    answer_of,
)
from longmen_server.payments.policy import POLICIES, Policy, policy_at
from longmen_server.platform.ids import AccountId, MerchantId, OrderId
from longmen_server.platform.refusal import Refusal

ID = bytes(15) + b"\x01"
NOW = 1_000

OPEN = (
    "pay>PAID close>CLOSED expire>EXPIRED reverse>CLOSED"
    " refund_part!ORDER_NOT_PAID refund_rest!ORDER_NOT_PAID"
)
RETURNABLE = (
    "present!ORDER_PAID ask_payer!ORDER_PAID pay!ORDER_PAID close!ORDER_PAID expire!ORDER_PAID"
    " decline!ORDER_PAID authorize!ORDER_PAID"
    " capture_part!ORDER_PAID capture_rest!ORDER_PAID"
    " refund_part>PARTIALLY_REFUNDED refund_rest>REFUNDED reverse>REVERSED"
)
NO_HOLD = "capture_part!ORDER_NOT_AUTHORIZED capture_rest!ORDER_NOT_AUTHORIZED"
FREE = f"{OPEN} {NO_HOLD} authorize>AUTHORIZED"
EXPECTED = {
    "CREATED": f"{FREE} present>PENDING_PAYER ask_payer>NEEDS_AUTH decline!ORDER_CLOSED",
    "PENDING_PAYER": f"{FREE} present>PENDING_PAYER ask_payer>NEEDS_AUTH decline>PENDING_PAYER",
    "NEEDS_AUTH": f"{FREE} present!ORDER_CLOSED ask_payer>NEEDS_AUTH decline>PENDING_PAYER",
    "PROCESSING": (
        f"{OPEN} present!ORDER_CLOSED ask_payer!ORDER_CLOSED decline!ORDER_CLOSED"
        " authorize!ORDER_CLOSED capture_part!ORDER_NOT_AUTHORIZED"
        " capture_rest!ORDER_NOT_AUTHORIZED"
    ),
    "AUTHORIZED": (
        "pay!ORDER_AUTHORIZED close>CLOSED expire>EXPIRED reverse>CLOSED"
        " refund_part!ORDER_NOT_PAID refund_rest!ORDER_NOT_PAID present!ORDER_AUTHORIZED"
        " ask_payer!ORDER_AUTHORIZED decline!ORDER_AUTHORIZED authorize!ORDER_AUTHORIZED"
        " capture_part>AUTHORIZED capture_rest>PAID"
    ),
    "PAID": RETURNABLE,
    "PARTIALLY_REFUNDED": RETURNABLE,
    "REFUNDED": (
        "present!ORDER_PAID ask_payer!ORDER_PAID pay!ORDER_PAID close!ORDER_PAID expire!ORDER_PAID"
        " decline!ORDER_PAID authorize!ORDER_PAID"
        " capture_part!ORDER_PAID capture_rest!ORDER_PAID"
        " refund_part!REFUND_EXCEEDS_PAYMENT refund_rest!REFUND_EXCEEDS_PAYMENT reverse>REFUNDED"
    ),
    "CLOSED": (
        "present!ORDER_CLOSED ask_payer!ORDER_CLOSED pay!ORDER_CLOSED close>CLOSED"
        " expire!ORDER_CLOSED decline!ORDER_CLOSED authorize!ORDER_CLOSED"
        " capture_part!ORDER_CLOSED capture_rest!ORDER_CLOSED"
        " refund_part!ORDER_NOT_PAID refund_rest!ORDER_NOT_PAID reverse>CLOSED"
    ),
    "EXPIRED": (
        "present!ORDER_EXPIRED ask_payer!ORDER_EXPIRED pay!ORDER_EXPIRED close>CLOSED"
        " expire>EXPIRED decline!ORDER_EXPIRED authorize!ORDER_EXPIRED"
        " capture_part!ORDER_EXPIRED capture_rest!ORDER_EXPIRED"
        " refund_part!ORDER_NOT_PAID refund_rest!ORDER_NOT_PAID reverse>CLOSED"
    ),
    "REVERSED": (
        "present!ORDER_REVERSED ask_payer!ORDER_REVERSED pay!ORDER_REVERSED close!ORDER_REVERSED"
        " expire!ORDER_REVERSED decline!ORDER_REVERSED authorize!ORDER_REVERSED"
        " capture_part!ORDER_REVERSED capture_rest!ORDER_REVERSED"
        " refund_part!ORDER_REVERSED refund_rest!ORDER_REVERSED"
        " reverse>REVERSED"
    ),
}
"""What is written down of each state: `step>STATE` leads there, `step!REASON` is refused."""


def order(state: OrderState, *, expires_at_us: int = NOW + 1) -> OrderRow:
    return OrderRow(
        order_id=OrderId(ID),
        merchant_id=MerchantId(ID),
        order_number="1",
        state=state,
        amount=300,
        currency_code="CNY",
        refunded=0,
        account_id=AccountId(ID),
        expires_at_us=expires_at_us,
        description="",
        terminal_id=None,
        trace_number=None,
        business_date=None,
        payer_account_id=None,
        transaction_id=None,
        paid_at_us=None,
        version=1,
        created_at_us=1,
        updated_at_us=1,
    )


def outcome(row: OrderRow, step: Step) -> str:
    try:
        return f"{step.value}>{advance(row, step, NOW).name}"
    except Refusal as refusal:
        return f"{step.value}!{refusal.reason}"


@pytest.mark.parametrize("state", list(OrderState), ids=lambda state: state.name)
def test_every_step_leads_where_it_should_or_says_why_not(state: OrderState) -> None:
    assert {outcome(order(state), step) for step in Step} == set(EXPECTED[state.name].split())


@pytest.mark.parametrize("state", sorted(OPEN_STATES), ids=lambda state: state.name)
def test_time_closes_what_was_not_paid(state: OrderState) -> None:
    late = order(state, expires_at_us=NOW)
    assert late.state_at(NOW) == OrderState.EXPIRED
    assert late.state_at(NOW - 1) == state
    assert outcome(late, Step.PAY) == "pay!ORDER_EXPIRED"
    # What began in time is yet to be committed: the answer is final once nothing of it can be.
    assert answer_of(late, NOW) == Answer.STILL_POSSIBLE
    assert answer_of(late, NOW + SETTLING_US) == Answer.NOT_PAID_AND_CLOSED
    noted = order(OrderState.EXPIRED, expires_at_us=NOW)
    assert answer_of(noted, NOW) == Answer.NOT_PAID_AND_CLOSED


def test_time_changes_nothing_of_what_was_paid() -> None:
    for state in set(OrderState) - OPEN_STATES:
        assert order(state, expires_at_us=0).state_at(NOW) == state


def test_answers_say_who_has_the_money() -> None:
    assert answer_of(None, NOW) == Answer.NEVER_SEEN
    answers = {state: answer_of(order(state), NOW) for state in OrderState}
    paid = {state for state, answer in answers.items() if answer == Answer.PAID}
    assert paid == {OrderState.PAID, OrderState.PARTIALLY_REFUNDED, OrderState.REFUNDED}
    open_ = {state for state, answer in answers.items() if answer == Answer.STILL_POSSIBLE}
    assert open_ == OPEN_STATES


def test_enums_are_those_of_the_contract() -> None:
    for ours, theirs, prefix in (
        (OrderState, order_pb2.OrderState, "ORDER_STATE_"),
        (Answer, order_pb2.OrderAnswer, "ORDER_ANSWER_"),
        (ReversalOutcome, order_pb2.ReversalOutcome, "REVERSAL_OUTCOME_"),
    ):
        names = {name.removeprefix(prefix): value for name, value in theirs.items() if value}
        assert {one.name: int(one) for one in ours} == names


def test_the_policy_of_a_day_is_the_last_that_has_begun() -> None:
    def policy(from_us: int) -> Policy:
        return Policy(
            effective_from_us=from_us,
            reversal_window_days=1,
            code_budget=15,
            code_budget_hours=24,
            code_budget_minor_units={},
            code_wrong_tries=10,
            tip_percent_max=100,
            refund_window_days=1,
        )

    policies = (policy(10), policy(20))
    assert [policy_at(at, policies).effective_from_us for at in (5, 10, 19, 20, 99)] == [
        10,
        10,
        10,
        20,
        20,
    ]
    assert policy_at(POLICIES[0].effective_from_us) == POLICIES[0]


def test_what_was_captured_stays_paid_whatever_ends_the_rest() -> None:
    row = order(OrderState.AUTHORIZED)
    row.captured = 100
    assert outcome(row, Step.CLOSE) == "close>PAID"
    assert outcome(row, Step.EXPIRE) == "expire>PAID"
    assert outcome(row, Step.REVERSE) == "reverse!ORDER_AUTHORIZED"
    row.expires_at_us = NOW
    assert row.state_at(NOW) == OrderState.PAID
    assert row.remaining == 100
