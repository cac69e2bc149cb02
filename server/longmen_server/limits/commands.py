"""The commands of limits: what customers and the bank change of them. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.limits.v1 import limits_service_pb2 as pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.kyc.standing import pack_now
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import encode
from longmen_server.limits.model import AccountTypeRow, OwnKey, OwnRow, Period
from longmen_server.limits.rules import today_of
from longmen_server.limits.tables import ACCOUNT_TYPE, OWN
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import CUSTOMER
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import AccountId, CustomerId

__all__ = ["SetAccountType", "SetOwnLimit", "erase", "erasure_keys"]

_OWN_CHANGED = event_pb2.EVENT_TYPE_OWN_LIMIT_CHANGED
_TYPE_CHANGED = event_pb2.EVENT_TYPE_ACCOUNT_TYPE_CHANGED


class SetOwnLimit(Command):
    """Change what a customer allows to be spent."""

    __slots__ = ("amount", "currency_code", "customer_id", "gate", "period")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        period: int,
        amount: int | None,
        currency_code: str,
        gate: Gate | None,
    ) -> None:
        """Take the limit; an amount of None removes it."""
        super().__init__(book, request)
        self.customer_id = customer_id
        self.period = period
        self.amount = amount
        self.currency_code = currency_code
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet, what may have to approve it, and the limits there are."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(OWN, self.customer_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Lower it at once; raise it once it is approved and the wait is over."""
        wallet = working_set.get(WALLET, self.customer_id)
        if wallet is None or wallet.erased_at_us is not None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        pack = pack_now(working_set)
        if self.amount is not None and self.currency_code != pack.currency:
            raise Refusal(
                "CURRENCY_MISMATCH",
                "own limits are in the institution's currency",
                metadata={"expected": pack.currency, "actual": self.currency_code},
                field="amount.currency_code",
            )
        now_us = working_set.now_us
        key = OwnKey(self.customer_id, self.period)
        known = working_set.get(OWN, key)
        present = None if known is None else known.at(now_us)
        from_us = 0
        if present is not None and (self.amount is None or self.amount > present):
            if self.gate is not None:
                self.gate.demand(working_set, self._intent(pack.currency))
            own = today_of(now_us).packs.get("OWN")
            from_us = now_us + (0 if own is None else own.raise_wait_us)
        row = self._change(working_set, key, present, from_us)
        return pb.SetOwnLimitResponse(
            own_limit=encode.own_limit(row, now_us, pack.currency),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def _intent(self, currency: str) -> Intent:
        period = Period(self.period).name.lower()
        most = "any amount" if self.amount is None else f"up to {Money(self.amount, currency)}"
        each = "at a time" if self.period == Period.SINGLE else f"a {period}"
        return Intent(operation=Operation.LIMIT_RAISE, text=f"Let {most} be spent {each}.")

    def _change(
        self, working_set: WorkingSet, key: OwnKey, present: int | None, from_us: int
    ) -> OwnRow:
        """Keep the limit and tell it; a change that waited and was not over is given up."""
        if working_set.get(OWN, key) is None:
            working_set.insert(OWN, key, OwnRow(*key, None, None, 0, 0))
        row = working_set.edit(OWN, key)
        row.amount = present if from_us else self.amount
        row.next_amount = self.amount if from_us else None
        row.from_us = from_us
        row.changed_at_us = working_set.next_stamp()
        tell_own(working_set, row)
        return row


def tell_own(working_set: WorkingSet, row: OwnRow) -> None:
    """Tell by an event what a customer's own limit is, and will be."""
    message = event_pb2.OwnLimitChange(
        customer_id=CUSTOMER.encode(row.customer_id),
        period=Period(row.period).name,
        present_minor_units=row.amount,
        next_minor_units=row.next_amount,
        effective_at_us=row.from_us,
    )
    payload = message.SerializeToString(deterministic=True)
    working_set.emit(Event(_OWN_CHANGED, row.customer_id, 0, row.changed_at_us, payload, payload))


class SetAccountType(Command):
    """Say which type of bank settlement account a wallet account is."""

    __slots__ = ("account_id", "account_type")

    def __init__(
        self, book: int, request: RequestKey | None, *, account_id: AccountId, account_type: int
    ) -> None:
        super().__init__(book, request)
        self.account_id = account_id
        self.account_type = account_type

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the account and the type that it has."""
        del working_set
        if stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.account_id)
            yield RowKey(ACCOUNT_TYPE, self.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Say it; saying it again does no harm."""
        account = working_set.get(ACCOUNT, self.account_id)
        if account is None or account.chart_code != CUSTOMER_DEPOSITS or not account.owner_id:
            raise account_not_found(self.account_id)
        known = working_set.get(ACCOUNT_TYPE, self.account_id)
        if known is None:
            row = AccountTypeRow(self.account_id, 0, 0)
            working_set.insert(ACCOUNT_TYPE, self.account_id, row)
        if known is None or known.account_type != self.account_type:
            row = working_set.edit(ACCOUNT_TYPE, self.account_id)
            row.account_type, row.changed_at_us = self.account_type, working_set.next_stamp()
            payload = event_pb2.AccountTypeChange(
                account_id=ACCOUNT_TEXT.encode(self.account_id), account_type=self.account_type
            ).SerializeToString(deterministic=True)
            working_set.emit(
                Event(_TYPE_CHANGED, self.account_id, 0, row.changed_at_us, payload, payload)
            )
        return pb.SetAccountTypeResponse(
            account_type=self.account_type, committed_at=working_set.committed_at
        ).SerializeToString()


# -- Erasing.


def erasure_keys(stage: int, customer_id: CustomerId) -> Iterable[RowKey]:
    """Name what :func:`erase` needs."""
    if stage == STAGE_ACCOUNT:
        yield RowKey(OWN, customer_id)


def erase(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """Forget what a customer allowed; what was counted stays, of nobody, beside the postings."""
    for period in Period:
        key = OwnKey(customer_id, period)
        if working_set.get(OWN, key) is not None:
            row = working_set.edit(OWN, key)
            row.amount = row.next_amount = None
            row.from_us, row.changed_at_us = 0, working_set.next_stamp()
            tell_own(working_set, row)
