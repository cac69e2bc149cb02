"""The commands of stores: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import stores_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.merchants.encode import terminal as encode_terminal
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.tables import MERCHANT, TERMINAL, TERMINAL_STATE
from longmen_server.stores import encode, model
from longmen_server.stores.model import OwnNumber, StoreRow, StoreState
from longmen_server.stores.placing import find_open_store, place_till
from longmen_server.stores.tables import ANY_STORE, STORE, STORE_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.platform.ids import MerchantId, StoreId, TerminalId

__all__ = ["CreateStore", "MoveTerminal", "SetStoreState", "UpdateStore"]


class CreateStore(Command):
    """Register a shop."""

    __slots__ = ("asked", "number", "store_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        store_id: StoreId,
        asked: pb.CreateStoreRequest,
    ) -> None:
        super().__init__(book, request)
        self.number = OwnNumber(merchant_id, asked.number)
        self.store_id = store_id
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, and the store that has the number already."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.number.merchant_id)
            yield RowKey(STORE_NUMBER, self.number)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it, unless the number is another's."""
        merchant_id, number = self.number
        if working_set.get(MERCHANT, merchant_id) is None:
            raise merchant_not_found(merchant_id)
        known = working_set.get(STORE_NUMBER, self.number)
        if known is not None:
            raise model.store_number_taken(known)
        at_us = working_set.next_stamp()
        row = StoreRow(
            store_id=self.store_id,
            merchant_id=merchant_id,
            number=number,
            name=self.asked.name,
            address=self.asked.address,
            city=self.asked.city,
            state=StoreState.OPEN,
            created_at_us=at_us,
            updated_at_us=at_us,
        )
        working_set.insert(STORE, row.store_id, row)
        working_set.insert(STORE_NUMBER, self.number, row.store_id)
        working_set.insert(ANY_STORE, merchant_id, row.store_id)
        return pb.CreateStoreResponse(
            store=encode.store(row), committed_at=working_set.committed_at
        ).SerializeToString()


class _StoreCommand(Command):
    """A change of one store."""

    __slots__ = ("actor", "store_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, store_id: StoreId, actor: MerchantActor
    ) -> None:
        super().__init__(book, request)
        self.store_id = store_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the store."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(STORE, self.store_id)

    def find(self, working_set: WorkingSet) -> StoreRow:
        """Return the store.

        Raises:
            Refusal: STORE_NOT_FOUND.
        """
        row = working_set.get(STORE, self.store_id)
        if row is None or not self.actor.may_use(row.merchant_id):
            raise model.store_not_found(self.store_id)
        return row


class UpdateStore(_StoreCommand):
    """Say anew what a shop is called and where it is."""

    __slots__ = ("asked",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        store_id: StoreId,
        actor: MerchantActor,
        asked: pb.UpdateStoreRequest,
    ) -> None:
        super().__init__(book, request, store_id=store_id, actor=actor)
        self.asked = asked

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write it down."""
        self.find(working_set)
        row = working_set.edit(STORE, self.store_id)
        row.name = self.asked.name
        row.address = self.asked.address
        row.city = self.asked.city
        row.updated_at_us = working_set.next_stamp()
        return pb.UpdateStoreResponse(
            store=encode.store(row), committed_at=working_set.committed_at
        ).SerializeToString()


class SetStoreState(_StoreCommand):
    """Close a shop, or open it again."""

    __slots__ = ("state",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        store_id: StoreId,
        actor: MerchantActor,
        state: StoreState,
    ) -> None:
        super().__init__(book, request, store_id=store_id, actor=actor)
        self.state = state

    def decide(self, working_set: WorkingSet) -> bytes:
        """Bring it to the state; one that is there already stays as it is."""
        row = self.find(working_set)
        if row.state != self.state:
            row = working_set.edit(STORE, self.store_id)
            row.state = self.state
            row.updated_at_us = working_set.next_stamp()
        closes = self.state == StoreState.CLOSED
        response = pb.CloseStoreResponse if closes else pb.ReopenStoreResponse
        return response(
            store=encode.store(row), committed_at=working_set.committed_at
        ).SerializeToString()


class MoveTerminal(Command):
    """Put a till into a shop, or into none."""

    __slots__ = ("actor", "store_id", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        terminal_id: TerminalId,
        store_id: StoreId | None,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.store_id = store_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till and the shop."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            yield RowKey(TERMINAL_STATE, self.terminal_id)
            if self.store_id is not None:
                yield RowKey(STORE, self.store_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Move it; one that stands there already stays."""
        terminal = working_set.get(TERMINAL, self.terminal_id)
        if terminal is None or not self.actor.may_use(terminal.merchant_id):
            raise terminal_not_found(self.terminal_id)
        if self.store_id is not None:
            find_open_store(working_set, self.store_id, terminal.merchant_id)
        state = working_set.get(TERMINAL_STATE, self.terminal_id)
        if (None if state is None else state.store_id) != self.store_id:
            state = place_till(working_set, self.terminal_id, self.store_id)
        return pb.MoveTerminalResponse(
            terminal=encode_terminal(terminal, state), committed_at=working_set.committed_at
        ).SerializeToString()
