"""Sharing as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.payments.v1 import sharing_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.payments.encode import money
from longmen_server.platform.ids import MERCHANT, ORDER, TRANSACTION
from longmen_server.sharing.model import ReceiverState, SharingState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.sharing.model import ReceiverRow, ShareRow, SharingRow

__all__ = ["change", "receiver", "receiver_change", "share", "sharing"]


def receiver(row: ReceiverRow) -> sharing_pb2.Receiver:
    """Return a receiver."""
    return sharing_pb2.Receiver(
        merchant_id=MERCHANT.encode(row.merchant_id),
        receiver_id=MERCHANT.encode(row.receiver_id),
        state=row.state,  # type: ignore[arg-type]  # enums of the contract are ints
        update_time=timestamp(row.updated_at_us),
    )


def share(row: ShareRow, currency_code: str) -> sharing_pb2.Share:
    """Return a share in the currency of its order."""
    return sharing_pb2.Share(
        share_number=row.share_number,
        receiver_id=MERCHANT.encode(row.receiver_id),
        amount=money(row.amount, currency_code),
        returned=money(row.returned, currency_code),
        transaction_id=TRANSACTION.encode(row.transaction_id),
        description=row.description,
        create_time=timestamp(row.created_at_us),
    )


def sharing(row: SharingRow, now_us: int, shares: Iterable[ShareRow] = ()) -> sharing_pb2.Sharing:
    """Return what of an order's money is kept for others."""
    state = SharingState.OPEN if row.is_open(now_us) else SharingState.ENDED
    return sharing_pb2.Sharing(
        order_id=ORDER.encode(row.order_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=int(state),  # type: ignore[arg-type]  # enums of the contract are ints
        held=money(row.held, row.currency_code),
        shared=money(row.shared, row.currency_code),
        returned=money(row.returned, row.currency_code),
        released=money(row.released, row.currency_code),
        end_time=timestamp(row.ends_at_us),
        shares=[share(one, row.currency_code) for one in shares],
        version=row.version,
    )


def change(row: SharingRow) -> bytes:
    """Return the payload of the event that tells what became of an order's shares."""
    return event_pb2.SharingChange(
        order_id=ORDER.encode(row.order_id),
        merchant_id=MERCHANT.encode(row.merchant_id),
        state=SharingState(row.state).name,
        held_minor_units=row.held,
        shared_minor_units=row.shared,
        returned_minor_units=row.returned,
        released_minor_units=row.released,
        currency_code=row.currency_code,
        version=row.version,
    ).SerializeToString(deterministic=True)


def receiver_change(row: ReceiverRow) -> bytes:
    """Return the payload of the event that tells what became of a receiver."""
    return event_pb2.ReceiverChange(
        merchant_id=MERCHANT.encode(row.merchant_id),
        receiver_id=MERCHANT.encode(row.receiver_id),
        state=ReceiverState(row.state).name,
    ).SerializeToString(deterministic=True)
