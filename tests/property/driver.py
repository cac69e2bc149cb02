"""Asks the oracle and the ledger the same, and compares what they answer and what they keep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen.ledger.v1 import transaction_pb2
from longmen_server.engine.command import Outcome, RequestKey
from longmen_server.ledger import commands
from longmen_server.ledger.model import (
    AccountRow,
    AccountState,
    BalancingMode,
    HoldState,
    PostingIntent,
    PostingKind,
)
from longmen_server.platform.ids import AccountId, TransactionId, encode_posting
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.clock import START_US
from tests.support.oracle import Answer, Balance, Entered, No, Opened, Oracle, Posted, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen.ledger.v1 import account_pb2
    from longmen_server.engine.command import Command

Reply = Outcome | BaseException
Check = "Callable[[Reply], None]"

FIELD_OF_CONTENT = 2
"""Number of the only field that test requests have besides their id."""


class Rows(NamedTuple):
    """What is kept of one run, in a form that oracle and ledger share."""

    accounts: dict[AccountId, tuple[int, ...]]
    """State, the four counters and the version."""
    holds: dict[tuple[TransactionId, int], tuple[int, ...]]
    """State, captured, remaining and expiry."""
    postings: dict[tuple[TransactionId, int], tuple[Any, ...]]
    """Kind, accounts, amount, balances and versions after, effective time, links."""
    refusals: dict[TransactionId, str]
    reversals: dict[TransactionId, TransactionId]


class Backend(ABC):
    """A ledger that can be asked."""

    @property
    def start_us(self) -> int:
        """What time it is when a run begins."""
        return START_US

    @abstractmethod
    def run(self, asked: Sequence[Command], now_us: int) -> list[Reply]:
        """Give commands to the ledger together; their answers in order."""

    @abstractmethod
    def rows(self, numbering: Numbering) -> Rows:
        """Everything kept of one run."""


class Numbering(NamedTuple):
    """Ids of one run, apart from those of all others."""

    run: int

    def account(self, number: int) -> AccountId:
        return booking.account_id(self.run << 16 | number)

    def transaction(self, number: int) -> TransactionId:
        return booking.transaction_id(self.run << 16 | number)

    def address(self, address: tuple[int, int]) -> tuple[TransactionId, int]:
        return self.transaction(address[0]), address[1]


@dataclass
class Driver:
    """One run."""

    oracle: Oracle
    backend: Backend
    numbering: Numbering
    asked: dict[int, tuple[str, Any]] = field(default_factory=dict)
    """Content and first reply of every request."""
    waiting: list[tuple[Command, Any]] = field(default_factory=list)
    """What was asked of the oracle and not yet of the ledger, with the check of the answer."""

    # -- Asking ------------------------------------------------------------------------------------

    def ask(
        self,
        request: int,
        content: str,
        decide: Callable[[], Callable[[Outcome], None]],
        make: Callable[[RequestKey], Command],
    ) -> None:
        """Ask under a request id; the oracle decides only when the id is new."""
        command = make(self._key(request, content))
        if request not in self.asked:
            self.asked[request] = (content, None)
            self.waiting.append((command, self._first(request, decide)))
        elif self.asked[request][0] == content:
            self.waiting.append((command, lambda reply: self._check_replay(request, reply)))
        else:
            self.waiting.append((command, _check_reused))

    def _key(self, request: int, content: str) -> RequestKey:
        digest = sha256(f"{self.numbering.run} {request}".encode()).digest()[:16]
        full = sha256(content.encode()).digest()
        return RequestKey(digest, full + FIELD_OF_CONTENT.to_bytes(2, "big") + full[:4])

    def _first(self, request: int, decide: Callable[[], Callable[[Outcome], None]]) -> Any:
        try:
            check = decide()
        except No as no:
            reason = no.reason
            return lambda reply: self._check_refused(request, reply, reason)

        def checked(reply: Reply) -> None:
            assert isinstance(reply, Outcome), f"refused: {reply}"
            assert not reply.replayed
            self.asked[request] = (self.asked[request][0], reply.reply)
            check(reply)

        return checked

    def _check_refused(self, request: int, reply: Reply, reason: str) -> None:
        assert isinstance(reply, Refusal), f"{reply} instead of {reason}"
        assert reply.reason == reason
        assert not reply.replayed
        self.asked[request] = (self.asked[request][0], reply)

    def _check_replay(self, request: int, reply: Reply) -> None:
        first = self.asked[request][1]
        if isinstance(first, Refusal):
            assert isinstance(reply, Refusal)
            assert reply.replayed
            assert (reply.reason, reply.message, reply.field) == (
                first.reason,
                first.message,
                first.field,
            )
            assert dict(reply.metadata) == dict(first.metadata)
        else:
            assert reply == Outcome(first, replayed=True)

    def flush(self) -> None:
        """Let the ledger answer what waits, in one batch if it can."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        replies = self.backend.run([command for command, _ in waiting], self.oracle.now)
        for (_, check), reply in zip(waiting, replies, strict=True):
            check(reply)

    # -- What can be asked -------------------------------------------------------------------------

    def open(self, request: int, opened: Opened) -> None:
        row = self._row(opened)

        def decide() -> Callable[[Outcome], None]:
            self.oracle.open(opened)
            balance = self.oracle.balance(opened.account)

            def check(outcome: Outcome) -> None:
                account = pb.CreateAccountsResponse.FromString(outcome.reply).accounts[0]
                assert account.floor_minor_units == (opened.floor or 0)
                assert account.HasField("ceiling_minor_units") == (opened.ceiling is not None)
                same_balance(account.balances, balance)

            return check

        self.ask(request, repr(opened), decide, lambda key: commands.CreateAccounts(1, key, [row]))

    def set_state(self, request: int, account: int, state: str) -> None:
        def decide() -> Callable[[Outcome], None]:
            self.oracle.set_state(account, state)

            def check(outcome: Outcome) -> None:
                reply = pb.SetAccountStateResponse.FromString(outcome.reply)
                assert AccountState(reply.account.state).name == state

            return check

        def make(key: RequestKey) -> Command:
            return commands.SetAccountState(
                1,
                key,
                account_id=self.numbering.account(account),
                state=AccountState[state],
                reason_text="",
            )

        self.ask(request, f"{account} {state}", decide, make)

    def transfers(
        self, request: int, wanted: list[Transfer], linked: set[int], *, chosen: bool
    ) -> None:
        def decide() -> Callable[[Outcome], None]:
            answers = self.oracle.transfers(wanted, linked, chosen=chosen)

            def check(outcome: Outcome) -> None:
                results = pb.CreateTransfersResponse.FromString(outcome.reply).results
                assert [booking.verdict_of(result) for result in results] == [
                    answer.verdict for answer in answers
                ]
                for result, answer in zip(results, answers, strict=True):
                    same_result(result, answer)

            return check

        def make(key: RequestKey) -> Command:
            return commands.CreateTransfers(
                1,
                key,
                [self.intent(transfer) for transfer in wanted],
                chosen=[chosen] * len(wanted),
                linked=[index in linked for index in range(len(wanted))],
            )

        self.ask(request, f"{wanted} {linked} {chosen}", decide, make)

    def transaction(self, request: int, wanted: list[Transfer], *, chosen: bool) -> None:
        def decide() -> Callable[[Outcome], None]:
            made = self.oracle.transaction(wanted, chosen=chosen)
            return lambda outcome: self._same_transaction(
                pb.CreateTransactionResponse.FromString(outcome.reply), made
            )

        def make(key: RequestKey) -> Command:
            return commands.CreateTransaction(
                1,
                key,
                [self.intent(transfer) for transfer in wanted],
                transaction_id=self.numbering.transaction(wanted[0].transaction),
                chosen=chosen,
            )

        self.ask(request, f"{wanted} {chosen}", decide, make)

    def on_hold(self, request: int, wanted: Transfer) -> None:
        """Capture or void by the method of its own."""

        def decide() -> Callable[[Outcome], None]:
            assert wanted.pending is not None
            made = self.oracle.post(wanted, 0)
            held = self.oracle.held(wanted.pending)
            assert held is not None
            debit, credit = (
                self.oracle.balance(n) for n in (made[0].spec.debit, made[0].spec.credit)
            )
            answer = Answer("CREATED", made[0].spec.amount, debit, credit)

            def check(outcome: Outcome) -> None:
                kind = pb.CapturePendingResponse if capture else pb.VoidPendingResponse
                reply: Any = kind.FromString(outcome.reply)
                same_result(reply.result, answer)
                assert HoldState(reply.hold.state).name == held.state
                assert reply.hold.captured_minor_units == held.captured
                assert reply.hold.remaining_minor_units == held.remaining

            return check

        capture = wanted.kind == "CAPTURE"
        kind = commands.CapturePending if capture else commands.VoidPending
        self.ask(request, repr(wanted), decide, lambda key: kind(1, key, [self.intent(wanted)]))

    def reverse(self, request: int, number: int, original: int) -> None:
        def decide() -> Callable[[Outcome], None]:
            made = self.oracle.reverse(number, original)
            return lambda outcome: self._same_transaction(
                pb.ReverseTransactionResponse.FromString(outcome.reply), made
            )

        def make(key: RequestKey) -> Command:
            return commands.ReverseTransaction(
                1,
                key,
                original_id=self.numbering.transaction(original),
                reversal_id=self.numbering.transaction(number),
            )

        # Two reversals in one batch with what they take back would race with it.
        self.flush()
        self.ask(request, f"{original}", decide, make)

    def expire(self, wanted: dict[tuple[int, int], int]) -> None:
        """Let the server's job end holds; it has no request id."""
        count = self.oracle.expire(wanted)

        def check(reply: Reply) -> None:
            assert reply == Outcome(str(count).encode(), replayed=False)

        intents = [
            PostingIntent(
                transaction_id=self.numbering.transaction(number),
                kind=PostingKind.EXPIRE,
                pending=self.numbering.address(address),
            )
            for address, number in wanted.items()
        ]
        self.waiting.append((commands.ExpireHolds(1, None, intents), check))

    # -- In the ledger's terms ---------------------------------------------------------------------

    def intent(self, transfer: Transfer) -> PostingIntent:
        on_hold = transfer.pending is not None
        return PostingIntent(
            transaction_id=self.numbering.transaction(transfer.transaction),
            kind=PostingKind[transfer.kind],
            debit_account_id=None if on_hold else self.numbering.account(transfer.debit),
            credit_account_id=None if on_hold else self.numbering.account(transfer.credit),
            currency_code=transfer.currency if transfer.amount else "",
            amount=transfer.amount,
            hold_duration_us=transfer.duration,
            pending=self.numbering.address(transfer.pending) if transfer.pending else None,
            final=transfer.final,
            balancing=BalancingMode[transfer.balancing],
            closes_debit_account=transfer.closes_debit,
            closes_credit_account=transfer.closes_credit,
            effective_at_us=transfer.effective,
            code=transfer.code,
        )

    def _row(self, opened: Opened) -> AccountRow:
        row = booking.account(
            0,
            chart_code=booking.CLEARING if opened.debit_normal else booking.WALLET,
            currency=opened.currency,
            floor=opened.floor,
            ceiling=opened.ceiling,
        )
        row.account_id = self.numbering.account(opened.account)
        return row

    def _same_transaction(self, reply: Any, made: list[Posted]) -> None:
        postings = reply.transaction.postings
        assert [
            (p.posting_id, PostingKind(p.kind).name, p.amount.minor_units) for p in postings
        ] == [
            (
                encode_posting(self.numbering.transaction(m.spec.transaction), m.ordinal),
                m.spec.kind,
                m.spec.amount,
            )
            for m in made
        ]
        touched = {f"acct_{self.numbering.account(n).hex()}" for m in made for n in sides(m.spec)}
        assert set(reply.balances) == touched

    # -- What is kept ------------------------------------------------------------------------------

    def check_rows(self) -> None:
        """Compare everything kept of the run."""
        assert self.backend.rows(self.numbering) == self.expected_rows()

    def expected_rows(self) -> Rows:
        oracle, names = self.oracle, self.numbering
        opened = [entry for entry in oracle.log if isinstance(entry, Opened)]
        posted = oracle.postings()
        held = {(p.spec.transaction, p.ordinal) for p in posted if p.spec.kind == "PENDING"}
        return Rows(
            accounts={
                names.account(o.account): (
                    AccountState[oracle.state(o.account)].value,
                    *oracle.balance(o.account)[:4],
                    oracle.balance(o.account).version,
                )
                for o in opened
            },
            holds={names.address(address): self._held(address) for address in held},
            postings=self._postings(),
            refusals={names.transaction(n): reason for n, reason in oracle.refused.items()},
            reversals={
                names.transaction(original): names.transaction(number)
                for original, number in oracle.reversed.items()
            },
        )

    def _held(self, address: tuple[int, int]) -> tuple[int, ...]:
        held = self.oracle.held(address)
        assert held is not None
        return (HoldState[held.state].value, held.captured, held.remaining, held.expires)

    def _postings(self) -> dict[tuple[TransactionId, int], tuple[Any, ...]]:
        """Every posting, with balances by going through the list once more from its start."""
        names = self.numbering
        found: dict[tuple[TransactionId, int], tuple[Any, ...]] = {}
        past = Oracle(0)
        for entry in self.oracle.log:
            past.log.append(entry)
            if not isinstance(entry, Posted):
                continue
            spec = entry.spec
            debit, credit = past.balance(spec.debit), past.balance(spec.credit)
            found[names.address((spec.transaction, entry.ordinal))] = (
                PostingKind[spec.kind].value,
                names.account(spec.debit),
                names.account(spec.credit),
                spec.currency,
                spec.amount,
                debit.version,
                credit.version,
                debit.posted,
                credit.posted,
                debit.posted - debit.available,
                credit.posted - credit.available,
                spec.effective,
                spec.code,
                names.address(spec.pending) if spec.pending else None,
                names.transaction(spec.reverses) if spec.reverses is not None else None,
            )
        return found

    def expected_events(self) -> list[tuple[str, bytes, int]]:
        """What was told of the run, in order."""
        names = self.numbering
        told: list[tuple[str, bytes, int]] = []
        for entry in self.oracle.log:
            if isinstance(entry, Posted):
                subject = names.transaction(entry.spec.transaction)
                told.append((EVENTS[entry.spec.kind], subject, entry.ordinal))
            else:
                state = isinstance(entry, Entered)
                name = "ACCOUNT_STATE_CHANGED" if state else "ACCOUNT_OPENED"
                told.append((name, names.account(entry.account), 0))
        return told


EVENTS = {
    "POST": "POSTING_POSTED",
    "PENDING": "POSTING_PENDING",
    "CAPTURE": "POSTING_CAPTURED",
    "VOID": "POSTING_VOIDED",
    "EXPIRE": "POSTING_EXPIRED",
}


def sides(spec: Transfer) -> tuple[int, int]:
    """Both accounts."""
    return spec.debit, spec.credit


def _check_reused(reply: Reply) -> None:
    assert isinstance(reply, Refusal)
    assert reply.reason == "REQUEST_ID_REUSED"
    assert reply.metadata == {"fields": str(FIELD_OF_CONTENT)}


def same_result(result: transaction_pb2.TransferResult, answer: Answer) -> None:
    """Compare one transfer's result with the oracle's answer."""
    assert result.amount_minor_units == answer.amount
    for balances, expected in (
        (result.debit_balances, answer.debit),
        (result.credit_balances, answer.credit),
    ):
        if expected is None:
            assert not balances.ByteSize()
        elif answer.verdict == "EXISTS":
            seen = (balances.posted, balances.available, balances.version)
            assert seen == (expected.posted, expected.available, expected.version)
        else:
            same_balance(balances, expected)


def same_balance(balances: account_pb2.Balances, expected: Balance) -> None:
    """Compare an account's counters."""
    found = Balance(
        balances.debits_posted,
        balances.credits_posted,
        balances.debits_pending,
        balances.credits_pending,
        balances.posted,
        balances.available,
        balances.version,
    )
    assert found == expected
