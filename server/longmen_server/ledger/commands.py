"""The ledger's commands: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER, STAGE_RECORD
from longmen_server.engine.journal import Event
from longmen_server.ledger import encode, model
from longmen_server.ledger.existing import (
    answer_chosen_id,
    answer_chosen_transaction,
    remember_refusal,
)
from longmen_server.ledger.model import AccountRow, PostingIntent, PostingKind, PostingOutcome
from longmen_server.ledger.posting import book_posting, enter_state
from longmen_server.ledger.tables import (
    ACCOUNT,
    CHOSEN_POSTINGS,
    EXISTING,
    HOLD,
    POSTED,
    REFUSED,
    REVERSAL,
    TRANSACTION_POSTINGS,
)
from longmen_server.ledger.watching import hold_keys
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import ORDINAL_MAXIMUM, AccountId, TransactionId, book_of
from longmen_server.platform.ids import TRANSACTION as TRANSACTION_TEXT
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from longmen.ledger.v1 import account_pb2, transaction_pb2
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import PostingRow

    Results = RepeatedCompositeFieldContainer[transaction_pb2.TransferResult]

_ACCOUNT_OPENED = event_pb2.EVENT_TYPE_ACCOUNT_OPENED


class PostingCommand(Command):
    """A command that books intents: it needs their accounts, and the holds they are about."""

    __slots__ = ("intents",)

    def __init__(
        self, book: int, request: RequestKey | None, intents: Sequence[PostingIntent]
    ) -> None:
        super().__init__(book, request)
        self.intents = intents

    @property
    def weight(self) -> int:
        """One for each posting."""
        return len(self.intents)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name holds first, then the accounts of the intents and of the holds."""
        if stage == STAGE_ACCOUNT:
            yield from self._account_keys(working_set)
        elif stage == STAGE_POINTER:
            for intent in self.intents:
                if intent.pending is not None:
                    yield RowKey(HOLD, intent.pending)
        elif stage == STAGE_RECORD:
            yield from self.record_keys()

    def _account_keys(self, working_set: WorkingSet) -> Iterable[RowKey]:
        for intent in self.intents:
            if intent.pending is None:
                yield RowKey(ACCOUNT, intent.debit_account_id)
                yield RowKey(ACCOUNT, intent.credit_account_id)
                continue
            hold = working_set.get(HOLD, intent.pending)
            if hold is not None:
                yield RowKey(ACCOUNT, hold.debit_account_id)
                yield RowKey(ACCOUNT, hold.credit_account_id)
                yield from hold_keys(hold)

    def record_keys(self) -> Iterable[RowKey]:
        """Name what tells a posting that was never pending from one that does not exist."""
        for intent in self.intents:
            if intent.pending is not None:
                yield RowKey(POSTED, intent.pending)


class CreateTransfers(PostingCommand):
    """Many transfers, each with a result of its own; linked ones all or none."""

    __slots__ = ("chosen", "linked")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        intents: Sequence[PostingIntent],
        *,
        chosen: Sequence[bool],
        linked: Sequence[bool],
    ) -> None:
        super().__init__(book, request, intents)
        self.chosen = chosen
        self.linked = linked

    def record_keys(self) -> Iterable[RowKey]:
        """Name, for ids that callers chose, what became of them before."""
        yield from super().record_keys()
        for intent, chosen in zip(self.intents, self.chosen, strict=True):
            if chosen:
                yield RowKey(EXISTING, intent.transaction_id)
                yield RowKey(REFUSED, intent.transaction_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book chain after chain."""
        response = pb.CreateTransfersResponse(committed_at=working_set.committed_at)
        results = response.results
        count = len(self.intents)
        first = 0
        while first < count:
            last = first
            while last < count - 1 and self.linked[last]:
                last += 1
            if self.linked[last]:
                results.extend(self._open_chain(working_set, first, last))
            else:
                self._chain(working_set, results, first, last)
            first = last + 1
        return response.SerializeToString()

    def _chain(self, working_set: WorkingSet, results: Results, first: int, last: int) -> None:
        """Book the transfers of one chain, usually a single one."""
        mark = working_set.mark()
        for index in range(first, last + 1):
            try:
                self._one(working_set, index, results)
            except Refusal as refusal:
                working_set.rollback(mark)
                del results[first:]
                results.extend(self._refuse_chain(working_set, first, last, index, refusal))
                return

    def _one(self, working_set: WorkingSet, index: int, results: Results) -> None:
        intent = self.intents[index]
        chosen = self.chosen[index]
        if chosen:
            earlier = answer_chosen_id(working_set, intent)
            if earlier is not None:
                results.append(earlier)
                return
        outcomes = book_posting(working_set, intent)
        if chosen:
            working_set.insert(EXISTING, intent.transaction_id, outcomes[0].posting)
        encode.fill_created(results.add(), outcomes)

    def _refuse_chain(
        self, working_set: WorkingSet, first: int, last: int, failed: int, refusal: Refusal
    ) -> list[transaction_pb2.TransferResult]:
        results = []
        for index in range(first, last + 1):
            if index == failed:
                results.append(self._refuse(working_set, index, refusal))
                continue
            earlier = self._earlier(working_set, index)
            if earlier is not None:
                results.append(earlier)
                continue
            linked = Refusal(
                "LINKED_TRANSFER_FAILED",
                "another transfer of the chain was refused",
                metadata={"failed_index": str(failed)},
            )
            results.append(self._refuse(working_set, index, linked))
        return results

    def _earlier(
        self, working_set: WorkingSet, index: int
    ) -> transaction_pb2.TransferResult | None:
        """The result of a transfer of a failed chain that took effect before the chain came."""
        if not self.chosen[index]:
            return None
        try:
            return answer_chosen_id(working_set, self.intents[index])
        except Refusal:
            return None

    def _open_chain(
        self, working_set: WorkingSet, first: int, last: int
    ) -> list[transaction_pb2.TransferResult]:
        refusal = Refusal(
            "LINKED_CHAIN_OPEN",
            "the last transfer is linked to nothing",
            metadata={"index": str(last)},
        )
        return self._refuse_chain(working_set, first, last, last, refusal)

    def _refuse(
        self, working_set: WorkingSet, index: int, refusal: Refusal
    ) -> transaction_pb2.TransferResult:
        intent = self.intents[index]
        if self.chosen[index]:
            remember_refusal(working_set, intent.transaction_id, refusal)
        return encode.refused(intent.transaction_id, refusal)


class CreateTransaction(PostingCommand):
    """Several postings that happen together or not at all."""

    __slots__ = ("chosen", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        intents: Sequence[PostingIntent],
        *,
        transaction_id: TransactionId,
        chosen: bool,
    ) -> None:
        super().__init__(book, request, intents)
        self.transaction_id = transaction_id
        self.chosen = chosen

    def record_keys(self) -> Iterable[RowKey]:
        """Name, for an id the caller chose, what became of it before."""
        yield from super().record_keys()
        if self.chosen:
            yield RowKey(EXISTING, self.transaction_id)
            yield RowKey(CHOSEN_POSTINGS, self.transaction_id)
            yield RowKey(REFUSED, self.transaction_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book every posting; the first refusal undoes them all."""
        if self.chosen:
            earlier = answer_chosen_transaction(working_set, self.transaction_id, self.intents)
            if earlier is not None:
                return pb.CreateTransactionResponse(
                    transaction=encode.transaction([encode.posting(row) for row in earlier]),
                    balances=encode.balances_after_all(earlier),
                    committed_at=working_set.committed_at,
                ).SerializeToString()
        outcomes: list[PostingOutcome] = []
        for index, intent in enumerate(self.intents):
            try:
                # A final capture may add a posting, so ordinals are given as they are used.
                numbered = replace(intent, ordinal=len(outcomes))
                outcomes.extend(book_posting(working_set, numbered))
            except Refusal as refusal:
                refusal.metadata = {**refusal.metadata, "index": str(index)}
                raise
        if self.chosen:
            rows = [outcome.posting for outcome in outcomes]
            working_set.insert(EXISTING, self.transaction_id, rows[0])
            working_set.insert(CHOSEN_POSTINGS, self.transaction_id, rows)
        return pb.CreateTransactionResponse(
            transaction=_transaction(outcomes),
            balances=_balances(outcomes),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Keep a chosen id refused for ever."""
        if self.chosen:
            remember_refusal(working_set, self.transaction_id, refusal)


class CapturePending(PostingCommand):
    """Turn all or part of a hold into a final movement."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book the capture, and the void of the rest of a final one."""
        outcomes = book_posting(working_set, self.intents[0])
        result = encode.created(outcomes)
        pending = self.intents[0].pending
        assert pending is not None, "a capture is about a hold"
        hold = working_set.get(HOLD, pending)
        assert hold is not None, "the hold was just captured"
        return pb.CapturePendingResponse(
            result=result, hold=encode.hold(hold), committed_at=working_set.committed_at
        ).SerializeToString()


class VoidPending(PostingCommand):
    """Free what a hold has left."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book the void."""
        outcomes = book_posting(working_set, self.intents[0])
        hold = outcomes[0].hold
        assert hold is not None, "a void is about a hold"
        return pb.VoidPendingResponse(
            result=encode.created(outcomes),
            hold=encode.hold(hold),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class ExpireHolds(PostingCommand):
    """End holds whose time is up.

    A job of the server: it has no request, and the holds' states make it safe to repeat.
    """

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book an expiry for every hold still held and due; the reply is their number as text."""
        expired = 0
        for intent in self.intents:
            assert intent.pending is not None, "an expiry is about a hold"
            hold = working_set.get(HOLD, intent.pending)
            if hold is None or hold.state != model.HoldState.HELD:
                continue
            if hold.expires_at_us <= working_set.now_us:
                book_posting(working_set, intent)
                expired += 1
        return str(expired).encode()


class ReverseTransaction(Command):
    """Take a transaction back by an equal and opposite one."""

    __slots__ = ("description", "effective_at_us", "original_id", "reference", "reversal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        original_id: TransactionId,
        reversal_id: TransactionId,
        effective_at_us: int | None = None,
        reference: str | None = None,
        description: str | None = None,
    ) -> None:
        super().__init__(book, request)
        self.original_id = original_id
        self.reversal_id = reversal_id
        self.effective_at_us = effective_at_us
        self.reference = reference
        self.description = description

    @property
    def weight(self) -> int:
        """As many as a transaction can have: how many this one has is known only later."""
        return ORDINAL_MAXIMUM + 1

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the postings to take back, then their accounts, then an earlier reversal."""
        if stage == STAGE_POINTER:
            yield RowKey(TRANSACTION_POSTINGS, self.original_id)
        elif stage == STAGE_ACCOUNT:
            for posting in working_set.get(TRANSACTION_POSTINGS, self.original_id) or ():
                yield RowKey(ACCOUNT, posting.debit_account_id)
                yield RowKey(ACCOUNT, posting.credit_account_id)
        elif stage == STAGE_RECORD:
            yield RowKey(REVERSAL, self.original_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Book the opposite of every posting, the last one first."""
        postings = working_set.get(TRANSACTION_POSTINGS, self.original_id)
        original = TRANSACTION_TEXT.encode(self.original_id)
        if not postings:
            raise Refusal(
                "TRANSACTION_NOT_FOUND",
                "no such transaction",
                metadata={"transaction_id": original},
                field="transaction_id",
            )
        earlier = working_set.get(REVERSAL, self.original_id)
        if earlier is not None:
            raise Refusal(
                "ALREADY_REVERSED",
                "the transaction was reversed before",
                metadata={"reversal_transaction_id": TRANSACTION_TEXT.encode(earlier[1])},
            )
        opposites = [
            self._opposite(ordinal, posting) for ordinal, posting in enumerate(reversed(postings))
        ]
        outcomes: list[PostingOutcome] = []
        for intent in opposites:
            outcomes.extend(book_posting(working_set, intent))
        working_set.insert(REVERSAL, self.original_id, (self.original_id, self.reversal_id))
        return pb.ReverseTransactionResponse(
            transaction=_transaction(outcomes),
            balances=_balances(outcomes),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _opposite(self, ordinal: int, posting: PostingRow) -> PostingIntent:
        if posting.kind != PostingKind.POST or posting.reverses_transaction_id is not None:
            kind = "REVERSAL" if posting.reverses_transaction_id else PostingKind(posting.kind).name
            raise Refusal(
                "NOT_REVERSIBLE",
                "only posted transactions that are no reversals can be reversed",
                metadata={"kind": kind},
            )
        return PostingIntent(
            transaction_id=self.reversal_id,
            ordinal=ordinal,
            debit_account_id=posting.credit_account_id,
            credit_account_id=posting.debit_account_id,
            currency_code=posting.currency_code,
            amount=posting.amount,
            effective_at_us=self.effective_at_us,
            code=posting.code,
            reference=self.reference,
            description=self.description,
            reverses_transaction_id=self.original_id,
        )


class CreateAccounts(Command):
    """Open accounts, all or none."""

    __slots__ = ("accounts",)

    def __init__(
        self, book: int, request: RequestKey | None, accounts: Sequence[AccountRow]
    ) -> None:
        super().__init__(book, request)
        self.accounts = accounts

    @property
    def weight(self) -> int:
        """One for each account."""
        return len(self.accounts)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the accounts, in case some exist."""
        del working_set
        if stage == STAGE_ACCOUNT:
            for row in self.accounts:
                yield RowKey(ACCOUNT, row.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Open each; one that exists with the same content is left as it is."""
        rows = [open_account(working_set, row) for row in self.accounts]
        return pb.CreateAccountsResponse(
            accounts=[encode.account(row) for row in rows],
            committed_at=working_set.committed_at,
        ).SerializeToString()


def open_account(working_set: WorkingSet, wanted: AccountRow) -> AccountRow:
    """Open an account, or return the one that exists with the same content.

    Other areas open theirs through this too.

    Raises:
        Refusal: BOOK_MISMATCH, LIMITS_CONTRADICT, ACCOUNT_ID_CONFLICT.
    """
    if book_of(wanted.account_id) != working_set.book:
        raise Refusal(
            "BOOK_MISMATCH",
            "the id belongs to another book",
            metadata={"field": "account_id"},
            field="account_id",
        )
    floor, ceiling = wanted.floor_minor_units, wanted.ceiling_minor_units
    if floor is not None and ceiling is not None and floor > ceiling:
        raise Refusal("LIMITS_CONTRADICT", "the floor lies above the ceiling")
    existing = working_set.get(ACCOUNT, wanted.account_id)
    if existing is not None:
        _check_same_account(existing, wanted)
        return existing
    row = wanted.copy()
    row.created_at_us = row.booked_at_us = working_set.next_stamp()
    working_set.insert(ACCOUNT, row.account_id, row)
    payload = encode.account(row).SerializeToString(deterministic=True)
    working_set.emit(Event(_ACCOUNT_OPENED, row.account_id, 0, row.created_at_us, payload, payload))
    return row


def _check_same_account(existing: AccountRow, wanted: AccountRow) -> None:
    for field in (
        "currency_code",
        "chart_code",
        "owner_id",
        "floor_minor_units",
        "ceiling_minor_units",
        "description",
    ):
        if getattr(existing, field) != getattr(wanted, field):
            raise Refusal(
                "ACCOUNT_ID_CONFLICT",
                "the account id exists with another content",
                metadata={"field": field},
                field="account_id",
            )


class SetAccountState(Command):
    """Freeze, unfreeze or close an account."""

    __slots__ = ("account_id", "reason_text", "state")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        account_id: AccountId,
        state: int,
        reason_text: str,
    ) -> None:
        super().__init__(book, request)
        self.account_id = account_id
        self.state = state
        self.reason_text = reason_text

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the account."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Change the state if the account can make that change."""
        if working_set.get(ACCOUNT, self.account_id) is None:
            raise account_not_found(self.account_id)
        row = change_state(working_set, self.account_id, self.state, self.reason_text)
        return pb.SetAccountStateResponse(
            account=encode.account(row), committed_at=working_set.committed_at
        ).SerializeToString()


def change_state(
    working_set: WorkingSet,
    account_id: AccountId,
    state: int,
    reason_text: str,
    *,
    by_owner: bool = False,
) -> AccountRow:
    """Bring an existing account to another state and tell it by an event.

    Other areas freeze and close through this too.

    Args:
        working_set: the batch's rows.
        account_id: an account that exists.
        state: the AccountState to come to.
        reason_text: why, for the event.
        by_owner: whether the owner asks for it, who alone may then lift the freeze again.

    Raises:
        Refusal: ACCOUNT_STATE_CONFLICT, ACCOUNT_NOT_EMPTY, ACCOUNT_HAS_HOLDS.
    """
    present = working_set.get(ACCOUNT, account_id)
    assert present is not None, "callers check that the account exists"
    model.check_state_change(present, state)
    row = working_set.edit(ACCOUNT, account_id)
    enter_state(working_set, row, state, reason_text, by_owner=by_owner)
    return row


def account_not_found(account_id: AccountId) -> Refusal:
    """Return the refusal for an account that is not there, or not the caller's to see."""
    return Refusal(
        "ACCOUNT_NOT_FOUND",
        "no such account",
        metadata={"account_id": ACCOUNT_TEXT.encode(account_id)},
        field="account_id",
    )


def _transaction(outcomes: Sequence[PostingOutcome]) -> transaction_pb2.Transaction:
    return encode.transaction([encode.posting(o.posting, o.hold) for o in outcomes])


def _balances(outcomes: Sequence[PostingOutcome]) -> dict[str, account_pb2.Balances]:
    last: dict[AccountId, AccountRow] = {}
    for outcome in outcomes:
        last[outcome.debit.account_id] = outcome.debit
        last[outcome.credit.account_id] = outcome.credit
    return {ACCOUNT_TEXT.encode(key): encode.balances(row) for key, row in last.items()}
