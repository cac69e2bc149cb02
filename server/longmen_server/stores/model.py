"""The rules of stores and cashiers: numbers are taken once, and who has left opens no shift.

A merchant that has registered nothing goes on with labels of its own: any store label in new
tills, any cashier label in shifts. From its first store on, tills name stores by id or stand in
none; from its first cashier on, shifts name cashiers by id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from longmen_server.platform.ids import CASHIER, MERCHANT, STORE
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import CashierId, MerchantId, StoreId, TerminalId

__all__ = [
    "CashierRow",
    "CashierState",
    "OwnNumber",
    "StoreRow",
    "StoreState",
    "TillPlaceRow",
    "TillStanding",
    "cashier_left",
    "cashier_not_found",
    "cashier_number_taken",
    "cashier_unregistered",
    "check_one_store",
    "check_one_worker",
    "store_closed",
    "store_not_found",
    "store_number_taken",
    "store_unregistered",
]


class StoreState(IntEnum):
    """Whether a store sells; values are those of longmen.merchants.v1.StoreState."""

    OPEN = 1
    CLOSED = 2


class CashierState(IntEnum):
    """Whether a cashier works here; values are those of longmen.merchants.v1.CashierState."""

    ACTIVE = 1
    LEFT = 2


class OwnNumber(NamedTuple):
    """A merchant's own number of a store, or of a cashier."""

    merchant_id: MerchantId
    number: str


@dataclass(slots=True)
class StoreRow:
    """One shop of a merchant."""

    store_id: StoreId
    merchant_id: MerchantId
    number: str
    name: str
    address: str
    city: str
    state: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> StoreRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True)
class CashierRow:
    """Somebody who works at a merchant's tills."""

    cashier_id: CashierId
    merchant_id: MerchantId
    number: str
    name: str
    state: int
    created_at_us: int
    updated_at_us: int

    def copy(self) -> CashierRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


@dataclass(slots=True, frozen=True)
class TillPlaceRow:
    """Where a till stands from a moment on; it never changes."""

    terminal_id: TerminalId
    placed_at_us: int
    store_id: StoreId | None
    """None where it stands in no registered store."""


@dataclass(slots=True, frozen=True)
class TillStanding:
    """What orders of a till need to know of its place: it is written into the till's own state."""

    terminal_id: TerminalId
    store_id: StoreId | None


def check_one_store(store_id: StoreId | None, store_label: str) -> None:
    """Refuse a till that stands in a registered store and in another by its label.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if store_id is not None and store_label:
        raise Refusal(
            "INVALID_REQUEST",
            "a till names its store by id or by a label",
            metadata={"rules": "terminal.one_store"},
            field="store_label",
        )


def check_one_worker(cashier_id: CashierId | None, cashier_label: str) -> None:
    """Refuse a shift of nobody, and one of two.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if (cashier_id is not None) == bool(cashier_label):
        raise Refusal(
            "INVALID_REQUEST",
            "a shift names its cashier by id or by a label",
            metadata={"rules": "shift.one_cashier"},
            field="cashier_label",
        )


def store_not_found(store_id: StoreId) -> Refusal:
    """Return the refusal for a store that is not there, or not the merchant's."""
    return Refusal(
        "STORE_NOT_FOUND",
        "no such store",
        metadata={"store_id": STORE.encode(store_id)},
        field="store_id",
    )


def store_closed(store_id: StoreId) -> Refusal:
    """Return the refusal of what a closed store does not do."""
    return Refusal(
        "STORE_CLOSED", "the store is closed", metadata={"store_id": STORE.encode(store_id)}
    )


def store_number_taken(store_id: StoreId) -> Refusal:
    """Return the refusal of a number that another store of the merchant has."""
    return Refusal(
        "STORE_NUMBER_TAKEN",
        "another store of the merchant has the number",
        metadata={"store_id": STORE.encode(store_id)},
        field="number",
    )


def store_unregistered(merchant_id: MerchantId) -> Refusal:
    """Return the refusal of a label where stores are registered."""
    return Refusal(
        "STORE_UNREGISTERED",
        "the merchant has registered stores: name one by its id",
        metadata={"merchant_id": MERCHANT.encode(merchant_id)},
        field="store_label",
    )


def cashier_not_found(cashier_id: CashierId) -> Refusal:
    """Return the refusal for a cashier who is not there, or not the merchant's."""
    return Refusal(
        "CASHIER_NOT_FOUND",
        "no such cashier",
        metadata={"cashier_id": CASHIER.encode(cashier_id)},
        field="cashier_id",
    )


def cashier_left(cashier_id: CashierId) -> Refusal:
    """Return the refusal of a shift of somebody who works there no longer."""
    return Refusal(
        "CASHIER_LEFT",
        "the cashier works for the merchant no longer",
        metadata={"cashier_id": CASHIER.encode(cashier_id)},
        field="cashier_id",
    )


def cashier_number_taken(cashier_id: CashierId) -> Refusal:
    """Return the refusal of a number that another cashier of the merchant has."""
    return Refusal(
        "CASHIER_NUMBER_TAKEN",
        "another cashier of the merchant has the number",
        metadata={"cashier_id": CASHIER.encode(cashier_id)},
        field="number",
    )


def cashier_unregistered(merchant_id: MerchantId) -> Refusal:
    """Return the refusal of a label where cashiers are registered."""
    return Refusal(
        "CASHIER_UNREGISTERED",
        "the merchant has registered cashiers: name one by id",
        metadata={"merchant_id": MERCHANT.encode(merchant_id)},
        field="cashier_label",
    )
