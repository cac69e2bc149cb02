"""What merchants pay for payments: booked with each, and returned with its refunds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.engine.command import RowKey
from longmen_server.ledger.chart import FEE_INCOME, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.plans.model import in_force
from longmen_server.plans.tables import PLAN, PLANS
from longmen_server.platform.clock import business_date
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.payments.model import OrderRow
    from longmen_server.plans.model import PlanRow
    from longmen_server.platform.ids import MerchantId, PlanId, TransactionId

__all__ = ["charge", "check_shortfall", "fee_keys", "fee_to_return", "plan_of", "return_fee"]


def plan_of(working_set: WorkingSet, merchant_id: MerchantId) -> PlanId | None:
    """Return the plan that a sale of now is under; None for a merchant without one."""
    plans = working_set.get(PLANS, merchant_id) or ()
    found = in_force(plans, business_date(working_set.now_us))
    return None if found is None else found.plan_id


def fee_keys(
    working_set: WorkingSet, plan_id: PlanId | None, currency_code: str
) -> Iterable[RowKey]:
    """Name what a fee needs of the stage of accounts; nothing for orders without a plan."""
    if plan_id is not None:
        yield RowKey(PLAN, plan_id)
        yield RowKey(ACCOUNT, system_account_id(working_set.book, currency_code, FEE_INCOME))


def charge(
    working_set: WorkingSet,
    order: OrderRow,
    paid: int,
    transaction_id: TransactionId,
    *,
    ordinal: int,
) -> int:
    """Take the fee of a payment from the merchant, if there is one, and return it.

    Args:
        working_set: of the command that has booked the payment.
        order: as it stood before; what it was charged already is not charged again.
        paid: what the merchant got for the order so far, this payment included.
        transaction_id: of the payment.
        ordinal: of the fee's posting in it.

    Raises:
        Refusal: of the posting.
    """
    plan = _plan(working_set, order)
    fee = 0 if plan is None else plan.fee(paid) - order.fee
    if fee <= 0:
        return 0
    book_posting(
        working_set,
        PostingIntent(
            transaction_id=transaction_id,
            ordinal=ordinal,
            debit_account_id=order.account_id,
            credit_account_id=ensure_system_account(working_set, order.currency_code, FEE_INCOME),
            currency_code=order.currency_code,
            amount=fee,
            code=PostingCode.MERCHANT_FEE,
            reference=order.order_number,
        ),
    )
    return fee


def fee_to_return(working_set: WorkingSet, order: OrderRow, amount: int, *, whole: bool) -> int:
    """Return what of an order's fee goes back with a refund of an amount.

    A reversal undoes the sale as a whole, and its fee with it.
    """
    plan = _plan(working_set, order)
    if plan is None or not order.fee:
        return 0
    if whole:
        return order.fee - order.fee_returned
    return plan.fee_to_return(
        fee=order.fee,
        returned=order.fee_returned,
        refunded=order.refunded + amount,
        paid=order.paid,
    )


def return_fee(
    working_set: WorkingSet, order: OrderRow, fee: int, transaction_id: TransactionId
) -> None:
    """Give a fee back to the merchant, in the transaction of the refund."""
    if not fee:
        return
    book_posting(
        working_set,
        PostingIntent(
            transaction_id=transaction_id,
            ordinal=1,
            debit_account_id=system_account_id(working_set.book, order.currency_code, FEE_INCOME),
            credit_account_id=order.account_id,
            currency_code=order.currency_code,
            amount=fee,
            code=PostingCode.FEE_RETURN,
            reference=order.order_number,
        ),
    )


def check_shortfall(working_set: WorkingSet, order: OrderRow, amount: int, fee: int) -> None:
    """Refuse a refund that takes the merchant further below zero than its plan allows.

    Args:
        working_set: of the command.
        order: whose money goes back.
        amount: of the refund.
        fee: that the merchant gets back with it.

    Raises:
        Refusal: INSUFFICIENT_FUNDS.
    """
    account = working_set.get(ACCOUNT, order.account_id)
    plan = _plan(working_set, order)
    limit = 0 if plan is None else plan.negative_limit_minor_units
    if account is not None and account.available + fee - amount < -limit:
        raise Refusal(
            "INSUFFICIENT_FUNDS",
            "the merchant does not have enough for the refund",
            metadata={
                "available_minor_units": str(account.available),
                "currency_code": account.currency_code,
            },
        )


def _plan(working_set: WorkingSet, order: OrderRow) -> PlanRow | None:
    if order.plan_id is None:
        return None
    plan = working_set.get(PLAN, order.plan_id)
    assert plan is not None, "whoever moves an order's money names its plan: see fee_keys"
    return plan
