"""The commands of webhooks. Secrets never come here but sealed. All pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import webhooks_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.tables import MERCHANT
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.clock import from_microseconds
from longmen_server.platform.ids import DELIVERY as DELIVERY_TEXT
from longmen_server.webhooks import encode, model
from longmen_server.webhooks.model import DeliveryRow, DeliveryState, EndpointState
from longmen_server.webhooks.tables import DELIVERY, ENDPOINT, ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import DeliveryId, EndpointId
    from longmen_server.webhooks.model import EndpointRow

__all__ = [
    "CreateEndpoint",
    "GiveEndpointUp",
    "Redeliver",
    "RotateSecret",
    "SendTestEvent",
    "SetEndpointState",
]


class CreateEndpoint(Command):
    """Make an endpoint."""

    __slots__ = ("row", "sealed_secret")

    def __init__(
        self, book: int, request: RequestKey | None, *, row: EndpointRow, sealed_secret: str
    ) -> None:
        super().__init__(book, request)
        self.row = row
        self.sealed_secret = sealed_secret
        """As the request's record keeps it."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant and its endpoints."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.row.merchant_id)
            yield RowKey(ENDPOINTS, self.row.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Make it unless the merchant has too many."""
        merchant_id = self.row.merchant_id
        if working_set.get(MERCHANT, merchant_id) is None:
            raise merchant_not_found(merchant_id)
        known = working_set.get(ENDPOINTS, merchant_id) or ()
        model.check_limit(len(known))
        row = self.row.copy()
        row.created_at_us = working_set.next_stamp()
        working_set.insert(ENDPOINT, row.endpoint_id, row)
        working_set.insert(ENDPOINTS, merchant_id, (*known, row.endpoint_id))
        _tell(working_set, row, "CREATED", row.created_at_us)
        return pb.CreateEndpointResponse(
            endpoint=encode.endpoint(row, working_set.now_us),
            secret=self.sealed_secret,
            committed_at=working_set.committed_at,
        ).SerializeToString()


class _EndpointCommand(Command):
    """A command about one endpoint."""

    __slots__ = ("actor", "endpoint_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        endpoint_id: EndpointId,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.endpoint_id = endpoint_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the endpoint."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(ENDPOINT, self.endpoint_id)

    def load(self, working_set: WorkingSet) -> EndpointRow:
        """Return the endpoint.

        Raises:
            Refusal: ENDPOINT_NOT_FOUND.
        """
        row = working_set.get(ENDPOINT, self.endpoint_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise model.endpoint_not_found(self.endpoint_id)
        return row


class SetEndpointState(_EndpointCommand):
    """Switch an endpoint on or off."""

    __slots__ = ("state",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        endpoint_id: EndpointId,
        actor: MerchantActor,
        state: int,
    ) -> None:
        super().__init__(book, request, endpoint_id=endpoint_id, actor=actor)
        self.state = state

    def decide(self, working_set: WorkingSet) -> bytes:
        """Switch it; one that is in the state already stays in it."""
        row = self.load(working_set)
        if row.state != self.state:
            row = working_set.edit(ENDPOINT, self.endpoint_id)
            row.state = self.state
            row.failing_since_us = None
            _tell(working_set, row, "ASKED", working_set.next_stamp())
        return pb.SetEndpointStateResponse(
            endpoint=encode.endpoint(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class RotateSecret(_EndpointCommand):
    """Let another secret sign, beside the present one for a while."""

    __slots__ = ("overlap_us", "sealed_secret", "secret")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        endpoint_id: EndpointId,
        actor: MerchantActor,
        secret: bytes,
        sealed_secret: str,
        overlap_us: int,
    ) -> None:
        super().__init__(book, request, endpoint_id=endpoint_id, actor=actor)
        self.secret = secret
        self.sealed_secret = sealed_secret
        self.overlap_us = overlap_us

    def decide(self, working_set: WorkingSet) -> bytes:
        """Replace the secret; the one before the present one signs no more."""
        self.load(working_set)
        row = working_set.edit(ENDPOINT, self.endpoint_id)
        row.previous_secret = row.secret
        row.previous_until_us = working_set.now_us + self.overlap_us
        row.secret = self.secret
        _tell(working_set, row, "ROTATED", working_set.next_stamp())
        return pb.RotateSecretResponse(
            endpoint=encode.endpoint(row, working_set.now_us),
            secret=self.sealed_secret,
            committed_at=working_set.committed_at,
        ).SerializeToString()


class SendTestEvent(_EndpointCommand):
    """Queue an event that tells nothing."""

    __slots__ = ("delivery_id",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        endpoint_id: EndpointId,
        actor: MerchantActor,
        delivery_id: DeliveryId,
    ) -> None:
        super().__init__(book, request, endpoint_id=endpoint_id, actor=actor)
        self.delivery_id = delivery_id

    def decide(self, working_set: WorkingSet) -> bytes:
        """Queue it unless the endpoint is switched off."""
        endpoint = self.load(working_set)
        model.check_enabled(endpoint)
        at_us = working_set.next_stamp()
        event_id = DELIVERY_TEXT.encode(self.delivery_id)
        body = {
            "id": event_id,
            "type": model.TEST_TYPE,
            "time": from_microseconds(at_us).isoformat(),
            "sequence": 0,
            "data": {},
        }
        row = DeliveryRow(
            delivery_id=self.delivery_id,
            endpoint_id=self.endpoint_id,
            merchant_id=endpoint.merchant_id,
            event_id=event_id,
            kind=model.TEST_TYPE,
            subject_id="",
            sequence=0,
            state=DeliveryState.PENDING,
            attempts=0,
            due_at_us=working_set.now_us,
            created_at_us=at_us,
            settled_at_us=None,
            last_status=0,
            last_failure="",
            body=json.dumps(body),
        )
        working_set.insert(DELIVERY, row.delivery_id, row)
        return pb.SendTestEventResponse(
            delivery=encode.delivery(row), committed_at=working_set.committed_at
        ).SerializeToString()


class Redeliver(Command):
    """Queue a delivery again."""

    __slots__ = ("actor", "delivery_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        delivery_id: DeliveryId,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.delivery_id = delivery_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the delivery, then its endpoint."""
        if stage == STAGE_POINTER:
            yield RowKey(DELIVERY, self.delivery_id)
        elif stage == STAGE_LINK:
            row = working_set.get(DELIVERY, self.delivery_id)
            if row is not None:
                yield RowKey(ENDPOINT, row.endpoint_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Queue it with all its tries before it."""
        row = working_set.get(DELIVERY, self.delivery_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise model.delivery_not_found(self.delivery_id)
        endpoint = working_set.get(ENDPOINT, row.endpoint_id)
        assert endpoint is not None, "a delivery leads to its endpoint"
        model.check_enabled(endpoint)
        row = working_set.edit(DELIVERY, self.delivery_id)
        row.state = DeliveryState.PENDING
        row.attempts = 0
        row.due_at_us = working_set.now_us
        row.created_at_us = working_set.next_stamp()
        row.settled_at_us = None
        return pb.RedeliverResponse(
            delivery=encode.delivery(row), committed_at=working_set.committed_at
        ).SerializeToString()


class GiveEndpointUp(Command):
    """Switch an endpoint off that takes nothing, and let its merchant know."""

    __slots__ = ("cause", "endpoint_id", "notice")

    def __init__(
        self, book: int, *, endpoint_id: EndpointId, cause: str, notice: MessageRow | None
    ) -> None:
        super().__init__(book, None)
        self.endpoint_id = endpoint_id
        self.cause = cause
        self.notice = notice
        """The letter to the merchant, if it left an address."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the endpoint."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(ENDPOINT, self.endpoint_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Switch it off, unless somebody did something about it meanwhile."""
        row = working_set.get(ENDPOINT, self.endpoint_id)
        if row is None or row.state != EndpointState.ENABLED or row.failing_since_us is None:
            return b"passed"
        row = working_set.edit(ENDPOINT, self.endpoint_id)
        row.state = EndpointState.FAILED
        _tell(working_set, row, self.cause, working_set.next_stamp())
        if self.notice is not None:
            working_set.append(MESSAGE, self.notice)
        return b"done"


def _tell(working_set: WorkingSet, row: EndpointRow, cause: str, at_us: int) -> None:
    payload = encode.change(row, cause)
    kind = event_pb2.EVENT_TYPE_ENDPOINT_CHANGED
    working_set.emit(Event(kind, row.endpoint_id, 0, at_us, payload, payload))
