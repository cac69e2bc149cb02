"""Generated from longmen_merchant/_async/offline.py by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from longmen_merchant._sync.till import Till
    from longmen_merchant.offline import Forwarded, OfflineStore

__all__ = ["forward", "prepare"]

BATCH = 50
"""Sales sent in one call, as many as it takes."""


def prepare(till: Till, store: OfflineStore) -> None:
    """Tell the bank the till's key, unless it knows it, and ask what the till may take.

    Raises:
        LongmenError: it could not be told.
    """
    told = till.bank.offline.get_offline_terms(terminal_id=till.terminal_id)
    known = [key for key in told.keys if not key.HasField("revoke_time")]
    own = next((key for key in known if key.thumbprint == store.key.thumbprint), None)
    if own is None:
        made = till.bank.offline.register_terminal_key(
            terminal_id=till.terminal_id,
            algorithm=store.key.algorithm,  # type: ignore[arg-type]  # the contract's number
            public_key=store.key.public_key,
        )
        own = made.message.key
    store.prepared(till.terminal_id, own.key_id, told.terms)


def forward(till: Till, store: OfflineStore) -> list[Forwarded]:
    """Send what is stored, in its order, and keep each answer; a power loss costs nothing.

    A sale that is sent twice is answered as it was the first time.

    Raises:
        LongmenError: the bank cannot be reached, or takes nothing of this till; what was answered
            by then is kept.
    """
    answered: list[Forwarded] = []
    while True:
        key_id, sales = store.next_batch(BATCH)
        if not sales:
            return answered
        reply = till.bank.offline.forward_offline(
            terminal_id=till.terminal_id,
            key_id=key_id,
            sales=sales,
            request_id=new_request_id(),
            options=till.options(till.end_of_settling()),
        )
        answered += store.answered(reply.message.results)
