"""The gate in a command's way: it lets an approved request through, once, and nothing else.

A command of a customer with a session asks its gate before it changes anything. The gate finds the
challenge of the very request, and demands that request id and content are those it was made for and
that it is approved and still valid; it is used up in the same transaction as the command's effect.
Without one it decides by the policy whether one is needed, and leaves it behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen_server.challenges.cooling import check_cooling, cooling_device, use_cooling
from longmen_server.challenges.model import (
    NOTHING,
    OPEN_STATES,
    PROTECTING,
    ChallengeRow,
    ChallengeState,
    ContentChanged,
    Decision,
    Intent,
    KnownPayeeKey,
    KnownPayeeRow,
    NeedsAuth,
    Policy,
    is_enough,
    step_up_unavailable,
    stronger,
)
from longmen_server.challenges.tables import CHALLENGE, KNOWN_PAYEE, OPEN_CHALLENGE
from longmen_server.engine.command import RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.engine.request_log import FINGERPRINT_BYTES
from longmen_server.factors.model import FactorKind, SecurityRow, bit
from longmen_server.factors.tables import SECURITY
from longmen_server.identity.tables import DEVICE
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import CHALLENGE as CHALLENGE_TEXT
from longmen_server.platform.ids import AccountId, ChallengeId, CustomerId, DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.refusal import Refusal

__all__ = ["Gate", "count_exempt", "decision_for", "set_state", "tell_as", "tell_state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What stands in the way of one request of a customer."""

    customer_id: CustomerId
    request: RequestKey
    challenge_id: ChallengeId
    """Of the challenge to make, if one is needed."""
    policy: Policy
    device_id: DeviceId | None = None
    """The device that asks, which may be new; None for one that nobody enrolled."""

    def keys(
        self, working_set: WorkingSet, stage: int, payee_id: AccountId | None = None
    ) -> Iterable[RowKey]:
        """Name the customer's factors in brief, the request's challenge and the payee."""
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)
            yield RowKey(OPEN_CHALLENGE, self.request.digest)
        elif stage == STAGE_LINK:
            challenge_id = working_set.get(OPEN_CHALLENGE, self.request.digest)
            if challenge_id is not None:
                yield RowKey(CHALLENGE, challenge_id)
            if payee_id is not None:
                yield self.payee_key(payee_id)
        elif stage == STAGE_ACCOUNT and self.device_id is not None:
            yield RowKey(DEVICE, self.device_id)

    def payee_key(self, payee_id: AccountId) -> RowKey:
        """Name a payee; at a later stage than links too, since nobody locks who is known."""
        return RowKey(KNOWN_PAYEE, KnownPayeeKey(self.customer_id, payee_id))

    def approved(self, working_set: WorkingSet) -> int | None:
        """Return the bits of the kinds that have approved the request; None while nothing has."""
        present = self._present(working_set)
        if present is None or present.is_expired(working_set.now_us):
            return None
        return present.approved if present.state == ChallengeState.APPROVED else None

    def demand(self, working_set: WorkingSet, intent: Intent, least: Decision = NOTHING) -> None:
        """Let the request through if it is approved or needs no approval.

        Args:
            working_set: with the rows that :meth:`keys` names.
            intent: what is to be approved.
            least: what has to approve it at least, whatever the policy says.

        Raises:
            Refusal: NEEDS_AUTH with the challenge to approve, STEP_UP_UNAVAILABLE,
                CHALLENGE_CONTENT_CHANGED, DEVICE_COOLING.
        """
        check_cooling(working_set, self.device_id, intent, self.policy)
        content = intent.digest(self.request.content[:FINGERPRINT_BYTES])
        present = self._present(working_set)
        if present is None or present.is_expired(working_set.now_us):
            self._demand_anew(working_set, intent, content, least)
        elif present.content != content:
            raise ContentChanged(present.challenge_id)
        elif present.state != ChallengeState.APPROVED:
            raise NeedsAuth(present, is_new=False)
        elif not is_enough(present.approved, least.factors):
            # More is demanded than when it was asked for.
            self._demand_anew(working_set, intent, content, least)
        else:
            self._use(working_set, present, intent)
        use_cooling(working_set, self.device_id, intent, self.policy)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Keep a new challenge; close one whose request can no longer go through."""
        present = self._present(working_set)
        if isinstance(refusal, NeedsAuth):
            if not refusal.is_new:
                return
            if present is not None:
                set_state(working_set, present.challenge_id, ChallengeState.EXPIRED)
            row = refusal.row
            working_set.insert(CHALLENGE, row.challenge_id, row)
            working_set.insert(OPEN_CHALLENGE, row.request_key, row.challenge_id)
            tell_state(working_set, row)
        elif present is not None and refusal.final:
            # The request id is used up, so nothing can use the approval any more.
            set_state(working_set, present.challenge_id, ChallengeState.VOID)

    def _present(self, working_set: WorkingSet) -> ChallengeRow | None:
        """Return the request's challenge if it is open."""
        challenge_id = working_set.get(OPEN_CHALLENGE, self.request.digest)
        if challenge_id is None:
            return None
        row = working_set.get(CHALLENGE, challenge_id)
        return row if row is not None and row.state in OPEN_STATES else None

    def _demand_anew(
        self, working_set: WorkingSet, intent: Intent, content: bytes, least: Decision
    ) -> None:
        """Decide by the policy, as for a request never seen."""
        security = working_set.get(SECURITY, self.customer_id)
        kinds = 0 if security is None else security.kinds
        if intent.operation in PROTECTING and not kinds and not least.factors:
            return  # there is nothing yet to approve it with
        decision = decision_for(
            working_set,
            self.customer_id,
            intent,
            self.policy,
            is_known=self._is_known(working_set, intent),
            # A device that a code to the phone let in has shown that one already.
            by_message=cooling_device(working_set, self.device_id) is None,
            least=least,
        )
        if not decision.factors:
            count_exempt(working_set, self.customer_id)
            return
        valid_s = self.policy.at(business_date(working_set.now_us)).valid_s
        raise NeedsAuth(
            self._new_row(working_set.now_us, intent, content, decision, valid_s), is_new=True
        )

    def _is_known(self, working_set: WorkingSet, intent: Intent) -> bool:
        if intent.payee_id is None:
            return False
        key = KnownPayeeKey(self.customer_id, intent.payee_id)
        return working_set.get(KNOWN_PAYEE, key) is not None

    def _new_row(
        self, now_us: int, intent: Intent, content: bytes, decision: Decision, valid_s: int
    ) -> ChallengeRow:
        return ChallengeRow(
            challenge_id=self.challenge_id,
            customer_id=self.customer_id,
            request_key=self.request.digest,
            operation=intent.operation,
            state=ChallengeState.PENDING,
            factors_needed=decision.factors,
            methods=decision.methods,
            approved=0,
            amount=intent.amount,
            created_at_us=now_us,
            expires_at_us=now_us + valid_s * 1_000_000,
            changed_at_us=now_us,
            content=content,
            currency_code=intent.currency_code,
            payee=intent.payee,
            text=intent.text,
        )

    def _use(self, working_set: WorkingSet, row: ChallengeRow, intent: Intent) -> None:
        """Use the approval up, and remember whom it was given for."""
        set_state(working_set, row.challenge_id, ChallengeState.USED)
        if intent.payee_id is not None and not self._is_known(working_set, intent):
            known = KnownPayeeRow(self.customer_id, intent.payee_id, working_set.now_us)
            key = KnownPayeeKey(self.customer_id, intent.payee_id)
            working_set.insert(KNOWN_PAYEE, key, known)
        if working_set.get(SECURITY, self.customer_id) is not None:
            working_set.edit(SECURITY, self.customer_id).exempt_count = 0


def decision_for(
    working_set: WorkingSet,
    customer_id: CustomerId,
    intent: Intent,
    policy: Policy,
    *,
    is_known: bool,
    by_message: bool = False,
    least: Decision = NOTHING,
) -> Decision:
    """Return what has to approve what a customer is about to do; the customer's row is loaded.

    What is demanded is no less than `least`. Where `by_message` says so, who has set nothing up
    that counts may approve by a code by message, if the policy takes one.

    Raises:
        Refusal: STEP_UP_UNAVAILABLE when the customer has too little to approve with.
    """
    security = working_set.get(SECURITY, customer_id)
    decision = policy.at(business_date(working_set.now_us)).decide(
        intent,
        is_known=is_known,
        exempt_count=0 if security is None else security.exempt_count,
    )
    decision = stronger(decision, least)
    if not decision.factors:
        return decision
    methods = decision.methods & (0 if security is None else security.kinds)
    code = bit(FactorKind.MESSAGE_CODE)
    if not methods and by_message:
        methods = decision.methods & code
    if not is_enough(methods, decision.factors):
        raise step_up_unavailable(decision._replace(methods=decision.methods & ~code))
    return Decision(decision.factors, methods)


def count_exempt(working_set: WorkingSet, customer_id: CustomerId) -> None:
    """Count a payment that goes without approval."""
    if working_set.get(SECURITY, customer_id) is None:
        row = SecurityRow(customer_id, 0, 0, 0, working_set.now_us)
        working_set.insert(SECURITY, customer_id, row)
    working_set.edit(SECURITY, customer_id).exempt_count += 1


def set_state(
    working_set: WorkingSet, challenge_id: ChallengeId, state: ChallengeState
) -> ChallengeRow:
    """Bring a challenge to another state, and tell it."""
    row = working_set.edit(CHALLENGE, challenge_id)
    row.state = state
    row.changed_at_us = working_set.now_us
    tell_state(working_set, row)
    return row


def tell_state(working_set: WorkingSet, row: ChallengeRow) -> None:
    """Tell a challenge's state by an event."""
    tell_as(working_set, row, event_pb2.EVENT_TYPE_CHALLENGE_STATE_CHANGED)


def tell_as(
    working_set: WorkingSet, row: ChallengeRow, type_: event_pb2.EventType.ValueType
) -> None:
    """Tell by an event of some type what a challenge is now."""
    payload = event_pb2.ChallengeChange(
        challenge_id=CHALLENGE_TEXT.encode(row.challenge_id),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
    ).SerializeToString(deterministic=True)
    at_us = working_set.next_stamp()
    working_set.emit(Event(type_, row.customer_id, 0, at_us, payload, payload))
