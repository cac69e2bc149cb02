"""The ledger once more, naive and slow: a list of what happened, and rules read off the contract.

It shares no code with the server. Everything it knows stands in one list; balances, holds and
states are what going through that list gives. To undo is to cut the list.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

LARGEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Transfer:
    """One transfer as a caller asks for it. Accounts and transactions go by numbers."""

    transaction: int
    kind: str = "POST"
    debit: int = 0
    credit: int = 0
    amount: int = 0
    currency: str = "CNY"
    balancing: str = "EXACT"
    pending: tuple[int, int] | None = None
    final: bool = False
    closes_debit: bool = False
    closes_credit: bool = False
    effective: int | None = None
    code: int = 0
    duration: int = 7 * 24 * 3600 * 1_000_000
    reverses: int | None = None


@dataclass(frozen=True)
class Opened:
    """An account was opened."""

    account: int
    debit_normal: bool
    currency: str
    floor: int | None
    ceiling: int | None


@dataclass(frozen=True)
class Entered:
    """An account entered a state."""

    account: int
    state: str


@dataclass(frozen=True)
class Posted:
    """Something was posted; ``spec`` has the amount really moved and the accounts it concerned."""

    spec: Transfer
    ordinal: int
    expires: int = 0


class Balance(NamedTuple):
    """An account's counters, and what they amount to."""

    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int
    posted: int
    available: int
    version: int


class Held(NamedTuple):
    """What became of a pending posting."""

    state: str
    captured: int
    remaining: int
    expires: int


class Answer(NamedTuple):
    """What one transfer is answered: CREATED, EXISTS or a reason."""

    verdict: str
    amount: int = 0
    debit: Balance | None = None
    credit: Balance | None = None


class No(Exception):  # noqa: N818 - an answer, not an error
    """A refusal."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Oracle:
    """A book of one's own."""

    now: int
    log: list[Opened | Entered | Posted] = field(default_factory=list)
    chosen: dict[int, tuple[tuple[Transfer, ...], Answer]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    reversed: dict[int, int] = field(default_factory=dict)

    # -- What the list says ------------------------------------------------------------------------

    def account(self, number: int) -> Opened | None:
        found = [e for e in self.log if isinstance(e, Opened) and e.account == number]
        return found[0] if found else None

    def state(self, number: int) -> str:
        found = [e.state for e in self.log if isinstance(e, Entered) and e.account == number]
        return found[-1] if found else "OPEN"

    def postings(self) -> list[Posted]:
        return [entry for entry in self.log if isinstance(entry, Posted)]

    def balance(self, number: int) -> Balance:
        sums: Counter[str] = Counter()
        version = 0
        for posted in self.postings():
            for side, account in (("d", posted.spec.debit), ("c", posted.spec.credit)):
                if account == number:
                    version += 1
                    for counter, sign in MOVES[posted.spec.kind]:
                        sums[side + counter] += sign * posted.spec.amount
        opened = self.account(number)
        assert opened is not None
        plus, minus = ("d", "c") if opened.debit_normal else ("c", "d")
        balance = sums[plus + "posted"] - sums[minus + "posted"]
        return Balance(
            sums["dposted"],
            sums["cposted"],
            sums["dpending"],
            sums["cpending"],
            balance,
            balance - sums[minus + "pending"],
            version,
        )

    def held(self, address: tuple[int, int]) -> Held | None:
        own = [p for p in self.postings() if (p.spec.transaction, p.ordinal) == address]
        if not own or own[0].spec.kind != "PENDING":
            return None
        captured, remaining, state = 0, own[0].spec.amount, "HELD"
        for posted in self.postings():
            if posted.spec.pending == address:
                remaining -= posted.spec.amount
                if posted.spec.kind == "CAPTURE":
                    captured += posted.spec.amount
                    state = "HELD" if remaining else "CAPTURED"
                elif posted.spec.kind == "EXPIRE":
                    state = "EXPIRED"
                else:
                    state = "CAPTURED" if posted.spec.final else "VOIDED"
        return Held(state, captured, remaining, own[0].expires)

    # -- What can be asked for ---------------------------------------------------------------------

    def open(self, wanted: Opened) -> None:
        """Open an account, or leave the same one as it is."""
        if wanted.floor is not None and wanted.ceiling is not None:
            refuse_if(wanted.floor > wanted.ceiling, "LIMITS_CONTRADICT")
        present = self.account(wanted.account)
        refuse_if(present not in {None, wanted}, "ACCOUNT_ID_CONFLICT")
        if present is None:
            self.log.append(wanted)

    def set_state(self, number: int, state: str) -> None:
        refuse_if(self.account(number) is None, "ACCOUNT_NOT_FOUND")
        present = self.state(number)
        refuse_if(present in {"CLOSED", state}, "ACCOUNT_STATE_CONFLICT")
        if state == "CLOSED":
            self._check_closable([number])
        self.log.append(Entered(number, state))

    def transfers(self, wanted: list[Transfer], linked: set[int], *, chosen: bool) -> list[Answer]:
        """Many transfers; those of a chain all or none."""
        answers: list[Answer] = []
        chain: list[Transfer] = []
        for index, transfer in enumerate(wanted):
            chain.append(transfer)
            if index not in linked:
                answers += self._chain(chain, chosen=chosen)
                chain = []
        if chain:
            answers += self._refuse_chain(chain, len(chain) - 1, "LINKED_CHAIN_OPEN", chosen=chosen)
        return answers

    def _chain(self, chain: list[Transfer], *, chosen: bool) -> list[Answer]:
        length, known = len(self.log), dict(self.chosen)
        answers = []
        for index, transfer in enumerate(chain):
            try:
                answers.append(self._one(transfer, chosen=chosen))
            except No as no:
                del self.log[length:]
                self.chosen = known
                return self._refuse_chain(chain, index, no.reason, chosen=chosen)
        return answers

    def _refuse_chain(
        self, chain: list[Transfer], failed: int, reason: str, *, chosen: bool
    ) -> list[Answer]:
        answers = []
        for index, transfer in enumerate(chain):
            earlier = self._same_before(transfer) if chosen and index != failed else None
            if earlier is not None:
                answers.append(earlier)
                continue
            why = reason if index == failed else "LINKED_TRANSFER_FAILED"
            if chosen:
                self._use_up(transfer.transaction, why)
            answers.append(Answer(why))
        return answers

    def _one(self, transfer: Transfer, *, chosen: bool) -> Answer:
        if chosen:
            earlier = self._before((transfer,))
            if earlier is not None:
                return earlier
        posted = self.post(transfer, 0)
        first, last = posted[0].spec, posted[-1].spec
        debit, credit = self.balance(last.debit), self.balance(last.credit)
        if chosen:
            then = self._as_of(posted[0])
            self.chosen[transfer.transaction] = ((transfer,), then)
        return Answer("CREATED", first.amount, debit, credit)

    def _as_of(self, posted: Posted) -> Answer:
        """What the first posting of a transaction left, as an answer given later tells it."""
        tail = self.log[self.log.index(posted) + 1 :]
        del self.log[len(self.log) - len(tail) :]
        spec = posted.spec
        answer = Answer("EXISTS", spec.amount, self.balance(spec.debit), self.balance(spec.credit))
        self.log.extend(tail)
        return answer

    def transaction(self, wanted: list[Transfer], *, chosen: bool) -> list[Posted]:
        """Several postings of one transaction, all or none; those of an earlier one again."""
        number = wanted[0].transaction
        if chosen and self._before(tuple(wanted)) is not None:
            return [p for p in self.postings() if p.spec.transaction == number]
        length = len(self.log)
        made: list[Posted] = []
        try:
            for transfer in wanted:
                made += self.post(transfer, len(made))
        except No as no:
            del self.log[length:]
            if chosen:
                self._use_up(number, no.reason)
            raise
        if chosen:
            self.chosen[number] = (tuple(wanted), self._as_of(made[0]))
        return made

    def reverse(self, number: int, original: int) -> list[Posted]:
        """Take a transaction back."""
        postings = [p for p in self.postings() if p.spec.transaction == original]
        refuse_if(not postings, "TRANSACTION_NOT_FOUND")
        refuse_if(original in self.reversed, "ALREADY_REVERSED")
        for posted in postings:
            plain = posted.spec.kind == "POST" and posted.spec.reverses is None
            refuse_if(not plain, "NOT_REVERSIBLE")
        opposite = [
            Transfer(
                number,
                debit=p.spec.credit,
                credit=p.spec.debit,
                amount=p.spec.amount,
                currency=p.spec.currency,
                code=p.spec.code,
                reverses=original,
            )
            for p in reversed(postings)
        ]
        made = self.transaction(opposite, chosen=False)
        self.reversed[original] = number
        return made

    def expire(self, wanted: dict[tuple[int, int], int]) -> int:
        """End those of the holds whose time is up; each gets a transaction of its own."""
        count = 0
        for address, number in wanted.items():
            held = self.held(address)
            if held is not None and held.state == "HELD" and held.expires <= self.now:
                spec = Transfer(number, "EXPIRE", pending=address, amount=held.remaining)
                self.log.append(Posted(self._of_hold(spec, address), 0))
                count += 1
        return count

    # -- Postings ----------------------------------------------------------------------------------

    def post(self, wanted: Transfer, ordinal: int) -> list[Posted]:
        """Post one transfer, or say why not."""
        if wanted.pending is not None:
            return self._post_on_hold(wanted, wanted.pending, ordinal)
        debit, credit = self.account(wanted.debit), self.account(wanted.credit)
        refuse_if(wanted.debit == wanted.credit, "ACCOUNTS_IDENTICAL")
        if debit is None:
            raise No("DEBIT_ACCOUNT_NOT_FOUND")
        if credit is None:
            raise No("CREDIT_ACCOUNT_NOT_FOUND")
        wrong = {debit.currency, credit.currency} != {wanted.currency}
        refuse_if(wrong, "CURRENCY_MISMATCH")
        self._check_effective(wanted)
        self._check_states(wanted)
        amount = self._amount(wanted, debit, credit)
        self._check_limits(debit, credit, amount)
        self.log.append(
            posted := Posted(
                replace(wanted, amount=amount),
                ordinal,
                self.now + wanted.duration if wanted.kind == "PENDING" else 0,
            )
        )
        closing = [wanted.debit] * wanted.closes_debit + [wanted.credit] * wanted.closes_credit
        try:
            self._check_closable(closing)
        except No:
            self.log.pop()
            raise
        self.log.extend(Entered(number, "CLOSED") for number in closing)
        return [posted]

    def _post_on_hold(
        self, wanted: Transfer, address: tuple[int, int], ordinal: int
    ) -> list[Posted]:
        held = self.held(address)
        if held is None:
            addresses = {(p.spec.transaction, p.ordinal) for p in self.postings()}
            there = address in addresses
            raise No("POSTING_NOT_PENDING" if there else "PENDING_POSTING_NOT_FOUND")
        refuse_if(held.state == "CAPTURED", "PENDING_POSTING_CAPTURED")
        refuse_if(held.state == "VOIDED", "PENDING_POSTING_VOIDED")
        over = held.state == "EXPIRED" or self.now >= held.expires
        refuse_if(over, "PENDING_POSTING_EXPIRED")
        spec = self._of_hold(wanted, address)
        if wanted.amount:
            refuse_if(wanted.currency != spec.currency, "CURRENCY_MISMATCH")
        if wanted.kind == "VOID":
            self._check_effective(wanted)
            made = [Posted(replace(spec, amount=held.remaining), ordinal)]
        else:
            refuse_if(wanted.amount > held.remaining, "CAPTURE_AMOUNT_EXCEEDED")
            self._check_effective(wanted)
            amount = wanted.amount or held.remaining
            made = [Posted(replace(spec, amount=amount), ordinal)]
            rest = held.remaining - amount
            if wanted.final and rest:
                void = replace(spec, kind="VOID", amount=rest, effective=None)
                made.append(Posted(void, ordinal + 1))
        self.log.extend(made)
        return made

    def _of_hold(self, wanted: Transfer, address: tuple[int, int]) -> Transfer:
        hold = next(p for p in self.postings() if (p.spec.transaction, p.ordinal) == address).spec
        return replace(wanted, debit=hold.debit, credit=hold.credit, currency=hold.currency)

    # -- Rules -------------------------------------------------------------------------------------

    def _check_effective(self, wanted: Transfer) -> None:
        late = wanted.effective is not None and wanted.effective > self.now
        refuse_if(late, "EFFECTIVE_TIME_IN_FUTURE")

    def _check_states(self, wanted: Transfer) -> None:
        debit, credit = self.state(wanted.debit), self.state(wanted.credit)
        refuse_if(debit in {"CLOSING", "CLOSED"}, "DEBIT_ACCOUNT_CLOSED")
        refuse_if(credit in {"CLOSING", "CLOSED"}, "CREDIT_ACCOUNT_CLOSED")
        refuse_if(debit in {"FROZEN", "DEBIT_FROZEN"}, "DEBIT_ACCOUNT_FROZEN")
        refuse_if(credit in {"FROZEN", "CREDIT_FROZEN"}, "CREDIT_ACCOUNT_FROZEN")

    def _amount(self, wanted: Transfer, debit: Opened, credit: Opened) -> int:
        bounds = [wanted.amount]
        if wanted.balancing in {"DEBIT", "BOTH"}:
            bounds.append(self._bound(debit, outgoing=not debit.debit_normal))
        if wanted.balancing in {"CREDIT", "BOTH"}:
            bounds.append(self._bound(credit, outgoing=credit.debit_normal))
        refuse_if(min(bounds) <= 0, "NOTHING_TO_MOVE")
        return min(bounds)

    def _bound(self, account: Opened, *, outgoing: bool) -> int:
        """The most that can leave an account, or come to it."""
        balance = self.balance(account.account)
        if outgoing:
            return LARGEST if account.floor is None else balance.available - account.floor
        if account.ceiling is None:
            return LARGEST
        coming = balance.debits_pending if account.debit_normal else balance.credits_pending
        return account.ceiling - balance.posted - coming

    def _check_limits(self, debit: Opened, credit: Opened, amount: int) -> None:
        sides = ((debit, not debit.debit_normal), (credit, credit.debit_normal))
        for account, outgoing in sides:
            if outgoing and account.floor is not None:
                short = self._bound(account, outgoing=True) < amount
                refuse_if(short, "INSUFFICIENT_FUNDS")
        for account, outgoing in sides:
            if not outgoing and account.ceiling is not None:
                over = self._bound(account, outgoing=False) < amount
                refuse_if(over, "BALANCE_CEILING_EXCEEDED")
        debited, credited = self.balance(debit.account), self.balance(credit.account)
        most = max(
            debited.debits_posted + debited.debits_pending,
            credited.credits_posted + credited.credits_pending,
        )
        refuse_if(most + amount > LARGEST, "BALANCE_OVERFLOW")

    def _check_closable(self, numbers: list[int]) -> None:
        balances = [self.balance(number) for number in numbers]
        refuse_if(any(balance.posted for balance in balances), "ACCOUNT_NOT_EMPTY")
        held = any(balance.debits_pending or balance.credits_pending for balance in balances)
        refuse_if(held, "ACCOUNT_HAS_HOLDS")

    # -- Chosen ids --------------------------------------------------------------------------------

    def _before(self, wanted: tuple[Transfer, ...]) -> Answer | None:
        """The answer an id was given before; a refusal when it was another content or refused."""
        number = wanted[0].transaction
        if number in self.chosen:
            content, answer = self.chosen[number]
            refuse_if(content != wanted, "TRANSACTION_ID_CONFLICT")
            return answer
        refuse_if(number in self.refused, "TRANSACTION_ID_REFUSED")
        return None

    def _same_before(self, transfer: Transfer) -> Answer | None:
        try:
            return self._before((transfer,))
        except No:
            return None

    def _use_up(self, number: int, reason: str) -> None:
        known = number in self.chosen or number in self.refused
        if not known and reason not in {"TRANSACTION_ID_CONFLICT", "TRANSACTION_ID_REFUSED"}:
            self.refused[number] = reason


#: What each kind of posting does to the counters of either side.
MOVES: Final = {
    "POST": (("posted", 1),),
    "PENDING": (("pending", 1),),
    "CAPTURE": (("pending", -1), ("posted", 1)),
    "VOID": (("pending", -1),),
    "EXPIRE": (("pending", -1),),
}


def refuse_if(broken: bool, reason: str) -> None:  # noqa: FBT001 - reads as a sentence
    if broken:
        raise No(reason)
