"""Keys, terms and stored sales as messages of the contract, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import offline_pb2
from longmen_server.ledger.encode import microseconds, timestamp
from longmen_server.offline.model import LossBearer, OfflineOutcome, StoredSale, bearer_of
from longmen_server.payments.encode import money
from longmen_server.platform.ids import MERCHANT, ORDER, TERMINAL, TERMINAL_KEY, TRANSACTION

if TYPE_CHECKING:
    from longmen_server.offline.model import AcceptanceRow, OfflineSaleRow, TerminalKeyRow
    from longmen_server.offline.policy import OfflinePolicy
    from longmen_server.platform.ids import MerchantId, TerminalId, TerminalKeyId

__all__ = [
    "acceptance",
    "acceptance_change",
    "key",
    "record",
    "recorded",
    "refused",
    "result",
    "stored_sale",
    "terms",
]


def key(row: TerminalKeyRow) -> offline_pb2.TerminalKey:
    """Return a till's key without the key itself, which the till has."""
    return offline_pb2.TerminalKey(
        key_id=TERMINAL_KEY.encode(row.key_id),
        terminal_id=TERMINAL.encode(row.terminal_id),
        thumbprint=row.thumbprint,
        last_sequence=row.last_sequence,
        create_time=timestamp(row.created_at_us),
        revoke_time=None if row.revoked_at_us is None else timestamp(row.revoked_at_us),
    )


def acceptance(
    merchant_id: MerchantId, row: AcceptanceRow | None, policy: OfflinePolicy, currency_code: str
) -> offline_pb2.OfflineAcceptance:
    """Return what was agreed with a merchant; with None nothing was."""
    shown = offline_pb2.OfflineAcceptance(merchant_id=MERCHANT.encode(merchant_id))
    if row is not None:
        shown.enabled = row.is_enabled
        shown.loss_bearer = row.loss_bearer  # type: ignore[assignment]  # enums are ints
        shown.version = row.version
        budget = row.budget(policy.covered_merchant_day_minor_units.get(currency_code, 0))
        if row.loss_bearer == LossBearer.BANK:
            shown.day_budget.CopyFrom(money(budget, currency_code))
        if row.version:
            shown.update_time.CopyFrom(timestamp(row.changed_at_us))
    return shown


def acceptance_change(row: AcceptanceRow) -> bytes:
    """Return the payload of the event that tells what was agreed."""
    return event_pb2.OfflineAcceptanceChange(
        enabled=row.is_enabled,
        loss_bearer=LossBearer(row.loss_bearer).name,
        day_budget_minor_units=row.day_budget or 0,
        version=row.version,
    ).SerializeToString(deterministic=True)


def terms(
    policy: OfflinePolicy, currency_code: str, agreed: AcceptanceRow | None
) -> offline_pb2.OfflineTerms:
    """Return what a till of a currency may take: nothing unless that was agreed."""
    if agreed is None or not agreed.is_enabled:
        nothing = money(0, currency_code)
        return offline_pb2.OfflineTerms(
            sale_limit=nothing,
            stored_limit=nothing,
            window_seconds=policy.window_seconds,
            covered_limit=nothing,
        )
    most = policy.covered_merchant_day_minor_units.get(currency_code, 0)
    return offline_pb2.OfflineTerms(
        enabled=True,
        loss_bearer=agreed.loss_bearer,  # type: ignore[arg-type]  # enums are ints
        sale_limit=money(policy.sale_minor_units.get(currency_code, 0), currency_code),
        stored_count=policy.stored_count,
        stored_limit=money(policy.stored_minor_units.get(currency_code, 0), currency_code),
        window_seconds=policy.window_seconds,
        covered_limit=money(agreed.budget(most), currency_code),
    )


def stored_sale(
    message: offline_pb2.OfflineSale, terminal_id: TerminalId, key_id: TerminalKeyId
) -> StoredSale:
    """Return what a till has stored."""
    return StoredSale(
        key_id=key_id,
        terminal_id=terminal_id,
        sequence=message.sequence,
        order_number=message.order_number,
        amount=message.amount.minor_units,
        currency_code=message.amount.currency_code,
        code=message.code,
        trace_number=message.trace_number,
        business_date=message.business_date,
        accepted_at_us=microseconds(message.accept_time),
        description=message.description,
    )


def result(row: OfflineSaleRow) -> offline_pb2.OfflineResult:
    """Return what became of a sale."""
    return offline_pb2.OfflineResult(
        sequence=row.sequence,
        outcome=row.outcome,  # type: ignore[arg-type]  # enums of the contract are ints
        reason=row.reason,
        loss_bearer=int(bearer_of(row.outcome)),  # type: ignore[arg-type]
        order_id="" if row.order_id is None else ORDER.encode(row.order_id),
        transaction_id=(
            "" if row.transaction_id is None else TRANSACTION.encode(row.transaction_id)
        ),
        record_time=timestamp(row.recorded_at_us),
    )


def refused(sequence: int, reason: str) -> offline_pb2.OfflineResult:
    """Return why a sale was not taken down."""
    return offline_pb2.OfflineResult(
        sequence=sequence,
        outcome=int(OfflineOutcome.REFUSED),  # type: ignore[arg-type]
        reason=reason,
    )


def record(row: OfflineSaleRow) -> offline_pb2.OfflineRecord:
    """Return a sale as it was taken down."""
    return offline_pb2.OfflineRecord(
        key_id=TERMINAL_KEY.encode(row.key_id),
        terminal_id=TERMINAL.encode(row.terminal_id),
        order_number=row.order_number,
        amount=money(row.amount, row.currency_code),
        accept_time=timestamp(row.accepted_at_us),
        result=result(row),
    )


def recorded(row: OfflineSaleRow) -> bytes:
    """Return the payload of the event that tells what became of a sale."""
    return event_pb2.OfflineSaleRecorded(
        terminal_id=TERMINAL.encode(row.terminal_id),
        key_id=TERMINAL_KEY.encode(row.key_id),
        sequence=row.sequence,
        order_id="" if row.order_id is None else ORDER.encode(row.order_id),
        outcome=OfflineOutcome(row.outcome).name,
        reason=row.reason,
        amount_minor_units=row.amount,
        currency_code=row.currency_code,
    ).SerializeToString(deterministic=True)
