"""Where tills stand: what registering one and moving one have in common. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.merchants.model import TerminalStateRow
from longmen_server.merchants.tables import TERMINAL_STATE
from longmen_server.stores import model
from longmen_server.stores.model import StoreState, TillPlaceRow, TillStanding
from longmen_server.stores.tables import STORE, TILL_PLACE, TILL_STANDING

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import MerchantId, StoreId, TerminalId
    from longmen_server.stores.model import StoreRow

__all__ = ["find_open_store", "place_till"]


def find_open_store(
    working_set: WorkingSet, store_id: StoreId, merchant_id: MerchantId
) -> StoreRow:
    """Return a store of a merchant that a till may be put into.

    Raises:
        Refusal: STORE_NOT_FOUND, STORE_CLOSED.
    """
    store = working_set.get(STORE, store_id)
    if store is None or store.merchant_id != merchant_id:
        raise model.store_not_found(store_id)
    if store.state != StoreState.OPEN:
        raise model.store_closed(store_id)
    return store


def place_till(
    working_set: WorkingSet, terminal_id: TerminalId, store_id: StoreId | None
) -> TerminalStateRow:
    """Let a till stand in an open store, or in none, from now on; return its state.

    Its place is kept twice: with the moment for ever, by which takings are counted for stores, and
    in the till's state, where orders see it without looking further.
    """
    if working_set.get(TERMINAL_STATE, terminal_id) is None:
        # A till has a state once it stands somewhere; that is not yet a sign of life.
        unseen = TerminalStateRow(terminal_id, 0, "", None)
        working_set.insert(TERMINAL_STATE, terminal_id, unseen)
    state = working_set.edit(TERMINAL_STATE, terminal_id)
    state.store_id = store_id
    state.store_closed = False
    place = TillPlaceRow(terminal_id, working_set.next_stamp(), store_id)
    working_set.insert(TILL_PLACE, (terminal_id, place.placed_at_us), place)
    working_set.insert(TILL_STANDING, terminal_id, TillStanding(terminal_id, store_id))
    return state
