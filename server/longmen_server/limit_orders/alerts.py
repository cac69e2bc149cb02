"""The commands of alerts: made, given up, told. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import limit_orders_service_pb2 as pb
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.conversions.commands import rate_keys
from longmen_server.conversions.pricing import present_rates
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.fx.model import shown
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_age, check_pair, pair_of
from longmen_server.limit_orders import encode, model
from longmen_server.limit_orders.model import AlertRow, AlertState, WaitingKey
from longmen_server.limit_orders.tables import ALERT, WAITING_ALERTS
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow
    from longmen_server.platform.ids import CustomerId, RateAlertId

__all__ = ["CreateRateAlert", "DeleteRateAlert", "TellAlert"]

DONE = b"done"
WAITS = b"waits"


class CreateRateAlert(Command):
    """Have a customer told when a rate comes."""

    __slots__ = (
        "age_max_us",
        "alert_id",
        "customer_id",
        "direction",
        "pair",
        "rate",
        "valid_days",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        alert_id: RateAlertId,
        customer_id: CustomerId,
        pair: tuple[str, str],
        rate: str,
        direction: int,
        valid_days: int,
        age_max_us: Callable[[int], int],
    ) -> None:
        super().__init__(book, request)
        self.alert_id = alert_id
        self.customer_id = customer_id
        self.pair = pair
        self.rate = rate
        self.direction = direction
        self.valid_days = valid_days
        self.age_max_us = age_max_us

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the rates, the customer, and how many of the customer's alerts wait."""
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
            yield RowKey(WALLET, self.customer_id)
            yield RowKey(WAITING_ALERTS, self._waiting(working_set))

    def _waiting(self, working_set: WorkingSet) -> WaitingKey:
        return WaitingKey(self.customer_id, working_set.now_us)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it unless the rate is there already."""
        wallet = working_set.get(WALLET, self.customer_id)
        if wallet is None or wallet.erased_at_us is not None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        version, now_us = version_now(working_set), working_set.now_us
        check_pair(*self.pair, version.tradable)
        pair = pair_of(present_rates(working_set, *self.pair), *self.pair)
        check_age(pair, now_us, self.age_max_us(version.rate_age_max_us))
        row = AlertRow(
            alert_id=self.alert_id,
            customer_id=self.customer_id,
            state=AlertState.WAITING,
            direction=self.direction,
            created_at_us=working_set.next_stamp(),
            expires_at_us=now_us + self.valid_days * model.DAY_US,
            told_at_us=None,
            source_currency=self.pair[0],
            target_currency=self.pair[1],
            rate=self.rate,
            told_rate=None,
        )
        if row.is_reached(pair.mid):
            raise model.reached(pair.mid)
        waiting = working_set.edit(WAITING_ALERTS, self._waiting(working_set))
        model.check_waiting(waiting.count)
        waiting.count += 1
        working_set.insert(ALERT, self.alert_id, row)
        return pb.CreateRateAlertResponse(
            alert=encode.alert(row, now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class DeleteRateAlert(Command):
    """Give an alert up."""

    __slots__ = ("actor", "alert_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, alert_id: RateAlertId, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.alert_id = alert_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the alert."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(ALERT, self.alert_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Give it up; one that has ended before stays what it is."""
        row = working_set.get(ALERT, self.alert_id)
        if row is None or not self.actor.may_use(row.customer_id):
            raise model.alert_not_found(self.alert_id)
        if row.state_at(working_set.now_us) == AlertState.WAITING:
            row = working_set.edit(ALERT, self.alert_id)
            row.state = AlertState.DELETED
        return pb.DeleteRateAlertResponse(
            alert=encode.alert(row, working_set.now_us), committed_at=working_set.committed_at
        ).SerializeToString()


class TellAlert(Command):
    """Tell a customer that the rate is there, if it is; once."""

    __slots__ = ("alert_id", "messages")

    def __init__(self, book: int, *, alert_id: RateAlertId, messages: Sequence[MessageRow]) -> None:
        super().__init__(book, None)
        self.alert_id = alert_id
        self.messages = messages

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the rates and the alert."""
        if stage == STAGE_POINTER:
            yield from rate_keys(working_set)
        elif stage == STAGE_LINK:
            yield RowKey(ALERT, self.alert_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Leave the message and the event behind."""
        row = working_set.get(ALERT, self.alert_id)
        if row is None or row.state_at(working_set.now_us) != AlertState.WAITING:
            return WAITS
        rates = present_rates(working_set, row.source_currency, row.target_currency)
        mid = pair_of(rates, row.source_currency, row.target_currency).mid
        if not row.is_reached(mid):
            return WAITS
        row = working_set.edit(ALERT, self.alert_id)
        row.state = AlertState.TOLD
        row.told_at_us = working_set.next_stamp()
        row.told_rate = shown(mid)
        for message in self.messages:
            working_set.append(MESSAGE, message)
        payload = encode.told(row)
        kind = event_pb2.EVENT_TYPE_FX_ALERT_TOLD
        working_set.emit(Event(kind, self.alert_id, 0, row.told_at_us, payload, payload))
        return DONE
