"""The commands of devices that show codes: what each needs, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import order_pb2
from longmen.payments.v1 import payer_codes_service_pb2 as pb
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.identity.sealed_reply import pack
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.payer_codes import encode
from longmen_server.payer_codes.model import (
    PayerCodeRow,
    PayerCodeState,
    payer_code_not_found,
)
from longmen_server.payer_codes.tables import HANDLE, PAYER_CODE
from longmen_server.payments.commands import move
from longmen_server.payments.model import Step, advance, order_not_found
from longmen_server.payments.tables import ORDER
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.payer_codes.model import CodeDevice
    from longmen_server.platform.ids import AccountId, OrderId

__all__ = ["DeclineScan", "EnrolPayerCode", "RenewPayerCode", "RevokePayerCode"]


class _OfDevice(Command):
    """A command about the codes of one device."""

    __slots__ = ("device",)

    def __init__(self, book: int, request: RequestKey | None, *, device: CodeDevice) -> None:
        super().__init__(book, request)
        self.device = device

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the device by its owner, then by its number."""
        if stage == STAGE_POINTER:
            yield RowKey(HANDLE, self.device)
        elif stage == STAGE_LINK:
            handle = working_set.get(HANDLE, self.device)
            if handle is not None:
                yield RowKey(PAYER_CODE, handle)

    def find(self, working_set: WorkingSet) -> PayerCodeRow:
        """Return the device.

        Raises:
            Refusal: PAYER_CODE_NOT_FOUND when it shows no codes.
        """
        handle = working_set.get(HANDLE, self.device)
        row = None if handle is None else working_set.get(PAYER_CODE, handle)
        if row is None or row.state != PayerCodeState.ACTIVE:
            raise payer_code_not_found()
        return row


class EnrolPayerCode(_OfDevice):
    """Give a device a secret to make codes with."""

    __slots__ = ("account_id", "actor", "gate", "handles", "sealed_reply", "sealed_secret")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        device: CodeDevice,
        account_id: AccountId,
        actor: Actor,
        handles: Sequence[int],
        sealed_secret: bytes,
        sealed_reply: bytes,
        gate: Gate | None,
    ) -> None:
        """Take what the enrolment is to be.

        Args:
            book: the customer's.
            request: the request's key.
            device: whose codes they are.
            account_id: what is paid from.
            actor: the customer.
            handles: numbers for a device without one, of which the first free one is taken.
            sealed_secret: the secret as it is kept.
            sealed_reply: the secret as the recorded reply has it.
            gate: what has to approve.
        """
        super().__init__(book, request, device=device)
        self.account_id = account_id
        self.actor = actor
        self.handles = handles
        self.sealed_secret = sealed_secret
        self.sealed_reply = sealed_reply
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the device, the numbers it may get, and the account."""
        yield from super().keys(working_set, stage)
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_LINK:
            for handle in self.handles:
                yield RowKey(PAYER_CODE, handle)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(ACCOUNT, self.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Enrol it, once approved; what it had before is void."""
        account = working_set.get(ACCOUNT, self.account_id)
        currency_code = "" if account is None else account.currency_code
        find_wallet_account(working_set, self.account_id, currency_code, self.actor)
        if self.gate is not None:
            text = f"Show payment codes of {ACCOUNT_TEXT.encode(self.account_id)} on this device."
            self.gate.demand(working_set, Intent(operation=Operation.FACTOR_CHANGE, text=text))
        row = self._row(working_set, currency_code)
        row.account_id = self.account_id
        row.currency_code = currency_code
        row.state = PayerCodeState.ACTIVE
        row.secret = self.sealed_secret
        row.used = b""
        # Strictly later than before, so that a code of the old secret is never taken for the new.
        row.enrolled_at_us = max(working_set.next_stamp(), row.enrolled_at_us + 1)
        row.renew(working_set.now_us)
        row.version += 1
        tell(working_set, row)
        reply = pb.EnrolPayerCodeResponse(
            payer_code=encode.payer_code(row, working_set.now_us),
            committed_at=working_set.committed_at,
        )
        return pack(reply.SerializeToString(), self.sealed_reply)

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def _row(self, working_set: WorkingSet, currency_code: str) -> PayerCodeRow:
        """Return the device's row to change: the one it has, or a new one."""
        handle = working_set.get(HANDLE, self.device)
        if handle is None:
            handle = self._free_handle(working_set)
            fresh = PayerCodeRow(
                handle=handle,
                customer_id=self.device.customer_id,
                device_id=self.device.device_id,
                account_id=self.account_id,
                currency_code=currency_code,
                state=PayerCodeState.ACTIVE,
                secret=b"",
                used=b"",
                enrolled_at_us=0,
                renewed_at_us=0,
                spent_count=0,
                spent_amount=0,
                wrong_count=0,
                last_order_id=None,
                version=0,
            )
            working_set.insert(PAYER_CODE, handle, fresh)
            working_set.insert(HANDLE, self.device, handle)
        return working_set.edit(PAYER_CODE, handle)

    def _free_handle(self, working_set: WorkingSet) -> int:
        for handle in self.handles:
            if working_set.get(PAYER_CODE, handle) is None:
                return handle
        refusal = Refusal("CONTENTION", "every number that was tried is taken; ask again")
        refusal.final = False
        raise refusal


class RenewPayerCode(_OfDevice):
    """Give a device that is online its whole budget back."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Renew it."""
        row = working_set.edit(PAYER_CODE, self.find(working_set).handle)
        row.renew(working_set.now_us)
        row.version += 1
        working_set.next_stamp()
        return pb.RenewPayerCodeResponse(
            payer_code=encode.payer_code(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class RevokePayerCode(_OfDevice):
    """Let no code of a device be taken any more."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Revoke it, and forget its secret."""
        row = working_set.edit(PAYER_CODE, self.find(working_set).handle)
        row.state = PayerCodeState.REVOKED
        row.secret = b""
        row.version += 1
        tell(working_set, row)
        return pb.RevokePayerCodeResponse(
            payer_code=encode.payer_code(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class DeclineScan(_OfDevice):
    """Turn down what the latest scan of a device asks."""

    __slots__ = ("order_id",)

    def __init__(
        self, book: int, request: RequestKey | None, *, device: CodeDevice, order_id: OrderId
    ) -> None:
        super().__init__(book, request, device=device)
        self.order_id = order_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the order too."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Let the till scan another code."""
        row = self.find(working_set)
        order = working_set.get(ORDER, self.order_id)
        if order is None or row.last_order_id != self.order_id:
            raise order_not_found(self.order_id)
        state = advance(order, Step.DECLINE, working_set.now_us)
        if order.state != state:
            order = move(working_set, self.order_id, state)
        return pb.DeclineScanResponse(
            state=order_pb2.OrderState.ValueType(order.state),
            committed_at=working_set.committed_at,
        ).SerializeToString()


def tell(working_set: WorkingSet, row: PayerCodeRow) -> None:
    """Tell by an event what became of a device's codes."""
    payload = encode.change(row)
    type_ = event_pb2.EVENT_TYPE_PAYER_CODE_CHANGED
    at_us = working_set.next_stamp()
    working_set.emit(Event(type_, row.customer_id, 0, at_us, payload, payload))
