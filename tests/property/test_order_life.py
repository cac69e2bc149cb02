"""The life of orders against a small model: create, pay, close, refund, reverse, resolve, time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.engine import batch as batches
from longmen_server.engine.batch import Entry
from longmen_server.engine.family import STAGES
from longmen_server.engine.working_set import WorkingSet
from longmen_server.ledger.chart import CHART, CUSTOMER_DEPOSITS, MERCHANT_PAYABLES
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.merchants.model import MerchantActor, MerchantRow, TerminalRow
from longmen_server.merchants.tables import MERCHANT, TERMINAL
from longmen_server.payments import commands, endings, returns
from longmen_server.payments.commands import Sale
from longmen_server.payments.model import OrderNumber, TerminalReference
from longmen_server.payments.tables import ORDER, ORDER_NUMBER
from longmen_server.platform.ids import (
    AccountId,
    MerchantId,
    OrderId,
    RefundId,
    TerminalId,
    TransactionId,
)
from longmen_server.platform.refusal import Refusal

BOOK = 1
FUNDS = 2_000
AMOUNT = 300
LIFE_SECONDS = 60
BANK = MerchantActor(None)
OPEN, PAID, PART, REFUNDED = "open", "PAID", "PARTIALLY_REFUNDED", "REFUNDED"
NUMBERS_MAX = 6
NUMBERS = st.integers(1, NUMBERS_MAX)


def identifier(number: int) -> bytes:
    return number.to_bytes(14, "big") + BOOK.to_bytes(2, "big")


MERCHANT_ID = MerchantId(identifier(1))
PAYABLE, PAYER = AccountId(identifier(3)), AccountId(identifier(4))


def account(account_id: AccountId, code: int, credits_posted: int) -> AccountRow:
    line = CHART[code]
    return AccountRow(
        account_id,
        "CNY",
        line.account_type,
        code,
        AccountState.OPEN,
        *(0, credits_posted, 0, 0),
        line.floor_minor_units,
        None,
        *(0, 0, 0),
        None,
        None,
    )


def till(number: int) -> TerminalId:
    """The till of an order number: each has its own, because a till has one open order."""
    return TerminalId(identifier(50 + number))


class OrderLife(RuleBasedStateMachine):
    """One merchant, one payer, six order numbers with a till and its reference each."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[Any, dict[Any, Any]] = defaultdict(dict)
        self.rows[MERCHANT][MERCHANT_ID] = MerchantRow(
            MERCHANT_ID, "Tea", "", "", "Shanghai", "CN", "5499", "CNY", PAYABLE, 1
        )
        for number in range(1, NUMBERS_MAX + 1):
            self.rows[TERMINAL][till(number)] = TerminalRow(
                till(number), MERCHANT_ID, "till", "", 1
            )
        self.rows[ACCOUNT][PAYABLE] = account(PAYABLE, MERCHANT_PAYABLES, 0)
        self.rows[ACCOUNT][PAYER] = account(PAYER, CUSTOMER_DEPOSITS, FUNDS)
        self.now_us = 1_800_000_000_000_000
        self.ids = 100
        self.model: dict[int, list[Any]] = {}
        """State, refunded and end of life, by order number; a resolved number is CLOSED."""
        self.barred: set[int] = set()
        """Numbers whose till's reference was reversed before the sale came."""

    def fresh(self) -> bytes:
        self.ids += 1
        return identifier(self.ids)

    def run(self, command: Any) -> str:
        """Run one command; "" when it is done, else the reason of its refusal."""
        working_set = WorkingSet(BOOK, self.now_us)
        entry = Entry(command, cast("Any", None), 0.0)
        for stage in STAGES:
            for family, keys in batches.needed_rows([entry], working_set, stage).items():
                table = working_set.table(family)
                table.rows.update(
                    {key: self.rows[family][key] for key in keys if key in self.rows[family]}
                )
        working_set.begin_stamps(self.now_us)
        (decision,) = batches.decide([entry], working_set).decisions
        for family, written in working_set.tables.items():
            self.rows[family].update(written.inserted)
            self.rows[family].update(written.changed)
        if isinstance(decision.error, Refusal):
            return decision.error.reason
        assert decision.error is None, decision.error
        return ""

    # -- what the model says -------------------------------------------------------------------

    def expected(self, number: int) -> str | None:
        """The state of an order now, OPEN for all that can be paid; None for none."""
        if number not in self.model:
            return None
        state, _, ends_us = self.model[number]
        return "EXPIRED" if state == OPEN and self.now_us >= ends_us else str(state)

    def order_id(self, number: int) -> OrderId:
        key = OrderNumber(MERCHANT_ID, str(number))
        found = self.rows[ORDER_NUMBER].get(key)
        return OrderId(identifier(99)) if found is None else found

    def refusal_of(self, number: int) -> str:
        """By what reason an order that is not open says so."""
        state = self.expected(number)
        return "ORDER_PAID" if state in {PAID, PART, REFUNDED} else f"ORDER_{state}"

    def reference(self, number: int) -> TerminalReference:
        return TerminalReference(till(number), "2026-01-02", number)

    def has_reference(self, number: int) -> bool:
        """Whether the order of a number came from the till, and not from resolving."""
        order = self.rows[ORDER].get(self.order_id(number))
        return order is not None and order.terminal_id is not None

    # -- what can happen -----------------------------------------------------------------------

    @rule(number=NUMBERS)
    def create(self, number: int) -> None:
        sale = Sale(
            order_id=OrderId(self.fresh()),
            merchant_id=MERCHANT_ID,
            order_number=str(number),
            amount=AMOUNT,
            currency_code="CNY",
            expires_seconds=LIFE_SECONDS,
            description="",
            reference=self.reference(number),
        )
        reason = self.run(commands.CreateOrder(BOOK, None, sale=sale))
        if number in self.model:
            assert reason == ("" if self.has_reference(number) else "ORDER_CLOSED")
        elif number in self.barred:
            assert reason == "TERMINAL_REFERENCE_REVERSED"
        else:
            assert not reason
            self.model[number] = [OPEN, 0, self.now_us + LIFE_SECONDS * 1_000_000]

    @rule(number=NUMBERS)
    def pay(self, number: int) -> None:
        poor = self.rows[ACCOUNT][PAYER].available < AMOUNT
        reason = self.run(
            commands.PayOrder(
                BOOK,
                None,
                order_id=self.order_id(number),
                payer_id=PAYER,
                amount=AMOUNT,
                currency_code="CNY",
                actor=Actor(None),
                transaction_id=TransactionId(self.fresh()),
            )
        )
        if not self.has_reference(number):
            assert reason == "ORDER_NOT_FOUND"
        elif self.expected(number) != OPEN:
            assert reason == self.refusal_of(number)
        elif poor:
            assert reason == "INSUFFICIENT_FUNDS"
        else:
            assert not reason
            self.model[number][0] = PAID

    @rule(number=NUMBERS)
    def sell(self, number: int) -> None:
        """Create and pay, since what matters most happens to orders that are paid."""
        self.create(number)
        self.pay(number)

    @rule(number=NUMBERS, amounts=st.lists(st.sampled_from([100, 150, AMOUNT]), max_size=3))
    def refund_often(self, number: int, amounts: list[int]) -> None:
        """Refund again and again, up to the payment and beyond."""
        for amount in amounts:
            self.refund(number, amount)

    @rule(number=NUMBERS)
    def close(self, number: int) -> None:
        reason = self.run(
            endings.CloseOrder(BOOK, None, order_id=self.order_id(number), actor=BANK)
        )
        state = self.expected(number)
        if state is None:
            assert reason == "ORDER_NOT_FOUND"
        elif state in {OPEN, "CLOSED", "EXPIRED"}:
            assert not reason
            self.model[number][0] = "CLOSED"
        else:
            assert reason == self.refusal_of(number)

    @rule(number=NUMBERS)
    def resolve(self, number: int) -> None:
        key = OrderNumber(MERCHANT_ID, str(number))
        command = endings.ResolveOrder(BOOK, None, number=key, order_id=OrderId(self.fresh()))
        assert not self.run(command)
        if number not in self.model:
            self.model[number] = ["CLOSED", 0, 0]
        elif self.model[number][0] == OPEN:
            self.model[number][0] = "CLOSED"
        assert self.expected(number) != OPEN

    @rule(number=NUMBERS, amount=st.sampled_from([1, 100, 150, AMOUNT]))
    def refund(self, number: int, amount: int) -> None:
        asked = pb.RefundOrderRequest(refund_number=str(self.ids))
        asked.amount.minor_units, asked.amount.currency_code = amount, "CNY"
        reason = self.run(
            returns.RefundOrder(
                BOOK,
                None,
                order_id=self.order_id(number),
                asked=asked,
                actor=BANK,
                refund_id=RefundId(self.fresh()),
                transaction_id=TransactionId(self.fresh()),
            )
        )
        state = self.expected(number)
        if state is None:
            assert reason == "ORDER_NOT_FOUND"
        elif state == "REVERSED":
            assert reason == "ORDER_REVERSED"
        elif state not in {PAID, PART, REFUNDED}:
            assert reason == "ORDER_NOT_PAID"
        elif self.model[number][1] + amount > AMOUNT:
            assert reason == "REFUND_EXCEEDS_PAYMENT"
        else:
            assert not reason
            self.model[number][1] += amount
            self.model[number][0] = REFUNDED if self.model[number][1] == AMOUNT else PART

    @rule(number=NUMBERS)
    def reverse(self, number: int) -> None:
        command = returns.ReverseByTerminalRef(
            BOOK,
            None,
            reference=self.reference(number),
            actor=BANK,
            transaction_id=TransactionId(self.fresh()),
        )
        assert not self.run(command)
        if not self.has_reference(number):
            self.barred.add(number)
            return
        state = self.expected(number)
        if state in {PAID, PART}:
            self.model[number][:2] = ["REVERSED", AMOUNT]
        elif state in {OPEN, "EXPIRED"}:
            self.model[number][0] = "CLOSED"

    @rule(seconds=st.sampled_from([1, 30, LIFE_SECONDS, 3600]))
    def wait(self, seconds: int) -> None:
        self.now_us += seconds * 1_000_000

    @rule()
    def expire(self) -> None:
        ids = list(self.rows[ORDER])
        assert not self.run(endings.ExpireOrders(BOOK, ids))
        for number, row in self.model.items():
            row[0] = self.expected(number)

    # -- what always holds ---------------------------------------------------------------------

    @invariant()
    def orders_are_as_the_model_has_them(self) -> None:
        for number in self.model:
            row = self.rows[ORDER][self.order_id(number)]
            state = row.state_at(self.now_us).name
            expected = self.expected(number)
            assert state == ("PENDING_PAYER" if expected == OPEN else expected)
            assert row.refunded == self.model[number][1]

    @invariant()
    def money_is_where_the_orders_say(self) -> None:
        kept = sum(
            AMOUNT - refunded
            for state, refunded, _ in self.model.values()
            if state in {PAID, PART, REFUNDED, "REVERSED"}
        )
        assert self.rows[ACCOUNT][PAYABLE].posted == kept
        assert self.rows[ACCOUNT][PAYER].posted == FUNDS - kept


def test_orders_live_as_the_model_says() -> None:
    run_state_machine_as_test(
        OrderLife,
        settings=settings(
            max_examples=300,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
