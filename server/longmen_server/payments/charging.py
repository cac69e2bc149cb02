"""The command that charges the payer whose code a till has scanned. Pure.

What is wrong with the sale leaves nothing behind. What is wrong with the code or its payer leaves
the order open, an attempt that says why, and the code used up if it was a good one: the cashier
scans another code under the same number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.challenges.cooling import is_beyond, use_cooling
from longmen_server.challenges.gate import count_exempt, decision_for
from longmen_server.challenges.model import Intent, Operation, stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_LOOKUP, STAGE_POINTER
from longmen_server.factors.tables import SECURITY
from longmen_server.identity.model import DeviceState
from longmen_server.identity.tables import DEVICE
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.movement import Asker, Channel, MovementKind
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payer_codes.encode import budget_of
from longmen_server.payer_codes.model import (
    check_amount,
    check_budget,
    check_scan,
)
from longmen_server.payer_codes.tables import CODE_OWNER, PAYER_CODE
from longmen_server.payments import encode, fees, model
from longmen_server.payments.commands import (
    Sale,
    cover,
    find_merchant,
    move,
    movement_of,
    pay,
    register,
)
from longmen_server.payments.discretion import payer_state, told_to_merchant
from longmen_server.payments.model import AttemptOutcome, AttemptRow, OrderRow, Step
from longmen_server.payments.policy import policy_at
from longmen_server.payments.tables import ATTEMPT, ORDER, ORDER_NUMBER
from longmen_server.payments.tips import TipMode, check_limit
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.ids import AccountId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.model import Policy
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.payer_codes.model import CodeDevice, PayerCodeRow, Scan
    from longmen_server.platform.ids import TransactionId
    from longmen_server.risk.guard import Guard

__all__ = ["PayByCode"]


class FailedScan(Refusal):
    """A scan that moved no money, though there is nothing wrong with the sale."""

    def __init__(self, cause: Refusal, *, spends: bool) -> None:
        """Refuse by the cause's reason; note whether the code is used up all the same."""
        told = told_to_merchant(cause)
        super().__init__(told.reason, told.message, metadata=told.metadata, field=told.field)
        self.spends = spends


class PayByCode(Command):
    """Charge a payer by a scanned code."""

    __slots__ = ("funding", "guard", "policy", "sale", "scan", "transaction_id")

    looks_up = True

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        sale: Sale,
        scan: Scan,
        policy: Policy,
        transaction_id: TransactionId,
        guard: Guard | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        """Take a sale and a code.

        Args:
            book: the merchant's, and the payer's.
            request: the request's key.
            sale: what is sold.
            scan: the code.
            policy: says which payments go without the payer's approval.
            transaction_id: of the payment, if there is one.
            guard: what judges the payment; None where nothing is judged.
            funding: exchanges what the payer lacks, if the payer agreed to that.
        """
        super().__init__(book, request)
        self.funding = funding
        self.guard = guard
        self.sale = sale
        self.scan = scan
        self.policy = policy
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the sale's rows, the payer's device and its owner, then both accounts."""
        code = self.scan.code
        if stage == STAGE_LOOKUP:
            if code is not None:
                yield RowKey(CODE_OWNER, code.handle)
            return
        yield from self.sale.keys(working_set, stage)
        if stage == STAGE_ACCOUNT:
            yield from self._merchant_keys(working_set)
        found = None if code is None else working_set.get(CODE_OWNER, code.handle)
        if code is not None and found is not None:
            yield from self._payer_keys(working_set, stage, code.handle, found)

    def _payer_keys(
        self, working_set: WorkingSet, stage: int, handle: int, found: CodeDevice
    ) -> Iterable[RowKey]:
        """Name the payer's device and its owner, and the payer's account."""
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, found.customer_id)
        elif stage == STAGE_LINK:
            yield RowKey(PAYER_CODE, handle)
        row = working_set.get(PAYER_CODE, handle)
        if self.guard is not None and row is not None:
            yield from self.guard.keys(
                working_set,
                stage,
                payer_id=row.account_id,
                merchant_id=self.sale.merchant_id,
                terminal_id=self.sale.terminal_id,
                device_id=row.device_id,
            )
        if self.funding is not None and (row is not None or stage == STAGE_LINK):
            owner = (found.customer_id, self.sale.currency_code)
            payer_id = AccountId(b"") if row is None else row.account_id
            yield from self.funding.keys(
                working_set, stage, payer_id=payer_id, guard=self.guard, owner=owner
            )
        if stage == STAGE_ACCOUNT:
            yield RowKey(DEVICE, found.device_id)
            if row is not None:
                yield RowKey(ACCOUNT, row.account_id)
                yield from enforce.keys(stage, payer_id=row.account_id)

    def _merchant_keys(self, working_set: WorkingSet) -> Iterable[RowKey]:
        """Name the merchant's account, and what its fee needs."""
        sale = self.sale
        merchant = working_set.get(MERCHANT, sale.merchant_id)
        if merchant is None:
            return
        yield RowKey(ACCOUNT, merchant.account_id)
        found = working_set.get(ORDER_NUMBER, sale.number)
        order = None if found is None else working_set.get(ORDER, found)
        plan_id = fees.plan_of(working_set, sale.merchant_id) if order is None else order.plan_id
        yield from fees.fee_keys(working_set, plan_id, merchant.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register the sale unless it is known, and charge the payer or ask."""
        order = self._order(working_set)
        model.advance(order, Step.PAY, working_set.now_us)
        model.check_alone(order)
        try:
            payer = self._take_code(working_set)
        except Refusal as refusal:
            raise FailedScan(refusal, spends=False) from refusal
        try:
            order = self._charge(working_set, order, payer)
        except Refusal as refusal:
            raise FailedScan(refusal, spends=True) from refusal
        reply = pb.PayByCodeResponse(committed_at=working_set.committed_at)
        encode.fill_order(reply.order, order, working_set.now_us)
        return reply.SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the order, the attempt, what became of the code, and what was decided."""
        if not isinstance(refusal, FailedScan):
            return
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        if self.funding is not None:
            self.funding.refused(working_set, refusal, self.transaction_id, self.guard)
        order = self._order(working_set)
        row = self._device(working_set)
        known = row is not None and self.scan.match(row, working_set.now_us).step is not None
        self._note(
            working_set,
            order,
            AttemptOutcome.REFUSED,
            row.account_id if row is not None and known else None,
            refusal.reason,
        )
        if row is None:
            return
        if refusal.spends:
            self._take_code(working_set)
        elif refusal.reason == "CODE_INVALID":
            working_set.edit(PAYER_CODE, row.handle).wrong_count += 1

    def _order(self, working_set: WorkingSet) -> OrderRow:
        return register(working_set, self.sale, find_merchant(working_set, self.sale.merchant_id))

    def _device(self, working_set: WorkingSet) -> PayerCodeRow | None:
        """Return the device that has the code's number."""
        code = self.scan.code
        return None if code is None else working_set.get(PAYER_CODE, code.handle)

    def _take_code(self, working_set: WorkingSet) -> PayerCodeRow:
        """Use the code up and return the device it is of.

        Raises:
            Refusal: CODE_MALFORMED, CODE_UNKNOWN_SCHEME, CODE_INVALID, CODE_EXPIRED, CODE_USED,
                CODE_BUDGET_SPENT.
        """
        now_us = working_set.now_us
        row = self._device(working_set)
        code, step = check_scan(row, self.scan, now_us)
        assert row is not None, "a good code has a device"
        check_budget(row, budget_of(row, now_us), now_us)
        row = working_set.edit(PAYER_CODE, row.handle)
        row.spend(code, step, now_us)
        row.version += 1
        return row

    def _charge(self, working_set: WorkingSet, order: OrderRow, payer: PayerCodeRow) -> OrderRow:
        """Pay at once where the policy lets it, or ask the payer.

        Raises:
            Refusal: PAYER_STATE, CODE_BUDGET_SPENT, or of the posting.
        """
        device = working_set.get(DEVICE, payer.device_id)
        if device is not None and device.state != DeviceState.ACTIVE:
            raise payer_state("DEVICE")
        actor = Actor(payer.customer_id)
        account = find_wallet_account(working_set, payer.account_id, order.currency_code, actor)
        tip = self._tip(working_set, order)
        total = order.amount + tip
        asker = Asker(Channel.MERCHANT, payer.device_id)
        kind = MovementKind.PAYER_CODE_PAYMENT
        movement = movement_of(kind, order, account, asker, self.transaction_id, amount=total)
        mark = working_set.mark()
        covered = cover(working_set, self.funding, self.guard, account, movement)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if covered is not None:
            least = stronger(least, covered.least)
        # The row is this command's own copy: taking the code made it.
        payer.last_order_id = order.order_id
        # Without a text: who has to approve is asked about the order, and shown what that says.
        intent = Intent(
            operation=Operation.PURCHASE,
            text="",
            amount=total,
            currency_code=order.currency_code,
            payee=MERCHANT_TEXT.encode(order.merchant_id),
        )
        decision = decision_for(
            working_set, payer.customer_id, intent, self.policy, is_known=False, least=least
        )
        # The payer is told what a new device may not do yet, and not the till.
        if decision.factors or is_beyond(working_set, payer.device_id, intent, self.policy):
            # What is paid later is exchanged then.
            working_set.rollback(mark)
            state = model.advance(order, Step.ASK_PAYER, working_set.now_us)
            order = move(working_set, order.order_id, state)
            self._note(working_set, order, AttemptOutcome.ASKED, payer.account_id)
            return order
        budget = budget_of(payer, working_set.now_us)
        check_amount(payer, budget, total)
        payer.spent_amount += total
        count_exempt(working_set, payer.customer_id)
        use_cooling(working_set, payer.device_id, intent, self.policy)
        order, _ = pay(working_set, order, payer.account_id, self.transaction_id, tip=tip)
        settle(working_set, verdict)
        self._note(working_set, order, AttemptOutcome.PAID, payer.account_id)
        return order

    def _tip(self, working_set: WorkingSet, order: OrderRow) -> int:
        """Return the order's tip; where its code asks the payer, what the payer told the till.

        Raises:
            Refusal: TIP_LIMIT_EXCEEDED.
        """
        if order.tip_mode != TipMode.ASK:
            return order.tip
        tip = self.sale.tip
        percent_max = policy_at(working_set.now_us).tip_percent_max
        check_limit(tip, order.amount, percent_max, order.currency_code)
        return tip

    def _note(
        self,
        working_set: WorkingSet,
        order: OrderRow,
        outcome: AttemptOutcome,
        account_id: AccountId | None,
        reason: str = "",
    ) -> None:
        """Keep the attempt."""
        at_us = working_set.next_stamp()
        row = AttemptRow(order.order_id, at_us, outcome, reason, account_id)
        working_set.append(ATTEMPT, row)
