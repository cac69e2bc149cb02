"""What a decision leaves behind: its record, what is counted, holds, freezes and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen_server.challenges.model import Decision
from longmen_server.engine.journal import Event
from longmen_server.factors.model import FactorKind, bits
from longmen_server.ledger.commands import change_state
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits.movement import MOVELESS, Channel
from longmen_server.platform.ids import CUSTOMER, DECISION, FREEZE, TRANSACTION, FreezeId
from longmen_server.platform.refusal import Refusal
from longmen_server.risk.model import FreezeScope, OutcomeKind, SubjectKind, Target
from longmen_server.risk.rows import (
    FreezeRow,
    FreezeState,
    HoldRow,
    HoldState,
    NoticeKind,
    NoticeRow,
    PartyKind,
)
from longmen_server.risk.subjects import Section, Subject, SubjectKey, pair_key
from longmen_server.risk.tables import DECISION_ROW, FREEZE_ROW, RISK_HOLD, RISK_NOTICE, SUBJECT
from longmen_server.riskcases.opening import open_for_decision

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import AccountId, DecisionId
    from longmen_server.risk.guard import Verdict
    from longmen_server.risk.rows import DecisionRow
    from longmen_server.risk.scene import Scene

__all__ = [
    "count_refused",
    "leave_made",
    "leave_refused",
    "notify",
    "pair",
    "payee_frozen",
    "payer_frozen",
    "place",
    "set_frozen",
    "strong",
    "subject",
    "tell_freeze",
]

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
RULES: Final = "rules"
"""Who placed a freeze that followed from a decision."""

STRONG_METHODS: Final = bits((FactorKind.PAYMENT_PIN, FactorKind.TOTP, FactorKind.PASSKEY))
"""Factors that approve what risk wants approved."""

STATES: Final = {
    FreezeScope.ONLY_IN: AccountState.CREDIT_FROZEN,
    FreezeScope.ONLY_OUT: AccountState.DEBIT_FROZEN,
    FreezeScope.FULL: AccountState.FROZEN,
}
"""State of the ledger's account that stops what a freeze stops, whoever asks."""

TOLD_WHEN_MADE: Final = {
    OutcomeKind.ALLOW_WITH_NOTICE: NoticeKind.ALLOWED,
    OutcomeKind.DELAY: NoticeKind.DELAYED,
    OutcomeKind.REVIEW: NoticeKind.REVIEWED,
}

_DECIDED: Final = event_pb2.EVENT_TYPE_RISK_DECIDED
_FROZEN: Final = event_pb2.EVENT_TYPE_RISK_FROZEN
_UNFROZEN: Final = event_pb2.EVENT_TYPE_RISK_UNFROZEN


# -- Subjects.


def subject(working_set: WorkingSet, kind: SubjectKind, who: bytes) -> Subject:
    """Return the state of a subject; an empty one, of nobody yet, where there is none."""
    key = SubjectKey(kind, who)
    return working_set.get(SUBJECT, key) or Subject(key)


def pair(working_set: WorkingSet, payer: bytes, payee: bytes) -> Subject:
    """Return the state of one party paying another."""
    key = pair_key(payer, payee)
    return working_set.get(SUBJECT, key) or Subject(key)


def _edit(working_set: WorkingSet, key: SubjectKey) -> Subject:
    """Return a state for the command to change, beginning it where there is none."""
    if working_set.get(SUBJECT, key) is None:
        row = Subject(key)
        working_set.insert(SUBJECT, key, row)
    else:
        row = working_set.edit(SUBJECT, key)
    now_us = working_set.now_us
    # Told by the day that it was seen on, at its end: a row whose indexed columns stay the same is
    # written in its place, and leaves the indexes alone.
    row.seen_at_us = now_us - now_us % DAY_US + DAY_US
    return row


def _count(working_set: WorkingSet, scene: Scene) -> None:
    """Count a movement that was made or held, with everybody who had a part in it."""
    now_s, amount = scene.now_s, scene.amount
    payer, payee = scene.payer_party, scene.payee_party
    between_own = scene.is_own and payer and payee
    if not between_own and scene.payer is not None:
        row = _edit(working_set, scene.payer.key)
        _safely(row, Section.OUT, now_s, amount)
        _note(row, now_s, (Section.PAYEES, payee), (Section.DEVICES, scene.device_id))
    if not between_own and scene.payee is not None:
        row = _edit(working_set, scene.payee.key)
        _safely(row, Section.IN, now_s, amount)
        _note(row, now_s, (Section.PAYERS, payer))
    if scene.pair is not None and not between_own:
        _safely(_edit(working_set, scene.pair.key), Section.OUT, now_s, amount)
    for source in (scene.device, scene.origin):
        if source is not None:
            row = _edit(working_set, source.key)
            _safely(row, Section.OUT, now_s, amount)
            _note(row, now_s, (Section.PAYERS, payer), (Section.PAYEES, payee))
    if scene.terminal is not None:
        row = _edit(working_set, scene.terminal.key)
        _safely(row, Section.IN, now_s, amount)
        _note(row, now_s, (Section.PAYERS, payer))


def _safely(row: Subject, section: Section, now_s: int, amount: int) -> None:
    """Count, unless what is stored cannot be read: then it stays, for whoever looks into it."""
    try:
        row.add(section, now_s, amount)
    except ValueError:
        return


def _note(row: Subject, now_s: int, *met: tuple[Section, bytes]) -> None:
    for section, who in met:
        if who:
            try:
                row.note(section, now_s, who)
            except ValueError:
                continue


# -- Decisions.


def leave_made(working_set: WorkingSet, verdict: Verdict) -> None:
    """Keep the decision about a movement that was booked, count it, and tell what is to be told."""
    row, scene = verdict.row, verdict.scene
    assert row is not None, "nothing was judged"
    assert scene is not None, "nothing was judged"
    working_set.append(DECISION_ROW, row)
    if scene.kind not in MOVELESS:
        _count(working_set, scene)
    if row.outcome == OutcomeKind.ALLOW:
        return
    _tell_decision(working_set, row, scene)
    told = TOLD_WHEN_MADE.get(OutcomeKind(row.outcome))
    if told is not None:
        notify(working_set, row.decision_id, told, scene.customer_id)
    if row.outcome in {OutcomeKind.DELAY, OutcomeKind.REVIEW}:
        state = HoldState.REVIEWED if verdict.is_reviewed else HoldState.DELAYED
        at_us = working_set.next_stamp()
        hold = HoldRow(row.transaction_id, row.decision_id, state, at_us, at_us)
        working_set.insert(RISK_HOLD, row.transaction_id, hold)
    open_for_decision(working_set, row, scene.customer_id)


def leave_refused(working_set: WorkingSet, verdict: Verdict) -> None:
    """Keep the decision about a movement that was refused, and freeze where it says so."""
    row, scene = verdict.row, verdict.scene
    assert row is not None, "nothing was judged"
    assert scene is not None, "nothing was judged"
    working_set.append(DECISION_ROW, row)
    _tell_decision(working_set, row, scene)
    count_refused(working_set, verdict)
    if row.outcome == OutcomeKind.FREEZE:
        _freeze(working_set, verdict, row, scene)
        open_for_decision(working_set, row, scene.customer_id)
    elif row.outcome == OutcomeKind.DECLINE and scene.channel != Channel.CUSTOMER:
        # In the app the customer is told by the answer itself.
        notify(working_set, row.decision_id, NoticeKind.DECLINED, scene.customer_id)


def count_refused(working_set: WorkingSet, verdict: Verdict) -> None:
    """Count an attempt that risk has refused, or would have, had there been the money for it."""
    scene = verdict.scene
    if scene is not None and scene.payer_party:
        payer = _edit(working_set, SubjectKey(SubjectKind.PARTY, scene.payer_party))
        _safely(payer, Section.REFUSED, scene.now_s, scene.amount)


def _tell_decision(working_set: WorkingSet, row: DecisionRow, scene: Scene) -> None:
    customer = scene.customer_id
    payload = event_pb2.RiskDecisionMade(
        decision_id=DECISION.encode(row.decision_id),
        outcome=OutcomeKind(row.outcome).name,
        reason=row.reason,
        customer_id=CUSTOMER.encode(customer) if customer else "",  # type: ignore[arg-type]
        transaction_id=TRANSACTION.encode(row.transaction_id),
    ).SerializeToString(deterministic=True)
    at_us = working_set.next_stamp()
    working_set.emit(Event(_DECIDED, row.decision_id, 0, at_us, payload, payload))


def notify(
    working_set: WorkingSet, decision_id: DecisionId, kind: NoticeKind, customer_id: bytes
) -> None:
    """Let a customer be told of a decision or a freeze; nobody is told of what nobody owns."""
    if customer_id:
        row = NoticeRow(decision_id, kind, customer_id, working_set.now_us, done=False)
        working_set.insert(RISK_NOTICE, (decision_id, int(kind)), row)


# -- Freezes.


def _freeze(working_set: WorkingSet, verdict: Verdict, row: DecisionRow, scene: Scene) -> None:
    """Freeze whom the outcome says, unless a freeze holds already."""
    outcome = verdict.outcome
    at_payee = outcome.target == Target.PAYEE
    party = scene.payee_party if at_payee else scene.payer_party
    kind = scene.payee_kind if at_payee else scene.payer_kind
    account_id = row.payee_id if at_payee else row.payer_id
    if not party or subject(working_set, SubjectKind.PARTY, party).frozen:
        return
    freeze = FreezeRow(
        freeze_id=FreezeId(row.decision_id),
        party=party,
        party_kind=PartyKind[kind.upper()],
        state=FreezeState.ACTIVE,
        scope=outcome.strength or FreezeScope.FULL,
        account_id=account_id,
        account_state=_freeze_account(working_set, account_id, outcome.strength),
        by_decision=True,
        revocable=outcome.revocable,
        placed_at_us=0,
        changed_at_us=0,
        reason=row.reason,
        placed_by=RULES,
        lifted_by="",
        reason_text="",
    )
    place(working_set, freeze)
    if at_payee and scene.customer_id and scene.channel != Channel.CUSTOMER:
        notify(working_set, row.decision_id, NoticeKind.DECLINED, scene.customer_id)


def _freeze_account(working_set: WorkingSet, account_id: AccountId | None, scope: int) -> int:
    """Stop the movement's account in the ledger too; return the state it came to, or 0."""
    account = None if account_id is None else working_set.get(ACCOUNT, account_id)
    if account is None or account.state != AccountState.OPEN:
        return 0
    state = STATES[FreezeScope(scope or FreezeScope.FULL)]
    change_state(working_set, account.account_id, state, "risk")
    return int(state)


def place(working_set: WorkingSet, freeze: FreezeRow) -> None:
    """Begin a freeze: its row, the party's state, the event and the notice."""
    freeze.placed_at_us = freeze.changed_at_us = tell_freeze(working_set, freeze)
    working_set.insert(FREEZE_ROW, freeze.freeze_id, freeze)
    set_frozen(working_set, freeze.party, freeze.scope, freeze.freeze_id)
    if freeze.party_kind == PartyKind.CUSTOMER:
        told = NoticeKind.FROZEN
        notify(working_set, freeze.freeze_id, told, freeze.party)  # type: ignore[arg-type]


def set_frozen(
    working_set: WorkingSet, party: bytes, scope: int, freeze_id: FreezeId | None
) -> None:
    """Let a party be stopped, or be free with scope 0."""
    row = _edit(working_set, SubjectKey(SubjectKind.PARTY, party))
    row.frozen, row.freeze_id = scope, freeze_id


def tell_freeze(working_set: WorkingSet, freeze: FreezeRow) -> int:
    """Tell what a freeze is now by an event, and return when."""
    at_us = working_set.next_stamp()
    is_customer = freeze.party_kind == PartyKind.CUSTOMER
    payload = event_pb2.RiskFreezeChange(
        freeze_id=FREEZE.encode(freeze.freeze_id),
        state=FreezeState(freeze.state).name,
        scope=FreezeScope(freeze.scope).name,
        reason=freeze.reason,
        customer_id=CUSTOMER.encode(freeze.party) if is_customer else "",  # type: ignore[arg-type]
    ).SerializeToString(deterministic=True)
    type_ = _FROZEN if freeze.state == FreezeState.ACTIVE else _UNFROZEN
    working_set.emit(Event(type_, freeze.freeze_id, 0, at_us, payload, payload))
    return at_us


def strong(factors: int) -> Decision:
    """Return what approves what risk wants approved, with so many factors."""
    return Decision(factors, STRONG_METHODS)


def payer_frozen(row: Subject) -> Refusal:
    """Return the refusal of a payer who is frozen."""
    assert row.freeze_id is not None, "whoever is frozen has a freeze"
    return Refusal(
        "RISK_FROZEN",
        "the wallet is frozen by the protection against fraud",
        metadata={"freeze_id": FREEZE.encode(row.freeze_id)},
    )


def payee_frozen() -> Refusal:
    """Return the refusal of a payee who is frozen, as the ledger has it; no payer is told why."""
    return Refusal("CREDIT_ACCOUNT_FROZEN", "the account to credit takes no credits at present")
