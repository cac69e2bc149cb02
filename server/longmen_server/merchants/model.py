"""The rules of merchants: who may act for one, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_server.platform.ids import MERCHANT, TERMINAL
from longmen_server.platform.money import currencies
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.platform.ids import AccountId, MerchantId, OrderId, StoreId, TerminalId


@dataclass(slots=True, frozen=True)
class MerchantRow:
    """One merchant; it never changes yet."""

    merchant_id: MerchantId
    name: str
    local_name: str
    local_language: str
    city: str
    country_code: str
    category_code: str
    currency_code: str
    account_id: AccountId
    """The ledger account of what the bank owes the merchant."""
    created_at_us: int


@dataclass(slots=True, frozen=True)
class TerminalRow:
    """One till of a merchant; it never changes yet."""

    terminal_id: TerminalId
    merchant_id: MerchantId
    label: str
    store_label: str
    created_at_us: int


@dataclass(slots=True)
class TerminalStateRow:
    """What is known of a till beyond its registration, once it was seen or stands in a store."""

    terminal_id: TerminalId
    seen_at_us: int
    """0 where it stands in a store and was never seen."""
    software_version: str
    last_order_id: OrderId | None
    """The latest order that it registered."""
    store_id: StoreId | None = None
    """The registered store it stands in; written by what moves it, not by what sees it."""
    store_closed: bool = False
    """Whether that store is closed; written by what closes it."""

    def copy(self) -> TerminalStateRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        # Written out: every sale at a till copies its row, and `replace` takes five times as long.
        return TerminalStateRow(
            self.terminal_id,
            self.seen_at_us,
            self.software_version,
            self.last_order_id,
            self.store_id,
            self.store_closed,
        )


@dataclass(frozen=True, slots=True)
class MerchantActor:
    """For whom a call is made, as far as merchants go."""

    merchant_id: MerchantId | None
    """The merchant that calls; None for the bank, which acts for any."""

    def may_use(self, merchant_id: MerchantId) -> bool:
        """Whether the caller may see and do what is the merchant's."""
        return self.merchant_id is None or self.merchant_id == merchant_id


def check_local_name(name: str, language: str) -> None:
    """Refuse a name in another script without its language, and the reverse.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if bool(name) != bool(language):
        raise Refusal(
            "INVALID_REQUEST",
            "a local name and its language go together",
            metadata={"rules": "merchant.local_name_with_language"},
            field="local_language" if name else "local_name",
        )


def check_currency(code: str) -> None:
    """Refuse a currency that no amount can be in.

    Raises:
        Refusal: UNKNOWN_CURRENCY.
    """
    if code not in currencies():
        raise Refusal(
            "UNKNOWN_CURRENCY",
            "no such currency, or one without minor units",
            metadata={"currency_code": code},
            field="currency_code",
        )


def merchant_not_found(merchant_id: MerchantId) -> Refusal:
    """Return the refusal for a merchant that is not there, or not the caller's to see."""
    return Refusal(
        "MERCHANT_NOT_FOUND",
        "no such merchant",
        metadata={"merchant_id": MERCHANT.encode(merchant_id)},
        field="merchant_id",
    )


def terminal_not_found(terminal_id: TerminalId) -> Refusal:
    """Return the refusal for a terminal that is not there, or not the merchant's."""
    return Refusal(
        "TERMINAL_NOT_FOUND",
        "no such terminal",
        metadata={"terminal_id": TERMINAL.encode(terminal_id)},
        field="terminal_id",
    )
