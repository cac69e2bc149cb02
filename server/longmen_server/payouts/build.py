"""The command of payouts that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.decode import decode_id
from longmen_server.payouts.commands import ConfirmPayoutAccount
from longmen_server.platform.ids import MERCHANT, PAYOUT_ACCOUNT, book_of

if TYPE_CHECKING:
    from longmen.merchants.v1 import payouts_service_pb2 as pb
    from longmen_server.engine.command import RequestKey

__all__ = ["confirm_payout_account"]


def confirm_payout_account(
    request: pb.ConfirmPayoutAccountRequest, key: RequestKey | None
) -> ConfirmPayoutAccount:
    """Return the command that lets settlements be paid to an account."""
    merchant_id = decode_id(MERCHANT, request.merchant_id, "merchant_id")
    return ConfirmPayoutAccount(
        book_of(merchant_id),
        key,
        merchant_id=merchant_id,
        payout_account_id=decode_id(PAYOUT_ACCOUNT, request.payout_account_id, "payout_account_id"),
    )
