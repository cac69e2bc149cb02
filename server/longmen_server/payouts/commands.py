"""The commands of payouts: where merchants are paid, and each payout's way. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import payouts_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import BANK_CLEARING, MERCHANT_SETTLEMENT, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payouts import encode, model
from longmen_server.payouts.model import (
    Answer,
    PayoutAccountRow,
    PayoutAccountState,
    PayoutRow,
    PayoutState,
)
from longmen_server.payouts.tables import PAYOUT, PAYOUT_ACCOUNT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import (
        AccountId,
        MerchantId,
        PayoutAccountId,
        SettlementId,
        TransactionId,
    )

__all__ = [
    "DONE",
    "PASSED",
    "AnswerPayout",
    "BookPayout",
    "ConfirmPayoutAccount",
    "MarkPayoutsSent",
    "RegisterPayoutAccount",
    "begin_payout",
]

DONE: Final = b"done"
PASSED: Final = b"passed"
"""Somebody else was here before."""


def begin_payout(
    working_set: WorkingSet,
    settlement_id: SettlementId,
    *,
    merchant_id: MerchantId,
    account_id: AccountId,
    business_date: str,
    amount: int,
    currency_code: str,
) -> None:
    """Write down that a settlement is to be paid out, in the transaction that settles it."""
    at_us = working_set.next_stamp()
    row = PayoutRow(
        settlement_id=settlement_id,
        merchant_id=merchant_id,
        account_id=account_id,
        business_date=business_date,
        amount=amount,
        currency_code=currency_code,
        state=PayoutState.WAITING,
        payout_account_id=None,
        sealed=None,
        tail="",
        transaction_id=None,
        return_transaction_id=None,
        clearing_code="",
        created_at_us=at_us,
        updated_at_us=at_us,
    )
    working_set.insert(PAYOUT, settlement_id, row)
    _tell(working_set, row)


class _AccountCommand(Command):
    """A change of where a merchant is paid."""

    __slots__ = ("merchant_id", "payout_account_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        payout_account_id: PayoutAccountId,
    ) -> None:
        super().__init__(book, request)
        self.merchant_id = merchant_id
        self.payout_account_id = payout_account_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant and where it is paid."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.merchant_id)
        elif stage == STAGE_LINK:
            yield RowKey(PAYOUT_ACCOUNT, self.merchant_id)

    def check(self, working_set: WorkingSet) -> None:
        """Refuse a merchant that is not there.

        Raises:
            Refusal: MERCHANT_NOT_FOUND.
        """
        if working_set.get(MERCHANT, self.merchant_id) is None:
            raise merchant_not_found(self.merchant_id)


class RegisterPayoutAccount(_AccountCommand):
    """Take a bank account as the candidate to be paid on."""

    __slots__ = ("problem", "sealed", "tail")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        payout_account_id: PayoutAccountId,
        sealed: bytes,
        tail: str,
        problem: Refusal | None,
    ) -> None:
        """Take an account.

        Args:
            book: the merchant's.
            request: the request's key.
            merchant_id: whose it is.
            payout_account_id: of the candidate.
            sealed: its number.
            tail: as much of it as is shown.
            problem: why no clearing can pay to it; None where one can.
        """
        super().__init__(
            book, request, merchant_id=merchant_id, payout_account_id=payout_account_id
        )
        self.sealed = sealed
        self.tail = tail
        self.problem = problem

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it in the place of an earlier candidate."""
        self.check(working_set)
        if self.problem is not None:
            raise self.problem
        if working_set.get(PAYOUT_ACCOUNT, self.merchant_id) is None:
            empty = PayoutAccountRow(
                merchant_id=self.merchant_id,
                state=PayoutAccountState.NONE,
                account_id=None,
                sealed=None,
                tail="",
                clearing_code="",
                registered_at_us=0,
                candidate_id=None,
                candidate_sealed=None,
                candidate_tail="",
                candidate_at_us=0,
                updated_at_us=0,
            )
            working_set.insert(PAYOUT_ACCOUNT, self.merchant_id, empty)
        row = working_set.edit(PAYOUT_ACCOUNT, self.merchant_id)
        row.candidate_id = self.payout_account_id
        row.candidate_sealed = self.sealed
        row.candidate_tail = self.tail
        row.candidate_at_us = working_set.now_us
        _tell_account(working_set, row, self.payout_account_id, PayoutAccountState.CANDIDATE)
        return pb.RegisterPayoutAccountResponse(
            account=encode.candidate(row), committed_at=working_set.committed_at
        ).SerializeToString()


class ConfirmPayoutAccount(_AccountCommand):
    """Let settlements be paid to an account."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Put the candidate in the place of the account, or let a suspended one be paid again."""
        self.check(working_set)
        known, asked = working_set.get(PAYOUT_ACCOUNT, self.merchant_id), self.payout_account_id
        if known is None or asked not in {known.candidate_id, known.account_id}:
            raise model.payout_account_not_found(asked)
        if asked == known.account_id and known.state == PayoutAccountState.ACTIVE:
            raise model.payout_account_active(asked)
        row = working_set.edit(PAYOUT_ACCOUNT, self.merchant_id)
        row.state, row.clearing_code = PayoutAccountState.ACTIVE, ""
        if asked == row.candidate_id:
            row.account_id, row.sealed, row.tail = asked, row.candidate_sealed, row.candidate_tail
            row.registered_at_us = row.candidate_at_us
            row.candidate_id, row.candidate_sealed, row.candidate_tail = None, None, ""
            row.candidate_at_us = 0
        _tell_account(working_set, row, asked, PayoutAccountState.ACTIVE)
        return pb.ConfirmPayoutAccountResponse(
            account=encode.account(row), committed_at=working_set.committed_at
        ).SerializeToString()


class BookPayout(Command):
    """Book a payout that waits for an account, once there is one, and queue it for the clearing."""

    __slots__ = ("payout", "transaction_id")

    def __init__(self, book: int, payout: PayoutRow, *, transaction_id: TransactionId) -> None:
        super().__init__(book, None)
        self.payout = payout
        """As it was read: merchant, amount and currency never change."""
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name where the merchant is paid and the payout, then both of the bank's accounts."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(PAYOUT_ACCOUNT, self.payout.merchant_id)
            yield RowKey(PAYOUT, self.payout.settlement_id)
        elif stage == STAGE_ACCOUNT:
            yield from _bank_keys(self.book, self.payout.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book it unless that was done; return the reason if the ledger refuses."""
        known = working_set.get(PAYOUT, self.payout.settlement_id)
        target = working_set.get(PAYOUT_ACCOUNT, self.payout.merchant_id)
        ready = target is not None and target.state == PayoutAccountState.ACTIVE
        if known is None or known.state != PayoutState.WAITING or not ready or target is None:
            return PASSED
        mark = working_set.mark()
        clearing_id = ensure_system_account(working_set, known.currency_code, BANK_CLEARING)
        held_id = ensure_system_account(working_set, known.currency_code, MERCHANT_SETTLEMENT)
        intent = PostingIntent(
            transaction_id=self.transaction_id,
            debit_account_id=held_id,
            credit_account_id=clearing_id,
            currency_code=known.currency_code,
            amount=known.amount,
            code=PostingCode.PAYOUT,
            reference=known.business_date,
        )
        try:
            book_posting(working_set, intent)
        except Refusal as refusal:
            working_set.rollback(mark)
            return refusal.reason.encode()
        row = working_set.edit(PAYOUT, known.settlement_id)
        row.state = PayoutState.QUEUED
        row.payout_account_id, row.sealed = target.account_id, target.sealed
        row.tail = target.tail
        row.transaction_id = self.transaction_id
        row.updated_at_us = working_set.next_stamp()
        _tell(working_set, row)
        return DONE


class MarkPayoutsSent(Command):
    """Note that payouts were handed to the clearing."""

    __slots__ = ("settlement_ids",)

    def __init__(self, book: int, settlement_ids: Sequence[SettlementId]) -> None:
        super().__init__(book, None)
        self.settlement_ids = settlement_ids

    @property
    def weight(self) -> int:
        """One for each payout."""
        return len(self.settlement_ids)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the payouts."""
        del working_set
        if stage == STAGE_LINK:
            for settlement_id in self.settlement_ids:
                yield RowKey(PAYOUT, settlement_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Mark those that are still queued; an answer may have overtaken the mark."""
        for settlement_id in self.settlement_ids:
            known = working_set.get(PAYOUT, settlement_id)
            if known is not None and known.state == PayoutState.QUEUED:
                row = working_set.edit(PAYOUT, settlement_id)
                row.state = PayoutState.SENT
                row.updated_at_us = working_set.next_stamp()
                _tell(working_set, row)
        return DONE


class AnswerPayout(Command):
    """Do what the clearing's answer to a payout demands."""

    __slots__ = ("answer", "code", "payout", "transaction_id")

    def __init__(
        self,
        book: int,
        payout: PayoutRow,
        *,
        answer: Answer,
        code: str,
        transaction_id: TransactionId,
    ) -> None:
        """Take an answer.

        Args:
            book: the payout's.
            payout: as it was read: merchant, amount and currency never change.
            answer: of the clearing.
            code: why it was refused or returned, in the clearing's words.
            transaction_id: of the return in the ledger, if there will be one.
        """
        super().__init__(book, None)
        self.payout = payout
        self.answer = answer
        self.code = code
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name where the merchant is paid and the payout, then the accounts of a return."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(PAYOUT_ACCOUNT, self.payout.merchant_id)
            yield RowKey(PAYOUT, self.payout.settlement_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.payout.account_id)
            yield from _bank_keys(self.book, self.payout.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Settle it: the same answer again changes nothing."""
        known = working_set.get(PAYOUT, self.payout.settlement_id)
        assert known is not None, "answers are matched with payouts that are there"
        after = model.state_after(known.state, self.answer)
        if after == known.state:
            return PayoutState(known.state).name.encode()
        row = working_set.edit(PAYOUT, known.settlement_id)
        row.state = after
        if after == PayoutState.RETURNED:
            row.clearing_code = self.code
            row.return_transaction_id = self.transaction_id
            self._give_back(working_set, row)
            self._suspend(working_set, row)
        row.updated_at_us = working_set.next_stamp()
        _tell(working_set, row)
        return after.name.encode()

    def _give_back(self, working_set: WorkingSet, row: PayoutRow) -> None:
        """Owe the merchant the money again; keep it with the bank where its account is closed.

        Raises:
            Refusal: of the posting, if the bank's own account takes nothing either.
        """
        mark = working_set.mark()
        try:
            self._book(working_set, row, row.account_id)
        except Refusal:
            working_set.rollback(mark)
            held_id = ensure_system_account(working_set, row.currency_code, MERCHANT_SETTLEMENT)
            self._book(working_set, row, held_id)

    def _book(self, working_set: WorkingSet, row: PayoutRow, account_id: AccountId) -> None:
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.transaction_id,
                debit_account_id=system_account_id(self.book, row.currency_code, BANK_CLEARING),
                credit_account_id=account_id,
                currency_code=row.currency_code,
                amount=row.amount,
                code=PostingCode.PAYOUT_RETURN,
                reference=row.business_date,
            ),
        )

    def _suspend(self, working_set: WorkingSet, row: PayoutRow) -> None:
        """Let nothing more go to an account that gave a payout back."""
        target = working_set.get(PAYOUT_ACCOUNT, row.merchant_id)
        active = target is not None and target.state == PayoutAccountState.ACTIVE
        if target is None or not active or target.account_id != row.payout_account_id:
            return
        target = working_set.edit(PAYOUT_ACCOUNT, row.merchant_id)
        target.state, target.clearing_code = PayoutAccountState.SUSPENDED, self.code
        assert target.account_id is not None, "an active account has an id"
        _tell_account(working_set, target, target.account_id, PayoutAccountState.SUSPENDED)


def _bank_keys(book: int, currency_code: str) -> Iterable[RowKey]:
    yield RowKey(ACCOUNT, system_account_id(book, currency_code, BANK_CLEARING))
    yield RowKey(ACCOUNT, system_account_id(book, currency_code, MERCHANT_SETTLEMENT))


def _tell(working_set: WorkingSet, row: PayoutRow) -> None:
    """Tell by an event what became of a payout, at the time it says."""
    payload, kind = encode.change(row), event_pb2.EVENT_TYPE_PAYOUT_CHANGED
    working_set.emit(Event(kind, row.settlement_id, 0, row.updated_at_us, payload, payload))


def _tell_account(
    working_set: WorkingSet,
    row: PayoutAccountRow,
    account_id: PayoutAccountId,
    state: PayoutAccountState,
) -> None:
    """Tell by an event what became of a bank account."""
    row.updated_at_us = working_set.next_stamp()
    payload, kind = (
        encode.account_change(row, account_id, state),
        event_pb2.EVENT_TYPE_PAYOUT_ACCOUNT_CHANGED,
    )
    working_set.emit(Event(kind, row.merchant_id, 0, row.updated_at_us, payload, payload))
