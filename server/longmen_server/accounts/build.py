"""Commands of wallets that can be proposed as well as called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.accounts import commands
from longmen_server.accounts.model import Actor
from longmen_server.ledger.decode import decode_id
from longmen_server.platform.ids import ACCOUNT, book_of

if TYPE_CHECKING:
    from longmen.accounts.v1 import accounts_service_pb2 as pb

__all__ = ["unfreeze_by_bank"]


def unfreeze_by_bank(request: pb.UnfreezeAccountRequest) -> commands.UnfreezeAccount:
    """Return the command by which the bank lifts a freeze."""
    account_id = decode_id(ACCOUNT, request.account_id, "account_id")
    return commands.UnfreezeAccount(
        book_of(account_id),
        None,
        account_id=account_id,
        actor=Actor(None),
        reason_text=request.reason_text,
    )
