"""One movement that nobody makes: judged by the code that judges, and nothing of it is left.

The command goes through the engine like any other, so that it sees what a payment at that moment
would see; it undoes in its own decision whatever the guard and the limits have done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import factor_pb2
from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.challenges.cooling import check_cooling, cooling_device
from longmen_server.challenges.gate import decision_for
from longmen_server.challenges.model import (
    NOTHING,
    Decision,
    Intent,
    KnownPayeeKey,
    Operation,
    is_enough,
    stronger,
)
from longmen_server.challenges.policy import load_policy
from longmen_server.challenges.tables import KNOWN_PAYEE
from longmen_server.engine.command import Command, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.factors.model import kinds_of
from longmen_server.factors.tables import SECURITY
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.encode import reason_value
from longmen_server.ledger.model import check_debit, check_limits, check_states
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import encode as limits_encode
from longmen_server.limits import enforce
from longmen_server.limits.movement import Asker, Channel, Movement, MovementKind
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import AccountId, TransactionId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import CustomerId, DeviceId, MerchantId, TerminalId
    from longmen_server.risk.guard import Guard, Verdict

__all__ = ["Act", "Simulate"]

NO_TRANSACTION: Final = TransactionId(bytes(16))
OPERATIONS: Final = {
    MovementKind.TRANSFER: Operation.TRANSFER,
    MovementKind.WITHDRAWAL: Operation.WITHDRAWAL,
    MovementKind.PAYMENT: Operation.PURCHASE,
    MovementKind.STATIC_CODE_PAYMENT: Operation.PURCHASE,
    MovementKind.PAYER_CODE_PAYMENT: Operation.PURCHASE,
    MovementKind.CONVERSION: Operation.CONVERSION,
    MovementKind.PAYMENT_ABROAD: Operation.TRANSFER,
}
"""What is approved of a movement. Charges of mandates were approved with the mandate."""
_NOT_THERE: Final = frozenset({"appeal_reference"})
"""Metadata of refusals that names what a simulation does not leave behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What would be asked for."""

    kind: MovementKind
    payer_id: AccountId
    customer_id: CustomerId
    """Whose account the payer's is."""
    amount: int
    currency_code: str
    channel: Channel
    payee_id: AccountId | None = None
    merchant_id: MerchantId | None = None
    device_id: DeviceId | None = None
    terminal_id: TerminalId | None = None
    approved: int | None = None
    """Bits of the kinds of factors that would have approved it; None asks what has to."""


class Simulate(Command):
    """Say what would become of a movement."""

    __slots__ = ("act", "guard")

    def __init__(self, book: int, *, act: Act, guard: Guard) -> None:
        super().__init__(book, None)
        self.act = act
        self.guard = guard

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the commands that make such movements name."""
        act = self.act
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, act.customer_id)
        elif stage == STAGE_LINK and act.payee_id is not None:
            yield RowKey(KNOWN_PAYEE, KnownPayeeKey(act.customer_id, act.payee_id))
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, act.payer_id)
            if act.payee_id is not None:
                yield RowKey(ACCOUNT, act.payee_id)
        yield from enforce.keys(stage, payer_id=act.payer_id, payee_id=act.payee_id)
        yield from self.guard.keys(
            working_set,
            stage,
            payer_id=act.payer_id,
            payee_id=act.payee_id,
            merchant_id=act.merchant_id,
            terminal_id=act.terminal_id,
            device_id=act.device_id,
        )

    def decide(self, working_set: WorkingSet) -> bytes:
        """Judge it, and undo everything."""
        mark = working_set.mark()
        try:
            return self._judged(working_set).SerializeToString()
        finally:
            working_set.rollback(mark)
            working_set.aside.pop(self.guard.decision_id, None)

    def _judged(self, working_set: WorkingSet) -> pb.SimulateTransactionResponse:
        movement = self._movement(working_set)
        limited = movement
        if movement.kind == MovementKind.CONVERSION:
            # What would arrive depends on a rate that nobody has asked for.
            limited = replace(movement, payee_id=None)
        found = enforce.assess(working_set, limited)
        reply = pb.SimulateTransactionResponse()
        if found is not None:
            currency, day = movement.currency_code, found.today.day
            reply.limits.extend(
                limits_encode.limit(one, found.pack, currency, day) for one in found.findings
            )
            if found.binding is not None:
                binding = limits_encode.limit(found.binding, found.pack, currency, day)
                reply.binding_limit.CopyFrom(binding)
        needed = NOTHING
        try:
            verdict = self.guard.judge(working_set, movement)
            least = enforce.reserve(working_set, verdict.held(limited))
            needed = stronger(least, verdict.least)
        except Refusal as refusal:
            reply.reason = reason_value(refusal.reason)
            told = {k: v for k, v in refusal.metadata.items() if k not in _NOT_THERE}
            reply.reason_metadata.update(told)
        else:
            reply.allowed = True
        reply.factors_needed = needed.factors
        reply.methods.extend(_kinds(needed.methods))
        self._add_approval(working_set, reply, needed)
        self._add_ledger(working_set, reply)
        reply.would_be_made = (
            reply.allowed and not reply.approval_reason and not reply.ledger_reason
        )
        self._add_decision(working_set, reply)
        return reply

    def _add_approval(
        self, working_set: WorkingSet, reply: pb.SimulateTransactionResponse, least: Decision
    ) -> None:
        """Add what a customer would be asked for, by the policy that asks."""
        act = self.act
        operation = OPERATIONS.get(act.kind)
        if act.channel == Channel.BANK or operation is None:
            return  # the channel answers for its customers; a mandate was approved once
        intent = Intent(
            operation=operation,
            text="",
            amount=act.amount,
            currency_code=act.currency_code,
            payee_id=act.payee_id,
        )
        policy = load_policy()
        known = act.payee_id is not None and (
            working_set.get(KNOWN_PAYEE, KnownPayeeKey(act.customer_id, act.payee_id)) is not None
        )
        try:
            check_cooling(working_set, act.device_id, intent, policy)
            if act.approved is not None:
                version = policy.at(business_date(working_set.now_us))
                demanded = version.decide(intent, is_known=known, exempt_count=0)
                if is_enough(act.approved, stronger(demanded, least).factors):
                    return
            needed = decision_for(
                working_set,
                act.customer_id,
                intent,
                policy,
                is_known=known,
                by_message=cooling_device(working_set, act.device_id) is None,
                least=least,
            )
        except Refusal as refusal:
            reply.approval_reason = reason_value(refusal.reason)
            reply.approval_metadata.update(refusal.metadata)
            return
        reply.approval_factors = needed.factors
        reply.approval_methods.extend(_kinds(needed.methods))

    def _add_ledger(self, working_set: WorkingSet, reply: pb.SimulateTransactionResponse) -> None:
        """Add what the ledger would say, whatever comes before it."""
        act = self.act
        payer = working_set.get(ACCOUNT, act.payer_id)
        payee = None if act.payee_id is None else working_set.get(ACCOUNT, act.payee_id)
        assert payer is not None, "the movement was made of it"
        try:
            if payee is None or payee.currency_code != payer.currency_code:
                check_debit(payer, act.amount)
            else:
                check_states(payer, payee)
                check_limits(payer, payee, act.amount)
        except Refusal as refusal:
            reply.ledger_reason = reason_value(refusal.reason)
            reply.ledger_metadata.update(refusal.metadata)

    def _movement(self, working_set: WorkingSet) -> Movement:
        """Return the movement, whose accounts are there.

        Raises:
            Refusal: ACCOUNT_NOT_FOUND.
        """
        act = self.act
        payer = working_set.get(ACCOUNT, act.payer_id)
        if payer is None or payer.chart_code != CUSTOMER_DEPOSITS:
            raise account_not_found(act.payer_id)
        is_own = act.kind in {MovementKind.WITHDRAWAL, MovementKind.CONVERSION}
        if act.payee_id is not None:
            payee = working_set.get(ACCOUNT, act.payee_id)
            if payee is None or payee.chart_code != CUSTOMER_DEPOSITS:
                raise account_not_found(act.payee_id)
            is_own = is_own or payee.owner_id == payer.owner_id
        return Movement(
            kind=act.kind,
            asker=Asker(
                act.channel,
                act.device_id,
                act.approved,
                self.guard.address,
                in_session=self.guard.in_session,
            ),
            transaction_id=NO_TRANSACTION,
            amount=act.amount,
            currency_code=act.currency_code,
            payer_id=act.payer_id,
            payee_id=act.payee_id,
            customer_id=act.customer_id,
            is_own=is_own,
            merchant_id=act.merchant_id,
            terminal_id=act.terminal_id,
        )

    def _add_decision(self, working_set: WorkingSet, reply: pb.SimulateTransactionResponse) -> None:
        """Add what was decided, unless a freeze came before; its ids are of nothing."""
        verdict: Verdict | None = working_set.aside.get(self.guard.decision_id)
        if verdict is None or verdict.row is None:
            return
        decision = encode.decision(verdict.row, self.act.customer_id, for_bank=True)
        decision.decision_id = decision.transaction_id = ""
        reply.decision.CopyFrom(decision)


def _kinds(methods: int) -> Iterable[factor_pb2.FactorKind.ValueType]:
    return (factor_pb2.FactorKind.ValueType(kind) for kind in kinds_of(methods))
