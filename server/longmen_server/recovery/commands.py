"""The commands of resets: begun by two members of staff, turned down, or taking effect by time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import factor_reset_service_pb2 as pb
from longmen_server.accounts.model import customer_erased, wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.factors.change import active_kinds, refresh_security, tell_factor
from longmen_server.factors.commands import unblock
from longmen_server.factors.model import FactorKind, FactorState, places
from longmen_server.factors.tables import FACTOR, SECURITY
from longmen_server.identity.model import EndCause
from longmen_server.identity.steps import end_sessions, open_session_keys, revoke_device
from longmen_server.identity.tables import DEVICE, DEVICE_COUNT
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import CUSTOMER
from longmen_server.recovery import encode, model
from longmen_server.recovery.change import set_state, tell
from longmen_server.recovery.model import ResetRow, ResetState
from longmen_server.recovery.tables import ACTIVE_DEVICES, FACTOR_RESET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.refusal import Refusal

__all__ = ["DONE", "PASSED", "CancelFactorReset", "EffectReset", "ResetFactors"]

DONE: Final = b"done"
PASSED: Final = b"passed"
"""What became of a reset that a job found due."""

CANCELLING: Final = "Turn down the bank's reset of what you prove yourself with."


class _ResetCommand(Command):
    """A command about a customer's reset."""

    __slots__ = ("customer_id", "notices")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        notices: Sequence[MessageRow] = (),
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.notices = notices
        """Tell the customer, on every channel there is."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet and its reset."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
            yield RowKey(FACTOR_RESET, self.customer_id)

    def tell_customer(self, working_set: WorkingSet) -> None:
        """Leave the notices behind."""
        for notice in self.notices:
            working_set.append(MESSAGE, notice)


class ResetFactors(_ResetCommand):
    """Begin a reset, which cools before it has any effect."""

    __slots__ = ("row",)

    def __init__(self, book: int, request: RequestKey | None, *, row: ResetRow) -> None:
        """Take the reset, whose effect still counts from zero."""
        super().__init__(book, request, customer_id=row.customer_id)
        self.row = row

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the customer's factors too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            for key in places(self.customer_id):
                yield RowKey(FACTOR, key)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Begin it, unless one cools already or nothing would go."""
        wallet = working_set.get(WALLET, self.customer_id)
        if wallet is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        if wallet.erased_at_us is not None:
            raise customer_erased()
        present = working_set.get(FACTOR_RESET, self.customer_id)
        model.check_begins(present)
        model.check_removes(self.row.kinds, active_kinds(working_set, self.customer_id))
        row = self._keep(working_set, is_first=present is None)
        self.tell_customer(working_set)
        return pb.ResetFactorsResponse(
            reset=encode.reset(row), committed_at=working_set.committed_at
        ).SerializeToString()

    def _keep(self, working_set: WorkingSet, *, is_first: bool) -> ResetRow:
        """Put the reset into the customer's place, instead of the one before."""
        # Plain numbers: an enum's member would read otherwise in what the journal keeps.
        fresh = replace(self.row, evidence=int(self.row.evidence), kinds=int(self.row.kinds))
        fresh.approved_at_us = working_set.now_us
        fresh.effective_at_us += working_set.now_us
        if is_first:
            working_set.insert(FACTOR_RESET, self.customer_id, fresh)
            row = fresh
        else:
            row = working_set.edit(FACTOR_RESET, self.customer_id)
            for name in ResetRow.__slots__:
                setattr(row, name, getattr(fresh, name))
        tell(working_set, row)
        return row


class CancelFactorReset(_ResetCommand):
    """Turn a reset down while it cools."""

    __slots__ = ("gate",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        gate: Gate | None,
        notices: Sequence[MessageRow] = (),
    ) -> None:
        super().__init__(book, request, customer_id=customer_id, notices=notices)
        self.gate = gate
        """What has to approve; None for the bank."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the gate needs too."""
        yield from super().keys(working_set, stage)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Cancel it, once approved, if it still cools."""
        if working_set.get(WALLET, self.customer_id) is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        row = working_set.get(FACTOR_RESET, self.customer_id)
        if row is None or row.state != ResetState.COOLING:
            raise model.not_found(self.customer_id)
        if self.gate is not None:
            intent = Intent(operation=Operation.FACTOR_CHANGE, text=CANCELLING)
            self.gate.demand(working_set, intent)
        row = set_state(working_set, self.customer_id, ResetState.CANCELLED)
        self.tell_customer(working_set)
        return pb.CancelFactorResetResponse(
            reset=encode.reset(row), committed_at=working_set.committed_at
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)


class EffectReset(_ResetCommand):
    """Remove the factors, revoke every device and end every session: the reset's time has come."""

    __slots__ = ()

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name factors, sessions and devices."""
        yield from super().keys(working_set, stage)
        yield from open_session_keys(working_set, stage, self.customer_id)
        if stage == STAGE_POINTER:
            yield RowKey(SECURITY, self.customer_id)
            for key in places(self.customer_id):
                yield RowKey(FACTOR, key)
        elif stage == STAGE_LINK:
            yield RowKey(ACTIVE_DEVICES, self.customer_id)
            yield RowKey(DEVICE_COUNT, self.customer_id)
        elif stage == STAGE_ACCOUNT:
            for device_id in working_set.get(ACTIVE_DEVICES, self.customer_id) or ():
                yield RowKey(DEVICE, device_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Do it, if it still is to be done."""
        row = working_set.get(FACTOR_RESET, self.customer_id)
        if row is None or not row.is_due(working_set.now_us):
            return PASSED
        self._remove_factors(working_set, row)
        # Whoever holds an old device could otherwise sign in by its key alone, and set what is
        # missing now.
        for device_id in working_set.get(ACTIVE_DEVICES, self.customer_id) or ():
            revoke_device(working_set, device_id)
        end_sessions(working_set, self.customer_id, EndCause.FACTORS_RESET)
        set_state(working_set, self.customer_id, ResetState.EFFECTIVE)
        self.tell_customer(working_set)
        return DONE

    def _remove_factors(self, working_set: WorkingSet, row: ResetRow) -> None:
        """Remove what the reset is for, and what somebody has begun to set up."""
        type_ = event_pb2.EVENT_TYPE_FACTOR_REMOVED
        for key in places(self.customer_id):
            factor = working_set.get(FACTOR, key)
            if factor is None:
                continue
            goes = row.removes(factor)
            if not goes and factor.state != FactorState.PENDING:
                continue
            gone = working_set.edit(FACTOR, key)
            gone.state = FactorState.REMOVED
            gone.secret = b""
            gone.changed_at_us = max(working_set.now_us, factor.changed_at_us + 1)
            if goes:
                kind = FactorKind(factor.kind)
                tell_factor(working_set, type_, self.customer_id, kind, factor.factor_id)
        refresh_security(working_set, self.customer_id)
        unblock(working_set, self.customer_id)
