"""The command that pays a merchant's printed code: the order comes with its payment. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import payments_service_pb2 as pb
from longmen_server.challenges.model import stronger
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import MovementKind
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments import encode, fees
from longmen_server.payments.commands import (
    Sale,
    cover,
    find_merchant,
    movement_of,
    pay,
    register,
)
from longmen_server.payments.intents import of_purchase
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import guard_keys, judge, settle
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.auto_conversions.funding import AutoFunding
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.payments.scan import Scanned
    from longmen_server.platform.ids import AccountId, TransactionId
    from longmen_server.risk.guard import Guard

__all__ = ["PayStaticCode"]


class PayStaticCode(Command):
    """Pay a merchant's printed code: the order comes with its payment."""

    __slots__ = ("actor", "code", "funding", "gate", "guard", "payer_id", "sale", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        code: Scanned | Refusal,
        sale: Sale | None,
        payer_id: AccountId,
        actor: Actor,
        transaction_id: TransactionId,
        gate: Gate | None = None,
        guard: Guard | None = None,
        funding: AutoFunding | None = None,
    ) -> None:
        super().__init__(book, request)
        self.guard = guard
        self.funding = funding
        self.code = code
        self.sale = sale
        """None when the code cannot be read."""
        self.payer_id = payer_id
        self.actor = actor
        self.transaction_id = transaction_id
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant and the number, then both accounts."""
        sale = self.sale
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if sale is None:
            return
        yield from sale.keys(working_set, stage)
        yield from guard_keys(
            working_set, stage, self.guard, self.gate, payer_id=self.payer_id, bought=sale
        )
        if self.funding is not None:
            yield from self.funding.keys(
                working_set, stage, payer_id=self.payer_id, guard=self.guard
            )
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payer_id)
            yield from enforce.keys(stage, payer_id=self.payer_id)
            merchant = working_set.get(MERCHANT, sale.merchant_id)
            if merchant is not None:
                yield RowKey(ACCOUNT, merchant.account_id)
                plan_id = fees.plan_of(working_set, sale.merchant_id)
                yield from fees.fee_keys(working_set, plan_id, merchant.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register and pay at once."""
        code, sale = self.code, self.sale
        if isinstance(code, Refusal):
            raise code
        assert sale is not None, "a code that can be read has a sale"
        if code.order_id is not None:
            raise Refusal(
                "CODE_OF_ORDER",
                "the code is of one order, whose amount is fixed",
                metadata={"order_id": ORDER_TEXT.encode(code.order_id)},
                field="code",
            )
        payer = find_wallet_account(working_set, self.payer_id, sale.currency_code, self.actor)
        asker = asker_of(working_set, self.actor, self.gate)
        kind = MovementKind.STATIC_CODE_PAYMENT
        movement = movement_of(kind, sale, payer, asker, self.transaction_id)
        covered = cover(working_set, self.funding, self.guard, payer, movement)
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if covered is not None:
            least = stronger(least, covered.least)
        merchant = find_merchant(working_set, sale.merchant_id)
        if self.gate is not None:
            self.gate.demand(
                working_set,
                of_purchase(sale.merchant_id, self.payer_id, sale.amount, sale.currency_code),
                least,
            )
        order = register(working_set, sale, merchant)
        paid, outcome = pay(working_set, order, self.payer_id, self.transaction_id)
        settle(working_set, verdict)
        return pb.PayStaticCodeResponse(
            payment=encode.payment(paid),
            available_minor_units=outcome.debit.available,
            auto_conversion=None if covered is None else covered.message(),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind, and what was decided."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)
        if self.guard is not None:
            self.guard.refused(working_set, refusal)
        if self.funding is not None:
            self.funding.refused(working_set, refusal, self.transaction_id, self.guard)
