"""Merchants as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import merchant_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import ACCOUNT, MERCHANT, ORDER, STORE, TERMINAL

if TYPE_CHECKING:
    from longmen_server.merchants.model import MerchantRow, TerminalRow, TerminalStateRow


def merchant(row: MerchantRow) -> merchant_pb2.Merchant:
    """Return a merchant."""
    return merchant_pb2.Merchant(
        merchant_id=MERCHANT.encode(row.merchant_id),
        name=row.name,
        local_name=row.local_name,
        local_language=row.local_language,
        city=row.city,
        country_code=row.country_code,
        category_code=row.category_code,
        currency_code=row.currency_code,
        account_id=ACCOUNT.encode(row.account_id),
        create_time=timestamp(row.created_at_us),
    )


def terminal(row: TerminalRow, state: TerminalStateRow | None) -> merchant_pb2.Terminal:
    """Return a terminal, what is known of it, and the store it stands in."""
    shown = merchant_pb2.Terminal(
        terminal_id=TERMINAL.encode(row.terminal_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        label=row.label,
        store_label=row.store_label,
        create_time=timestamp(row.created_at_us),
    )
    if state is not None:
        if state.seen_at_us:
            shown.last_seen_time.CopyFrom(timestamp(state.seen_at_us))
        shown.software_version = state.software_version
        if state.last_order_id is not None:
            shown.last_order_id = ORDER.encode(state.last_order_id)
        if state.store_id is not None:
            shown.store_id = STORE.encode(state.store_id)
            # What the merchant wrote before it had stores; the till may have moved since.
            shown.store_label = ""
    return shown
