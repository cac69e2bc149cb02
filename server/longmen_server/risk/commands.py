"""The commands of freezes: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.risk.v1 import risk_service_pb2 as pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_JUDGEMENT, STAGE_POINTER
from longmen_server.ledger.commands import change_state
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import CUSTOMER, FREEZE, CustomerId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import effects, encode
from longmen_server.risk.model import SubjectKind
from longmen_server.risk.rows import (
    FreezeRow,
    FreezeState,
    NoticeKind,
    PartyKind,
    freeze_not_found,
)
from longmen_server.risk.subjects import SubjectKey
from longmen_server.risk.tables import FREEZE_ROW, RISK_NOTICE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import DecisionId, FreezeId
    from longmen_server.risk.rows import NoticeRow

__all__ = ["LiftFreeze", "PlaceFreeze", "SendNotice"]

BY_CUSTOMER: Final = "customer"
BY_BANK: Final = "bank"
FACTORS_TO_LIFT: Final = 2
"""Factors that a customer proves to lift a freeze: whoever took a wallet over has rarely two."""


class PlaceFreeze(Command):
    """Stop a customer, with all accounts."""

    __slots__ = (
        "by",
        "customer_id",
        "freeze_id",
        "reason",
        "reason_text",
        "revocable",
        "scope",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        freeze_id: FreezeId,
        scope: int,
        reason: str,
        reason_text: str,
        revocable: bool,
        by: str,
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.freeze_id = freeze_id
        self.scope = scope
        self.reason = reason
        self.reason_text = reason_text
        self.revocable = revocable
        self.by = by

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet, and what is kept of the customer."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_JUDGEMENT:
            yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, self.customer_id))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Freeze, unless a freeze holds already."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        present = effects.subject(working_set, SubjectKind.PARTY, self.customer_id)
        if present.freeze_id is not None:
            raise Refusal(
                "FREEZE_EXISTS",
                "the customer is frozen already",
                metadata={"freeze_id": FREEZE.encode(present.freeze_id)},
            )
        freeze = FreezeRow(
            freeze_id=self.freeze_id,
            party=self.customer_id,
            party_kind=PartyKind.CUSTOMER,
            state=FreezeState.ACTIVE,
            scope=self.scope,
            account_id=None,
            account_state=0,
            by_decision=False,
            revocable=self.revocable,
            placed_at_us=0,
            changed_at_us=0,
            reason=self.reason,
            placed_by=self.by,
            lifted_by="",
            reason_text=self.reason_text,
        )
        effects.place(working_set, freeze)
        return pb.PlaceFreezeResponse(
            freeze=encode.freeze(freeze, for_bank=True), committed_at=working_set.committed_at
        ).SerializeToString()


class LiftFreeze(Command):
    """Let a party pay and receive again."""

    __slots__ = ("actor", "freeze_id", "gate", "reason_text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        freeze_id: FreezeId,
        actor: Actor,
        reason_text: str,
        gate: Gate | None = None,
    ) -> None:
        super().__init__(book, request)
        self.freeze_id = freeze_id
        self.actor = actor
        self.reason_text = reason_text
        self.gate = gate
        """What has to approve; None where nothing has to."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the freeze, its account and its party, and what approves."""
        if stage == STAGE_POINTER:
            yield RowKey(FREEZE_ROW, self.freeze_id)
        freeze = working_set.get(FREEZE_ROW, self.freeze_id)
        if freeze is not None and stage == STAGE_ACCOUNT and freeze.account_id is not None:
            yield RowKey(ACCOUNT, freeze.account_id)
        elif freeze is not None and stage == STAGE_JUDGEMENT:
            yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, freeze.party))
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Lift it once approved."""
        freeze = self._find(working_set)
        if self.gate is not None:
            text = f"Lift the freeze {FREEZE.encode(self.freeze_id)}."
            self.gate.demand(
                working_set,
                Intent(operation=Operation.UNFREEZE, text=text),
                effects.strong(FACTORS_TO_LIFT),
            )
        freeze = working_set.edit(FREEZE_ROW, self.freeze_id)
        freeze.state = FreezeState.LIFTED
        freeze.lifted_by = BY_BANK if self.actor.is_bank else BY_CUSTOMER
        freeze.reason_text = self.reason_text or freeze.reason_text
        freeze.changed_at_us = effects.tell_freeze(working_set, freeze)
        effects.set_frozen(working_set, freeze.party, 0, None)
        self._open(working_set, freeze)
        if freeze.party_kind == PartyKind.CUSTOMER:
            told = NoticeKind.UNFROZEN
            effects.notify(working_set, freeze.freeze_id, told, freeze.party)  # type: ignore[arg-type]
        return pb.LiftFreezeResponse(
            freeze=encode.freeze(freeze, for_bank=self.actor.is_bank),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def _find(self, working_set: WorkingSet) -> FreezeRow:
        freeze = working_set.get(FREEZE_ROW, self.freeze_id)
        if freeze is None or not self.actor.may_use(CustomerId(freeze.party)):
            raise freeze_not_found(self.freeze_id)
        told = {"freeze_id": FREEZE.encode(self.freeze_id)}
        if freeze.state != FreezeState.ACTIVE:
            raise Refusal("FREEZE_LIFTED", "the freeze was lifted already", metadata=told)
        if not self.actor.is_bank and not freeze.revocable:
            raise Refusal(
                "FREEZE_NOT_REVOCABLE", "only the bank can lift the freeze", metadata=told
            )
        return freeze

    def _open(self, working_set: WorkingSet, freeze: FreezeRow) -> None:
        """Open the movement's account again, if it is still as the freeze left it."""
        account_id = freeze.account_id
        account = None if account_id is None else working_set.get(ACCOUNT, account_id)
        if account is None or not freeze.account_state or account.frozen_by_owner:
            return
        if account.state == freeze.account_state:
            change_state(working_set, account.account_id, AccountState.OPEN, "risk")


class SendNotice(Command):
    """Turn what a customer is to be told into messages, once."""

    __slots__ = ("messages", "notice")

    def __init__(self, book: int, *, notice: NoticeRow, messages: Sequence[MessageRow]) -> None:
        super().__init__(book, None)
        self.notice = notice
        self.messages = messages

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the notice."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(RISK_NOTICE, self._key)

    @property
    def _key(self) -> tuple[DecisionId, int]:
        return (self.notice.decision_id, self.notice.kind)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Leave the messages, unless somebody has."""
        present = working_set.get(RISK_NOTICE, self._key)
        if present is None or present.done:
            return b"DONE"
        working_set.edit(RISK_NOTICE, self._key).done = True
        for message in self.messages:
            working_set.append(MESSAGE, message)
        return b"SENT"
