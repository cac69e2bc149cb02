"""The guard of one movement: it is judged in the transaction that makes it, and what follows done.

A command names the guard's rows after its own, asks it before approval and booking, and settles it
once the movement is booked. A command that is refused lets the guard leave what that leaves behind:
the decision, the freeze, what the customer is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from longmen_server.challenges.model import NOTHING, NeedsAuth, is_enough
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_JUDGEMENT
from longmen_server.identity.tables import DEVICE
from longmen_server.kyc.standing import pack_now
from longmen_server.ledger.model import check_debit
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits.movement import MOVELESS, Asker, Channel, Movement, MovementKind
from longmen_server.limits.tables import FACTS
from longmen_server.platform.ids import TransactionId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk import effects
from longmen_server.risk.judge import evaluate
from longmen_server.risk.model import FreezeScope, Outcome, OutcomeKind, SubjectKind
from longmen_server.risk.rows import DecisionRow, PartyKind, rejected
from longmen_server.risk.scene import Scene, reference_amount
from longmen_server.risk.snapshot import encode_snapshot, tried_outcome
from longmen_server.risk.subjects import SubjectKey, pair_key
from longmen_server.risk.tables import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.challenges.gate import Gate
    from longmen_server.challenges.model import Decision
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import (
        AccountId,
        CustomerId,
        DecisionId,
        DeviceId,
        MerchantId,
        TerminalId,
    )
    from longmen_server.risk.desk import Snapshot

__all__ = [
    "CLEAR",
    "Guard",
    "Verdict",
    "carried_out_as",
    "guard_keys",
    "judge",
    "judge_device",
    "settle",
]

HOLDABLE: Final = frozenset({MovementKind.TRANSFER, MovementKind.WITHDRAWAL})
"""Movements whose money can be held. At the till nobody waits, and money that stays with its owner
has nobody to be kept from: there what would be held is declined."""
IN_STOPPED: Final = frozenset({FreezeScope.ONLY_IN, FreezeScope.FULL})
OUT_STOPPED: Final = frozenset({FreezeScope.ONLY_OUT, FreezeScope.FULL})
SECOND_US: Final = 1_000_000
DECLINED: Final = Outcome(OutcomeKind.DECLINE)
KINDS: Final = {kind: kind.name.lower() for kind in PartyKind}
"""Kinds of parties as features have them."""
PAID_FROM: Final = frozenset(
    {
        MovementKind.TRANSFER,
        MovementKind.WITHDRAWAL,
        MovementKind.PAYMENT,
        MovementKind.STATIC_CODE_PAYMENT,
        MovementKind.PAYER_CODE_PAYMENT,
        MovementKind.MANDATE_CHARGE,
    }
)
"""Movements that are paid from what the payer has when they are judged. What limit orders exchange
is held before."""
UNPAYABLE: Final = frozenset({"DEBIT_ACCOUNT_CLOSED", "DEBIT_ACCOUNT_FROZEN", "INSUFFICIENT_FUNDS"})
"""What the ledger says of a payer who cannot pay."""
NO_KEY: Final = bytes(16)
"""Key of movements that nobody pays, for rules in stages."""


class Bought(Protocol):
    """What is paid for: an order, or the sale that becomes one."""

    @property
    def merchant_id(self) -> MerchantId:
        """Who sells it."""

    @property
    def terminal_id(self) -> TerminalId | None:
        """The till, if it is sold at one."""


class Party(NamedTuple):
    """Whose account it is."""

    party: bytes
    kind: PartyKind


class Verdict(NamedTuple):
    """What was decided about a movement, and what it takes to carry it out."""

    outcome: Outcome
    row: DecisionRow | None = None
    """The record; None where nothing was judged."""
    scene: Scene | None = None
    movement: Movement | None = None

    @property
    def least(self) -> Decision:
        """What has to approve the movement at least."""
        if self.outcome.kind != OutcomeKind.STEP_UP:
            return NOTHING
        return effects.strong(self.outcome.strength or 1)

    @property
    def delay_s(self) -> int:
        """For how many seconds the money is held; 0 for not at all, or until somebody looked."""
        return self.outcome.strength if self.outcome.kind == OutcomeKind.DELAY else 0

    @property
    def is_reviewed(self) -> bool:
        """Whether the money is held until somebody has looked at it."""
        return self.outcome.kind == OutcomeKind.REVIEW

    def held(self, movement: Movement) -> Movement:
        """Return the movement as it is made: held, where risk holds its money."""
        if self.is_reviewed or self.delay_s:
            return replace(movement, is_held=True)
        return movement

    def due_at(self, due_at_us: int | None, now_us: int) -> int | None:
        """Return when the money is paid out that was to be paid at a time, or at once."""
        if not self.delay_s:
            return due_at_us
        return max(due_at_us or 0, now_us + self.delay_s * SECOND_US)


CLEAR: Final = Verdict(Outcome(OutcomeKind.ALLOW))
"""Of what nobody judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What judges one movement of one request."""

    snapshot: Snapshot
    """The rules in force when the request came."""
    decision_id: DecisionId
    in_session: bool = False
    """Whether the payer asks in a session, and so can be asked to approve."""
    approved: int = 0
    """Bits of the kinds of factors that approved it beforehand, where it was agreed on earlier."""
    address: str = ""
    """Where a customer's request comes from; empty where that tells nothing."""
    address_tag: bytes = b""
    """Keyed digest of it, 16 bytes."""

    def keys(
        self,
        working_set: WorkingSet,
        stage: int,
        *,
        payer_id: AccountId | None = None,
        payee_id: AccountId | None = None,
        merchant_id: MerchantId | None = None,
        terminal_id: TerminalId | None = None,
        device_id: DeviceId | None = None,
        customer_id: CustomerId | None = None,
    ) -> Iterable[RowKey]:
        """Name classes and device with the accounts, and then what is counted of the parties.

        The customer is named for acts without money, which no account tells of.
        """
        if stage == STAGE_ACCOUNT:
            for account_id in (payer_id, payee_id):
                if account_id is not None:
                    yield RowKey(FACTS, account_id)
            if device_id is not None:
                yield RowKey(DEVICE, device_id)
        elif stage == STAGE_JUDGEMENT:
            payer = _party(working_set, payer_id)
            payee = _party(working_set, payee_id, merchant_id)
            for key in self._subjects(payer, payee):
                yield RowKey(SUBJECT, key)
            if customer_id is not None:
                yield RowKey(SUBJECT, SubjectKey(SubjectKind.PARTY, customer_id))
            for kind, who in (
                (SubjectKind.DEVICE, device_id),
                (SubjectKind.ADDRESS, self.address_tag),
                (SubjectKind.TERMINAL, terminal_id),
            ):
                if who:
                    yield RowKey(SUBJECT, SubjectKey(kind, who))

    def _subjects(self, payer: Party | None, payee: Party | None) -> Iterable[SubjectKey]:
        for party in (payer, payee):
            if party is not None:
                yield SubjectKey(SubjectKind.PARTY, party.party)
        if payer is not None and payee is not None and self.snapshot.reads_pairs:
            yield pair_key(payer.party, payee.party)

    def judge(self, working_set: WorkingSet, movement: Movement) -> Verdict:
        """Return what is to happen to a movement; its accounts are there.

        Raises:
            Refusal: RISK_FROZEN for a payer who is frozen, CREDIT_ACCOUNT_FROZEN for a payee,
                RISK_REJECTED for what is declined, or what the ledger says of what the payer could
                not pay anyway.
        """
        began = perf_counter_ns()
        scene = self._scene(working_set, movement)
        if movement.kind not in MOVELESS:
            _check_frozen(scene)
        snapshot, now_us = self.snapshot, working_set.now_us
        key = (scene.payer_party or NO_KEY)[:16]
        plan = snapshot.plans[movement.kind]
        values, faults = plan.compute(scene)
        evaluation = evaluate(snapshot.rules, snapshot.card, values, faults, now_us=now_us, key=key)
        kind = movement.kind
        wanted = carried_out_as(evaluation.outcome, kind, can_approve=True)
        # By code the payer is asked on the phone that showed it; a top-up has no gate to pass.
        can_approve = (
            kind == MovementKind.PAYER_CODE_PAYMENT
            or (self.in_session and kind != MovementKind.TOP_UP)
            or is_enough(self.approved, wanted.strength or 1)
        )
        outcome = carried_out_as(evaluation.outcome, kind, can_approve=can_approve)
        row = DecisionRow(
            decision_id=self.decision_id,
            transaction_id=movement.transaction_id,
            payer_id=movement.payer_id,
            payee_id=movement.payee_id,
            party=scene.payer_party or scene.payee_party or None,
            payee_party=scene.payee_party or None if scene.payer_party else None,
            terminal_id=movement.terminal_id,
            amount=scene.amount,
            kind=movement.kind,
            outcome=outcome.kind,
            strength=outcome.strength,
            target=outcome.target,
            tried_outcome=tried_outcome(evaluation),
            is_made=outcome.kind < OutcomeKind.DECLINE,
            rules_version=snapshot.rules.version,
            card_version=0 if snapshot.card is None else snapshot.card.version,
            latency_us=(perf_counter_ns() - began) // 1000,
            decided_at_us=now_us,
            reason=evaluation.reason,
            rules_digest=snapshot.rules.digest,
            card_digest=b"" if snapshot.card is None else snapshot.card.digest,
            snapshot=encode_snapshot(plan, values, evaluation, key, can_approve=can_approve),
        )
        verdict = Verdict(outcome, row, scene, movement)
        working_set.aside[self.decision_id] = verdict
        if outcome.kind >= OutcomeKind.DECLINE:
            raise _stopped(working_set, movement, row)
        return verdict

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave what risk's own refusal leaves: decision, freeze, notice; nothing for another's."""
        verdict: Verdict | None = working_set.aside.get(self.decision_id)
        if verdict is None or verdict.row is None or not _is_risks(verdict, refusal):
            return
        if refusal.reason in UNPAYABLE and verdict.outcome.kind == OutcomeKind.DECLINE:
            effects.count_refused(working_set, verdict)
            return
        refused = verdict._replace(row=verdict.row._replace(is_made=False))
        effects.leave_refused(working_set, refused)

    def _scene(self, working_set: WorkingSet, movement: Movement) -> Scene:
        payer_row = _account(working_set, movement.payer_id)
        payee_row = _account(working_set, movement.payee_id)
        payer = _owner(payer_row)
        if movement.kind in MOVELESS and movement.customer_id is not None:
            payer = Party(movement.customer_id, PartyKind.CUSTOMER)
        merchant_id = movement.merchant_id
        payee = _owner(payee_row) if merchant_id is None else Party(merchant_id, PartyKind.MERCHANT)
        pack = pack_now(working_set)
        asker = movement.asker
        device_id = asker.device_id
        device = None if device_id is None else working_set.get(DEVICE, device_id)

        currency, reference, equivalents = movement.currency_code, pack.currency, pack.equivalents
        amount = reference_amount(movement.amount, currency, reference, equivalents)
        scene = Scene(
            kind=movement.kind,
            channel=asker.channel,
            amount=amount,
            amount_minor=movement.amount,
            currency_code=currency,
            now_us=working_set.now_us,
            is_own=movement.is_own,
            payer_id=movement.payer_id or b"",
            payee_id=movement.payee_id or b"",
            customer_id=movement.customer_id or b"",
            merchant_id=movement.merchant_id or b"",
            device_id=device_id or b"",
            device_since_us=None if device is None else device.enrolled_at_us,
            address=self.address,
            payer_class=_class(working_set, movement.payer_id),
            payee_class=_class(working_set, movement.payee_id),
            lists=self.snapshot.lists,
        )
        if payer is not None:
            scene.payer_party, scene.payer_kind = payer.party, KINDS[payer.kind]
            scene.payer = effects.subject(working_set, SubjectKind.PARTY, payer.party)
        if payee is not None:
            scene.payee_party, scene.payee_kind = payee.party, KINDS[payee.kind]
            scene.payee = effects.subject(working_set, SubjectKind.PARTY, payee.party)
        if payer_row is not None:
            scene.payer_since_us = payer_row.created_at_us
            available = max(payer_row.available, 0)
            scene.available = reference_amount(available, currency, reference, equivalents)
        if payee_row is not None:
            scene.payee_since_us = payee_row.created_at_us
        if payer is not None and payee is not None and self.snapshot.reads_pairs:
            scene.pair = effects.pair(working_set, payer.party, payee.party)
        if device_id is not None:
            scene.device = effects.subject(working_set, SubjectKind.DEVICE, device_id)
        if self.address_tag:
            scene.origin = effects.subject(working_set, SubjectKind.ADDRESS, self.address_tag)
        if movement.terminal_id is not None:
            scene.terminal = effects.subject(
                working_set, SubjectKind.TERMINAL, movement.terminal_id
            )
        return scene


def judge(working_set: WorkingSet, guard: Guard | None, movement: Movement) -> Verdict:
    """Return what is to happen to a movement, before it is counted, approved and booked.

    Raises:
        Refusal: as :meth:`Guard.judge`.
    """
    return CLEAR if guard is None else guard.judge(working_set, movement)


def judge_device(
    working_set: WorkingSet,
    guard: Guard | None,
    customer_id: CustomerId,
    channel: Channel = Channel.CUSTOMER,
) -> Verdict:
    """Return what is to happen to a customer's new device, before it is enrolled or paired.

    Raises:
        Refusal: RISK_REJECTED.
    """
    if guard is None:
        return CLEAR
    movement = Movement(
        kind=MovementKind.NEW_DEVICE,
        asker=Asker(channel, None, guard.approved or None, guard.address),
        # No money moves, so no transaction has this id; a case about it has.
        transaction_id=TransactionId(guard.decision_id),
        amount=0,
        currency_code=pack_now(working_set).currency,
        customer_id=customer_id,
    )
    return guard.judge(working_set, movement)


def guard_keys(
    working_set: WorkingSet,
    stage: int,
    guard: Guard | None,
    gate: Gate | None,
    *,
    payer_id: AccountId | None,
    bought: Bought | None,
) -> Iterable[RowKey]:
    """Name the guard's rows for a payment to a merchant, if anything guards it."""
    if guard is not None and bought is not None:
        yield from guard.keys(
            working_set,
            stage,
            payer_id=payer_id,
            merchant_id=bought.merchant_id,
            terminal_id=bought.terminal_id,
            device_id=None if gate is None else gate.device_id,
        )


def settle(working_set: WorkingSet, verdict: Verdict) -> None:
    """Keep the decision about a movement that was booked, and count it."""
    if verdict.row is not None:
        effects.leave_made(working_set, verdict)


def carried_out_as(outcome: Outcome, kind: int, *, can_approve: bool) -> Outcome:
    """Return what an outcome comes to for a movement, where it makes no sense as it is.

    Args:
        outcome: of rules and scorecard.
        kind: of the movement.
        can_approve: whether somebody can be asked to approve it.
    """
    if outcome.kind in {OutcomeKind.DELAY, OutcomeKind.REVIEW} and kind not in HOLDABLE:
        outcome = Outcome(OutcomeKind.STEP_UP, 2) if kind in MOVELESS else DECLINED
    if outcome.kind == OutcomeKind.STEP_UP and not can_approve:
        return DECLINED
    return outcome


def _stopped(working_set: WorkingSet, movement: Movement, row: DecisionRow) -> Refusal:
    """Return the refusal of what risk stops: the ledger's, of what could not be paid anyway.

    A freeze is carried out all the same: whoever tries to take more than there is tries to take it.
    """
    payer = _account(working_set, movement.payer_id)
    if row.outcome == OutcomeKind.DECLINE and movement.kind in PAID_FROM and payer is not None:
        try:
            check_debit(payer, movement.amount)
        except Refusal as unpayable:
            return unpayable
    return rejected(row)


def _is_risks(verdict: Verdict, refusal: Refusal) -> bool:
    if verdict.outcome.kind == OutcomeKind.STEP_UP:
        # An approval that still waits was recorded when it was first asked for.
        return refusal.reason == "STEP_UP_UNAVAILABLE" or (
            isinstance(refusal, NeedsAuth) and refusal.is_new
        )
    # Declined, it went no further; merchants are told so in other words.
    return verdict.outcome.kind >= OutcomeKind.DECLINE


def _check_frozen(scene: Scene) -> None:
    """Refuse what a freeze stops.

    Raises:
        Refusal: RISK_FROZEN, CREDIT_ACCOUNT_FROZEN.
    """
    if scene.payer is not None and scene.payer.frozen in OUT_STOPPED:
        raise effects.payer_frozen(scene.payer)
    if scene.payee is not None and scene.payee.frozen in IN_STOPPED:
        raise effects.payee_frozen()


def _account(working_set: WorkingSet, account_id: AccountId | None) -> AccountRow | None:
    return None if account_id is None else working_set.get(ACCOUNT, account_id)


def _party(
    working_set: WorkingSet, account_id: AccountId | None, merchant_id: MerchantId | None = None
) -> Party | None:
    """Return whose an account is; None where there is no such account."""
    if merchant_id is not None:
        return Party(merchant_id, PartyKind.MERCHANT)
    return _owner(_account(working_set, account_id))


def _owner(row: AccountRow | None) -> Party | None:
    """Return whose an account is; None where there is none."""
    if row is None:
        return None
    if row.owner_id is not None:
        return Party(row.owner_id, PartyKind.CUSTOMER)
    return Party(row.account_id, PartyKind.ACCOUNT)


def _class(working_set: WorkingSet, account_id: AccountId | None) -> int:
    if account_id is None:
        return 0
    found = working_set.get(FACTS, account_id)
    return 0 if found is None else found.identification_class
