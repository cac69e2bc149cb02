"""Paying somebody else in another currency: offered with rate and fee, then paid at once. Pure.

The payee is another customer, or a beneficiary abroad, who is paid by the bank's correspondent in
the currency: the money goes to what is owed to beneficiaries there, under the reference by which
the bank's gateway knows the beneficiary. Names and account numbers of beneficiaries stay with the
gateway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen_server.challenges.model import Intent, Operation, stronger
from longmen_server.conversions import encode, model
from longmen_server.conversions.commands import CreateQuote, ExecuteQuote, convert
from longmen_server.conversions.pricing import price
from longmen_server.conversions.tables import QUOTE
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.fxrates.commands import version_now
from longmen_server.ledger.chart import CORRESPONDENT, CUSTOMER_DEPOSITS, system_account_id
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import enforce
from longmen_server.limits.asking import asker_of
from longmen_server.limits.movement import Movement, MovementKind
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.guard import judge, settle
from longmen_server.transfers.commands import (
    find_wallet_account,
    payee_currency_unavailable,
    payee_not_found,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from longmen_server.accounts.model import Actor
    from longmen_server.conversions.model import ConversionRow, QuoteRow
    from longmen_server.conversions.pricing import Asked
    from longmen_server.engine.command import RequestKey, RowKey
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId

__all__ = ["PayAbroad", "QuoteAbroad"]


def find_payer(working_set: WorkingSet, account_id: AccountId, actor: Actor) -> AccountRow:
    """Return the account that is charged, which the actor may use.

    Raises:
        Refusal: ACCOUNT_NOT_FOUND.
    """
    row = working_set.get(ACCOUNT, account_id)
    if row is None:
        raise account_not_found(account_id)
    return find_wallet_account(working_set, account_id, row.currency_code, actor)


def check_payee(
    working_set: WorkingSet, payer: AccountRow, payee_id: AccountId, currency_code: str
) -> bool:
    """Refuse who cannot be paid; return whether it is the correspondent.

    Raises:
        Refusal: PAYEE_NOT_FOUND, PAYEE_CURRENCY_UNAVAILABLE, FX_PAYEE_IS_PAYER.
    """
    if payee_id == system_account_id(working_set.book, currency_code, CORRESPONDENT):
        return True
    payee = working_set.get(ACCOUNT, payee_id)
    if payee is None or payee.chart_code != CUSTOMER_DEPOSITS:
        raise payee_not_found()
    if payee.currency_code != currency_code:
        raise payee_currency_unavailable(currency_code)
    if payee.owner_id == payer.owner_id:
        raise model.payee_is_payer()
    return False


def offer_abroad(
    working_set: WorkingSet, asked: Asked, currency_code: str, actor: Actor
) -> QuoteRow:
    """Return what paying somebody would be now.

    Raises:
        Refusal: of the accounts, and as every offer.
    """
    payer = find_payer(working_set, asked.from_account_id, actor)
    check_payee(working_set, payer, asked.to_account_id, currency_code)
    return price(
        working_set,
        asked,
        payer,
        (asked.to_account_id, currency_code),
        surcharge_basis_points=version_now(working_set).abroad_fee_basis_points,
    )


class QuoteAbroad(CreateQuote):
    """Offer to pay somebody in another currency."""

    __slots__ = ("target_currency",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        asked: Asked,
        target_currency: str,
        actor: Actor,
    ) -> None:
        super().__init__(book, request, asked=asked, actor=actor)
        self.target_currency = target_currency

    def decide(self, working_set: WorkingSet) -> bytes:
        """Offer it."""
        row = offer_abroad(working_set, self.asked, self.target_currency, self.actor)
        working_set.insert(QUOTE, row.quote_id, row)
        return pb.QuoteAbroadResponse(
            quote=encode.quote(row, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class PayAbroad(ExecuteQuote):
    """Pay what was offered."""

    __slots__ = ("reference",)

    reply_type = pb.PayAbroadResponse

    def __init__(self, book: int, request: RequestKey | None, *, reference: str, **of: Any) -> None:
        super().__init__(book, request, **of)
        self.reference = reference
        """Of the beneficiary, at the bank's gateway; empty for another customer."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the payee too, whom the quote tells."""
        yield from super().keys(working_set, stage)
        quote = working_set.get(QUOTE, self.quote_id)
        if stage == STAGE_ACCOUNT and self.gate is not None and quote is not None:
            yield self.gate.payee_key(quote.to_account_id)

    def offer_anew(self, working_set: WorkingSet, asked: Asked) -> QuoteRow:
        """Return the same payment at the price of the moment."""
        return offer_abroad(working_set, asked, self.target[1], self.actor)

    def exchange(self, working_set: WorkingSet, quote: QuoteRow) -> tuple[ConversionRow, int]:
        """Check payer and payee, demand approval, book; return the conversion and what is left."""
        payer = find_payer(working_set, quote.from_account_id, self.actor)
        leaves = check_payee(working_set, payer, quote.to_account_id, quote.target_currency)
        if leaves != bool(self.reference):
            raise Refusal(
                "FX_REFERENCE_NEEDED",
                "a beneficiary abroad has a reference, and nobody else",
                metadata={"needed": str(leaves).lower()},
                field="reference",
            )
        if leaves:
            ensure_system_account(working_set, quote.target_currency, CORRESPONDENT)
        movement = Movement(
            kind=MovementKind.PAYMENT_ABROAD,
            asker=asker_of(working_set, self.actor, self.gate),
            transaction_id=self.transaction_id,
            amount=quote.source,
            currency_code=quote.source_currency,
            payer_id=payer.account_id,
            payee_id=None if leaves else quote.to_account_id,
            customer_id=payer.owner_id,
            payee_amount=quote.target,
        )
        verdict = judge(working_set, self.guard, movement)
        least = stronger(enforce.reserve(working_set, movement), verdict.least)
        if self.gate is not None:
            self.gate.demand(working_set, of_payment_abroad(quote, self.reference), least)
        row, outcome = convert(
            working_set,
            quote,
            self.conversion_id,
            self.transaction_id,
            abroad=True,
            reference=self.reference or None,
        )
        settle(working_set, verdict)
        return row, outcome.debit.available


def of_payment_abroad(quote: QuoteRow, reference: str) -> Intent:
    """Return what paying somebody in another currency is: the text an approval is bound to."""
    payee = f"abroad ({reference})" if reference else ACCOUNT_TEXT.encode(quote.to_account_id)
    pays = Money(quote.source, quote.source_currency)
    gets = Money(quote.target, quote.target_currency)
    payer = ACCOUNT_TEXT.encode(quote.from_account_id)
    return Intent(
        operation=Operation.TRANSFER,
        text=f"Pay {gets} to {payee} for {pays} from {payer}.",
        amount=quote.source,
        currency_code=quote.source_currency,
        payee=payee,
        payee_id=None if reference else quote.to_account_id,
    )
