"""The command that takes stored sales down, each for ever and by itself. Pure.

A sale that its till should not have taken leaves a row and no order. Any other is registered as an
order, which is paid by its payer, or by the bank in the payer's place, or closed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import offline_service_pb2 as pb
from longmen_server.accounts.model import Actor
from longmen_server.challenges.cooling import is_beyond, use_cooling
from longmen_server.challenges.gate import count_exempt
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_LOOKUP, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.factors.tables import SECURITY
from longmen_server.identity.model import DeviceState
from longmen_server.identity.tables import DEVICE
from longmen_server.ledger.chart import OPERATIONAL_LOSS, system_account_id
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.movement import Asker, Channel, MovementKind
from longmen_server.merchants.tables import MERCHANT, TERMINAL
from longmen_server.offline import encode, model
from longmen_server.offline.commands import find_terminal
from longmen_server.offline.model import (
    BudgetKey,
    BudgetRow,
    OfflineOutcome,
    OfflineSaleRow,
    SaleAddress,
)
from longmen_server.offline.policy import policy_at
from longmen_server.offline.tables import ACCEPTANCE, BUDGET, KEY, OFFLINE_SALE
from longmen_server.payer_codes.encode import budget_of
from longmen_server.payer_codes.model import (
    check_amount,
    check_budget,
    check_scan,
    check_tries,
)
from longmen_server.payer_codes.tables import CODE_OWNER, PAYER_CODE
from longmen_server.payments import fees
from longmen_server.payments.commands import Sale, move, movement_of, pay, register
from longmen_server.payments.discretion import payer_state, told_to_merchant
from longmen_server.payments.intents import of_purchase
from longmen_server.payments.model import (
    AWAITED_STATES,
    AttemptOutcome,
    AttemptRow,
    OrderState,
    Step,
    advance,
)
from longmen_server.payments.tables import ATTEMPT, ORDER, ORDER_NUMBER
from longmen_server.platform.clock import business_date
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle
from longmen_server.settlements.calendar import CALENDAR
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen.payments.v1 import offline_pb2
    from longmen_server.challenges.model import Policy
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.merchants.model import MerchantActor, MerchantRow
    from longmen_server.offline.model import StoredSale
    from longmen_server.payer_codes.model import PayerCodeRow, Scan
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import (
        AccountId,
        CustomerId,
        MerchantId,
        TerminalId,
        TerminalKeyId,
        TransactionId,
    )
    from longmen_server.risk.guard import Guard

__all__ = ["ForwardOffline", "Forwarded"]

_RECORDED = event_pb2.EVENT_TYPE_OFFLINE_SALE_RECORDED


class Forwarded(NamedTuple):
    """One stored sale as it was forwarded."""

    stored: StoredSale
    is_signed: bool
    """Whether the till's key has signed it."""
    scan: Scan
    """Its code, as of the time it was scanned."""
    sale: Sale
    transaction_id: TransactionId
    guard: Guard | None = None
    """What judges its payment; None where nothing is judged."""

    @property
    def address(self) -> SaleAddress:
        """Where it is taken down."""
        return SaleAddress(self.stored.key_id, self.stored.sequence)

    def payer_keys(self, customer_id: CustomerId) -> tuple[BudgetKey, BudgetKey]:
        """Return the budgets of the payer who showed the code, of the day and of the month."""
        day = business_date(self.stored.accepted_at_us, CALENDAR.zone)
        currency_code = self.stored.currency_code
        return (
            BudgetKey(customer_id, model.day_of(day), currency_code),
            BudgetKey(customer_id, model.month_of(day), currency_code),
        )

    @property
    def merchant_key(self) -> BudgetKey:
        """The merchant's budget of what the bank covers."""
        day = business_date(self.stored.accepted_at_us, CALENDAR.zone)
        return BudgetKey(self.sale.merchant_id, model.day_of(day), self.stored.currency_code)


class ForwardOffline(Command):
    """Take stored sales of one till and key down."""

    __slots__ = ("actor", "items", "key_id", "merchant_id", "policy", "terminal_id")

    looks_up = True

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        terminal_id: TerminalId,
        merchant_id: MerchantId | None,
        key_id: TerminalKeyId,
        items: Sequence[Forwarded],
        policy: Policy,
        actor: MerchantActor,
    ) -> None:
        """Take stored sales.

        Args:
            book: the merchant's, and the payers'.
            request: the request's key.
            terminal_id: of the till.
            merchant_id: whose the till was found to be, which never changes; None where there is
                no such till.
            key_id: that they were signed with.
            items: as they came; none where there is no such till or key.
            policy: says what a new device may send.
            actor: who forwards.
        """
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.merchant_id = merchant_id
        self.key_id = key_id
        self.items = items
        self.policy = policy
        self.actor = actor

    @property
    def weight(self) -> int:
        """One for each sale."""
        return max(1, len(self.items))

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name till and key, what was taken down, the sales, their payers, and all accounts."""
        if stage == STAGE_LOOKUP:
            for item in self.items:
                if item.scan.code is not None:
                    yield RowKey(CODE_OWNER, item.scan.code.handle)
            return
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            yield RowKey(KEY, self.key_id)
            if self.merchant_id is not None:
                yield RowKey(ACCEPTANCE, self.merchant_id)
        elif stage == STAGE_ACCOUNT:
            yield from self._merchant_keys(working_set)
        for item in self.items:
            yield from item.sale.keys(working_set, stage)
            yield from _payer_keys(item, working_set, stage)
            if stage == STAGE_POINTER:
                yield RowKey(OFFLINE_SALE, item.address)
            elif stage == STAGE_LINK:
                yield RowKey(BUDGET, item.merchant_key)

    def _merchant_keys(self, working_set: WorkingSet) -> Iterable[RowKey]:
        """Name the merchant's account, those of its fees, and the one that bears losses."""
        merchant = None
        if self.merchant_id is not None:
            merchant = working_set.get(MERCHANT, self.merchant_id)
        if merchant is None:
            return
        currency_code = merchant.currency_code
        yield RowKey(ACCOUNT, merchant.account_id)
        yield RowKey(ACCOUNT, system_account_id(self.book, currency_code, OPERATIONAL_LOSS))
        plan_id = fees.plan_of(working_set, merchant.merchant_id)
        yield from fees.fee_keys(working_set, plan_id, currency_code)
        for item in self.items:
            found = working_set.get(ORDER_NUMBER, item.sale.number)
            known = None if found is None else working_set.get(ORDER, found)
            if known is not None:
                yield from fees.fee_keys(working_set, known.plan_id, currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Answer each sale: as it was answered before, or for the first time."""
        terminal = find_terminal(working_set, self.terminal_id, self.actor)
        key = working_set.get(KEY, self.key_id)
        if key is None or key.terminal_id != self.terminal_id:
            raise model.key_not_found(self.key_id)
        if key.revoked_at_us is not None:
            raise model.key_revoked(self.key_id)
        model.check_order([item.stored.sequence for item in self.items])
        merchant = working_set.get(MERCHANT, terminal.merchant_id)
        assert merchant is not None, "a till has a merchant"
        results = [self._answer(working_set, merchant, item) for item in self.items]
        working_set.next_stamp()
        return pb.ForwardOfflineResponse(
            results=results, committed_at=working_set.committed_at
        ).SerializeToString()

    def _answer(
        self, working_set: WorkingSet, merchant: MerchantRow, item: Forwarded
    ) -> offline_pb2.OfflineResult:
        stored = item.stored
        known = working_set.get(OFFLINE_SALE, item.address)
        if known is not None:
            if known.digest == stored.digest:
                return encode.result(known)
            return encode.refused(stored.sequence, "OFFLINE_SALE_REUSED")
        if not item.is_signed:
            return encode.refused(stored.sequence, "OFFLINE_SIGNATURE_INVALID")
        key = working_set.get(KEY, self.key_id)
        assert key is not None, "checked before"
        if stored.sequence <= key.last_sequence:
            return encode.refused(stored.sequence, "OFFLINE_OUT_OF_ORDER")
        working_set.edit(KEY, self.key_id).last_sequence = stored.sequence
        return encode.result(_Taking(working_set, merchant, item, self.policy).take())


class _Taking:
    """How one sale is taken down."""

    def __init__(
        self, working_set: WorkingSet, merchant: MerchantRow, item: Forwarded, policy: Policy
    ) -> None:
        self._working_set = working_set
        self._merchant = merchant
        self._item = item
        self._policy = policy
        self._offline = policy_at(item.stored.accepted_at_us)
        self._agreed = working_set.get(ACCEPTANCE, merchant.merchant_id)

    def take(self) -> OfflineSaleRow:
        """Take it down, whatever becomes of it."""
        working_set, item, offline = self._working_set, self._item, self._offline
        before = working_set.mark()
        try:
            model.check_sale(
                item.stored,
                now_us=working_set.now_us,
                window_us=offline.window_us,
                skew_us=offline.skew_us,
                limits=offline.sale_minor_units,
            )
            if self._agreed is None or not self._agreed.takes(item.stored.accepted_at_us):
                raise model.not_enabled(self._merchant.merchant_id)
            order = register(working_set, item.sale, self._merchant)
            advance(order, Step.PAY, working_set.now_us)
        except Refusal as refusal:
            # There is no order for it: a till's mistake, or a number that was dealt with before.
            working_set.rollback(before)
            return self._record(OfflineOutcome.LOST, refusal.reason, None)
        return self._collect(order)

    def _collect(self, order: OrderRow) -> OfflineSaleRow:
        """Have the order of a sale paid, or end it."""
        working_set = self._working_set
        mark = working_set.mark()
        try:
            payer = self._take_code()
        except Refusal as refusal:
            working_set.rollback(mark)
            if refusal.reason == "CODE_INVALID":
                self._count_wrong_try()
            return self._fail(order, refusal.reason, None)
        spent = working_set.mark()
        try:
            order = self._charge(order, payer)
        except Refusal as refusal:
            working_set.rollback(spent)
            if self._item.guard is not None:
                self._item.guard.refused(working_set, refusal)
            return self._fail(order, told_to_merchant(refusal).reason, payer.account_id)
        self._note(order, AttemptOutcome.PAID, payer.account_id)
        return self._record(OfflineOutcome.PAID, "", order, payer.account_id)

    def _take_code(self) -> PayerCodeRow:
        """Use the code up, as of the time it was scanned, and return the device it is of.

        Raises:
            Refusal: CODE_MALFORMED, CODE_UNKNOWN_SCHEME, CODE_INVALID, CODE_EXPIRED, CODE_USED;
                CODE_BUDGET_SPENT of a device that somebody guesses codes of.
        """
        working_set, scan = self._working_set, self._item.scan
        now_us = working_set.now_us
        row = None
        if scan.code is not None:
            row = working_set.get(PAYER_CODE, scan.code.handle)
        if row is not None:
            check_tries(row, budget_of(row, now_us))
        code, step = check_scan(row, scan, now_us)
        assert row is not None, "a good code has a device"
        row = working_set.edit(PAYER_CODE, row.handle)
        row.spend(code, step, now_us)
        row.version += 1
        return row

    def _charge(self, order: OrderRow, payer: PayerCodeRow) -> OrderRow:
        """Pay from the payer's account, within all budgets; nobody can be asked any more.

        Raises:
            Refusal: PAYER_STATE, CODE_BUDGET_SPENT, OFFLINE_BUDGET_SPENT, or of the posting.
        """
        working_set = self._working_set
        budget = budget_of(payer, working_set.now_us)
        # The code itself was counted when it was taken.
        before = replace(payer, spent_count=payer.spent_count - 1)
        check_budget(before, budget, min(working_set.now_us, self._item.stored.accepted_at_us))
        check_amount(payer, budget, order.amount)
        self._use_day(order.amount)
        account = self._account(order, payer)
        movement = movement_of(
            MovementKind.PAYER_CODE_PAYMENT,
            order,
            account,
            Asker(Channel.MERCHANT, payer.device_id),
            self._item.transaction_id,
        )
        verdict = judge(working_set, self._item.guard, movement)
        if stronger(enforce.reserve(working_set, movement), verdict.least).factors:
            raise payer_state("APPROVAL")
        payer = working_set.edit(PAYER_CODE, payer.handle)
        payer.last_order_id = order.order_id
        payer.spent_amount += order.amount
        intent = of_purchase(order.merchant_id, payer.account_id, order.amount, order.currency_code)
        if is_beyond(working_set, payer.device_id, intent, self._policy):
            raise payer_state("APPROVAL")
        count_exempt(working_set, payer.customer_id)
        use_cooling(working_set, payer.device_id, intent, self._policy)
        paid = self._pay(order, payer.account_id)
        settle(working_set, verdict)
        return paid

    def _account(self, order: OrderRow, payer: PayerCodeRow) -> AccountRow:
        device = self._working_set.get(DEVICE, payer.device_id)
        if device is not None and device.state != DeviceState.ACTIVE:
            raise payer_state("DEVICE")
        actor = Actor(payer.customer_id)
        return find_wallet_account(self._working_set, payer.account_id, order.currency_code, actor)

    def _budgets(self) -> tuple[BudgetKey, BudgetKey]:
        """Return the payer's budgets, of the day and of the month."""
        code = self._item.scan.code
        owner = None if code is None else self._working_set.get(CODE_OWNER, code.handle)
        assert owner is not None, "only a payer that is known has a budget"
        return self._item.payer_keys(owner.customer_id)

    def _use_day(self, amount: int) -> None:
        """Count the sale in the payer's day.

        Raises:
            Refusal: OFFLINE_BUDGET_SPENT.
        """
        offline = self._offline
        key, _ = self._budgets()
        model.check_day(
            self._working_set.get(BUDGET, key),
            amount,
            count=offline.customer_day_count,
            limit=offline.customer_day_minor_units.get(key.currency_code, 0),
        )
        _use(self._working_set, key, amount)

    def _fail(self, order: OrderRow, reason: str, account_id: AccountId | None) -> OfflineSaleRow:
        """End a sale that its payer does not pay: the bank pays it, or nobody does.

        Args:
            order: of the sale.
            reason: why the payer does not.
            account_id: the payer's, where the code was good and is used up.
        """
        working_set = self._working_set
        self._note(order, AttemptOutcome.REFUSED, account_id, reason)
        mark = working_set.mark()
        try:
            paid = None if account_id is None else self._cover(order, reason)
        except Refusal:
            # The merchant's own account takes nothing at present: there is nobody to pay.
            working_set.rollback(mark)
            paid = None
        if paid is not None:
            return self._record(OfflineOutcome.COVERED, reason, paid, account_id)
        if order.state in AWAITED_STATES:
            order = move(working_set, order.order_id, OrderState.CLOSED)
        return self._record(OfflineOutcome.LOST, reason, order, account_id)

    def _cover(self, order: OrderRow, reason: str) -> OrderRow | None:
        """Pay in the payer's place, if that is the bank's to bear.

        Raises:
            Refusal: of the posting.
        """
        working_set, item, offline = self._working_set, self._item, self._offline
        currency_code = order.currency_code
        _, month = self._budgets()
        shop = item.merchant_key
        most = offline.covered_merchant_day_minor_units.get(currency_code, 0)
        budgets = (
            (
                working_set.get(BUDGET, month),
                offline.covered_customer_month_minor_units.get(currency_code, 0),
            ),
            (
                working_set.get(BUDGET, shop),
                0 if self._agreed is None else self._agreed.budget(most),
            ),
        )
        reasons = offline.covered_reasons
        if not model.is_covered(reason, order.amount, reasons=reasons, budgets=budgets):
            return None
        _use(working_set, month, order.amount)
        _use(working_set, shop, order.amount)
        loss_id = ensure_system_account(working_set, currency_code, OPERATIONAL_LOSS)
        return self._pay(order, loss_id)

    def _pay(self, order: OrderRow, account_id: AccountId) -> OrderRow:
        """Move the money; it counts from when the code was scanned."""
        now_us = self._working_set.now_us
        effective_at_us = min(self._item.stored.accepted_at_us, now_us)
        order, _ = pay(
            self._working_set,
            order,
            account_id,
            self._item.transaction_id,
            effective_at_us=effective_at_us,
        )
        return order

    def _count_wrong_try(self) -> None:
        code = self._item.scan.code
        if code is not None and self._working_set.get(PAYER_CODE, code.handle) is not None:
            self._working_set.edit(PAYER_CODE, code.handle).wrong_count += 1

    def _note(
        self,
        order: OrderRow,
        outcome: AttemptOutcome,
        account_id: AccountId | None,
        reason: str = "",
    ) -> None:
        """Keep the attempt."""
        at_us = self._working_set.next_stamp()
        row = AttemptRow(order.order_id, at_us, outcome, reason, account_id)
        self._working_set.append(ATTEMPT, row)

    def _record(
        self,
        outcome: OfflineOutcome,
        reason: str,
        order: OrderRow | None,
        account_id: AccountId | None = None,
    ) -> OfflineSaleRow:
        """Take down what became of the sale, and tell it by an event."""
        working_set, stored = self._working_set, self._item.stored
        is_paid = outcome in {OfflineOutcome.PAID, OfflineOutcome.COVERED}
        row = OfflineSaleRow(
            key_id=stored.key_id,
            sequence=stored.sequence,
            terminal_id=stored.terminal_id,
            merchant_id=self._merchant.merchant_id,
            order_number=stored.order_number,
            amount=stored.amount,
            currency_code=stored.currency_code,
            accepted_at_us=stored.accepted_at_us,
            digest=stored.digest,
            outcome=outcome,
            reason=reason,
            order_id=None if order is None else order.order_id,
            transaction_id=self._item.transaction_id if is_paid else None,
            account_id=account_id,
            recorded_at_us=working_set.next_stamp(),
        )
        working_set.insert(OFFLINE_SALE, self._item.address, row)
        payload = encode.recorded(row)
        working_set.emit(Event(_RECORDED, row.terminal_id, 0, row.recorded_at_us, payload, payload))
        return row


def _payer_keys(item: Forwarded, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
    """Name the payer's device and its owner, the budgets, then the account."""
    code = item.scan.code
    found = None if code is None else working_set.get(CODE_OWNER, code.handle)
    if code is None or found is None:
        return
    if stage == STAGE_POINTER:
        yield RowKey(SECURITY, found.customer_id)
    elif stage == STAGE_LINK:
        yield RowKey(PAYER_CODE, code.handle)
        for key in item.payer_keys(found.customer_id):
            yield RowKey(BUDGET, key)
    row = working_set.get(PAYER_CODE, code.handle)
    if item.guard is not None and row is not None:
        yield from item.guard.keys(
            working_set,
            stage,
            payer_id=row.account_id,
            merchant_id=item.sale.merchant_id,
            terminal_id=item.sale.terminal_id,
            device_id=row.device_id,
        )
    if stage == STAGE_ACCOUNT:
        yield RowKey(DEVICE, found.device_id)
        if row is not None:
            yield RowKey(ACCOUNT, row.account_id)
            yield from enforce.keys(stage, payer_id=row.account_id)


def _use(working_set: WorkingSet, key: BudgetKey, amount: int) -> None:
    """Count an amount in a budget."""
    if working_set.get(BUDGET, key) is None:
        working_set.insert(BUDGET, key, BudgetRow(*key, 0, 0))
    row = working_set.edit(BUDGET, key)
    row.used_count += 1
    row.used_amount += amount
