"""The commands of tills' keys. All pure; what tills forward is in `forwarding`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import offline_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.merchants.model import terminal_not_found
from longmen_server.merchants.tables import MERCHANT, TERMINAL
from longmen_server.offline import encode
from longmen_server.offline.model import TerminalKeyRow, key_not_found, not_enabled
from longmen_server.offline.policy import policy_at
from longmen_server.offline.tables import ACCEPTANCE, KEY
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor, TerminalRow
    from longmen_server.platform.device_keys import DeviceKey
    from longmen_server.platform.ids import MerchantId, TerminalId, TerminalKeyId

__all__ = ["RegisterTerminalKey", "RevokeTerminalKey", "find_terminal"]


def find_terminal(
    working_set: WorkingSet, terminal_id: TerminalId, actor: MerchantActor
) -> TerminalRow:
    """Return a till that a merchant, or the bank for it, works on.

    Raises:
        Refusal: TERMINAL_NOT_FOUND when it is not there, or another merchant's.
    """
    terminal = working_set.get(TERMINAL, terminal_id)
    if terminal is None or not actor.may_use(terminal.merchant_id):
        raise terminal_not_found(terminal_id)
    return terminal


class RegisterTerminalKey(Command):
    """Take a key that a till signs its stored sales with."""

    __slots__ = ("actor", "key_id", "merchant_id", "public", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        terminal_id: TerminalId,
        merchant_id: MerchantId | None,
        key_id: TerminalKeyId,
        public: DeviceKey | Refusal,
        actor: MerchantActor,
    ) -> None:
        """Take a key, and the merchant that the till was found to be of: it never changes.

        Args:
            book: the till's.
            request: the request's key.
            terminal_id: of the till.
            merchant_id: of the till; None where there is no such till.
            key_id: of the new key.
            public: the key, or why it is none.
            actor: who registers it.
        """
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.merchant_id = merchant_id
        self.key_id = key_id
        self.public = public
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till, its merchant, and what was agreed with it."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            if self.merchant_id is not None:
                yield RowKey(MERCHANT, self.merchant_id)
                yield RowKey(ACCEPTANCE, self.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it."""
        terminal = find_terminal(working_set, self.terminal_id, self.actor)
        if isinstance(self.public, Refusal):
            raise self.public
        merchant = working_set.get(MERCHANT, terminal.merchant_id)
        assert merchant is not None, "a till has a merchant"
        agreed = working_set.get(ACCEPTANCE, terminal.merchant_id)
        if agreed is None or not agreed.is_enabled:
            raise not_enabled(terminal.merchant_id)
        row = TerminalKeyRow(
            key_id=self.key_id,
            terminal_id=self.terminal_id,
            algorithm=self.public.algorithm,
            public_key=self.public.public,
            thumbprint=self.public.thumbprint,
            last_sequence=0,
            created_at_us=working_set.next_stamp(),
            revoked_at_us=None,
        )
        working_set.insert(KEY, row.key_id, row)
        return pb.RegisterTerminalKeyResponse(
            key=encode.key(row),
            terms=encode.terms(policy_at(working_set.now_us), merchant.currency_code, agreed),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class RevokeTerminalKey(Command):
    """Let nothing signed with a key be taken any more."""

    __slots__ = ("actor", "key_id", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        terminal_id: TerminalId,
        key_id: TerminalKeyId,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.key_id = key_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till and its key."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            yield RowKey(KEY, self.key_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Revoke it; one that was revoked stays as it is."""
        find_terminal(working_set, self.terminal_id, self.actor)
        row = working_set.get(KEY, self.key_id)
        if row is None or row.terminal_id != self.terminal_id:
            raise key_not_found(self.key_id)
        if row.revoked_at_us is None:
            row = working_set.edit(KEY, self.key_id)
            row.revoked_at_us = working_set.next_stamp()
        return pb.RevokeTerminalKeyResponse(
            key=encode.key(row), committed_at=working_set.committed_at
        ).SerializeToString()
