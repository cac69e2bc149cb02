"""The commands of wallets: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen.events.v1 import event_pb2
from longmen_server.accounts import encode, model
from longmen_server.accounts.model import (
    AliasKey,
    AliasKind,
    AliasRow,
    CustomerKeyRow,
    PocketKey,
    PocketRow,
    WalletRow,
)
from longmen_server.accounts.tables import ALIAS, CUSTOMER_KEY, OPEN_POCKET, POCKET, WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import CHART, CUSTOMER_DEPOSITS
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.commands import account_not_found, change_state, open_account
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent
from longmen_server.ledger.posting import book_posting, enter_state
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import CUSTOMER, AccountId, CustomerId, TransactionId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen.type.v1 import money_pb2
    from longmen_server.accounts.model import Actor, SealedCustomer
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet

_WALLET_OPENED = event_pb2.EVENT_TYPE_WALLET_OPENED


def open_pocket(
    working_set: WorkingSet,
    *,
    account_id: AccountId,
    customer_id: CustomerId,
    currency_code: str,
    nickname: str,
) -> tuple[PocketRow, AccountRow]:
    """Open a customer's account in the ledger, with its pocket."""
    line = CHART[CUSTOMER_DEPOSITS]
    account = open_account(
        working_set,
        AccountRow(
            account_id=account_id,
            currency_code=currency_code,
            account_type=line.account_type,
            chart_code=line.code,
            state=AccountState.OPEN,
            debits_posted=0,
            credits_posted=0,
            debits_pending=0,
            credits_pending=0,
            floor_minor_units=line.floor_minor_units,
            ceiling_minor_units=None,
            version=0,
            booked_at_us=0,
            created_at_us=0,
            owner_id=customer_id,
            description=None,
        ),
    )
    pocket = PocketRow(
        account_id=account_id,
        customer_id=customer_id,
        currency_code=currency_code,
        nickname=nickname,
        created_at_us=account.created_at_us,
        closed_at_us=None,
    )
    working_set.insert(POCKET, account_id, pocket)
    working_set.insert(OPEN_POCKET, PocketKey(customer_id, currency_code), account_id)
    return pocket, account


class NewWallet(NamedTuple):
    """What a customer is registered with."""

    customer_id: CustomerId
    account_id: AccountId
    person: SealedCustomer
    currency_code: str
    nickname: str

    @property
    def alias(self) -> AliasKey:
        """The phone number's entry in the directory, to be loaded first."""
        return AliasKey(AliasKind.PHONE_NUMBER, self.person.phone_index)


def open_wallet(working_set: WorkingSet, new: NewWallet) -> tuple[WalletRow, PocketRow, AccountRow]:
    """Register a customer and open the first account.

    Raises:
        Refusal: PHONE_NUMBER_TAKEN.
    """
    alias, person, customer_id = new.alias, new.person, new.customer_id
    if working_set.get(ALIAS, alias) is not None:
        raise Refusal(
            "PHONE_NUMBER_TAKEN",
            "another wallet is registered with the phone number",
            field="phone_number",
        )
    at_us = working_set.next_stamp()
    wallet = WalletRow(
        customer_id=customer_id,
        display_name=person.display_name,
        phone_number=person.phone_number,
        phone_index=person.phone_index,
        email=None,
        created_at_us=at_us,
        erased_at_us=None,
        email_proven_at_us=None,
    )
    working_set.insert(WALLET, customer_id, wallet)
    key = CustomerKeyRow(customer_id, person.wrapped_key, person.wrapping_key, at_us)
    working_set.insert(CUSTOMER_KEY, customer_id, key)
    entry = AliasRow(alias.kind, alias.value, customer_id, working_set.book, at_us)
    working_set.insert(ALIAS, alias, entry)
    # The event says who, and nothing else: a name and a number are nobody's to be told.
    working_set.emit(Event(_WALLET_OPENED, customer_id, 0, at_us, b"", b""))
    pocket, account = open_pocket(
        working_set,
        account_id=new.account_id,
        customer_id=customer_id,
        currency_code=new.currency_code,
        nickname=new.nickname,
    )
    return wallet, pocket, account


class OpenWallet(Command):
    """Register a customer and open the first account.

    The stored reply names nobody; the service puts name and number in from the request, which is
    the same one whenever the reply is the same.
    """

    __slots__ = ("new",)

    def __init__(self, book: int, request: RequestKey | None, *, new: NewWallet) -> None:
        super().__init__(book, request)
        self.new = new

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the phone number's entry in the directory."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(ALIAS, self.new.alias)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register unless the phone number is taken."""
        wallet, pocket, account = open_wallet(working_set, self.new)
        return pb.OpenWalletResponse(
            wallet=encode.wallet(wallet, None),
            account=encode.stored_account(pocket, account),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class OpenAccount(Command):
    """Open a pocket in another currency."""

    __slots__ = ("account_id", "currency_code", "customer_id", "nickname")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        account_id: AccountId,
        currency_code: str,
        nickname: str,
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.account_id = account_id
        self.currency_code = currency_code
        self.nickname = nickname

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet and its open account in the currency, if there is one."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
            yield RowKey(OPEN_POCKET, PocketKey(self.customer_id, self.currency_code))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Open unless the wallet has an open account in the currency."""
        wallet = working_set.get(WALLET, self.customer_id)
        if wallet is None:
            raise model.wallet_not_found(CUSTOMER.encode(self.customer_id))
        if wallet.erased_at_us is not None:
            raise model.customer_erased()
        key = PocketKey(self.customer_id, self.currency_code)
        if working_set.get(OPEN_POCKET, key) is not None:
            raise Refusal(
                "POCKET_EXISTS",
                "the wallet has an account in the currency already",
                metadata={"currency_code": self.currency_code},
                field="currency_code",
            )
        pocket, account = open_pocket(
            working_set,
            account_id=self.account_id,
            customer_id=self.customer_id,
            currency_code=self.currency_code,
            nickname=self.nickname,
        )
        return pb.OpenAccountResponse(
            account=encode.stored_account(pocket, account),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class PocketCommand(Command):
    """A command about one wallet account, which its owner or the bank may give."""

    __slots__ = ("account_id", "actor")

    def __init__(
        self, book: int, request: RequestKey | None, *, account_id: AccountId, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.account_id = account_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the pocket, then its ledger account."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(POCKET, self.account_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.account_id)

    def load(self, working_set: WorkingSet) -> tuple[PocketRow, AccountRow]:
        """Return the pocket and its account.

        Raises:
            Refusal: ACCOUNT_NOT_FOUND when there is none, or it is another customer's.
        """
        pocket = working_set.get(POCKET, self.account_id)
        account = working_set.get(ACCOUNT, self.account_id)
        if pocket is None or account is None or not self.actor.may_use(pocket.customer_id):
            raise account_not_found(self.account_id)
        return pocket, account


class FreezeAccount(PocketCommand):
    """Stop an account from paying, or from paying and receiving."""

    __slots__ = ("reason_text", "target")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        account_id: AccountId,
        actor: Actor,
        only_outgoing: bool,
        reason_text: str,
    ) -> None:
        super().__init__(book, request, account_id=account_id, actor=actor)
        self.target = AccountState.DEBIT_FROZEN if only_outgoing else AccountState.FROZEN
        self.reason_text = reason_text

    def decide(self, working_set: WorkingSet) -> bytes:
        """Freeze, and remember whose freeze it is."""
        pocket, account = self.load(working_set)
        by_bank = self.actor.is_bank
        model.check_freeze(account, self.target, by_bank=by_bank)
        if account.state == self.target:
            account = working_set.edit(ACCOUNT, self.account_id)
            enter_state(working_set, account, self.target, self.reason_text, by_owner=not by_bank)
        else:
            account = change_state(
                working_set,
                self.account_id,
                self.target,
                self.reason_text,
                by_owner=not by_bank,
            )
        return pb.FreezeAccountResponse(
            account=encode.stored_account(pocket, account),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class UnfreezeAccount(PocketCommand):
    """Lift a freeze."""

    __slots__ = ("gate", "reason_text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        account_id: AccountId,
        actor: Actor,
        reason_text: str,
        gate: Gate | None = None,
    ) -> None:
        super().__init__(book, request, account_id=account_id, actor=actor)
        self.reason_text = reason_text
        self.gate = gate
        """What has to approve; None where nothing has to."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what approves too."""
        yield from super().keys(working_set, stage)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Open the account again, once approved."""
        pocket, account = self.load(working_set)
        model.check_unfreeze(account, by_bank=self.actor.is_bank)
        if self.gate is not None:
            text = f"Lift the freeze of {ACCOUNT_TEXT.encode(self.account_id)}."
            self.gate.demand(working_set, Intent(operation=Operation.UNFREEZE, text=text))
        account = change_state(working_set, self.account_id, AccountState.OPEN, self.reason_text)
        return pb.UnfreezeAccountResponse(
            account=encode.stored_account(pocket, account),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)


class CloseAccount(PocketCommand):
    """Close an account for ever, and sweep what it has left."""

    __slots__ = ("sweep_id", "sweep_to")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        account_id: AccountId,
        actor: Actor,
        sweep_to: AccountId | None,
        sweep_id: TransactionId,
    ) -> None:
        super().__init__(book, request, account_id=account_id, actor=actor)
        self.sweep_to = sweep_to
        self.sweep_id = sweep_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the pocket, its account and the account to sweep to."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_ACCOUNT and self.sweep_to is not None:
            yield RowKey(ACCOUNT, self.sweep_to)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Sweep and close."""
        _, account = self.load(working_set)
        model.check_close(account)
        # Looked at even when nothing is left: whether an id is accepted must not depend on the
        # balance, which a payment arriving meanwhile may change.
        target = self._sweep_target(working_set)
        swept: money_pb2.Money | None = None
        if account.posted > 0:
            swept = encode.money(account.posted, account.currency_code)
            account = self._sweep(working_set, account, target)
        else:
            account = change_state(working_set, self.account_id, AccountState.CLOSED, "")
        pocket = working_set.edit(POCKET, self.account_id)
        pocket.closed_at_us = account.booked_at_us
        return pb.CloseAccountResponse(
            account=encode.stored_account(pocket, account),
            swept=swept,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _sweep(
        self, working_set: WorkingSet, account: AccountRow, target: AccountRow | None
    ) -> AccountRow:
        """Move what is left and close the account by the same posting.

        Raises:
            Refusal: SWEEP_ACCOUNT_REQUIRED.
        """
        if target is None:
            raise Refusal(
                "SWEEP_ACCOUNT_REQUIRED",
                "the account has money, and no account to sweep it to was named",
                field="sweep_to_account_id",
            )
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.sweep_id,
                debit_account_id=account.account_id,
                credit_account_id=target.account_id,
                currency_code=account.currency_code,
                amount=account.posted,
                code=PostingCode.SWEEP,
                closes_debit_account=True,
            ),
        )
        closed = working_set.edit(ACCOUNT, account.account_id)
        enter_state(working_set, closed, closed.state, "")
        return closed

    def _sweep_target(self, working_set: WorkingSet) -> AccountRow | None:
        """Return the account that was named to sweep to, if any.

        Raises:
            Refusal: CREDIT_ACCOUNT_NOT_FOUND, also for an account of somebody else.
        """
        if self.sweep_to is None:
            return None
        target = working_set.get(ACCOUNT, self.sweep_to)
        usable = (
            target is not None
            and target.chart_code == CUSTOMER_DEPOSITS
            and self.sweep_to != self.account_id
            and self.actor.may_use(target.owner_id)
        )
        if target is None or not usable:
            raise Refusal(
                "CREDIT_ACCOUNT_NOT_FOUND",
                "no such account",
                metadata={"account_id": ACCOUNT_TEXT.encode(self.sweep_to)},
                field="sweep_to_account_id",
            )
        return target
