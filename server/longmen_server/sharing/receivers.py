"""The commands of receivers: who may be given shares. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import sharing_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.decode import decode_id
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.platform.ids import MERCHANT as MERCHANT_TEXT
from longmen_server.platform.ids import book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.sharing import encode, model
from longmen_server.sharing.model import ReceiverKey, ReceiverRow, ReceiverState
from longmen_server.sharing.tables import RECEIVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet

__all__ = ["AskReceiver", "ConfirmReceiver", "RemoveReceiver", "confirm_receiver"]


class _ReceiverCommand(Command):
    """A change of who may be given shares."""

    __slots__ = ("key",)

    def __init__(self, book: int, request: RequestKey | None, *, key: ReceiverKey) -> None:
        super().__init__(book, request)
        self.key = key

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name both merchants and what is between them."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.key.merchant_id)
            yield RowKey(MERCHANT, self.key.receiver_id)
        elif stage == STAGE_ACCOUNT:
            yield RowKey(RECEIVER, self.key)

    def change(self, working_set: WorkingSet, state: ReceiverState) -> ReceiverRow:
        """Bring the receiver to a state, and tell it."""
        row = working_set.edit(RECEIVER, self.key)
        row.state = state
        row.updated_at_us = working_set.next_stamp()
        payload, kind = encode.receiver_change(row), event_pb2.EVENT_TYPE_RECEIVER_CHANGED
        working_set.emit(Event(kind, row.merchant_id, 0, row.updated_at_us, payload, payload))
        return row


class AskReceiver(_ReceiverCommand):
    """Name a merchant that shares are to go to."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Let it wait for the bank; one that is active stays so."""
        key = self.key
        merchant = working_set.get(MERCHANT, key.merchant_id)
        if merchant is None:
            raise merchant_not_found(key.merchant_id)
        other = working_set.get(MERCHANT, key.receiver_id)
        same = other is not None and other.currency_code == merchant.currency_code
        if not same or key.receiver_id == key.merchant_id:
            raise Refusal(
                "RECEIVER_NOT_ALLOWED",
                "shares go to another merchant of the same book and currency",
                metadata={"receiver_id": MERCHANT_TEXT.encode(key.receiver_id)},
                field="receiver_id",
            )
        row = working_set.get(RECEIVER, key)
        if row is None:
            at_us = working_set.now_us
            row = ReceiverRow(*key, ReceiverState.REMOVED, at_us, at_us)
            working_set.insert(RECEIVER, key, row)
        if row.state == ReceiverState.REMOVED:
            row = self.change(working_set, ReceiverState.PENDING)
        return pb.AskReceiverResponse(
            receiver=encode.receiver(row), committed_at=working_set.committed_at
        ).SerializeToString()


class ConfirmReceiver(_ReceiverCommand):
    """Let shares go to a receiver."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Confirm one that waits."""
        known = working_set.get(RECEIVER, self.key)
        model.check_receiver(known, self.key.receiver_id, ReceiverState.PENDING)
        row = self.change(working_set, ReceiverState.ACTIVE)
        return pb.ConfirmReceiverResponse(
            receiver=encode.receiver(row), committed_at=working_set.committed_at
        ).SerializeToString()


class RemoveReceiver(_ReceiverCommand):
    """Let no more shares go to a receiver."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Remove it; one that was removed stays as it is."""
        row = working_set.get(RECEIVER, self.key)
        if row is None:
            raise model.receiver_not_found(self.key.receiver_id)
        if row.state != ReceiverState.REMOVED:
            row = self.change(working_set, ReceiverState.REMOVED)
        return pb.RemoveReceiverResponse(
            receiver=encode.receiver(row), committed_at=working_set.committed_at
        ).SerializeToString()


def confirm_receiver(request: pb.ConfirmReceiverRequest, key: RequestKey | None) -> ConfirmReceiver:
    """Return the command that lets shares go to a receiver; it can be proposed."""
    merchant_id = decode_id(MERCHANT_TEXT, request.merchant_id, "merchant_id")
    receiver_id = decode_id(MERCHANT_TEXT, request.receiver_id, "receiver_id")
    return ConfirmReceiver(book_of(merchant_id), key, key=ReceiverKey(merchant_id, receiver_id))
